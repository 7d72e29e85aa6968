/* SPDX-License-Identifier: Apache-2.0 */
/* Test helper: a temporary directory with a workspace ("ws"), an upper ("up") and a canary ("out").
 */
#ifndef AIRLOCK_TESTS_SNAPSHOT_WORLD_H
#define AIRLOCK_TESTS_SNAPSHOT_WORLD_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "../scratch.h"

#define NOBODY 65534

struct world {
	char path[64];
	int dir_fd, ws_fd, up_fd, out_fd, commits_fd;
};

static inline void
world_init(struct world *w)
{
	strcpy(w->path, "/tmp/airlock-snapshot-XXXXXX");
	cr_assert_not_null(mkdtemp(w->path));
	w->dir_fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(w->dir_fd, 0);
	cr_assert_eq(mkdirat(w->dir_fd, "ws", 0755), 0);
	cr_assert_eq(mkdirat(w->dir_fd, "up", 0755), 0);
	cr_assert_eq(mkdirat(w->dir_fd, "out", 0755), 0);
	cr_assert_eq(mkdirat(w->dir_fd, "commits", 0755), 0);
	w->ws_fd = openat(w->dir_fd, "ws", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->up_fd = openat(w->dir_fd, "up", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->out_fd = openat(w->dir_fd, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->commits_fd = openat(w->dir_fd, "commits", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Root needs no mode bits: as somebody who does. */
static inline void
world_init_plain(struct world *w)
{
	world_init(w);
	if (geteuid() == 0) {
		cr_assert_eq(chown(w->path, NOBODY, NOBODY), 0);
		cr_assert_eq(fchown(w->ws_fd, NOBODY, NOBODY), 0);
		cr_assert_eq(fchown(w->up_fd, NOBODY, NOBODY), 0);
		cr_assert_eq(fchown(w->out_fd, NOBODY, NOBODY), 0);
		cr_assert_eq(fchown(w->commits_fd, NOBODY, NOBODY), 0);
		cr_assert_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
		cr_assert_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
		cr_assert_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
	}
}

static inline void
world_finish(struct world *w)
{
	close(w->ws_fd);
	close(w->up_fd);
	close(w->out_fd);
	close(w->commits_fd);
	close(w->dir_fd);
	scratch_remove(w->path);
}

/* All have one mtime, as what a copy-up made has that of the file below. */
static inline void
world_file(int dirfd, const char *path, const char *text, mode_t mode)
{
	const struct timespec times[2] = { { .tv_sec = 1600000000 }, { .tv_sec = 1600000000 } };
	int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchmod(fd, mode), 0);
	cr_assert_eq(futimens(fd, times), 0);
	close(fd);
}

static inline void
world_dir(int dirfd, const char *path, mode_t mode)
{
	cr_assert_eq(mkdirat(dirfd, path, 0700), 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(fchmodat(dirfd, path, mode, 0), 0);
}

static inline void
world_link(int dirfd, const char *path, const char *target)
{
	cr_assert_eq(symlinkat(target, dirfd, path), 0, "%s: %s", path, strerror(errno));
}

/* A directory "m" and a file "z" in each of so many levels. A descriptor of the lowest. */
static inline int
world_deep(int dirfd, const char *path, unsigned int levels)
{
	int at = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (unsigned int i = 0; i < levels; i++) {
		int next;

		world_dir(at, "m", 0755);
		world_file(at, "z", "1", 0644);
		next = openat(at, "m", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	return at;
}

/* As root only: says so when it is skipped. */
static inline bool
world_whiteout(int dirfd, const char *path)
{
	if (mknodat(dirfd, path, S_IFCHR, makedev(0, 0)) == 0) {
		return true;
	}
	cr_assert_eq(errno, EPERM);
	cr_log_warn("skipped: no right to make a character device 0:0");
	return false;
}

static inline void
world_xattr(int dirfd, const char *path, const char *name, const char *value)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(fsetxattr(fd, name, value, strlen(value), 0), 0, "%s: %s", name,
		     strerror(errno));
	close(fd);
}

/* What a file holds, "" for an empty one, NULL when there is none. */
static inline char *
world_read(int dirfd, const char *path)
{
	static char text[4096];
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0) {
		return NULL;
	}
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static inline mode_t
world_mode(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_mode;
}

static inline int64_t
world_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#endif
