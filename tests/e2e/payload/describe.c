/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line per entry of the current directory: path, mode, owner, content, attributes that
 * tests/e2e/payload/work.c gives. Run by tests as who may read all of it.
 *
 *         describe [times]   times: of files as well
 */
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

static void
fail(const char *what)
{
	fprintf(stderr, "describe: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Bytes of a name or value, one line whatever they are. */
static void
put(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c > ' ' && c < 0x7f && c != '\\' && c != '%') {
			putchar(c);
		} else {
			printf("%%%02x", c);
		}
	}
}

static int
not_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
describe_attributes(const char *path)
{
	static const char *const attributes[] = { "user.a", "user.b", "user.long name",
						"user.was" };
	char value[64];

	for (size_t i = 0; i < 4; i++) {
		ssize_t n = lgetxattr(path, attributes[i], value, sizeof(value));

		if (n >= 0) {
			printf(" %s=", attributes[i] + 5);
			put(value, (size_t)n);
		} else if (errno != ENODATA) {
			fail(path);
		}
	}
}

static void
describe_content(const char *path)
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
	printf(" %016lx", hash);
}

static void
describe(const char *path, bool times)
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
		put(below, strlen(below));
		printf(" %06o %u:%u", st.st_mode, st.st_uid, st.st_gid);
		if (S_ISREG(st.st_mode)) {
			printf(" %ld", (long)st.st_size);
			describe_content(below);
		}
		if (S_ISREG(st.st_mode) && times) {
			printf(" %ld.%09ld", st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
		}
		if (S_ISLNK(st.st_mode) && readlink(below, target, sizeof(target) - 1) > 0) {
			printf(" -> ");
			put(target, strlen(target));
		} else {
			describe_attributes(below);
		}
		putchar('\n');
		if (S_ISDIR(st.st_mode)) {
			describe(below, times);
		}
		free(below);
		free(list[i]);
	}
	free(list);
}

int
main(int argc, char **argv)
{
	describe(".", argc > 1 && strcmp(argv[1], "times") == 0);
	return 0;
}
