/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run as copy_tree.h says. Works level by level on the heap, without recursion; descriptors of
 * levels far above are found again through "..".
 */
#include "copy_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/grow.h"
#include "../base/limits.h"
#include "fsat.h"
#include "xattrs.h"

#define PIECE (1u << 20)
#define RDEV_WHITEOUT 0u
#define ENTERED 1 /* a directory that is now the top level: its path stays */

struct copy_level {
	int from_fd, to_fd; /* -1: closed while a deeper level is open */
	struct fs_stat from, to;
	struct fs_names names;
	size_t next;
	size_t path_len;
	bool forced; /* from.mode must be put back */
};

struct copy {
	const struct copy_request *req;
	struct err *err;
	struct copy_level *levels;
	size_t depth, cap;
	struct buf path, target;
	struct copy_result result;
};

static int
fail(struct copy *c, int code)
{
	size_t len = c->path.len;

	return err_sys(c->err, code, "copy: %s", buf_text(&c->path) + (len > 200 ? len - 200 : 0));
}

/* ---- levels ------------------------------------------------------------------------------------
 */

static void
level_finish(struct copy_level *l)
{
	if (l->forced && l->from_fd >= 0) {
		ignore_err(fsat_chmod(l->from_fd, l->from.mode),
			   "what was copied goes away, or its owner keeps a right more");
	}
	cleanup_fd(&l->from_fd);
	cleanup_fd(&l->to_fd);
	fsat_names_finish(&l->names);
}

/* Takes over both descriptors of l, also on failure. */
static int
push(struct copy *c, struct copy_level *l)
{
	struct copy_level *grown =
		c->depth > CAP_TREE_DEPTH
			? NULL
			: grow_array(c->levels, c->depth, &c->cap, sizeof(*grown));
	int r;

	if (grown == NULL) {
		level_finish(l);
		return c->depth > CAP_TREE_DEPTH ? -E2BIG : -ENOMEM;
	}
	c->levels = grown;
	if (c->depth > FSAT_OPEN_LEVELS) {
		struct copy_level *parent = &c->levels[c->depth - 1];

		cleanup_fd(&parent->from_fd);
		cleanup_fd(&parent->to_fd);
		parent->from_fd = parent->to_fd = -1;
	}
	l->path_len = c->path.len;
	r = fsat_stat(l->to_fd, "", &l->to);
	r = r < 0 ? r : fsat_list(l->from_fd, c->req->max_entries, &l->names);
	c->levels[c->depth++] = *l;
	return r;
}

static int
reopen_parent(struct copy *c)
{
	struct copy_level *l = &c->levels[c->depth - 1], *parent = l - 1;

	if (c->depth < 2 || parent->from_fd >= 0) {
		return 0;
	}
	parent->from_fd = fsat_open_parent(l->from_fd, parent->from.dev, parent->from.ino);
	parent->to_fd = fsat_open_parent(l->to_fd, parent->to.dev, parent->to.ino);
	return parent->from_fd < 0 ? parent->from_fd : parent->to_fd < 0 ? parent->to_fd : 0;
}

static void
note_closed(struct copy *c, const struct fs_stat *st)
{
	mode_t mode = st->mode;
	mode_t need = S_ISDIR(mode) ? S_IRWXU : S_IRUSR;

	if (c->req->closed != NULL && !S_ISLNK(mode) && (mode & need) != need) {
		buf_u32(c->req->closed, (uint32_t)mode & 07777);
		buf_str(c->req->closed, buf_text(&c->path));
	}
}

/* A workspace's root and its times are kept too. */
static int
finish_directory(const struct copy *c, const struct copy_level *l)
{
	struct timespec times[2];

	fsat_times(l->from.mtime_ns, times);
	if (fchmod(l->to_fd, l->from.mode) < 0 ||
	    (c->req->workspace && futimens(l->to_fd, times) < 0)) {
		return -errno;
	}
	return 0;
}

/* The mode comes when all is in it. */
static int
pop(struct copy *c)
{
	struct copy_level *l = &c->levels[c->depth - 1];
	int r = reopen_parent(c);

	if (r == 0 && (c->depth > 1 || c->req->workspace)) {
		note_closed(c, &l->from);
		r = finish_directory(c, l);
	}
	level_finish(l);
	c->depth--;
	return r;
}

/* ---- entries -----------------------------------------------------------------------------------
 */

/* Overlayfs's own that make a layer; the rest of them belongs to one mount. */
static int
copy_marks(int from_fd, int to_fd)
{
	static const char *const marks[] = { "user.overlay.opaque", "user.overlay.whiteout" };
	char value[16];

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		ssize_t n = fgetxattr(from_fd, marks[i], value, sizeof(value));

		if (n < 0 && errno != ENODATA && errno != ENOTSUP) {
			return -errno;
		}
		if (n >= 0 && fsetxattr(to_fd, marks[i], value, (size_t)n, 0) < 0) {
			return -errno;
		}
	}
	return 0;
}

static int
copy_attributes(const struct copy *c, int from_fd, int to_fd)
{
	auto_buf saved = BUF_INIT;
	int r;

	if (flistxattr(from_fd, NULL, 0) <= 0) {
		return 0;
	}
	r = xattrs_save(from_fd, &saved);
	if (r == 0 && saved.len > 0) {
		r = xattrs_restore(to_fd, saved.data, saved.len);
	}
	return r == 0 && c->req->layer ? copy_marks(from_fd, to_fd) : r;
}

/* EINVAL: not mapped here. EPERM: a plain user may give a workspace's files to few. */
static int
give(const struct copy *c, int dir_fd, const char *name, const struct fs_stat *st)
{
	bool same = c->req->workspace;
	uid_t uid = same ? st->uid : c->req->owner_uid;
	gid_t gid = same ? st->gid : c->req->owner_gid;

	if (same ? uid == geteuid() && gid == getegid() : geteuid() != 0) {
		return 0;
	}
	if (fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != EINVAL &&
	    !(same && errno == EPERM)) {
		return -errno;
	}
	return 0;
}

static bool
is_stopped(const struct copy *c)
{
	struct pollfd stop = { .fd = c->req->stop_fd != NULL ? *c->req->stop_fd : -1,
			       .events = POLLIN };

	return stop.fd >= 0 && poll(&stop, 1, 0) > 0;
}

/* One run of data; the holes between them stay holes. */
static int
copy_run(struct copy *c, const int fds[2], off_t at, off_t end, uint8_t *piece)
{
	int from_fd = fds[0], to_fd = fds[1];

	c->result.bytes += (uint64_t)(end - at);
	if (c->req->max_bytes > 0 && c->result.bytes > c->req->max_bytes) {
		return -EFBIG;
	}
	while (at < end) {
		size_t want = end - at > (off_t)PIECE ? PIECE : (size_t)(end - at);
		ssize_t n = pread(from_fd, piece, want, at);
		int r;

		if (is_stopped(c)) {
			return -EINTR;
		}
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n == 0 && c->req->workspace) {
			return 0; /* it became shorter */
		}
		if (n <= 0) {
			return n < 0 ? -errno : -ESTALE;
		}
		r = fdio_pwrite(to_fd, piece, (size_t)n, at);
		if (r < 0) {
			return r;
		}
		at += n;
	}
	return 0;
}

static int
copy_bytes(struct copy *c, int from_fd, int to_fd, uint64_t size)
{
	const int fds[2] = { from_fd, to_fd };
	auto_free uint8_t *piece = NULL;
	off_t at = 0;

	if (size == 0 || ioctl(to_fd, FICLONE, from_fd) == 0) {
		return 0;
	}
	piece = malloc(size < PIECE ? (size_t)size : PIECE);
	if (piece == NULL) {
		return -ENOMEM;
	}
	while ((uint64_t)at < size) {
		off_t data = lseek(from_fd, at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(from_fd, data, SEEK_HOLE);
		int r;

		if (data < 0 && errno == ENXIO) {
			break;
		}
		if (data < 0 || hole < 0) {
			return -errno;
		}
		hole = (uint64_t)hole > size ? (off_t)size : hole;
		r = data < hole ? copy_run(c, fds, data, hole, piece) : 0;
		if (r < 0) {
			return r;
		}
		at = hole > data ? hole : data;
	}
	return ftruncate(to_fd, (off_t)size) < 0 ? -errno : 0;
}

static bool
is_closed(int error)
{
	return error == -EACCES || error == -EPERM;
}

/* What stands for a file or a directory that is closed to us. */
static int
put_closed(struct copy *c, struct copy_level *l, const char *name, const struct fs_stat *st)
{
	auto_fd to = -1;

	c->result.closed++;
	if (S_ISDIR(st->mode)) {
		return mkdirat(l->to_fd, name, 0) < 0 ? -errno : 0;
	}
	to = openat(l->to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
	return to < 0 || ftruncate(to, (off_t)st->size) < 0 ? -errno : 0;
}

/* A workspace may change meanwhile: its files are what they are when they are open. */
static int
open_file(struct copy *c, struct copy_level *l, const char *name, struct fs_stat *st,
	  bool *ret_forced)
{
	auto_fd from = c->req->workspace ? fsat_open(l->from_fd, name, O_RDONLY)
					 : fsat_open_forced(l->from_fd, name, st, O_RDONLY,
							    S_IRUSR, ret_forced);
	int r = from < 0 ? from : 0;

	if (r == 0 && c->req->workspace) {
		r = fsat_stat(from, "", st);
		r = r == 0 && !S_ISREG(st->mode) ? -ENOENT : r;
	}
	return r < 0 ? r : take_fd(&from);
}

static int
copy_file(struct copy *c, struct copy_level *l, const char *name, struct fs_stat *st)
{
	struct timespec times[2];
	bool forced = false;
	auto_fd from = open_file(c, l, name, st, &forced);
	auto_fd to = -1;
	int r;

	if (from < 0) {
		return c->req->workspace && is_closed(from) ? put_closed(c, l, name, st) : from;
	}
	to = openat(l->to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* attributes ask for the right each time, not for the descriptor's */
	r = to < 0 ? -errno : copy_attributes(c, from, to);
	if (forced) {
		int back = fsat_chmod(from, st->mode);

		r = r < 0 ? r : back;
	}
	fsat_times(st->mtime_ns, times);
	r = r < 0 ? r : copy_bytes(c, from, to, st->size);
	r = r < 0 ? r : give(c, l->to_fd, name, st);
	if (r == 0 && (fchmod(to, st->mode) < 0 || futimens(to, times) < 0)) {
		r = -errno;
	}
	note_closed(c, st);
	return r;
}

static int
copy_directory(struct copy *c, struct copy_level *l, const char *name, const struct fs_stat *st)
{
	struct copy_level below = { .from_fd = -1, .to_fd = -1, .from = *st };
	int r = 0;

	below.from_fd = c->req->workspace
				? fsat_open(l->from_fd, name, O_RDONLY | O_DIRECTORY)
				: fsat_open_forced(l->from_fd, name, st, O_RDONLY | O_DIRECTORY,
						   S_IRWXU, &below.forced);
	if (below.from_fd < 0) {
		return c->req->workspace && is_closed(below.from_fd) ? put_closed(c, l, name, st)
								     : below.from_fd;
	}
	/* with search right only, an opened directory still hides its entries */
	if (!c->req->workspace && !below.forced && (st->mode & S_IXUSR) == 0 && geteuid() != 0) {
		r = fsat_chmod(below.from_fd, st->mode | S_IRWXU);
		below.forced = r == 0;
	}
	if (r == 0 && mkdirat(l->to_fd, name, 0700) < 0) {
		r = -errno;
	}
	r = r < 0 ? r : give(c, l->to_fd, name, st);
	if (r == 0) {
		below.to_fd = fsat_open(l->to_fd, name, O_RDONLY | O_DIRECTORY);
		r = below.to_fd < 0 ? below.to_fd : 0;
	}
	r = r < 0 ? r : copy_attributes(c, below.from_fd, below.to_fd);
	if (r < 0) {
		level_finish(&below);
		return r;
	}
	r = push(c, &below);
	return r < 0 ? r : ENTERED;
}

static int
copy_link(struct copy *c, struct copy_level *l, const char *name, const struct fs_stat *st)
{
	struct timespec times[2];
	int r = fsat_readlink(l->from_fd, name, &c->target);

	fsat_times(st->mtime_ns, times);
	if (r == 0 && symlinkat(buf_text(&c->target), l->to_fd, name) < 0) {
		r = -errno;
	}
	r = r < 0 ? r : give(c, l->to_fd, name, st);
	if (r == 0 && c->req->workspace &&
	    utimensat(l->to_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0) {
		r = -errno;
	}
	return r;
}

static int
copy_other(struct copy *c, struct copy_level *l, const char *name, const struct fs_stat *st)
{
	bool whiteout = c->req->layer && S_ISCHR(st->mode) && st->rdev == RDEV_WHITEOUT;
	int r;

	if (!whiteout && !S_ISFIFO(st->mode) && !S_ISSOCK(st->mode)) {
		c->result.left_out++;
		return 0;
	}
	if (mknodat(l->to_fd, name, st->mode & (S_IFMT | 0777), 0) < 0) {
		return -errno;
	}
	r = give(c, l->to_fd, name, st);
	if (r == 0 && !whiteout && fchmodat(l->to_fd, name, st->mode, 0) < 0) {
		r = -errno;
	}
	return r;
}

static int
copy_entry(struct copy *c, struct copy_level *l, const char *name)
{
	struct fs_stat st;
	int r = fsat_stat(l->from_fd, name, &st);

	if (r < 0) {
		return r;
	}
	if (++c->result.entries > c->req->max_entries) {
		return -E2BIG;
	}
	if (is_stopped(c)) {
		return -EINTR;
	}
	if (st.mount_root) {
		c->result.left_out++;
		/* what would be mounted over it has a place in a workspace's copy */
		return c->req->workspace && S_ISDIR(st.mode) && mkdirat(l->to_fd, name, 0755) < 0
			       ? -errno
			       : 0;
	}
	return S_ISDIR(st.mode)	  ? copy_directory(c, l, name, &st)
	       : S_ISREG(st.mode) ? copy_file(c, l, name, &st)
	       : S_ISLNK(st.mode) ? copy_link(c, l, name, &st)
				  : copy_other(c, l, name, &st);
}

/* One entry of the top level; a directory becomes the new top level. */
static int
step(struct copy *c)
{
	struct copy_level *l = &c->levels[c->depth - 1];
	size_t path_len = l->path_len;
	const char *name;
	int r;

	if (l->next == l->names.count) {
		r = pop(c);
		if (r == 0 && c->depth > 0) {
			fsat_path_cut(&c->path, c->levels[c->depth - 1].path_len);
		}
		return r;
	}
	name = l->names.items[l->next++];
	fsat_path_push(&c->path, name);
	r = buf_error(&c->path) < 0 ? -ENOMEM : copy_entry(c, l, name);
	if (r == ENTERED) {
		return 0; /* its path stays */
	}
	if (c->req->workspace && is_closed(r)) {
		c->result.closed++; /* its directory can be listed and no more */
		r = 0;
	}
	if (c->req->workspace && (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)) {
		r = 0; /* gone, or another thing, since it was listed */
	}
	if (r == 0) {
		fsat_path_cut(&c->path, path_len);
	}
	return r;
}

int
copy_tree(const struct copy_request *req, struct copy_result *ret, struct err *err)
{
	struct copy c = { .req = req, .err = err, .path = BUF_INIT, .target = BUF_INIT };
	struct copy_level root = { .from_fd = fsat_open(req->from_fd, ".", O_RDONLY | O_DIRECTORY),
				   .to_fd = fsat_open(req->to_fd, ".", O_RDONLY | O_DIRECTORY) };
	int r = root.from_fd < 0 ? root.from_fd : root.to_fd < 0 ? root.to_fd : 0;

	r = r < 0 ? r : fsat_stat(root.from_fd, "", &root.from);
	if (r < 0) {
		level_finish(&root);
	} else {
		r = push(&c, &root);
	}
	while (r == 0 && c.depth > 0) {
		r = step(&c);
	}
	if (r < 0) {
		ignore_err(fail(&c, r), "it is returned below");
	}
	while (c.depth > 0) {
		ignore_err(pop(&c), "the first failure is what counts");
	}
	free(c.levels);
	buf_finish(&c.path);
	buf_finish(&c.target);
	*ret = c.result;
	return r == 0 && req->closed != NULL ? buf_error(req->closed) : r;
}
