/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Environment and command against a hand-made profile. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../launcher/plan/judge.h"

static const char *pass[] = { "LANG", "LC_*", NULL }, *accept[] = { "APP_*", NULL };
static struct env_pair set[] = { { "A", "b" }, { "USER", "x" } };
static const char *run[] = { "/bin/sh", NULL };
static struct rule_path reads[] = {
	{ .path = "/bin", .origin = "t.yaml:4" },
	{ .path = "/usr", .origin = "t.yaml:5" },
};
static struct profile profile = {
	.name = "t",
	.source = "/t.yaml",
	.read = reads,
	.read_count = 2,
	.env_pass = { .items = pass, .count = 2 },
	.env_accept = { .items = accept, .count = 1 },
	.env_set = set,
	.env_set_count = 2,
};

static void
crosses(const char *name, bool does, enum profile_key_id key, const char *entry)
{
	struct judge_environment e = judge_environment(&profile, name);

	cr_expect_eq(e.crosses, does, "%s", name);
	cr_expect_eq(e.key, key, "%s", name);
	cr_expect_gt(strlen(e.why), 5, "%s", name);
	if (entry != NULL) {
		cr_expect_str_eq(e.entry, entry);
	} else {
		cr_expect_null(e.entry);
	}
}

Test(judge_tool, environment)
{
	crosses("A", true, KEY_ENV_SET, "A");
	crosses("LANG", true, KEY_ENV_PASS, "LANG");
	crosses("LC_ALL", true, KEY_ENV_PASS, "LC_*");
	crosses("APP_X", true, KEY_ENV_ACCEPT, "APP_*");
	crosses("HOME", true, KEY__COUNT, NULL);
	crosses("PWD", true, KEY__COUNT, NULL);
	crosses("USER", true, KEY_ENV_SET, "USER");
	crosses("LANGUAGE", false, KEY__COUNT, NULL);
	crosses("LD_PRELOAD", false, KEY__COUNT, NULL);
	crosses("", false, KEY__COUNT, NULL);
}

static struct judge *
new_judge(void)
{
	static struct request request;
	struct judge *j;
	struct err err = ERR_INIT;

	request = (struct request){
		.exe = "",
		.cwd = "",
		.upper_dir = "",
		.workspace = "/usr/share/doc",
		.landlock_abi = 7,
		.identity = { .uid_outside = 1,
			      .gid_outside = 1,
			      .user = "u",
			      .home = "/home/u",
			      .shell = "/bin/sh" },
	};
	cr_assert_eq(judge_create(&profile, &request, &j, &err), 0, "%s", err.text);
	return j;
}

static struct judge_command
ask(struct judge *j, const char *name, const char *path)
{
	struct judge_command c;

	cr_assert_eq(judge_command(j, name, path, &c), 0, "%s", name);
	return c;
}

Test(judge_tool, a_command_is_found_in_the_tool_s_path)
{
	struct judge *j = new_judge();
	struct judge_command c = ask(j, "env", "/nowhere:relative:/usr/bin");

	cr_expect_eq(c.error, 0);
	cr_expect_str_eq(c.path, "/usr/bin/env");
	cr_expect_str_eq(c.rule->origin, "t.yaml:5");
	c = ask(j, "env", "/nowhere");
	cr_expect_eq(c.error, ENOENT);
	cr_expect_null(c.path);
	c = ask(j, "/usr/bin/env", "");
	cr_expect_eq(c.error, 0);
	c = ask(j, "/usr/bin", "");
	cr_expect_eq(c.error, EACCES);
	c = ask(j, "/opt/none", "/usr/bin");
	cr_expect_eq(c.error, ENOENT);
	c = ask(j, "none/here", "/usr/bin");
	cr_expect_eq(c.error, ENOENT);
	judge_destroy(j);
}

/* Names of tool.run and of the command are compared behind their links. */
Test(judge_tool, only_what_tool_run_names)
{
	struct judge *j;
	struct judge_command c;

	profile.tool_run = (struct strings){ .items = run, .count = 1 };
	j = new_judge();
	c = ask(j, "sh", "/usr/bin");
	cr_expect_eq(c.error, 0);
	cr_expect_str_eq(c.entry, "/bin/sh");
	c = ask(j, "env", "/usr/bin");
	cr_expect_eq(c.error, EPERM);
	cr_expect_str_eq(c.path, "/usr/bin/env");
	judge_destroy(j);
}

/* A name is the first program in PATH that may be the command. */
Test(judge_tool, a_program_that_tool_run_does_not_name_is_passed_over)
{
	static const char *named[] = { "/usr/bin/env", NULL };
	auto_free char *dir = strdup("/tmp/judge-XXXXXX"), *path = NULL, *own = NULL;
	static struct rule_path with_dir[3];
	struct judge *j;
	struct judge_command c;

	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chmod(dir, 0755), 0);
	cr_assert_gt(asprintf(&own, "%s/env", dir), 0);
	cr_assert_gt(asprintf(&path, "%s:/usr/bin", dir), 0);
	cr_assert_eq(symlink("/usr/bin/true", own), 0);
	profile.tool_run = (struct strings){ .items = named, .count = 1 };
	with_dir[0] = reads[0];
	with_dir[1] = (struct rule_path){ .path = dir, .origin = "t.yaml:6" };
	with_dir[2] = reads[1];
	profile.read = with_dir;
	profile.read_count = 3;
	j = new_judge();
	c = ask(j, "env", path);
	cr_expect_eq(c.error, 0);
	cr_expect_str_eq(c.path, "/usr/bin/env");
	cr_expect_str_eq(c.entry, "/usr/bin/env");
	named[0] = "/usr/bin/cat";
	c = ask(j, "env", path);
	cr_expect_eq(c.error, EPERM);
	cr_expect_str_eq(c.path, "/usr/bin/true", "the first one is named");
	judge_destroy(j);
	cr_expect_eq(unlink(own), 0);
	cr_expect_eq(rmdir(dir), 0);
}
