/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The finished struct, and what its digest depends on. */
#include "profile_test.h"

#include "../../../launcher/base/sha256.h"

#define LIMITS                                                                                \
	"limits: { memory: 2GiB, pids: 512, cpu: 400%, cpu_time: 1h, wall: 10m, disk: 1GiB, " \
	"files: 1000, "                                                                       \
	"output: 1MiB, open_files: 64 }\n"

static struct profile *
build(const char *path, const char *yaml, const char *home)
{
	struct parsed p;
	struct profile *profile = NULL;

	parsed_init(&p, path, yaml, strlen(yaml));
	profile_complete(&p.arena, &p.doc, &p.report);
	cr_assert_str_eq(buf_text(&p.text), "");
	cr_assert_eq(profile_build(&p.doc, home, &profile), 0);
	parsed_finish(&p);
	return profile;
}

static const char full[] =
	"version: 1\nname: full\ndescription: All of it\nowners: { permissions: p@x, incidents: "
	"i@x }\n"
	"open: [mode]\ntool: { run: [/usr/bin/b, ~/bin/a] }\neffects: [write-workspace, "
	"write-external, read]\nmode: apply\n"
	"success: [0, 7, 255]\nfilesystem:\n  read:\n    - /usr\n    - ~/.cargo\n    - /bin\n  "
	"hide: [k/, .env]\n  protect: [z, deploy/]\n"
	"  hold_above: { files: 20, bytes: 2MiB }\n"
	"  write: [~/out]\n"
	"  cache:\n    pip: { path: ~/p, exec: true }\n    npm: { path: /srv/n, scope: user }\n"
	"network: { loopback: true }\ngit: { identity: true, worktree: true }\n"
	"environment: { pass: [TZ, \"LC_*\"], accept: [CI], set: { B: two, A: one } }\n"
	"syscalls: { allow: [\"@io\", \"@default\"] }\n" LIMITS
	"toolchains: [nvm, cargo]\n"
	"allow_degraded: [landlock, cgroup]\nretry: safe\non_failure: { then: ask, retries: 3, "
	"backoff: 2s }\n"
	"capture: { inputs: content, file_size: 9MiB, stdin: 0B, stdout: 7KiB, "
	"stderr: 8KiB, environment: [LANG, LC_*] }\n"
	"observe_writes: "
	"refuse\nworkspace: snapshot\n";

static void
expect_failure(const struct profile *p)
{
	cr_expect_eq(p->retry, RETRY_SAFE);
	cr_expect_eq(p->on_failure, ON_FAILURE_ASK);
	cr_expect_eq(p->retries, 3);
	cr_expect_eq(p->backoff_ms, 2000u);
}

static void
expect_capture(const struct profile *p)
{
	cr_expect_eq(p->capture_inputs, CAPTURE_CONTENT);
	cr_expect_eq(p->capture_file_size, 9437184u);
	cr_expect_eq(p->capture_stream[0], 0u);
	cr_expect_eq(p->capture_stream[1], 7168u);
	cr_expect_eq(p->capture_stream[2], 8192u);
	cr_assert_eq(p->capture_env.count, 2u);
	cr_expect_str_eq(p->capture_env.items[0], "LANG");
	cr_expect_str_eq(p->capture_env.items[1], "LC_*");
}

Test(profile_build, every_field)
{
	struct profile *p = build("/x/full.yaml", full, "/home/u");

	cr_expect_str_eq(p->name, "full");
	cr_expect_str_eq(p->description, "All of it");
	cr_expect_str_eq(p->source, "/x/full.yaml");
	cr_expect_str_eq(p->owner_permissions, "p@x");
	cr_expect_str_eq(p->owner_incidents, "i@x");
	cr_assert_eq(p->tool_run.count, 2u);
	cr_expect_str_eq(p->tool_run.items[0], "/home/u/bin/a");
	cr_expect_str_eq(p->tool_run.items[1], "/usr/bin/b");
	cr_expect_null(p->tool_run.items[2]);
	cr_expect_eq(p->effects, EFFECT_READ | EFFECT_WRITE_WORKSPACE | EFFECT_WRITE_EXTERNAL);
	cr_expect_eq(p->mode, MODE_APPLY);
	cr_expect_eq(p->success[0], 0x81);
	cr_expect_eq(p->success[31], 0x80);
	cr_assert_eq(p->read_count, 3u);
	cr_expect_str_eq(p->read[0].path, "/bin");
	cr_expect_str_eq(p->read[0].origin, "full.yaml:14");
	cr_expect_str_eq(p->read[1].path, "/home/u/.cargo");
	cr_expect_str_eq(p->read[1].origin, "full.yaml:13");
	cr_expect_str_eq(p->read[2].path, "/usr");
	cr_assert_eq(p->write.count, 1u);
	cr_expect_str_eq(p->write.items[0].path, "/home/u/out");
	cr_expect_str_eq(p->write.items[0].origin, "full.yaml:18");
	cr_assert_eq(p->cache_count, 2u);
	cr_expect_str_eq(p->caches[0].name, "pip");
	cr_expect_str_eq(p->caches[0].at.path, "/home/u/p");
	cr_expect_str_eq(p->caches[0].at.origin, "full.yaml:20");
	cr_expect_eq(p->caches[0].flags, CACHE_EXEC);
	cr_expect_str_eq(p->caches[1].name, "npm");
	cr_expect_str_eq(p->caches[1].at.path, "/srv/n");
	cr_expect_eq(p->caches[1].flags, CACHE_USER);
	cr_assert_eq(p->hide.count, 2u);
	cr_expect_str_eq(p->hide.items[0].path, ".env");
	cr_expect_str_eq(p->hide.items[1].path, "k");
	cr_expect_str_eq(p->hide.items[1].origin, "full.yaml:15");
	cr_assert_eq(p->protect.count, 2u);
	cr_expect_str_eq(p->protect.items[0], "deploy/");
	cr_expect_str_eq(p->protect.items[1], "z");
	cr_expect_eq(p->observe_writes, OBSERVE_REFUSE);
	cr_expect_eq(p->workspace, WORKSPACE_SNAPSHOT);
	cr_expect_eq(p->loopback, true);
	cr_expect_eq(p->git_identity, true);
	cr_expect_eq(p->git_worktree, true);
	cr_expect_str_eq(p->git_name, "");
	cr_expect_str_eq(p->git_email, "");
	cr_expect_str_eq(p->env_pass.items[0], "LC_*");
	cr_expect_str_eq(p->env_accept.items[0], "CI");
	cr_assert_eq(p->env_set_count, 2u);
	cr_expect_str_eq(p->env_set[0].name, "A");
	cr_expect_str_eq(p->env_set[0].value, "one");
	cr_expect_str_eq(p->env_set[1].name, "B");
	cr_expect_str_eq(p->syscalls.items[0], "@default");
	cr_expect_str_eq(p->syscalls.items[1], "@io");
	cr_expect_eq(p->limits.memory_bytes, 2147483648u);
	cr_expect_eq(p->limits.pids, 512u);
	cr_expect_eq(p->limits.cpu_percent, 400u);
	cr_expect_eq(p->limits.cpu_time_ms, 3600000u);
	cr_expect_eq(p->limits.wall_ms, 600000u);
	cr_expect_eq(p->limits.disk_bytes, 1073741824u);
	cr_expect_eq(p->limits.files, 1000u);
	cr_expect_eq(p->limits.output_bytes, 1048576u);
	cr_expect_eq(p->limits.open_files, 64u);
	cr_expect_eq(p->allow_degraded, DEGRADE_CGROUP | DEGRADE_LANDLOCK);
	expect_failure(p);
	cr_expect_eq(p->toolchains, 1u << TOOLCHAIN_NVM | 1u << TOOLCHAIN_CARGO);
	expect_capture(p);
	cr_expect_null(p->filter);
	cr_expect_eq(p->filter_len, 0u);
	profile_destroy(p);
}

Test(profile_build, one_path_in_two_spellings_is_one)
{
	struct profile *p = build(
		"/x/a.yaml", "version: 1\nname: a\nfilesystem: { read: [/home/u/x, ~/x] }\n" LIMITS,
		"/home/u");

	cr_assert_eq(p->read_count, 1u);
	cr_expect_str_eq(p->read[0].path, "/home/u/x");
	profile_destroy(p);
}

Test(profile_build, bounds)
{
	struct profile *p = build("/x/full.yaml", full, "/home/u");

	cr_expect_eq(p->hold_files.most, 20u);
	cr_expect_str_eq(p->hold_files.origin, "full.yaml:17");
	cr_expect_eq(p->hold_bytes.most, (uint64_t)2 << 20);
	cr_expect_str_eq(p->hold_bytes.origin, "full.yaml:17");
	profile_destroy(p);
}

Test(profile_build, canonical_json)
{
	auto_parsed p;
	auto_buf json = BUF_INIT;

	parsed_init(&p, "/x/full.yaml", full, sizeof(full) - 1);
	profile_complete(&p.arena, &p.doc, &p.report);
	cr_assert_eq(profile_canonical(&p.doc, &json), 0);
	cr_expect_str_eq(
		buf_text(&json),
		"{\"allow_degraded\":[\"cgroup.cpu\",\"cgroup.memory\",\"cgroup.pids\","
		"\"landlock\"],"
		"\"capture\":{\"environment\":[\"LANG\",\"LC_*\"],\"file_size\":9437184,"
		"\"inputs\":\"content\",\"stderr\":8192,\"stdin\":0,\"stdout\":7168},"
		"\"credentials\":[],"
		"\"description\":\"All of it\","
		"\"done_when\":[],"
		"\"effects\":[\"read\",\"write-external\",\"write-workspace\"],"
		"\"environment\":{\"accept\":[\"CI\"],\"pass\":[\"LC_*\",\"TZ\"],\"set\":[[\"A\","
		"\"one\"],[\"B\",\"two\"]]},"
		"\"filesystem\":{\"cache\":[[\"npm\",\"/srv/n (user)\"],[\"pip\",\"~/p "
		"(workflow, exec)\"]],\"hide\":[\".env\",\"k\"],"
		"\"hold_above\":[[\"bytes\",\"2MiB\"],[\"files\",\"20\"]],"
		"\"protect\":[\"deploy/\",\"z\"],\"read\":[\"/bin\",\"/usr\",\"~/"
		".cargo\"],"
		"\"write\":[\"~/out\"]},"
		"\"git\":{\"identity\":true,\"worktree\":true},"
		"\"labels\":{\"adds\":[]},\"leak\":\"redact\","
		"\"limits\":{\"cpu\":400,\"cpu_time\":3600000,\"disk\":1073741824,\"files\":1000,"
		"\"memory\":2147483648,\"open_files\":64,\"output\":1048576,\"pids\":512,\"wall\":"
		"600000},"
		"\"mode\":\"apply\",\"name\":\"full\","
		"\"network\":{\"egress\":[],\"loopback\":true},\"observe_"
		"writes\":\"refuse\",\"on_failure\":{\"backoff\":2000,\"retries\":3,"
		"\"then\":\"ask\"},"
		"\"owners\":{\"incidents\":\"i@x\",\"permissions\":\"p@x\"},\"retry\":\"safe\","
		"\"success\":[0,7,255],"
		"\"syscalls\":{\"allow\":[\"@default\",\"@io\"]},\"tool\":{\"run\":[\"/usr/bin/"
		"b\",\"~/bin/a\"]},"
		"\"toolchains\":[\"cargo\",\"nvm\"],"
		"\"version\":1,\"workspace\":\"snapshot\"}",
		"%s", buf_text(&json));
}

static void
expect_same_digest(const char *a_yaml, const char *b_yaml, bool same)
{
	struct profile *a = build("/x/a.yaml", a_yaml, "/home/u");
	struct profile *b = build("/y/b.yaml", b_yaml, "/home/v");
	int differs = memcmp(a->digest, b->digest, 32);

	cr_expect_eq(differs == 0, same, "%s\n%s", a_yaml, b_yaml);
	profile_destroy(a);
	profile_destroy(b);
}

/*
 * Comments, order, spelling, the file's name and the user's home make no difference; a value
 * does.
 */
Test(profile_build, what_the_digest_depends_on)
{
	expect_same_digest("version: 1\nname: a\nmode: apply\nfilesystem: { read: [/usr, /bin, "
			   "~/.x] }\n" LIMITS,
			   "# hello\nname: \"a\"\n" LIMITS
			   "filesystem:\n  read:\n  - ~/.x\n  - /bin/\n  - /usr # all\nmode: "
			   "apply\nversion: 1\n",
			   true);
	expect_same_digest("version: 1\nname: a\nallow_degraded: [cgroup]\n" LIMITS,
			   "version: 1\nname: a\nallow_degraded: [cgroup.pids, cgroup.memory, "
			   "cgroup.cpu]\n" LIMITS,
			   true);
	expect_same_digest("version: 1\nname: a\ntoolchains: [all]\n" LIMITS,
			   "version: 1\nname: a\ntoolchains: [nvm, all]\n" LIMITS, true);
	expect_same_digest("version: 1\nname: a\ntoolchains: [all]\n" LIMITS,
			   "version: 1\nname: a\ntoolchains: [nvm]\n" LIMITS, false);
	expect_same_digest("version: 1\nname: a\nopen: [mode]\n" LIMITS,
			   "version: 1\nname: a\n" LIMITS, true);
	expect_same_digest("version: 1\nname: a\nmode: apply\n" LIMITS,
			   "version: 1\nname: a\n" LIMITS, false);
	expect_same_digest("version: 1\nname: a\nowners: { incidents: x }\n" LIMITS,
			   "version: 1\nname: a\n" LIMITS, false);
	expect_same_digest("version: 1\nname: a\n" LIMITS, "version: 1\nname: b\n" LIMITS, false);
}

Test(profile_build, the_digest_is_that_of_the_json)
{
	struct profile *built = build("/x/full.yaml", full, "/home/u");
	auto_parsed p;
	auto_buf json = BUF_INIT;
	uint8_t digest[32];

	parsed_init(&p, "/x/full.yaml", full, sizeof(full) - 1);
	profile_complete(&p.arena, &p.doc, &p.report);
	cr_assert_eq(profile_canonical(&p.doc, &json), 0);
	sha256_of(json.data, json.len, digest);
	cr_expect_arr_eq(built->digest, digest, 32);
	profile_destroy(built);
}
