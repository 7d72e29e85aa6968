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

Test(denials, none)
{
	static struct denials d;

	expect_json(&d, "[]");
	cr_expect_eq(denials_total(&d), 0u);
}

Test(denials, equal_ones_are_one_entry_with_a_count)
{
	static struct denials d;

	denials_add(&d, "syscall", "mount", "default", "first hint");
	denials_add(&d, "syscall", "mount", "other", "second hint");
	denials_add(&d, "limit", "mount", "", "");
	denials_add(&d, "syscall", "bpf", "", "");
	denials_add(&d, "syscall", "mount", "", "");
	cr_expect_eq(d.count, 3u);
	cr_expect_eq(d.items[0].count, 3u);
	cr_expect_eq(denials_total(&d), 5u);
	expect_json(
		&d,
		"[{\"count\":3,\"hint\":\"first hint\",\"kind\":\"syscall\",\"rule\":\"default\","
		"\"what\":\"mount\"},"
		"{\"count\":1,\"hint\":\"\",\"kind\":\"limit\",\"rule\":\"\",\"what\":\"mount\"},"
		"{\"count\":1,\"hint\":\"\",\"kind\":\"syscall\",\"rule\":\"\",\"what\":\"bpf\"}]");
}

Test(denials, texts_are_escaped)
{
	static struct denials d;

	denials_add(&d, "syscall", "a\"b\n", "", "\xff");
	expect_json(&d, "[{\"count\":1,\"hint\":\"\\\\377\",\"kind\":\"syscall\",\"rule\":\"\","
			"\"what\":\"a\\\"b\\n\"}]");
}

Test(denials, long_texts_are_cut_at_their_fields)
{
	static struct denials d;
	char big[1024];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	denials_add(&d, big, big, big, big);
	cr_expect_eq(strlen(d.items[0].kind), sizeof(d.items[0].kind) - 1);
	cr_expect_eq(strlen(d.items[0].what), sizeof(d.items[0].what) - 1);
	cr_expect_eq(strlen(d.items[0].rule), sizeof(d.items[0].rule) - 1);
	cr_expect_eq(strlen(d.items[0].hint), sizeof(d.items[0].hint) - 1);
}

/* The same long name again is the same denial: the tool must not fill the table with one call. */
Test(denials, a_cut_name_is_found_again)
{
	static struct denials d;
	char big[256];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	denials_add(&d, "syscall", big, "", "");
	denials_add(&d, "syscall", big, "", "");
	cr_expect_eq(d.count, 1u);
	cr_expect_eq(d.items[0].count, 2u);
}

Test(denials, bounded)
{
	static struct denials d;
	char what[32];

	for (unsigned int i = 0; i < CAP_DENIAL_EVENTS + 10; i++) {
		snprintf(what, sizeof(what), "call %u", i);
		denials_add(&d, "syscall", what, "", "");
	}
	cr_expect_eq(d.count, (size_t)CAP_DENIAL_EVENTS);
	cr_expect_eq(d.dropped, 10u);
	/* a known one is counted even when the table is full */
	denials_add(&d, "syscall", "call 0", "", "");
	cr_expect_eq(d.items[0].count, 2u);
	cr_expect_eq(d.dropped, 10u);
	cr_expect_eq(denials_total(&d), (uint64_t)CAP_DENIAL_EVENTS + 11);
}
