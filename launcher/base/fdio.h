/* SPDX-License-Identifier: Apache-2.0 */
/* Whole reads and writes on descriptors. EINTR is retried. Anybody may call. */
#ifndef AIRLOCK_BASE_FDIO_H
#define AIRLOCK_BASE_FDIO_H

#include <dirent.h>
#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "cleanup.h"

/* Writes all of it; 0 or -errno. */
int fdio_write(int fd, const void *data, size_t len) must_check;
int fdio_pwrite(int fd, const void *data, size_t len, off_t at) must_check;
/*
 * A small file in place: these bytes are all that it holds. What it held is never given up first,
 * so that a full disk takes nothing away; a reader ignores what stands behind the new end.
 */
int fdio_rewrite(int fd, const void *data, size_t len) must_check;
/* Reads exactly len bytes; -ENODATA when the file ends before. */
int fdio_read(int fd, void *data, size_t len) must_check;
int fdio_pread(int fd, void *data, size_t len, off_t at) must_check;
/* Appends the rest of fd to b; -EFBIG when that is more than max bytes. */
int fdio_slurp(int fd, size_t max, struct buf *b) must_check;
/* Opens path below dirfd (AT_FDCWD for a plain path), read-only, and slurps it. */
int fdio_slurp_at(int dirfd, const char *path, size_t max, struct buf *b) must_check;

#define auto_dir __attribute__((cleanup(fdio_closedir))) DIR *
void fdio_closedir(DIR **slot);
/*
 * Opens the directory path below dirfd for readdir(3); flags: O_NOFOLLOW or 0. It has a descriptor
 * of its own. 0 or -errno.
 */
int fdio_list_dir(int dirfd, const char *path, int flags, DIR **ret) must_check;

/*
 * The same of a regular file alone, where whoever put it there is not trusted: a FIFO would make
 * whoever opens it wait. -EINVAL when it is something else, -EISDIR.
 */
int fdio_slurp_file_at(int dirfd, const char *path, size_t max, struct buf *b) must_check;
/*
 * Where the kernel says that the open fd is now, without links; of what was deleted or lies outside
 * of our root it is no path that leads there. -ENAMETOOLONG.
 */
int fdio_path(int fd, char ret_path[PATH_MAX]) must_check;
/*
 * A closed 0, 1 or 2 must not become some file of ours, which is then read as input or gets what is
 * said: opens /dev/null there, with O_CLOEXEC, for input and for output with those flags; 0 or
 * -errno. Before anything else is opened.
 */
int fdio_plug_standard(int input_flags, int output_flags) must_check;
/* A file in memory of these bytes, at its start; fd or -errno. */
int fdio_memfd(const char *name, const void *data, size_t len) must_check;
/* A directory of dirfd, never through a link, for reading; fd or -errno. */
int fdio_open_dir(int dirfd, const char *name) must_check;
/* The same, made with mode 0700 where it is missing. */
int fdio_make_dir(int dirfd, const char *name) must_check;
/* mkdir -p of an absolute or relative path with that mode for each new directory; 0 or -errno. */
int fdio_mkdirs(const char *path, mode_t mode) must_check;
/*
 * Puts a file of these bytes and that mode at path, in the place of what is there: whoever opens
 * it gets the old one or the new one, whole, also after a power cut (temporary name `<path>.new`,
 * fsync, rename, fsync of the directory). One writer at a time: the caller holds a lock. 0 or
 * -errno; then what was there stays.
 */
int
fdio_replace_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode) must_check;
/* The same, unless the file has these bytes already: then nothing is written or synced. */
int
fdio_update_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode) must_check;

/*
 * Writes to a path that a person named, and touches nothing beside it: a file there is replaced
 * whole (temporary name `.airlock-<random>`), a new one has the mode that the umask gives, a FIFO
 * or a device is written to. -ELOOP where it is a link.
 */
int fdio_write_path(const char *path, const void *data, size_t len) must_check;

#endif
