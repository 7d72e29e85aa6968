/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. What a change of one key is called, in both directions. That a diff
 * and a merge agree on what is wider is tested with profile_merge.
 */
#include "profile_test.h"

#include "../../../launcher/profile/profile_diff.h"

#define HEAD                                                                                  \
	"version: 1\nname: p\n"                                                               \
	"limits: { memory: 2GiB, pids: 512, cpu: 400%, cpu_time: 1h, wall: 10m, disk: 1GiB, " \
	"files: 1000, output: 1MiB, open_files: 64 }\n"

static const char *const effects[] = {
	[PROFILE_GRANTS] = "grants",
	[PROFILE_TAKES] = "takes",
	[PROFILE_CHANGES] = "changes",
};

static void
read_effective(struct parsed *p, const char *path, const char *yaml)
{
	parsed_init(p, path, yaml, strlen(yaml));
	profile_complete(&p->arena, &p->doc, &p->report);
	cr_assert_str_eq(buf_text(&p->text), "");
}

/* "effect key before>after@place", one a line; "." for none. */
static void
diff_text(const char *a_yaml, const char *b_yaml, struct buf *out)
{
	auto_parsed a, b;
	auto_buf full_a = BUF_INIT, full_b = BUF_INIT;
	struct profile_changes changes;
	bool grants = false;

	buf_printf(&full_a, "%s%s\n", HEAD, a_yaml);
	buf_printf(&full_b, "%s%s\n", HEAD, b_yaml);
	read_effective(&a, "a", buf_text(&full_a));
	read_effective(&b, "b", buf_text(&full_b));
	cr_assert_eq(profile_diff(&a.doc, &b.doc, &changes), 0);
	for (size_t i = 0; i < changes.count; i++) {
		const struct profile_change *c = &changes.rows[i];

		buf_printf(out, "%s%s %s %s>%s@%s", i > 0 ? "\n" : "", effects[c->effect], c->key,
			   c->before != NULL ? c->before : ".", c->after != NULL ? c->after : ".",
			   c->at != NULL ? c->at : ".");
		grants = grants || c->effect == PROFILE_GRANTS;
	}
	cr_expect_eq(changes.widens, grants);
	profile_changes_finish(&changes);
}

static const struct {
	const char *a, *b, *forth, *back;
} rows[] = {
	{ "", "", "", "" },
	{ "mode: observe", "mode: apply", "grants mode observe>apply@b:4",
	  "takes mode apply>observe@b:4" },
	{ "", "mode: apply", "grants mode observe>apply@b:4", "takes mode apply>observe@." },
	{ "retry: ask", "retry: safe", "grants retry ask>safe@b:4", "takes retry safe>ask@b:4" },
	{ "on_failure: { then: stop }", "on_failure: { then: ask }",
	  "grants on_failure.then stop>ask@b:4", "takes on_failure.then ask>stop@b:4" },
	{ "network: { loopback: false }", "network: { loopback: true }",
	  "grants network.loopback false>true@b:4", "takes network.loopback true>false@b:4" },
	{ "capture: { inputs: content }", "capture: { inputs: digests }",
	  "grants capture.inputs content>digests@b:4", "takes capture.inputs digests>content@b:4" },
	{ "open: [mode]", "open: [mode, effects]", "grants open .>effects@b:4",
	  "takes open effects>.@a:4" },
	{ "effects: [read]", "effects: [write-workspace]",
	  "grants effects .>write-workspace@b:4\ntakes effects read>.@a:4",
	  "grants effects .>read@b:4\ntakes effects write-workspace>.@a:4" },
	{ "tool: { run: [/a, /b] }", "tool: { run: [/b, /c] }",
	  "grants tool.run .>/c@b:4\ntakes tool.run /a>.@a:4",
	  "grants tool.run .>/a@b:4\ntakes tool.run /c>.@a:4" },
	/* No program listed is every program. */
	{ "tool: { run: [/a] }", "", "grants tool.run .>(any)@.", "takes tool.run (any)>.@." },
	{ "filesystem: { read: [/usr] }", "filesystem: { read: [/usr/lib, /opt] }",
	  "grants filesystem.read .>/opt@b:4\ntakes filesystem.read /usr>.@a:4",
	  "grants filesystem.read .>/usr@b:4\ntakes filesystem.read /opt>.@a:4" },
	{ "filesystem: { cache: { c: { path: ~/x } } }",
	  "filesystem: { cache: { c: { path: ~/x, exec: true } } }",
	  "grants filesystem.cache .>c=~/x (workflow, exec)@b:4",
	  "takes filesystem.cache c=~/x (workflow, exec)>.@a:4" },
	/* What is protected no more is granted. */
	{ "filesystem: { protect: [x] }", "filesystem: { protect: [y] }",
	  "grants filesystem.protect x>.@a:4\ntakes filesystem.protect .>y@b:4",
	  "grants filesystem.protect y>.@a:4\ntakes filesystem.protect .>x@b:4" },
	/* No bound is more than any, and a lower one is less. */
	{ "filesystem: { hold_above: { files: 10 } }",
	  "filesystem: { hold_above: { files: 9, bytes: 1KiB } }",
	  "takes filesystem.hold_above files=10>files=9@b:4\n"
	  "takes filesystem.hold_above .>bytes=1KiB@b:4",
	  "grants filesystem.hold_above files=9>files=10@b:4\n"
	  "grants filesystem.hold_above bytes=1KiB>.@a:4" },
	{ "environment: { pass: [\"LC_*\"] }", "environment: { pass: [LC_ALL, TZ] }",
	  "grants environment.pass .>TZ@b:4\ntakes environment.pass LC_*>.@a:4",
	  "grants environment.pass .>LC_*@b:4\ntakes environment.pass TZ>.@a:4" },
	/* A fixed value is a rule: another, or none, is not narrower; a new one is. */
	{ "environment: { set: { A: x, B: y } }", "environment: { set: { A: z, C: w } }",
	  "grants environment.set A=x>A=z@b:4\ngrants environment.set B=y>.@a:4\n"
	  "changes environment.set .>C=w@b:4",
	  "grants environment.set A=z>A=x@b:4\ngrants environment.set C=w>.@a:4\n"
	  "changes environment.set .>B=y@b:4" },
	{ "syscalls: { allow: [\"@default\"] }", "syscalls: { allow: [\"@io\", \"@debug\"] }",
	  "grants syscalls.allow .>@debug@b:4\ntakes syscalls.allow @default>.@a:4",
	  "grants syscalls.allow .>@default@b:4\ntakes syscalls.allow @debug>.@a:4" },
	{ "allow_degraded: [cgroup.cpu, cgroup.pids, cgroup.memory]", "allow_degraded: [cgroup]",
	  "", "" },
	{ "allow_degraded: [landlock]", "allow_degraded: []", "takes allow_degraded landlock>.@a:4",
	  "grants allow_degraded .>landlock@b:4" },
	{ "owners: { incidents: a }", "owners: { incidents: b }",
	  "changes owners.incidents a>b@b:4", "changes owners.incidents b>a@b:4" },
	{ "description: a", "description: b", "", "" },
};

Test(profile_diff, each_rule_in_both_directions)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf forth = BUF_INIT, back = BUF_INIT;

		diff_text(rows[i].a, rows[i].b, &forth);
		diff_text(rows[i].b, rows[i].a, &back);
		cr_expect_str_eq(buf_text(&forth), rows[i].forth, "row %zu: %s", i,
				 buf_text(&forth));
		cr_expect_str_eq(buf_text(&back), rows[i].back, "row %zu back: %s", i,
				 buf_text(&back));
	}
}

Test(profile_diff, each_limit)
{
	auto_parsed a, b;
	auto_buf yaml = BUF_INIT;
	struct profile_changes changes;
	size_t limits = 0;

	buf_puts(&yaml, "version: 1\nname: p\nlimits: { memory: 1GiB, pids: 511, cpu: 399%, "
			"cpu_time: 59m, wall: 9m, disk: 1MiB, files: 999, output: 1KiB, "
			"open_files: 63 }\n");
	read_effective(&a, "a", HEAD);
	read_effective(&b, "b", buf_text(&yaml));
	cr_assert_eq(profile_diff(&a.doc, &b.doc, &changes), 0);
	for (size_t i = 0; i < changes.count; i++) {
		cr_expect_eq(changes.rows[i].effect, PROFILE_TAKES, "%s", changes.rows[i].key);
	}
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		limits += strncmp(profile_key((enum profile_key_id)i)->name, "limits.", 7) == 0;
	}
	cr_expect_eq(changes.count, limits);
	profile_changes_finish(&changes);
	cr_assert_eq(profile_diff(&b.doc, &a.doc, &changes), 0);
	cr_expect(changes.widens);
	profile_changes_finish(&changes);
}
