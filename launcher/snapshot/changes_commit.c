/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commit's order: check all, stage all, apply, sync, clean. Run by the front as the workspace's
 * owner (or root for a workspace of root), over a workspace that others may change at the same
 * moment: what was checked is checked again by the inode that a rename displaced. No path goes
 * through a link.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/limits.h"
#include "../base/text.h"
#include "commit_internal.h"
#include "names_internal.h"
#include "xattrs.h"

#define COPY_SIZE (128u << 10)
#define HOLE_SIZE 4096u

/* ---- shared by the steps ----------------------------------------------------------------------
 */

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
commit_fail(struct commit *cm, int code, const char *path, const char *what)
{
	return err_sys(cm->err, code, "commit: %s: %s", tail_of(path), what);
}

void
commit_entry_name(size_t i, bool deleted, char ret_name[COMMIT_ENTRY_MAX])
{
	snprintf(ret_name, COMMIT_ENTRY_MAX, "%c%zu", deleted ? 'd' : 'n', i);
}

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

bool
commit_stages(const struct change *c)
{
	return (c->kind == CHANGE_CREATE || c->kind == CHANGE_MODIFY ||
		c->kind == CHANGE_REPLACE) &&
	       !commit_skips(c);
}

mode_t
commit_mode(mode_t mode_after)
{
	/* a directory's set-group-id bit only says which group new entries get */
	return mode_after & (S_ISDIR(mode_after) ? 03777 : 0777);
}

void
commit_dir_close(struct commit_dir *d)
{
	cleanup_fd(&d->fd);
	d->fd = -1;
	buf_finish(&d->path);
}

int
commit_loosen(struct commit *cm, const struct commit_dir *d, const char *path, size_t path_len,
	      int fd, const struct fs_stat *st)
{
	size_t cap = cm->loosened_cap == 0 ? 8 : cm->loosened_cap * 2;
	struct commit_loosened *grown, one = { .root_fd = d->root_fd, .mode = st->mode };
	int r;

	if (cm->loosened_count == cm->loosened_cap) {
		grown = realloc(cm->loosened, cap * sizeof(*grown));
		if (grown == NULL) {
			return -ENOMEM;
		}
		cm->loosened = grown;
		cm->loosened_cap = cap;
	}
	one.path = strndup(path, path_len);
	if (one.path == NULL) {
		return -ENOMEM;
	}
	r = fsat_chmod(fd, st->mode | S_IRWXU);
	if (r < 0) {
		free(one.path);
		return r;
	}
	cm->loosened[cm->loosened_count++] = one;
	return 0;
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
	if (fd == -EACCES && d->loosen) {
		fd = open_loosened(cm, d, buf_text(&d->path));
	}
	if (fd < 0) {
		return fd;
	}
	r = d->loosen ? add_rights(cm, d, fd) : 0;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fresh = true;
	d->fd = fd;
	return fd;
}

/* ---- step: check -------------------------------------------------------------------------------
 */

static bool
is_made_here(const struct change_set *cs, const struct change *c)
{
	const char *slash = strrchr(c->path, '/');
	const struct change *parent;
	char *copy;

	if (c->kind != CHANGE_CREATE || slash == NULL) {
		return false;
	}
	copy = strndup(c->path, (size_t)(slash - c->path));
	parent = copy != NULL ? changes_find(cs, copy) : NULL;
	free(copy);
	return parent != NULL && S_ISDIR(parent->mode_after) &&
	       (parent->kind == CHANGE_CREATE || parent->kind == CHANGE_REPLACE);
}

static bool
is_as_collected(const struct change *c, const struct fs_stat *st)
{
	return st->dev == c->lower_dev && st->ino == c->lower_ino &&
	       st->ctime_ns == c->lower_ctime_ns && st->mtime_ns == c->lower_mtime_ns &&
	       st->mode == c->mode_before && (!S_ISREG(st->mode) || st->size == c->size_before);
}

static int
check_one(struct commit *cm, const struct change *c)
{
	struct fs_stat st;
	const char *name, *rule;
	bool fresh;
	int r;

	if (names_class(c->path, 0, &rule) == NAME_NEVER) {
		return err_set(cm->err, -EPERM, "commit: %s: never committed: %s", tail_of(c->path),
			       rule);
	}
	if (is_special(c->mode_after) && c->kind == CHANGE_REPLACE) {
		return err_set(
			cm->err, -EPERM,
			"commit: %s: a socket, fifo or device never takes the place of a file",
			tail_of(c->path));
	}
	if (commit_skips(c) || is_made_here(cm->req->changes, c)) {
		return 0;
	}
	r = commit_dir_open(cm, &cm->workspace, c->path, &name, &fresh);
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EXDEV) {
		return commit_conflict(cm, c->path,
				       "its directory is not the one that the call saw");
	}
	if (r < 0) {
		return commit_fail(cm, r, c->path, "its directory");
	}
	r = fresh ? fsat_stat(cm->workspace.fd, "", &st) : 0;
	if (r == 0 && fresh && st.ctime_ns >= cm->req->start_ns) {
		return commit_conflict(cm, c->path, "its directory was changed during the call");
	}
	r = r < 0 ? r : fsat_stat(cm->workspace.fd, name, &st);
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
	return 0;
}

static int
commit_check(struct commit *cm)
{
	const struct change_set *cs = cm->req->changes;
	int r = 0;

	for (size_t i = 0; r == 0 && i < cs->count; i++) {
		r = check_one(cm, &cs->items[i]);
	}
	commit_dir_close(&cm->workspace);
	return r;
}

/* ---- step: stage -------------------------------------------------------------------------------
 */

static int
make_staging(struct commit *cm)
{
	struct fs_stat st;
	char call[9];
	int r;

	text_hex(cm->req->call + 12, 4, call);
	snprintf(cm->staging, sizeof(cm->staging), "%s%s", COMMIT_PREFIX, call);
	r = fsat_stat(cm->req->workspace_fd, "", &st);
	if (r == 0 && (st.mode & S_IWUSR) == 0 && geteuid() != 0 && st.uid == geteuid()) {
		r = commit_loosen(cm, &cm->workspace, "", 0, cm->req->workspace_fd, &st);
	}
	if (r == 0 && mkdirat(cm->req->workspace_fd, cm->staging, 0700) < 0) {
		r = -errno;
	}
	if (r < 0) {
		return commit_fail(cm, r, cm->staging,
				   r == -EEXIST ? "left by an earlier commit"
						: "staging directory");
	}
	cm->staging_fd = fsat_open(cm->req->workspace_fd, cm->staging, O_RDONLY | O_DIRECTORY);
	return cm->staging_fd < 0
		       ? commit_fail(cm, cm->staging_fd, cm->staging, "staging directory")
		       : 0;
}

static bool
is_zero(const uint8_t *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Writes a piece, leaving out blocks of zeros where the source had holes. */
static int
write_piece(int fd, const uint8_t *p, size_t len, off_t at, bool sparse)
{
	while (len > 0) {
		size_t piece = sparse && len > HOLE_SIZE ? HOLE_SIZE : len;
		int r = sparse && is_zero(p, piece) ? 0 : fdio_pwrite(fd, p, piece, at);

		if (r < 0) {
			return r;
		}
		p += piece;
		at += (off_t)piece;
		len -= piece;
	}
	return 0;
}

/* What is written is what was digested: read once, hashed on the way. */
static int
copy_bytes(int from_fd, int to_fd, const struct change *c, bool sparse)
{
	auto_free uint8_t *piece = malloc(COPY_SIZE);
	uint8_t digest[SHA256_SIZE];
	struct sha256 hash;
	uint64_t at = 0;

	if (piece == NULL) {
		return -ENOMEM;
	}
	sha256_init(&hash);
	for (;;) {
		ssize_t n = read(from_fd, piece, COPY_SIZE);
		int r;

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		if (n == 0) {
			break;
		}
		if ((uint64_t)n > c->size_after - at) {
			return -ESTALE;
		}
		sha256_update(&hash, piece, (size_t)n);
		r = write_piece(to_fd, piece, (size_t)n, (off_t)at, sparse);
		if (r < 0) {
			return r;
		}
		at += (uint64_t)n;
	}
	sha256_final(&hash, digest);
	if (at != c->size_after || !c->after_known ||
	    memcmp(digest, c->after, sizeof(digest)) != 0) {
		return -ESTALE;
	}
	return sparse && ftruncate(to_fd, (off_t)at) < 0 ? -errno : 0;
}

/*
 * Root gives everything to the owner; a plain user may at most change the group. EINVAL: the id is
 * not mapped in our user namespace, so nobody here could give it; the entry keeps ours.
 */
static int
set_owner(struct commit *cm, const char *entry)
{
	bool must = geteuid() == 0;

	if (fchownat(cm->staging_fd, entry, must ? cm->req->owner_uid : (uid_t)-1,
		     cm->req->owner_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno != EINVAL && (must || errno != EPERM)) {
		return -errno;
	}
	return 0;
}

static int
stage_file(struct commit *cm, const struct change *c, const char *entry)
{
	auto_fd from = -1, to = -1;
	struct fs_stat st;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = 0 } };
	const char *name;
	bool fresh, forced;
	int dir = commit_dir_open(cm, &cm->upper, c->path, &name, &fresh);
	int r = dir < 0 ? dir : fsat_stat(dir, name, &st);

	if (r < 0) {
		return r;
	}
	from = fsat_open_forced(dir, name, &st, O_RDONLY, S_IRUSR, &forced);
	if (from < 0) {
		return from;
	}
	r = forced ? fsat_chmod(from, st.mode) : 0;
	if (r < 0 || !S_ISREG(st.mode)) {
		return r < 0 ? r : -ESTALE;
	}
	to = openat(cm->staging_fd, entry, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (to < 0) {
		return -errno;
	}
	times[1].tv_sec = (time_t)(st.mtime_ns / 1000000000);
	times[1].tv_nsec = (long)(st.mtime_ns % 1000000000);
	r = copy_bytes(from, to, c, st.blocks * 512 < st.size);
	r = r < 0 ? r : set_owner(cm, entry);
	r = r < 0 ? r : xattrs_copy(from, to);
	if (r == 0 && (fchmod(to, commit_mode(c->mode_after)) < 0 || futimens(to, times) < 0)) {
		r = -errno;
	}
	if (r == 0 && cm->req->changes->count <= COMMIT_SYNC_EACH && fsync(to) < 0) {
		r = -errno;
	}
	return r;
}

static int
stage_one(struct commit *cm, const struct change *c, size_t i)
{
	char entry[COMMIT_ENTRY_MAX];
	int r;

	commit_entry_name(i, false, entry);
	if (S_ISREG(c->mode_after)) {
		r = stage_file(cm, c, entry);
	} else if (S_ISDIR(c->mode_after)) {
		r = mkdirat(cm->staging_fd, entry, 0700) < 0 ? -errno : set_owner(cm, entry);
	} else if (c->link_after != NULL) {
		r = symlinkat(c->link_after, cm->staging_fd, entry) < 0 ? -errno
									: set_owner(cm, entry);
	} else {
		r = -EINVAL;
	}
	return r < 0 ? commit_fail(cm, r, c->path, "stage") : 0;
}

static int
commit_stage(struct commit *cm)
{
	const struct change_set *cs = cm->req->changes;
	int r = make_staging(cm);

	for (size_t i = 0; r == 0 && i < cs->count; i++) {
		if (commit_stages(&cs->items[i])) {
			r = stage_one(cm, &cs->items[i], i);
		}
	}
	if (r == 0 && cs->count > COMMIT_SYNC_EACH && syncfs(cm->staging_fd) < 0) {
		r = commit_fail(cm, -errno, cm->staging, "sync");
	}
	return r;
}

/* ---- step: clean -------------------------------------------------------------------------------
 */

static int
commit_clean(struct commit *cm)
{
	struct fs_names names = FS_NAMES_INIT;
	int r;

	if (cm->staging_fd < 0) {
		return 0;
	}
	r = fsat_list(cm->staging_fd, SIZE_MAX, &names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (unlinkat(cm->staging_fd, names.items[i], 0) < 0 &&
		    unlinkat(cm->staging_fd, names.items[i], AT_REMOVEDIR) < 0) {
			r = -errno;
		}
	}
	fsat_names_finish(&names);
	if (r == 0 && unlinkat(cm->req->workspace_fd, cm->staging, AT_REMOVEDIR) < 0) {
		r = -errno;
	}
	return r < 0 ? commit_fail(cm, r, cm->staging, "clean") : 0;
}

/* Deepest last in, first out; what the set itself gave a mode, or deleted, is left alone. */
static void
restore_modes(struct commit *cm, bool finished)
{
	while (cm->loosened_count > 0) {
		struct commit_loosened *l = &cm->loosened[--cm->loosened_count];
		bool decided = finished && l->root_fd == cm->req->workspace_fd &&
			       l->path[0] != '\0' &&
			       changes_find(cm->req->changes, l->path) != NULL;
		int fd = decided ? -1 : fsat_open_path(l->root_fd, l->path, O_PATH | O_DIRECTORY);

		if (fd >= 0) {
			ignore_err(fsat_chmod(fd, l->mode),
				   "the owner's extra right is all that stays");
			close(fd);
		}
		free(l->path);
	}
	free(cm->loosened);
}

/* ---- the order ---------------------------------------------------------------------------------
 */

/* clang-format off */
static const struct commit_step {
	const char *name;
	int (*run)(struct commit *cm);
} commit_steps[] = {
	/* should: compare all with what was collected. Must not write anything */
	{ .name = "check",  .run = commit_check },
	/* should: make all new content durable beside its place. Must not touch an entry */
	{ .name = "stage",  .run = commit_stage },
	/* should: take children before parents */
	{ .name = "delete", .run = commit_delete },
	/* should: place parents before children, writable until the end */
	{ .name = "put",    .run = commit_put },
	/* should: go children before parents: a parent may close itself */
	{ .name = "modes",  .run = commit_modes },
	/* should: make every touched directory durable */
	{ .name = "sync",   .run = commit_sync },
	/* should: remove what was displaced. Must not run before sync */
	{ .name = "clean",  .run = commit_clean },
};
/* clang-format on */

static int
finish(struct commit *cm, int code)
{
	bool partial = code < 0 && (cm->applied > 0 || cm->dirty);

	commit_dir_close(&cm->workspace);
	commit_dir_close(&cm->upper);
	if (code < 0 && !partial) {
		struct err kept = ERR_INIT;

		if (cm->err != NULL) {
			kept = *cm->err;
		}
		ignore_err(commit_clean(cm), "the failure that led here is what counts");
		if (cm->err != NULL) {
			*cm->err = kept;
		}
	}
	restore_modes(cm, code == 0);
	cleanup_fd(&cm->staging_fd);
	if (!partial) {
		return code;
	}
	err_prefix(cm->err,
		   "%llu of %zu changes were applied, the rest and what was displaced is in %s",
		   (unsigned long long)cm->applied, cm->req->changes->count, cm->staging);
	if (cm->err != NULL) {
		cm->err->code = -EIO;
	}
	return -EIO;
}

int
changes_commit(const struct commit_request *req, uint64_t *ret_applied, struct err *err)
{
	struct commit cm = {
		.req = req,
		.err = err,
		.staging_fd = -1,
		.workspace = { .root_fd = req->workspace_fd, .fd = -1, .path = BUF_INIT },
		.upper = { .root_fd = req->upper_fd, .fd = -1, .path = BUF_INIT, .loosen = true },
	};
	int r = 0;

	if (req->changes->count == 0) {
		*ret_applied = 0;
		return 0;
	}
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(commit_steps); i++) {
		r = commit_steps[i].run(&cm);
	}
	r = finish(&cm, r);
	if (r == 0 || r == -EIO) {
		*ret_applied = cm.applied;
	}
	return r;
}
