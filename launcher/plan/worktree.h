/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The repository of a workspace that is a linked git worktree, for git.worktree. Run by the front,
 * with the caller's or owner's authority, before the plan. The workspace's .git was perhaps written
 * by a tool: what it names is given only when the other side, which no tool writes, names this
 * workspace. What is given is a list of names; a configuration, hooks, reflogs and other worktrees
 * are not on it.
 */
#ifndef AIRLOCK_PLAN_WORKTREE_H
#define AIRLOCK_PLAN_WORKTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/cleanup.h"

struct identity;

/* Where it is inside: on the root, which is read-only; a link leads there from its own path. */
#define WORKTREE_INSIDE "/.airlock/git"
#define WORKTREE_ITEMS_MAX 17u

struct worktree_item {
	const char *path; /* below the common directory */
	bool is_dir;
	uint64_t device, inode; /* of a directory */
};

struct worktree {
	const char *common;  /* the repository's directory; NULL: nothing is given */
	const char *refusal; /* why not, of a workspace whose .git is a file; else NULL */
	bool sha256;         /* its objects' names */
	struct worktree_item items[WORKTREE_ITEMS_MAX];
	size_t item_count;
};

struct worktree_query {
	const struct identity *identity;
	const char *workspace;
	int workspace_fd;
	const char *state; /* a directory of airlock's own that is never shown */
};

/* The workspace's .git is a file, as in a linked worktree. */
bool worktree_is_linked(int workspace_fd);
/* Fills ret, texts in the arena. What cannot be given safely is refused, not failed. -ENOMEM. */
int worktree_find(struct arena *a, const struct worktree_query *q, struct worktree *ret) must_check;

#endif
