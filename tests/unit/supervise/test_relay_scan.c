/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of relay_scan.c: leased values in what a tool writes. Run by anybody, in a temporary
 * directory.
 */
#include "relay_world.h"

#include <pty.h>
#include <termios.h>

#define TOKEN "ghp_0123456789abcdef"

static struct scanner *scanner;

static void
lease(void)
{
	static const struct scan_value values[] = {
		{ "gh", TOKEN, sizeof(TOKEN) - 1 },
		{ "the-database", "pass word \"x\"\n", 14 },
	};
	struct err err = ERR_INIT;

	set_up();
	cr_assert_eq(scanner_create(values, ARRAY_LEN(values), &scanner, &err), 0, "%s", err.text);
	world_scanner = scanner;
}

static void
give_back(void)
{
	scanner_destroy(scanner);
	tear_down();
}

TestSuite(relay_scan, .init = lease, .fini = give_back);

static void
expect_leaks(const char *want)
{
	auto_buf text = BUF_INIT;
	struct json j;

	json_init(&j, &text);
	json_begin_array(&j);
	relay_leaks_write(&relay, &j);
	json_end(&j);
	cr_assert_eq(json_error(&j), 0);
	cr_assert_str_eq(buf_text(&text), want);
}

/* ---- redact ---------------------------------------------------------------------------------- */

Test(relay_scan, what_is_passed_on_and_what_is_kept)
{
	start(CLOSED, PIPE, SOCKET, NO_LIMIT);
	send_text(tool[1], "token " TOKEN ", in base64 Z2hwXzAxMjM0NTY3ODlhYmNkZWY=\n");
	send_text(tool[2], "{\"password\":\"pass word \\\"x\\\"\"}\n");
	run();
	expect_text(far[1], "token [redacted:gh], in base64 [redacted:gh]Y=\n");
	expect_text(far[2], "{\"password\":\"[redacted:the-database]\"}\n");
	send_text(tool[1], "again: " TOKEN "\n");
	run();
	expect_text(far[1], "again: [redacted:gh]\n");
	/* stored and hashed is what was passed on */
	expect_captured_text(RELAY_STDOUT, "token [redacted:gh], in base64 [redacted:gh]Y=\n"
					   "again: [redacted:gh]\n");
	expect_captured_text(RELAY_STDERR, "{\"password\":\"[redacted:the-database]\"}\n");
	expect_leaks(
		"[{\"count\":2,\"form\":\"raw\",\"item\":\"gh\",\"offset\":6,\"stream\":"
		"\"stdout\"},"
		"{\"count\":1,\"form\":\"base64\",\"item\":\"gh\",\"offset\":38,\"stream\":"
		"\"stdout\"},"
		"{\"count\":1,\"form\":\"json\",\"item\":\"the-database\",\"offset\":13,\"stream\":"
		"\"stderr\"}]");
	cr_assert_eq(relay.leaked, false);
	finish();
}

Test(relay_scan, cut_anywhere)
{
	static const char text[] = "< " TOKEN " >";

	for (size_t cut = 1; cut < strlen(text); cut++) {
		start(CLOSED, PIPE, CLOSED, NO_LIMIT);
		cr_assert_eq(fdio_write(tool[1], text, cut), 0);
		run();
		cr_assert_leq(relay.spool[RELAY_STDOUT].total_bytes, cut);
		send_text(tool[1], text + cut);
		run();
		expect_text(far[1], "< [redacted:gh] >");
		expect_captured_text(RELAY_STDOUT, "< [redacted:gh] >");
		finish();
	}
}

Test(relay_scan, nothing_else_waits)
{
	start(CLOSED, PIPE, CLOSED, NO_LIMIT);
	send_text(tool[1], "user@host:~$ ");
	run();
	expect_text(far[1], "user@host:~$ ");
	/* the beginning of one */
	send_text(tool[1], "echo ghp_0");
	run();
	expect_text(far[1], "echo ");
	send_text(tool[1], "9");
	run();
	expect_text(far[1], "ghp_09");
	expect_leaks("[]");
	finish();
}

Test(relay_scan, the_end_of_a_stream_brings_what_was_held)
{
	struct err err = ERR_INIT;

	start(CLOSED, PIPE, PIPE, NO_LIMIT);
	send_text(tool[1], "ends with ghp_012345");
	send_text(tool[2], "and so does this: pass w");
	run();
	expect_text(far[1], "ends with ");
	drop(&tool[1]);
	run();
	expect_text(far[1], "ghp_012345");
	expect_captured_text(RELAY_STDOUT, "ends with ghp_012345");
	tool[1] = -1;
	drop(&tool[2]);
	cr_assert_eq(relay_drain(&relay, 1000, &err), 0);
	expect_text(far[2], "and so does this: pass w");
	finish();
}

/* Somebody still holds the tool's end. */
Test(relay_scan, the_drain_brings_what_was_held)
{
	struct err err = ERR_INIT;

	start(CLOSED, PIPE, CLOSED, NO_LIMIT);
	send_text(tool[1], "ends with ghp_012345");
	cr_assert_eq(relay_drain(&relay, 20, &err), 0);
	expect_text(far[1], "ends with ghp_012345");
	expect_captured_text(RELAY_STDOUT, "ends with ghp_012345");
	finish();
}

Test(relay_scan, a_reader_that_is_gone_hangs_up_and_all_is_kept)
{
	start(CLOSED, PIPE, CLOSED, NO_LIMIT);
	drop(&far[1]);
	send_text(tool[1], "x " TOKEN " y ghp_");
	run();
	cr_assert_eq(relay.tool_fd[RELAY_STDOUT], -1);
	expect_captured_text(RELAY_STDOUT, "x [redacted:gh] y ghp_");
	finish();
}

Test(relay_scan, a_long_stream_through_full_pipes)
{
	const size_t len = 3u << 20;
	auto_free uint8_t *data = random_bytes(len, 11);
	auto_buf want = BUF_INIT;
	auto_buf got = BUF_INIT;
	size_t at = 0, from = 0;

	for (size_t i = 0; i < len; i++) {
		data[i] = (uint8_t)('a' + data[i] % 26);
	}
	for (size_t i = 1000; i + 100 < len; i += 65521) {
		memcpy(data + i, TOKEN, strlen(TOKEN));
		buf_put(&want, data + from, i - from);
		buf_puts(&want, "[redacted:gh]");
		from = i + strlen(TOKEN);
	}
	buf_put(&want, data + from, len - from);
	start(CLOSED, PIPE, CLOSED, NO_LIMIT);
	while (got.len < want.len) {
		size_t before = at + got.len;

		push(tool[1], data, len, 70001, &at);
		if (at == len && tool[1] >= 0) {
			drop(&tool[1]);
		}
		run();
		pull(far[1], &got, 30011);
		cr_assert_neq(at + got.len, before, "stuck");
	}
	cr_assert_eq(memcmp(got.data, want.data, want.len), 0);
	expect_captured(RELAY_STDOUT, want.data, want.len);
	cr_assert_eq(relay.leak_count, 1u);
	cr_assert_eq(relay.leaks[0].count, (len - 1100 + 65520) / 65521);
	cr_assert_eq(relay.leaks[0].offset, 1000u);
	finish();
}

/* ---- limits ---------------------------------------------------------------------------------- */

Test(relay_scan, the_limit_is_of_what_the_tool_writes)
{
	start(CLOSED, PIPE, PIPE, 30);
	send_text(tool[1], "12345" TOKEN "67890");
	run();
	cr_assert_eq(relay.over_limit, false);
	expect_text(far[1], "12345[redacted:gh]67890");
	send_text(tool[2], "x");
	run();
	cr_assert_eq(relay.over_limit, true);
	expect_text(far[2], "");
	finish();
}

Test(relay_scan, held_at_the_limit)
{
	struct err err = ERR_INIT;

	start(CLOSED, PIPE, CLOSED, 8);
	send_text(tool[1], "ghp_01234");
	run();
	cr_assert_eq(relay.over_limit, true);
	tool_dies();
	cr_assert_eq(relay_drain(&relay, 100, &err), 0);
	expect_text(far[1], "ghp_0123");
	expect_captured_text(RELAY_STDOUT, "ghp_0123");
	finish();
}

/* A mark can be longer than its value: a tool does not get more through than its limit. */
Test(relay_scan, marks_count_as_well)
{
	const size_t limit = 100000;

	start(CLOSED, NULL_DEVICE, CLOSED, limit);
	for (int i = 0; i < 20000 && !relay.over_limit; i++) {
		send_text(tool[1], "pass word \"x\"_");
		run();
	}
	cr_assert_eq(relay.over_limit, true);
	cr_assert_lt(relay.output_bytes, limit * 2 / 3);
	cr_assert_leq(relay.spool[RELAY_STDOUT].total_bytes, limit + 100);
	finish();
}

Test(relay_scan, a_full_disk_ends_it)
{
	start(CLOSED, CLOSED, CLOSED, NO_LIMIT);
	expect_end_at_full_disk();
	finish();
}

/* ---- stop ------------------------------------------------------------------------------------ */

Test(relay_scan, stop_passes_on_what_was_before)
{
	struct pollfd pfds[RELAY_POLL_MAX];
	struct err err = ERR_INIT;
	char text[200];

	world_on_leak = LEAK_STOP;
	start(CLOSED, PIPE, PIPE, NO_LIMIT);
	send_text(tool[1], "before 6768705f30313233");
	send_text(tool[2], "nothing ");
	run();
	cr_assert_eq(relay.leaked, false);
	send_text(tool[1], "343536373839616263646566 behind " TOKEN);
	run();
	cr_assert_eq(relay.leaked, true);
	send_text(tool[1], "later");
	send_text(tool[2], "later");
	cr_assert_eq(relay_poll_set(&relay, pfds), 0u);
	tool_dies();
	cr_assert_eq(relay_drain(&relay, 100, &err), 0);
	expect_text(far[1], "before ");
	expect_text(far[2], "nothing ");
	expect_captured_text(RELAY_STDOUT, "before ");
	expect_captured_text(RELAY_STDERR, "nothing ");
	expect_leaks("[{\"count\":1,\"form\":\"hex\",\"item\":\"gh\",\"offset\":7,\"stream\":"
		     "\"stdout\"}]");
	relay_leak_text(&relay, text, sizeof(text));
	cr_assert_str_eq(text, "leak: gh was written to stdout as hex");
	finish();
}

/* The tool is dead already when its last words are read. */
Test(relay_scan, stop_in_the_drain)
{
	struct err err = ERR_INIT;

	world_on_leak = LEAK_STOP;
	start(CLOSED, CLOSED, PIPE, NO_LIMIT);
	send_text(tool[2], "last words: " TOKEN " and more");
	tool_dies();
	cr_assert_eq(relay_drain(&relay, 100, &err), 0);
	cr_assert_eq(relay.leaked, true);
	expect_text(far[2], "last words: ");
	expect_captured_text(RELAY_STDERR, "last words: ");
	finish();
}

/* ---- a terminal ------------------------------------------------------------------------------ */

Test(relay_scan, of_a_tool_that_has_a_terminal)
{
	const struct relay_options options = { .scanner = scanner,
					       .output_limit = NO_LIMIT,
					       .keep = { NO_LIMIT, NO_LIMIT, NO_LIMIT },
					       .terminal = true };
	struct err err = ERR_INIT;
	int master, end;

	make_caller_fd(0, CLOSED);
	make_caller_fd(1, PIPE);
	make_caller_fd(2, CLOSED);
	cr_assert_eq(relay_init(&relay, dir_fd, &options, tool, &err), 0, "%s", err.text);
	cr_assert_eq(openpty(&master, &end, NULL, NULL, NULL), 0);
	cr_assert_eq(relay_take_terminal(&relay, master, &err), 0, "%s", err.text);
	/* as a terminal, which shows colours and no more */
	relay.filtered[RELAY_STDOUT] = true;
	send_text(end, "\033[31m" TOKEN "\033[0m \033]0;" TOKEN "\007\n");
	run();
	expect_text(far[1], "\033[31m[redacted:gh]\033[0m \r\n");
	expect_captured_text(RELAY_STDOUT, "\033[31m[redacted:gh]\033[0m "
					   "\033]0;[redacted:gh]\007\r\n");
	close(end);
	finish();
}

/* ---- none ------------------------------------------------------------------------------------ */

Test(relay_scan, without_a_scanner)
{
	world_scanner = NULL;
	start(CLOSED, PIPE, CLOSED, NO_LIMIT);
	send_text(tool[1], TOKEN);
	run();
	expect_text(far[1], TOKEN);
	expect_leaks("[]");
	finish();
}
