/* SPDX-License-Identifier: Apache-2.0 */
/* Run as invert.h says. */
#include "invert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "changes_internal.h"
#include "commit_internal.h"
#include "xattrs.h"

#define COPY_SIZE (128u << 10)

struct invert {
	const struct invert_request *req;
	struct err *err;
	struct buf *lost;
	struct buf modes; /* directories whose mode comes last: u32 mode, str path */
	bool has_lost;
};

static int
fail(struct invert *v, int code, const char *path)
{
	return v->err->code == code ? code : err_sys(v->err, code, "undo: %s", path);
}

static void
note_path(struct buf *out, const char *path)
{
	buf_puts(out, "  ");
	text_safe(out, path, strlen(path), false);
	buf_putc(out, '\n');
}

/* ---- directories of the upper ------------------------------------------------------------------
 */

static int
make_directory(struct invert *v, const char *path, mode_t mode, const void *attributes, size_t len)
{
	auto_fd fd = -1;

	if (mkdirat(v->req->upper_fd, path, 0700) < 0) {
		return -errno;
	}
	buf_u32(&v->modes, (uint32_t)mode & 07777);
	buf_str(&v->modes, path);
	if (len == 0) {
		return buf_error(&v->modes);
	}
	fd = fsat_open_path(v->req->upper_fd, path, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? fd : xattrs_restore(fd, attributes, len);
}

static int
restore_directory(struct invert *v, const struct change *c)
{
	return make_directory(v, c->path, fsat_kept_mode(c->mode_before), c->attributes_before,
			      c->attributes_before_len);
}

/* One that is no change of its own is there as the workspace has it, and so is none. */
static int
copy_directory(struct invert *v, const char *path)
{
	auto_buf attributes = BUF_INIT;
	auto_fd there = fsat_open_path(v->req->workspace_fd, path, O_PATH | O_DIRECTORY);
	struct fs_stat st;
	int r = there < 0 ? there : fsat_stat(there, "", &st);

	if (r < 0) {
		return r;
	}
	r = xattrs_save(there, &attributes);
	return r < 0 && r != -EACCES
		     ? r
		     : make_directory(v, path, st.mode, attributes.data, attributes.len);
}

static int
make_parents(struct invert *v, const char *path)
{
	auto_free char *copy = strdup(path);
	int r = copy == NULL ? -ENOMEM : 0;

	for (char *slash = copy != NULL ? strchr(copy, '/') : NULL; r == 0 && slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		struct stat st;

		*slash = '\0';
		if (fstatat(v->req->upper_fd, copy, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			r = errno == ENOENT ? copy_directory(v, copy) : -errno;
		} else if (!S_ISDIR(st.st_mode)) {
			r = -ENOTDIR;
		}
		*slash = '/';
	}
	return r;
}

/* Children before their directories. */
static int
set_modes(struct invert *v)
{
	struct rd in = { .p = v->modes.data, .left = v->modes.len };
	auto_free const char **paths = NULL;
	auto_free mode_t *modes = NULL;
	size_t count = 0;
	int r = buf_error(&v->modes);

	/* four bytes of mode and six of an empty path at the least */
	paths = calloc(v->modes.len / 9 + 1, sizeof(*paths));
	modes = calloc(v->modes.len / 9 + 1, sizeof(*modes));
	if (paths == NULL || modes == NULL) {
		return -ENOMEM;
	}
	while (r == 0 && in.left > 0) {
		modes[count] = rd_u32(&in);
		paths[count++] = rd_str(&in);
	}
	while (r == 0 && count-- > 0) {
		auto_fd fd = fsat_open_path(v->req->upper_fd, paths[count], O_PATH | O_DIRECTORY);

		r = fd < 0 ? fd : fsat_chmod(fd, modes[count]);
	}
	return r;
}

/* ---- entries -----------------------------------------------------------------------------------
 */

static int
finish_file(int fd, const struct change *c)
{
	struct timespec times[2];
	int r = c->attributes_before_len == 0
		      ? 0
		      : xattrs_restore(fd, c->attributes_before, c->attributes_before_len);

	fsat_times(c->lower_mtime_ns, times);
	if (c->lower_mtime_ns == 0) {
		times[1].tv_nsec = UTIME_OMIT; /* a record without it */
	}
	if (r == 0 && (fchmod(fd, fsat_kept_mode(c->mode_before)) < 0 || futimens(fd, times) < 0)) {
		r = -errno;
	}
	return r;
}

static int
make_file(const struct invert *v, const char *path)
{
	int fd = openat(v->req->upper_fd, path,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int
whiteout(struct invert *v, const char *path)
{
	auto_fd fd = make_file(v, path);

	if (fd < 0) {
		return fd;
	}
	return fsetxattr(fd, "user.overlay.whiteout", "y", 1, 0) < 0 ? -errno : 0;
}

/* What stood there, out of the store. */
static int
restore_content(struct invert *v, const struct change *c)
{
	auto_buf bytes = BUF_INIT;
	auto_fd fd = -1;
	int r = !c->before_known ? -ENODATA
				 : v->req->content(v->req->arg, c->before, &bytes, v->err);

	if (r == -ENODATA || (!S_ISREG(c->mode_before) && !S_ISLNK(c->mode_before))) {
		note_path(v->lost, c->path);
		v->has_lost = true;
		return 0;
	}
	if (r < 0 || v->has_lost) {
		return r;
	}
	if (S_ISLNK(c->mode_before)) {
		return symlinkat(buf_text(&bytes), v->req->upper_fd, c->path) < 0 ? -errno : 0;
	}
	fd = make_file(v, c->path);
	r = fd < 0 ? fd : fdio_write(fd, bytes.data, bytes.len);
	return r < 0 ? r : finish_file(fd, c);
}

static int
copy_bytes(int from_fd, int to_fd)
{
	auto_free uint8_t *piece = malloc(COPY_SIZE);

	if (piece == NULL) {
		return -ENOMEM;
	}
	for (;;) {
		ssize_t n = read(from_fd, piece, COPY_SIZE);
		int r;

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : 0;
		}
		r = fdio_write(to_fd, piece, (size_t)n);
		if (r < 0) {
			return r;
		}
	}
}

/* Bytes as they are in the workspace, which an upper has to have. */
static int
restore_mode(struct invert *v, const struct change *c)
{
	const char *slash = strrchr(c->path, '/');
	auto_free char *parent = strndup(c->path, slash != NULL ? (size_t)(slash - c->path) : 0);
	auto_fd dir = -1, from = -1, to = -1;
	struct fs_stat st;
	bool forced;
	int r;

	if (S_ISDIR(c->mode_before)) {
		return restore_directory(v, c);
	}
	dir = parent == NULL ? -ENOMEM
			     : fsat_open_path(v->req->workspace_fd, parent, O_PATH | O_DIRECTORY);
	r = dir < 0 ? dir : fsat_stat(dir, slash != NULL ? slash + 1 : c->path, &st);
	if (r < 0) {
		return r;
	}
	from = fsat_open_forced(dir, slash != NULL ? slash + 1 : c->path, &st, O_RDONLY, S_IRUSR,
				&forced);
	r = from < 0 ? from : forced ? fsat_chmod(from, st.mode) : 0;
	if (r < 0) {
		return r;
	}
	to = make_file(v, c->path);
	r = to < 0 ? to : copy_bytes(from, to);
	return r < 0 ? r : finish_file(to, c);
}

static int
invert_one(struct invert *v, const struct change *c)
{
	int r = 0;

	/* below a directory that goes away as a whole nothing is left to be said */
	if (commit_skips(c) || changes_comes_with_parent(v->req->changes, c)) {
		return 0;
	}
	r = make_parents(v, c->path);
	if (r < 0) {
		return r;
	}
	switch (c->kind) {
	case CHANGE_CREATE:
		return whiteout(v, c->path);
	case CHANGE_MODE:
		return restore_mode(v, c);
	case CHANGE_MODIFY:
	case CHANGE_DELETE:
	case CHANGE_REPLACE:
		return S_ISDIR(c->mode_before) ? restore_directory(v, c) : restore_content(v, c);
	case CHANGE__COUNT:
		break;
	}
	return -EINVAL;
}

int
changes_invert(const struct invert_request *req, struct buf *lost, struct err *err)
{
	struct invert v = { .req = req, .err = err, .lost = lost, .modes = BUF_INIT };
	int r = 0;

	for (size_t i = 0; r == 0 && i < req->changes->count; i++) {
		r = invert_one(&v, &req->changes->items[i]);
		if (r < 0) {
			r = fail(&v, r, req->changes->items[i].path);
		}
	}
	r = r < 0 ? r : set_modes(&v);
	buf_finish(&v.modes);
	if (r == 0 && v.has_lost) {
		r = -ENODATA;
	}
	return r;
}

/* ---- the comparison ----------------------------------------------------------------------------
 */

/* One that its owner cannot read is known by its size. */
static bool
is_what_was_left(const struct change *c, const struct change *inverse)
{
	if (!c->after_known) {
		return true;
	}
	if (!inverse->before_known) {
		return (c->mode_after & S_IRUSR) == 0 && inverse->size_before == c->size_after;
	}
	return memcmp(inverse->before, c->after, SHA256_SIZE) == 0;
}

/* Only bits that no commit keeps: the inverse leaves them off too, and is then no change. */
static bool
is_of_lost_bits(const struct change *c)
{
	bool same_bytes = c->before_known && c->after_known &&
			  memcmp(c->before, c->after, SHA256_SIZE) == 0;

	/* of an inode with two names a change of the mode is told as one of its content */
	return (c->kind == CHANGE_MODE || (c->kind == CHANGE_MODIFY && same_bytes)) &&
	       fsat_kept_mode(c->mode_before) == fsat_kept_mode(c->mode_after);
}

static bool
takes_back(const struct change *c, const struct change *inverse)
{
	if (inverse == NULL) {
		return is_of_lost_bits(c);
	}
	return inverse->mode_before == fsat_kept_mode(c->mode_after) &&
	       inverse->mode_after == fsat_kept_mode(c->mode_before) &&
	       is_what_was_left(c, inverse) &&
	       (!c->before_known ||
		(inverse->after_known && memcmp(inverse->after, c->before, SHA256_SIZE) == 0));
}

bool
changes_is_inverse(const struct change_set *changes, const struct change_set *found, size_t max,
		   struct buf *differing)
{
	size_t wrong = 0;

	for (size_t i = 0; i < changes->count; i++) {
		const struct change *c = &changes->items[i];

		if (!commit_skips(c) && !takes_back(c, changes_find(found, c->path)) &&
		    wrong++ < max) {
			note_path(differing, c->path);
		}
	}
	for (size_t i = 0; i < found->count; i++) {
		if (changes_find(changes, found->items[i].path) == NULL && wrong++ < max) {
			note_path(differing, found->items[i].path);
		}
	}
	if (wrong > max) {
		buf_printf(differing, "  and %zu more\n", wrong - max);
	}
	return wrong == 0;
}
