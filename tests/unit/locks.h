/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for a flock(2), for the unit tests. */
#ifndef AIRLOCK_TESTS_LOCKS_H
#define AIRLOCK_TESTS_LOCKS_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "../../launcher/base/fdio.h"

/* Whether somebody waits for the lock of that file. */
static inline bool
locks_is_waited_for(ino_t ino)
{
	auto_buf locks = BUF_INIT;
	char inode[32];

	snprintf(inode, sizeof(inode), ":%llu ", (unsigned long long)ino);
	cr_assert_eq(fdio_slurp_at(AT_FDCWD, "/proc/locks", 1u << 20, &locks), 0);
	for (const char *p = buf_text(&locks); (p = strstr(p, "-> FLOCK")) != NULL; p++) {
		const char *end = strchr(p, '\n'), *found = strstr(p, inode);

		if (found != NULL && (end == NULL || found < end)) {
			return true;
		}
	}
	return false;
}

#endif
