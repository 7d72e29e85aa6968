/* SPDX-License-Identifier: Apache-2.0 */
/* git.worktree: the rows. Run by `make unit`. */
#include "worktree_world.h"

static const struct plan_mount *
row(const struct worktree_world *w, const char *target)
{
	for (size_t i = 0; i < w->plan.plan->mount_count; i++) {
		if (strcmp(w->plan.plan->mounts[i].target, target) == 0) {
			return &w->plan.plan->mounts[i];
		}
	}
	return NULL;
}

static void
build(struct worktree_world *w)
{
	struct err err = ERR_INIT;

	cr_assert_eq(worktree_find(&w->arena, &w->query, &w->found), 0);
	cr_assert_not_null(w->found.common, "%s", w->found.refusal);
	cr_assert_eq(plan_world_build(&w->plan, &err), 0, "%s", err.text);
}

static bool
has_rule(const struct worktree_world *w)
{
	for (size_t i = 0; i < w->plan.plan->rule_count; i++) {
		if (strcmp(w->plan.plan->rules[i].path, WORKTREE_INSIDE) == 0) {
			return true;
		}
	}
	return false;
}

static void
expect_none(struct worktree_world *w, const char *why)
{
	build(w);
	cr_assert_not_null(plan_worktree_conflict(w->plan.builder));
	cr_expect_str_eq(plan_worktree_conflict(w->plan.builder), why);
	cr_expect_null(row(w, WORKTREE_INSIDE "/objects"));
	cr_expect_null(row(w, WORKTREE_INSIDE "/config"));
	cr_expect_eq(has_rule(w), false);
	worktree_world_finish(w);
}

Test(plan_worktree, on_the_read_only_root_behind_a_link)
{
	static const char config[] = "[core]\n\trepositoryformatversion = 0\n";
	struct worktree_world w;
	const struct plan_mount *m;
	size_t inside = 0;

	worktree_world_init(&w);
	build(&w);
	cr_expect_null(plan_worktree_conflict(w.plan.builder));
	m = row(&w, w.common);
	cr_assert_not_null(m);
	cr_expect_eq(m->kind, MOUNT_SYMLINK);
	cr_expect_str_eq(m->source, "/.airlock/git");
	m = row(&w, "/.airlock/git/objects");
	cr_assert_not_null(m);
	cr_expect_eq(m->kind, MOUNT_TREE);
	cr_expect_eq(m->flags, MOUNT_NOEXEC);
	cr_expect_str_eq(m->source, worktree_path(&w, "main/.git/objects"));
	cr_expect_eq(m->inode, w.found.items[1].inode);
	cr_expect_eq(m->device, w.found.items[1].device);
	m = row(&w, "/.airlock/git/worktrees/one/index");
	cr_assert_not_null(m);
	cr_expect_eq(m->kind, MOUNT_COPY);
	cr_expect_eq(m->mode, 0444u);
	m = row(&w, "/.airlock/git/config");
	cr_assert_not_null(m);
	cr_expect_eq(m->kind, MOUNT_FILE);
	cr_expect_eq(m->data_len, strlen(config));
	cr_expect_eq(memcmp(m->data, config, strlen(config)), 0);
	for (size_t i = 0; i < w.plan.plan->mount_count; i++) {
		inside += plan_covers("/.airlock", w.plan.plan->mounts[i].target);
	}
	cr_expect_eq(inside, 9u);
	cr_expect_eq(has_rule(&w), true);
	worktree_world_finish(&w);
}

Test(plan_worktree, names_of_sha256)
{
	static const char config[] =
		"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n";
	struct worktree_world w;
	const struct plan_mount *m;

	worktree_world_init(&w);
	worktree_write(&w, "main/.git/config", "[extensions]\n\tobjectFormat=SHA256\n");
	build(&w);
	m = row(&w, "/.airlock/git/config");
	cr_assert_not_null(m);
	cr_expect_eq(m->data_len, strlen(config));
	cr_expect_eq(memcmp(m->data, config, strlen(config)), 0);
	worktree_world_finish(&w);
}

Test(plan_worktree, what_the_profile_shows_already_stays_as_it_is)
{
	struct worktree_world w;
	char path[96];
	struct rule_path read = { .path = path, .origin = "t.yaml:3" };

	worktree_world_init(&w);
	w.plan.profile.read = &read;
	w.plan.profile.read_count = 1;
	snprintf(path, sizeof(path), "%s/main", w.plan.dir);
	expect_none(&w, "");
	worktree_world_init(&w);
	w.plan.profile.read = &read;
	w.plan.profile.read_count = 1;
	snprintf(path, sizeof(path), "%s/main/.git/objects", w.plan.dir);
	expect_none(&w, "lies where another key of the profile shows something else");
}

Test(plan_worktree, a_hidden_pointer)
{
	struct worktree_world w;
	struct rule_path hide = { .path = ".git", .origin = "t.yaml:3" };

	worktree_world_init(&w);
	w.plan.profile.hide = (struct rule_paths){ .items = &hide, .count = 1 };
	expect_none(&w, "");
}
