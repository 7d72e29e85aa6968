/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a commit whose committer is gone. Run by airlock-cli as who committed, under the
 * exclusive lock of the workspace.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "commit_internal.h"
#include "layer.h"

#define JOURNAL_MAX (1u << 30) /* CHANGES_MAX rows and CHANGES_PATH_BYTES, with room */

static void
left_finish(struct commit_left *left)
{
	buf_finish(&left->bytes);
	cleanup_fd(&left->fd);
}

/* 0 with left->fd -1: its committer lives, or has just removed it. */
static int
open_left(int dir_fd, const char *name, struct commit_left *left)
{
	auto_fd fd = openat(dir_fd, name, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		return errno == EWOULDBLOCK ? 0 : -errno;
	}
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (st.st_nlink == 0) {
		return 0;
	}
	r = fdio_slurp(fd, JOURNAL_MAX, &left->bytes);
	r = r < 0 ? r : commit_journal_header(left);
	if (r == 0) {
		memcpy(left->name, name, strlen(name) + 1);
		left->fd = take_fd(&fd);
	}
	return r;
}

int
commit_each_left(const struct store *s, int (*fn)(void *arg, struct commit_left *left), void *arg)
{
	auto_dir dir = NULL;
	int r = fdio_list_dir(s->dir_fd, "commits", O_NOFOLLOW, &dir);

	if (r < 0) {
		return r == -ENOENT ? 0 : r;
	}
	for (struct dirent *e = readdir(dir); r == 0 && e != NULL; e = readdir(dir)) {
		struct commit_left left = { .bytes = BUF_INIT, .fd = -1, .workspace = "" };

		if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof(left.name)) {
			continue;
		}
		left.unreadable = open_left(dirfd(dir), e->d_name, &left);
		if (left.unreadable < 0) {
			memcpy(left.name, e->d_name, strlen(e->d_name) + 1);
		}
		if (left.unreadable < 0 || left.fd >= 0) {
			r = fn(arg, &left);
		}
		left_finish(&left);
	}
	return r;
}

static int
say_yes(void *arg, struct commit_left *left)
{
	(void)arg;
	(void)left;
	return 1;
}

int
commit_is_left(const struct store *s)
{
	return commit_each_left(s, say_yes, NULL);
}

struct search {
	const struct commit_entry *entry;
	bool found;
};

static int
compare_entry(void *arg, struct journal_pos pos, const uint8_t *json, size_t len)
{
	struct search *s = arg;

	(void)pos;
	s->found = len == s->entry->len && memcmp(json, s->entry->data, len) == 0;
	return s->found;
}

/* Unless who committed came that far himself. */
static int
append_record(struct store *s, const struct commit_told *told, struct err *err)
{
	struct search search = {
		.entry = told->finished ? &told->done : &told->undone,
	};
	struct journal_pos next, pos;
	int r;

	if (search.entry->len == 0) {
		return 0;
	}
	r = journal_read(s, told->since, &next, compare_entry, &search, err);
	if (r < 0 || search.found) {
		return r < 0 ? r : 0;
	}
	return journal_append(s, search.entry->data, search.entry->len, &pos, err);
}

static int
open_staging(struct commit *cm, const struct commit_told *told)
{
	struct fs_stat st;
	int r;

	cm->staging_fd = fsat_open(cm->workspace_fd, COMMIT_STAGING, O_RDONLY | O_DIRECTORY);
	if (cm->staging_fd == -ENOENT && told->is_done) {
		return 0;
	}
	r = cm->staging_fd < 0 ? cm->staging_fd : fsat_stat(cm->staging_fd, "", &st);
	if (r == 0 && st.ino != told->staging_ino) {
		r = -ESTALE;
	}
	return r < 0 ? commit_fail(cm, r, COMMIT_STAGING, "the staging directory") : 0;
}

/* Forwards; where that meets a conflict, backwards. */
static int
settle_rows(struct commit *cm, struct commit_told *told)
{
	int r = commit_delete(cm);

	r = r < 0 ? r : commit_put(cm);
	r = r < 0 ? r : commit_modes(cm);
	told->finished = r == 0;
	if (r == -ESTALE) {
		r = commit_take_back(cm);
	}
	if (r < 0) {
		return r;
	}
	commit_tighten(cm, told->finished);
	r = commit_sync(cm);
	return r < 0 ? r : commit_journal_done(cm, told->finished);
}

/*
 * Device numbers may be others since the machine started again (device mapper, btrfs). All that a
 * commit moves is on the file system of the workspace's root.
 */
static void
renumber(struct commit *cm, uint64_t was)
{
	for (size_t i = 0; i < cm->count; i++) {
		struct commit_row *row = &cm->rows[i];

		row->old.dev = row->old.dev == was ? cm->workspace_dev : row->old.dev;
		row->new.dev = row->new.dev == was ? cm->workspace_dev : row->new.dev;
	}
}

/* Something was deleted already: then the rows had been durable, whatever the file says now. */
static bool
holds_displaced(const struct commit *cm)
{
	struct fs_names names = FS_NAMES_INIT;
	auto_fd fd = fsat_open(cm->workspace_fd, COMMIT_STAGING, O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? fd : fsat_list(fd, SIZE_MAX, &names);
	bool found = false;

	for (size_t i = 0; r == 0 && i < names.count; i++) {
		found = found || names.items[i][0] == 'd';
	}
	fsat_names_finish(&names);
	return found;
}

static int
recover_begun(struct store *s, const struct commit_left *left, struct commit *cm,
	      enum commit_recovered *ret)
{
	struct commit_told told = { .has_rows = false };
	int r = commit_journal_read(left, cm, &told);

	if (r == 0 && !told.has_rows && holds_displaced(cm)) {
		return err_set(cm->err, -EBADMSG,
			       "its journal %s is damaged: what the commit displaced is in %s, and "
			       "`airlock show` says what stood where",
			       cm->name, COMMIT_STAGING);
	}
	if (r == 0 && ftruncate(cm->journal_fd, (off_t)told.whole) < 0) {
		r = -errno;
	}
	if (r < 0) {
		return err_sys(cm->err, r, "commit: journal %s", cm->name);
	}
	renumber(cm, left->workspace_dev);
	if (told.has_rows) {
		r = open_staging(cm, &told);
		r = r < 0 || told.is_done ? r : settle_rows(cm, &told);
		r = r < 0 ? r : append_record(s, &told, cm->err);
		if (r == 0 && told.finished) {
			/* it was held until now; later calls must not see it a second time */
			r = layer_forget(s, left->call);
			r = r < 0 ? err_sys(cm->err, r, "remove the held change set") : 0;
		}
	}
	if (r < 0) {
		return r;
	}
	*ret = !told.has_rows ? COMMIT_NOTHING : told.finished ? COMMIT_FINISHED : COMMIT_UNDONE;
	commit_tighten(cm, told.finished);
	return commit_clean(cm);
}

int
commit_recover(struct store *s, struct commit_left *left, int workspace_fd,
	       enum commit_recovered *ret, struct err *err)
{
	auto_fd commits_fd = commit_open_dir(s, err);
	struct commit cm = {
		.err = err,
		.workspace_fd = workspace_fd,
		.commits_fd = commits_fd,
		.staging_fd = -1,
		.journal_fd = left->fd,
		.workspace = { .root_fd = workspace_fd, .fd = -1, .is_workspace = true },
		.upper = { .root_fd = -1, .fd = -1 },
		.resumed = true,
	};
	struct fs_stat st;
	int r = commits_fd < 0 ? commits_fd : 0;

	memcpy(cm.name, left->name, sizeof(cm.name));
	*ret = COMMIT_NOTHING;
	if (r == 0 && left->workspace[0] != '\0') {
		r = fsat_stat(workspace_fd, "", &st);
		if (r == 0 && st.ino != left->workspace_ino) {
			r = err_set(cm.err, -ESTALE,
				    "another directory stands where the commit was made: move "
				    "that one back");
		}
		cm.workspace_dev = st.dev;
		r = r < 0 ? r : recover_begun(s, left, &cm, ret);
	}
	r = r < 0 ? r : commit_journal_remove(&cm);
	cm.journal_fd = -1; /* left's */
	commit_free(&cm);
	return r;
}
