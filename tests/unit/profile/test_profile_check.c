/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Postconditions of done_when, from the text to the front. */
#include "profile_test.h"

#include "../../../launcher/profile/explain.h"
#include "../../../launcher/profile/profile_diff.h"

#define HEAD "version: 1\nname: a\n"
#define LIMITS                                                                                \
	"limits: { memory: 2GiB, pids: 512, cpu: 400%, cpu_time: 1h, wall: 10m, disk: 1GiB, " \
	"files: 1000, output: 1MiB, open_files: 64 }\n"

static void
expect_value(const char *entry, const char *value)
{
	auto_buf yaml = BUF_INIT;
	auto_parsed p;
	const struct profile_value *v = &p.doc.values[KEY_DONE_WHEN];

	buf_printf(&yaml, HEAD "done_when: [%s]\n", entry);
	parsed_init(&p, "t.yaml", buf_text(&yaml), yaml.len);
	cr_assert_str_eq(buf_text(&p.text), "", "%s", buf_text(&p.text));
	cr_assert_eq(v->count, 1u);
	cr_expect_str_eq(v->items[0].text, "t");
	cr_expect_str_eq(v->items[0].value, value);
}

/* One spelling for one postcondition. */
Test(profile_check, values)
{
	expect_value("{ name: t, run: [make] }", "make (exit 0)");
	expect_value("{ run: [make, \"a b\", \"\"], name: t, expect: { exit: 0 } }",
		     "make 'a b' '' (exit 0)");
	expect_value("{ name: t, profile: python, run: [x], expect: { exit: 255 }, wall: 300s }",
		     "x (profile python, exit 255, within 5m)");
	expect_value("{ name: t, profile: ~/p/./x.yaml, run: [x] }",
		     "x (profile '~/p/x.yaml', exit 0)");
}

Test(profile_check, what_is_none)
{
	static const struct {
		const char *entry, *error;
	} bad[] = {
		{ "make", "3:13: error: done_when: wants a postcondition, such as { name: tests, "
			  "run: [make, check] }" },
		{ "[make]", "3:13: error: done_when: wants a postcondition, such as { name: tests, "
			    "run: [make, check] }" },
		{ "{ run: [make] }", "3:13: error: done_when: this one has no name" },
		{ "{ name: t }", "3:13: error: done_when: this one has no run" },
		{ "{ name: T, run: [make] }",
		  "3:21: error: done_when: name wants a name of small letters, digits, '.', '_' "
		  "and '-', at most 64" },
		{ "{ name: t, run: make }",
		  "3:29: error: done_when: run wants a list of words, the program first, such as "
		  "[make, check]" },
		{ "{ name: t, run: [] }",
		  "3:29: error: done_when: run wants a list of words, the program first, such as "
		  "[make, check]" },
		{ "{ name: t, run: [\"\"] }",
		  "3:31: error: done_when: run wants a list of words, the program first, such as "
		  "[make, check], at most 256" },
		{ "{ name: t, run: [a, [b]] }",
		  "3:33: error: done_when: run wants a list of words, the program first, such as "
		  "[make, check], at most 256" },
		{ "{ name: t, run: [a], profle: x }",
		  "3:34: error: done_when: unknown key 'profle'; did you mean 'profile'?" },
		{ "{ name: t, run: [a], profile: ./x }",
		  "3:43: error: done_when: wants the name of a profile, or a path with a slash, "
		  "not './x'" },
		{ "{ name: t, run: [a], expect: 0 }",
		  "3:42: error: done_when: expect wants a map: { exit: 0 }" },
		{ "{ name: t, run: [a], expect: {} }",
		  "3:42: error: done_when: expect wants a map: { exit: 0 }" },
		{ "{ name: t, run: [a], expect: { exti: 0 } }",
		  "3:44: error: done_when: unknown key 'exti' in expect; did you mean 'exit'?" },
		{ "{ name: t, run: [a], expect: { exit: 256 } }",
		  "3:50: error: done_when: exit wants an exit code from 0 to 255" },
		{ "{ name: t, run: [a], wall: 5 }",
		  "3:40: error: done_when: wall wants a duration with its unit, such as 30s, 10m "
		  "or 1h" },
		{ "{ name: t, run: [a], wall: 1ms }",
		  "3:40: error: done_when: wall is from 100ms to 365d, not '1ms'" },
		{ "{ name: t, run: [a] }, { name: t, run: [b] }",
		  "3:36: error: done_when: 't' is listed twice" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_buf yaml = BUF_INIT;
		auto_parsed p;

		buf_printf(&yaml, HEAD "done_when: [%s]\n", bad[i].entry);
		parsed_init(&p, "t.yaml", buf_text(&yaml), yaml.len);
		cr_expect_eq(p.report.count, 1u, "%s: %s", bad[i].entry, buf_text(&p.text));
		cr_expect_not_null(strstr(buf_text(&p.text), bad[i].error), "%s: %s", bad[i].entry,
				   buf_text(&p.text));
	}
}

static const char full[] =
	HEAD LIMITS "done_when:\n"
		    "- { name: z, profile: ~/p.yaml, run: [make, \"a b\"], expect: { exit: 3 }, "
		    "wall: 5m }\n"
		    "- { name: b, run: [\"true\"] }\n";

static struct profile *
build(const char *yaml, struct parsed *p)
{
	struct profile *profile = NULL;

	parsed_init(p, "/x/t.yaml", yaml, strlen(yaml));
	profile_complete(&p->arena, &p->doc, &p->report);
	cr_assert_str_eq(buf_text(&p->text), "");
	cr_assert_eq(profile_build(&p->doc, "/home/u", &profile), 0);
	return profile;
}

static void
expect_full(const struct profile *p)
{
	cr_assert_eq(p->check_count, 2u);
	cr_expect_str_eq(p->checks[0].name, "z");
	cr_expect_str_eq(p->checks[0].profile, "/home/u/p.yaml");
	cr_assert_eq(p->checks[0].run.count, 2u);
	cr_expect_str_eq(p->checks[0].run.items[0], "make");
	cr_expect_str_eq(p->checks[0].run.items[1], "a b");
	cr_expect_eq(p->checks[0].exit, 3);
	cr_expect_eq(p->checks[0].wall_ms, (uint64_t)300000);
	cr_expect_str_eq(p->checks[1].name, "b");
	cr_expect_eq(p->checks[1].profile == NULL, true);
	cr_expect_str_eq(p->checks[1].run.items[0], "true");
	cr_expect_eq(p->checks[1].exit, 0);
	cr_expect_eq(p->checks[1].wall_ms, (uint64_t)0);
}

Test(profile_check, to_the_front)
{
	auto_parsed parsed;
	struct profile *p = build(full, &parsed), *q = NULL;
	auto_buf bytes = BUF_INIT, json = BUF_INIT;

	expect_full(p);
	profile_encode(p, NULL, 0, "6.1", &bytes);
	cr_assert_eq(profile_decode(bytes.data, bytes.len, "6.1", &q, NULL), 0);
	expect_full(q);
	cr_assert_eq(profile_canonical(&parsed.doc, &json), 0);
	cr_expect_not_null(strstr(buf_text(&json),
				  "\"done_when\":[[\"b\",\"true (exit 0)\"],[\"z\",\"make 'a b' "
				  "(profile '~/p.yaml', exit 3, within 5m)\"]]"),
			   "%s", buf_text(&json));
	profile_destroy(p);
	profile_destroy(q);
}

/* The front runs the first word of each. */
Test(profile_check, without_a_command_is_damage)
{
	auto_parsed parsed;
	struct profile *p = build(full, &parsed), *q = NULL;
	auto_buf bytes = BUF_INIT;

	p->checks[1].run.count = 0;
	profile_encode(p, NULL, 0, "6.1", &bytes);
	cr_expect_eq(profile_decode(bytes.data, bytes.len, "6.1", &q, NULL), -EBADMSG);
	profile_destroy(p);
}

Test(profile_check, printed_and_read_again)
{
	auto_parsed first, second;
	auto_buf yaml = BUF_INIT, again = BUF_INIT;

	profile_destroy(build(full, &first));
	profile_print_yaml(&first.doc, false, &yaml);
	cr_expect_not_null(strstr(buf_text(&yaml), "\ndone_when:\n"
						   "  - { name: z, profile: \"~/p.yaml\", run: "
						   "[make, \"a b\"], expect: { exit: 3 }, wall: "
						   "5m }\n"
						   "  - { name: b, run: [true], expect: { exit: 0 "
						   "} }\n"),
			   "%s", buf_text(&yaml));
	parsed_init(&second, "t.yaml", buf_text(&yaml), yaml.len);
	cr_assert_str_eq(buf_text(&second.text), "");
	profile_print_yaml(&second.doc, false, &again);
	cr_expect_str_eq(buf_text(&again), buf_text(&yaml));
}

/* A child adds; the same once more is nothing; another of that name is refused. */
Test(profile_check, a_child)
{
	static const struct {
		const char *child, *error;
		size_t count;
	} rows[] = {
		{ "[{ name: c, run: [c] }]", NULL, 2 },
		{ "[{ name: p, run: [p], expect: { exit: 0 } }]", NULL, 1 },
		{ "[]", NULL, 1 },
		{ "[{ name: p, run: [q] }]",
		  "c.yaml:4:13: error: done_when: the parent sets 'p' to another value "
		  "(p.yaml:4:13)",
		  1 },
	};
	const char *parent = HEAD LIMITS "done_when: [{ name: p, run: [p] }]\n";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_parsed p, c;
		auto_buf yaml = BUF_INIT;
		struct profile_doc doc;
		struct profile_changes diff;

		buf_printf(&yaml, "%sdone_when: %s\n", HEAD LIMITS, rows[i].child);
		profile_destroy(build(parent, &p));
		p.source.path = "p.yaml";
		parsed_init(&c, "c.yaml", buf_text(&yaml), yaml.len);
		profile_merge(&c.arena, &p.doc, &c.doc, &c.report, &doc);
		cr_expect_eq(c.report.count, rows[i].error != NULL ? 1u : 0u, "%s",
			     buf_text(&c.text));
		cr_expect_not_null(strstr(buf_text(&c.text),
					  rows[i].error != NULL ? rows[i].error : ""),
				   "%s", buf_text(&c.text));
		cr_expect_eq(doc.values[KEY_DONE_WHEN].count, rows[i].count, "%s", rows[i].child);
		cr_assert_eq(profile_diff(&p.doc, &doc, &diff), 0);
		cr_expect_eq(diff.widens, rows[i].error != NULL, "%s", rows[i].child);
		profile_changes_finish(&diff);
	}
}

Test(profile_check, sixteen_with_those_of_the_parent)
{
	auto_parsed p, c;
	auto_buf yaml = BUF_INIT;
	struct profile_doc doc;

	profile_destroy(build(HEAD LIMITS "done_when: [{ name: p, run: [p] }]\n", &p));
	buf_puts(&yaml, HEAD LIMITS "done_when:\n");
	for (unsigned int i = 0; i < 16; i++) {
		buf_printf(&yaml, "- { name: c%u, run: [c] }\n", i);
	}
	parsed_init(&c, "c.yaml", buf_text(&yaml), yaml.len);
	cr_assert_str_eq(buf_text(&c.text), "");
	profile_merge(&c.arena, &p.doc, &c.doc, &c.report, &doc);
	cr_expect_not_null(strstr(buf_text(&c.text), "done_when: more than 16 entries with those "
						     "of the parent"),
			   "%s", buf_text(&c.text));
}

Test(profile_check, explained)
{
	auto_parsed p;
	struct profile_loaded l = { .doc = &p.doc };
	struct explain_page page;
	size_t found = 0;

	profile_destroy(build(full, &p));
	cr_assert_eq(explain_page(&l, &page), 0);
	for (size_t i = 0; i < page.count; i++) {
		if (strcmp(page.rows[i].key, "done_when") == 0) {
			found++;
			cr_expect_eq(page.rows[i].topic, EXPLAIN_WRITE);
		}
		if (page.rows[i].entry && page.rows[i].text[0] == 'b') {
			cr_expect_str_eq(page.rows[i].text, "b: true (exit 0)");
		}
	}
	cr_expect_eq(found, 3u);
	explain_page_finish(&page);
}
