/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbered files of the journal: names, the newest, a new one. Runs in the front, in
 * airlock-cli and airlock-log, as the caller, in a state directory that store_open_* accepted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "../base/text.h"
#include "store_internal.h"

void
journal_name(uint32_t number, char ret_name[JOURNAL_NAME_SIZE])
{
	snprintf(ret_name, JOURNAL_NAME_SIZE, JOURNAL_DIR "/%04u.log", number);
}

/* The number in "0001.log", 0 when the name is spelled in any other way. */
static uint32_t
name_number(const char *name)
{
	char canonical[JOURNAL_NAME_SIZE];
	uint64_t n = 0;

	for (const char *p = name; *p >= '0' && *p <= '9' && n < UINT32_MAX; p++) {
		n = n * 10 + (uint64_t)(*p - '0');
	}
	if (n == 0 || n >= UINT32_MAX) {
		return 0;
	}
	journal_name((uint32_t)n, canonical);
	return strcmp(canonical + strlen(JOURNAL_DIR) + 1, name) == 0 ? (uint32_t)n : 0;
}

int
journal_scan(int dir_fd, uint32_t after, uint32_t *ret_next, uint32_t *ret_newest)
{
	uint32_t next = 0, newest = 0;
	struct dirent *entry;
	auto_dir dir = NULL;
	int r = fdio_list_dir(dir_fd, JOURNAL_DIR, O_NOFOLLOW, &dir);

	if (r < 0) {
		return r;
	}
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		uint32_t n = name_number(entry->d_name);

		newest = n > newest ? n : newest;
		if (n > after && (next == 0 || n < next)) {
			next = n;
		}
	}
	r = -errno;
	if (r == 0) {
		*ret_next = next;
		*ret_newest = newest;
	}
	return r;
}

int
journal_size(int dir_fd, uint32_t number, uint64_t *ret_size)
{
	char name[JOURNAL_NAME_SIZE];
	struct stat st;

	journal_name(number, name);
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		return -errno;
	}
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

int
journal_open_unnamed(int dir_fd, char ret_name[JOURNAL_NAME_SIZE], int *ret_fd)
{
	char text[UUID_TEXT_SIZE];
	uint8_t uuid[16];
	int fd, r = text_uuid7(clock_realtime_ms(), uuid);

	if (r < 0) {
		return r;
	}
	text_uuid_print(uuid, text);
	snprintf(ret_name, JOURNAL_NAME_SIZE, JOURNAL_DIR "/.new-%s", text);
	fd = openat(dir_fd, ret_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	*ret_fd = fd;
	return 0;
}

/* For a file system that cannot reserve: writes as much once and drops it. */
static int
try_room(int dir_fd)
{
	static const char zeros[4096];
	char name[JOURNAL_NAME_SIZE];
	auto_fd fd = -1;
	int r = journal_open_unnamed(dir_fd, name, &fd);

	if (r == 0 && unlinkat(dir_fd, name, 0) < 0) {
		r = -errno;
	}
	for (size_t done = 0; r == 0 && done < CAP_JOURNAL_ENTRY + JOURNAL_HEADER;
	     done += sizeof(zeros)) {
		r = fdio_write(fd, zeros, sizeof(zeros));
	}
	if (r < 0) {
		return r;
	}
	/* Where writing is put off, so is its failure. */
	return fdatasync(fd) < 0 ? -errno : 0;
}

int
journal_reserve(int dir_fd, int fd)
{
	const uint64_t need = CAP_JOURNAL_ENTRY + JOURNAL_HEADER;
	struct stat st;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	/* What an earlier call reserved and did not use is still there. */
	if ((uint64_t)st.st_blocks * 512 >= (uint64_t)st.st_size + need) {
		return 0;
	}
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, JOURNAL_RESERVE) == 0 ||
	    fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, (off_t)need) == 0) {
		return 0;
	}
	return errno == EOPNOTSUPP || errno == ENOSYS ? try_room(dir_fd) : -errno;
}

/* The file gets its name when it has its room, so that nobody ever sees one that must be taken
 * back. */
int
journal_create(int dir_fd, uint32_t number)
{
	char name[JOURNAL_NAME_SIZE], unnamed[JOURNAL_NAME_SIZE];
	auto_fd dir = openat(dir_fd, JOURNAL_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd fd = -1;
	int r;

	if (dir < 0) {
		return -errno;
	}
	journal_name(number, name);
	r = journal_open_unnamed(dir_fd, unnamed, &fd);
	if (r < 0) {
		return r;
	}
	r = journal_reserve(dir_fd, fd);
	if (r == 0 && linkat(dir_fd, unnamed, dir_fd, name, 0) < 0) {
		r = -errno;
	}
	if (unlinkat(dir_fd, unnamed, 0) < 0 && r == 0) {
		r = -errno;
	}
	if (r == 0 && fsync(dir) < 0) {
		r = -errno;
	}
	return r;
}

int
journal_switch(struct store *s, uint32_t number, struct err *err)
{
	char name[JOURNAL_NAME_SIZE];
	int fd;

	journal_name(number, name);
	fd = openat(s->dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return errno == EROFS
			     ? err_set(err, -EROFS,
				       "state directory %s is on a read-only file system", s->path)
			     : err_sys(err, -errno, "%s/%s", s->path, name);
	}
	cleanup_fd(&s->journal_fd);
	s->journal_fd = fd;
	s->journal_number = number;
	s->journal_end = UINT64_MAX;
	return 0;
}
