/* SPDX-License-Identifier: Apache-2.0 */
/* Test helper: a tree in lines that two of them can be compared by. */
#ifndef AIRLOCK_TESTS_TREE_H
#define AIRLOCK_TESTS_TREE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PATH_SIZE 1200u

static inline void
fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

/* Bytes of a name or value, one line whatever they are. */
static inline void
put(FILE *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c > ' ' && c < 0x7f && c != '\\' && c != '%') {
			putc(c, out);
		} else {
			fprintf(out, "%%%02x", c);
		}
	}
}

static inline int
not_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static inline int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static inline int
names_by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All that begin with user., in the order of their names. */
static inline void
tree_put_attributes(FILE *out, const char *path)
{
	char list[4096], value[4096];
	const char *names[64];
	size_t count = 0;
	ssize_t len = llistxattr(path, list, sizeof(list));

	if (len < 0) {
		fail(path);
	}
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(list + at) + 1) {
		if (strncmp(list + at, "user.", 5) == 0 && count < 64) {
			names[count++] = list + at;
		}
	}
	qsort(names, count, sizeof(names[0]), names_by_bytes);
	for (size_t i = 0; i < count; i++) {
		ssize_t n = lgetxattr(path, names[i], value, sizeof(value));

		if (n < 0) {
			fail(path);
		}
		putc(' ', out);
		put(out, names[i] + 5, strlen(names[i]) - 5);
		putc('=', out);
		put(out, value, (size_t)n);
	}
}

static inline void
tree_put_content(FILE *out, const char *path)
{
	uint64_t hash = 0xcbf29ce484222325u;
	unsigned char bytes[65536];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			hash = (hash ^ bytes[i]) * 0x100000001b3u;
		}
	}
	if (n < 0) {
		fail(path);
	}
	close(fd);
	fprintf(out, " %016lx", hash);
}

/* A line per entry below path: path, mode, owner, content, attributes. times: of files as well. */
static inline void
tree_describe(FILE *out, const char *path, bool times)
{
	struct dirent **list;
	int n = scandir(path, &list, not_dots, by_bytes);

	if (n < 0) {
		fail(path);
	}
	for (int i = 0; i < n; i++) {
		char *below = NULL, target[PATH_SIZE] = "";
		struct stat st;

		if (asprintf(&below, "%s/%s", path, list[i]->d_name) < 0 || lstat(below, &st) < 0) {
			fail("describe");
		}
		put(out, below, strlen(below));
		fprintf(out, " %06o %u:%u", st.st_mode, st.st_uid, st.st_gid);
		if (S_ISREG(st.st_mode)) {
			fprintf(out, " %ld", (long)st.st_size);
			tree_put_content(out, below);
		}
		if (S_ISREG(st.st_mode) && times) {
			fprintf(out, " %ld.%09ld", st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
		}
		if (S_ISLNK(st.st_mode) && readlink(below, target, sizeof(target) - 1) > 0) {
			fputs(" -> ", out);
			put(out, target, strlen(target));
		} else {
			tree_put_attributes(out, below);
		}
		putc('\n', out);
		if (S_ISDIR(st.st_mode)) {
			tree_describe(out, below, times);
		}
		free(below);
		free(list[i]);
	}
	free(list);
}

#endif
