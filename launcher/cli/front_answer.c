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
#include <stdlib.h>
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

/* What dir_fd has under that name, which is no link; with "" itself. */
static int
identify(int dir_fd, const char *name, struct inode_id *ret)
{
	struct statx sx;
	int rc = sys_statx(dir_fd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
			   STATX_INO | STATX_MNT_ID, &sx);

	if (rc < 0) {
		return rc;
	}
	*ret = (struct inode_id){ .device = makedev(sx.stx_dev_major, sx.stx_dev_minor),
				  .inode = sx.stx_ino,
				  .mount = sx.stx_mnt_id };
	return 0;
}

static bool
is_same(const struct inode_id *a, const struct inode_id *b)
{
	return a->device == b->device && a->inode == b->inode && a->mount == b->mount;
}

/*
 * Up to the root, whose ".." is itself. The mount counts as well: a directory may be mounted in
 * itself, and is its own parent there.
 */
static int
see_above(struct front *f, struct answer_file *a)
{
	struct inode_id *above = arena_alloc(&f->arena, LEVELS_MAX * sizeof(*above));
	auto_fd fd = openat(a->dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t count = 0;
	int rc = fd < 0 ? -errno : above == NULL ? -ENOMEM : 0;

	while (rc == 0 && count < LEVELS_MAX) {
		int up;

		rc = identify(fd, "", &above[count]);
		if (rc < 0 || (count > 0 && is_same(&above[count], &above[count - 1]))) {
			break;
		}
		count++;
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		rc = up < 0 ? -errno : 0;
		cleanup_fd(&fd);
		fd = up;
		if (rc == -EACCES) {
			rc = 0; /* its path is known all the same, and what is mounted there */
			break;
		}
	}
	if (rc == 0 && count == LEVELS_MAX) {
		rc = -ENAMETOOLONG;
	}
	if (rc == 0) {
		a->above = above;
		a->above_count = count;
	}
	return rc;
}

/* Where the last name of a path begins. */
static size_t
name_at(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/') {
		len--;
	}
	while (len > 0 && path[len - 1] != '/') {
		len--;
	}
	return len;
}

/*
 * Never through a link: what a tool leaves at that place must not steer our write. What was in the
 * file stays until there is something to write.
 */
static int
open_or_make(const char *path, bool *ret_made)
{
	const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NOCTTY;
	int fd = front_open_named(path, flags | O_EXCL, 0600);

	if (fd == -EEXIST) {
		return front_open_named(path, flags, 0600);
	}
	*ret_made = fd >= 0;
	return fd;
}

/* Where it lies is looked at now: root can, and its owner perhaps cannot. */
static int
open_answer(struct front *f, enum answer which)
{
	const struct answer_option o = option_of(f, which);
	struct answer_file *a = &f->answers[which];
	const char *dir = ".";
	auto_fd dir_fd = -1;
	size_t name;
	int fd, rc;

	if (o.given == NULL) {
		return 0;
	}
	name = name_at(o.given);
	if (name > 0) {
		dir = arena_copy(&f->arena, o.given, name);
	}
	if (dir == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	dir_fd = front_open_named(dir, O_PATH | O_DIRECTORY, 0);
	fd = dir_fd < 0 ? dir_fd : open_or_make(o.given, &a->made);
	if (fd < 0) {
		return err_sys(&f->err, fd, "%s %s", o.name, o.given);
	}
	*o.fd = fd;
	a->dir_fd = take_fd(&dir_fd);
	a->name = o.given + name;
	rc = see_above(f, a);
	return rc == 0 ? 0
		       : err_sys(&f->err, rc,
				 "%s %s: whether the tool may write there: the directories above",
				 o.name, o.given);
}

int
front_open_answers(struct front *f)
{
	int rc;

	f->answers[ANSWER_RESULT].dir_fd = f->answers[ANSWER_RECEIPT].dir_fd = -1;
	rc = open_answer(f, ANSWER_RESULT);
	return rc < 0 ? rc : open_answer(f, ANSWER_RECEIPT);
}

/* Nothing is written to it: what it held stays, and what we made goes. */
static void
give_up(struct front *f, enum answer which)
{
	struct answer_file *a = &f->answers[which];
	int *fd = option_of(f, which).fd;
	struct inode_id opened, named;

	if (a->made && identify(*fd, "", &opened) == 0 &&
	    identify(a->dir_fd, a->name, &named) == 0 && is_same(&opened, &named)) {
		ignore_err(unlinkat(a->dir_fd, a->name, 0),
			   "root's in a directory that is not its owner's: it stays, and is empty");
	}
	cleanup_fd(fd);
	cleanup_fd(&a->dir_fd);
	*fd = a->dir_fd = -1;
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

	rc = rc < 0 ? rc : identify(fd, "", &p.id);
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

/*
 * A directory that the tool may write: rule's, or, without one, the workspace. Both files are
 * looked at, so that neither is written; the first is told.
 */
static int
refuse_in(struct front *f, const struct mount_table *mounts, const struct place *dir,
	  const struct rule_path *rule)
{
	for (enum answer which = 0; which < ANSWER__COUNT; which++) {
		const struct answer_option o = option_of(f, which);
		struct answer_file *a = &f->answers[which];
		struct place file;
		int rc = a->dir_fd >= 0 ? find_place(f, mounts, *o.fd, &file) : 0;

		if (rc < 0) {
			return err_sys(&f->err, rc, "%s %s", o.name, o.given);
		}
		if (a->dir_fd < 0 || !lies_in(a, &file, dir)) {
			continue;
		}
		give_up(f, which);
		if (f->err.code == 0 && rule == NULL) {
			err_set(&f->err, -EPERM,
				"%s %s: it lies in the workspace, where the tool can put a file of "
				"its own in this one's place; name one outside",
				o.name, o.given);
		} else if (f->err.code == 0) {
			err_set(&f->err, -EPERM,
				"%s %s: the tool may write there (%s: filesystem.write %s), and "
				"can put a file of its own in this one's place; name one outside",
				o.name, o.given, rule->origin, rule->path);
		}
	}
	return f->err.code;
}

static bool
has_answers(const struct front *f)
{
	return f->answers[ANSWER_RESULT].dir_fd >= 0 || f->answers[ANSWER_RECEIPT].dir_fd >= 0;
}

int
front_refuse_answers(struct front *f)
{
	auto_mount_table mounts = MOUNT_TABLE_INIT;
	struct place workspace;
	int rc;

	if (!has_answers(f)) {
		return 0;
	}
	rc = mount_table_read("/proc/self/mountinfo", &mounts);
	if (rc < 0) {
		return err_sys(&f->err, rc, "read /proc/self/mountinfo");
	}
	rc = find_place(f, &mounts, f->req.workspace_fd, &workspace);
	if (rc < 0) {
		return err_sys(&f->err, rc, "%s", f->req.workspace);
	}
	f->answers_judged = true;
	return refuse_in(f, &mounts, &workspace, NULL);
}

int
front_refuse_written_answers(struct front *f)
{
	const struct rule_paths *write = &f->profile->write;
	auto_mount_table mounts = MOUNT_TABLE_INIT;
	int rc = 0;

	if (!has_answers(f) || write->count == 0) {
		return 0;
	}
	rc = mount_table_read("/proc/self/mountinfo", &mounts);
	if (rc < 0) {
		return err_sys(&f->err, rc, "read /proc/self/mountinfo");
	}
	for (size_t i = 0; i < write->count && (rc == 0 || rc == -EPERM); i++) {
		const struct rule_path *rule = &write->items[i];
		auto_fd fd = open(rule->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct place dir = { .path = rule->path, .inside = NULL };

		/* one that cannot be opened is refused when it is planned */
		rc = fd < 0 ? 0 : find_place(f, &mounts, fd, &dir);
		rc = rc < 0 ? err_sys(&f->err, rc, "%s", rule->path)
			    : refuse_in(f, &mounts, &dir, rule);
	}
	return rc;
}

/* What no call may have as its workspace: a file may well lie in it. */
static bool
is_too_wide(const struct front *f, const char *path)
{
	const char *home = f->req.identity.home != NULL ? f->req.identity.home : getenv("HOME");

	return strcmp(path, "/") == 0 || (home != NULL && plan_covers(path, home));
}

void
front_spare_answers(struct front *f)
{
	const char *named = f->opt.workspace != NULL ? f->opt.workspace
			  : f->options_read	     ? "."
						     : NULL;
	auto_mount_table mounts = MOUNT_TABLE_INIT;
	const struct err why = f->err;
	struct place workspace = { .path = NULL };
	auto_fd fd = -1;

	if (!has_answers(f) || f->answers_judged || f->no_workspace || named == NULL) {
		return;
	}
	/* the workspace's own descriptor, where it has one, belongs to the call */
	fd = f->req.workspace_fd >= 0 ? fcntl(f->req.workspace_fd, F_DUPFD_CLOEXEC, 0)
				      : front_open_named(named, O_PATH | O_DIRECTORY, 0);
	ignore_err(mount_table_read("/proc/self/mountinfo", &mounts),
		   "paths and inodes are compared all the same");
	if (fd < 0 || find_place(f, &mounts, fd, &workspace) < 0 || workspace.path == NULL ||
	    is_too_wide(f, workspace.path)) {
		return;
	}
	f->err = (struct err)ERR_INIT;
	ignore_err(refuse_in(f, &mounts, &workspace, NULL), "there is a reason already");
	f->err = why;
}
