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

/* The rule without its reason; "-" when it passes. Good until the next call. */
static const char *
rule_of(const char *path, mode_t mode)
{
	static char rule[256];
	const char *says, *colon;

	if (names_class(path, mode, &says) == NAME__NONE) {
		return "-";
	}
	colon = strstr(says + strlen("built-in: "), ": ");
	cr_assert_not_null(colon, "%s has no reason", says);
	snprintf(rule, sizeof(rule), "%.*s", (int)(colon - says), says);
	return rule;
}

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
	".git/refs/heads/config",
	".git/refs/heads/feature/hooks",
	".git/logs/refs/heads/rebase-merge",
	".git/refs/heads/sequencer",
	".git/lfs/objects/config",
	".git/objects/info/alternates",
	".git/modules/x/info/exclude",
	".git/CHERRY_PICK_HEAD",
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
	"tools/x",
	".eslintrc.js",
	".prettierrc",
	".python-version",
	".tool-versions",
	"mcp/json",
	"src/rust-toolchain/mod.rs",
	".jj/repo/store/x",
	".hg/store/x",
};

static const struct row held[] = {
	{ ".git/hooks/pre-commit", "built-in: .git/hooks" },
	{ ".git/hooks", "built-in: .git/hooks" },
	{ ".git", "built-in: .git" },
	{ ".GIT/HOOKS/post-checkout", "built-in: .git/hooks" },
	{ ".Git/hooKs/x", "built-in: .git/hooks" },
	{ ".g\xe2\x80\x8cit/hooks/x", "built-in: .git/hooks" },
	{ "\xe2\x80\x8e.git/hooks/x", "built-in: .git/hooks" },
	{ ".git/hoo\xe2\x84\xaa\xc5\xbf/x", "built-in: .git/hooks" },
	{ "vendor/lib/.git/hooks/pre-push", "built-in: .git/hooks" },
	{ ".git/config", "built-in: .git/config" },
	{ ".git/config.worktree", "built-in: .git/config.worktree" },
	{ ".git/modules/a/b/c/hooks/x", "built-in: .git/*/**/hooks" },
	{ ".git/modules/a/config", "built-in: .git/*/**/config" },
	{ ".git/modules/a/commondir", "built-in: .git/*/**/commondir" },
	{ ".git/modules/objects/config", "built-in: .git/*/**/config" },
	{ ".git/modules/a/rebase-merge/git-rebase-todo", "built-in: .git/*/**/rebase-merge" },
	{ ".git/worktrees/w/gitdir", "built-in: .git/*/**/gitdir" },
	{ ".git/worktrees/w/commondir", "built-in: .git/*/**/commondir" },
	{ ".git/worktrees/w/config.worktree", "built-in: .git/*/**/config.worktree" },
	{ ".git/worktrees/w/rebase-merge/git-rebase-todo", "built-in: .git/*/**/rebase-merge" },
	{ ".git/worktrees/w/rebase-apply/x", "built-in: .git/*/**/rebase-apply" },
	{ ".git/worktrees/w/modules/a/config", "built-in: .git/*/**/config" },
	{ ".git/worktrees/w/modules/a/hooks/post-commit", "built-in: .git/*/**/hooks" },
	{ ".git/sl/config", "built-in: .git/*/**/config" },
	{ ".git/sequencer/todo", "built-in: .git/sequencer" },
	{ ".git/worktrees/w/sequencer/opts", "built-in: .git/*/**/sequencer" },
	{ ".git/info/attributes", "built-in: .git/info/attributes" },
	{ ".git/modules/a/info/attributes", "built-in: .git/*/**/info/attributes" },
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
	{ "rust-toolchain", "built-in: rust-toolchain" },
	{ ".helix/languages.toml", "built-in: .helix" },
	{ ".Renviron", "built-in: .renviron" },
	{ ".RData", "built-in: .rdata" },
	{ ".bazeliskrc", "built-in: .bazeliskrc" },
	{ ".hg/sharedpath", "built-in: .hg/sharedpath" },
	{ ".jj/repo", "built-in: .jj/repo" },
	{ "Jenkinsfile", "built-in: jenkinsfile" },
	{ ".pre-commit-config.yaml", "built-in: .pre-commit-config.yaml" },
	{ ".airlock-commit-12345678/n0", "built-in: .airlock-commit-*" },
	{ ".airlock-commit", "built-in: .airlock-commit" },
	{ ".Airlock-Commit/n0", "built-in: .airlock-commit" },
};

Test(names, daily_work_passes)
{
	for (size_t i = 0; i < sizeof(daily) / sizeof(daily[0]); i++) {
		cr_expect_str_eq(rule_of(daily[i], S_IFREG), "-", "%s", daily[i]);
	}
}

Test(names, protected_names_are_held)
{
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		cr_expect_str_eq(rule_of(held[i].path, S_IFREG), held[i].rule, "%s", held[i].path);
	}
}

struct raw_rule {
	enum name_class class;
	const char *pattern, *how, *reason;
};

Test(names, every_rule_finds_itself)
{
	static const struct raw_rule rules[] = {
#define NAME(class_, pattern_, where_, how_, unless_, reason_) \
	{ NAME_##class_, pattern_, #how_, reason_ },
#include "../../../launcher/snapshot/names.def"
#undef NAME
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
		snprintf(want, sizeof(want), "built-in: %s: %s", rules[i].pattern, rules[i].reason);
		cr_expect_eq(names_class(path, S_IFREG, &rule), rules[i].class, "%s", path);
		cr_expect_str_eq(rule != NULL ? rule : "-", want, "%s", path);
		cr_expect_gt(strlen(rules[i].reason), 5u, "%s", path);
	}
}

Test(names, links_and_files_in_the_place_of_a_directory)
{
	cr_expect_str_eq(rule_of(".git", S_IFDIR), "-");
	cr_expect_str_eq(rule_of(".git", S_IFREG), "built-in: .git");
	cr_expect_str_eq(rule_of(".GIT", S_IFLNK), "built-in: .git");
	cr_expect_str_eq(rule_of(".github", S_IFLNK), "built-in: .github/actions");
	cr_expect_str_eq(rule_of(".github", S_IFREG), "-");
	cr_expect_str_eq(rule_of(".git/modules/a", S_IFLNK), "built-in: .git/*/**/commondir");
	cr_expect_str_eq(rule_of(".git/worktrees/w", S_IFLNK), "built-in: .git/*/**/commondir");
	cr_expect_str_eq(rule_of(".git/refs/heads/a", S_IFLNK), "-");
	cr_expect_str_eq(rule_of(".git/modules/a.sample", S_IFLNK),
			 "built-in: .git/*/**/commondir");
	cr_expect_str_eq(rule_of("src", S_IFLNK), "-");
}

/* `git init` makes them; what is put into one has a change of its own. */
Test(names, directories_of_hooks)
{
	cr_expect_str_eq(rule_of(".git/hooks", S_IFDIR), "-");
	cr_expect_str_eq(rule_of(".git/hooks/lib", S_IFDIR), "-");
	cr_expect_str_eq(rule_of(".git/hooks/lib/x", S_IFREG), "built-in: .git/hooks");
	cr_expect_str_eq(rule_of(".git/hooks", S_IFLNK), "built-in: .git/hooks");
	cr_expect_str_eq(rule_of(".git/modules/a/hooks", S_IFDIR), "-");
	cr_expect_str_eq(rule_of(".git/modules/a/hooks", S_IFREG),
			 "built-in: .git/*/**/hooks");
	cr_expect_str_eq(rule_of(".claude", S_IFDIR), "built-in: .claude");
}

/* Text that agents follow, where they look for it; what is in a held directory stays held. */
Test(names, watched)
{
	static const struct row rows[] = {
		{ "AGENTS.md", "built-in: agents.md" },
		{ "pkg/a/agents.md", "built-in: agents.md" },
		{ "CLAUDE.md", "built-in: claude.md" },
		{ "x/CLAUDE.local.md", "built-in: claude.local.md" },
		{ "GEMINI.md", "built-in: gemini.md" },
		{ "SOUL.md", "built-in: soul.md" },
		{ "MEMORY.md", "built-in: memory.md" },
		{ "memory/2026-01-01.md", "built-in: memory/*.md" },
		{ ".cursorrules", "built-in: .cursorrules" },
		{ ".clinerules", "built-in: .clinerules" },
		{ ".clinerules/a.md", "built-in: .clinerules" },
		{ ".github/copilot-instructions.md", "built-in: .github/copilot-instructions.md" },
		{ ".github/instructions/c.instructions.md", "built-in: .github/instructions" },
		{ "skills/pdf/SKILL.md", "built-in: skill.md" },
		{ "skills/pdf/scripts/run.py", "built-in: skills/*/scripts" },
		{ "HEARTBEAT.md", "built-in: heartbeat.md" },
		{ ".junie/guidelines.md", "built-in: .junie" },
		{ "a\xe2\x88\x95"
		  "CLAUDE.md",
		  "built-in: claude.md" },
	};
	static const char *const daily_text[] = {
		"a/heartbeat.md", "a/tools.md", "a/memory/x.md", "memory/x.txt",  "memory/a/b.md",
		"AGENTS.md.orig", "agents.py",	"skills/a.py",	 "skills/a/b.py", "README.md",
	};
	const char *says;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(names_class(rows[i].path, S_IFREG, &says), NAME_WATCHED, "%s",
			     rows[i].path);
		cr_expect_str_eq(rule_of(rows[i].path, S_IFREG), rows[i].rule);
		cr_expect_null(names_protected_by(rows[i].path), "%s", rows[i].path);
	}
	for (size_t i = 0; i < sizeof(daily_text) / sizeof(daily_text[0]); i++) {
		cr_expect_str_eq(rule_of(daily_text[i], S_IFREG), "-", "%s", daily_text[i]);
	}
	cr_expect_eq(names_class(".claude/CLAUDE.md", S_IFREG, &says), NAME_HELD);
	cr_expect_eq(names_class(".claude/skills/a/SKILL.md", S_IFREG, &says), NAME_HELD);
	cr_expect_eq(names_class(".clinerules/hooks/PreToolUse", S_IFREG, &says), NAME_HELD);
	cr_expect_eq(names_class("CLAUDE.md/.envrc", S_IFREG, &says), NAME_HELD);
}

Test(names, the_strongest_class_counts)
{
	const char *says;

	cr_expect_eq(names_class(".airlock-commit/.envrc", S_IFREG, &says), NAME_NEVER);
	cr_expect_eq(names_class(".airlock-commit-0/x", S_IFDIR, &says), NAME_NEVER);
	cr_expect_eq(names_class("a/.airlock-commit", S_IFDIR, &says), NAME__NONE);
	cr_expect_null(says);
	cr_expect_eq(names_class(".envrc/.airlock-commit", S_IFREG, &says), NAME_HELD);
}

/* Of whatever type: what a profile may not let a tool write. */
Test(names, protected_by)
{
	cr_expect_str_eq(names_protected_by(".ssh/config"),
			 "built-in: .ssh: keys, and commands run on connect");
	cr_expect_str_eq(names_protected_by("repo/.git/hooks"),
			 "built-in: .git/hooks: git runs these");
	cr_expect_str_eq(names_protected_by("repo/.git"),
			 "built-in: .git: points git at another repository");
	cr_expect_null(names_protected_by("repo/src"));
}

Test(names, profile_entries)
{
	const char *items[] = { "deploy/", "./infra/*.tf", NULL };
	struct strings extra = { .items = items, .count = 2 };

	cr_expect_str_eq(names_profile_entry("deploy/x", S_IFREG, &extra), "deploy/");
	cr_expect_str_eq(names_profile_entry("Deploy", S_IFDIR, &extra), "deploy/");
	cr_expect_str_eq(names_profile_entry("deploy\xe2\x88\x95x", S_IFREG, &extra), "deploy/");
	cr_expect_str_eq(names_profile_entry("infra/main.tf", S_IFREG, &extra), "./infra/*.tf");
	cr_expect_null(names_profile_entry("infra/main.py", S_IFREG, &extra));
	cr_expect_null(names_profile_entry("deployment", S_IFREG, &extra));
	cr_expect_null(names_profile_entry("a/deploy/x", S_IFREG, &extra));
	cr_expect_str_eq(names_profile_entry("infra", S_IFLNK, &extra), "./infra/*.tf");
	cr_expect_null(names_profile_entry("infra", S_IFDIR, &extra));
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
		cr_expect_eq(names_link_escapes(rows[i].path, rows[i].target, "/w/s"),
			     rows[i].escapes, "%s -> %s", rows[i].path, rows[i].target);
	}
}

Test(names, links_to_the_workspace_by_its_path)
{
	static const struct link_row rows[] = {
		{ "l", "/w/s", false },	    { "d/l", "/w/s/x/y", false }, { "l", "/w/s/", false },
		{ "l", "/w/s/..a", false }, { "l", "/w/sx", true },	  { "l", "/w", true },
		{ "l", "/w/s/../t", true }, { "l", "/w/s/a/..", true },	  { "l", "/w/./s/x", true },
		{ "l", "//w/s/x", true },   { "l", "/W/s/x", true },	  { "l", "w/s/x", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(names_link_escapes(rows[i].path, rows[i].target, "/w/s"),
			     rows[i].escapes, "%s -> %s", rows[i].path, rows[i].target);
	}
	cr_expect(names_link_escapes("l", "/x", "/"));
	cr_expect(names_link_escapes("l", "/w/s/x", NULL));
}

Test(names, long_paths_end)
{
	size_t size = 256u << 10;
	char *path = malloc(size);

	for (size_t i = 0; i + 1 < size; i++) {
		path[i] = i % 3 == 2 ? '/' : i % 3 == 0 ? '.' : 'g';
	}
	path[size - 1] = '\0';
	cr_expect_null(names_protected_by(path));
	memset(path, '.', 300); /* a component that no file system holds */
	cr_expect_null(names_protected_by(path));
	free(path);
}
