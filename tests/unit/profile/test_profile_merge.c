/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. A child narrows: each rule good, bad, and bad but opened. */
#include "profile_test.h"

#include "../../../launcher/profile/profile_diff.h"

#define LIMITS                                                                                \
	"limits: { memory: 2GiB, pids: 512, cpu: 400%, cpu_time: 1h, wall: 10m, disk: 1GiB, " \
	"files: 1000, "                                                                       \
	"output: 1MiB, open_files: 64 }\n"

struct merged {
	struct parsed parent, child;
	struct profile_arena arena;
	struct profile_doc top, doc; /* effective: the parent, the child */
};

#define auto_merged __attribute__((cleanup(merged_finish))) struct merged

static void
merged_finish(struct merged *m)
{
	parsed_finish(&m->parent);
	parsed_finish(&m->child);
	profile_arena_finish(&m->arena);
}

/* Merges the second text over the first; the report's text is the caller's. */
static char *
merge_texts(struct merged *m, const char *parent_yaml, const char *child_yaml)
{
	auto_buf text = BUF_INIT;
	struct profile_report report = { .out = &text };

	parsed_init(&m->parent, "p.yaml", parent_yaml, strlen(parent_yaml));
	parsed_init(&m->child, "c.yaml", child_yaml, strlen(child_yaml));
	m->arena = (struct profile_arena){ .chunks = NULL, .failed = false };
	cr_assert_str_eq(buf_text(&m->parent.text), "");
	cr_assert_str_eq(buf_text(&m->child.text), "");
	profile_merge(&m->arena, NULL, &m->parent.doc, &report, &m->top);
	profile_complete(&m->arena, &m->top, &report);
	cr_assert_eq(report.count, 0u, "%s", buf_text(&text));
	profile_merge(&m->arena, &m->top, &m->child.doc, &report, &m->doc);
	profile_complete(&m->arena, &m->doc, &report);
	return strdup(buf_text(&text));
}

/* For those who want the report only; what a diff says of the two must agree. */
static char *
merge_report(const char *parent_yaml, const char *child_yaml)
{
	auto_merged m;
	char *report = merge_texts(&m, parent_yaml, child_yaml);
	struct profile_changes changes;

	cr_assert_eq(profile_diff(&m.top, &m.doc, &changes), 0);
	if (m.top.values[KEY_OPEN].count == 0) {
		cr_expect_eq(changes.widens, report[0] != '\0', "%s\nover\n%s\n%s", child_yaml,
			     parent_yaml, report);
	}
	profile_changes_finish(&changes);
	return report;
}

struct rule {
	const char *key;
	const char *parent, *good, *bad;
	const char *error; /* first line of the report for bad, behind "c.yaml:3:" */
};

/* The keys with a rule for children, in the order of keys.def. */
static const struct rule rules[] = {
	{ "tool.run", "tool: { run: [/usr/bin/a, /usr/bin/b] }", "tool: { run: [/usr/bin/a] }",
	  "tool: { run: [/usr/bin/c] }",
	  "15: error: tool.run: '/usr/bin/c' is more than the parent allows (p.yaml:3:14)" },
	{ "tool.run", "tool: { run: [/usr/bin/a] }", "tool: { run: [/usr/bin/a] }",
	  "tool: { run: [] }",
	  "14: error: tool.run: an empty list means any program, more than the parent allows "
	  "(p.yaml:3:14)" },
	{ "effects", "effects: [read, write-workspace]", "effects: [read]",
	  "effects: [irreversible]",
	  "11: error: effects: 'irreversible' is more than the parent allows (p.yaml:3:10)" },
	{ "mode", "mode: observe", "mode: observe", "mode: apply",
	  "7: error: mode: apply is wider than the parent's observe (p.yaml:3:7)" },
	{ "success", "success: [0, 1]", "success: [1]", "success: [0, 2]",
	  "14: error: success: '2' is more than the parent allows (p.yaml:3:10)" },
	{ "filesystem.read", "filesystem: { read: [/usr, ~/.x] }",
	  "filesystem: { read: [/usr/lib, ~/.x/y] }", "filesystem: { read: [/usrlocal] }",
	  "22: error: filesystem.read: '/usrlocal' is more than the parent allows (p.yaml:3:21)" },
	{ "filesystem.write", "filesystem: { write: [~/o] }\neffects: [write-external]",
	  "filesystem: { write: [~/o/p] }", "filesystem: { write: [~/p] }",
	  "23: error: filesystem.write: '~/p' is more than the parent allows (p.yaml:3:22)" },
	{ "filesystem.cache", "filesystem: { cache: { a: { path: ~/x, exec: true } } }",
	  "filesystem: { cache: { a: { path: ~/x, exec: false } } }",
	  "filesystem: { cache: { b: { path: ~/x } } }",
	  "24: error: filesystem.cache: 'b' is more than the parent allows (p.yaml:3:22)" },
	{ "filesystem.cache", "filesystem: { cache: { a: { path: ~/x } } }",
	  "filesystem: { cache: {} }", "filesystem: { cache: { a: { path: ~/x, exec: true } } }",
	  "24: error: filesystem.cache: 'a' is more than the parent allows (p.yaml:3:22)" },
	{ "filesystem.cache", "filesystem: { cache: { a: { path: ~/x } } }",
	  "filesystem: { cache: { a: { path: ~/x } } }",
	  "filesystem: { cache: { a: { path: ~/y } } }",
	  "24: error: filesystem.cache: 'a' is more than the parent allows (p.yaml:3:22)" },
	{ "filesystem.cache", "filesystem: { cache: { a: { path: ~/x } } }",
	  "filesystem: { cache: { a: { path: ~/x } } }",
	  "filesystem: { cache: { a: { path: ~/x, scope: user } } }",
	  "24: error: filesystem.cache: 'a' is more than the parent allows (p.yaml:3:22)" },
	{ "filesystem.cache", "filesystem: { cache: { a: { path: ~/x, scope: user } } }",
	  "filesystem: { cache: { a: { path: ~/x, scope: user } } }",
	  "filesystem: { cache: { a: { path: ~/x } } }",
	  "24: error: filesystem.cache: 'a' is more than the parent allows (p.yaml:3:22)" },
	{ "network.loopback", "network: { loopback: false }", "network: { loopback: false }",
	  "network: { loopback: true }",
	  "22: error: network.loopback: true is wider than the parent's false (p.yaml:3:22)" },
	{ "git.identity", "git: { identity: false }", "git: { identity: false }",
	  "git: { identity: true }",
	  "18: error: git.identity: true is wider than the parent's false (p.yaml:3:18)" },
	{ "git.worktree", "git: { worktree: false }", "git: { worktree: false }",
	  "git: { worktree: true }",
	  "18: error: git.worktree: true is wider than the parent's false (p.yaml:3:18)" },
	{ "environment.pass", "environment: { pass: [\"LC_*\", LANG] }",
	  "environment: { pass: [LC_ALL, \"LC_T*\", LANG] }", "environment: { pass: [\"L*\"] }",
	  "24: error: environment.pass: 'L*' is more than the parent allows (p.yaml:3:22)" },
	{ "environment.accept", "environment: { accept: [CI] }", "environment: { accept: [] }",
	  "environment: { accept: [DEBUG] }",
	  "25: error: environment.accept: 'DEBUG' is more than the parent allows (p.yaml:3:24)" },
	{ "environment.set", "environment: { set: { A: x } }",
	  "environment: { set: { A: x, B: y } }", "environment: { set: { A: y } }",
	  "23: error: environment.set: the parent sets 'A' to another value (p.yaml:3:23)" },
	{ "filesystem.hold_above", "filesystem: { hold_above: { files: 9 } }",
	  "filesystem: { hold_above: { files: 0, bytes: 1GiB } }",
	  "filesystem: { hold_above: { files: 10 } }",
	  "29: error: filesystem.hold_above: 'files' is more than the parent allows "
	  "(p.yaml:3:27)" },
	{ "credentials", "credentials: [gh, db]", "credentials: [db]", "credentials: [gh, aws]",
	  "19: error: credentials: 'aws' is more than the parent allows (p.yaml:3:14)" },
	{ "syscalls.allow", "syscalls: { allow: [\"@default\"] }", "syscalls: { allow: [\"@io\"] }",
	  "syscalls: { allow: [\"@io\", \"@debug\"] }",
	  "29: error: syscalls.allow: '@debug' is more than the parent allows (p.yaml:3:20)" },
	{ "allow_degraded", "allow_degraded: [cgroup]", "allow_degraded: [cgroup.cpu, cgroup.pids]",
	  "allow_degraded: [landlock]",
	  "18: error: allow_degraded: 'landlock' is more than the parent allows (p.yaml:3:17)" },
	{ "allow_degraded", "allow_degraded: [cgroup.cpu, cgroup.pids, cgroup.memory]",
	  "allow_degraded: [cgroup]", "allow_degraded: [notify]",
	  "18: error: allow_degraded: 'notify' is more than the parent allows (p.yaml:3:17)" },
	{ "retry", "retry: ask", "retry: ask", "retry: safe",
	  "8: error: retry: safe is wider than the parent's ask (p.yaml:3:8)" },
	{ "leak", "leak: stop", "leak: stop", "leak: redact",
	  "7: error: leak: redact is wider than the parent's stop (p.yaml:3:7)" },
	{ "on_failure.then", "on_failure: { then: ask }", "on_failure: { then: stop }",
	  "on_failure: { then: continue }",
	  "21: error: on_failure.then: continue is wider than the parent's ask (p.yaml:3:21)" },
	{ "on_failure.retries", "on_failure: { retries: 2 }\nretry: safe",
	  "on_failure: { retries: 1 }", "on_failure: { retries: 3 }",
	  "24: error: on_failure.retries: 3 is wider than the parent's 2 (p.yaml:3:24)" },
	{ "on_failure.backoff", "on_failure: { backoff: 2s }", "on_failure: { backoff: 3s }",
	  "on_failure: { backoff: 1s }",
	  "24: error: on_failure.backoff: 1s is wider than the parent's 2s (p.yaml:3:24)" },
	{ "toolchains", "toolchains: [nvm]", "toolchains: []", "toolchains: [all]",
	  "14: error: toolchains: 'all' is more than the parent allows (p.yaml:3:13)" },
	{ "toolchains", "toolchains: [nvm, uv]", "toolchains: [uv]", "toolchains: [uv, pyenv]",
	  "18: error: toolchains: 'pyenv' is more than the parent allows (p.yaml:3:13)" },
	{ "capture.inputs", "capture: { inputs: touched }", "capture: { inputs: content }",
	  "capture: { inputs: digests }",
	  "20: error: capture.inputs: digests is wider than the parent's touched (p.yaml:3:20)" },
	{ "capture.file_size", "capture: { file_size: 1MiB }", "capture: { file_size: 2MiB }",
	  "capture: { file_size: 1KiB }",
	  "23: error: capture.file_size: 1KiB is wider than the parent's 1MiB (p.yaml:3:23)" },
	{ "capture.stdin", "capture: { stdin: 1MiB }", "capture: { stdin: 20MiB }",
	  "capture: { stdin: 1KiB }",
	  "19: error: capture.stdin: 1KiB is wider than the parent's 1MiB (p.yaml:3:19)" },
	{ "capture.stderr", "capture: { stderr: 2B }", "capture: { stderr: 3B }",
	  "capture: { stderr: 1B }",
	  "20: error: capture.stderr: 1B is wider than the parent's 2B (p.yaml:3:20)" },
	{ "capture.stdout", "capture: { stdout: 1MiB }", "capture: { stdout: 1MiB }",
	  "capture: { stdout: 0B }",
	  "20: error: capture.stdout: 0B is wider than the parent's 1MiB (p.yaml:3:20)" },
	{ "observe_writes", "observe_writes: refuse", "observe_writes: refuse",
	  "observe_writes: discard",
	  "17: error: observe_writes: discard is wider than the parent's refuse (p.yaml:3:17)" },
	{ "workspace", "workspace: snapshot", "workspace: snapshot", "workspace: shared",
	  "12: error: workspace: shared is wider than the parent's snapshot (p.yaml:3:12)" },
};

static char *
merge_rule(const struct rule *r, const char *child, bool opened)
{
	auto_buf parent = BUF_INIT, text = BUF_INIT;

	buf_printf(&parent, "version: 1\nname: p\n%s\n%s", r->parent, LIMITS);
	if (opened) {
		buf_printf(&parent, "open: [%s]\n", r->key);
	}
	buf_printf(&text, "version: 1\nname: c\n%s\n", child);
	return merge_report(buf_text(&parent), buf_text(&text));
}

Test(profile_merge, each_rule)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		auto_free char *good = merge_rule(&rules[i], rules[i].good, false);
		auto_free char *bad = merge_rule(&rules[i], rules[i].bad, false);
		auto_free char *opened = merge_rule(&rules[i], rules[i].bad, true);
		auto_buf expected = BUF_INIT;

		cr_expect_str_eq(good, "", "%s: %s", rules[i].key, good);
		cr_expect_str_eq(opened, "", "%s: %s", rules[i].key, opened);
		buf_printf(&expected, "c.yaml:3:%s", rules[i].error);
		bad[strcspn(bad, "\n")] = '\0';
		cr_expect_str_eq(bad, buf_text(&expected), "\ngot    %s\nwanted %s", bad,
				 buf_text(&expected));
	}
}

Test(profile_merge, all_toolchains_cover_each)
{
	static const struct rule all = { "toolchains", "toolchains: [all]", "", "", "" };
	auto_free char *report = merge_rule(&all, "toolchains: [nvm, cargo]", false);

	cr_expect_str_eq(report, "");
}

/* All limits, one and the same rule. */
Test(profile_merge, each_limit)
{
	static const struct rule limits[] = {
		{ "limits.memory", "memory", "1GiB", "4GiB",
		  "memory: 4GiB is wider than the parent's 2GiB (p.yaml:3:19)" },
		{ "limits.pids", "pids", "512", "513",
		  "pids: 513 is wider than the parent's 512 (p.yaml:3:31)" },
		{ "limits.cpu", "cpu", "1%", "401%",
		  "cpu: 401% is wider than the parent's 400% (p.yaml:3:41)" },
		{ "limits.cpu_time", "cpu_time", "59m", "61m",
		  "cpu_time: 61m is wider than the parent's 1h (p.yaml:3:57)" },
		{ "limits.wall", "wall", "1s", "1h",
		  "wall: 1h is wider than the parent's 10m (p.yaml:3:67)" },
		{ "limits.disk", "disk", "1MiB", "2GiB",
		  "disk: 2GiB is wider than the parent's 1GiB (p.yaml:3:78)" },
		{ "limits.files", "files", "999", "1001",
		  "files: 1001 is wider than the parent's 1000 (p.yaml:3:91)" },
		{ "limits.output", "output", "1KiB", "2MiB",
		  "output: 2MiB is wider than the parent's 1MiB (p.yaml:3:105)" },
		{ "limits.open_files", "open_files", "63", "65",
		  "open_files: 65 is wider than the parent's 64 (p.yaml:3:123)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		auto_buf good = BUF_INIT, bad = BUF_INIT, expected = BUF_INIT, open = BUF_INIT;
		auto_free char *right = NULL, *wrong = NULL, *opened = NULL;

		buf_printf(&good, "version: 1\nname: c\nlimits: { %s: %s }\n", limits[i].parent,
			   limits[i].good);
		buf_printf(&bad, "version: 1\nname: c\nlimits: { %s: %s }\n", limits[i].parent,
			   limits[i].bad);
		buf_printf(&expected, "c.yaml:3:%zu: error: limits.%s",
			   strlen(limits[i].parent) + 13, limits[i].error);
		buf_printf(&open, "version: 1\nname: p\n%sopen: [%s]\n", LIMITS, limits[i].key);
		right = merge_report("version: 1\nname: p\n" LIMITS, buf_text(&good));
		wrong = merge_report("version: 1\nname: p\n" LIMITS, buf_text(&bad));
		opened = merge_report(buf_text(&open), buf_text(&bad));
		cr_expect_str_eq(right, "");
		cr_expect_str_eq(opened, "", "%s", opened);
		wrong[strcspn(wrong, "\n")] = '\0';
		cr_expect_str_eq(wrong, buf_text(&expected), "\ngot    %s\nwanted %s", wrong,
				 buf_text(&expected));
	}
}

Test(profile_merge, a_widening_shows_both_lines)
{
	const struct rule r = { "mode", "mode: observe", "", "mode: apply", "" };
	auto_free char *report = merge_rule(&r, r.bad, false);

	cr_expect_str_eq(
		report,
		"c.yaml:3:7: error: mode: apply is wider than the parent's observe (p.yaml:3:7)\n"
		"mode: apply\n"
		"      ^~~~~\n"
		"p.yaml:3:7: note: the parent's value; it could say open: [mode]\n"
		"mode: observe\n"
		"      ^~~~~~~\n");
}

Test(profile_merge, a_parents_default_counts)
{
	const struct rule r = { "mode", "description: d", "", "mode: apply", "" };
	auto_free char *report = merge_rule(&r, r.bad, false);

	cr_expect_str_eq(
		report,
		"c.yaml:3:7: error: mode: apply is wider than the parent's observe (the default)\n"
		"mode: apply\n"
		"      ^~~~~\n");
}

/* A child cannot open for its own children what its parent did not open. */
Test(profile_merge, open_is_limited_and_not_inherited)
{
	const struct rule r = { "limits.wall", "open: [limits.memory]", "open: [limits.memory]",
				"open: [limits.wall]", "" };
	auto_merged m;
	auto_free char *bad = merge_rule(&r, r.bad, false);
	auto_free char *good = merge_rule(&r, r.good, false);
	auto_free char *none = merge_texts(&m, "version: 1\nname: p\nopen: [mode]\n" LIMITS,
					   "version: 1\nname: c\n");

	cr_expect_str_eq(bad, "c.yaml:3:8: error: open: 'limits.wall' is more than the parent "
			      "allows (p.yaml:3:7)\n"
			      "open: [limits.wall]\n"
			      "       ^~~~~~~~~~~\n");
	cr_expect_str_eq(good, "");
	cr_expect_str_eq(none, "");
	cr_expect_eq(m.doc.values[KEY_OPEN].count, 0u);
}

/* The texts of a list, each followed by a space. */
static char *
list_of(const struct profile_doc *doc, enum profile_key_id id)
{
	auto_buf text = BUF_INIT;

	for (size_t i = 0; i < doc->values[id].count; i++) {
		buf_printf(&text, "%s ", doc->values[id].items[i].text);
	}
	return strdup(buf_text(&text));
}

Test(profile_merge, an_entry_stands_for_the_parents)
{
	auto_merged m;
	auto_free char *report = merge_texts(
		&m,
		"version: 1\nname: p\nopen: [filesystem.read, mode]\n"
		"filesystem: { read: [/usr, /opt] }\nsuccess: [0, 3]\n" LIMITS,
		"version: 1\nname: c\nopen: [\"@parent\"]\n"
		"filesystem: { read: [/opt, \"@parent\", /srv] }\nsuccess: [\"@parent\"]\n");
	auto_free char *read = list_of(&m.doc, KEY_FS_READ);
	auto_free char *open = list_of(&m.doc, KEY_OPEN);
	auto_free char *success = list_of(&m.doc, KEY_SUCCESS);

	cr_expect_str_eq(report, "");
	cr_expect_str_eq(read, "/usr /opt /srv ");
	cr_expect_eq(m.doc.values[KEY_FS_READ].items[0].at.source, m.parent.doc.source);
	cr_expect_str_eq(open, "filesystem.read mode ");
	cr_expect_str_eq(success, "0 3 ");
}

/* It grants nothing that the parent does not open. */
Test(profile_merge, beside_the_parents_a_child_narrows)
{
	auto_free char *report = merge_report(
		"version: 1\nname: p\nfilesystem: { read: [/usr] }\n" LIMITS,
		"version: 1\nname: c\nfilesystem: { read: [\"@parent\", /srv] }\n");

	cr_expect_eq(strncmp(report,
			     "c.yaml:3:33: error: filesystem.read: '/srv' is more than the parent "
			     "allows (p.yaml:3:21)\n",
			     86),
		     0, "%s", report);
}

Test(profile_merge, the_parents_entries_need_a_parent)
{
	auto_buf text = BUF_INIT;
	struct profile_report report = { .out = &text };
	auto_arena a = { .chunks = NULL, .failed = false };
	__attribute__((cleanup(parsed_finish))) struct parsed p;
	struct profile_doc doc;
	const char *yaml = "version: 1\nname: p\neffects: [\"@parent\"]\n";

	parsed_init(&p, "p.yaml", yaml, strlen(yaml));
	profile_merge(&a, NULL, &p.doc, &report, &doc);
	cr_expect_str_eq(buf_text(&text),
			 "p.yaml:3:12: error: effects: '@parent' without a parent; extends names "
			 "one\neffects: [\"@parent\"]\n           ^~~~~~~\n");
}

Test(profile_merge, any_program_may_be_narrowed_once)
{
	const struct rule r = { "tool.run", "description: d", "tool: { run: [/usr/bin/a] }", "",
				"" };
	auto_free char *report = merge_rule(&r, r.good, false);

	cr_expect_str_eq(report, "");
}

Test(profile_merge, what_is_inherited)
{
	auto_merged m;
	auto_free char *report = merge_texts(
		&m,
		"version: 1\nname: p\ndescription: parent\nowners: { permissions: x, incidents: y "
		"}\n"
		"filesystem: { read: [/usr], protect: [a/], hold_above: { files: 9 } }\n"
		"environment: { set: { A: \"1\", B: \"2\" } }\n" LIMITS,
		"version: 1\nname: c\nowners: { incidents: z }\nfilesystem: { protect: [b/], "
		"hold_above: { bytes: 1KiB } }\n"
		"environment: { set: { C: \"3\" } }\n");

	cr_assert_str_eq(report, "");
	cr_expect_str_eq(m.doc.values[KEY_NAME].text, "c");
	cr_expect_str_eq(m.doc.values[KEY_DESCRIPTION].text, "");
	cr_expect_str_eq(m.doc.values[KEY_OWNERS_PERMISSIONS].text, "x");
	cr_expect_str_eq(m.doc.values[KEY_OWNERS_INCIDENTS].text, "z");
	cr_assert_eq(m.doc.values[KEY_FS_READ].count, 1u);
	cr_expect_str_eq(m.doc.values[KEY_FS_READ].items[0].text, "/usr");
	cr_assert_eq(m.doc.values[KEY_FS_PROTECT].count, 2u, "protect grows");
	cr_expect_str_eq(m.doc.values[KEY_FS_PROTECT].items[0].text, "a/");
	cr_expect_str_eq(m.doc.values[KEY_FS_PROTECT].items[1].text, "b/");
	cr_assert_eq(m.doc.values[KEY_FS_HOLD_ABOVE].count, 2u, "bounds are added");
	cr_expect_str_eq(m.doc.values[KEY_FS_HOLD_ABOVE].items[0].value, "9");
	cr_expect_str_eq(m.doc.values[KEY_FS_HOLD_ABOVE].items[1].value, "1KiB");
	cr_assert_eq(m.doc.values[KEY_ENV_SET].count, 3u);
	cr_expect_str_eq(m.doc.values[KEY_ENV_SET].items[2].value, "3");
	cr_expect_eq(m.doc.values[KEY_LIM_PIDS].number, 512u);
}

Test(profile_merge, a_limit_must_be_set_by_somebody)
{
	auto_parsed p;
	static const char yaml[] =
		"version: 1\nname: a\n"
		"limits: { memory: 2GiB, pids: 512, cpu: 400%, cpu_time: 1h, wall: 10m, "
		"disk: 1GiB, output: 1MiB }\n";

	parsed_init(&p, "t.yaml", yaml, sizeof(yaml) - 1);
	cr_assert_str_eq(buf_text(&p.text), "");
	profile_complete(&p.arena, &p.doc, &p.report);
	cr_expect_str_eq(
		buf_text(&p.text),
		"t.yaml:2:7: error: limits.files is not set; set it, or write extends: base\n"
		"name: a\n"
		"      ^\n"
		"t.yaml:2:7: error: limits.open_files is not set; set it, or write extends: base\n"
		"name: a\n"
		"      ^\n");
}

Test(profile_merge, writing_outside_is_an_effect)
{
	auto_parsed p;
	const char *yaml = "version: 1\nname: a\nfilesystem: { write: [~/out] }\n" LIMITS;

	parsed_init(&p, "t.yaml", yaml, strlen(yaml));
	cr_assert_str_eq(buf_text(&p.text), "");
	profile_complete(&p.arena, &p.doc, &p.report);
	cr_expect_str_eq(buf_text(&p.text),
			 "t.yaml:3:23: error: filesystem.write: needs write-external in effects; "
			 "add it there, or leave this out\n"
			 "filesystem: { write: [~/out] }\n"
			 "                      ^~~~~\n");
}

/* Every key that `open` may name has a row above, is a limit, or takes [] alone. */
Test(profile_merge, every_rule_is_tried)
{
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const struct profile_key *k = profile_key((enum profile_key_id)i);
		bool tried = strncmp(k->name, "limits.", 7) == 0 ||
			     (profile_narrow_opens(k->narrow) && k->type == TYPE_LATER);

		for (size_t j = 0; j < ARRAY_LEN(rules); j++) {
			tried = tried || strcmp(rules[j].key, k->name) == 0;
		}
		cr_expect_eq(tried, profile_narrow_opens(k->narrow), "%s", k->name);
	}
}

static void
expect_retries(const char *lines, const char *said)
{
	auto_parsed p;
	auto_buf yaml = BUF_INIT;

	buf_printf(&yaml, "version: 1\nname: a\n%s%s", lines, LIMITS);
	parsed_init(&p, "t.yaml", buf_text(&yaml), yaml.len);
	cr_assert_str_eq(buf_text(&p.text), "");
	profile_complete(&p.arena, &p.doc, &p.report);
	cr_expect_str_eq(buf_text(&p.text), said, "%s: %s", lines, buf_text(&p.text));
}

Test(profile_merge, what_is_run_again_may_run_twice)
{
	expect_retries("retry: safe\non_failure: { retries: 1 }\n", "");
	expect_retries("retry: ask\non_failure: { retries: 0 }\n", "");
	expect_retries("retry: ask\non_failure: { retries: 1 }\n",
		       "t.yaml:4:24: error: on_failure.retries: needs retry: safe, and it is ask "
		       "(t.yaml:3:8); say safe there if the tool may run twice, or write 0 here\n"
		       "on_failure: { retries: 1 }\n"
		       "                       ^\n");
	expect_retries("on_failure: { retries: 2 }\n",
		       "t.yaml:3:24: error: on_failure.retries: needs retry: safe, and it is ask "
		       "(the default); say safe there if the tool may run twice, or write 0 here\n"
		       "on_failure: { retries: 2 }\n"
		       "                       ^\n");
}
