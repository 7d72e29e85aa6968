/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: the files of --result and --receipt. Opened as the caller, perhaps root, before
 * anything is decided. One where the tool may write is refused: we would write into the file that
 * we have open, and whoever reads the name reads the tool's. A directory has as many names as it
 * has mounts, so what is compared is not its path alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/mountinfo.h"
#include "../sys/sys.h"
#include "front.h"

#define LEVELS_MAX (PATH_MAX / 2)

/* The same thing by three names: as the kernel names it, by its inode, and in its file system. */
struct place {
	const char *path;
	struct inode_id id;
	const char *inside; /* its path in the file system that is mounted there; NULL: not known */
	uint64_t device;    /* of that, as mountinfo has it */
};

struct answer_option {
	const char *name, *given;
	int *fd;
};

static struct answer_option
option_of(struct front *f, enum answer which)
{
	struct front_options *o = &f->opt;

	return which == ANSWER_RESULT
		     ? (struct answer_option){ "--result", o->result, &o->result_fd }
		     : (struct answer_option){ "--receipt", o->receipt, &o->receipt_fd };
}

static int
identify(int fd, struct inode_id *ret)
{
	struct statx sx;
	int rc = sys_statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &sx);

	if (rc < 0) {
		return rc;
	}
	*ret = (struct inode_id){ .device = makedev(sx.stx_dev_major, sx.stx_dev_minor),
				  .inode = sx.stx_ino,
				  .mount = sx.stx_mnt_id };
	return 0;
}

/*
 * Up to the root, whose ".." is itself. The mount counts as well: a directory may be mounted in
 * itself, and is its own parent there.
 */
static int
see_above(struct front *f, int dir_fd, struct answer_file *a)
{
	struct inode_id above[LEVELS_MAX], *kept;
	auto_fd fd = openat(dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t count = 0;
	int rc = fd < 0 ? -errno : 0;

	while (rc == 0 && count < LEVELS_MAX) {
		int up;

		rc = identify(fd, &above[count]);
		if (rc < 0 ||
		    (count > 0 && memcmp(&above[count], &above[count - 1], sizeof(*above)) == 0)) {
			break;
		}
		count++;
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		rc = up < 0 ? -errno : 0;
		cleanup_fd(&fd);
		fd = up;
	}
	if (rc == 0 && count == LEVELS_MAX) {
		rc = -ENAMETOOLONG;
	}
	kept = rc == 0 ? arena_alloc(&f->arena, count * sizeof(*kept)) : NULL;
	if (kept == NULL) {
		return rc < 0 ? rc : -ENOMEM;
	}
	memcpy(kept, above, count * sizeof(*kept));
	a->above = kept;
	a->above_count = count;
	return 0;
}

/* The directory part of path, as it is written. */
static const char *
directory_of(struct front *f, const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/') {
		len--;
	}
	while (len > 0 && path[len - 1] != '/') {
		len--;
	}
	return len == 0 ? "." : arena_copy(&f->arena, path, len);
}

/*
 * Never through a link: what a tool leaves at that place must not steer our write. What was in the
 * file stays until there is something to write. Where it lies is looked at now: root can, and its
 * owner perhaps cannot.
 */
static int
open_answer(struct front *f, enum answer which)
{
	const struct answer_option o = option_of(f, which);
	const char *dir = o.given != NULL ? directory_of(f, o.given) : NULL;
	auto_fd dir_fd = -1;
	int fd, rc;

	if (o.given == NULL || dir == NULL) {
		return o.given != NULL ? err_set(&f->err, -ENOMEM, "out of memory") : 0;
	}
	dir_fd = front_open_named(dir, O_PATH | O_DIRECTORY, 0);
	fd = dir_fd < 0
		   ? dir_fd
		   : front_open_named(o.given, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd < 0) {
		return err_sys(&f->err, fd, "%s %s", o.name, o.given);
	}
	*o.fd = fd;
	rc = see_above(f, dir_fd, &f->answers[which]);
	return rc == 0 ? 0
		       : err_sys(&f->err, rc,
				 "%s %s: whether the tool may write there: the directories above",
				 o.name, o.given);
}

int
front_open_answers(struct front *f)
{
	int rc = open_answer(f, ANSWER_RESULT);

	return rc < 0 ? rc : open_answer(f, ANSWER_RECEIPT);
}

static int
find_inside(struct front *f, const struct mount_table *mounts, struct place *p)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount_entry *m = &mounts->items[i];
		const char *rest = p->path;

		if (m->id != p->id.mount || !plan_covers(m->point, p->path)) {
			continue;
		}
		rest += strcmp(m->point, "/") != 0 ? strlen(m->point) : 0;
		p->inside = strcmp(m->root, "/") != 0
				  ? arena_printf(&f->arena, "%s%s", m->root, rest)
			  : *rest != '\0' ? rest
					  : "/";
		p->device = m->device;
		return p->inside != NULL ? 0 : -ENOMEM;
	}
	return 0;
}

static int
find_place(struct front *f, const struct mount_table *mounts, int fd, struct place *ret)
{
	struct place p = { .inside = NULL };
	char path[PATH_MAX];
	int rc = fdio_path(fd, path);

	rc = rc < 0 ? rc : identify(fd, &p.id);
	if (rc == 0) {
		p.path = arena_string(&f->arena, path);
		rc = p.path == NULL ? -ENOMEM : find_inside(f, mounts, &p);
	}
	if (rc == 0) {
		*ret = p;
	}
	return rc;
}

static bool
lies_in(const struct answer_file *a, const struct place *file, const struct place *dir)
{
	if (plan_covers(dir->path, file->path)) {
		return true;
	}
	for (size_t i = 0; i < a->above_count; i++) {
		if (a->above[i].device == dir->id.device && a->above[i].inode == dir->id.inode) {
			return true;
		}
	}
	/* a mount of a directory in it: from there no ".." leads to it */
	return file->inside != NULL && dir->inside != NULL && file->device == dir->device &&
	       plan_covers(dir->inside, file->inside);
}

static int
refuse_workspace(struct front *f, enum answer which, const struct mount_table *mounts,
		 const struct place *file)
{
	const struct answer_option o = option_of(f, which);
	struct place workspace;
	int rc = find_place(f, mounts, f->req.workspace_fd, &workspace);

	if (rc < 0) {
		return err_sys(&f->err, rc, "%s", f->req.workspace);
	}
	return lies_in(&f->answers[which], file, &workspace)
		     ? err_set(&f->err, -EPERM,
			       "%s %s: it lies in the workspace, where the tool can put a file of "
			       "its own in this one's place; name one outside",
			       o.name, o.given)
		     : 0;
}

static int
refuse_written(struct front *f, enum answer which, const struct mount_table *mounts,
	       const struct place *file)
{
	const struct answer_option o = option_of(f, which);
	const struct rule_path *rule = f->profile->write.items;

	for (size_t i = 0; i < f->profile->write.count; i++, rule++) {
		auto_fd fd = open(rule->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct place dir = { .path = rule->path, .inside = NULL };
		/* one that cannot be opened is refused when it is planned */
		int rc = fd < 0 ? 0 : find_place(f, mounts, fd, &dir);

		if (rc < 0) {
			return err_sys(&f->err, rc, "%s", rule->path);
		}
		if (lies_in(&f->answers[which], file, &dir)) {
			return err_set(&f->err, -EPERM,
				       "%s %s: the tool may write there (%s: filesystem.write %s), "
				       "and can put a file of its own in this one's place; name "
				       "one outside",
				       o.name, o.given, rule->origin, rule->path);
		}
	}
	return 0;
}

static int
refuse_answer(struct front *f, enum answer which, const struct mount_table *mounts)
{
	const struct answer_option o = option_of(f, which);
	struct place file;
	int rc;

	if (o.given == NULL) {
		return 0;
	}
	rc = find_place(f, mounts, *o.fd, &file);
	if (rc < 0) {
		return err_sys(&f->err, rc, "%s %s", o.name, o.given);
	}
	rc = refuse_workspace(f, which, mounts, &file);
	return rc < 0 ? rc : refuse_written(f, which, mounts, &file);
}

int
front_refuse_answers(struct front *f)
{
	auto_mount_table mounts = MOUNT_TABLE_INIT;
	int rc = 0;

	if (f->opt.result == NULL && f->opt.receipt == NULL) {
		return 0;
	}
	rc = mount_table_read("/proc/self/mountinfo", &mounts);
	if (rc < 0) {
		return err_sys(&f->err, rc, "read /proc/self/mountinfo");
	}
	for (enum answer which = 0; rc == 0 && which < ANSWER__COUNT; which++) {
		rc = refuse_answer(f, which, &mounts);
	}
	return rc;
}
