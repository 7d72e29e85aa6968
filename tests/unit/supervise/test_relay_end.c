/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of relay.c: how it ends (limits, a full disk, the drain). Run by anybody, in a
 * temporary directory.
 */
#include "relay_world.h"

#include "../../../launcher/base/clock.h"

TestSuite(relay_end, .init = set_up, .fini = tear_down);

/* ---- limits ---------------------------------------------------------------------------------- */

Test(relay_end, exactly_the_limit_is_not_over_it)
{
	start(CLOSED, PIPE, PIPE, 10);
	send_text(tool[1], "123456");
	send_text(tool[2], "7890");
	run();
	cr_assert_eq(relay.over_limit, false);
	drop(&tool[1]);
	drop(&tool[2]);
	run();
	cr_assert_eq(relay.over_limit, false);
	expect_text(far[1], "123456");
	expect_text(far[2], "7890");
	finish();
}

Test(relay_end, one_byte_over_the_limit)
{
	start(CLOSED, PIPE, PIPE, 10);
	send_text(tool[2], "1234");
	run();
	send_text(tool[1], "567890X");
	run();
	cr_assert_eq(relay.over_limit, true);
	expect_text(far[1], "567890");
	expect_text(far[2], "1234");
	send_text(tool[2], "more");
	run();
	expect_text(far[2], "");
	expect_captured_text(RELAY_STDOUT, "567890");
	expect_captured_text(RELAY_STDERR, "1234");
	finish();
}

Test(relay_end, the_byte_over_the_limit_comes_later)
{
	start(CLOSED, PIPE, PIPE, 3);
	send_text(tool[1], "123");
	run();
	cr_assert_eq(relay.over_limit, false);
	send_text(tool[2], "4");
	run();
	cr_assert_eq(relay.over_limit, true);
	expect_text(far[1], "123");
	expect_text(far[2], "");
	expect_captured_text(RELAY_STDERR, "");
	finish();
}

Test(relay_end, a_limit_of_nothing)
{
	start(CLOSED, PIPE, PIPE, 0);
	run();
	cr_assert_eq(relay.over_limit, false);
	send_text(tool[1], "x");
	run();
	cr_assert_eq(relay.over_limit, true);
	expect_text(far[1], "");
	finish();
}

Test(relay_end, the_limit_in_a_long_stream)
{
	const size_t len = 400000;
	const size_t limit = 300001;
	auto_free uint8_t *data = random_bytes(len, 8);
	auto_buf got = BUF_INIT;
	size_t at = 0;

	start(CLOSED, PIPE, CLOSED, limit);
	for (int i = 0; i < 100; i++) {
		push(tool[1], data, len, 17011, &at);
		run();
		pull_all(far[1], &got);
	}
	cr_assert_eq(relay.over_limit, true);
	cr_assert_eq(got.len, limit);
	cr_assert_eq(memcmp(got.data, data, limit), 0);
	expect_captured(RELAY_STDOUT, data, limit);
	finish();
}

Test(relay_end, a_full_disk_ends_it)
{
	start(PIPE, CLOSED, CLOSED, NO_LIMIT);
	expect_end_at_full_disk();
	finish();
}

/* ---- drain ----------------------------------------------------------------------------------- */

Test(relay_end, drain_takes_what_is_left)
{
	struct err err = ERR_INIT;

	start(PIPE, PIPE, SOCKET, NO_LIMIT);
	send_text(far[0], "never read");
	send_text(tool[1], "last output");
	send_text(tool[2], "last error");
	tool_dies();
	cr_assert_eq(relay_drain(&relay, 1000, &err), 0);
	expect_text(far[1], "last output");
	expect_text(far[2], "last error");
	expect_captured_text(RELAY_STDOUT, "last output");
	expect_captured_text(RELAY_STDIN, "");
	for (int s = 0; s < RELAY__COUNT; s++) {
		cr_assert_eq(relay.tool_fd[s], -1);
		cr_assert_eq(relay.caller_gone[s], false);
	}
	finish();
}

Test(relay_end, drain_keeps_the_limit)
{
	struct err err = ERR_INIT;

	start(CLOSED, PIPE, PIPE, 4);
	send_text(tool[1], "123456");
	send_text(tool[2], "789");
	tool_dies();
	cr_assert_eq(relay_drain(&relay, 1000, &err), 0);
	cr_assert_eq(relay.over_limit, true);
	expect_text(far[1], "1234");
	expect_text(far[2], "");
	expect_captured_text(RELAY_STDOUT, "1234");
	finish();
}

Test(relay_end, drain_captures_what_the_caller_does_not_take)
{
	const size_t len = 4u << 20;
	auto_free uint8_t *data = random_bytes(len, 10);
	struct err err = ERR_INIT;
	uint64_t before_ns;
	size_t at = 0, before;

	start(CLOSED, PIPE, SOCKET, NO_LIMIT);
	do {
		before = at;
		push(tool[1], data, len, len, &at);
		run();
	} while (at > before);
	send_text(tool[2], "in time");
	tool_dies();
	before_ns = clock_monotonic_ns();
	cr_assert_eq(relay_drain(&relay, 50, &err), 0);
	cr_assert_geq(clock_monotonic_ns() - before_ns, 50000000u);
	cr_assert_lt(clock_monotonic_ns() - before_ns, 5000000000u);
	expect_captured(RELAY_STDOUT, data, at);
	cr_assert_eq(relay.caller_gone[RELAY_STDOUT], true);
	cr_assert_eq(relay.caller_gone[RELAY_STDERR], false);
	expect_text(far[2], "in time");
	finish();
}

Test(relay_end, drain_without_grace_captures)
{
	struct err err = ERR_INIT;

	start(CLOSED, PIPE, CLOSED, NO_LIMIT);
	send_text(tool[1], "quick");
	tool_dies();
	cr_assert_eq(relay_drain(&relay, 0, &err), 0);
	expect_captured_text(RELAY_STDOUT, "quick");
	expect_text(far[1], "quick");
	finish();
}

/* Somebody still holds the tool's end: no end comes, the grace ends it. */
Test(relay_end, drain_ends_though_the_pipe_does_not)
{
	struct err err = ERR_INIT;

	start(PIPE, PIPE, CLOSED, NO_LIMIT);
	send_text(tool[1], "held open");
	send_text(far[0], "for nobody");
	cr_assert_eq(relay_drain(&relay, 20, &err), 0);
	expect_captured_text(RELAY_STDIN, "");
	expect_text(tool[0], "");
	expect_captured_text(RELAY_STDOUT, "held open");
	expect_text(far[1], "held open");
	finish();
}
