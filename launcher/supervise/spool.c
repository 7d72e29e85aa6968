/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the supervisor with the caller's authority. The bytes are the tool's: never looked into.
 */
#include "spool.h"

#include "spool_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"

void
spool_init(struct spool *s, int dir_fd, uint64_t cap_bytes)
{
	*s = (struct spool){
		.memory = BUF_INIT,
		.fd = -1,
		.dir_fd = dir_fd,
		.cap_bytes = cap_bytes,
	};
	sha256_init(&s->hash);
}

int
spool_open_named(int dir_fd)
{
	char name[40];
	uint64_t random[2];
	int fd;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		return -EIO;
	}
	snprintf(name, sizeof(name), ".spool%016llx%016llx", (unsigned long long)random[0],
		 (unsigned long long)random[1]);
	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	if (unlinkat(dir_fd, name, 0) < 0) {
		int code = -errno;

		close(fd);
		return code;
	}
	return fd;
}

static int
open_unlinked(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		return fd;
	}
	if (errno != EOPNOTSUPP && errno != EISDIR) {
		return -errno;
	}
	return spool_open_named(dir_fd);
}

/* Moves what is in memory into a file; the memory is given back. */
static int
spill(struct spool *s)
{
	int fd = open_unlinked(s->dir_fd);
	int code;

	if (fd < 0) {
		return fd;
	}
	code = fdio_pwrite(fd, s->memory.data, s->memory.len, 0);
	if (code < 0) {
		close(fd);
		return code;
	}
	buf_finish(&s->memory);
	s->fd = fd;
	return 0;
}

static int
keep(struct spool *s, const void *data, size_t len)
{
	int code;

	if (s->fd < 0 && len <= SPOOL_MEMORY - s->memory.len) {
		buf_put(&s->memory, data, len);
		code = buf_error(&s->memory);
		s->memory.failed = false; /* a failed put changes nothing else */
		return code;
	}
	if (s->fd < 0) {
		code = spill(s);
		if (code < 0) {
			return code;
		}
	}
	code = fdio_pwrite(s->fd, data, len, (off_t)s->kept_bytes);
	if (code < 0) {
		ignore_err(ftruncate(s->fd, (off_t)s->kept_bytes),
			   "the write's error is the one to report; readers go by kept_bytes");
	}
	return code;
}

int
spool_add(struct spool *s, const void *data, size_t len)
{
	uint64_t room = s->cap_bytes - s->kept_bytes;
	size_t kept = len < room ? len : (size_t)room;
	int code = 0;

	if (kept > 0) {
		code = keep(s, data, kept);
	}
	if (code < 0) {
		return code;
	}
	s->kept_bytes += kept;
	s->total_bytes += len;
	sha256_update(&s->hash, data, len);
	return 0;
}

void
spool_digest(const struct spool *s, uint8_t ret_digest[SHA256_SIZE])
{
	struct sha256 copy = s->hash;

	sha256_final(&copy, ret_digest);
}

void
spool_finish(struct spool *s)
{
	if (s->fd >= 0) {
		close(s->fd);
		s->fd = -1;
	}
	buf_finish(&s->memory);
}
