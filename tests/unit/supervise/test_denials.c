/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Denials of one call: counted, cut, bounded. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../../../launcher/supervise/denials.h"

static void
expect_json(const struct denials *d, const char *want)
{
	auto_buf out = BUF_INIT;
	struct json j;

	json_init(&j, &out);
	denials_write(d, &j);
	cr_assert_eq(json_error(&j), 0);
	cr_expect_str_eq(buf_text(&out), want);
}

static void
add(struct denials *d, const char *kind, const char *what, const char *rule, const char *hint)
{
	struct denial item = { .why = "because" };

	snprintf(item.kind, sizeof(item.kind), "%s", kind);
	snprintf(item.what, sizeof(item.what), "%s", what);
	snprintf(item.rule, sizeof(item.rule), "%s", rule);
	snprintf(item.hint, sizeof(item.hint), "%s", hint);
	denials_add(d, &item);
}

Test(denials, none)
{
	static struct denials d;

	expect_json(&d, "[]");
	cr_expect_eq(denials_total(&d), 0u);
}

Test(denials, equal_ones_are_one_entry_with_a_count)
{
	static struct denials d;

	add(&d, "syscall", "mount", "default", "first hint");
	add(&d, "syscall", "mount", "other", "second hint");
	add(&d, "limit", "mount", "", "");
	add(&d, "syscall", "bpf", "", "");
	add(&d, "syscall", "mount", "", "");
	cr_expect_eq(d.count, 3u);
	cr_expect_eq(d.items[0].count, 3u);
	cr_expect_eq(denials_total(&d), 5u);
	expect_json(
		&d,
		"[{\"count\":3,\"hint\":\"first hint\",\"kind\":\"syscall\",\"rule\":\"default\","
		"\"what\":\"mount\","
		"\"why\":\"because\"},"
		"{\"count\":1,\"hint\":\"\",\"kind\":\"limit\",\"rule\":\"\",\"what\":\"mount\","
		"\"why\":\"because\"},"
		"{\"count\":1,\"hint\":\"\",\"kind\":\"syscall\",\"rule\":\"\",\"what\":\"bpf\","
		"\"why\":\"because\"}]");
	denials_finish(&d);
}

Test(denials, texts_are_escaped)
{
	static struct denials d;

	add(&d, "syscall", "a\"b\n", "", "\xff");
	expect_json(&d, "[{\"count\":1,\"hint\":\"\\\\377\",\"kind\":\"syscall\",\"rule\":\"\","
			"\"what\":\"a\\\"b\\n\",\"why\":\"because\"}]");
	denials_finish(&d);
}

Test(denials, bounded)
{
	static struct denials d;
	char what[32];

	for (unsigned int i = 0; i < CAP_DENIAL_EVENTS + 10; i++) {
		snprintf(what, sizeof(what), "call %u", i);
		add(&d, "syscall", what, "", "");
	}
	cr_expect_eq(d.count, (size_t)CAP_DENIAL_EVENTS);
	cr_expect_eq(d.dropped, 10u);
	/* a known one is counted even when the table is full */
	add(&d, "syscall", "call 0", "", "");
	cr_expect_eq(d.items[0].count, 2u);
	cr_expect_eq(d.dropped, 10u);
	cr_expect_eq(denials_total(&d), (uint64_t)CAP_DENIAL_EVENTS + 11);
	denials_finish(&d);
	cr_expect_eq(d.count, 0u);
}
