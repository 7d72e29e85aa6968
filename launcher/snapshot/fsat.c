/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front as the workspace's owner, over directories that a tool or its user filled. */
#include "fsat.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/stat.h>

#include "../sys/sys.h"

#define RESOLVE                                                                                    \
	(SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS |               \
	 SYS_RESOLVE_NO_XDEV)
#define OPEN_ALWAYS (O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)
#define DENTS_SIZE (32u << 10)
#define READ_SIZE (128u << 10)

static int64_t
nanoseconds(const struct statx_timestamp *t)
{
	int64_t ns;

	/* a tool may set any */
	if (__builtin_mul_overflow(t->tv_sec, INT64_C(1000000000), &ns) ||
	    __builtin_add_overflow(ns, t->tv_nsec, &ns)) {
		return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	}
	return ns;
}

int
fsat_stat(int dirfd, const char *name, struct fs_stat *ret)
{
	struct statx sx;
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name[0] == '\0' ? AT_EMPTY_PATH : 0);
	int rc;

	/* not fstatat: it does not tell mount points */
	rc = sys_statx(dirfd, name, flags, STATX_BASIC_STATS, &sx);
	if (rc < 0) {
		return rc;
	}
	*ret = (struct fs_stat){
		.dev = makedev(sx.stx_dev_major, sx.stx_dev_minor),
		.ino = sx.stx_ino,
		.nlink = sx.stx_nlink,
		.size = sx.stx_size,
		.blocks = sx.stx_blocks,
		.rdev = makedev(sx.stx_rdev_major, sx.stx_rdev_minor),
		.mode = sx.stx_mode,
		.uid = sx.stx_uid,
		.gid = sx.stx_gid,
		.ctime_ns = nanoseconds(&sx.stx_ctime),
		.mtime_ns = nanoseconds(&sx.stx_mtime),
		.mount_root = (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0,
		.fixed = (sx.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0,
	};
	return 0;
}

bool
fsat_same_file(const struct fs_stat *a, const struct fs_stat *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

int
fsat_open(int dirfd, const char *name, int flags)
{
	int how = flags | OPEN_ALWAYS;

	if (flags & O_PATH) {
		how &= ~(O_NOCTTY | O_NONBLOCK); /* openat2 refuses flags that O_PATH ignores */
	}
	return sys_openat2(dirfd, name, (uint64_t)how, 0, RESOLVE);
}

int
fsat_open_path(int root_fd, const char *path, int flags)
{
	auto_fd at = -1;
	char piece[PATH_MAX];

	if (path[0] == '\0') {
		return fsat_open(root_fd, ".", flags);
	}
	while (strlen(path) >= sizeof(piece)) {
		size_t len = sizeof(piece) - 1;
		int next;

		while (len > 0 && path[len] != '/') {
			len--;
		}
		if (len == 0) {
			return -ENAMETOOLONG;
		}
		memcpy(piece, path, len);
		piece[len] = '\0';
		next = fsat_open(at < 0 ? root_fd : at, piece, O_PATH | O_DIRECTORY);
		if (next < 0) {
			return next;
		}
		cleanup_fd(&at);
		at = next;
		path += len + 1;
	}
	return fsat_open(at < 0 ? root_fd : at, path, flags);
}

int
fsat_open_parent(int fd, uint64_t dev, uint64_t ino)
{
	auto_fd parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fs_stat st;
	int r;

	if (parent < 0) {
		return -errno;
	}
	r = fsat_stat(parent, "", &st);
	if (r < 0) {
		return r;
	}
	return st.dev == dev && st.ino == ino ? take_fd(&parent) : -ESTALE;
}

int
fsat_chmod(int fd, mode_t mode)
{
	char link[40];

	/* fchmod refuses O_PATH descriptors; this magic link is ours, not the tree's */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return chmod(link, mode & 07777) < 0 ? -errno : 0;
}

mode_t
fsat_kept_mode(mode_t mode)
{
	return mode & (S_IFMT | (S_ISDIR(mode) ? 03777 : 0777));
}

void
fsat_times(int64_t mtime_ns, struct timespec ret[2])
{
	int64_t seconds = mtime_ns / 1000000000, rest = mtime_ns % 1000000000;

	if (rest < 0) {
		seconds--; /* before 1970 the division rounds up */
		rest += 1000000000;
	}
	ret[0] = (struct timespec){ .tv_nsec = UTIME_OMIT };
	ret[1] = (struct timespec){ .tv_sec = (time_t)seconds, .tv_nsec = (long)rest };
}

int
fsat_open_forced(int dirfd, const char *name, const struct fs_stat *st, int flags, mode_t add,
		 bool *ret_forced)
{
	auto_fd path = -1;
	struct fs_stat now;
	int fd = fsat_open(dirfd, name, flags);
	int r;

	if (fd != -EACCES) {
		*ret_forced = false;
		return fd;
	}
	path = fsat_open(dirfd, name, O_PATH);
	if (path < 0) {
		return path;
	}
	r = fsat_stat(path, "", &now);
	if (r < 0) {
		return r;
	}
	if (!fsat_same_file(&now, st) || (now.mode & S_IFMT) != (st->mode & S_IFMT)) {
		return -ESTALE;
	}
	r = fsat_chmod(path, st->mode | add);
	if (r < 0) {
		return r == -EPERM ? -EACCES : r;
	}
	fd = fsat_open(dirfd, name, flags);
	if (fd < 0) {
		ignore_err(fsat_chmod(path, st->mode), "the failed open is what counts");
		return fd;
	}
	*ret_forced = true;
	return fd;
}

int
fsat_rename(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned int flags)
{
	return sys_renameat2(from_dirfd, from, to_dirfd, to, flags);
}

int
fsat_readlink(int dirfd, const char *name, struct buf *b)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

	if (n < 0) {
		return -errno;
	}
	if ((size_t)n == sizeof(target)) {
		return -ENAMETOOLONG;
	}
	buf_reset(b);
	buf_put(b, target, (size_t)n);
	return buf_error(b);
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Cuts the NUL-separated bytes into a sorted array. */
static int
index_names(struct fs_names *names)
{
	const char *p = buf_text(&names->bytes);

	if (buf_error(&names->bytes) < 0) {
		return -ENOMEM;
	}
	if (names->count == 0) {
		return 0;
	}
	names->items = malloc(names->count * sizeof(names->items[0]));
	if (names->items == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < names->count; i++) {
		names->items[i] = p;
		p += strlen(p) + 1;
	}
	qsort(names->items, names->count, sizeof(names->items[0]), by_bytes);
	return 0;
}

static int
read_names(int fd, size_t max, char *dents, struct fs_names *names)
{
	for (;;) {
		ssize_t n = getdents64(fd, (void *)dents, DENTS_SIZE);

		if (n <= 0) {
			return n < 0 ? -errno : 0;
		}
		for (ssize_t at = 0; at < n;) {
			const struct dirent *d = (const struct dirent *)(dents + at);

			at += d->d_reclen;
			if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) {
				continue;
			}
			if (names->count == max) {
				return -E2BIG;
			}
			buf_put(&names->bytes, d->d_name, strlen(d->d_name) + 1);
			names->count++;
		}
	}
}

int
fsat_list(int fd, size_t max, struct fs_names *ret)
{
	struct fs_names names = FS_NAMES_INIT;
	auto_free char *dents = malloc(DENTS_SIZE);
	int r;

	if (dents == NULL) {
		return -ENOMEM;
	}
	r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : read_names(fd, max, dents, &names);
	if (r == 0) {
		r = index_names(&names);
	}
	if (r < 0) {
		fsat_names_finish(&names);
		return r;
	}
	*ret = names;
	return 0;
}

bool
fsat_listed(const struct fs_names *names, const char *name)
{
	return names->count > 0 && bsearch(&name, names->items, names->count,
					   sizeof(names->items[0]), by_bytes) != NULL;
}

void
fsat_names_finish(struct fs_names *names)
{
	free(names->items);
	buf_finish(&names->bytes);
	*names = (struct fs_names)FS_NAMES_INIT;
}

int
fsat_hash(int fd, uint64_t max_bytes, const struct fs_reading *reading,
	  uint8_t ret_digest[SHA256_SIZE], uint64_t *ret_size)
{
	const atomic_bool *cancel = reading != NULL ? reading->cancel : NULL;
	auto_free uint8_t *chunk = malloc(READ_SIZE);
	struct sha256 hash;
	uint64_t size = 0;

	if (chunk == NULL) {
		return -ENOMEM;
	}
	sha256_init(&hash);
	for (;;) {
		ssize_t n = read(fd, chunk, READ_SIZE);
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
		size += (uint64_t)n;
		if (size > max_bytes) {
			return -EFBIG;
		}
		if (cancel != NULL && atomic_load_explicit(cancel, memory_order_relaxed)) {
			return -ECANCELED;
		}
		r = until_check(reading != NULL ? reading->until : NULL);
		if (r < 0) {
			return r;
		}
		sha256_update(&hash, chunk, (size_t)n);
		if (reading != NULL && reading->see != NULL) {
			r = reading->see(reading->arg, chunk, (size_t)n);
			if (r != 0) {
				return r;
			}
		}
	}
	sha256_final(&hash, ret_digest);
	*ret_size = size;
	return 0;
}

void
fsat_path_push(struct buf *path, const char *name)
{
	if (path->len > 0) {
		buf_putc(path, '/');
	}
	buf_puts(path, name);
}

void
fsat_path_cut(struct buf *path, size_t len)
{
	if (path->data != NULL && len <= path->len) {
		path->len = len;
		path->data[len] = '\0';
	}
}
