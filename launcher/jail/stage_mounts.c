/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in PID 1 with capabilities over its own mount namespace. Walks the plan's rows in order, one
 * function per kind; then pivots. Host paths are opened from a descriptor of the host's root; the
 * plan names them without links, and a link that is there now was not planned. Paths inside are
 * resolved within the new root without following any link (openat2(2)).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../sys/sys.h"
#include "jail.h"

#define COPY_STEP (1u << 20)
#define INSIDE (SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS)

int
jail_open_host(struct jail *j, const char *source, int flags)
{
	return sys_openat2(j->host_root, source + strspn(source, "/"), (uint64_t)flags, 0,
			   SYS_RESOLVE_NO_MAGICLINKS | SYS_RESOLVE_NO_SYMLINKS);
}

int
jail_open_inside(struct jail *j, const char *target, int flags)
{
	return sys_openat2(j->root, target, (uint64_t)flags, 0, INSIDE);
}

int
jail_check_inode(struct jail *j, int fd, const struct plan_mount *m)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	return st.st_dev == m->device && st.st_ino == m->inode
		       ? 0
		       : err_set(&j->err, -ESTALE, "it was replaced while the call started");
}

int
jail_clone(int fd, uint64_t attrs)
{
	auto_fd mount = sys_open_tree(fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	int rc = mount < 0 ? mount : sys_mount_setattr(mount, 0, attrs, 0, 0, -1);

	return rc < 0 ? rc : take_fd(&mount);
}

int
jail_make_dirs(struct jail *j, const char *target, mode_t mode)
{
	auto_free char *copy = strdup(target);
	char *save = NULL;
	auto_fd at = -1;

	if (copy == NULL) {
		return -ENOMEM;
	}
	at = jail_open_inside(j, "/", O_PATH | O_DIRECTORY);
	for (char *name = strtok_r(copy, "/", &save); at >= 0 && name != NULL;
	     name = strtok_r(NULL, "/", &save)) {
		auto_fd next = -1;

		if (mkdirat(at, name, mode) < 0 && errno != EEXIST && errno != EROFS) {
			return -errno;
		}
		next = sys_openat2(at, name, O_PATH | O_DIRECTORY, 0,
				   SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS);
		if (next < 0) {
			return next;
		}
		close(at);
		at = take_fd(&next);
	}
	return take_fd(&at);
}

/* Rows come sorted, so most share their parent with the row before; it is opened once. */
int
jail_make_parent(struct jail *j, const char *target, const char **ret_name)
{
	const char *slash = strrchr(target, '/');
	size_t len = slash != NULL ? (size_t)(slash - target) : 0;
	char path[sizeof(j->parent_path)];

	if (slash == NULL || slash[1] == '\0') {
		return -EINVAL;
	}
	*ret_name = slash + 1;
	if (len >= sizeof(path)) {
		auto_free char *parent = strndup(target, len);

		return parent == NULL ? -ENOMEM : jail_make_dirs(j, parent, 0755);
	}
	memcpy(path, target, len);
	path[len] = '\0';
	if (j->parent < 0 || strcmp(path, j->parent_path) != 0) {
		int fd = jail_make_dirs(j, path, 0755);

		if (fd < 0) {
			return fd;
		}
		cleanup_fd(&j->parent);
		j->parent = fd;
		memcpy(j->parent_path, path, len + 1);
	}
	return fcntl(j->parent, F_DUPFD_CLOEXEC, 0);
}

/* What is mounted on or above the kept parent hides it. */
static void
forget_parent(struct jail *j, const char *target)
{
	size_t len = strlen(target);

	if (j->parent >= 0 && strncmp(target, j->parent_path, len) == 0) {
		cleanup_fd(&j->parent);
		j->parent = -1;
	}
}

int
jail_attach(struct jail *j, int mount_fd, const char *target, mode_t mode, int is_dir)
{
	const char *name;
	auto_fd at = -1;
	auto_fd parent = -1;
	auto_fd file = -1;

	parent = jail_make_parent(j, target, &name);
	if (parent < 0) {
		return parent;
	}
	if (is_dir) {
		if (mkdirat(parent, name, mode) < 0 && errno != EEXIST && errno != EROFS) {
			return -errno;
		}
		at = sys_openat2(parent, name, O_PATH | O_DIRECTORY, 0,
				 SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS);
		forget_parent(j, target);
		return at < 0 ? at : sys_move_mount(mount_fd, at, "");
	}
	file = openat(parent, name, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0444);
	if (file < 0 && errno != EROFS) {
		return -errno;
	}
	at = sys_openat2(parent, name, O_PATH, 0, SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_BENEATH);
	return at < 0 ? at : sys_move_mount(mount_fd, at, "");
}

static int
mount_dir(struct jail *j, const struct plan_mount *m)
{
	auto_fd fd = jail_make_dirs(j, m->target, m->mode);

	return fd < 0 ? fd : 0;
}

static int
mount_symlink(struct jail *j, const struct plan_mount *m)
{
	const char *name;
	auto_fd parent = jail_make_parent(j, m->target, &name);

	if (parent < 0) {
		return parent;
	}
	return symlinkat(m->source, parent, name) < 0 ? -errno : 0;
}

static int
create_inside(struct jail *j, const struct plan_mount *m)
{
	const char *name;
	auto_fd parent = jail_make_parent(j, m->target, &name);
	int file;

	if (parent < 0) {
		return parent;
	}
	file = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, m->mode);
	return file < 0 ? -errno : file;
}

static int
mount_file(struct jail *j, const struct plan_mount *m)
{
	auto_fd file = create_inside(j, m);

	return file < 0 ? file : fdio_write(file, m->data, m->data_len);
}

static int
mount_copy(struct jail *j, const struct plan_mount *m)
{
	struct stat st;
	auto_fd source = jail_open_host(j, m->source, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	auto_fd file = source < 0 ? source : create_inside(j, m);
	ssize_t n;

	if (file < 0 || fstat(source, &st) < 0) {
		return file < 0 ? file : -errno;
	}
	if (!S_ISREG(st.st_mode)) {
		return err_set(&j->err, -EINVAL, "not a regular file any more");
	}
	do {
		n = sendfile(file, source, NULL, COPY_STEP);
	} while (n > 0);
	return n < 0 ? -errno : 0;
}

static int (*const kinds[])(struct jail *j, const struct plan_mount *m) = {
	[MOUNT_DIR] = mount_dir,
	[MOUNT_SYMLINK] = mount_symlink,
	[MOUNT_FILE] = mount_file,
	[MOUNT_COPY] = mount_copy,
	[MOUNT_TREE] = mount_tree,
	[MOUNT_PART] = mount_part,
	[MOUNT_LAYER] = mount_layer,
	[MOUNT_SCRATCH] = mount_scratch,
	[MOUNT_PROC] = mount_proc,
	[MOUNT_NODE] = mount_node,
	[MOUNT_PTS] = mount_pts,
	[MOUNT_WORKSPACE] = mount_workspace,
	[MOUNT_MASK_FILE] = mount_mask_file,
	[MOUNT_MASK_DIR] = mount_mask_dir,
	[MOUNT_HIDDEN] = mount_hidden,
	[MOUNT_CREDENTIALS] = mount_credentials,
	[MOUNT_BIND] = mount_bind,
	[MOUNT_CACHE] = mount_bind,
	[MOUNT_READONLY] = mount_readonly,
};

_Static_assert(ARRAY_LEN(kinds) == MOUNT__COUNT, "every kind has its function");

static int
new_tmpfs(struct jail *j, uint64_t bytes, uint64_t inodes, const char *mode)
{
	char text[32];
	auto_fd fs = sys_fsopen("tmpfs");
	int rc = fs < 0 ? fs : 0;

	if (rc == 0) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
		rc = sys_fsconfig_string(fs, "size", text);
	}
	if (rc == 0) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)inodes);
		rc = sys_fsconfig_string(fs, "nr_inodes", text);
	}
	if (rc == 0) {
		rc = sys_fsconfig_string(fs, "mode", mode);
	}
	if (rc == 0) {
		rc = sys_fsconfig_create(fs);
	}
	if (rc < 0) {
		return jail_context_error(j, fs, rc, "tmpfs");
	}
	return sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* The new root stands on top of the host's "/", where every host has a directory. */
static int
prepare_root(struct jail *j)
{
	auto_fd root = -1;
	auto_fd scratch = -1;
	auto_fd staged = -1;
	int rc;

	j->host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (j->host_root < 0) {
		return err_sys(&j->err, -errno, "open /");
	}
	rc = sys_mount_setattr(j->host_root, 1, 0, 0, MS_PRIVATE, -1);
	if (rc < 0) {
		return err_sys(&j->err, rc, "make the host's mounts private here");
	}
	root = new_tmpfs(j, j->plan->root_bytes, 8192, "0755");
	rc = root < 0 ? root : sys_move_mount(root, AT_FDCWD, "/");
	if (rc < 0) {
		return err_sys(&j->err, rc, "root tmpfs");
	}
	j->root = take_fd(&root);
	if (fchdir(j->root) < 0) {
		return err_sys(&j->err, -errno, "enter the root tmpfs");
	}
	staged = jail_make_dirs(j, "/" STAGING "/scratch", 0755);
	scratch = new_tmpfs(j, j->plan->scratch_bytes, j->plan->scratch_inodes, "0755");
	rc = scratch < 0 ? scratch : sys_move_mount(scratch, staged, "");
	if (rc < 0) {
		return err_sys(&j->err, rc, "the call's tmpfs");
	}
	j->scratch = jail_open_inside(j, "/" STAGING "/scratch", O_RDONLY | O_DIRECTORY);
	/*
	 * It lives as long as the overlays that have it as a lower: one that was removed ends every
	 * listing of their root.
	 */
	j->empty =
		j->scratch < 0 ? j->scratch : jail_make_dirs(j, "/" STAGING "/scratch/empty", 0555);
	return j->empty < 0 ? err_sys(&j->err, j->empty, "open the call's tmpfs") : 0;
}

static int
leave_staging(struct jail *j)
{
	static const char *const mounted[] = { STAGING "/layer", STAGING "/lower", STAGING "/disk",
					       STAGING "/draft", STAGING "/scratch" };

	for (size_t i = 0; i < ARRAY_LEN(mounted); i++) {
		int rc = sys_umount_detach(mounted[i]);

		/* Not every plan has each of them. */
		if (rc < 0 && rc != -EINVAL && rc != -ENOENT) {
			return err_sys(&j->err, rc, "detach %s", mounted[i]);
		}
		if (unlinkat(j->root, mounted[i], AT_REMOVEDIR) < 0 && errno != ENOENT) {
			return err_sys(&j->err, -errno, "remove %s", mounted[i]);
		}
	}
	if (unlinkat(j->root, STAGING, AT_REMOVEDIR) < 0) {
		return err_sys(&j->err, -errno, "remove the staging directory");
	}
	return 0;
}

static int
pivot(struct jail *j)
{
	int rc = sys_mount_setattr(j->root, 0, MOUNT_ATTR_RDONLY, 0, 0, -1);

	if (rc < 0) {
		return err_sys(&j->err, rc, "make the root read-only");
	}
	rc = sys_pivot_root_here();
	if (rc < 0) {
		return err_sys(&j->err, rc, "pivot_root%s",
			       rc == -EINVAL ? " (an initramfs as root cannot be pivoted)" : "");
	}
	rc = sys_umount_detach(".");
	if (rc < 0) {
		return err_sys(&j->err, rc, "detach the host's root");
	}
	close(j->host_root);
	j->host_root = -1;
	if (chdir("/") < 0 || chdir(j->plan->cwd) < 0) {
		return err_sys(&j->err, -errno, "working directory %s", j->plan->cwd);
	}
	return 0;
}

static int
hand_over(struct jail *j)
{
	const uint8_t message = JAIL_MOUNTED;
	const int fds[] = { j->scratch, j->proc, j->upper, j->below };
	size_t count = j->upper < 0 ? 2 : j->below < 0 ? 3 : 4;
	int rc = sys_send_message(j->channel, &message, 1, fds, count);

	cleanup_fd(&j->below);
	j->below = -1;
	return rc < 0 ? err_sys(&j->err, rc, "hand the tmpfs to the supervisor") : 0;
}

int
stage_mounts(struct jail *j)
{
	int rc = prepare_root(j);

	for (size_t i = 0; rc == 0 && i < j->plan->mount_count; i++) {
		const struct plan_mount *m = &j->plan->mounts[i];

		rc = kinds[m->kind](j, m);
		if (rc < 0) {
			if (j->err.code == 0) {
				err_sys(&j->err, rc, "cannot be made");
			}
			err_prefix(&j->err, "%s %s", plan_mount_kind_name(m->kind), m->target);
		}
	}
	cleanup_fd(&j->parent);
	j->parent = -1;
	if (rc == 0) {
		rc = leave_staging(j);
	}
	if (rc == 0) {
		rc = pivot(j);
	}
	return rc < 0 ? rc : hand_over(j);
}
