/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a commit that change the workspace, forwards and backwards. Run as commit.h says.
 * Each entry is moved by a rename that cannot overwrite, and what was displaced is compared with
 * what was checked: if it is another inode, it goes back. Where the inodes are says what was done
 * already, so every step can be taken up again after a crash.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commit_internal.h"
#include "xattrs.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#endif
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

/* Where one row's entries are, as they stand now. */
struct place {
	int dir; /* borrowed */
	const char *name;
	char entry[COMMIT_ENTRY_MAX];
	struct fs_stat there, staged; /* mode 0: absent */
};

static int
open_parent(struct commit *cm, const struct commit_row *row, const char **ret_name)
{
	bool fresh;
	int fd = commit_dir_open(cm, &cm->workspace, row->path, ret_name, &fresh);

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EXDEV) {
		return commit_conflict(cm, row->path, "its directory was replaced");
	}
	return fd < 0 ? commit_fail(cm, fd, row->path, "its directory") : fd;
}

static int
stat_or_none(int dir, const char *name, struct fs_stat *ret)
{
	int r = fsat_stat(dir, name, ret);

	if (r == -ENOENT) {
		*ret = (struct fs_stat){ .mode = 0 };
		return 0;
	}
	return r;
}

static int
find_place(struct commit *cm, size_t i, struct place *ret)
{
	const struct commit_row *row = &cm->rows[i];
	int r;

	commit_entry_name(i, row->kind == CHANGE_DELETE, ret->entry);
	r = stat_or_none(cm->staging_fd, ret->entry, &ret->staged);
	if (r < 0) {
		return commit_fail(cm, r, row->path, "look");
	}
	ret->dir = open_parent(cm, row, &ret->name);
	if (ret->dir < 0) {
		return ret->dir;
	}
	r = stat_or_none(ret->dir, ret->name, &ret->there);
	return r < 0 ? commit_fail(cm, r, row->path, "look") : 0;
}

static bool
is_inode(const struct commit_ident *want, const struct fs_stat *st)
{
	return st->mode != 0 && st->dev == want->dev && st->ino == want->ino;
}

/* ctime is left out: our own rename sets it, and so does work on a directory's entries. */
static bool
is_old(const struct commit_row *row, const struct fs_stat *st)
{
	return is_inode(&row->old, st) && (st->mode & S_IFMT) == (row->before & S_IFMT) &&
	       (S_ISDIR(st->mode) ||
		(st->mtime_ns == row->old.mtime_ns && st->mode == row->before &&
		 (!S_ISREG(st->mode) || st->size == row->old.size)));
}

/* Carried out already, by whom a crash stopped. */
static bool
is_done(const struct commit_row *row, const struct place *p)
{
	switch (row->kind) {
	case CHANGE_DELETE:
		return is_inode(&row->old, &p->staged);
	case CHANGE_CREATE:
		return is_inode(&row->new, &p->there);
	case CHANGE_MODIFY:
	case CHANGE_REPLACE:
		return is_inode(&row->new, &p->there) && is_inode(&row->old, &p->staged);
	case CHANGE_MODE:
	case CHANGE__COUNT:
		break;
	}
	return false;
}

/*
 * What was put there, and nobody has written to since: a file system gives a number that was freed
 * to the next file.
 */
static bool
is_untouched(const struct commit_row *row, const struct fs_stat *st)
{
	return is_inode(&row->new, st) &&
	       (S_ISDIR(st->mode) ||
		((st->mode & S_IFMT) == (row->after & S_IFMT) &&
		 st->mtime_ns == row->new.mtime_ns &&
		 (!S_ISREG(st->mode) || st->size == row->new.size)));
}

/* A directory moves to another parent only when its owner may write it. */
static int
loosen_directory(struct commit *cm, const struct commit_row *row, const struct place *p)
{
	auto_fd fd = -1;
	struct fs_stat st;
	int r;

	if (!S_ISDIR(row->before) || (row->before & S_IRWXU) == S_IRWXU || geteuid() == 0) {
		return 0;
	}
	fd = fsat_open(p->dir, p->name, O_PATH | O_DIRECTORY);
	r = fd < 0 ? fd : fsat_stat(fd, "", &st);
	if (r < 0 || !is_old(row, &st)) {
		return commit_conflict(cm, row->path, "it was replaced");
	}
	r = (st.mode & S_IRWXU) == S_IRWXU
		  ? 0
		  : commit_loosen(cm, &cm->workspace, row->path, strlen(row->path), fd, &st);
	return r < 0 ? commit_fail(cm, r, row->path, "move") : 0;
}

static bool
is_empty(int dir, const char *name)
{
	struct fs_names names = FS_NAMES_INIT;
	auto_fd fd = fsat_open(dir, name, O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? fd : fsat_list(fd, 1, &names);
	bool empty = r == 0 && names.count == 0;

	fsat_names_finish(&names);
	return empty;
}

/* Of what a rename took out of the workspace: NULL, or why it has to go back. */
static const char *
wrong_displaced(struct commit *cm, const struct commit_row *row, const char *entry)
{
	struct fs_stat st;

	if (fsat_stat(cm->staging_fd, entry, &st) < 0 || !is_old(row, &st)) {
		return "it was replaced";
	}
	return S_ISDIR(st.mode) && !is_empty(cm->staging_fd, entry)
		     ? "somebody put something into it"
		     : NULL;
}

/* Undoes the one rename that carried a row out. */
static int
move_back(struct commit *cm, const struct commit_row *row, const struct place *p)
{
	if (row->kind == CHANGE_DELETE) {
		return fsat_rename(cm->staging_fd, p->entry, p->dir, p->name, RENAME_NOREPLACE);
	}
	if (row->kind == CHANGE_CREATE) {
		return fsat_rename(p->dir, p->name, cm->staging_fd, p->entry, RENAME_NOREPLACE);
	}
	return fsat_rename(cm->staging_fd, p->entry, p->dir, p->name, RENAME_EXCHANGE);
}

/* ---- forwards ----------------------------------------------------------------------------------
 */

/* Out of the workspace (delete), or against what was staged. */
static int
displace(struct commit *cm, const struct commit_row *row, const struct place *p)
{
	bool delete = row->kind == CHANGE_DELETE;
	const char *why;
	int r = loosen_directory(cm, row, p);

	if (r < 0) {
		return r;
	}
	r = delete ? fsat_rename(p->dir, p->name, cm->staging_fd, p->entry, RENAME_NOREPLACE)
		   : fsat_rename(cm->staging_fd, p->entry, p->dir, p->name, RENAME_EXCHANGE);
	if (r == -ENOENT) {
		return commit_conflict(cm, row->path, "it is gone");
	}
	if (r < 0) {
		return commit_fail(cm, r, row->path, delete ? "delete" : "replace");
	}
	why = wrong_displaced(cm, row, p->entry);
	if (why == NULL) {
		return 0;
	}
	r = move_back(cm, row, p);
	return r < 0 ? commit_fail(cm, -EIO, row->path, "put back what was displaced")
		     : commit_conflict(cm, row->path, why);
}

static int
forward(struct commit *cm, size_t i)
{
	const struct commit_row *row = &cm->rows[i];
	struct place p = { .dir = -1 };
	int r;

	if (cm->resumed) {
		r = find_place(cm, i, &p);
		if (row->kind == CHANGE_DELETE && is_inode(&row->old, &p.staged)) {
			return 0; /* and so may its directory be */
		}
		if (r < 0 || is_done(row, &p)) {
			return r;
		}
	} else {
		p.dir = open_parent(cm, row, &p.name);
		commit_entry_name(i, row->kind == CHANGE_DELETE, p.entry);
		if (p.dir < 0) {
			return p.dir;
		}
	}
	if (row->kind != CHANGE_CREATE) {
		return displace(cm, row, &p);
	}
	r = fsat_rename(cm->staging_fd, p.entry, p.dir, p.name, RENAME_NOREPLACE);
	if (r == -EEXIST) {
		return commit_conflict(cm, row->path, "somebody else made it");
	}
	/* made before a crash, and since then removed, moved or replaced */
	if (r == -ENOENT) {
		return commit_conflict(cm, row->path, "it is gone");
	}
	return r < 0 ? commit_fail(cm, r, row->path, "create") : 0;
}

int
commit_delete(struct commit *cm)
{
	int r = 0;

	cm->workspace.write = true;
	for (size_t i = cm->count; r == 0 && i > 0; i--) {
		r = cm->rows[i - 1].kind == CHANGE_DELETE ? forward(cm, i - 1) : 0;
	}
	commit_dir_close(&cm->workspace);
	return r;
}

int
commit_put(struct commit *cm)
{
	int r = 0;

	cm->workspace.write = true;
	for (size_t i = 0; r == 0 && i < cm->count; i++) {
		r = commit_stages(&cm->rows[i]) ? forward(cm, i) : 0;
	}
	commit_dir_close(&cm->workspace);
	return r;
}

static bool
is_new_directory(const struct commit_row *row)
{
	return commit_stages(row) && S_ISDIR(row->after);
}

/* Mode and attributes of an entry that stays in place: as after, or as before. */
static int
set_mode(struct commit *cm, const struct commit_row *row, int fd, bool after)
{
	const struct commit_span *span = after ? &row->xattrs_after : &row->xattrs_before;
	struct fs_stat st;
	int r = fsat_stat(fd, "", &st);

	/* what we cannot write an attribute to, we may after this; the final mode comes last */
	if (r == 0 && row->sets_xattrs && (st.mode & S_IWUSR) == 0 && geteuid() != 0) {
		r = fsat_chmod(fd, st.mode | S_IWUSR | S_IRUSR);
	}
	if (r == 0 && row->sets_xattrs) {
		r = xattrs_restore(fd, buf_text(&cm->attributes) + span->at, span->len);
	}
	return r < 0 ? r : fsat_chmod(fd, after ? row->after : row->before);
}

static int
forward_mode(struct commit *cm, const struct commit_row *row)
{
	const struct commit_ident *want = row->kind == CHANGE_MODE ? &row->old : &row->new;
	const char *name;
	int dir = open_parent(cm, row, &name);
	auto_fd fd = dir < 0 ? dir : fsat_open(dir, name, O_PATH);
	struct fs_stat st;
	int r;

	if (dir < 0) {
		return dir;
	}
	r = fd < 0 ? fd : fsat_stat(fd, "", &st);
	if (r < 0) {
		return commit_conflict(cm, row->path, "it is gone");
	}
	if (!is_inode(want, &st) || (st.mode & S_IFMT) != (row->after & S_IFMT)) {
		return commit_conflict(cm, row->path, "it was replaced");
	}
	r = set_mode(cm, row, fd, true);
	return r < 0 ? commit_fail(cm, r, row->path, "mode") : 0;
}

int
commit_modes(struct commit *cm)
{
	int r = 0;

	cm->workspace.write = false;
	for (size_t i = cm->count; r == 0 && i > 0; i--) {
		const struct commit_row *row = &cm->rows[i - 1];

		r = row->kind == CHANGE_MODE || is_new_directory(row) ? forward_mode(cm, row) : 0;
	}
	commit_dir_close(&cm->workspace);
	return r;
}

/* ---- backwards ---------------------------------------------------------------------------------
 */

/* What was moved away is in the staging directory; a mode can be set at any time. */
static int
back_mode(struct commit *cm, const struct commit_row *row)
{
	const char *name;
	int dir = open_parent(cm, row, &name);
	auto_fd fd = dir < 0 ? dir : fsat_open(dir, name, O_PATH);
	struct fs_stat st;
	int r = fd < 0 ? fd : fsat_stat(fd, "", &st);

	if (dir == -ESTALE || r == -ENOENT) {
		return 0; /* somebody took it away */
	}
	if (r == 0 && row->kind == CHANGE_MODE) {
		r = is_inode(&row->old, &st) ? set_mode(cm, row, fd, false) : 0;
	} else if (r == 0 && is_inode(&row->new, &st)) {
		/* its entries have to leave it, and it the place */
		r = fsat_chmod(fd, st.mode | S_IRWXU);
	}
	return r < 0 ? commit_fail(cm, r, row->path, "mode") : 0;
}

/* What somebody else has put into a directory of ours, or in the place of an entry, stays there. */
static int
back_move(struct commit *cm, size_t i)
{
	const struct commit_row *row = &cm->rows[i];
	struct place p;
	int r = find_place(cm, i, &p);

	if (r == -ESTALE) {
		return 0;
	}
	if (r < 0 || !is_done(row, &p)) {
		return r;
	}
	if (row->kind != CHANGE_DELETE && !is_untouched(row, &p.there)) {
		return 0;
	}
	if (row->kind != CHANGE_DELETE && S_ISDIR(p.there.mode) && !is_empty(p.dir, p.name)) {
		return row->kind == CHANGE_CREATE
			     ? 0
			     : err_set(cm->err, -EIO,
				       "commit: %s: somebody put something into it: move that "
				       "away, then run `airlock recover`",
				       row->path);
	}
	r = move_back(cm, row, &p);
	if (r == -EEXIST && row->kind == CHANGE_DELETE) {
		return 0;
	}
	return r < 0 ? commit_fail(cm, r, row->path, "take back") : 0;
}

int
commit_take_back(struct commit *cm)
{
	int r = 0;

	cm->workspace.write = true;
	/* parents first: who may not search a directory does not see what is in it */
	for (size_t i = 0; r == 0 && i < cm->count; i++) {
		r = is_new_directory(&cm->rows[i]) ? back_mode(cm, &cm->rows[i]) : 0;
	}
	for (size_t i = cm->count; r == 0 && i > 0; i--) {
		r = commit_stages(&cm->rows[i - 1]) ? back_move(cm, i - 1) : 0;
	}
	for (size_t i = 0; r == 0 && i < cm->count; i++) {
		r = cm->rows[i].kind == CHANGE_DELETE ? back_move(cm, i) : 0;
	}
	for (size_t i = cm->count; r == 0 && i > 0; i--) {
		r = cm->rows[i - 1].kind == CHANGE_MODE ? back_mode(cm, &cm->rows[i - 1]) : 0;
	}
	commit_dir_close(&cm->workspace);
	if (r == 0 && cm->staging_fd >= 0 && syncfs(cm->staging_fd) < 0) {
		r = commit_fail(cm, -errno, COMMIT_STAGING, "sync");
	}
	return r;
}

/* ---- sync --------------------------------------------------------------------------------------
 */

/* false: it has to be the whole file system. */
static bool
sync_each(struct commit *cm)
{
	for (size_t i = 0; i < cm->count; i++) {
		const char *path = cm->rows[i].path;
		const char *slash = strrchr(path, '/');
		const char *before = i > 0 ? cm->rows[i - 1].path : NULL;
		size_t len = slash != NULL ? (size_t)(slash - path) : 0;
		auto_fd fd = -1;
		auto_free char *parent = NULL;

		if (cm->rows[i].kind == CHANGE_MODE) {
			return false; /* the inode changed in place, and may not be readable */
		}
		if (before != NULL && strncmp(before, path, len) == 0 &&
		    (len == 0 || before[len] == '/') &&
		    strchr(before + len + (len > 0), '/') == NULL) {
			continue; /* its neighbour's directory */
		}
		parent = strndup(path, len);
		fd = parent != NULL
			   ? fsat_open_path(cm->workspace_fd, parent, O_RDONLY | O_DIRECTORY)
			   : -ENOMEM;
		if (fd == -ENOENT || fd == -ENOTDIR) {
			continue; /* deleted with its directory */
		}
		if (fd < 0 || fsync(fd) < 0) {
			return false;
		}
	}
	return true;
}

int
commit_sync(struct commit *cm)
{
	if (!cm->resumed && cm->count <= COMMIT_SYNC_EACH && sync_each(cm)) {
		return 0;
	}
	return syncfs(cm->staging_fd) < 0 ? commit_fail(cm, -errno, COMMIT_STAGING, "sync") : 0;
}
