/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: git directories and hooks of a workspace made by hand. */
#include "../../../launcher/snapshot/changes_internal.h"
#include "changes_world.h"

#define HOOKS "built-in: .git/hooks: git runs these"
#define NAMED "built-in: core.hooksPath: git runs these"

static void
dirs(int fd, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		world_dir(fd, names[i], 0755);
	}
}

static void
expect_hold(const struct change_set *set, const char *path, const char *want)
{
	const struct change *c = changes_find(set, path);

	cr_assert_not_null(c, "%s", path);
	cr_expect_str_eq(c->hold_rule != NULL ? c->hold_rule : "-", want, "%s", path);
}

/* Whatever it is called; its configuration is compared like that of .git. */
Test(changes_git, a_git_directory_of_another_name)
{
	static const char *const lower[] = { ".bare", ".bare/objects", ".bare/hooks", "not", NULL };
	static const char *const upper[] = { ".bare",		".bare/refs",
					     ".bare/hooks",	".bare/modules",
					     ".bare/modules/m", "not",
					     "not/hooks",	NULL };
	struct change_set set = { .items = NULL };
	struct world w;

	world_init(&w);
	dirs(w.ws_fd, lower);
	world_file(w.ws_fd, ".bare/HEAD", "ref: refs/heads/main\n", 0644);
	world_file(w.ws_fd, ".bare/config", "[core]\n", 0644);
	world_file(w.ws_fd, "not/HEAD", "x", 0644);
	dirs(w.up_fd, upper);
	world_file(w.up_fd, ".bare/config", "[core]\n\tfsmonitor = x\n", 0644);
	world_file(w.up_fd, ".bare/hooks/post-commit", "x", 0755);
	world_file(w.up_fd, ".bare/hooks/x.sample", "x", 0755);
	world_file(w.up_fd, ".bare/refs/hooks", "x", 0644);
	world_file(w.up_fd, ".bare/modules/m/config", "[user]\n\tname = x\n", 0644);
	world_file(w.up_fd, "not/hooks/x", "x", 0755);
	world_collect(w.up_fd, w.ws_fd, &set);
	expect_hold(&set, ".bare/config", "built-in: .git/config: core.fsmonitor: git runs it");
	expect_hold(&set, ".bare/hooks/post-commit", HOOKS);
	expect_hold(&set, ".bare/hooks/x.sample", "-");
	expect_hold(&set, ".bare/refs/hooks", "-");
	expect_hold(&set, ".bare/modules/m/config", "-");
	expect_hold(&set, "not/hooks/x", "-");
	changes_finish(&set);
	world_finish(&w);
}

Test(changes_git, the_workspace_is_a_git_directory)
{
	static const char *const lower[] = { "objects", "refs", "hooks", NULL };
	static const char *const upper[] = { "hooks", NULL };
	struct change_set set = { .items = NULL };
	struct world w;

	world_init(&w);
	dirs(w.ws_fd, lower);
	world_file(w.ws_fd, "HEAD", "ref: refs/heads/main\n", 0644);
	dirs(w.up_fd, upper);
	world_file(w.up_fd, "hooks/update", "x", 0755);
	world_collect(w.up_fd, w.ws_fd, &set);
	expect_hold(&set, "hooks/update", HOOKS);
	changes_finish(&set);
	world_finish(&w);
}

/* Of the workspace's own repository, and of one below. */
Test(changes_git, hooks_that_a_configuration_names)
{
	static const char *const both[] = { ".git",	"tools", "tools/hooks", "sub",
					    "sub/.git", "sub/h", "other",	NULL };
	static const char *const upper[] = {
		"tools", "tools/hooks", "sub", "sub/h", "other", NULL
	};
	struct change_set set = { .items = NULL };
	struct world w;

	world_init(&w);
	dirs(w.ws_fd, both);
	world_file(w.ws_fd, ".git/config", "[core]\n\thooksPath = ./tools//x/../hooks/\n", 0644);
	world_file(w.ws_fd, "sub/.git/config", "[core]\n\thookspath = h\n[core]\nhooksPath\n",
		   0644);
	dirs(w.up_fd, upper);
	world_file(w.up_fd, "tools/hooks/post-commit", "x", 0755);
	world_file(w.up_fd, "tools/x", "x", 0755);
	world_file(w.up_fd, "sub/h/pre-push", "x", 0755);
	world_file(w.up_fd, "other/x", "x", 0755);
	world_collect(w.up_fd, w.ws_fd, &set);
	expect_hold(&set, "tools/hooks/post-commit", NAMED);
	expect_hold(&set, "tools/x", "-");
	expect_hold(&set, "sub/h/pre-push", NAMED);
	expect_hold(&set, "other/x", "-");
	changes_finish(&set);
	world_finish(&w);
}

/* Among all else that the root has, what git could run. */
Test(changes_git, hooks_in_the_root)
{
	static const char *const both[] = { ".git", "d", NULL }, *const upper[] = { "d", NULL };
	struct change_set set = { .items = NULL };
	struct world w;

	world_init(&w);
	dirs(w.ws_fd, both);
	world_file(w.ws_fd, ".git/config", "[core]\nhooksPath = .\n", 0644);
	dirs(w.up_fd, upper);
	world_file(w.up_fd, "pre-push", "x", 0755);
	world_file(w.up_fd, "README", "x", 0644);
	world_file(w.up_fd, "d/pre-push", "x", 0755);
	cr_assert_eq(symlinkat("d/pre-push", w.up_fd, "post-commit"), 0);
	world_collect(w.up_fd, w.ws_fd, &set);
	expect_hold(&set, "pre-push", NAMED);
	expect_hold(&set, "post-commit", NAMED);
	expect_hold(&set, "README", "-");
	expect_hold(&set, "d/pre-push", "-");
	changes_finish(&set);
	world_finish(&w);
}

/* Entries enough that a clone of many branches has fewer. */
Test(changes_git, hooks_behind_a_long_configuration)
{
	static const char *const both[] = { ".git", "h", NULL }, *const upper[] = { "h", NULL };
	struct change_set set = { .items = NULL };
	auto_buf config = BUF_INIT;
	struct world w;

	for (size_t i = 0; i < 5000; i++) {
		buf_printf(&config, "[branch \"topic/%zu\"]\n\tremote = origin\n", i);
	}
	buf_puts(&config, "[core]\n\thooksPath = h\n");
	cr_assert_gt(config.len, (size_t)65536 * 2);
	world_init(&w);
	dirs(w.ws_fd, both);
	world_file(w.ws_fd, ".git/config", buf_text(&config), 0644);
	dirs(w.up_fd, upper);
	world_file(w.up_fd, "h/pre-push", "x", 0755);
	world_collect(w.up_fd, w.ws_fd, &set);
	expect_hold(&set, "h/pre-push", NAMED);
	changes_finish(&set);
	world_finish(&w);
}

Test(changes_git, what_a_path_of_hooks_comes_to)
{
	static const struct collect_request req = { .workspace = "/here/space", .home = "/here" };
	static const struct {
		const char *value, *want; /* NULL: outside */
	} rows[] = {
		{ "h", "d/h" },
		{ "h/./i/", "d/h/i" },
		{ "../h", "h" },
		{ "../..", NULL },
		{ "..", "" },
		{ "/here/space/h", "h" },
		{ "/here/spaceh", NULL },
		{ "/here/space", "" },
		{ "/h", NULL },
		{ "~/space/h", "h" },
		{ "~/h", NULL },
		{ "~", NULL },
		{ "~x/space/h", "d/~x/space/h" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct git_places g = { .items = NULL };
		struct world w;
		char config[128];

		world_init(&w);
		world_dir(w.ws_fd, ".git", 0755);
		snprintf(config, sizeof(config), "[core]\nhooksPath = %s\n", rows[i].value);
		world_file(w.ws_fd, ".git/config", config, 0644);
		cr_assert_eq(git_places_look(&g, w.ws_fd, "d", &req), 0);
		cr_expect_eq(g.count, rows[i].want != NULL, "%s", rows[i].value);
		if (g.count == 1 && rows[i].want != NULL) {
			cr_expect_str_eq(g.items[0].path, rows[i].want);
			cr_expect(g.items[0].hooks);
		}
		git_places_finish(&g);
		world_finish(&w);
	}
}
