/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. How errors are shown, and the nearest name. */
#include "profile_test.h"

static void
show(const char *text, struct profile_place at, const char *expected)
{
	const struct profile_source source = { .path = "a.yaml", .data = (const uint8_t *)text,
					       .len = strlen(text) };
	auto_buf out = BUF_INIT;
	struct profile_report r = { .out = &out };

	at.source = &source;
	profile_report_at(&r, &at, "%s", "wrong");
	cr_expect_str_eq(buf_text(&out), expected);
}

Test(profile_report, caret_and_tildes)
{
	show("one\ntwo three\n", (struct profile_place){ .line = 2, .column = 5, .width = 5 },
	     "a.yaml:2:5: error: wrong\ntwo three\n    ^~~~~\n");
}

Test(profile_report, caret_behind_the_line)
{
	show("one", (struct profile_place){ .line = 1, .column = 9, .width = 1 },
	     "a.yaml:1:9: error: wrong\none\n   ^\n");
}

Test(profile_report, columns_are_characters)
{
	show("d\xc3\xa9: x\n", (struct profile_place){ .line = 1, .column = 5, .width = 1 },
	     "a.yaml:1:5: error: wrong\nd\xc3\xa9: x\n    ^\n");
}

Test(profile_report, control_bytes_are_escaped)
{
	show("a\x1b[0m: x\n", (struct profile_place){ .line = 1, .column = 7, .width = 1 },
	     "a.yaml:1:7: error: wrong\na\\033[0m: x\n         ^\n");
}

Test(profile_report, whole_file_has_no_line)
{
	show("one\n", (struct profile_place){ .line = 0 }, "a.yaml: error: wrong\n");
}

Test(profile_report, text_is_escaped)
{
	const struct profile_source source = { .path = "a\nb.yaml" };
	const struct profile_place at = { .source = &source, .line = 3, .column = 1, .width = 1 };
	auto_buf out = BUF_INIT;
	struct profile_report r = { .out = &out };

	profile_report_at(&r, &at, "bad '%s'", "\x1b]0;x\x07");
	cr_expect_str_eq(buf_text(&out), "a\\012b.yaml:3:1: error: bad '\\033]0;x\\007'\n");
	profile_report_note(&r, &at, "see");
	cr_expect_eq(r.count, 1u);
}

Test(profile_report, twenty_at_most)
{
	const struct profile_source source = { .path = "a" };
	const struct profile_place at = { .source = &source, .line = 1, .column = 1, .width = 1 };
	auto_buf out = BUF_INIT, expected = BUF_INIT;
	struct profile_report r = { .out = &out };

	for (unsigned int i = 0; i < 25; i++) {
		profile_report_at(&r, &at, "n%u", i);
		if (i < 20) {
			buf_printf(&expected, "a:1:1: error: n%u\n", i);
		}
	}
	buf_puts(&expected, "more than 20 errors; the rest is not shown\n");
	cr_expect_str_eq(buf_text(&out), buf_text(&expected));
	cr_expect_eq(r.count, 25u);
}

Test(profile_report, nearest)
{
	static const char *const names[] = { "memory", "mode", "pids", "observe", "" };
	static const struct {
		const char *word, *near;
	} rows[] = {
		{ "memry", "memory" },	 { "memroy", "memory" }, { "mdoe", "mode" },
		{ "mod", "mode" },	 { "pid", "pids" },	 { "pdis", "pids" },
		{ "obsrve", "observe" }, { "xyz", NULL },	 { "", NULL },
		{ "m", NULL },		 { "memo", "memory" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *near = profile_nearest(rows[i].word, names, ARRAY_LEN(names));

		if (rows[i].near == NULL) {
			cr_expect_null(near, "%s gave %s", rows[i].word, near);
		} else {
			cr_assert_not_null(near, "%s", rows[i].word);
			cr_expect_str_eq(near, rows[i].near, "%s", rows[i].word);
		}
	}
}

Test(profile_report, hint)
{
	char text[64];

	cr_expect_str_eq(profile_hint(text, sizeof(text), "mode"), "; did you mean 'mode'?");
	cr_expect_str_eq(profile_hint(text, sizeof(text), NULL), "");
}
