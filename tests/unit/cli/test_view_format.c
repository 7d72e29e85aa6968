/* SPDX-License-Identifier: Apache-2.0 */
/* view_format.c: quantities, columns, escaping. Run by `make unit`. */
#include "../../../launcher/cli/view_format.h"

#include <criterion/criterion.h>
#include <time.h>

struct number_row {
	uint64_t value;
	const char *expected;
};

static void
expect_numbers(void (*print)(struct buf *b, uint64_t value), const struct number_row *rows,
	       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_buf b = BUF_INIT;

		print(&b, rows[i].value);
		cr_expect_str_eq(buf_text(&b), rows[i].expected);
	}
}

Test(view_format, durations)
{
	static const struct number_row rows[] = {
		{ 0, "0ms" },		{ 999, "999ms" },      { 1000, "1.0s" },
		{ 1299, "1.2s" },	{ 59999, "59.9s" },    { 60000, "1m00s" },
		{ 123456, "2m03s" },	{ 3599999, "59m59s" }, { 3600000, "1h00m" },
		{ 86399999, "23h59m" }, { 86400000, "1d00h" }, { 273600000, "3d04h" },
	};

	expect_numbers(view_duration, rows, ARRAY_LEN(rows));
}

Test(view_format, sizes)
{
	static const struct number_row rows[] = {
		{ 0, "0 B" },	      { 1023, "1023 B" },	{ 1024, "1 KiB" },
		{ 1229, "1.2 KiB" },  { 1536, "1.5 KiB" },	{ 1048575, "1023.9 KiB" },
		{ 1048576, "1 MiB" }, { 2147483648u, "2 GiB" }, { UINT64_MAX, "15.9 EiB" },
	};

	expect_numbers(view_size, rows, ARRAY_LEN(rows));
}

Test(view_format, changes_leave_out_what_is_zero)
{
	static const struct {
		uint64_t created, modified, deleted;
		const char *expected;
	} rows[] = {
		{ 0, 0, 0, "" },   { 3, 0, 0, "+3" },	    { 0, 1, 0, "~1" },
		{ 0, 0, 2, "-2" }, { 3, 1, 2, "+3 ~1 -2" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		view_changes(&b, rows[i].created, rows[i].modified, rows[i].deleted);
		cr_expect_str_eq(buf_text(&b), rows[i].expected);
	}
}

Test(view_format, counts)
{
	auto_buf b = BUF_INIT;

	view_count(&b, 1, "file", "files");
	buf_putc(&b, ' ');
	view_count(&b, 0, "file", "files");
	cr_expect_str_eq(buf_text(&b), "1 file 0 files");
}

Test(view_format, times_are_as_exact_as_the_list_needs)
{
	static const struct {
		uint64_t oldest_ms;
		enum view_time_style style;
		const char *expected;
	} rows[] = {
		{ 1750031999000, VIEW_TIME_TODAY, "23:59:59" },
		{ 1749945600000, VIEW_TIME_TODAY, "00:00:00" },
		{ 1749945599000, VIEW_TIME_YEAR, "06-14 23:59" },
		{ 1718409600000, VIEW_TIME_DATE, "2024-06-15" },
	};

	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		cr_expect_eq(view_time_style(rows[i].oldest_ms, 1749990000000), rows[i].style,
			     "row %zu", i);
		view_time(&b, rows[i].oldest_ms, rows[i].style);
		cr_expect_str_eq(buf_text(&b), rows[i].expected);
	}
}

Test(view_format, text_is_cut_by_columns)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *expected;
	} rows[] = {
		{ "short", 5, "short" },
		{ "longer", 5, "long…" },
		{ "", 0, "" },
		{ "x", 0, "" },
		{ "gr\303\274n", 4, "gr\303\274n" },
		{ "gr\303\274n!", 4, "gr\303\274…" },
		{ "\346\227\245\346\234\254\350\252\236", 6,
		  "\346\227\245\346\234\254\350\252\236" },
		{ "\346\227\245\346\234\254\350\252\236", 4, "\346\227\245…" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		view_cut(&b, rows[i].text, rows[i].columns);
		cr_expect_str_eq(buf_text(&b), rows[i].expected, "row %zu", i);
		cr_expect_leq(view_width(buf_text(&b)), rows[i].columns, "row %zu", i);
	}
}

Test(view_format, cells_are_padded_by_columns)
{
	auto_buf b = BUF_INIT;

	view_pad(&b, "gr\303\274n", 6, false);
	buf_putc(&b, '|');
	view_pad(&b, "7", 3, true);
	buf_putc(&b, '|');
	view_pad(&b, "wide", 2, true);
	cr_expect_str_eq(buf_text(&b), "gr\303\274n  |  7|wide");
}

Test(view_format, lines_are_broken_between_words)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "one", "one\n" },
		{ "one two three four", "one two\n  three\n  four\n" },
		{ "averylongword x", "averylongword\n  x\n" },
		{ "a\nb", "a\n  b\n" },
		{ "", "\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		view_wrap(&b, rows[i].text, 2, 10);
		cr_expect_str_eq(buf_text(&b), rows[i].expected, "row %zu", i);
	}
}

Test(view_format, other_peoples_bytes_do_nothing_to_a_terminal)
{
	static const struct {
		const char *spelled, *text, *path;
	} rows[] = {
		{ "plain", "plain", "plain" },
		{ "a\\040b", "a b", "a b" },
		{ "\\033]0;x", "\\033]0;x", "\\033]0;x" },
		{ "a\033[2Jb", "a\\033[2Jb", "a\\033[2Jb" },
		{ "a\\134b", "a\\b", "a\\134b" },
		{ "a\\012b", "a\\012b", "a\\012b" },
		{ "\\303\\274", "\303\274", "\303\274" },
		{ "bad\\9", "bad\\9", "bad\\1349" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf text = BUF_INIT, path = BUF_INIT;

		view_text(&text, rows[i].spelled);
		view_path(&path, rows[i].spelled);
		cr_expect_str_eq(buf_text(&text), rows[i].text, "row %zu", i);
		cr_expect_str_eq(buf_text(&path), rows[i].path, "row %zu", i);
	}
}

Test(view_format, colour_only_where_it_is_wanted)
{
	struct view off = { .color = false }, on = { .color = true };
	auto_buf b = BUF_INIT;

	view_paint(&off, &b, VIEW_RED, "x");
	view_paint(&on, &b, VIEW_PLAIN, "y");
	view_paint(&on, &b, VIEW_RED, "z");
	cr_expect_str_eq(buf_text(&b), "xy\033[31mz\033[0m");
	cr_expect_eq(view_verdict_color("ok"), VIEW_GREEN);
	cr_expect_eq(view_verdict_color("failed"), VIEW_YELLOW);
	cr_expect_eq(view_verdict_color("anything else"), VIEW_RED);
}
