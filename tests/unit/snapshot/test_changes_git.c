/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: git directories and hooks of a workspace made by hand. */
#include "../../../launcher/base/fdio.h"
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
		{ "../../space/h", "h" },
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
		struct git_places g = { .dir_count = 0 };
		struct world w;
		char config[128];

		world_init(&w);
		world_dir(w.ws_fd, ".git", 0755);
		snprintf(config, sizeof(config), "[core]\nhooksPath = %s\n", rows[i].value);
		world_file(w.ws_fd, ".git/config", config, 0644);
		cr_assert_eq(git_places_look(&g, w.ws_fd, "d", &req), 0);
		cr_expect_eq(g.hook_count, rows[i].want != NULL, "%s", rows[i].value);
		if (g.hook_count == 1 && rows[i].want != NULL) {
			cr_expect_str_eq(g.hooks[0], rows[i].want);
		}
		git_places_finish(&g);
		world_finish(&w);
	}
}

/* The directory has other names: by a link to it, to what it is in, to the workspace. */
Test(changes_git, hooks_behind_links)
{
	static const char *const dirs_there[] = { "ws", "ws/.git", "ws/real", NULL };
	static const struct {
		const char *value; /* the world's own path stands before it, where it says % */
		const char *want;
	} rows[] = {
		{ "link", "real" },
		{ "link/new", "real/new" },
		{ "%alias/real", "real" },
		{ "%alias/new/er", "new/er" },
		{ "%ws/link/../real", "real" },
		{ "dangling/h", "not/yet/h" },
		{ "chain/h", "link" },
		{ "chain/h", "real/h" },
		{ "loop/h", "loop/h" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct git_places g = { .dir_count = 0 };
		auto_buf config = BUF_INIT, workspace = BUF_INIT;
		struct collect_request req = { .home = NULL };
		char base[PATH_MAX];
		bool found = false;
		struct world w;
		int ws_fd;

		world_init(&w);
		dirs(w.ws_fd, dirs_there);
		cr_assert_eq(symlinkat("real", w.ws_fd, "ws/link"), 0);
		cr_assert_eq(symlinkat("ws", w.ws_fd, "alias"), 0);
		cr_assert_eq(symlinkat("not/./yet", w.ws_fd, "ws/dangling"), 0);
		cr_assert_eq(symlinkat("link", w.ws_fd, "ws/chain"), 0);
		cr_assert_eq(symlinkat("loop", w.ws_fd, "ws/loop"), 0);
		cr_assert_eq(fdio_path(w.ws_fd, base), 0);
		buf_printf(&workspace, "%s/ws", base);
		req.workspace = buf_text(&workspace);
		buf_puts(&config, "[core]\nhooksPath = ");
		if (rows[i].value[0] == '%') {
			buf_printf(&config, "%s/%s\n", base, rows[i].value + 1);
		} else {
			buf_printf(&config, "%s\n", rows[i].value);
		}
		world_file(w.ws_fd, "ws/.git/config", buf_text(&config), 0644);
		ws_fd = openat(w.ws_fd, "ws", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cr_assert_eq(git_places_look(&g, ws_fd, "", &req), 0);
		for (size_t k = 0; k < g.hook_count; k++) {
			found = found || strcmp(g.hooks[k], rows[i].want) == 0;
		}
		cr_expect(found, "%s", rows[i].value);
		close(ws_fd);
		git_places_finish(&g);
		world_finish(&w);
	}
}

/* A bare repository's hooks, from its own directory and from the worktree's beside it. */
Test(changes_git, hooks_that_a_bare_repository_names)
{
	static const char *const both[] = { ".bare", ".bare/refs", ".bare/h", "h", NULL };
	static const char *const upper[] = { ".bare", ".bare/h", "h", NULL };
	struct change_set set = { .items = NULL };
	struct world w;

	world_init(&w);
	dirs(w.ws_fd, both);
	world_file(w.ws_fd, ".bare/HEAD", "x", 0644);
	world_file(w.ws_fd, ".bare/config", "[core]\nhooksPath = other\nhooksPath = h\n", 0644);
	dirs(w.up_fd, upper);
	world_file(w.up_fd, ".bare/h/pre-push", "x", 0755);
	world_file(w.up_fd, "h/pre-push", "x", 0755);
	world_file(w.up_fd, "other", "x", 0755);
	world_collect(w.up_fd, w.ws_fd, &set);
	expect_hold(&set, ".bare/h/pre-push", NAMED);
	expect_hold(&set, "h/pre-push", NAMED);
	expect_hold(&set, "other", "-");
	changes_finish(&set);
	world_finish(&w);
}

/* Others could put a hook there. */
Test(changes_git, what_is_opened)
{
	static const char *const lower[] = { ".bare",	 ".bare/refs", ".bare/hooks", "sub",
					     "sub/.git", "plain",      ".git",	      NULL };
	static const struct {
		const char *path;
		mode_t mode;
		const char *want;
	} rows[] = {
		{ ".git", 0755, "-" },
		{ ".git/hooks", 0777, "built-in: .git/hooks: others could write it" },
		{ ".bare", 0777, "built-in: .git: others could write it" },
		{ ".bare/hooks", 0775, "built-in: .git/hooks: others could write it" },
		{ "tools", 0775, "-" },
		{ "sub", 0777, "built-in: .git: others could write it" },
		{ "plain", 0777, "-" },
		{ "new", 0777, "-" },
		{ ".githooks", 0755, "built-in: .githooks: git runs these where it is set up so" },
	};
	struct change_set set = { .items = NULL };
	struct world w;

	world_init(&w);
	dirs(w.ws_fd, lower);
	world_file(w.ws_fd, ".bare/HEAD", "x", 0644);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world_dir(w.up_fd, rows[i].path, rows[i].mode);
		cr_assert_eq(fchmodat(w.up_fd, rows[i].path, rows[i].mode, 0), 0);
	}
	world_collect(w.up_fd, w.ws_fd, &set);
	for (size_t i = 1; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expect_hold(&set, rows[i].path, rows[i].want);
	}
	changes_finish(&set);
	world_finish(&w);
}

/* As deep, and as many, as a repository's author likes: held, in the time of any other. */
Test(changes_git, more_than_can_be_told_apart)
{
	struct change_set set = { .items = NULL };
	auto_buf path = BUF_INIT, config = BUF_INIT;
	struct world w;

	world_init(&w);
	buf_puts(&path, "d");
	for (size_t i = 0; i < GIT_DIRS_MAX + 1; i++) {
		auto_buf name = BUF_INIT;

		world_dir(w.ws_fd, buf_text(&path), 0755);
		world_dir(w.up_fd, buf_text(&path), 0755);
		buf_printf(&name, "%s/HEAD", buf_text(&path));
		world_file(w.ws_fd, buf_text(&name), "x", 0644);
		buf_reset(&name);
		buf_printf(&name, "%s/refs", buf_text(&path));
		world_dir(w.ws_fd, buf_text(&name), 0755);
		buf_reset(&name);
		buf_printf(&name, "%s/f", buf_text(&path));
		world_file(w.up_fd, buf_text(&name), "x", 0644);
		buf_puts(&path, "/d");
	}
	world_collect(w.up_fd, w.ws_fd, &set);
	expect_hold(&set, "d/f", "-");
	path.len -= 2;
	path.data[path.len] = '\0';
	buf_puts(&path, "/f");
	expect_hold(&set, buf_text(&path),
		    "built-in: git directories: too many in each other to be told apart");
	cr_expect_eq(set.held, 1u);
	changes_finish(&set);
	world_finish(&w);

	world_init(&w);
	world_dir(w.ws_fd, "r", 0755);
	world_dir(w.up_fd, "r", 0755);
	for (size_t i = 0; i < GIT_HOOKS_MAX + 1; i++) {
		char name[64];

		snprintf(name, sizeof(name), "r/%zu", i);
		world_dir(w.ws_fd, name, 0755);
		world_dir(w.up_fd, name, 0755);
		snprintf(name, sizeof(name), "r/%zu/.git", i);
		world_dir(w.ws_fd, name, 0755);
		snprintf(name, sizeof(name), "r/%zu/.git/config", i);
		world_file(w.ws_fd, name, "[core]\nhooksPath=h\n", 0644);
	}
	world_file(w.up_fd, "z", "x", 0644);
	world_collect(w.up_fd, w.ws_fd, &set);
	expect_hold(&set, "z", "built-in: core.hooksPath: too many to be told apart");
	changes_finish(&set);
	world_finish(&w);
}

/* Hooks that stand in the work tree: .git/hooks leads to them, or one of its entries does. */
Test(changes_git, links_in_the_hooks)
{
	static const char *const dirs_there[] = { "ws",	    "ws/.git",	   "ws/.git/hooks",
						  "ws/two", "ws/two/.git", NULL };
	static const char *const want[] = { "tools/pre-push", "two/hk" };
	struct git_places g = { .dir_count = 0 };
	struct collect_request req = { .home = NULL };
	auto_buf workspace = BUF_INIT;
	char base[PATH_MAX];
	struct world w;
	int fd;

	world_init(&w);
	dirs(w.ws_fd, dirs_there);
	cr_assert_eq(fdio_path(w.ws_fd, base), 0);
	buf_printf(&workspace, "%s/ws", base);
	req.workspace = buf_text(&workspace);
	cr_assert_eq(symlinkat("../../tools/pre-push", w.ws_fd, "ws/.git/hooks/pre-push"), 0);
	world_file(w.ws_fd, "ws/.git/hooks/plain", "x", 0755);
	cr_assert_eq(symlinkat("../hk", w.ws_fd, "ws/two/.git/hooks"), 0);
	fd = openat(w.ws_fd, "ws", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(git_places_look(&g, fd, "", &req), 0);
	cr_expect_eq(g.hook_count, 2u); /* the link, and where it leads */
	cr_expect_str_eq(g.hooks[0], ".git/hooks/pre-push");
	cr_expect_str_eq(g.hooks[1], want[0]);
	close(fd);
	fd = openat(w.ws_fd, "ws/two", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(git_places_look(&g, fd, "two", &req), 0);
	cr_assert_eq(g.hook_count, 4u);
	cr_expect_str_eq(g.hooks[2], "two/.git/hooks");
	cr_expect_str_eq(g.hooks[3], want[1]);
	close(fd);
	git_places_finish(&g);
	world_finish(&w);
}

/* What is deleted in a git directory does not lead out of it. */
Test(changes_git, a_git_directory_of_which_something_is_deleted)
{
	static const char *const both[] = { "r", "r/refs", "r/hooks", NULL };
	struct change_set set = { .items = NULL };
	struct world w;
	bool deleted;

	world_init(&w);
	dirs(w.ws_fd, both);
	world_file(w.ws_fd, "r/HEAD", "x", 0644);
	world_dir(w.ws_fd, "r/branches", 0755);
	world_dir(w.ws_fd, "r/branches/deep", 0755);
	world_dir(w.up_fd, "r", 0755);
	world_dir(w.up_fd, "r/hooks", 0755);
	deleted = world_whiteout(w.up_fd, "r/branches");
	world_file(w.up_fd, "r/hooks/post-update", "x", 0755);
	world_file(w.up_fd, "r/config", "[core]\nfsmonitor = evil\n", 0644);
	world_collect(w.up_fd, w.ws_fd, &set);
	if (deleted) {
		expect_hold(&set, "r/branches", "-");
	}
	expect_hold(&set, "r/hooks/post-update", HOOKS);
	expect_hold(&set, "r/config", "built-in: .git/config: core.fsmonitor: git runs it");
	changes_finish(&set);
	world_finish(&w);
}
