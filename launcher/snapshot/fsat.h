/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files by descriptor, for trees that somebody else filled: every open is openat2 with
 * RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV, every stat is of
 * the entry itself. Names are any bytes but '/' and NUL. Run by the front as the workspace's owner.
 */
#ifndef AIRLOCK_SNAPSHOT_FSAT_H
#define AIRLOCK_SNAPSHOT_FSAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/sha256.h"
#include "../base/until.h"

/* Levels of a walk that keep their descriptor; deeper ones are found again through "..", so that a
 * walk of CAP_TREE_DEPTH levels fits into a small RLIMIT_NOFILE. */
#define FSAT_OPEN_LEVELS 64

struct fs_stat {
	uint64_t dev, ino, nlink, size, blocks, rdev;
	mode_t mode; /* whole st_mode */
	uid_t uid;
	gid_t gid;
	int64_t ctime_ns, mtime_ns; /* what 64 bits do not hold is the nearest that they do */
	bool mount_root; /* something is mounted here */
	bool fixed;	 /* immutable or append-only, as far as the file system tells */
};

/* Of the entry itself, never of what a link points to; name "" is dirfd itself. */
int fsat_stat(int dirfd, const char *name, struct fs_stat *ret) must_check;
bool fsat_same_file(const struct fs_stat *a, const struct fs_stat *b); /* device and inode */

/* One entry of dirfd. O_CLOEXEC, O_NOFOLLOW, O_NOCTTY and O_NONBLOCK are added. fd or -errno. */
int fsat_open(int dirfd, const char *name, int flags) must_check;
/* A path of any length below root_fd; "" is root_fd itself, opened again. */
int fsat_open_path(int root_fd, const char *path, int flags) must_check;
/* The directory that holds fd's directory; -ESTALE when it is not the inode expected. */
int fsat_open_parent(int fd, uint64_t dev, uint64_t ino) must_check;

/*
 * fsat_open, and where that is EACCES: adds `add` to the entry's mode (by descriptor, never through
 * a link), opens, and tells with *ret_forced that the caller must put st->mode back with
 * fsat_chmod.
 */
int fsat_open_forced(int dirfd, const char *name, const struct fs_stat *st, int flags, mode_t add,
		     bool *ret_forced) must_check;
/* chmod by any descriptor, O_PATH too (through /proc/self/fd). */
int fsat_chmod(int fd, mode_t mode) must_check;
/*
 * The whole st_mode without what no commit keeps: set-id bits of files. A directory's set-group-id
 * bit only says which group new entries get.
 */
mode_t fsat_kept_mode(mode_t mode);
/* For utimensat(2): that mtime, and the access time as it is. */
void fsat_times(int64_t mtime_ns, struct timespec ret[2]);

/* renameat2(2). */
int fsat_rename(int from_dirfd, const char *from, int to_dirfd, const char *to,
		unsigned int flags) must_check;

/* The target's bytes replace what is in b. */
int fsat_readlink(int dirfd, const char *name, struct buf *b) must_check;

/* The names in a directory, sorted by their raw bytes; "." and ".." left out. */
struct fs_names {
	struct buf bytes;
	const char **items; /* count, into bytes */
	size_t count;
};

#define FS_NAMES_INIT                                                                              \
	{                                                                                          \
		.bytes = BUF_INIT, .items = NULL, .count = 0                                       \
	}

/* -E2BIG when there are more than max. */
int fsat_list(int fd, size_t max, struct fs_names *ret) must_check;
bool fsat_listed(const struct fs_names *names, const char *name);
void fsat_names_finish(struct fs_names *names);

/* Who looks on while a file is read. */
struct fs_reading {
	const atomic_bool *cancel; /* or NULL; -ECANCELED when it becomes true */
	const struct until *until; /* or NULL; -EINTR, -ETIME */
	int (*see)(void *arg, const void *data, size_t len); /* or NULL; not 0: that is the end */
	void *arg;
};

/* SHA-256 from the offset of fd to its end; -EFBIG when that is more than max_bytes. */
int fsat_hash(int fd, uint64_t max_bytes, const struct fs_reading *reading,
	      uint8_t ret_digest[SHA256_SIZE], uint64_t *ret_size) must_check;

/* Appends "/name" (or "name" to an empty path); cut back with fsat_path_cut. */
void fsat_path_push(struct buf *path, const char *name);
void fsat_path_cut(struct buf *path, size_t len);

#endif
