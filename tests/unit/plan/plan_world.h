/* SPDX-License-Identifier: Apache-2.0 */
/* A workspace below /tmp, a profile and a request to plan with. Used by tests of plan/ only. */
#ifndef AIRLOCK_TESTS_PLAN_WORLD_H
#define AIRLOCK_TESTS_PLAN_WORLD_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../launcher/plan/plan_build.h"
#include "../scratch.h"

struct plan_world {
	char dir[64], workspace[80];
	struct profile profile;
	struct request request;
	struct plan_builder *builder;
	const struct plan *plan;
};

static inline void
plan_world_init(struct plan_world *w)
{
	static const char *argv[] = { "true", NULL };

	*w = (struct plan_world){ .dir = "/tmp/airlock-plan-XXXXXX" };
	cr_assert_not_null(mkdtemp(w->dir));
	snprintf(w->workspace, sizeof(w->workspace), "%s/ws", w->dir);
	cr_assert_eq(mkdir(w->workspace, 0755), 0);
	w->profile = (struct profile){ .name = "t", .source = "/t.yaml", .mode = MODE_APPLY };
	w->request = (struct request){
		.call_text = "01890000-0000-7000-8000-000000000000",
		.argv = argv,
		.argc = 1,
		.envp = argv + 1,
		.exe = "/usr/bin/true",
		.upper_dir = "",
		.workspace = w->workspace,
		.cwd = w->workspace,
		.workspace_fd = open(w->workspace, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.mode = MODE_APPLY,
		.limits = { .memory_bytes = 1u << 26,
			    .pids = 33,
			    .cpu_time_ms = 1500,
			    .disk_bytes = 1u << 23,
			    .files = 100,
			    .open_files = 50 },
		.landlock_abi = 7,
		.identity = { .kind = IDENTITY_PLAIN,
			      .uid_inside = geteuid(),
			      .gid_inside = getegid(),
			      .uid_outside = geteuid(),
			      .gid_outside = getegid(),
			      .owner_uid = geteuid(),
			      .owner_gid = getegid(),
			      .user = "u",
			      .home = "/home/u",
			      .shell = "/bin/sh" },
	};
	cr_assert_geq(w->request.workspace_fd, 0);
}

static inline void
plan_world_finish(struct plan_world *w)
{
	plan_builder_destroy(w->builder);
	close(w->request.workspace_fd);
	scratch_remove(w->dir);
}

/* An empty file, or a directory when the name ends with a slash, below w->dir. */
static inline void
plan_world_make(const struct plan_world *w, const char *name)
{
	char path[256];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	int fd;

	if (path[len - 1] == '/') {
		cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s", path);
	close(fd);
}

/* 0, or the failure with its message. */
static inline int
plan_world_build(struct plan_world *w, struct err *err)
{
	int rc = plan_builder_create(&w->profile, &w->request, &w->builder, err);

	return rc < 0 ? rc : plan_builder_finish(w->builder, &w->plan, err);
}

/* The row of a target below w->dir, or NULL. */
static inline const struct plan_mount *
plan_world_row(const struct plan_world *w, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	for (size_t i = 0; i < w->plan->mount_count; i++) {
		if (strcmp(w->plan->mounts[i].target, path) == 0) {
			return &w->plan->mounts[i];
		}
	}
	return NULL;
}

#endif
