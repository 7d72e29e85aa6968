/* SPDX-License-Identifier: Apache-2.0 */
/* filesystem.write: which rows, and what is refused. Run by `make unit`. */
#include "plan_world.h"

static char path[160];
static struct rule_path rule;

/* The world's profile gives dir/NAME. */
static void
give(struct plan_world *w, const char *name)
{
	snprintf(path, sizeof(path), "%s%s%s", w->dir, name[0] != '\0' ? "/" : "", name);
	rule = (struct rule_path){ .path = path, .origin = "t.yaml:3" };
	w->profile.write = (struct rule_paths){ .items = &rule, .count = 1 };
}

static void
expect_refused(struct plan_world *w, const char *name, int code, const char *why)
{
	struct err err = ERR_INIT;
	char want[400];

	give(w, name);
	cr_expect_eq(plan_world_build(w, &err), code, "%s: %s", name, err.text);
	snprintf(want, sizeof(want), "t.yaml:3: filesystem.write %s: %s", path, why);
	cr_expect_str_eq(err.text, want);
}

static uint64_t
access_of(const struct plan_world *w)
{
	for (size_t i = 0; i < w->plan->rule_count; i++) {
		if (strcmp(w->plan->rules[i].path, path) == 0) {
			return w->plan->rules[i].access;
		}
	}
	return 0;
}

static void
expect_bind(enum mode mode, uint32_t flags, bool all)
{
	struct plan_world w;
	struct err err = ERR_INIT;
	const struct plan_mount *row;
	struct stat st;

	plan_world_init(&w);
	plan_world_make(&w, "out/");
	w.request.mode = mode;
	give(&w, "out");
	cr_assert_eq(plan_world_build(&w, &err), 0, "%s", err.text);
	row = plan_world_row(&w, "out");
	cr_assert_not_null(row);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(row->kind, MOUNT_BIND);
	cr_expect_eq(row->flags, flags);
	cr_expect_eq(row->device, st.st_dev);
	cr_expect_eq(row->inode, st.st_ino);
	cr_expect_str_eq(row->source, path);
	cr_expect_eq(access_of(&w) == w.plan->landlock_fs, all);
	cr_expect_neq(access_of(&w), 0u);
	plan_world_finish(&w);
}

Test(plan_write, a_directory_is_bound_and_compared)
{
	expect_bind(MODE_APPLY, MOUNT_NOEXEC | MOUNT_WRITABLE, true);
	expect_bind(MODE_PROPOSE, MOUNT_NOEXEC, false);
	expect_bind(MODE_OBSERVE, MOUNT_NOEXEC, false);
}

Test(plan_write, what_cannot_be_given)
{
	struct plan_world w;

	plan_world_init(&w);
	plan_world_make(&w, "file");
	plan_world_make(&w, "open/");
	plan_world_make(&w, "ws/in/");
	plan_world_make(&w, "home/");
	cr_assert_eq(symlinkat("open", open(w.dir, O_RDONLY | O_CLOEXEC), "link"), 0);
	expect_refused(&w, "none", -ENOENT, "No such file or directory");
	expect_refused(&w, "file", -ENOTDIR, "not a directory");
	expect_refused(&w, "ws", -EINVAL,
		       "it lies in the workspace or contains it, where changes are checked before "
		       "they count");
	expect_refused(&w, "ws/in", -EINVAL,
		       "it lies in the workspace or contains it, where changes are checked before "
		       "they count");
	expect_refused(&w, "", -EINVAL,
		       "it lies in the workspace or contains it, where changes are checked before "
		       "they count");
	give(&w, "open");
	cr_assert_eq(chmod(path, 0777), 0);
	expect_refused(&w, "open", -EPERM,
		       "others can write it; run: chmod o-w on it, or choose another");
	plan_world_finish(&w);
}

Test(plan_write, no_link_is_followed)
{
	struct plan_world w;
	struct err err = ERR_INIT;
	char link[128], want[400];

	plan_world_init(&w);
	plan_world_make(&w, "real/");
	plan_world_make(&w, "real/out/");
	snprintf(link, sizeof(link), "%s/way", w.dir);
	cr_assert_eq(symlink("real", link), 0);
	give(&w, "way/out");
	cr_expect_eq(plan_world_build(&w, &err), -ELOOP);
	snprintf(want, sizeof(want),
		 "t.yaml:3: filesystem.write %s: %s is a link; name the directory itself", path,
		 link);
	cr_expect_str_eq(err.text, want);
	plan_world_finish(&w);
}

Test(plan_write, not_the_home_and_not_what_is_somebody_elses)
{
	struct plan_world w;
	char home[128];

	plan_world_init(&w);
	plan_world_make(&w, "h/");
	plan_world_make(&w, "h/u/");
	plan_world_make(&w, "out/");
	snprintf(home, sizeof(home), "%s/h/u", w.dir);
	w.request.identity.home = home;
	expect_refused(&w, "h/u", -EINVAL,
		       "it is the home directory or contains it, with its credentials");
	expect_refused(&w, "h", -EINVAL,
		       "it is the home directory or contains it, with its credentials");
	w.request.identity.uid_outside = geteuid() + 1;
	expect_refused(&w, "out", -EPERM, "it does not belong to the user that the tool runs as");
	w.request.identity.kind = IDENTITY_RANGE;
	expect_refused(&w, "out", -EPERM,
		       "what the tool leaves there would belong to root; start airlock as a user, "
		       "or with a user's workspace");
	plan_world_finish(&w);
}
