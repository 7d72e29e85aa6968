/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. Effective values as YAML mean the same when they are read back,
 * whatever is in the texts; places and skeletons are exact.
 */
#include "profile_test.h"

#include "../../../launcher/base/json.h"

#define LIMITS                                                                                   \
	"limits: { memory: 2GiB, pids: 512, cpu: 400%, cpu_time: 1h, wall: 1500ms, disk: 1GiB, " \
	"files: 1000, output: 1MiB, open_files: 64 }\n"

static void
read_whole(struct parsed *p, const char *yaml)
{
	parsed_init(p, "/x/p.yaml", yaml, strlen(yaml));
	profile_complete(&p->arena, &p->doc, &p->report);
	cr_assert_str_eq(buf_text(&p->text), "", "%s", buf_text(&p->text));
}

static const char sample[] =
	"version: 1\nname: p\ndescription: \"a \\\"b\\\" \\\\ \\u00e9 \\e \\u2028 # c: d\"\n"
	"owners: { permissions: 'yes', incidents: '' }\nextends: q\n"
	"open: [limits.memory]\ntool: { run: [/usr/bin/b, ~/bin/a, \"/x y/#z\"] }\n"
	"effects: [read]\nmode: apply\nsuccess: [0, 7]\n"
	"filesystem: { read: [/usr, \"/\\u00e9\"], protect: [\"-x\", \"a: b\", \"*\"], "
	"cache: { c: { path: \"/x, y}\" }, d: { path: ~/d, scope: user, exec: true } } }\n"
	"environment: { pass: [TZ, \"LC_*\"], set: { B: \"1\", A: \"\" } }\n"
	"syscalls: { allow: [\"@io\"] }\n" LIMITS "allow_degraded: [cgroup, landlock]\n";

Test(profile_print, what_is_printed_means_the_same)
{
	auto_parsed first, again;
	auto_buf yaml = BUF_INIT, with_places = BUF_INIT, before = BUF_INIT, after = BUF_INIT;

	read_whole(&first, sample);
	cr_assert_eq(profile_canonical(&first.doc, &before), 0);
	profile_print_yaml(&first.doc, false, &yaml);
	read_whole(&again, buf_text(&yaml));
	cr_assert_eq(profile_canonical(&again.doc, &after), 0);
	cr_expect_str_eq(buf_text(&after), buf_text(&before));
	cr_expect_eq(again.doc.values[KEY_OPEN].count, 1u);
	cr_expect_eq(again.doc.values[KEY_EXTENDS].set, true); /* by its default */
	cr_expect_str_eq(again.doc.values[KEY_EXTENDS].text, "");

	parsed_finish(&again);
	buf_reset(&after);
	profile_print_yaml(&first.doc, true, &with_places);
	read_whole(&again, buf_text(&with_places));
	cr_assert_eq(profile_canonical(&again.doc, &after), 0);
	cr_expect_str_eq(buf_text(&after), buf_text(&before));
}

Test(profile_print, exact_yaml)
{
	auto_parsed p;
	auto_buf yaml = BUF_INIT;
	const char *start;

	read_whole(&p, sample);
	profile_print_yaml(&p.doc, true, &yaml);
	start = "version: 1                              # /x/p.yaml:1\n"
		"name: p                                 # /x/p.yaml:2\n"
		"description: \"a \\\"b\\\" \\\\ \xc3\xa9 \\u001b \\u2028 # c: d\" # /x/p.yaml:3\n"
		"owners:\n"
		"  permissions: \"yes\"                    # /x/p.yaml:4\n"
		"  incidents: \"\"                         # /x/p.yaml:4\n"
		"open:\n"
		"  - limits.memory                       # /x/p.yaml:6\n"
		"tool:\n"
		"  run:\n"
		"    - /usr/bin/b                        # /x/p.yaml:7\n"
		"    - \"~/bin/a\"                         # /x/p.yaml:7\n"
		"    - \"/x y/#z\"                         # /x/p.yaml:7\n";
	cr_expect_eq(strncmp(buf_text(&yaml), start, strlen(start)), 0, "%s", buf_text(&yaml));
	cr_expect_not_null(strstr(buf_text(&yaml), "\n  wall: 1500ms "));
	cr_expect_not_null(strstr(buf_text(&yaml), "\n  cpu: 400% "));
	cr_expect_not_null(strstr(buf_text(&yaml), "\n  accept: []                            "
						   "# default\n"));
	cr_expect_not_null(strstr(buf_text(&yaml), "\n  set:\n    B: \"1\" "));
	cr_expect_not_null(strstr(
		buf_text(&yaml), "\n  cache:\n"
				 "    c: { path: \"/x, y}\", scope: workflow, exec: false } "
				 "# /x/p.yaml:11\n"
				 "    d: { path: \"~/d\", scope: user, exec: true } "
				 "# /x/p.yaml:11\n"));
	cr_expect_null(strstr(buf_text(&yaml), "extends"));
}

/* Each key once, each section once and together. */
Test(profile_print, every_key_once)
{
	const struct profile_key *keys[KEY__COUNT];
	size_t seen[KEY__COUNT] = { 0 };

	profile_keys_by_section(keys);
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		seen[keys[i]->id]++;
		for (unsigned int j = 0; i > 0 && j < i - 1; j++) {
			cr_expect(!profile_key_is_beside(keys[i], keys[j]) ||
					  profile_key_is_beside(keys[i], keys[i - 1]),
				  "%s stands alone", keys[i]->name);
		}
	}
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		cr_expect_eq(seen[i], 1u, "%s", profile_key((enum profile_key_id)i)->name);
	}
}

Test(profile_print, origins)
{
	auto_parsed p;
	auto_buf json = BUF_INIT;

	read_whole(&p, sample);
	cr_assert_eq(profile_print_origins(&p.doc, &json), 0);
	cr_expect_not_null(strstr(buf_text(&json), "{\"at\":\"/x/p.yaml:14\",\"key\":\"limits."
						   "memory\",\"value\":\"2GiB\"}"),
			   "%s", buf_text(&json));
	cr_expect_not_null(strstr(buf_text(&json), "{\"at\":\"/x/p.yaml:12\",\"key\":"
						   "\"environment.set\",\"value\":\"B\"}"));
	cr_expect_not_null(strstr(buf_text(&json), "{\"at\":null,\"key\":\"retry\",\"value\":"
						   "\"ask\"}"));
}

/* Without its one-character comments it is the parent, under another name. */
Test(profile_print, skeleton)
{
	auto_parsed parent, child;
	auto_buf text = BUF_INIT, open = BUF_INIT;
	struct profile_doc merged;

	read_whole(&parent, sample);
	profile_print_skeleton(&parent.doc, "mine", "~/p q.yaml", &text);
	parsed_init(&child, "mine.yaml", buf_text(&text), text.len);
	cr_assert_str_eq(buf_text(&child.text), "");
	cr_expect_str_eq(child.doc.values[KEY_NAME].text, "mine");
	cr_expect_str_eq(child.doc.values[KEY_EXTENDS].text, "~/p q.yaml");
	cr_expect(!child.doc.values[KEY_LIM_MEMORY].set);
	cr_expect_not_null(
		strstr(buf_text(&text),
		       "\n#limits:\n## Memory of all processes of a call together; beyond "
		       "it the call ends as oom.\n## Opened by \"~/p q.yaml\": this "
		       "profile may set it as it likes.\n#  memory: 2GiB\n## Processes"),
		"%s", buf_text(&text));
	cr_expect_not_null(strstr(buf_text(&text), "\n## A child may only lower it (observe is "
						   "lower than propose, propose than "
						   "apply, false than true).\n"
						   "#  pids: 512\n"));
	for (const char *s = buf_text(&text); *s != '\0'; s++) {
		bool starts = s == buf_text(&text) || s[-1] == '\n';

		if (!(starts && s[0] == '#' && s[1] != '#')) {
			buf_putc(&open, *s);
		}
	}
	parsed_finish(&child);
	parsed_init(&child, "mine.yaml", buf_text(&open), open.len);
	cr_assert_str_eq(buf_text(&child.text), "");
	cr_expect(child.doc.values[KEY_LIM_MEMORY].set);
	profile_merge(&child.arena, &parent.doc, &child.doc, &child.report, &merged);
	cr_expect_str_eq(buf_text(&child.text), "");
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const struct profile_key *key = profile_key((enum profile_key_id)i);

		if (child.doc.values[i].set && key->narrow != NARROW_OWN) {
			cr_expect_eq(merged.values[i].count, parent.doc.values[i].count, "%s",
				     key->name);
			cr_expect_eq(merged.values[i].number, parent.doc.values[i].number, "%s",
				     key->name);
			cr_expect_str_eq(merged.values[i].text, parent.doc.values[i].text, "%s",
					 key->name);
		}
	}
}

/* One JSON document with every key; what the words are is tried with a validator, end to end. */
Test(profile_print, schema)
{
	auto_buf json = BUF_INIT;

	cr_assert_eq(profile_print_schema(&json), 0);
	cr_expect_eq(json_check_object(buf_text(&json), json.len), 0);
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const char *name = profile_key((enum profile_key_id)i)->name;
		const char *dot = strrchr(name, '.');
		auto_buf member = BUF_INIT;

		buf_printf(&member, "\"%s\":{", dot != NULL ? dot + 1 : name);
		cr_expect_not_null(strstr(buf_text(&json), buf_text(&member)), "%s", name);
	}
}

/* A type has a pattern or its words come from a table, never both. */
Test(profile_print, every_type_has_a_form)
{
	for (unsigned int i = 0; i < TYPE__COUNT; i++) {
		enum profile_type type = (enum profile_type)i;
		bool from_table = type == TYPE_LAYERS || type == TYPE_TOOLCHAINS ||
				  type == TYPE_GROUPS || type == TYPE_KEYS || type == TYPE_LATER;
		size_t count = 0;
		bool words = profile_type_words(type, &count) != NULL;

		cr_expect_eq((profile_type_pattern(type) != NULL) + words + from_table, 1, "%s",
			     profile_type_what(type));
	}
}
