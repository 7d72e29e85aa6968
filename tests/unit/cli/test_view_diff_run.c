/* SPDX-License-Identifier: Apache-2.0 */
/* view_diff_run.c: two contents, one difference. Run by `make unit`. */
#include "../../../launcher/cli/view_diff.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct buf
of(const char *text)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, text);
	return b;
}

static void
expect_diff(const char *before, const char *after, const char *expected)
{
	auto_buf first = of(before), second = of(after), out = BUF_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(diff_run(&first, &second, &out, &err), 0, "%s", err.text);
	cr_expect_str_eq(buf_text(&out), expected);
}

Test(view_diff_run, hunks_without_names)
{
	expect_diff("one\ntwo\n", "one\nTWO\n", "@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n");
	expect_diff("same\n", "same\n", "");
	expect_diff("", "new\n", "@@ -0,0 +1 @@\n+new\n");
	expect_diff("", "", "");
	expect_diff("a\n", "a", "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n");
	/* lines that look like the names of files, and bytes of all kinds */
	expect_diff("-- before\n", "++ after\n\033[31m\377\n",
		    "@@ -1 +1,2 @@\n--- before\n+++ after\n+\033[31m\377\n");
}

/* Two texts of which each line stands everywhere in the other. */
Test(view_diff_run, does_not_run_for_ever)
{
	auto_buf first = BUF_INIT, second = BUF_INIT, out = BUF_INIT;
	struct err err = ERR_INIT;
	uint32_t a = 1, b = 2;

	while (first.len < DIFF_FILE_MAX) {
		a = a * 1664525u + 1013904223u;
		b = b * 1664525u + 1013904223u;
		buf_puts(&first, (a >> 30) & 1 ? "x\n" : "y\n");
		buf_puts(&second, (b >> 30) & 1 ? "x\n" : "y\n");
	}
	cr_expect_eq(diff_run(&first, &second, &out, &err), -ETIMEDOUT);
	cr_expect_str_eq(err.text, "/usr/bin/diff had no answer after 5 s");
	cr_expect_eq(out.len, 0u);
}

/* Without a program: what diff says of a text against none. */
Test(view_diff_run, a_whole_text_is_as_diff_has_it)
{
	static const char *const texts[] = { "", "a\n", "a", "a\nb\n", "a\n\nb", "\n", "\n\n" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_buf none = BUF_INIT, text = of(texts[i]), by_diff = BUF_INIT, whole = BUF_INIT;

		cr_assert_eq(diff_run(&none, &text, &by_diff, NULL), 0);
		diff_whole(&text, '+', &whole);
		cr_expect_str_eq(buf_text(&whole), buf_text(&by_diff), "row %zu", i);
		buf_reset(&by_diff);
		buf_reset(&whole);
		cr_assert_eq(diff_run(&text, &none, &by_diff, NULL), 0);
		diff_whole(&text, '-', &whole);
		cr_expect_str_eq(buf_text(&whole), buf_text(&by_diff), "row %zu", i);
	}
}

Test(view_diff_run, what_a_person_can_read)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool is_text;
	} rows[] = {
		{ "", 0, true },
		{ "a\n", 2, true },
		{ "a\0b", 3, false },
		{ "\033[31mred\033[0m", 12, true },
		{ "gr\303\274n", 5, true },
		{ "123456789\377", 10, true },
		{ "12345678\377", 9, false },
		{ "\001\002\003", 3, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		buf_put(&b, rows[i].bytes, rows[i].len);
		cr_expect_eq(diff_is_text(&b), rows[i].is_text, "row %zu", i);
	}
}

Test(view_diff_run, lines_by_their_sign)
{
	auto_buf lines = of("@@ -1 +1,2 @@\n-a\n+b\n+c\n d\n\\ No newline at end of file\n");

	cr_expect_eq(diff_count(&lines, '+'), 2u);
	cr_expect_eq(diff_count(&lines, '-'), 1u);
	cr_expect_eq(diff_count(&lines, '!'), 0u);
}
