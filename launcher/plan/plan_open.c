/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front: host paths opened component by component, without following a link. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan_build_internal.h"

int
plan_open_plain(int dirfd, const char *path, struct stat *ret_st, size_t *ret_link)
{
	auto_fd at = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *p = path;

	if (at < 0 || fstat(at, ret_st) < 0) {
		return -errno;
	}
	while (*p != '\0') {
		char name[NAME_MAX + 1];
		size_t len = strcspn(p, "/");
		int next;

		if (len >= sizeof(name)) {
			return -ENOENT;
		}
		memcpy(name, p, len);
		name[len] = '\0';
		next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0) {
			return -errno;
		}
		close(at);
		at = next;
		if (fstat(at, ret_st) < 0) {
			return -errno;
		}
		p += len;
		if (S_ISLNK(ret_st->st_mode)) {
			*ret_link = (size_t)(p - path);
			return -ELOOP;
		}
		p += *p == '/';
	}
	return take_fd(&at);
}
