/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit` as anybody; no input but the tables below. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../../launcher/snapshot/names_internal.h"

struct row {
	const char *path;
	const char *rule; /* NULL: passes */
};

/* What an agent's day writes. */
static const char *const daily[] = {
	"package.json",
	"Makefile",
	"src/main.c",
	"README.md",
	"a/b/c/d.txt",
	"HEAD.txt",
	"src/Head.tsx",
	"components/head/index.js",
	".gitignore",
	".gitattributes",
	".github/ISSUE_TEMPLATE.md",
	".git/HEAD",
	".git/objects/ab/cdef",
	".git/refs/heads/main",
	".git/index",
	".git/logs/HEAD",
	".git/COMMIT_EDITMSG",
	".git/ORIG_HEAD",
	".git/packed-refs",
	".git/info/exclude",
	".git/refs/remotes/origin/HEAD",
	".git/hooks/pre-commit.sample",
	".git/modules/x/hooks/update.sample",
	".git/modules/x/HEAD",
	".git/worktrees/w/HEAD",
	"docs/hooks/pre-commit",
	"node_modules/.bin/tsc",
	"setup.cfg",
	"Cargo.toml",
	"gradlew",
	"config",
	"hooks/x",
	".gitx/hooks/a",
	"x.git/hooks/a",
	".env",
	"sub/.github/workflows/x.yml",
	".git",
	"tools/x",
	".eslintrc.js",
	".prettierrc",
	".python-version",
	".tool-versions",
	"mcp/json",
};

static const struct row held[] = {
	{ ".git/hooks/pre-commit", "built-in: .git/hooks" },
	{ ".git/hooks", "built-in: .git/hooks" },
	{ ".GIT/HOOKS/post-checkout", "built-in: .git/hooks" },
	{ ".Git/hooKs/x", "built-in: .git/hooks" },
	{ ".g\xe2\x80\x8cit/hooks/x", "built-in: .git/hooks" },
	{ "\xe2\x80\x8e.git/hooks/x", "built-in: .git/hooks" },
	{ ".git/hoo\xe2\x84\xaa\xc5\xbf/x", "built-in: .git/hooks" },
	{ "vendor/lib/.git/hooks/pre-push", "built-in: .git/hooks" },
	{ ".git/config", "built-in: .git/config" },
	{ ".git/config.worktree", "built-in: .git/config.worktree" },
	{ ".git/modules/a/b/c/hooks/x", "built-in: .git/modules/**/hooks" },
	{ ".git/modules/a/config", "built-in: .git/modules/**/config" },
	{ ".git/worktrees/w/gitdir", "built-in: .git/worktrees/*/gitdir" },
	{ ".git/rebase-merge/git-rebase-todo", "built-in: .git/rebase-merge" },
	{ ".gitmodules", "built-in: .gitmodules" },
	{ "bare/HEAD", "built-in: HEAD" },
	{ ".envrc", "built-in: .envrc" },
	{ "a/b/.envrc", "built-in: .envrc" },
	{ ".vscode/tasks.json", "built-in: .vscode" },
	{ ".VSCode/settings.json", "built-in: .vscode" },
	{ "pkg/.idea/x.xml", "built-in: .idea" },
	{ ".claude/settings.json", "built-in: .claude" },
	{ ".cursor/mcp.json", "built-in: .cursor" },
	{ ".mcp.json", "built-in: .mcp.json" },
	{ ".npmrc", "built-in: .npmrc" },
	{ ".yarnrc.yml", "built-in: .yarnrc*" },
	{ ".pnp.cjs", "built-in: .pnp.*" },
	{ ".husky/pre-commit", "built-in: .husky" },
	{ ".bashrc", "built-in: .bashrc" },
	{ ".zshrc", "built-in: .zshrc" },
	{ ".airlock/x", "built-in: .airlock" },
	{ ".devcontainer/devcontainer.json", "built-in: .devcontainer" },
	{ "x.code-workspace", "built-in: *.code-workspace" },
	{ "lefthook.yml", "built-in: lefthook*.yml" },
	{ "lefthook-local.yml", "built-in: lefthook*.yml" },
	{ ".github/workflows/ci.yml", "built-in: .github/workflows" },
	{ ".direnv/x", "built-in: .direnv" },
	{ ".cargo/config.toml", "built-in: .cargo/config.toml" },
	{ "Jenkinsfile", "built-in: jenkinsfile" },
	{ ".pre-commit-config.yaml", "built-in: .pre-commit-config.yaml" },
	{ ".airlock-commit-12345678/n0", "built-in: .airlock-commit-*" },
};

Test(names, daily_work_passes)
{
	for (size_t i = 0; i < sizeof(daily) / sizeof(daily[0]); i++) {
		const char *rule = names_protected_by(daily[i], NULL);

		cr_expect_null(rule, "%s is held by %s", daily[i], rule != NULL ? rule : "");
	}
}

Test(names, protected_names_are_held)
{
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		const char *rule = names_protected_by(held[i].path, NULL);

		cr_expect_not_null(rule, "%s passes", held[i].path);
		if (rule != NULL) {
			cr_expect_str_eq(rule, held[i].rule, "%s: %s", held[i].path, rule);
		}
	}
}

struct raw_rule {
	const char *pattern, *how;
};

Test(names, every_rule_finds_itself)
{
	static const struct raw_rule rules[] = {
#define PROTECTED(pattern_, where_, how_, unless_, reason_) { pattern_, #how_ },
#include "../../../launcher/snapshot/protected.def"
#undef PROTECTED
	};
	char path[256], want[256];

	cr_expect_gt(sizeof(rules) / sizeof(rules[0]), 100u);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const char *rule;
		size_t n = 0;

		/* stars stand for themselves; patterns of folded rules must be in lower case to
		 * match at all */
		for (const char *p = rules[i].pattern; *p != '\0'; p++) {
			path[n++] = *p;
			if (strcmp(rules[i].how, "LEAF") != 0) {
				cr_expect_not(*p >= 'A' && *p <= 'Z', "%s", rules[i].pattern);
			}
		}
		path[n] = '\0';
		snprintf(want, sizeof(want), "built-in: %s", rules[i].pattern);
		rule = names_protected_entry(path, S_IFREG, NULL);
		cr_expect_str_eq(rule != NULL ? rule : "-", want, "%s", path);
	}
}

Test(names, links_and_files_in_the_place_of_a_directory)
{
	cr_expect_null(names_protected_entry(".git", S_IFDIR, NULL));
	cr_expect_str_eq(names_protected_entry(".git", S_IFREG, NULL), "built-in: .git");
	cr_expect_str_eq(names_protected_entry(".GIT", S_IFLNK, NULL), "built-in: .git");
	cr_expect_str_eq(names_protected_entry(".github", S_IFLNK, NULL),
			 "built-in: .github/actions");
	cr_expect_null(names_protected_entry(".github", S_IFREG, NULL));
	cr_expect_not_null(names_protected_entry(".git/modules/a", S_IFLNK, NULL));
	cr_expect_null(names_protected_entry("src", S_IFLNK, NULL));
}

Test(names, profile_entries)
{
	const char *items[] = { "deploy/", "./infra/*.tf", NULL };
	struct strings extra = { .items = items, .count = 2 };

	cr_expect_str_eq(names_protected_by("deploy/x", &extra), "deploy/");
	cr_expect_str_eq(names_protected_by("Deploy", &extra), "deploy/");
	cr_expect_str_eq(names_protected_by("infra/main.tf", &extra), "./infra/*.tf");
	cr_expect_null(names_protected_by("infra/main.py", &extra));
	cr_expect_null(names_protected_by("deployment", &extra));
	cr_expect_null(names_protected_by("a/deploy/x", &extra));
	cr_expect_str_eq(names_protected_entry("infra", S_IFLNK, &extra), "./infra/*.tf");
}

Test(names, secrets)
{
	static const char *const yes[] = {
		".env",
		"a/.env",
		".env.local",
		".ENV",
		"id_rsa",
		"x/id_ed25519",
		"server.pem",
		"tls.KEY",
		".npmrc",
		".netrc",
		".pgpass",
		"credentials",
		"credentials.json",
		"k.p12",
		".aws/credentials",
		"home/.ssh/config",
		"gcp-service-account-1.json",
		".env/x",
	};
	static const char *const no[] = {
		".env.example",	   "env",	  "id_rsa.pub",	    "id_mapper.py",
		"keys.c",	   "pem",	  "credentials.py", "src/credentials_test.go",
		".ssh/id_rsa.pub", "environment", "x.env.js",	    ".envoy/config",
	};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		cr_expect_eq(names_is_secret(yes[i]), true, "%s", yes[i]);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		cr_expect_eq(names_is_secret(no[i]), false, "%s", no[i]);
	}
}

struct link_row {
	const char *path, *target;
	bool escapes;
};

Test(names, escaping_links)
{
	static const struct link_row rows[] = {
		{ "l", "a", false },	      { "l", "a/b", false },
		{ "l", "/etc/passwd", true }, { "l", "..", true },
		{ "l", "../x", true },	      { "d/l", "../x", false },
		{ "d/l", "../../x", true },   { "d/e/l", "../../x", false },
		{ "d/l", "..", false },	      { "d/l", "s/../../x", true },
		{ "l", "./a", false },	      { "l", "./../a", true },
		{ "d/l", ".//../a", false },  { "l", "..a", false },
		{ "l", "a..", false },	      { "l", "a/..", true },
		{ "l", "...", false },	      { "l", ".", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(names_link_escapes(rows[i].path, rows[i].target), rows[i].escapes,
			     "%s -> %s", rows[i].path, rows[i].target);
	}
}

Test(names, long_paths_end)
{
	size_t size = 256u << 10;
	char *path = malloc(size);

	for (size_t i = 0; i + 1 < size; i++) {
		path[i] = i % 3 == 2 ? '/' : i % 3 == 0 ? '.' : 'g';
	}
	path[size - 1] = '\0';
	cr_expect_null(names_protected_by(path, NULL));
	memset(path, '.', 300); /* a component that no file system holds */
	cr_expect_null(names_protected_by(path, NULL));
	free(path);
}
