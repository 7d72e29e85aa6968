/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a commit that change the workspace. Run by the front as the workspace's owner. Each
 * entry is moved by a rename that cannot overwrite, and what was displaced is compared with what
 * was checked: if it is another inode, it goes back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

static int
open_parent(struct commit *cm, const struct change *c, const char **ret_name)
{
	bool fresh;
	int fd = commit_dir_open(cm, &cm->workspace, c->path, ret_name, &fresh);

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EXDEV) {
		return commit_conflict(cm, c->path, "its directory was replaced");
	}
	return fd < 0 ? commit_fail(cm, fd, c->path, "its directory") : fd;
}

/* ctime is left out: our own rename sets it, and so does work on a directory's entries. */
static bool
is_the_one(const struct change *c, const struct fs_stat *st)
{
	return st->dev == c->lower_dev && st->ino == c->lower_ino &&
	       (st->mode & S_IFMT) == (c->mode_before & S_IFMT) &&
	       (S_ISDIR(st->mode) ||
		(st->mtime_ns == c->lower_mtime_ns && st->mode == c->mode_before &&
		 (!S_ISREG(st->mode) || st->size == c->size_before)));
}

/* ---- delete ------------------------------------------------------------------------------------
 */

static int
delete_directory(struct commit *cm, const struct change *c, int dir, const char *name)
{
	struct fs_stat st;
	int r = fsat_stat(dir, name, &st);

	if (r < 0 || !is_the_one(c, &st)) {
		return r < 0 && r != -ENOENT ? commit_fail(cm, r, c->path, "delete")
					     : commit_conflict(cm, c->path, "it was replaced");
	}
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0) {
		return errno == ENOTEMPTY || errno == EEXIST
			       ? commit_conflict(cm, c->path, "somebody put something into it")
			       : commit_fail(cm, -errno, c->path, "delete");
	}
	return 0;
}

static int
delete_entry(struct commit *cm, const struct change *c, size_t i, int dir, const char *name)
{
	char entry[COMMIT_ENTRY_MAX];
	struct fs_stat st;
	int r;

	commit_entry_name(i, true, entry);
	r = fsat_rename(dir, name, cm->staging_fd, entry, RENAME_NOREPLACE);
	if (r < 0) {
		return r == -ENOENT ? commit_conflict(cm, c->path, "it is gone")
				    : commit_fail(cm, r, c->path, "delete");
	}
	r = fsat_stat(cm->staging_fd, entry, &st);
	if (r == 0 && is_the_one(c, &st)) {
		return 0;
	}
	if (fsat_rename(cm->staging_fd, entry, dir, name, RENAME_NOREPLACE) < 0) {
		cm->dirty = true;
	}
	return commit_conflict(cm, c->path, "it was replaced");
}

int
commit_delete(struct commit *cm)
{
	const struct change_set *cs = cm->req->changes;

	cm->workspace.loosen = true;
	cm->workspace.write = true;
	for (size_t i = cs->count; i > 0; i--) {
		const struct change *c = &cs->items[i - 1];
		const char *name;
		int dir, r;

		if (c->kind != CHANGE_DELETE) {
			continue;
		}
		dir = open_parent(cm, c, &name);
		if (dir < 0) {
			return dir;
		}
		r = S_ISDIR(c->mode_before) ? delete_directory(cm, c, dir, name)
					    : delete_entry(cm, c, i - 1, dir, name);
		if (r < 0) {
			return r;
		}
		cm->applied++;
	}
	commit_dir_close(&cm->workspace);
	return 0;
}

/* ---- put ---------------------------------------------------------------------------------------
 */

/* A directory moves to another parent only when its owner may write it. */
static int
loosen_displaced(struct commit *cm, const struct change *c, int dir, const char *name)
{
	auto_fd fd = -1;
	struct fs_stat st;
	int r;

	if (!S_ISDIR(c->mode_before) || (c->mode_before & S_IWUSR) != 0 || geteuid() == 0) {
		return 0;
	}
	fd = fsat_open(dir, name, O_PATH | O_DIRECTORY);
	r = fd < 0 ? fd : fsat_stat(fd, "", &st);
	if (r < 0 || !is_the_one(c, &st)) {
		return commit_conflict(cm, c->path, "it was replaced");
	}
	r = commit_loosen(cm, &cm->workspace, c->path, strlen(c->path), fd, &st);
	return r < 0 ? commit_fail(cm, r, c->path, "replace") : 0;
}

static int
exchange(struct commit *cm, const struct change *c, const char *entry, int dir, const char *name)
{
	const char *why = "it was replaced";
	struct fs_stat st;
	int r = loosen_displaced(cm, c, dir, name);

	if (r < 0) {
		return r;
	}
	r = fsat_rename(cm->staging_fd, entry, dir, name, RENAME_EXCHANGE);
	if (r < 0) {
		return r == -ENOENT ? commit_conflict(cm, c->path, "it is gone")
				    : commit_fail(cm, r, c->path, "replace");
	}
	r = fsat_stat(cm->staging_fd, entry, &st);
	if (r == 0 && is_the_one(c, &st)) {
		if (!S_ISDIR(st.mode) || unlinkat(cm->staging_fd, entry, AT_REMOVEDIR) == 0) {
			return 0;
		}
		why = "somebody put something into it";
	}
	if (fsat_rename(cm->staging_fd, entry, dir, name, RENAME_EXCHANGE) < 0) {
		cm->dirty = true;
	}
	return commit_conflict(cm, c->path, why);
}

int
commit_put(struct commit *cm)
{
	const struct change_set *cs = cm->req->changes;

	for (size_t i = 0; i < cs->count; i++) {
		const struct change *c = &cs->items[i];
		char entry[COMMIT_ENTRY_MAX];
		const char *name;
		int dir, r;

		if (!commit_stages(c)) {
			continue;
		}
		dir = open_parent(cm, c, &name);
		if (dir < 0) {
			return dir;
		}
		commit_entry_name(i, false, entry);
		if (c->kind == CHANGE_CREATE) {
			r = fsat_rename(cm->staging_fd, entry, dir, name, RENAME_NOREPLACE);
			if (r < 0) {
				r = r == -EEXIST
					    ? commit_conflict(cm, c->path, "somebody else made it")
					    : commit_fail(cm, r, c->path, "create");
			}
		} else {
			r = exchange(cm, c, entry, dir, name);
		}
		if (r < 0) {
			return r;
		}
		cm->applied++;
	}
	commit_dir_close(&cm->workspace);
	return 0;
}

/* ---- modes -------------------------------------------------------------------------------------
 */

/* Attributes as the tool left them, onto an entry that stays in place. */
static int
copy_xattrs(struct commit *cm, const struct change *c, int fd)
{
	auto_fd from = -1;
	struct fs_stat st;
	const char *name;
	bool fresh, forced;
	int dir, r;

	if (!S_ISREG(c->mode_after) && !S_ISDIR(c->mode_after)) {
		return 0;
	}
	dir = commit_dir_open(cm, &cm->upper, c->path, &name, &fresh);
	r = dir < 0 ? dir : fsat_stat(dir, name, &st);
	if (r < 0) {
		return r;
	}
	from = fsat_open_forced(dir, name, &st, O_RDONLY, S_IRUSR, &forced);
	if (from < 0) {
		return from;
	}
	r = forced ? fsat_chmod(from, st.mode) : 0;
	return r < 0 ? r : xattrs_copy(from, fd);
}

static int
set_mode(struct commit *cm, const struct change *c)
{
	auto_fd fd = -1;
	struct fs_stat st;
	const char *name;
	int dir = open_parent(cm, c, &name);
	int r;

	if (dir < 0) {
		return dir;
	}
	fd = fsat_open(dir, name, O_PATH);
	r = fd < 0 ? fd : fsat_stat(fd, "", &st);
	if (r < 0) {
		return commit_conflict(cm, c->path, "it is gone");
	}
	if ((st.mode & S_IFMT) != (c->mode_after & S_IFMT) || S_ISLNK(st.mode) ||
	    (c->kind == CHANGE_MODE && (st.dev != c->lower_dev || st.ino != c->lower_ino))) {
		return commit_conflict(cm, c->path, "it was replaced");
	}
	/* what we cannot write an attribute to, we may after this; the final mode comes last */
	r = (st.mode & S_IWUSR) == 0 && geteuid() != 0 ? fsat_chmod(fd, st.mode | S_IWUSR | S_IRUSR)
						       : 0;
	r = r < 0 ? r : copy_xattrs(cm, c, fd);
	if (r == 0) {
		r = fsat_chmod(fd, commit_mode(c->mode_after));
	}
	return r < 0 ? commit_fail(cm, r, c->path, "mode") : 0;
}

int
commit_modes(struct commit *cm)
{
	const struct change_set *cs = cm->req->changes;

	cm->workspace.write = false;
	for (size_t i = cs->count; i > 0; i--) {
		const struct change *c = &cs->items[i - 1];
		bool new_directory = commit_stages(c) && S_ISDIR(c->mode_after);
		int r;

		if (c->kind != CHANGE_MODE && !new_directory) {
			continue;
		}
		r = set_mode(cm, c);
		if (r < 0) {
			cm->dirty = true;
			return r;
		}
		cm->applied += c->kind == CHANGE_MODE;
	}
	commit_dir_close(&cm->workspace);
	return 0;
}

/* ---- sync --------------------------------------------------------------------------------------
 */

/* false: it has to be the whole file system. */
static bool
sync_each(struct commit *cm)
{
	const struct change_set *cs = cm->req->changes;

	for (size_t i = 0; i < cs->count; i++) {
		const char *slash = strrchr(cs->items[i].path, '/');
		const char *before = i > 0 ? cs->items[i - 1].path : NULL;
		size_t len = slash != NULL ? (size_t)(slash - cs->items[i].path) : 0;
		auto_fd fd = -1;
		auto_free char *parent = NULL;

		if (cs->items[i].kind == CHANGE_MODE) {
			return false; /* the inode changed in place, and may not be readable */
		}
		if (before != NULL && strncmp(before, cs->items[i].path, len) == 0 &&
		    (len == 0 || before[len] == '/') &&
		    strchr(before + len + (len > 0), '/') == NULL) {
			continue; /* its neighbour's directory */
		}
		parent = strndup(cs->items[i].path, len);
		fd = parent != NULL
			     ? fsat_open_path(cm->req->workspace_fd, parent, O_RDONLY | O_DIRECTORY)
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
	if (cm->req->changes->count <= COMMIT_SYNC_EACH && sync_each(cm)) {
		return 0;
	}
	return syncfs(cm->staging_fd) < 0 ? commit_fail(cm, -errno, cm->staging, "sync") : 0;
}
