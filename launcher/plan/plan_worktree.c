/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git.worktree -> rows. Run by the front. The repository is put together on the sandbox's root,
 * which is read-only: only what is listed is there, now and when the host adds files, and git
 * cannot change a part of it. A link at its own path leads to it.
 */
#include <errno.h>
#include <string.h>

#include "plan_build_internal.h"

static const char config_sha1[] = "[core]\n\trepositoryformatversion = 0\n";
static const char config_sha256[] =
	"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n";

static int
add_config(struct plan_builder *b, bool sha256)
{
	const char *text = sha256 ? config_sha256 : config_sha1;

	return plan_row(b, (struct plan_mount){ .kind = MOUNT_FILE,
						.mode = 0444,
						.target = WORKTREE_INSIDE "/config",
						.source = "",
						.data = (const uint8_t *)text,
						.data_len = strlen(text) });
}

static int
add_item(struct plan_builder *b, const char *common, const struct worktree_item *item)
{
	const char *source = arena_printf(&b->arena, "%s/%s", common, item->path);
	const char *target = arena_printf(&b->arena, WORKTREE_INSIDE "/%s", item->path);

	if (source == NULL || target == NULL) {
		return -ENOMEM;
	}
	return plan_row(b, (struct plan_mount){ .kind = item->is_dir ? MOUNT_TREE : MOUNT_COPY,
						.flags = item->is_dir ? MOUNT_NOEXEC : 0,
						.mode = item->is_dir ? 0 : 0444,
						.device = item->device,
						.inode = item->inode,
						.target = target,
						.source = source });
}

/* What the profile does there already. */
static const char *
conflict(const struct plan_builder *b, const char *common, const char *pointer)
{
	if (mount_table_below(&b->mounts, common) != NULL) {
		return "has a mount in it";
	}
	for (size_t i = 0; i < b->plan.mount_count; i++) {
		const struct plan_mount *row = &b->plan.mounts[i];

		if (row->kind != MOUNT_SCRATCH && row->kind != MOUNT_DIR &&
		    row->kind != MOUNT_LAYER && row->kind != MOUNT_CACHE &&
		    plan_covers(row->target, common)) {
			return ""; /* shown as it is */
		}
		if (plan_covers(common, row->target) ||
		    (row->kind == MOUNT_CACHE && plan_covers(row->target, common))) {
			return "lies where another key of the profile shows something else";
		}
	}
	return plan_masked_by(b, pointer) != NULL ? "" /* so that git is not wanted */ : NULL;
}

int
plan_add_worktree(struct plan_builder *b, struct err *err)
{
	const struct worktree *w = b->request->worktree;
	const char *pointer = arena_printf(&b->arena, "%s/.git", b->request->workspace);
	int rc = pointer == NULL ? -ENOMEM : 0;

	if (w == NULL || w->common == NULL) {
		return 0;
	}
	if (rc == 0) {
		b->worktree_conflict = conflict(b, w->common, pointer);
	}
	if (b->worktree_conflict != NULL) {
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < w->item_count; i++) {
		rc = add_item(b, w->common, &w->items[i]);
	}
	if (rc == 0) {
		rc = add_config(b, w->sha256);
	}
	if (rc == 0) {
		rc = plan_row(b, (struct plan_mount){ .kind = MOUNT_SYMLINK,
						      .target = w->common,
						      .source = WORKTREE_INSIDE });
	}
	b->worktree_shown = rc == 0;
	return rc < 0 ? err_sys(err, rc, "git.worktree") : 0;
}

const char *
plan_worktree_conflict(const struct plan_builder *b)
{
	return b->worktree_conflict;
}
