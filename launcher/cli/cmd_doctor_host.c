/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probes of this host, this process and airlock's own files. As the caller; what belongs to the
 * workspace's owner (profile, state directory) is looked at in a child that has become it. Profiles
 * are trusted as far as profile_load.c does.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "../bundle/sealed.h"
#include "../store/quota.h"
#include "../store/store.h"
#include "../sys/sys.h"
#include "cmd_doctor_internal.h"
#include "view_format.h"

#define KERNEL_MAJOR 6
#define KERNEL_MINOR 1
#define LOW_ROOM_BYTES (256u << 20)
#define ELF_MAX (16u << 20)
#define POWERLESS_FIRST UINT64_C(2147000000) /* of $AIRLOCK_UIDS, when it is not set */

void
doctor_sysctl(const char *path, char *ret_text, size_t size)
{
	auto_buf bytes = BUF_INIT;

	ret_text[0] = '\0';
	if (fdio_slurp_at(AT_FDCWD, path, 4096, &bytes) == 0) {
		snprintf(ret_text, size, "%.*s", (int)strcspn(buf_text(&bytes), "\n"),
			 buf_text(&bytes));
	}
}

void
doctor_fix_container(const struct doctor *d, struct finding *ret)
{
	auto_buf command = BUF_INIT;

	around_command(&d->around, &command);
	if (command.len > 0) {
		buf_printf(&ret->fix,
			   "In a container, start it with airlock's own seccomp profile (from its "
			   "share/airlock) and an unmasked /proc:\n"
			   "  %s ...\n",
			   buf_text(&command));
	}
}

void
doctor_fix_filter(const struct doctor *d, struct finding *ret, const char *call)
{
	doctor_fix_container(d, ret);
	if (d->around.is_filtered) {
		buf_printf(&ret->fix,
			   "A seccomp filter around airlock refuses %s. In a systemd unit that is "
			   "RestrictSUIDSGID=, SystemCallFilter= or RestrictNamespaces=; with "
			   "systemctl edit UNIT:\n"
			   "  [Service]\n"
			   "  RestrictSUIDSGID=no\n",
			   call);
	}
	if (d->around.container == AROUND_NO_CONTAINER && !d->around.is_filtered) {
		buf_printf(
			&ret->fix,
			"The kernel refuses %s: a security module does, or it was built without.\n",
			call);
	}
}

/* ---- this process ---------------------------------------------------------------------------- */

void
doctor_kernel(struct doctor *d, struct finding *ret)
{
	uint64_t version[2] = { 0 }; /* major, minor */
	struct utsname host;

	(void)d;
	if (uname(&host) < 0 || text_numbers(host.release, '.', version, 2) == NULL) {
		ret->status = DOCTOR_MISSING;
		buf_puts(&ret->detail, "the kernel does not say its version");
		buf_puts(&ret->fix, "Linux 6.1 or newer is needed.\n");
		return;
	}
	buf_printf(&ret->detail, "Linux %s", host.release);
	if (version[0] < KERNEL_MAJOR ||
	    (version[0] == KERNEL_MAJOR && version[1] < KERNEL_MINOR)) {
		ret->status = DOCTOR_MISSING;
		buf_printf(&ret->detail, " is older than %d.%d", KERNEL_MAJOR, KERNEL_MINOR);
		buf_puts(&ret->fix, "Install a newer kernel; on Debian 11:\n"
				    "  sudo apt install -t bullseye-backports linux-image-amd64\n");
	}
}

/* -ENOEXEC when it asks for a loader or is no program; set-uid bits are -EPERM. */
static int
check_program(const char *path, bool is_static)
{
	auto_buf bytes = BUF_INIT;
	const Elf64_Ehdr *elf;
	struct stat st;
	int rc;

	if (stat(path, &st) < 0 || access(path, X_OK) < 0) {
		return -errno;
	}
	if ((st.st_mode & (S_ISUID | S_ISGID)) != 0) {
		return -EPERM;
	}
	if (!is_static) {
		return 0;
	}
	rc = fdio_slurp_at(AT_FDCWD, path, ELF_MAX, &bytes);
	if (rc < 0) {
		return rc;
	}
	elf = (const Elf64_Ehdr *)(const void *)bytes.data;
	if (bytes.len < sizeof(*elf) || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
	    elf->e_phentsize != sizeof(Elf64_Phdr) || elf->e_phoff > bytes.len ||
	    elf->e_phnum > (bytes.len - elf->e_phoff) / sizeof(Elf64_Phdr)) {
		return -ENOEXEC;
	}
	for (size_t i = 0; i < elf->e_phnum; i++) {
		Elf64_Phdr head;

		memcpy(&head, bytes.data + elf->e_phoff + i * sizeof(head), sizeof(head));
		if (head.p_type == PT_INTERP) {
			return -ELIBBAD;
		}
	}
	return 0;
}

void
doctor_programs(struct doctor *d, struct finding *ret)
{
	static const struct {
		const char *name;
		bool is_static, beside;
	} parts[] = {
		{ "airlock-jail", true, true },
		{ "airlock-log", false, true },
		{ "airlock-credd", false, true },
		{ "airlock-cli", false, true },
	};

	if (getauxval(AT_SECURE) != 0) {
		ret->status = DOCTOR_MISSING;
		buf_puts(&ret->detail, "started set-uid, set-gid or with file capabilities");
		buf_printf(&ret->fix, "  sudo chmod ug-s %s/airlock*; sudo setcap -r %s/airlock\n",
			   d->places.programs, d->places.programs);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		auto_free char *path = NULL;
		int rc;

		if (asprintf(&path, "%s/%s", d->places.programs, parts[i].name) < 0) {
			path = NULL;
		}
		rc = path == NULL ? -ENOMEM : check_program(path, parts[i].is_static);
		if (rc == 0) {
			continue;
		}
		ret->status = DOCTOR_MISSING;
		buf_printf(
			&ret->detail, "%s%s/%s: %s", ret->detail.len > 0 ? "; " : "",
			d->places.programs, parts[i].name,
			rc == -ELIBBAD
				? "is linked dynamically; inside a sandbox there is no loader for "
				  "it"
			: rc == -EPERM ? "is set-uid or set-gid"
				       : strerror(-rc));
	}
	if (ret->status == DOCTOR_MISSING) {
		buf_puts(&ret->fix, "Install airlock again, all of it:\n  sudo make install\n");
		return;
	}
	buf_printf(&ret->detail,
		   "airlock " AIRLOCK_VERSION ", complete, not set-uid; its jail is static");
}

/* Does one line of the map cover these ids of this namespace? */
static bool
map_covers(const char *map, uint64_t first, uint64_t count)
{
	uint64_t row[3]; /* inside, outside, length */

	for (const char *p = map; (p = text_numbers(p, ' ', row, 3)) != NULL;) {
		if (first >= row[0] && first - row[0] < row[2] &&
		    count <= row[2] - (first - row[0])) {
			return true;
		}
	}
	return false;
}

void
doctor_identity(struct doctor *d, struct finding *ret)
{
	const char *range = getenv("AIRLOCK_UIDS");
	uint64_t ids[2] = { POWERLESS_FIRST, 256 }; /* first, count */
	auto_buf map = BUF_INIT;

	if (d->is_host_root && !d->is_root) {
		ret->status = DOCTOR_MISSING;
		buf_puts(&ret->detail,
			 "uid 0 outside is the only id here, and no tool runs as root");
		buf_puts(&ret->fix,
			 "Start airlock outside of this user namespace, or as a user who is not "
			 "root.\n");
		return;
	}
	if (!d->is_root || (!d->becomes && !d->is_host_root)) {
		buf_printf(&ret->detail, "uid %u%s", d->uid,
			   d->uid == 0 ? " of a user namespace, a plain user outside"
				       : ", without root");
		return;
	}
	if (d->becomes) {
		buf_printf(&ret->detail,
			   "root; here calls run as uid %u, who owns the current directory",
			   d->uid);
		return;
	}
	if (range != NULL && range[0] != '\0' && text_numbers(range, '+', ids, 2) == NULL) {
		ids[0] = UINT64_MAX;
	}
	if (fdio_slurp_at(AT_FDCWD, "/proc/self/uid_map", 65536, &map) < 0 ||
	    !map_covers(buf_text(&map), ids[0], ids[1])) {
		ret->status = DOCTOR_MISSING;
		buf_printf(&ret->detail,
			   "no powerless ids for calls of root: %llu+%llu is not mapped here",
			   (unsigned long long)ids[0], (unsigned long long)ids[1]);
		buf_puts(&ret->fix, "Name ids that nobody uses and /proc/self/uid_map has:\n"
				    "  export AIRLOCK_UIDS=FIRST+COUNT\n");
		return;
	}
	buf_printf(&ret->detail, "root; here calls run under a powerless id from %llu on",
		   (unsigned long long)ids[0]);
}

void
doctor_caps(struct doctor *d, struct finding *ret)
{
	static const struct {
		cap_value_t value;
		const char *name;
	} needed[] = {
		{ CAP_SETUID, "SETUID" },
		{ CAP_SETGID, "SETGID" },
		{ CAP_SYS_ADMIN, "SYS_ADMIN" },
	};
	const char *program = d->around.container == AROUND_PODMAN ? "podman" : "docker";
	cap_t caps = cap_get_proc();
	char *text = caps != NULL ? cap_to_text(caps, NULL) : NULL;

	ret->status = d->is_root ? DOCTOR_OK : DOCTOR_INFO;
	if (text == NULL) {
		buf_printf(&ret->detail, "cannot be read: %s", strerror(errno));
	} else if (!d->is_root) {
		buf_printf(&ret->detail, "%s; none is needed",
			   strcmp(text, "=") == 0 ? "none" : text);
	} else {
		buf_printf(&ret->detail, "%s", text);
	}
	for (size_t i = 0; d->is_root && caps != NULL && i < ARRAY_LEN(needed); i++) {
		cap_flag_value_t set = CAP_CLEAR;

		if (cap_get_flag(caps, needed[i].value, CAP_EFFECTIVE, &set) == 0 &&
		    set == CAP_SET) {
			continue;
		}
		ret->status = DOCTOR_MISSING;
		buf_printf(&ret->fix,
			   "root lacks CAP_%s: start airlock as a plain user, who needs none; or "
			   "in a container:\n  %s run --cap-add %s ...\n",
			   needed[i].name, program, needed[i].name);
	}
	cap_free(text);
	cap_free(caps);
}

void
doctor_proc(struct doctor *d, struct finding *ret)
{
	struct statfs fs;

	(void)d;
	if (statfs("/proc", &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
	    access("/proc/self/mountinfo", R_OK) == 0) {
		buf_puts(&ret->detail, "mounted");
		return;
	}
	ret->status = DOCTOR_MISSING;
	buf_puts(&ret->detail, "/proc is not a procfs that shows this process");
	buf_puts(&ret->fix, "  sudo mount -t proc proc /proc\n");
}

static int
act_openat2(const struct doctor *d, struct buf *ret_text)
{
	auto_fd root = sys_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0,
				   SYS_RESOLVE_NO_MAGICLINKS | SYS_RESOLVE_NO_SYMLINKS);
	auto_fd inside = root < 0 ? root
				  : sys_openat2(root, "proc/self", O_PATH | O_DIRECTORY, 0,
						SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
	auto_fd magic = -1;

	(void)d;
	if (inside < 0) {
		buf_puts(ret_text, "openat2");
		return inside;
	}
	magic = sys_openat2(root, "proc/self/root", O_PATH, 0, SYS_RESOLVE_NO_MAGICLINKS);
	if (magic != -ELOOP) {
		buf_puts(ret_text, "openat2 follows a magic link that it must refuse");
		return -EIO;
	}
	return 0;
}

/* Both in a child: an outer filter may kill. */
static void
simple(struct doctor *d, struct finding *ret, const char *call, const char *fine,
       int (*act)(const struct doctor *d, struct buf *ret_text))
{
	auto_buf text = BUF_INIT;
	int rc = doctor_try(d, 0, act, &text);

	if (rc == 0) {
		buf_puts(&ret->detail, fine);
		return;
	}
	ret->status = DOCTOR_MISSING;
	buf_printf(&ret->detail, "%s%s%s", buf_text(&text), rc == -ECHILD ? "" : ": ",
		   rc == -ECHILD ? "" : strerror(-rc));
	doctor_fix_filter(d, ret, call);
}

void
doctor_openat2(struct doctor *d, struct finding *ret)
{
	simple(d, ret, "openat2", "no link steers it", act_openat2);
}

static int
act_clone3(const struct doctor *d, struct buf *ret_text)
{
	int pidfd = -1, status, waited;
	pid_t pid = sys_clone3(0, -1, &pidfd);

	(void)d;
	if (pid == 0) {
		_exit(7);
	}
	if (pid < 0) {
		buf_puts(ret_text, "clone3");
		return pid;
	}
	waited = sys_wait(pid, &status);
	close(pidfd);
	if (waited < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 7) {
		buf_puts(ret_text, "the child of clone3 did not run");
		return -EIO;
	}
	return 0;
}

void
doctor_clone3(struct doctor *d, struct finding *ret)
{
	simple(d, ret, "clone3", "with a pidfd", act_clone3);
}

/* ---- profile --------------------------------------------------------------------------------- */

/* Puts allow_degraded as a number and the file's path, or the reason. */
static int
act_profile(const struct doctor *d, struct buf *ret_text)
{
	const struct profile_request request = profile_request_of(d->profile, d->places.shipped);
	auto_loaded loaded = { .profile = NULL };
	auto_filters filters = { .tool.insns = NULL };
	auto_buf report = BUF_INIT;
	struct err err = ERR_INIT;
	int rc;

	rc = profile_load(&request, &loaded, &report, &err);
	if (rc == 0) {
		rc = profile_filters_make(loaded.profile, &filters, &err);
	}
	if (rc == 0) {
		buf_printf(ret_text, "%u %s", loaded.profile->allow_degraded,
			   loaded.profile->source);
	} else {
		buf_puts(ret_text, err.text);
	}
	return rc;
}

void
doctor_profile(struct doctor *d, struct finding *ret)
{
	auto_buf text = BUF_INIT;
	int rc = doctor_try(d, TRY_AS_OWNER, act_profile, &text);
	char *path;

	if (rc == 0) {
		d->allow_degraded = (uint32_t)strtoul(buf_text(&text), &path, 10);
		d->profile_known = true;
		buf_printf(&ret->detail, "%s, from%s", d->profile, path);
		return;
	}
	ret->status = DOCTOR_MISSING;
	buf_printf(&ret->detail, "%s", text.len > 0 ? buf_text(&text) : strerror(-rc));
	if (rc == -ENOENT) {
		buf_printf(&ret->fix, "Profiles that came with airlock are in\n  %s\n",
			   d->places.shipped);
	} else {
		buf_puts(&ret->fix, "Correct the profile; this shows every error with its line:\n");
		buf_printf(&ret->fix, "  airlock profile check %s\n", d->profile);
	}
}

/* ---- cgroups --------------------------------------------------------------------------------- */

/* v2 may want a scope of systemd's first; the child goes into it and ends with it. */
static int
act_scope(const struct doctor *d, struct buf *ret_text)
{
	struct cgroup_site site;
	struct err err = ERR_INIT;
	int rc = cgroup_scope_start(getpid(), d->is_root, &err);

	if (rc == 0) {
		rc = cgroup_scope_enter(&site, &err);
	}
	if (rc < 0) {
		buf_puts(ret_text, err.text);
		return rc;
	}
	cgroup_site_encode(&site, ret_text);
	cgroup_site_finish(&site);
	return 0;
}

static void
try_scope(struct doctor *d)
{
	auto_buf bytes = BUF_INIT;
	struct cgroup_site better;
	struct err err = ERR_INIT;
	char *why;
	int rc;

	/*
	 * Alone in a delegated group the front goes into a leaf of it; so does this process, which
	 * then ends.
	 */
	if (cgroup_scope_ready()) {
		rc = cgroup_scope_enter(&better, &err);
		buf_puts(&bytes, err.text);
	} else {
		rc = doctor_try(d, 0, act_scope, &bytes);
		if (rc == 0) {
			rc = cgroup_site_decode(bytes.data, bytes.len, &better);
		}
	}
	if (rc == 0) {
		cgroup_site_finish(&d->site);
		d->site = better;
	} else if (asprintf(&why, "%s; %s", d->site.why, buf_text(&bytes)) >= 0) {
		free(d->site.why);
		d->site.why = why;
	}
}

static void
cgroup_layer(struct doctor *d, struct finding *ret, uint32_t bit, enum cgroup_ctl ctl)
{
	struct err err = ERR_INIT;

	if (!d->site_known) {
		d->site_known = true;
		d->site_code = cgroup_discover(&d->site, &err);
		if (d->site_code == 0 && d->site.version == CGROUP_V2 && d->site.missing != 0) {
			try_scope(d);
		}
	}
	if (d->site_code < 0) {
		ret->status = DOCTOR_MISSING;
		buf_printf(&ret->detail, "%s",
			   err.text[0] != '\0' ? err.text : strerror(-d->site_code));
		return;
	}
	if ((d->site.missing & bit) == 0) {
		const char *parent = d->site.version == CGROUP_V2 ? d->site.parent[CTL_MEMORY]
								  : d->site.parent[ctl];

		buf_printf(&ret->detail, "cgroup v%d, below %s",
			   d->site.version == CGROUP_V2 ? 2 : 1, parent);
		return;
	}
	ret->status = DOCTOR_MISSING;
	buf_puts(&ret->detail, "no group with this limit can be made here");
	/* One sentence for all that is missing: it stands where it is met first. */
	if ((d->site.missing & (bit - 1) & DEGRADE_CGROUP) == 0) {
		buf_printf(&ret->fix, "%s\n", d->site.why);
	} else {
		buf_puts(&ret->fix, "As for the cgroup layer above.\n");
	}
}

void
doctor_memory(struct doctor *d, struct finding *ret)
{
	cgroup_layer(d, ret, DEGRADE_CGROUP_MEMORY, CTL_MEMORY);
}

void
doctor_pids(struct doctor *d, struct finding *ret)
{
	cgroup_layer(d, ret, DEGRADE_CGROUP_PIDS, CTL_PIDS);
}

void
doctor_cpu(struct doctor *d, struct finding *ret)
{
	cgroup_layer(d, ret, DEGRADE_CGROUP_CPU, CTL_CPU);
}

/* ---- state directory ------------------------------------------------------------------------- */

/* Puts the free bytes, the quota and what of it is used as numbers, and the path; or the reason. */
static int
act_state(const struct doctor *d, struct buf *ret_text)
{
	auto_free char *path = NULL;
	auto_store store = STORE_INIT;
	struct err err = ERR_INIT;
	struct statvfs fs = { 0 };
	struct quota quota = { 0 };
	int rc = store_path(getenv("AIRLOCK_STATE"), getenv("XDG_STATE_HOME"), places_home(), &path,
			    &err);

	(void)d;
	if (rc == 0) {
		rc = store_open_write(path, &store, &err);
	}
	if (rc == 0 && fstatvfs(store.dir_fd, &fs) < 0) {
		rc = err_sys(&err, -errno, "%s", path);
	}
	rc = rc < 0 ? rc : quota_read(&store, &quota, &err);
	if (rc == 0) {
		buf_printf(ret_text, "%llu %llu %llu %s",
			   (unsigned long long)fs.f_bavail * fs.f_frsize,
			   (unsigned long long)quota.limit_bytes,
			   (unsigned long long)quota.used_bytes, path);
	} else {
		buf_puts(ret_text, err.text);
	}
	return rc;
}

static void
put_quota(struct finding *ret, const struct quota *q)
{
	unsigned int percent = quota_percent(q);

	buf_puts(&ret->detail, ", quota ");
	view_size(&ret->detail, q->limit_bytes);
	buf_printf(&ret->detail, ", %u %% used", percent);
	if (percent >= QUOTA_WARN_PERCENT) {
		ret->status = DOCTOR_INFO;
		buf_puts(&ret->detail, percent >= 100 ? ": no call begins" : "");
		buf_puts(&ret->fix, "Make room, or raise the quota:\n"
				    "  airlock gc --older-than 30d\n"
				    "  airlock gc --quota SIZE\n");
	}
}

/* No call without sealed items needs it: none is said to be missing for that. */
void
doctor_age(struct doctor *d, struct finding *ret)
{
	static const char *const programs[] = { SEALED_AGE, SEALED_KEYGEN };

	(void)d;
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		if (access(programs[i], X_OK) < 0) {
			ret->status = DOCTOR_INFO;
			buf_printf(&ret->detail,
				   "%s: %s; sealed credentials cannot be made or opened: apt-get "
				   "install age",
				   programs[i], strerror(errno));
			return;
		}
	}
	buf_printf(&ret->detail, "%s, %s", programs[0], programs[1]);
}

void
doctor_state(struct doctor *d, struct finding *ret)
{
	auto_buf text = BUF_INIT;
	int rc = doctor_try(d, TRY_AS_OWNER, act_state, &text);
	struct quota quota = { 0 };
	unsigned long long room;
	char *path;

	if (rc < 0) {
		ret->status = DOCTOR_MISSING;
		buf_printf(&ret->detail, "%s", text.len > 0 ? buf_text(&text) : strerror(-rc));
		buf_puts(&ret->fix, "Name a directory that this user owns, with room in it:\n"
				    "  export AIRLOCK_STATE=/absolute/path\n");
		return;
	}
	room = strtoull(buf_text(&text), &path, 10);
	quota.limit_bytes = strtoull(path, &path, 10);
	quota.used_bytes = strtoull(path, &path, 10);
	buf_printf(&ret->detail, "%s, ", path + 1);
	view_size(&ret->detail, room);
	buf_puts(&ret->detail, " free");
	if (quota.limit_bytes > 0) {
		put_quota(ret, &quota);
	}
	if (room < LOW_ROOM_BYTES) {
		ret->status = DOCTOR_INFO;
		buf_puts(&ret->detail,
			 ", which is little: a full disk ends calls without a commit");
	}
}
