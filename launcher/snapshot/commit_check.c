/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first step of a commit: every touched entry, and its directory, must be what the call saw.
 * Writes nothing. Run as commit.h says.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "commit_internal.h"
#include "names_internal.h"

static bool
is_special(mode_t mode)
{
	return mode != 0 && !S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode);
}

bool
commit_skips(const struct change *c)
{
	return c->kind == CHANGE_CREATE && is_special(c->mode_after);
}

static bool
is_as_collected(const struct change *c, const struct fs_stat *st)
{
	return st->dev == c->lower_dev && st->ino == c->lower_ino &&
	       st->ctime_ns == c->lower_ctime_ns && st->mtime_ns == c->lower_mtime_ns &&
	       st->mode == c->mode_before && (!S_ISREG(st->mode) || st->size == c->size_before);
}

static bool
is_loosened(const struct commit *cm)
{
	for (size_t i = 0; i < cm->loosened_count; i++) {
		if (cm->loosened[i].root_fd == cm->workspace_fd &&
		    strcmp(cm->loosened[i].path, buf_text(&cm->workspace.path)) == 0) {
			return true;
		}
	}
	return false;
}

/* What cannot be renamed could not be put back either. */
static int
check_free(struct commit *cm, const char *path, const struct fs_stat *st)
{
	return st->fixed ? commit_refuse(cm, path[0] != '\0' ? path : ".", "it cannot be changed",
					 "immutable or append-only (chattr)")
			 : 0;
}

/* Its directory, as the workspace's current one. */
static int
check_directory(struct commit *cm, const char *path, const char **ret_name)
{
	struct fs_stat st;
	bool fresh;
	int r = commit_dir_open(cm, &cm->workspace, path, ret_name, &fresh);

	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EXDEV) {
		return commit_conflict(cm, path, "its directory is not the one that the call saw");
	}
	if (r < 0) {
		return r == -ESTALE ? r : commit_fail(cm, r, path, "its directory");
	}
	if (!fresh) {
		return 0;
	}
	r = fsat_stat(cm->workspace.fd, "", &st);
	if (r < 0) {
		return commit_fail(cm, r, path, "check");
	}
	/* of one that just got rights from us, commit_loosen compared it */
	if (!is_loosened(cm) && st.ctime_ns >= cm->req->start_ns) {
		return commit_conflict(cm, path, "its directory was changed during the call");
	}
	return check_free(cm, buf_text(&cm->workspace.path), &st);
}

static int
check_one(struct commit *cm, const struct change *c)
{
	struct fs_stat st;
	const char *name, *rule;
	int r;

	if (names_class(c->path, 0, &rule) == NAME_NEVER) {
		return commit_refuse(cm, c->path, "never committed", rule);
	}
	if (is_special(c->mode_after) && c->kind == CHANGE_REPLACE) {
		return commit_refuse(cm, c->path, "a socket, fifo or device",
				     "it never takes the place of a file");
	}
	if (commit_skips(c) || changes_comes_with_parent(cm->req->changes, c)) {
		return 0;
	}
	r = check_directory(cm, c->path, &name);
	if (r < 0) {
		return r;
	}
	r = fsat_stat(cm->workspace.fd, name, &st);
	if (r == -ENOENT) {
		return c->kind == CHANGE_CREATE ? 0 : commit_conflict(cm, c->path, "it is gone");
	}
	if (r < 0) {
		return commit_fail(cm, r, c->path, "check");
	}
	if (c->kind == CHANGE_CREATE) {
		return commit_conflict(cm, c->path, "somebody else made it");
	}
	if (!is_as_collected(c, &st) || st.ctime_ns >= cm->req->start_ns) {
		return commit_conflict(cm, c->path, "it was changed during the call");
	}
	return check_free(cm, c->path, &st);
}

int
commit_check(struct commit *cm)
{
	const struct change_set *cs = cm->req->changes;
	struct fs_stat root;
	int r = fsat_stat(cm->workspace_fd, "", &root);

	/* of the staging directory */
	r = r < 0 ? r : check_free(cm, "", &root);
	cm->checking = true;
	for (size_t i = 0; r == 0 && i < cs->count; i++) {
		r = until_check(cm->req->until);
		r = r < 0 ? commit_fail(cm, r, cs->items[i].path, "check")
			  : check_one(cm, &cs->items[i]);
	}
	cm->checking = false;
	commit_dir_close(&cm->workspace);
	return r;
}
