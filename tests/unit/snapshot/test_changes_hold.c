/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: rows only. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../../../launcher/snapshot/changes_internal.h"

struct row {
	const char *path;
	mode_t before, after;
	const char *link;
	bool capability;
	enum hold_reason hold;
	const char *rule;
};

#define ENVRC "built-in: .envrc: loaded when the directory is entered"
#define GIT "built-in: .git: points git at another repository"

static const struct row all[] = {
	{ "a", 0, S_IFREG | 0755, NULL, false, HOLD_NONE, NULL },
	{ "a", 0, S_IFREG | 04755, NULL, false, HOLD_SPECIAL, "setuid bit" },
	{ "a", S_IFREG | 04755, 0, NULL, false, HOLD_NONE, NULL },
	{ "a", 0, S_IFREG | 02755, NULL, false, HOLD_SPECIAL, "setgid bit" },
	{ "a", 0, S_IFDIR | 02755, NULL, false, HOLD_NONE, NULL },
	{ "a", 0, S_IFREG | 0755, NULL, true, HOLD_SPECIAL, "file capability" },
	{ "a", 0, S_IFSOCK | 0755, NULL, false, HOLD_SPECIAL, "socket" },
	{ "a", 0, S_IFIFO | 0755, NULL, false, HOLD_SPECIAL, "fifo" },
	{ "a", 0, S_IFBLK | 0600, NULL, false, HOLD_SPECIAL, "device" },
	{ "a", 0, S_IFCHR | 0600, NULL, false, HOLD_SPECIAL, "device" },
	{ ".envrc", 0, S_IFREG | 0644, NULL, false, HOLD_PROTECTED, ENVRC },
	{ ".envrc", S_IFREG | 0644, 0, NULL, false, HOLD_PROTECTED, ENVRC },
	{ ".git", S_IFREG | 0644, S_IFDIR | 0755, NULL, false, HOLD_PROTECTED, GIT },
	{ ".git", 0, S_IFLNK | 0777, "x", false, HOLD_PROTECTED, GIT },
	{ "deploy/x", 0, S_IFREG | 0644, NULL, false, HOLD_PROTECTED, "profile: deploy/" },
	{ "keys/x", 0, S_IFREG | 0644, NULL, false, HOLD_PROTECTED, "hidden: keys" },
	{ "KEYS", S_IFREG | 0644, 0, NULL, false, HOLD_PROTECTED, "hidden: keys" },
	{ "a", 0, S_IFLNK | 0777, "b", false, HOLD_PROTECTED, "hidden: a/deep" },
	{ "keys2", 0, S_IFREG | 0644, NULL, false, HOLD_NONE, NULL },
	{ "l", 0, S_IFLNK | 0777, "../x", false, HOLD_ESCAPING_LINK,
	  "link out of the workspace" },
	{ "l", 0, S_IFLNK | 0777, "x", false, HOLD_NONE, NULL },
	{ "l", 0, S_IFLNK | 0777, "/here/space/x", false, HOLD_NONE, NULL },
	{ "l", 0, S_IFLNK | 0777, "/here/spaces", false, HOLD_ESCAPING_LINK,
	  "link out of the workspace" },
	/* the side that is stronger, whichever it is */
	{ ".git/hooks", 0, S_IFDIR | 0755, NULL, false, HOLD_NONE, NULL },
	{ ".git/hooks", S_IFREG | 0755, S_IFDIR | 0755, NULL, false, HOLD_PROTECTED,
	  "built-in: .git/hooks: git runs these" },
	{ ".git/hooks/x", 0, S_IFREG | 0755, NULL, false, HOLD_PROTECTED,
	  "built-in: .git/hooks: git runs these" },
	/* opened to others */
	{ ".git", S_IFDIR | 0755, S_IFDIR | 0777, NULL, false, HOLD_PROTECTED,
	  "built-in: .git: others could write it" },
	{ "a/.git/hooks", S_IFDIR | 0755, S_IFDIR | 0775, NULL, false, HOLD_PROTECTED,
	  "built-in: .git/hooks: others could write it" },
	{ ".git/config", S_IFREG | 0644, S_IFREG | 0646, NULL, false, HOLD_PROTECTED,
	  "built-in: .git/config: others could write it" },
	{ ".git", S_IFDIR | 0777, S_IFDIR | 0775, NULL, false, HOLD_NONE, NULL },
	/* new: as open as the workspace, and no more */
	{ ".git", 0, S_IFDIR | 0775, NULL, false, HOLD_NONE, NULL },
	{ ".git/hooks", 0, S_IFDIR | 0777, NULL, false, HOLD_PROTECTED,
	  "built-in: .git/hooks: others could write it" },
	{ ".git/index", S_IFREG | 0644, S_IFREG | 0664, NULL, false, HOLD_NONE, NULL },
	{ ".git/objects", S_IFDIR | 0755, S_IFDIR | 0775, NULL, false, HOLD_NONE, NULL },
	{ "src", S_IFDIR | 0755, S_IFDIR | 0777, NULL, false, HOLD_NONE, NULL },
	{ ".airlock-commit/n0", 0, S_IFREG | 0644, NULL, false, HOLD_PROTECTED,
	  "built-in: .airlock-commit: where a commit puts what it is about to place" },
};

Test(changes_hold, rows)
{
	const char *items[] = { "deploy/", NULL };
	const struct rule_path hidden[] = { { "keys", "t:1" }, { "a/deep", "t:2" } };
	const struct rule_paths hide = { .items = hidden, .count = 2 };
	const struct strings protect = { .items = items, .count = 1 };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct change c = { .path = (char *)all[i].path,
				    .mode_before = all[i].before,
				    .mode_after = all[i].after,
				    .link_after = (char *)all[i].link };

		const struct judging judging = { .capability = all[i].capability,
						 .protect = &protect,
						 .hide = &hide,
						 .root_mode = S_IFDIR | 0775,
						 .workspace = "/here/space" };

		cr_assert_eq(changes_judge(&c, &judging), 0);
		cr_expect_eq(c.hold, all[i].hold, "row %zu", i);
		if (all[i].rule == NULL) {
			cr_expect_null(c.hold_rule, "row %zu", i);
		} else {
			cr_expect_str_eq(c.hold_rule != NULL ? c.hold_rule : "-", all[i].rule,
					 "row %zu", i);
		}
		cr_expect_null(c.watched, "row %zu", i);
		free(c.hold_rule);
	}
}

#define CLAUDE "built-in: claude.md: instructions of an agent"

/* Whatever else is said of the change. */
Test(changes_hold, watched)
{
	static const struct {
		const char *path;
		mode_t before, after;
		const char *rule, *watched;
	} rows[] = {
		{ "CLAUDE.md", 0, S_IFREG | 0644, "-", CLAUDE },
		{ "x/claude.md", S_IFREG | 0644, 0, "-", CLAUDE },
		{ "claude.md", S_IFREG | 0644, S_IFREG | 0600, "-", CLAUDE },
		{ "claude.md", S_IFREG | 0644, S_IFDIR | 0755, "-", CLAUDE },
		{ "claude.md", 0, S_IFREG | 04755, "setuid bit", CLAUDE },
		{ "deploy/claude.md", 0, S_IFREG | 0644, "profile: deploy/", CLAUDE },
		{ ".claude/claude.md", 0, S_IFREG | 0644,
		  "built-in: .claude: hooks and permissions of an agent", "-" },
		{ "claude.md.bak", 0, S_IFREG | 0644, "-", "-" },
	};
	const char *items[] = { "deploy/", NULL };
	const struct strings protect = { .items = items, .count = 1 };
	const struct judging judging = { .protect = &protect };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct change c = { .path = (char *)rows[i].path,
				    .mode_before = rows[i].before,
				    .mode_after = rows[i].after };

		cr_assert_eq(changes_judge(&c, &judging), 0);
		cr_expect_str_eq(c.hold_rule != NULL ? c.hold_rule : "-", rows[i].rule, "row %zu",
				 i);
		cr_expect_str_eq(c.watched != NULL ? c.watched : "-", rows[i].watched, "row %zu",
				 i);
		free(c.hold_rule);
	}
}
