/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner: where the overlay's upper directory is, in the call's tmpfs or on
 * disk, and who removes what a crash left of the latter.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/text.h"
#include "../snapshot/remove.h"
#include "../sys/sys.h"
#include "front.h"

#define TMPFS_XATTR_MAJOR 6
#define TMPFS_XATTR_MINOR 6

static bool
tmpfs_has_xattrs(void)
{
	struct utsname host;
	uint64_t version[2]; /* major, minor */

	return uname(&host) == 0 && text_numbers(host.release, '.', version, 2) != NULL &&
	       (version[0] > TMPFS_XATTR_MAJOR ||
		(version[0] == TMPFS_XATTR_MAJOR && version[1] >= TMPFS_XATTR_MINOR));
}

/* The state directory is root's alone: the powerless id gets what is in it as a mount. */
static int
hand_to_range(struct front *f)
{
	const struct identity *id = &f->req.identity;

	if (fchown(f->upper_parent_fd, id->uid_outside, id->gid_outside) < 0) {
		return err_sys(&f->err, -errno, "hand the upper directory to uid %u",
			       id->uid_outside);
	}
	f->upper_clone = sys_open_tree(f->upper_parent_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	f->req.upper_clone = f->upper_clone >= 0;
	return f->upper_clone < 0 ? err_sys(&f->err, f->upper_clone, "clone the upper directory")
				  : 0;
}

int
front_scratch(struct front *f, const char *name)
{
	if (f->scratch_parent_fd < 0) {
		f->scratch_parent_fd = store_scratch_open(&f->store, &f->err);
	}
	return f->scratch_parent_fd < 0
		       ? f->scratch_parent_fd
		       : store_scratch_make(&f->store, f->scratch_parent_fd, name, &f->err);
}

static int
upper_on_disk(struct front *f)
{
	struct request *r = &f->req;
	struct stat st;
	int rc = 0;

	f->upper_parent_fd = front_scratch(f, r->call_text);
	if (f->upper_parent_fd < 0) {
		return f->upper_parent_fd;
	}
	if (fstat(f->upper_parent_fd, &st) < 0) {
		return err_sys(&f->err, -errno, "open %s/scratch/%s", f->store.path, r->call_text);
	}
	if (r->identity.kind == IDENTITY_RANGE) {
		rc = hand_to_range(f);
	}
	r->upper_dir = arena_printf(&f->arena, "%s/scratch/%s", f->store.path, r->call_text);
	r->upper_dev = st.st_dev;
	r->upper_ino = st.st_ino;
	return r->upper_dir == NULL ? err_set(&f->err, -ENOMEM, "out of memory") : rc;
}

/*
 * The call's tmpfs counts against its memory group, and without one against the host: half of the
 * host's memory is what a call may have of it. A larger disk limit, or a tmpfs without user xattrs,
 * takes the disk for the upper.
 */
int
front_upper(struct front *f)
{
	struct request *r = &f->req;
	struct sysinfo info;
	uint64_t budget;

	r->upper_dir = "";
	if (sysinfo(&info) < 0) {
		return err_sys(&f->err, -errno, "sysinfo");
	}
	budget = (uint64_t)info.totalram * info.mem_unit / 2;
	f->shmem_bytes = r->limits.disk_bytes < budget ? r->limits.disk_bytes : budget;
	if (r->mode == MODE_OBSERVE && f->profile->observe_writes == OBSERVE_REFUSE) {
		return 0;
	}
	return r->limits.disk_bytes > budget || !tmpfs_has_xattrs() ? upper_on_disk(f) : 0;
}

/* Removes directories of calls that are no more. One openat when there never was one. */
void
front_sweep_upper(struct front *f)
{
	int fd =
		openat(f->store.dir_fd, "scratch", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL) {
		cleanup_fd(&fd);
		return;
	}
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		auto_fd call = -1;

		if (e->d_name[0] == '.') {
			continue;
		}
		call = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (call >= 0 && store_scratch_take(fd, e->d_name, call)) {
			ignore_err(remove_tree(fd, e->d_name), "the next sweep tries again");
		}
	}
	closedir(dir);
}
