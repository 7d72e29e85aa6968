/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probes of what a sandbox is made of. Each act_* runs in a child of doctor_try, does for real
 * what the jail will do, and dies with everything it made; nothing of the host is changed. Trusts
 * the kernel's answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "../base/fdio.h"
#include "../sys/sys.h"
#include "cmd_doctor_internal.h"

#define FILES_NEEDED 64u /* the launcher and its relay at their busiest */
#define LANDLOCK_NEEDED 2 /* REFER: without it no file moves between directories */
#define LANDLOCK_NEWEST 6 /* the newest whose rights a plan uses */
#define LANDLOCK_FS ((UINT64_C(1) << 14) - 1) /* ABI 2 */

static int
step(struct buf *text, const char *name, int rc)
{
	if (rc < 0) {
		buf_puts(text, name);
	}
	return rc;
}

/* Tries act; ok leaves the detail to the caller. */
static bool
tried(struct doctor *d, struct finding *ret, unsigned int how,
      int (*act)(const struct doctor *d, struct buf *ret_text))
{
	auto_buf text = BUF_INIT;
	int rc = doctor_try(d, how, act, &text);

	if (rc == 0) {
		ret->status = DOCTOR_OK;
		return true;
	}
	ret->status = DOCTOR_MISSING;
	buf_printf(&ret->detail, "%s%s%s", buf_text(&text),
		   text.len > 0 && rc != -ECHILD ? ": " : "", rc == -ECHILD ? "" : strerror(-rc));
	return false;
}

/* ---- limits of the caller -------------------------------------------------------------------- */

static int
act_rlimits(const struct doctor *d, struct buf *ret_text)
{
	struct rlimit files = { 0 };

	(void)d;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur < FILES_NEEDED) {
		buf_printf(ret_text, "only %llu open files are allowed, and %u are needed",
			   (unsigned long long)files.rlim_cur, FILES_NEEDED);
		return -EMFILE;
	}
	return 0;
}

void
doctor_rlimits(struct doctor *d, struct finding *ret)
{
	auto_buf text = BUF_INIT;
	int rc = doctor_try(d, TRY_AS_OWNER, act_rlimits, &text);

	if (rc == 0) {
		buf_puts(&ret->detail, "the caller's limits leave room");
		return;
	}
	ret->status = DOCTOR_MISSING;
	buf_puts(&ret->detail, buf_text(&text));
	buf_puts(&ret->fix,
		 "In the shell, the unit (LimitNOFILE=) or limits.conf that starts airlock:\n"
		 "  ulimit -n 1024\n");
}

/* ---- namespaces ------------------------------------------------------------------------------ */

/*
 * Uses what it was given: AppArmor lets a user namespace be made and then refuses its capabilities.
 */
static int
act_namespaces(const struct doctor *d, struct buf *ret_text)
{
	struct sys_caps caps;
	int rc = step(ret_text, "cgroup namespace", sys_unshare(CLONE_NEWCGROUP));

	(void)d;
	if (rc == 0) {
		rc = step(ret_text, "read capabilities", sys_caps_get(&caps));
	}
	if (rc == 0 && caps.effective == 0) {
		rc = step(ret_text, "the new user namespace gives no capabilities", -EPERM);
	}
	if (rc == 0 && sethostname("airlock", 7) < 0) {
		rc = step(ret_text, "use a capability of the new user namespace (sethostname)",
			  -errno);
	}
	return rc;
}

/* The switches that forbid user namespaces, with what each must be. */
static const struct userns_switch {
	const char *name, *path;
	char forbids; /* first character of the forbidding value */
	const char *fix;
} userns_switches[] = {
	{ "kernel.apparmor_restrict_unprivileged_userns",
	  "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1',
	  "AppArmor forbids them. For airlock alone, in /etc/apparmor.d/airlock:\n"
	  "  abi <abi/4.0>,\n"
	  "  profile airlock /**/airlock{,-cli,-jail} flags=(unconfined) { userns, }\n"
	  "and then\n"
	  "  sudo apparmor_parser -r /etc/apparmor.d/airlock\n"
	  "or for every program:\n"
	  "  sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\n" },
	{ "kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", '0',
	  "  sudo sysctl -w kernel.unprivileged_userns_clone=1\n" },
	{ "user.max_user_namespaces", "/proc/sys/user/max_user_namespaces", '0',
	  "  sudo sysctl -w user.max_user_namespaces=15000\n" },
};

static void
explain_namespaces(const struct doctor *d, struct finding *ret)
{
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(userns_switches); i++) {
		const struct userns_switch *s = &userns_switches[i];
		char value[32];

		doctor_sysctl(s->path, value, sizeof(value));
		buf_printf(&ret->detail, "%s %s=%s", i == 0 ? ";" : ",", s->name,
			   value[0] != '\0' ? value : "(absent)");
		if (value[0] == s->forbids && (value[0] != '0' || value[1] == '\0')) {
			buf_puts(&ret->fix, s->fix);
			found = true;
		}
	}
	if (found) {
		return;
	}
	if (d->around.is_filtered || d->around.container != AROUND_NO_CONTAINER) {
		buf_puts(&ret->detail, d->around.is_filtered ? ", under a seccomp filter" : "");
		doctor_fix_filter(d, ret, "clone3 with namespaces");
	} else {
		buf_puts(
			&ret->fix,
			"In a chroot the kernel refuses them: start airlock outside of it. In a "
			"nested user namespace the limit of an outer one may be reached; out "
			"there:\n"
			"  sudo sysctl -w user.max_user_namespaces=15000\n");
	}
}

void
doctor_namespaces(struct doctor *d, struct finding *ret)
{
	if (tried(d, ret, TRY_AS_OWNER | TRY_NAMESPACES, act_namespaces)) {
		buf_printf(&ret->detail, "user, mount, pid, net, ipc, uts and cgroup, as uid %u",
			   d->uid);
	} else {
		explain_namespaces(d, ret);
	}
}

/* ---- mounts ---------------------------------------------------------------------------------- */

/* A tmpfs over "/", with the working directory in it, as the jail begins. The fd of it. */
static int
enter_tmpfs(struct buf *text)
{
	auto_fd host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd fs = -1;
	auto_fd root = -1;
	int rc = host < 0 ? -errno : 0;

	rc = step(text, "open /", rc);
	if (rc == 0) {
		rc = step(text, "mount_setattr: make mounts private",
			  sys_mount_setattr(host, 1, 0, 0, MS_PRIVATE, -1));
	}
	if (rc == 0) {
		fs = sys_fsopen("tmpfs");
		rc = step(text, "fsopen tmpfs", fs < 0 ? fs : 0);
	}
	if (rc == 0) {
		rc = step(text, "fsconfig tmpfs", sys_fsconfig_create(fs));
	}
	if (rc == 0) {
		root = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
		rc = step(text, "fsmount tmpfs", root < 0 ? root : 0);
	}
	if (rc == 0) {
		rc = step(text, "move_mount", sys_move_mount(root, AT_FDCWD, "/"));
	}
	if (rc == 0 && fchdir(root) < 0) {
		rc = step(text, "enter the tmpfs", -errno);
	}
	return rc < 0 ? rc : take_fd(&root);
}

static int
act_mounts(const struct doctor *d, struct buf *ret_text)
{
	auto_fd tree = sys_open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE | AT_RECURSIVE);
	auto_fd root = -1;
	int rc = step(ret_text, "open_tree", tree < 0 ? tree : 0);

	(void)d;
	if (rc == 0) {
		rc = step(ret_text, "mount_setattr",
			  sys_mount_setattr(
				  tree, 1, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
				  0, 0, -1));
	}
	if (rc == 0) {
		root = enter_tmpfs(ret_text);
		rc = root < 0 ? root : 0;
	}
	if (rc == 0) {
		rc = step(ret_text, "make the root read-only",
			  sys_mount_setattr(root, 0, MOUNT_ATTR_RDONLY, 0, 0, -1));
	}
	if (rc == 0) {
		rc = step(ret_text, "pivot_root", sys_pivot_root_here());
	}
	return rc == 0 ? step(ret_text, "detach the host's root", sys_umount_detach(".")) : rc;
}

void
doctor_mounts(struct doctor *d, struct finding *ret)
{
	if (tried(d, ret, TRY_AS_OWNER | TRY_NAMESPACES, act_mounts)) {
		buf_puts(&ret->detail, "open_tree, mount_setattr, fsopen, move_mount, pivot_root");
	} else if (strncmp(buf_text(&ret->detail), "pivot_root: Invalid", 19) == 0) {
		buf_puts(&ret->fix,
			 "An initramfs as root cannot be pivoted: switch_root to a real file "
			 "system first.\n");
	} else {
		doctor_fix_filter(d, ret, "the mount calls");
	}
}

static int
act_new_proc(const struct doctor *d, struct buf *ret_text)
{
	auto_fd fs = sys_fsopen("proc");
	auto_fd mount = -1;
	struct statfs info;
	int rc = step(ret_text, "fsopen proc", fs < 0 ? fs : 0);

	(void)d;
	if (rc == 0) {
		rc = step(ret_text, "fsconfig proc", sys_fsconfig_create(fs));
	}
	if (rc == 0) {
		mount = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
		rc = step(ret_text, "fsmount proc", mount < 0 ? mount : 0);
	}
	if (rc == 0 && (fstatfs(mount, &info) < 0 || info.f_type != 0x9fa0)) {
		rc = step(ret_text, "what was mounted is not a procfs", -ENXIO);
	}
	return rc;
}

void
doctor_new_proc(struct doctor *d, struct finding *ret)
{
	if (tried(d, ret, TRY_AS_OWNER | TRY_NAMESPACES, act_new_proc)) {
		buf_puts(&ret->detail, "a fresh procfs can be mounted");
		return;
	}
	if (strncmp(buf_text(&ret->detail), "fsmount", 7) != 0) {
		doctor_fix_filter(d, ret, "fsopen of a procfs");
		return;
	}
	buf_puts(&ret->detail,
		 "; the kernel wants the /proc outside to be whole, and parts of it are masked");
	doctor_fix_container(d, ret);
	if (d->around.container == AROUND_NO_CONTAINER) {
		buf_puts(&ret->fix, "Start the container with an unmasked /proc:\n"
				    "  docker run --security-opt systempaths=unconfined ...\n"
				    "  podman run --security-opt unmask=ALL ...\n");
	}
}

/* ---- overlay --------------------------------------------------------------------------------- */

static int
overlay_option(int fs, const char *key, int fd, int second)
{
	char text[64];

	if (second >= 0) {
		snprintf(text, sizeof(text), "/proc/self/fd/%d:/proc/self/fd/%d", fd, second);
	} else {
		snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
	}
	return sys_fsconfig_string(fs, key, text);
}

/* A directory of the working directory, made and opened. */
static int
new_dir(const char *name)
{
	int fd = mkdir(name, 0755) < 0 ? -1 : open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* upper -1: read-only over two lowers. The detached mount. */
static int
overlay(int lower, int second, int upper, int work, struct buf *text)
{
	auto_fd fs = sys_fsopen("overlay");
	int rc = fs < 0 ? fs : overlay_option(fs, "lowerdir", lower, second);

	if (rc == 0 && upper >= 0) {
		rc = overlay_option(fs, "upperdir", upper, -1);
	}
	if (rc == 0 && upper >= 0) {
		rc = overlay_option(fs, "workdir", work, -1);
	}
	if (rc == 0) {
		rc = sys_fsconfig_flag(fs, "userxattr");
	}
	if (rc == 0 && upper >= 0) {
		rc = sys_fsconfig_flag(fs, "volatile");
	}
	if (rc == 0) {
		rc = sys_fsconfig_create(fs);
	}
	if (rc == 0) {
		rc = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	}
	return rc < 0 ? step(text,
			     upper < 0 ? "read-only overlay over /usr" : "overlay with userxattr",
			     rc)
		      : rc;
}

/* Deletes a file of the lower directory through the overlay and looks for the whiteout. */
static int
use_overlay(int mount, int upper, struct buf *text)
{
	struct stat st;

	if (unlinkat(mount, "file", 0) < 0) {
		return step(text, "delete a file through the overlay", -errno);
	}
	if (fstatat(upper, "file", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISCHR(st.st_mode)) {
		return step(text, "no whiteout in the upper directory", -EIO);
	}
	return 0;
}

static int
act_overlay(const struct doctor *d, struct buf *ret_text)
{
	auto_fd usr = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd root = enter_tmpfs(ret_text);
	auto_fd empty = -1, lower = -1, upper = -1, work = -1, file = -1, tree = -1, mount = -1;

	(void)d;
	if (root < 0) {
		return root;
	}
	empty = new_dir("empty");
	lower = new_dir("lower");
	upper = new_dir("upper");
	work = new_dir("work");
	file = openat(lower, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (usr < 0 || empty < 0 || lower < 0 || upper < 0 || work < 0 || file < 0) {
		return step(ret_text, "make directories in a tmpfs", -EIO);
	}
	tree = overlay(usr, empty, -1, -1, ret_text);
	if (tree < 0) {
		return tree;
	}
	mount = overlay(lower, -1, upper, work, ret_text);
	return mount < 0 ? mount : use_overlay(mount, upper, ret_text);
}

void
doctor_overlay(struct doctor *d, struct finding *ret)
{
	if (tried(d, ret, TRY_AS_OWNER | TRY_NAMESPACES, act_overlay)) {
		buf_puts(&ret->detail, "overlayfs with userxattr works in a user namespace");
	} else if (strstr(buf_text(&ret->detail), strerror(ENODEV)) != NULL) {
		buf_puts(&ret->fix, "  sudo modprobe overlay\n");
	} else {
		buf_puts(
			&ret->fix,
			"/usr must lie on a file system that can be the lower of an overlay (with "
			"at most one overlay in it), and no security module may refuse the "
			"mount.\n");
	}
}

static int
act_xattrs(const struct doctor *d, struct buf *ret_text)
{
	auto_fd root = enter_tmpfs(ret_text);

	(void)d;
	if (root < 0) {
		return root;
	}
	return setxattr(".", "user.overlay.opaque", "y", 1, 0) < 0
		       ? step(ret_text, "user xattr on a tmpfs", -errno)
		       : 0;
}

void
doctor_xattrs(struct doctor *d, struct finding *ret)
{
	if (tried(d, ret, TRY_AS_OWNER | TRY_NAMESPACES, act_xattrs)) {
		buf_puts(&ret->detail, "changes of a call are kept in memory");
		return;
	}
	ret->status = DOCTOR_INFO;
	buf_puts(&ret->detail,
		 " (Linux 6.6 brings it); changes of a call are kept on disk, in the state "
		 "directory, which is slower");
}

static int
act_network(const struct doctor *d, struct buf *ret_text)
{
	(void)d;
	return step(ret_text, "bring lo up", sys_loopback_up());
}

void
doctor_network(struct doctor *d, struct finding *ret)
{
	if (tried(d, ret, TRY_AS_OWNER | TRY_NAMESPACES, act_network)) {
		buf_puts(&ret->detail, "an empty network, with a loopback of its own");
	} else {
		doctor_fix_filter(d, ret, "socket and ioctl(SIOCSIFFLAGS)");
	}
}

/* ---- idmapped mounts ------------------------------------------------------------------------- */

static int
map_from_outside(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fdio_write(fd, "0 2147000000 1", strlen("0 2147000000 1"));
}

static int
idmap_here(pid_t holder, struct buf *text)
{
	char path[64];
	auto_fd tree = sys_open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE);
	auto_fd userns = -1;
	int rc = map_from_outside(holder, "uid_map");

	if (rc == 0) {
		rc = map_from_outside(holder, "gid_map");
	}
	if (rc < 0) {
		return step(text, "map a powerless id into a user namespace", rc);
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)holder);
	userns = open(path, O_RDONLY | O_CLOEXEC);
	if (userns < 0 || tree < 0) {
		return step(text, "clone the current directory's mount", tree < 0 ? tree : -errno);
	}
	return step(text, "idmapped mount of the current directory",
		    sys_mount_setattr(tree, 0, 0, 0, 0, userns));
}

static int
act_idmap(const struct doctor *d, struct buf *ret_text)
{
	int pidfd = -1, rc;
	pid_t holder = sys_clone3(CLONE_NEWUSER, -1, &pidfd);

	(void)d;
	if (holder == 0) {
		ignore_err(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "it is killed below as well");
		for (;;) {
			pause();
		}
	}
	if (holder < 0) {
		return step(ret_text, "user namespace", holder);
	}
	rc = idmap_here(holder, ret_text);
	kill(holder, SIGKILL);
	ignore_err(sys_wait(holder, NULL), "it was killed just now");
	close(pidfd);
	return rc;
}

void
doctor_idmap(struct doctor *d, struct finding *ret)
{
	if (!d->is_root || !d->is_host_root || d->becomes) {
		ret->status = DOCTOR_INFO;
		buf_puts(&ret->detail,
			 d->becomes ? "not needed: the current directory is not root's"
				    : "not needed: only root's calls on root's files use it");
	} else if (tried(d, ret, 0, act_idmap)) {
		buf_puts(&ret->detail, "the current directory's file system takes them");
	} else {
		buf_puts(
			&ret->fix,
			"Move the workspace to ext4, xfs, btrfs or tmpfs (overlayfs and proc "
			"refuse idmapped mounts), or give it to a user who is not root:\n"
			"  chown -R USER: .\n");
	}
}

/* ---- Landlock, seccomp ----------------------------------------------------------------------- */

static int
act_landlock(const struct doctor *d, struct buf *ret_text)
{
	int abi = sys_landlock_abi();
	auto_fd rules = -1;
	int rc = step(ret_text, "landlock_create_ruleset", abi < 0 ? abi : 0);

	(void)d;
	if (rc == 0 && abi < LANDLOCK_NEEDED) {
		buf_printf(ret_text, "only ABI %d, and %d is needed", abi, LANDLOCK_NEEDED);
		return -EOPNOTSUPP;
	}
	if (rc == 0) {
		rules = sys_landlock_create(LANDLOCK_FS, 0, 0, abi);
		rc = step(ret_text, "landlock_create_ruleset", rules < 0 ? rules : 0);
	}
	if (rc == 0) {
		rc = step(ret_text, "no_new_privs", sys_no_new_privs());
	}
	if (rc == 0) {
		rc = step(ret_text, "landlock_restrict_self", sys_landlock_restrict(rules));
	}
	if (rc == 0) {
		auto_fd forbidden = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

		rc = forbidden >= 0 || errno != EACCES
			     ? step(ret_text, "a path that no rule allows could be opened", -EPERM)
			     : 0;
	}
	if (rc == 0) {
		buf_printf(ret_text, "%d", abi);
	}
	return rc;
}

void
doctor_landlock(struct doctor *d, struct finding *ret)
{
	static const char *const adds[LANDLOCK_NEWEST + 1] = {
		[3] = "truncation", [4] = "TCP ports", [5] = "device ioctls",
		[6] = "abstract sockets and signals",
	};
	auto_buf text = BUF_INIT;
	int rc = doctor_try(d, TRY_AS_OWNER, act_landlock, &text);
	const char *before = "; newer kernels add ";

	if (rc == 0) {
		int abi = (int)strtol(buf_text(&text), NULL, 10);

		buf_printf(&ret->detail, "ABI %d", abi);
		for (int i = abi + 1; i <= LANDLOCK_NEWEST; i++) {
			buf_printf(&ret->detail, "%s%s (ABI %d)", before, adds[i], i);
			before = ", ";
		}
		return;
	}
	ret->status = DOCTOR_MISSING;
	buf_printf(&ret->detail, "%s%s%s", buf_text(&text), rc == -ECHILD ? "" : ": ",
		   rc == -ECHILD ? "" : strerror(-rc));
	if (rc == -ENOSYS && d->around.is_filtered) {
		doctor_fix_filter(d, ret, "landlock_create_ruleset");
	} else {
		buf_puts(
			&ret->fix,
			"Linux 5.19 or newer is needed, with CONFIG_SECURITY_LANDLOCK, and "
			"landlock in its list of security modules. /sys/kernel/security/lsm has "
			"the list; on the kernel's command line put landlock before it:\n"
			"  lsm=landlock,...\n");
	}
}

static int
load(const struct sock_filter *insns, uint16_t len, int notify, struct buf *text)
{
	int rc = step(text, "no_new_privs", sys_no_new_privs());

	if (rc == 0) {
		rc = sys_seccomp_load(insns, len, notify);
		rc = step(text, notify ? "seccomp with a listener" : "load a seccomp filter", rc);
	}
	return rc;
}

static int
act_seccomp(const struct doctor *d, struct buf *ret_text)
{
	const struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	int rc = load(insns, ARRAY_LEN(insns), 0, ret_text);

	(void)d;
	if (rc < 0) {
		return rc;
	}
	return getpgid(0) == -1 && errno == EDOM
		       ? 0
		       : step(ret_text, "a filter was loaded and did nothing", -EIO);
}

void
doctor_seccomp(struct doctor *d, struct finding *ret)
{
	if (tried(d, ret, TRY_AS_OWNER, act_seccomp)) {
		buf_printf(&ret->detail, "a filter holds%s",
			   d->around.is_filtered ? ", inside one that is there already" : "");
	} else {
		doctor_fix_filter(d, ret, "seccomp");
	}
}

static int
act_notify(const struct doctor *d, struct buf *ret_text)
{
	const struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	int rc = load(&all, 1, 1, ret_text);

	(void)d;
	return rc < 0 ? rc : 0;
}

void
doctor_notify(struct doctor *d, struct finding *ret)
{
	if (tried(d, ret, TRY_AS_OWNER, act_notify)) {
		buf_puts(&ret->detail, "denied system calls become events of the record");
	} else if (strstr(buf_text(&ret->detail), strerror(EBUSY)) != NULL) {
		buf_puts(
			&ret->fix,
			"Another supervisor listens already (airlock in airlock, or a container "
			"that uses notification), and a process can have one listener: start "
			"airlock outside of it.\n");
	} else {
		doctor_fix_filter(d, ret, "seccomp with a listener");
	}
}
