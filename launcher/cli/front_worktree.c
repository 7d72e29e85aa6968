/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, after any drop of ids: a workspace that is a linked git worktree, and what its
 * call sees of the repository. Where that is nothing, a note says so: git's own message would not
 * say why.
 */
#include <errno.h>

#include "front.h"

static void
note(struct front *f, const char *why)
{
	front_warn(f,
		   arena_printf(&f->arena,
				"the workspace is a linked git worktree, whose repository is not "
				"visible, so git will not work in this call: %s",
				why));
}

int
front_worktree(struct front *f)
{
	const struct worktree_query q = { .identity = &f->req.identity,
					  .workspace = f->req.workspace,
					  .workspace_fd = f->req.workspace_fd,
					  .state = f->state_path };

	if (!f->profile->git_worktree) {
		if (worktree_is_linked(f->req.workspace_fd)) {
			note(f, "git.worktree: true in the profile shows its history");
		}
		return 0;
	}
	if (worktree_find(&f->arena, &q, &f->worktree) < 0) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	if (f->worktree.refusal != NULL) {
		note(f, f->worktree.refusal);
	}
	f->req.worktree = &f->worktree;
	return 0;
}

void
front_worktree_planned(struct front *f)
{
	const char *why = plan_worktree_conflict(f->builder);

	if (why != NULL && why[0] != '\0') {
		note(f, arena_printf(&f->arena, "%s %s", f->worktree.common, why));
	}
	if (why != NULL) {
		f->worktree.common = NULL;
	}
}
