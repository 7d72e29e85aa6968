/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is everything that was signed still in the journal? Runs in whoever opens the store for writing:
 * the front, in the path of a call, airlock-cli and airlock-log, as the caller. `log.at` is written
 * by airlock-log after each checkpoint.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "store_internal.h"

#define COVERED_FILE "log.at"
#define COVERED_MAX 40 /* "4294967295 18446744073709551615\n" and to spare */

/* Exactly "FILE OFFSET\n", as airlock-log writes it. */
static bool
parse(const char *text, size_t len, struct journal_pos *ret)
{
	uint64_t n[2] = { 0 };
	char canonical[COVERED_MAX + 1];

	if (text_numbers(text, ' ', n, 2) == NULL || n[0] > UINT32_MAX) {
		return false;
	}
	snprintf(canonical, sizeof(canonical), "%llu %llu\n", (unsigned long long)n[0],
		 (unsigned long long)n[1]);
	*ret = (struct journal_pos){ .file = (uint32_t)n[0], .offset = n[1] };
	return strlen(canonical) == len && memcmp(canonical, text, len) == 0;
}

int
store_covered(const struct store *s, struct journal_pos *ret, struct err *err)
{
	char text[COVERED_MAX + 1] = "";
	auto_fd fd =
		openat(s->dir_fd, COVERED_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		return errno == ENOENT ? -ENOENT
				       : err_sys(err, -errno, "%s/%s", s->path, COVERED_FILE);
	}
	n = pread(fd, text, COVERED_MAX, 0);
	if (n < 0) {
		return err_sys(err, -errno, "%s/%s", s->path, COVERED_FILE);
	}
	if (!parse(text, (size_t)n, ret)) {
		return err_set(err, -EBADMSG,
			       "%s/%s is damaged: how far the signed log goes cannot be told. "
			       "Remove it, and airlock-log writes it again",
			       s->path, COVERED_FILE);
	}
	return 0;
}

/* The size of a journal file, which may be a newer one than the store's; -ENOENT. */
static int
size_of(const struct store *s, uint32_t file, uint64_t *ret)
{
	char name[JOURNAL_NAME_SIZE];
	struct stat st;

	journal_name(file, name);
	if (file == s->journal_number ? fstat(s->journal_fd, &st) < 0
				      : fstatat(s->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return -errno;
	}
	*ret = (uint64_t)st.st_size;
	return 0;
}

int
store_covered_check(const struct store *s, struct err *err)
{
	struct journal_pos covered = { 0 };
	uint64_t size = 0;
	char name[JOURNAL_NAME_SIZE];
	int r = store_covered(s, &covered, err);

	if (r < 0) {
		return r == -ENOENT ? 0 : r;
	}
	if (covered.file < s->journal_number) {
		return 0;
	}
	/* one that was made since the store looked is fine */
	r = size_of(s, covered.file, &size);
	journal_name(covered.file, name);
	if (r < 0 && r != -ENOENT) {
		return err_sys(err, r, "%s/%s", s->path, name);
	}
	if (r == 0 && covered.offset <= size) {
		return 0;
	}
	return err_set(
		err, -ESTALE,
		"state directory %s: the journal ends before what its log has signed (%s, "
		"byte %llu): a backup was put back. To go on would fork the log. Put back the "
		"newer journal; or move log, log.db, log.key and log.at out of there, and a new "
		"log with a new key begins",
		s->path, name, (unsigned long long)covered.offset);
}
