/* SPDX-License-Identifier: Apache-2.0 */
/* view_list.c: the table of `airlock log`. Run by `make unit`. */
#include "../../../launcher/cli/view_list.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW 1750000100000u /* 2025-06-15 15:08:20 UTC */

static const struct index_call calls[] = {
	{ .id = "0198c2a4-7f3e-7abc-8def-0123456789ab", .profile = "default", .verdict = "ok",
	  .settled = "committed", .command = "sh -c 'make && make check'", .t0_ms = 1750000000000,
	  .t1_ms = 1750000001200, .exit = 0, .created = 44 },
	{ .id = "0198c2a4-8f3e-7abc-8def-0123456789ab", .profile = "a-profile-with-a-long-name",
	  .verdict = "ok", .settled = "held", .command = "./tool", .t0_ms = 1750000002000,
	  .t1_ms = 1750000002034, .exit = 0, .created = 1, .deleted = 223 },
	{ .id = "0198c2a4-9f3e-7abc-8def-0123456789ab", .profile = "x\033[31m",
	  .verdict = "signaled", .settled = "none", .command = "a.out", .t0_ms = 1750000003000,
	  .t1_ms = 1750000002000, .exit = -1, .signal = 11 },
	{ .id = "0198c2a4-af3e-7abc-8def-0123456789ab", .profile = "default", .verdict = "unknown",
	  .settled = "", .answer = "", .command = "sleep 9", .t0_ms = 1750000004000, .exit = -1 },
};

static void
expect_list(size_t count, bool terminal, unsigned int width, const char *expected)
{
	auto_view_list list = VIEW_LIST_INIT;
	struct view v = { .terminal = terminal, .columns = width };
	auto_buf out = BUF_INIT;

	setenv("TZ", "UTC", 1);
	tzset();
	list.prefix_len = 13;
	for (size_t i = 0; i < count; i++) {
		cr_assert_eq(view_list_add(&list, &calls[i]), 0);
	}
	view_list_print(&list, &v, NOW, &out);
	cr_expect_str_eq(buf_text(&out), expected);
}

Test(view_list, one_aligned_line_a_call_in_a_pipe)
{
	expect_list(4, false, 80,
		    "15:06:40  0198c2a4-7f3e  ok           0  default           1.2s  +44"
		    "           sh -c 'make && make check'\n"
		    "15:06:42  0198c2a4-8f3e  ok           0  a-profile-with-…  34ms  +1 -223 held"
		    "  ./tool\n"
		    "15:06:43  0198c2a4-9f3e  signaled  SEGV  x\\033[31m          0ms"
		    "                a.out\n"
		    "15:06:44  0198c2a4-af3e  unknown      -  default              -"
		    "                sleep 9\n");
	expect_list(0, false, 80, "");
}

Test(view_list, what_became_of_changes)
{
	static const struct {
		const char *mode, *settled, *cell;
	} rows[] = {
		{ "apply", "committed", "+1" },	    { "apply", "held", "+1 held" },
		{ "apply", "undone", "+1 undone" }, { "apply", "discarded", "+1 discarded" },
		{ "observe", "discarded", "+1" },   { "apply", "none", "+1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_view_list list = VIEW_LIST_INIT;
		struct index_call call = calls[0];

		call.created = 1;
		call.mode = rows[i].mode;
		call.settled = rows[i].settled;
		cr_assert_eq(view_list_add(&list, &call), 0);
		cr_expect_str_eq(list.rows[0].text[COLUMN_CHANGES], rows[i].cell, "row %zu", i);
	}
}

Test(view_list, a_terminal_gets_a_head_and_no_longer_lines)
{
	expect_list(
		1, true, 80,
		"TIME     CALL          VERDICT EXIT PROFILE TOOK CHANGES COMMAND\n"
		"15:06:40 0198c2a4-7f3e ok         0 default 1.2s +44     sh -c 'make && make "
		"ch…\n");
	expect_list(1, true, 200,
		    "TIME     CALL          VERDICT EXIT PROFILE TOOK CHANGES COMMAND\n"
		    "15:06:40 0198c2a4-7f3e ok         0 default 1.2s +44     sh -c 'make && make "
		    "check'\n");
	expect_list(0, true, 80, "");
}

Test(view_list, a_clock_that_was_set_back)
{
	static const struct {
		uint64_t t0, t1;
		int64_t expected;
	} rows[] = { { 1000, 1500, 500 }, { 1500, 1000, 0 }, { 1000, 0, 0 }, { 1000, 1000, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct index_call call = { .t0_ms = rows[i].t0, .t1_ms = rows[i].t1 };

		cr_expect_eq(view_list_duration(&call), rows[i].expected, "row %zu", i);
	}
}
