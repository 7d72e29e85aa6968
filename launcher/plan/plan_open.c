/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front: host paths, component by component and without following a link. */
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

const char *
plan_plain_path(struct arena *a, const char *path)
{
	size_t len = path != NULL ? strlen(path) : 0;

	while (len > 1 && path[len - 1] == '/') {
		len--;
	}
	if (len < 2 || len >= PATH_MAX || path[0] != '/') {
		return NULL;
	}
	for (size_t at = 0; at < len;) {
		size_t name = strcspn(path + at + 1, "/");

		if (name == 0 || (name == 1 && path[at + 1] == '.') ||
		    (name == 2 && path[at + 1] == '.' && path[at + 2] == '.')) {
			return NULL;
		}
		at += name + 1;
	}
	return arena_copy(a, path, len);
}
