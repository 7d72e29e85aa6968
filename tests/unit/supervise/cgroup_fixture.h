/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the cgroup tests, run as the developer or CI. A site of its own below the caller's v1 groups
 * (parents airlock-test-<pid>, removed at the end), and processes that enter a group by themselves.
 * Where there is no writable v1 the test says why and is skipped.
 */
#ifndef AIRLOCK_TESTS_CGROUP_FIXTURE_H
#define AIRLOCK_TESTS_CGROUP_FIXTURE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../launcher/supervise/cgroup.h"
#include "../../../launcher/supervise/cgroup_internal.h"
#include "../scratch.h"

static const char *const fixture_controllers[] = { "memory", "pids", "cpu", "cpuacct" };

/* This thread's own path in the hierarchy of a v1 controller; false when it has none. */
static inline bool
fixture_own(const char *controller, char ret_path[512])
{
	FILE *f = fopen("/proc/thread-self/cgroup", "re");
	char line[1024];
	bool found = false;

	cr_assert_not_null(f);
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		char *names = strchr(line, ':');
		char *path = names != NULL ? strchr(names + 1, ':') : NULL;

		if (path == NULL) {
			continue;
		}
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		if (strcmp(names + 1, controller) == 0) {
			snprintf(ret_path, 512, "%s", strcmp(path, "/") == 0 ? "" : path);
			found = true;
		}
	}
	fclose(f);
	return found;
}

/* Skips the running test unless it can be had. Every parent exists then. */
static inline struct cgroup_site
fixture_site(void)
{
	struct cgroup_site site = { .version = CGROUP_V1, .missing = 0 };

	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		char own[512], path[1024] = "";

		if (c < ARRAY_LEN(fixture_controllers)) {
			if (!fixture_own(fixture_controllers[c], own)) {
				cr_skip_test("no cgroup v1 hierarchy with %s",
					     fixture_controllers[c]);
			}
			snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/airlock-test-%d",
				 fixture_controllers[c], own, getpid());
			if (mkdir(path, 0755) < 0) {
				cr_skip_test("%s: %s", path, strerror(errno));
			}
		}
		site.parent[c] = strdup(path);
		cr_assert_not_null(site.parent[c]);
	}
	site.why = strdup("");
	return site;
}

static inline void
fixture_finish(struct cgroup_site *site)
{
	for (unsigned int c = 0; c < ARRAY_LEN(fixture_controllers); c++) {
		cr_expect_eq(rmdir(site->parent[c]), 0, "%s: %s", site->parent[c], strerror(errno));
	}
	cgroup_site_finish(site);
}

static inline struct limits
fixture_limits(void)
{
	return (struct limits){ .memory_bytes = 64u << 20, .pids = 32, .cpu_percent = 100 };
}

static inline struct cgroup
fixture_create(const struct cgroup_site *site, const struct limits *limits)
{
	static const uint8_t call[16] = { [12] = 0xca, [13] = 0xfe, [14] = 0x00, [15] = 0x01 };
	struct cgroup cg = CGROUP_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(cgroup_create(site, limits, 0, call, &cg, &err), 0, "%s", err.text);
	return cg;
}

/* What a file of the group `name` holds, without its newline. */
static inline void
fixture_file(const struct cgroup_site *site, enum cgroup_ctl ctl, const char *name,
	     const char *file, char ret_text[256])
{
	char path[1024];
	int len;

	snprintf(path, sizeof(path), "%s/%s/%s", site->parent[ctl], name, file);
	len = cgroup_file_read(AT_FDCWD, path, ret_text, 256);
	cr_assert_geq(len, 0, "%s: %s", path, strerror(-len));
	ret_text[strcspn(ret_text, "\n")] = '\0';
}

/*
 * /bin/sh -c in the group: it writes "0" into each tasks itself, then runs script. With ready, fd 3
 * of the script is a pipe, and this returns when the script has written a byte to it.
 */
static inline pid_t
fixture_spawn(const struct cgroup_site *site, const char *name, const char *script, bool ready)
{
	char text[8192] = "", byte;
	char *argv[] = { (char *)"sh", (char *)"-c", text, NULL };
	char *envp[] = { (char *)"PATH=/usr/bin:/bin", NULL };
	posix_spawn_file_actions_t actions;
	size_t used = 0;
	int pipe_fds[2];
	pid_t pid;

	for (unsigned int c = 0; c < ARRAY_LEN(fixture_controllers); c++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "echo 0 >%s/%s/tasks && ", site->parent[c], name);
	}
	snprintf(text + used, sizeof(text) - used, "{ %s; }", script);
	cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	cr_assert_eq(posix_spawn_file_actions_init(&actions), 0);
	cr_assert_eq(posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0), 0);
	cr_assert_eq(posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 3), 0);
	cr_assert_eq(posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, envp), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fds[1]);
	if (ready) {
		cr_assert_eq(read(pipe_fds[0], &byte, 1), 1);
	}
	close(pipe_fds[0]);
	return pid;
}

static inline int
fixture_wait(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* A directory below /tmp that looks like a group: name and text of each file, ended by NULL. */
static inline int
fixture_fake(char template[], const char *const files[][2])
{
	int dir_fd;

	cr_assert_not_null(mkdtemp(template));
	dir_fd = cgroup_dir_open(AT_FDCWD, template);
	cr_assert_geq(dir_fd, 0);
	for (unsigned int i = 0; files[i][0] != NULL; i++) {
		int fd = openat(dir_fd, files[i][0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		cr_assert_geq(fd, 0);
		cr_assert_eq(write(fd, files[i][1], strlen(files[i][1])),
			     (ssize_t)strlen(files[i][1]));
		close(fd);
	}
	return dir_fd;
}

static inline void
fixture_fake_finish(const char *dir, int dir_fd, const char *const files[][2])
{
	for (unsigned int i = 0; files[i][0] != NULL; i++) {
		cr_expect_eq(unlinkat(dir_fd, files[i][0], 0), 0);
	}
	close(dir_fd);
	cr_expect_eq(rmdir(dir), 0);
}

#endif
