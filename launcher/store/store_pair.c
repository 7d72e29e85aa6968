/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files of two numbers in the state directory: log.at, quota. Read by the front in the path
 * of a call, so it is one open and one pread; written by airlock-cli and airlock-log, as the
 * caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"
#include "../base/text.h"
#include "store_internal.h"

#define PAIR_MAX 48 /* two numbers of 20 digits and to spare */

static int
print_pair(const uint64_t pair[2], char ret_text[PAIR_MAX])
{
	return snprintf(ret_text, PAIR_MAX, "%llu %llu\n", (unsigned long long)pair[0],
			(unsigned long long)pair[1]);
}

int
store_read_pair(const struct store *s, const char *name, uint64_t ret_pair[2])
{
	char text[PAIR_MAX + 1] = "", canonical[PAIR_MAX];
	auto_fd fd = openat(s->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint64_t n[2];
	ssize_t len;

	if (fd < 0) {
		return -errno;
	}
	len = pread(fd, text, PAIR_MAX, 0);
	if (len < 0) {
		return -errno;
	}
	if (text_numbers(text, ' ', n, 2) == NULL || print_pair(n, canonical) != len ||
	    memcmp(canonical, text, (size_t)len) != 0) {
		return -EBADMSG;
	}
	memcpy(ret_pair, n, sizeof(n));
	return 0;
}

int
store_write_pair(const struct store *s, const char *name, const uint64_t pair[2])
{
	char text[PAIR_MAX];
	size_t len = (size_t)print_pair(pair, text);

	return fdio_replace_at(s->dir_fd, name, text, len, 0600);
}
