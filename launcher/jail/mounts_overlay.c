/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in PID 1: everything that is an overlay, and the call's own tmpfs below it. An overlay and
 * not a bind, also where nothing is written: locks, leases and inotify watches do not cross it.
 * Directories are named to overlayfs as /proc/self/fd/N: no path of the workspace's is parsed by
 * its option parser (colons, commas, 256 bytes), and what was opened and compared is what is
 * mounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../sys/sys.h"
#include "jail.h"

/* What an overlay lies over, the topmost first. Owned by who fills it. */
#define LOWERS_MAX 66 /* a draft (LAYERS_MAX), the workspace, the empty directory */
struct lowers {
	int fds[LOWERS_MAX];
	size_t count;
};

int
jail_context_error(struct jail *j, int fs_fd, int code, const char *what)
{
	char words[256] = "";

	if (fs_fd >= 0) {
		sys_fscontext_message(fs_fd, words, sizeof(words));
	}
	return err_sys(&j->err, code, "%s%s%s%s", what, words[0] != '\0' ? " (" : "", words,
		       words[0] != '\0' ? ")" : "");
}

unsigned int
jail_mount_attrs(const struct plan_mount *m)
{
	return MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
	       ((m->flags & MOUNT_WRITABLE) != 0 ? 0 : MOUNT_ATTR_RDONLY) |
	       ((m->flags & MOUNT_NOEXEC) != 0 ? MOUNT_ATTR_NOEXEC : 0);
}

static int
set_fd_option(int fs, const char *key, int fd)
{
	char text[32];

	snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
	return sys_fsconfig_string(fs, key, text);
}

/*
 * The kernel takes 255 bytes for all of them, so they are named from within /proc/self/fd; the
 * topmost comes first.
 */
static int
set_lowers(int fs, const struct lowers *l)
{
	char text[256];
	size_t len = 0;

	for (size_t i = 0; i < l->count && len < sizeof(text); i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", i > 0 ? ":" : "",
					l->fds[i]);
	}
	return len >= sizeof(text) ? -E2BIG : sys_fsconfig_string(fs, "lowerdir", text);
}

/* upper_fd -1: read-only; then overlayfs wants two lowers at least. */
static int
configure(int fs, const struct lowers *lowers, int upper_fd, int work_fd)
{
	int rc = sys_fsconfig_string(fs, "source", "airlock");

	rc = rc < 0 ? rc : set_lowers(fs, lowers);
	if (rc == 0 && upper_fd >= 0) {
		rc = set_fd_option(fs, "upperdir", upper_fd);
	}
	if (rc == 0 && upper_fd >= 0) {
		rc = set_fd_option(fs, "workdir", work_fd);
	}
	if (rc == 0) {
		rc = sys_fsconfig_flag(fs, "userxattr");
	}
	if (rc == 0 && upper_fd >= 0) {
		rc = sys_fsconfig_flag(fs, "volatile");
	}
	return rc < 0 ? rc : sys_fsconfig_create(fs);
}

static int
overlay(struct jail *j, const struct lowers *lowers, int upper_fd, int work_fd, unsigned int attrs)
{
	auto_fd fs = sys_fsopen("overlay");
	/* before Linux 6.5 the names are looked up when all is made, and not when they are said */
	int rc = fs < 0 ? fs : chdir("/proc/self/fd") < 0 ? -errno : 0;

	rc = rc < 0 ? rc : configure(fs, lowers, upper_fd, work_fd);
	if (fchdir(j->root) < 0 && rc == 0) {
		rc = -errno;
	}
	if (rc < 0) {
		return jail_context_error(j, fs, rc, "overlay");
	}
	rc = sys_fsmount(fs, attrs);
	return rc < 0 ? err_sys(&j->err, rc, "mount the overlay") : rc;
}

int
jail_overlay_ro(struct jail *j, int lower_fd, const struct plan_mount *m)
{
	const struct lowers lowers = { .fds = { lower_fd, j->empty }, .count = 2 };

	return overlay(j, &lowers, -1, -1, jail_mount_attrs(m));
}

int
mount_tree(struct jail *j, const struct plan_mount *m)
{
	auto_fd lower = jail_open_host(j, m->source, O_PATH | O_DIRECTORY);
	auto_fd mount = -1;
	int rc = lower < 0 ? lower : m->inode != 0 ? jail_check_inode(j, lower, m) : 0;

	if (rc < 0) {
		return rc;
	}
	mount = jail_overlay_ro(j, lower, m);
	return mount < 0 ? mount : jail_attach(j, mount, m->target, 0755, 1);
}

int
mount_layer(struct jail *j, const struct plan_mount *m)
{
	auto_fd lower = jail_open_host(j, m->source, O_PATH | O_DIRECTORY);
	auto_fd mount = lower < 0 ? lower : jail_overlay_ro(j, lower, m);
	int rc;

	if (mount < 0) {
		return mount;
	}
	if (j->layer >= 0) {
		close(j->layer);
		j->layer = -1;
		rc = sys_umount_detach(STAGING "/layer");
		if (rc < 0) {
			return rc;
		}
	}
	rc = jail_attach(j, mount, "/" STAGING "/layer", 0755, 1);
	if (rc < 0) {
		return rc;
	}
	j->layer_attrs = jail_mount_attrs(m);
	j->layer = jail_open_inside(j, "/" STAGING "/layer", O_PATH | O_DIRECTORY);
	return j->layer < 0 ? j->layer : 0;
}

int
mount_part(struct jail *j, const struct plan_mount *m)
{
	struct stat st;
	auto_fd inside = sys_openat2(j->layer, m->source, O_PATH, 0,
				     SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS);
	auto_fd mount = -1;
	int rc;

	if (inside < 0 || fstat(inside, &st) < 0) {
		return inside < 0 ? inside : -errno;
	}
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) {
		return err_set(&j->err, -EINVAL, "neither a directory nor a regular file any more");
	}
	mount = sys_open_tree(inside, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	rc = mount < 0 ? mount : 0;
	if (rc == 0 && jail_mount_attrs(m) != j->layer_attrs) {
		rc = sys_mount_setattr(mount, 0, jail_mount_attrs(m), 0, 0, -1);
	}
	return rc < 0 ? rc : jail_attach(j, mount, m->target, 0755, S_ISDIR(st.st_mode));
}

int
mount_scratch(struct jail *j, const struct plan_mount *m)
{
	auto_fd dir = -1;
	auto_fd mount = -1;

	if (mkdirat(j->scratch, m->source, 0700) < 0) {
		return -errno;
	}
	dir = openat(j->scratch, m->source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fchmod(dir, m->mode) < 0) {
		return -errno;
	}
	mount = jail_clone(dir, jail_mount_attrs(m));
	return mount < 0 ? mount : jail_attach(j, mount, m->target, 0755, 1);
}

/*
 * Opened by the path of the plan or given as a detached clone; either way it is the inode that was
 * planned.
 */
static int
open_lower(struct jail *j)
{
	const struct plan *p = j->plan;
	struct stat st;
	auto_fd lower = -1;

	if ((p->flags & PLAN_WORKSPACE_FD) != 0) {
		int rc = jail_attach(j, JAIL_FD_WORKSPACE, "/" STAGING "/lower", 0755, 1);

		if (rc < 0) {
			return err_sys(&j->err, rc, "attach the workspace's clone");
		}
		lower = jail_open_inside(j, "/" STAGING "/lower", O_PATH | O_DIRECTORY);
	} else {
		lower = jail_open_host(j, p->lower_dir, O_PATH | O_DIRECTORY);
	}
	if (lower < 0 || fstat(lower, &st) < 0) {
		return err_sys(&j->err, lower < 0 ? lower : -errno, "open the workspace");
	}
	if (st.st_dev != p->lower_dev || st.st_ino != p->lower_ino) {
		return err_set(&j->err, -ESTALE,
			       "the workspace was replaced while the call started");
	}
	return take_fd(&lower);
}

/* The directory of the layers: by the path of the plan, or given as a detached clone. */
static int
open_draft(struct jail *j)
{
	const struct plan *p = j->plan;
	int rc;

	if ((p->flags & PLAN_DRAFT_FD) == 0) {
		return jail_open_host(j, p->draft_dir, O_PATH | O_DIRECTORY);
	}
	rc = jail_attach(j, JAIL_FD_DRAFT(p->flags), "/" STAGING "/draft", 0755, 1);
	return rc < 0 ? rc : jail_open_inside(j, "/" STAGING "/draft", O_PATH | O_DIRECTORY);
}

static int
open_layer(int draft, const struct plan_layer *layer)
{
	auto_fd dir = sys_openat2(draft, layer->name, O_PATH | O_DIRECTORY, 0,
				  SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_BENEATH);
	auto_fd upper = dir < 0 ? dir
				: sys_openat2(dir, "upper", O_PATH | O_DIRECTORY, 0,
					      SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_BENEATH);
	struct stat st;

	if (upper < 0 || fstat(upper, &st) < 0) {
		return upper < 0 ? upper : -errno;
	}
	return st.st_dev == layer->dev && st.st_ino == layer->ino ? take_fd(&upper) : -ESTALE;
}

static void
lowers_finish(struct lowers *l)
{
	while (l->count > 0) {
		close(l->fds[--l->count]);
	}
}

/* The layers, newest first, and the workspace below them. */
static int
open_lowers(struct jail *j, struct lowers *ret)
{
	const struct plan *p = j->plan;
	auto_fd draft = p->layer_count > 0 ? open_draft(j) : -1;
	int fd;

	if (p->layer_count > LOWERS_MAX - 2 || (p->layer_count > 0 && draft < 0)) {
		return err_sys(&j->err, draft < 0 ? draft : -E2BIG, "open the draft %s",
			       p->draft_dir);
	}
	for (size_t i = p->layer_count; i > 0; i--) {
		fd = open_layer(draft, &p->layers[i - 1]);
		if (fd < 0) {
			return err_sys(&j->err, fd, "open the held change set %s",
				       p->layers[i - 1].name);
		}
		ret->fds[ret->count++] = fd;
	}
	fd = open_lower(j);
	if (fd >= 0) {
		ret->fds[ret->count++] = fd;
	}
	return fd < 0 ? fd : 0;
}

static int
clone_upper(struct jail *j)
{
	auto_fd dir = jail_open_host(j, j->plan->upper_dir, O_PATH | O_DIRECTORY);

	return dir < 0 ? dir : sys_open_tree(dir, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
}

/* The directory that holds `upper` and `work`: in the call's tmpfs, or on disk. */
static int
open_upper_parent(struct jail *j)
{
	const struct plan *p = j->plan;
	struct stat st;
	auto_fd dir = -1;
	auto_fd mount = -1;
	int rc;

	if (p->upper_dir[0] == '\0') {
		dir = fcntl(j->scratch, F_DUPFD_CLOEXEC, 0);
		return dir < 0 ? -errno : take_fd(&dir);
	}
	mount = (p->flags & PLAN_UPPER_FD) != 0 ? JAIL_FD_UPPER : clone_upper(j);
	rc = mount < 0
		   ? mount
		   : sys_mount_setattr(mount, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, 0, -1);
	if (rc == 0) {
		rc = jail_attach(j, mount, "/" STAGING "/disk", 0755, 1);
	}
	if (rc < 0) {
		return err_sys(&j->err, rc, "attach %s", p->upper_dir);
	}
	dir = jail_open_inside(j, "/" STAGING "/disk", O_RDONLY | O_DIRECTORY);
	if (dir < 0 || fstat(dir, &st) < 0) {
		return err_sys(&j->err, dir < 0 ? dir : -errno, "open %s", p->upper_dir);
	}
	if (st.st_dev != p->upper_dev || st.st_ino != p->upper_ino) {
		return err_set(&j->err, -ESTALE, "%s was replaced", p->upper_dir);
	}
	return take_fd(&dir);
}

static int
make_subdir(int parent, const char *name, mode_t mode)
{
	if (mkdirat(parent, name, mode) < 0 && errno != EEXIST) {
		return -errno;
	}
	return sys_openat2(parent, name, O_RDONLY | O_DIRECTORY, 0,
			   SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_BENEATH);
}

/* The upper and its work directory. */
static int
open_upper(struct jail *j, int lower_fd)
{
	auto_fd parent = open_upper_parent(j);
	auto_fd work = -1;
	struct stat st;

	if (parent < 0 || fstat(lower_fd, &st) < 0) {
		return parent < 0 ? parent : -errno;
	}
	j->upper = make_subdir(parent, "upper", 0755);
	work = make_subdir(parent, "work", 0700);
	/* The merged root shows the upper's mode. */
	if (j->upper < 0 || work < 0 || fchmod(j->upper, st.st_mode & 07777) < 0) {
		return err_sys(&j->err,
			       j->upper < 0 ? j->upper
			       : work < 0   ? work
					    : -errno,
			       "make the upper directory");
	}
	/* Without it overlayfs would mount all the same and lose opaque directories. */
	if (fsetxattr(j->upper, "user.overlay.airlock", "1", 1, 0) < 0 ||
	    fremovexattr(j->upper, "user.overlay.airlock") < 0) {
		return err_sys(&j->err, -errno,
			       "the upper directory's file system has no user xattrs");
	}
	return take_fd(&work);
}

static int
make_workspace(struct jail *j, const struct plan_mount *m, struct lowers *lowers)
{
	auto_fd work = -1;
	auto_fd mount = -1;

	if ((j->plan->flags & PLAN_WORKSPACE_RO) == 0) {
		work = open_upper(j, lowers->fds[lowers->count - 1]);
		if (work < 0) {
			return work;
		}
		/* What the changes are compared with afterwards: the same without an upper. */
		if (lowers->count > 1) {
			j->below =
				overlay(j, lowers, -1, -1, jail_mount_attrs(m) | MOUNT_ATTR_RDONLY);
			if (j->below < 0) {
				return j->below;
			}
		}
	} else if (lowers->count == 1) {
		lowers->fds[lowers->count++] = fcntl(j->empty, F_DUPFD_CLOEXEC, 0);
	}
	mount = overlay(j, lowers, j->upper, work, jail_mount_attrs(m));
	return mount < 0 ? mount : jail_attach(j, mount, m->target, 0755, 1);
}

int
mount_workspace(struct jail *j, const struct plan_mount *m)
{
	struct lowers lowers = { .count = 0 };
	int rc = open_lowers(j, &lowers);

	rc = rc < 0 ? rc : make_workspace(j, m, &lowers);
	lowers_finish(&lowers);
	return rc;
}
