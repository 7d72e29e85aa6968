/* SPDX-License-Identifier: Apache-2.0 */
/* view_blame_trace.c: which version each line comes from. Run by `make unit`. */
#include "../../../launcher/cli/view_blame.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../launcher/cli/view_diff.h"

#define VERSIONS 6

struct row {
	const char *name;
	const char *contents[VERSIONS]; /* "?": not known; NULL: no more versions */
	size_t restores[VERSIONS];	/* 0: none; else the version, counted from 1 */
	const char *expected;		/* "first+count:from-to ", from "?" for none */
};

static const struct row rows[] = {
	{ "one version", { "a\nb\n" }, { 0 }, "1+2:?-0 " },
	{ "nothing", { "" }, { 0 }, "" },
	{ "a new file", { "", "a\nb\n" }, { 0 }, "1+2:0-1 " },
	{ "a line more", { "a\nc\n", "a\nb\nc\n" }, { 0 }, "1+1:?-0 2+1:0-1 3+1:?-0 " },
	{ "at both ends", { "m\n", "a\nm\nz\n" }, { 0 }, "1+1:0-1 2+1:?-0 3+1:0-1 " },
	{ "a line less", { "a\nb\nc\n", "a\nc\n" }, { 0 }, "1+2:?-0 " },
	{ "a line changed", { "a\nb\nc\n", "a\nB\nc\n" }, { 0 }, "1+1:?-0 2+1:0-1 3+1:?-0 " },
	{ "three versions", { "a\n", "a\nb\n", "a\nb\nc\n" }, { 0 }, "1+1:?-0 2+1:0-1 3+1:1-2 " },
	{ "the same again", { "a\n", "a\nb\n", "a\nb\n" }, { 0 }, "1+1:?-0 2+1:0-1 " },
	{ "all is new", { "a\nb\n", "c\n" }, { 0 }, "1+1:0-1 " },
	{ "emptied and filled", { "a\n", "", "a\n" }, { 0 }, "1+1:1-2 " },
	{ "no newline at the end", { "a\nb", "a\nb\nc" }, { 0 }, "1+1:?-0 2+2:0-1 " },
	{ "a newline at the end", { "a\nb", "a\nb\n" }, { 0 }, "1+1:?-0 2+1:0-1 " },
	{ "lines like diff's own",
	  { "@@ -1 +1 @@\n--- a\n", "@@ -1 +1 @@\n+++ b\n--- a\n\\ No\n" },
	  { 0 },
	  "1+1:?-0 2+1:0-1 3+1:?-0 4+1:0-1 " },
	{ "far apart",
	  { "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n",
	    "x\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\ny\n" },
	  { 0 },
	  "1+1:0-1 2+12:?-0 14+1:0-1 " },
	/* the second version is not known */
	{ "a gap", { "a\n", "?", "a\nb\n" }, { 0 }, "1+1:?-0 2+1:0-2 " },
	{ "the first is not known", { "?", "a\n" }, { 0 }, "1+1:?-1 " },
	{ "then all is known", { "?", "a\n", "a\nb\n" }, { 0 }, "1+1:?-1 2+1:1-2 " },
	/* an undo gives lines back to those who wrote them */
	{ "taken back", { "", "a\n", "b\n", "a\n" }, { 0, 0, 0, 2 }, "1+1:0-1 " },
	{ "without an undo they are new", { "", "a\n", "b\n", "a\n" }, { 0 }, "1+1:2-3 " },
	{ "taken back, then more",
	  { "a\nb\n", "b\n", "a\nb\n", "a\nb\nc\n" },
	  { 0, 0, 1, 0 },
	  "1+2:?-0 3+1:2-3 " },
	{ "taken back to another content",
	  { "", "a\n", "b\n", "c\n" },
	  { 0, 0, 0, 2 },
	  "1+1:2-3 " },
	{ "taken back over a gap", { "a\n", "?", "a\n" }, { 0, 0, 1 }, "1+1:?-0 " },
};

static void
expect_parts(const struct row *row, bool by_line, const char *expected)
{
	struct blame_version versions[VERSIONS];
	struct buf contents[VERSIONS] = { BUF_INIT };
	struct blame_part *parts = NULL;
	auto_buf seen = BUF_INIT;
	struct err err = ERR_INIT;
	size_t count = 0, part_count = 0;

	for (; count < VERSIONS && row->contents[count] != NULL; count++) {
		bool is_known = strcmp(row->contents[count], "?") != 0;
		size_t restores = row->restores[count];

		contents[count] = (struct buf)BUF_INIT;
		buf_puts(&contents[count], row->contents[count]);
		versions[count] = (struct blame_version){
			.content = is_known ? &contents[count] : NULL,
			.restores = restores > 0 ? restores - 1 : BLAME_NONE,
		};
	}
	cr_expect_eq(blame_trace(versions, count, by_line, &parts, &part_count, &err), 0, "%s: %s",
		     row->name, err.text);
	for (size_t i = 0; i < part_count; i++) {
		buf_printf(&seen, "%zu+%zu:", parts[i].first, parts[i].count);
		if (parts[i].origin.from == BLAME_NONE) {
			buf_puts(&seen, "?");
		} else {
			buf_printf(&seen, "%zu", parts[i].origin.from);
		}
		buf_printf(&seen, "-%zu ", parts[i].origin.to);
	}
	cr_expect_str_eq(buf_text(&seen), expected, "%s: %s", row->name, buf_text(&seen));
	free(parts);
	for (size_t i = 0; i < count; i++) {
		buf_finish(&contents[i]);
	}
}

Test(view_blame_trace, each_line_has_its_version)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		expect_parts(&rows[i], true, rows[i].expected);
	}
}

Test(view_blame_trace, a_content_that_is_one_part)
{
	static const struct row whole[] = {
		{ "a change", { "a\nb\n", "a\nc\n" }, { 0 }, "1+1:0-1 " },
		{ "none", { "a\nb\n", "a\nb\n" }, { 0 }, "1+1:?-0 " },
		{ "a gap", { "a\n", "?", "b\n" }, { 0 }, "1+1:0-2 " },
		{ "taken back", { "", "a\n", "b\n", "a\n" }, { 0, 0, 0, 2 }, "1+1:0-1 " },
		{ "nothing", { "a\n", "" }, { 0 }, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		expect_parts(&whole[i], false, whole[i].expected);
	}
}

Test(view_blame_trace, what_is_too_large_is_as_if_it_were_not_known)
{
	auto_buf before = BUF_INIT, after = BUF_INIT;
	const struct blame_version versions[] = { { &before, BLAME_NONE }, { &after, BLAME_NONE } };
	struct blame_part *parts = NULL;
	struct err err = ERR_INIT;
	size_t count = 0;

	while (before.len <= DIFF_FILE_MAX) {
		buf_puts(&before, "a line of a file that is too large to be compared\n");
	}
	buf_puts(&after, "a line of a file that is too large to be compared\nand another\n");
	cr_assert_eq(blame_trace(versions, 2, true, &parts, &count, &err), 0, "%s", err.text);
	cr_assert_eq(count, (size_t)1);
	cr_expect_eq(parts[0].count, (size_t)2);
	cr_expect_eq(parts[0].origin.from, BLAME_NONE);
	cr_expect_eq(parts[0].origin.to, (size_t)1);
	free(parts);
}

Test(view_blame_trace, the_last_version_must_be_known)
{
	auto_buf content = BUF_INIT;
	const struct blame_version versions[] = { { &content, BLAME_NONE }, { NULL, BLAME_NONE } };
	struct blame_part *parts = NULL;
	struct err err = ERR_INIT;
	size_t count = 0;

	cr_expect_eq(blame_trace(versions, 2, true, &parts, &count, &err), -EINVAL);
	cr_expect_eq(blame_trace(versions, 0, true, &parts, &count, &err), -EINVAL);
	cr_expect_null(parts);
}

Test(view_blame_trace, steps_of_a_part)
{
	static const struct {
		struct blame_origin origin;
		size_t first, steps;
	} rows_of[] = {
		{ { BLAME_NONE, 0 }, 0, 1 },
		{ { BLAME_NONE, 2 }, 0, 3 },
		{ { 0, 1 }, 1, 1 },
		{ { 1, 4 }, 2, 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows_of); i++) {
		struct blame_part part = { .origin = rows_of[i].origin };
		size_t first = 99;

		cr_expect_eq(blame_steps(&part, &first), rows_of[i].steps);
		cr_expect_eq(first, rows_of[i].first);
	}
}
