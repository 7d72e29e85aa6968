/* SPDX-License-Identifier: Apache-2.0 */
/* filesystem.hide: which rows, and what is refused. Run by `make unit`. */
#include "plan_world.h"

static struct rule_path rules[8];

static void
hide(struct plan_world *w, size_t count, const char *const *items)
{
	for (size_t i = 0; i < count; i++) {
		rules[i] = (struct rule_path){ .path = items[i], .origin = "t.yaml:3" };
	}
	w->profile.hide = (struct rule_paths){ .items = rules, .count = count };
}

#define HIDE(w, ...)                                                                               \
	do {                                                                                       \
		static const char *const items_[] = { __VA_ARGS__ };                               \
		hide((w), ARRAY_LEN(items_), items_);                                              \
	} while (0)

static void
expect_mask(const struct plan_world *w, const char *name, enum mount_kind kind)
{
	const struct plan_mount *m = plan_world_row(w, name);

	cr_assert_not_null(m, "%s is no row", name);
	cr_expect_eq(m->kind, kind, "%s is %s", name, plan_mount_kind_name(m->kind));
	cr_expect_eq(m->flags, MOUNT_NOEXEC, "%s", name);
}

Test(plan_hide, what_is_there_is_masked_and_nothing_else)
{
	struct plan_world w;
	struct err err = ERR_INIT;
	struct plan_look look;
	char path[128];

	plan_world_init(&w);
	plan_world_make(&w, "ws/a/");
	plan_world_make(&w, "ws/a/b/");
	plan_world_make(&w, "ws/a/b/deep");
	plan_world_make(&w, "ws/keys/");
	plan_world_make(&w, "ws/keys/one");
	HIDE(&w, "a/b/deep", "a/none", "a/b/deep/below-a-file", "keys", "keys/one");
	cr_assert_eq(plan_world_build(&w, &err), 0, "%s", err.text);
	expect_mask(&w, "ws/a/b/deep", MOUNT_HIDDEN);
	expect_mask(&w, "ws/keys", MOUNT_MASK_DIR);
	cr_expect_null(plan_world_row(&w, "ws/a/none"));
	cr_expect_null(plan_world_row(&w, "ws/a/b/deep/below-a-file"));
	cr_expect_null(plan_world_row(&w, "ws/keys/one"));
	cr_expect_gt(plan_world_row(&w, "ws/keys"), plan_world_row(&w, "ws"));
	snprintf(path, sizeof(path), "%s/keys/one", w.workspace);
	cr_assert_eq(plan_look(w.builder, path, &look), 0);
	cr_expect_eq(look.error, EPERM);
	snprintf(path, sizeof(path), "%s/a/b", w.workspace);
	cr_assert_eq(plan_look(w.builder, path, &look), 0);
	cr_expect_eq(look.error, 0);
	plan_world_finish(&w);
}

Test(plan_hide, a_link_is_refused_wherever_it_stands)
{
	struct plan_world w;
	struct err err = ERR_INIT;

	plan_world_init(&w);
	plan_world_make(&w, "ws/real");
	cr_assert_eq(symlinkat("real", w.request.workspace_fd, "link"), 0);
	HIDE(&w, "link");
	cr_expect_eq(plan_world_build(&w, &err), -ELOOP);
	cr_expect_str_eq(err.text, "t.yaml:3: filesystem.hide link: link is a link, which cannot "
				   "be hidden: name what it leads to");
	err = (struct err)ERR_INIT;
	HIDE(&w, "link/x/y");
	cr_expect_eq(plan_world_build(&w, &err), -ELOOP);
	cr_expect_str_eq(err.text, "t.yaml:3: filesystem.hide link/x/y: link is a link, which "
				   "cannot be hidden: name what it leads to");
	plan_world_finish(&w);
}

Test(plan_hide, the_working_directory_must_be_there)
{
	struct plan_world w;
	struct err err = ERR_INIT;
	char cwd[128], want[256];

	plan_world_init(&w);
	plan_world_make(&w, "ws/a/");
	plan_world_make(&w, "ws/a/b/");
	snprintf(cwd, sizeof(cwd), "%s/a/b", w.workspace);
	w.request.cwd = cwd;
	HIDE(&w, "a");
	cr_expect_eq(plan_world_build(&w, &err), -EACCES);
	snprintf(want, sizeof(want),
		 "the working directory %s is hidden from the call (t.yaml:3: filesystem.hide a): "
		 "choose another with -C",
		 cwd);
	cr_expect_str_eq(err.text, want);
	plan_world_finish(&w);
}
