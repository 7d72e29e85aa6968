/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All new content, made durable beside its place. Touches no entry of the workspace but its own
 * directory. Run as commit.h says; the upper was filled by a tool.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "commit_internal.h"
#include "xattrs.h"

#define COPY_SIZE (128u << 10)
#define HOLE_SIZE 4096u

static int
taken(struct commit *cm)
{
	return err_set(cm->err, -EEXIST,
		       "%s stands in the workspace: a commit of another user's (who runs "
		       "`airlock recover`), or somebody's own directory of that name",
		       COMMIT_STAGING);
}

/*
 * Killed after its header, a commit is taken for the one whose staging directory that is; what is
 * in another's, of another state directory, may be all that is left of somebody's files.
 */
int
commit_room(struct commit *cm)
{
	struct fs_stat st;
	int r = fsat_stat(cm->workspace_fd, COMMIT_STAGING, &st);

	if (r == 0) {
		return taken(cm);
	}
	return r == -ENOENT ? 0 : commit_fail(cm, r, COMMIT_STAGING, "staging directory");
}

static int
make_staging(struct commit *cm)
{
	struct fs_stat st;
	int r = fsat_stat(cm->workspace_fd, "", &st);

	if (r == 0 && (st.mode & S_IWUSR) == 0 && geteuid() != 0 && st.uid == geteuid()) {
		r = commit_loosen(cm, &cm->workspace, "", 0, cm->workspace_fd, &st);
	}
	if (r == 0 && mkdirat(cm->workspace_fd, COMMIT_STAGING, 0700) < 0) {
		r = -errno;
	}
	if (r == -EEXIST) {
		return taken(cm);
	}
	if (r < 0) {
		return commit_fail(cm, r, COMMIT_STAGING, "staging directory");
	}
	cm->staging_fd = fsat_open(cm->workspace_fd, COMMIT_STAGING, O_RDONLY | O_DIRECTORY);
	return cm->staging_fd < 0
		     ? commit_fail(cm, cm->staging_fd, COMMIT_STAGING, "staging directory")
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
copy_bytes(const struct commit *cm, const int fds[2], const struct change *c, bool sparse)
{
	const int from_fd = fds[0], to_fd = fds[1];
	auto_free uint8_t *piece = malloc(COPY_SIZE);
	uint8_t digest[SHA256_SIZE];
	struct sha256 hash;
	uint64_t at = 0;

	if (piece == NULL) {
		return -ENOMEM;
	}
	sha256_init(&hash);
	for (;;) {
		int r = until_check(cm->req->until);
		ssize_t n = r < 0 ? 0 : read(from_fd, piece, COPY_SIZE);

		if (r < 0) {
			return r;
		}
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

/*
 * An entry of the upper, its stat and its attributes (added to what attributes holds); a file or
 * directory without rights is opened all the same. Attributes ask for the right each time, not for
 * the descriptor's: they are read before the mode is put back.
 */
static int
open_upper(struct commit *cm, const char *path, int flags, struct fs_stat *ret_st,
	   struct buf *attributes)
{
	const char *name;
	bool fresh, forced;
	int dir = commit_dir_open(cm, &cm->upper, path, &name, &fresh);
	int r = dir < 0 ? dir : fsat_stat(dir, name, ret_st);
	auto_fd fd = -1;

	if (r < 0) {
		return r;
	}
	fd = fsat_open_forced(dir, name, ret_st, flags, S_IRUSR, &forced);
	if (fd < 0) {
		return fd;
	}
	r = xattrs_save(fd, attributes);
	if (forced) {
		int back = fsat_chmod(fd, ret_st->mode);

		r = r < 0 ? r : back;
	}
	return r < 0 ? r : take_fd(&fd);
}

/* Onto an entry that was just made, and so has none. */
static int
give_xattrs(int fd, const struct buf *attributes)
{
	return attributes->len == 0 ? 0 : xattrs_restore(fd, attributes->data, attributes->len);
}

static int
stage_file(struct commit *cm, const struct change *c, const char *entry)
{
	struct timespec times[2];
	struct fs_stat st;
	auto_buf attributes = BUF_INIT;
	auto_fd from = open_upper(cm, c->path, O_RDONLY, &st, &attributes);
	auto_fd to = -1;
	int r;

	if (from < 0 || !S_ISREG(st.mode)) {
		return from < 0 ? from : -ESTALE;
	}
	to = openat(cm->staging_fd, entry, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (to < 0) {
		return -errno;
	}
	fsat_times(st.mtime_ns, times);
	r = copy_bytes(cm, (const int[]){ from, to }, c, st.blocks * 512 < st.size);
	r = r < 0 ? r : set_owner(cm, entry);
	r = r < 0 ? r : give_xattrs(to, &attributes);
	if (r == 0 && (fchmod(to, fsat_kept_mode(c->mode_after)) < 0 || futimens(to, times) < 0)) {
		r = -errno;
	}
	if (r == 0 && cm->req->changes->count <= COMMIT_SYNC_EACH && fsync(to) < 0) {
		r = -errno;
	}
	return r;
}

/* Its mode comes last of all: children have to be put into it. */
static int
stage_directory(struct commit *cm, const struct change *c, const char *entry)
{
	struct fs_stat st;
	auto_buf attributes = BUF_INIT;
	auto_fd from = open_upper(cm, c->path, O_RDONLY | O_DIRECTORY, &st, &attributes);
	auto_fd to = -1;
	int r;

	if (from < 0) {
		return from;
	}
	if (mkdirat(cm->staging_fd, entry, 0700) < 0) {
		return -errno;
	}
	r = set_owner(cm, entry);
	to = r < 0 ? r : fsat_open(cm->staging_fd, entry, O_RDONLY | O_DIRECTORY);
	return to < 0 ? to : give_xattrs(to, &attributes);
}

static int
stage_one(struct commit *cm, const struct change *c, size_t i, struct commit_row *row)
{
	char entry[COMMIT_ENTRY_MAX];
	struct fs_stat st;
	int r;

	commit_entry_name(i, false, entry);
	if (S_ISREG(c->mode_after)) {
		r = stage_file(cm, c, entry);
	} else if (S_ISDIR(c->mode_after)) {
		r = stage_directory(cm, c, entry);
	} else if (c->link_after != NULL) {
		r = symlinkat(c->link_after, cm->staging_fd, entry) < 0 ? -errno
									: set_owner(cm, entry);
	} else {
		r = -EINVAL;
	}
	r = r < 0 ? r : fsat_stat(cm->staging_fd, entry, &st);
	if (r < 0) {
		return commit_fail(cm, r, c->path, "stage");
	}
	row->new = (struct commit_ident){ .dev = st.dev,
					  .ino = st.ino,
					  .size = S_ISREG(st.mode) ? st.size : 0,
					  .mtime_ns = st.mtime_ns };
	return 0;
}

/* A directory that its owner cannot read does not show its attributes either. */
static int
open_touched(struct commit *cm, const struct change *c)
{
	const char *name;
	bool fresh;
	int dir = commit_dir_open(cm, &cm->workspace, c->path, &name, &fresh);
	auto_fd fd = dir < 0 ? dir : fsat_open(dir, name, O_PATH);
	struct fs_stat st;
	int r = fd < 0 ? fd : fsat_stat(fd, "", &st);

	if (r == 0 && S_ISDIR(st.mode) && (st.mode & S_IRUSR) == 0 && geteuid() != 0 &&
	    st.uid == geteuid()) {
		r = commit_loosen(cm, &cm->workspace, c->path, strlen(c->path), fd, &st);
	}
	return r < 0 ? r : take_fd(&fd);
}

static int
save_attributes(struct commit *cm, const struct change *c, struct commit_row *row)
{
	auto_buf attributes = BUF_INIT;
	struct fs_stat st;
	auto_fd before = -1, after = -1;
	int r;

	if (!S_ISREG(c->mode_after) && !S_ISDIR(c->mode_after)) {
		return 0;
	}
	before = open_touched(cm, c);
	after = before < 0 ? -1 : open_upper(cm, c->path, O_RDONLY, &st, &attributes);
	if (before < 0 || after < 0) {
		return commit_fail(cm, before < 0 ? before : after, c->path, "attributes");
	}
	row->xattrs_before.at = cm->attributes.len;
	r = xattrs_save(before, &cm->attributes);
	row->xattrs_before.len = cm->attributes.len - row->xattrs_before.at;
	row->xattrs_after.at = cm->attributes.len;
	buf_put(&cm->attributes, attributes.data, attributes.len);
	r = r < 0 ? r : buf_error(&cm->attributes);
	row->xattrs_after.len = cm->attributes.len - row->xattrs_after.at;
	if (r < 0) {
		return commit_fail(cm, r, c->path, "attributes");
	}
	row->sets_xattrs =
		row->xattrs_before.len != row->xattrs_after.len ||
		(row->xattrs_before.len > 0 &&
		 memcmp(cm->attributes.data + row->xattrs_before.at,
			cm->attributes.data + row->xattrs_after.at, row->xattrs_before.len) != 0);
	return 0;
}

static int
make_row(struct commit *cm, const struct change *c)
{
	size_t i = cm->count;
	struct commit_row *row = &cm->rows[i];

	*row = (struct commit_row){
		.kind = c->kind,
		.path = c->path,
		.before = c->mode_before,
		.after = fsat_kept_mode(c->mode_after),
		.old = { .dev = c->lower_dev,
			 .ino = c->lower_ino,
			 .size = c->size_before,
			 .mtime_ns = c->lower_mtime_ns },
	};
	cm->count++;
	if (commit_stages(row)) {
		return stage_one(cm, c, i, row);
	}
	return c->kind == CHANGE_MODE ? save_attributes(cm, c, row) : 0;
}

int
commit_stage(struct commit *cm)
{
	const struct change_set *cs = cm->req->changes;
	int r = make_staging(cm);

	cm->rows = r == 0 ? calloc(cs->count, sizeof(*cm->rows)) : NULL;
	if (r == 0 && cm->rows == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < cs->count; i++) {
		if (!commit_skips(&cs->items[i])) {
			r = make_row(cm, &cs->items[i]);
		}
	}
	if (r == 0 && cs->count > COMMIT_SYNC_EACH && syncfs(cm->staging_fd) < 0) {
		r = commit_fail(cm, -errno, COMMIT_STAGING, "sync");
	}
	return r;
}
