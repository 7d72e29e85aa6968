/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the steps of a commit share: directories of touched entries, opened by descriptor and given
 * the rights that work in them needs, which are written down first. Run as commit.h says.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/grow.h"

#include "commit_internal.h"

static const char *
tail_of(const char *path)
{
	size_t len = strlen(path);

	return len > 300 ? path + len - 300 : path;
}

int
commit_conflict(struct commit *cm, const char *path, const char *why)
{
	return err_set(cm->err, -ESTALE, "conflict: %s: %s", tail_of(path), why);
}

int
commit_refuse(struct commit *cm, const char *path, const char *what, const char *why)
{
	return err_set(cm->err, -EPERM, "commit: %s: %s: %s", tail_of(path), what, why);
}

int
commit_fail(struct commit *cm, int code, const char *path, const char *what)
{
	return err_sys(cm->err, code, "commit: %s: %s", tail_of(path), what);
}

void
commit_entry_name(size_t i, bool deleted, char ret_name[COMMIT_ENTRY_MAX])
{
	snprintf(ret_name, COMMIT_ENTRY_MAX, "%c%zu", deleted ? 'd' : 'n', i);
}

bool
commit_stages(const struct commit_row *row)
{
	return row->kind == CHANGE_CREATE || row->kind == CHANGE_MODIFY ||
	       row->kind == CHANGE_REPLACE;
}

void
commit_dir_close(struct commit_dir *d)
{
	cleanup_fd(&d->fd);
	d->fd = -1;
	buf_finish(&d->path);
}

int
commit_note_loosened(struct commit *cm, int root_fd, const char *path, size_t path_len, mode_t mode)
{
	struct commit_loosened one = { .root_fd = root_fd, .mode = mode };
	struct commit_loosened *grown = grow_array(cm->loosened, cm->loosened_count,
						   &cm->loosened_cap, sizeof(*grown));

	if (grown == NULL) {
		return -ENOMEM;
	}
	cm->loosened = grown;
	one.path = strndup(path, path_len);
	if (one.path == NULL) {
		return -ENOMEM;
	}
	cm->loosened[cm->loosened_count++] = one;
	return 0;
}

int
commit_loosen(struct commit *cm, const struct commit_dir *d, const char *path, size_t path_len,
	      int fd, const struct fs_stat *st)
{
	int r = 0;

	if (d->is_workspace && cm->checking && st->ctime_ns >= cm->req->start_ns) {
		return commit_conflict(cm, path, "the directory was changed during the call");
	}
	if (d->is_workspace) {
		r = commit_journal_loosened(cm, path, path_len, st->mode);
	}
	r = r < 0 ? r : commit_note_loosened(cm, d->root_fd, path, path_len, st->mode);
	return r < 0 ? r : fsat_chmod(fd, st->mode | S_IRWXU);
}

/* The slow way to a directory: name by name, adding search right where the owner lacks it. */
static int
open_loosened(struct commit *cm, const struct commit_dir *d, const char *path)
{
	auto_fd at = fsat_open(d->root_fd, ".", O_PATH | O_DIRECTORY);
	const char *p = path;
	char name[NAME_MAX + 1];

	while (at >= 0 && *p != '\0') {
		size_t len = strcspn(p, "/");
		int next;

		if (len > NAME_MAX) {
			return -ENAMETOOLONG;
		}
		memcpy(name, p, len);
		name[len] = '\0';
		next = fsat_open(at, name, O_PATH | O_DIRECTORY);
		if (next == -EACCES) {
			struct fs_stat st;
			int r = fsat_stat(at, "", &st);

			r = r < 0 ? r
				  : commit_loosen(cm, d, path,
						  p > path ? (size_t)(p - path - 1) : 0, at, &st);
			if (r < 0) {
				return r;
			}
			next = fsat_open(at, name, O_PATH | O_DIRECTORY);
		}
		cleanup_fd(&at);
		at = next;
		p += len + (p[len] == '/');
	}
	return take_fd(&at);
}

static int
add_rights(struct commit *cm, const struct commit_dir *d, int fd)
{
	mode_t need = d->write ? S_IWUSR | S_IXUSR : S_IXUSR;
	struct fs_stat st;
	int r = fsat_stat(fd, "", &st);

	if (r < 0 || (st.mode & need) == need || geteuid() == 0 || st.uid != geteuid()) {
		return r;
	}
	return commit_loosen(cm, d, buf_text(&d->path), d->path.len, fd, &st);
}

int
commit_dir_open(struct commit *cm, struct commit_dir *d, const char *path, const char **ret_name,
		bool *ret_fresh)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;
	int fd, r;

	*ret_name = slash != NULL ? slash + 1 : path;
	*ret_fresh = false;
	if (d->fd >= 0 && d->path.len == len && memcmp(buf_text(&d->path), path, len) == 0) {
		return d->fd;
	}
	commit_dir_close(d);
	buf_put(&d->path, path, len);
	if (buf_error(&d->path) < 0) {
		return -ENOMEM;
	}
	fd = fsat_open_path(d->root_fd, buf_text(&d->path), O_PATH | O_DIRECTORY);
	if (fd == -EACCES) {
		fd = open_loosened(cm, d, buf_text(&d->path));
	}
	if (fd < 0) {
		return fd;
	}
	r = add_rights(cm, d, fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fresh = true;
	d->fd = fd;
	return fd;
}

/*
 * A row decides the mode that its entry ends with: of one that stays in either direction, of what
 * it brings or takes away when it was carried out.
 */
static bool
row_decides(const struct commit *cm, const char *path, bool finished)
{
	size_t low = 0, high = cm->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(cm->rows[middle].path, path);

		if (order == 0) {
			return finished || cm->rows[middle].kind == CHANGE_MODE;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return false;
}

/* Deepest last in, first out; what a row gave a mode, or took away, is left alone. */
void
commit_tighten(struct commit *cm, bool finished)
{
	while (cm->loosened_count > 0) {
		struct commit_loosened *l = &cm->loosened[--cm->loosened_count];
		bool decided = l->root_fd == cm->workspace_fd && l->path[0] != '\0' &&
			       row_decides(cm, l->path, finished);
		bool root = l->root_fd == cm->workspace_fd && l->path[0] == '\0';
		int fd = decided || root
			       ? -1
			       : fsat_open_path(l->root_fd, l->path, O_PATH | O_DIRECTORY);

		/* the staging directory has to leave it first */
		cm->root_mode = root ? l->mode : cm->root_mode;
		if (fd >= 0) {
			ignore_err(fsat_chmod(fd, l->mode),
				   "the owner's extra right is all that stays");
			close(fd);
		}
		free(l->path);
	}
}

void
commit_free(struct commit *cm)
{
	commit_dir_close(&cm->workspace);
	commit_dir_close(&cm->upper);
	while (cm->loosened_count > 0) {
		free(cm->loosened[--cm->loosened_count].path);
	}
	free(cm->loosened);
	free(cm->rows);
	buf_finish(&cm->attributes);
	cleanup_fd(&cm->staging_fd);
	cleanup_fd(&cm->journal_fd);
}
