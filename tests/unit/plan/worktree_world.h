/* SPDX-License-Identifier: Apache-2.0 */
/* A repository beside the workspace, which is a linked worktree of it. Used by tests of plan/. */
#ifndef AIRLOCK_TESTS_WORKTREE_WORLD_H
#define AIRLOCK_TESTS_WORKTREE_WORLD_H

#include "../../../launcher/plan/worktree.h"
#include "plan_world.h"

struct worktree_world {
	struct plan_world plan;
	struct arena arena;
	struct worktree found;
	struct worktree_query query;
	char common[96], state[96];
};

static inline const char *
worktree_path(const struct worktree_world *w, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", w->plan.dir, name);
	return path;
}

static inline void
worktree_write(const struct worktree_world *w, const char *name, const char *text)
{
	int fd = open(worktree_path(w, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert_geq(fd, 0, "%s", name);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static inline void
worktree_world_init(struct worktree_world *w)
{
	static const char *const dirs[] = { "main/",
					    "main/.git/",
					    "main/.git/objects/",
					    "main/.git/refs/",
					    "main/.git/hooks/",
					    "main/.git/logs/",
					    "main/.git/worktrees/",
					    "main/.git/worktrees/one/",
					    "main/.git/worktrees/one/logs/" };
	char text[256];

	*w = (struct worktree_world){ .arena = ARENA_INIT };
	plan_world_init(&w->plan);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		plan_world_make(&w->plan, dirs[i]);
	}
	snprintf(w->common, sizeof(w->common), "%s/main/.git", w->plan.dir);
	snprintf(w->state, sizeof(w->state), "%s/state", w->plan.dir);
	snprintf(text, sizeof(text), "gitdir: %s/worktrees/one\n", w->common);
	worktree_write(w, "ws/.git", text);
	snprintf(text, sizeof(text), "%s/.git\n", w->plan.workspace);
	worktree_write(w, "main/.git/worktrees/one/gitdir", text);
	worktree_write(w, "main/.git/worktrees/one/commondir", "../..\n");
	worktree_write(w, "main/.git/worktrees/one/HEAD", "ref: refs/heads/one\n");
	worktree_write(w, "main/.git/worktrees/one/index", "DIRC");
	worktree_write(w, "main/.git/worktrees/one/config.worktree", "token");
	worktree_write(w, "main/.git/HEAD", "ref: refs/heads/main\n");
	worktree_write(w, "main/.git/packed-refs", "# pack-refs\n");
	worktree_write(w, "main/.git/config", "[remote \"origin\"]\n\turl = https://t@x/\n");
	w->query = (struct worktree_query){ .identity = &w->plan.request.identity,
					    .workspace = w->plan.workspace,
					    .workspace_fd = w->plan.request.workspace_fd,
					    .state = w->state };
	w->plan.request.worktree = &w->found;
}

static inline void
worktree_world_finish(struct worktree_world *w)
{
	plan_world_finish(&w->plan);
	arena_finish(&w->arena);
}

#endif
