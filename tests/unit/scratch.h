/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of every room need: a count of open descriptors, and the end of a directory. */
#ifndef AIRLOCK_TESTS_SCRATCH_H
#define AIRLOCK_TESTS_SCRATCH_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

/* With "." and "..", and the one that counts. */
static inline unsigned int
scratch_count_fds(void)
{
	unsigned int n = 0;
	DIR *d = opendir("/proc/self/fd");

	cr_assert_not_null(d);
	while (readdir(d) != NULL) {
		n++;
	}
	closedir(d);
	return n;
}

static inline int
scratch_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* With all that is below it. */
static inline void
scratch_remove(const char *path)
{
	cr_expect_eq(nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0, "%s", path);
}

#endif
