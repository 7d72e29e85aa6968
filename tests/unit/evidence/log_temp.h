/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log's directory for one test, with entries "entry <n>". For the tests of launcher/evidence
 * only.
 */
#ifndef AIRLOCK_TESTS_LOG_TEMP_H
#define AIRLOCK_TESTS_LOG_TEMP_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/base/text.h"
#include "../../../launcher/evidence/tiles.h"
#include "../scratch.h"

struct log_temp {
	char path[64];
	int fd;
	unsigned int fds; /* open descriptors before */
};

#define auto_log_temp __attribute__((cleanup(log_temp_finish))) struct log_temp

static inline struct log_temp
log_temp_make(void)
{
	struct log_temp t = { .path = "/tmp/airlock-log-XXXXXX", .fds = scratch_count_fds() };

	cr_assert_not_null(mkdtemp(t.path));
	t.fd = open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(t.fd, 0);
	return t;
}

static inline void
log_temp_finish(struct log_temp *t)
{
	close(t->fd);
	cr_expect_eq(scratch_count_fds(), t->fds);
	scratch_remove(t->path);
}

/* Appends entries old_size to size - 1; what tiles_append says. */
static inline int
log_temp_grow(const struct log_temp *t, uint64_t old_size, uint64_t size, uint8_t ret_root[32],
	      struct err *err)
{
	size_t count = size - old_size;
	struct tile_entry *entries = calloc(count + 1, sizeof(*entries));
	char(*text)[32] = calloc(count + 1, sizeof(*text));
	int r;

	cr_assert(entries != NULL && text != NULL);
	for (size_t i = 0; i < count; i++) {
		entries[i].len = (size_t)snprintf(text[i], sizeof(text[i]), "entry %zu",
						  (size_t)old_size + i);
		entries[i].data = text[i];
	}
	r = tiles_append(t->fd, old_size, entries, count, ret_root, err);
	free(entries);
	free(text);
	return r;
}

/* A log of that size, the last entry by itself, so that there is a partial tile of another size. */
static inline void
log_temp_fill(const struct log_temp *t, uint64_t size)
{
	uint8_t root[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(log_temp_grow(t, 0, size - 1, root, &err), 0, "%s", err.text);
	cr_assert_eq(log_temp_grow(t, size - 1, size, root, &err), 0, "%s", err.text);
}

static inline void
log_temp_flip(const struct log_temp *t, const char *path, off_t at)
{
	auto_fd fd = openat(t->fd, path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
}

static inline off_t
log_temp_size(const struct log_temp *t, const char *path)
{
	struct stat st;

	return fstatat(t->fd, path, &st, 0) == 0 ? st.st_size : -1;
}

#endif
