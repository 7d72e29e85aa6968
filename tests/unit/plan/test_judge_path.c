/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. Paths against the plan of a hand-made profile over a small tree
 * below /tmp, which the sandbox hides under a /tmp of its own but for what is read.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../launcher/plan/judge.h"

static char dir[64];
static struct rule_path reads[8];
static struct profile profile;
static struct request request;
static struct judge *judge;

static const char *
in_dir(const char *name)
{
	static char texts[16][128];
	static size_t next;
	char *text = texts[next++ % 16];

	snprintf(text, sizeof(texts[0]), "%s/%s", dir, name);
	return text;
}

static void
file(const char *name, mode_t mode, size_t size)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	cr_assert_geq(fd, 0, "%s", name);
	cr_assert_eq(fchmod(fd, mode), 0);
	cr_assert_eq(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

static void
make_world(void)
{
	static char paths[4][128];

	strcpy(dir, "/tmp/airlock-judge-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(mkdir(in_dir("ws"), 0755), 0);
	cr_assert_eq(mkdir(in_dir("lib"), 0755), 0);
	cr_assert_eq(mkdir(in_dir("shut"), 0755), 0);
	cr_assert_eq(mkdir(in_dir("shut/in"), 0), 0);
	cr_assert_eq(mkdir(in_dir("secret"), 0755), 0);
	file("ws/plain", 0644, 1);
	file("ws/tool", 0755, 1);
	file("ws/sealed", 0, 1);
	file("lib/tool", 0755, 9000);
	file("lib/data", 0644, 1);
	file("single", 0755, 10);
	file("secret/key", 0600, 1);
	cr_assert_eq(symlink("../secret/key", in_dir("ws/to-secret")), 0);
	cr_assert_eq(symlink("../lib/data", in_dir("ws/to-lib")), 0);
	cr_assert_eq(symlink("round", in_dir("ws/round")), 0);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "lib", "shut", "single" };

		snprintf(paths[i], sizeof(paths[0]), "%s/%s", dir, names[i]);
		reads[i] = (struct rule_path){ .path = paths[i], .origin = "t.yaml:9" };
	}
	profile = (struct profile){
		.name = "t", .source = "/t.yaml", .read = reads, .read_count = 3, .mode = MODE_APPLY
	};
	request = (struct request){
		.exe = "",
		.cwd = "",
		.upper_dir = "",
		.call_text = "",
		.mode = MODE_APPLY,
		.landlock_abi = 7,
		.identity = { .kind = IDENTITY_PLAIN,
			      .uid_outside = geteuid(),
			      .gid_outside = getegid(),
			      .owner_uid = geteuid(),
			      .owner_gid = getegid(),
			      .user = "u",
			      .home = "/home/u",
			      .shell = "/bin/sh" },
	};
	snprintf(paths[3], sizeof(paths[0]), "%s/ws", dir);
	request.workspace = paths[3];
}

static void
remove_world(void)
{
	char command[192];

	judge_destroy(judge);
	snprintf(command, sizeof(command), "chmod -R u+rwx %s && rm -r %s", dir, dir);
	cr_expect_eq(system(command), 0);
}

TestSuite(judge_path, .init = make_world, .fini = remove_world);

static struct judge_path
ask(const char *path, enum judge_access access)
{
	struct judge_path answer = { .error = -1 };
	struct err err = ERR_INIT;

	if (judge == NULL) {
		cr_assert_eq(judge_create(&profile, &request, &judge, &err), 0, "%s", err.text);
	}
	cr_assert_eq(judge_path(judge, path, access, &answer), 0);
	return answer;
}

/* What see, read, write and execute answer. */
static void
expect(const char *path, enum judge_ground ground, int see, int reading, int writing, int executing)
{
	const int errors[] = { see, reading, writing, executing };

	for (unsigned int i = 0; i < JUDGE_ACCESS__COUNT; i++) {
		struct judge_path answer = ask(path, (enum judge_access)i);

		cr_expect_eq(answer.error, errors[i], "%s access %u: %d, %s", path, i, answer.error,
			     answer.why);
		cr_expect_eq(answer.ground, ground, "%s: ground %d", path, (int)answer.ground);
		cr_expect_gt(strlen(answer.why), 5);
	}
}

Test(judge_path, the_workspace)
{
	expect(in_dir("ws"), JUDGE_WORKSPACE, 0, 0, 0, EACCES);
	expect(in_dir("ws/plain"), JUDGE_WORKSPACE, 0, 0, 0, EACCES);
	expect(in_dir("ws/tool"), JUDGE_WORKSPACE, 0, 0, 0, 0);
	expect(in_dir("ws/sealed"), JUDGE_WORKSPACE, 0, EACCES, EACCES, EACCES);
	expect(in_dir("ws/new"), JUDGE_WORKSPACE, ENOENT, ENOENT, 0, ENOENT);
	expect(in_dir("ws/none/new"), JUDGE_WORKSPACE, ENOENT, ENOENT, ENOENT, ENOENT);
	cr_expect_null(ask(in_dir("ws/plain"), JUDGE_READ).rule);
}

Test(judge_path, a_workspace_that_is_not_to_be_written)
{
	request.mode = MODE_OBSERVE;
	profile.observe_writes = OBSERVE_REFUSE;
	expect(in_dir("ws/plain"), JUDGE_WORKSPACE, 0, 0, EROFS, EACCES);
	expect(in_dir("ws/new"), JUDGE_WORKSPACE, ENOENT, ENOENT, EROFS, ENOENT);
}

Test(judge_path, read_paths_and_their_rules)
{
	expect(in_dir("lib"), JUDGE_HOST, 0, 0, EROFS, EACCES);
	expect(in_dir("lib/tool"), JUDGE_HOST, 0, 0, EROFS, 0);
	expect(in_dir("lib/data"), JUDGE_HOST, 0, 0, EROFS, EACCES);
	expect(in_dir("lib/none"), JUDGE_HOST, ENOENT, ENOENT, EROFS, ENOENT);
	expect(in_dir("shut/in"), JUDGE_HOST, 0, EACCES, EROFS, EACCES);
	expect(in_dir("shut/in/x"), JUDGE_HOST, EACCES, EACCES, EACCES, EACCES);
	cr_expect_str_eq(ask(in_dir("lib/tool"), JUDGE_READ).rule->path, reads[0].path);
	cr_expect_str_eq(ask(in_dir("shut/in"), JUDGE_READ).rule->path, reads[1].path);
}

/* Inside of a read path, too, it is the write path that gives it. */
Test(judge_path, a_directory_that_is_written)
{
	struct rule_path written = { in_dir("lib/out"), "t.yaml:7" };

	cr_assert_eq(mkdir(in_dir("lib/out"), 0755), 0);
	profile.write = (struct rule_paths){ .items = &written, .count = 1 };
	expect(in_dir("lib/out"), JUDGE_EXTERNAL, 0, 0, 0, EACCES);
	expect(in_dir("lib/out/new"), JUDGE_EXTERNAL, ENOENT, ENOENT, 0, ENOENT);
	cr_expect_str_eq(ask(in_dir("lib/out"), JUDGE_WRITE).rule->origin, "t.yaml:7");
	cr_expect_str_eq(ask(in_dir("lib/out/new"), JUDGE_WRITE).rule->origin, "t.yaml:7");
	cr_expect_str_eq(ask(in_dir("lib/data"), JUDGE_READ).rule->origin, "t.yaml:9");
}

/* Nothing is behind it when a question is asked: it is empty, and the tool may fill it. */
Test(judge_path, a_cache)
{
	static struct profile_cache cache = { .name = "c",
					      .at = { "/home/u/.cache/c", "t.yaml:5" } };

	profile.caches = &cache;
	profile.cache_count = 1;
	expect("/home/u/.cache/c", JUDGE_CACHE, 0, 0, 0, EACCES);
	expect("/home/u/.cache/c/new", JUDGE_CACHE, ENOENT, ENOENT, 0, ENOENT);
	cr_expect_str_eq(ask("/home/u/.cache/c/new", JUDGE_WRITE).rule->origin, "t.yaml:5");
}

Test(judge_path, a_cache_in_observe)
{
	static struct profile_cache cache = { .name = "c",
					      .at = { "/home/u/.cache/c", "t.yaml:5" } };

	request.mode = MODE_OBSERVE;
	profile.caches = &cache;
	profile.cache_count = 1;
	expect("/home/u/.cache/c", JUDGE_CACHE, 0, 0, EROFS, EACCES);
	expect("/home/u/.cache/c/new", JUDGE_CACHE, ENOENT, ENOENT, EROFS, ENOENT);
	cr_expect_str_eq(ask("/home/u/.cache/c/new", JUDGE_READ).why,
			 "filesystem.cache gives it, kept between calls");
}

/* A file of its own is copied, with its right to be executed. */
Test(judge_path, a_single_file)
{
	request.landlock_abi = 0;
	expect(in_dir("single"), JUDGE_HOST, 0, 0, EROFS, 0);
	cr_expect_str_eq(ask(in_dir("single"), JUDGE_READ).rule->path, reads[2].path);
}

Test(judge_path, what_no_rule_shows)
{
	expect(in_dir("secret"), JUDGE_SCRATCH, ENOENT, ENOENT, 0, ENOENT);
	expect(in_dir("secret/key"), JUDGE_SCRATCH, ENOENT, ENOENT, ENOENT, ENOENT);
	expect("/etc/shadow", JUDGE_NOTHING, ENOENT, ENOENT, EROFS, ENOENT);
	expect("/opt/none", JUDGE_NOTHING, ENOENT, ENOENT, ENOENT, ENOENT);
	expect("/home/u/.ssh/id_rsa", JUDGE_SCRATCH, ENOENT, ENOENT, ENOENT, ENOENT);
}

Test(judge_path, links_lead_where_they_lead_inside)
{
	expect(in_dir("ws/to-lib"), JUDGE_HOST, 0, 0, EROFS, EACCES);
	expect(in_dir("ws/to-secret"), JUDGE_SCRATCH, ENOENT, ENOENT, ENOENT, ENOENT);
	expect(in_dir("ws/round"), JUDGE_WORKSPACE, ELOOP, ELOOP, ELOOP, ELOOP);
	expect(in_dir("ws/../lib/./data"), JUDGE_HOST, 0, 0, EROFS, EACCES);
	expect(in_dir("ws/plain/x"), JUDGE_WORKSPACE, ENOTDIR, ENOTDIR, ENOTDIR, ENOTDIR);
	cr_expect_str_eq(ask(in_dir("ws/to-lib"), JUDGE_READ).real, in_dir("lib/data"));
}

Test(judge_path, what_every_sandbox_has)
{
	expect("/", JUDGE_SKELETON, 0, 0, EROFS, EACCES);
	expect("/etc/passwd", JUDGE_SKELETON, 0, 0, EROFS, EACCES);
	expect("/dev/null", JUDGE_DEVICE, 0, 0, 0, EACCES);
	expect("/proc/self/status", JUDGE_PROC, 0, 0, EACCES, EACCES);
	expect("/proc/kallsyms", JUDGE_MASKED, ENOENT, ENOENT, EACCES, ENOENT);
	expect("/tmp", JUDGE_SCRATCH, 0, 0, 0, EACCES);
	expect("/home/u/new", JUDGE_SCRATCH, ENOENT, ENOENT, 0, ENOENT);
	expect("/var/tmp/new", JUDGE_SCRATCH, ENOENT, ENOENT, 0, ENOENT);
}

/* The second layer's rows count as well: what is in /etc may be read and not executed. */
Test(judge_path, landlock)
{
	static const char program[] = "/etc/init.d/hwclock.sh";

	if (access(program, X_OK) < 0) {
		remove_world();
		cr_skip_test("no %s here", program);
	}
	reads[0].path = "/etc/init.d";
	expect(program, JUDGE_HOST, 0, 0, EROFS, EACCES);
	cr_expect_str_eq(ask(program, JUDGE_EXECUTE).why,
			 "Landlock does not allow to execute there");
	judge_destroy(judge);
	judge = NULL;
	request.landlock_abi = 0;
	expect(program, JUDGE_HOST, 0, 0, EROFS, 0);
}

Test(judge_path, a_path_that_is_too_long)
{
	struct judge_path answer;
	static char text[5000];

	ask("/", JUDGE_SEE);
	memset(text, '/', sizeof(text) - 1);
	cr_expect_eq(judge_path(judge, text, JUDGE_SEE, &answer), -ENAMETOOLONG);
}

Test(judge_path, what_the_profile_hides)
{
	static const struct rule_path hidden[] = { { "hidden", "t.yaml:4" },
						   { "keys", "t.yaml:5" } };
	char path[128];

	file("ws/hidden", 0644, 1);
	cr_assert_eq(mkdir(in_dir("ws/keys"), 0755), 0);
	file("ws/keys/one", 0644, 1);
	profile.hide = (struct rule_paths){ .items = hidden, .count = 2 };
	snprintf(path, sizeof(path), "%s/ws/hidden", dir);
	expect(path, JUDGE_MASKED, ENOENT, EACCES, EACCES, EACCES);
	cr_expect_str_eq(ask(path, JUDGE_READ).rule->origin, "t.yaml:4");
	snprintf(path, sizeof(path), "%s/ws/keys/one", dir);
	expect(path, JUDGE_MASKED, ENOENT, ENOENT, EROFS, ENOENT);
	cr_expect_str_eq(ask(path, JUDGE_READ).rule->origin, "t.yaml:5");
}
