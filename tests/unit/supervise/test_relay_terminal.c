/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay with a terminal for the tool. The tool's end of it is played by the test. Run by
 * anybody, in a temporary directory.
 */
#include "relay_world.h"

#include <pty.h>
#include <sys/sysmacros.h>
#include <termios.h>

TestSuite(relay_terminal, .init = set_up, .fini = tear_down);

static int end = -1; /* the tool's */

static void
start_terminal(enum kind in, enum kind out)
{
	const struct relay_options options = { .output_limit = NO_LIMIT, .terminal = true };
	struct err err = ERR_INIT;
	struct termios t;
	struct stat st;
	int master;

	make_caller_fd(0, in);
	make_caller_fd(1, out);
	make_caller_fd(2, PIPE);
	cr_assert_eq(relay_init(&relay, dir_fd, &options, tool, &err), 0, "%s", err.text);
	for (int s = 0; s < RELAY__COUNT; s++) {
		cr_assert_eq(fstat(tool[s], &st), 0);
		cr_expect_eq(st.st_rdev, makedev(1, 3), "the jail is born with /dev/null");
	}
	cr_assert_eq(openpty(&master, &end, NULL, NULL, NULL), 0);
	cr_assert_eq(fcntl(end, F_SETFL, O_NONBLOCK), 0);
	cr_assert_eq(tcgetattr(end, &t), 0);
	t.c_lflag &= ~(tcflag_t)ECHO;
	cr_assert_eq(tcsetattr(end, TCSANOW, &t), 0);
	cr_assert_eq(relay_take_terminal(&relay, master, &err), 0, "%s", err.text);
	cr_assert_eq(relay.stdin_paused, true);
	cr_expect_eq(fcntl(master, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

static void
finish_terminal(void)
{
	if (end >= 0) {
		close(end);
	}
	finish();
}

static void
expect_tool_reads(const char *text)
{
	char got[256];
	ssize_t n = read(end, got, sizeof(got));

	cr_assert_geq(n, 0, "read: %s", strerror(errno));
	cr_expect_eq((size_t)n, strlen(text));
	cr_expect_eq(memcmp(got, text, strlen(text)), 0);
}

Test(relay_terminal, nothing_is_read_while_paused)
{
	start_terminal(PIPE, PIPE);
	send_text(far[0], "ls\n");
	run();
	expect_nothing_yet(end);
	relay.stdin_paused = false;
	run();
	expect_tool_reads("ls\n");
	expect_captured_text(RELAY_STDIN, "ls\n");
	finish_terminal();
}

Test(relay_terminal, one_stream_comes_back)
{
	start_terminal(CLOSED, PIPE);
	send_text(end, "a\nb");
	run();
	expect_text(far[1], "a\r\nb");
	expect_captured_text(RELAY_STDOUT, "a\r\nb");
	expect_captured_text(RELAY_STDERR, "");
	expect_nothing_yet(far[2]);
	finish_terminal();
}

Test(relay_terminal, the_end_of_stdin_is_a_character)
{
	start_terminal(PIPE, PIPE);
	relay.stdin_paused = false;
	send_text(far[0], "whole\nhalf");
	run();
	drop(&far[0]);
	run();
	expect_tool_reads("whole\n");
	expect_tool_reads("half");
	expect_tool_reads("");
	expect_nothing_yet(end);
	expect_captured_text(RELAY_STDIN, "whole\nhalf");
	finish_terminal();
}

Test(relay_terminal, the_end_is_told_again_to_who_reads_keys)
{
	struct termios t;

	start_terminal(PIPE, PIPE);
	relay.stdin_paused = false;
	drop(&far[0]);
	run();
	expect_tool_reads("");
	cr_assert_eq(tcgetattr(end, &t), 0);
	cfmakeraw(&t);
	cr_assert_eq(tcsetattr(end, TCSANOW, &t), 0);
	run();
	expect_tool_reads("\004");
	run();
	expect_nothing_yet(end);
	finish_terminal();
}

Test(relay_terminal, a_reader_that_went_away_takes_the_terminal_along)
{
	start_terminal(PIPE, PIPE);
	relay.stdin_paused = false;
	drop(&far[1]);
	send_text(end, "into the void\n");
	run();
	cr_expect_eq(relay.tool_fd[RELAY_STDOUT], -1);
	cr_expect_eq(relay.tool_fd[RELAY_STDIN], -1);
	cr_expect_eq(write(end, "x", 1), -1);
	cr_expect_eq(errno, EIO);
	expect_captured_text(RELAY_STDOUT, "into the void\r\n");
	finish_terminal();
}

Test(relay_terminal, what_was_written_before_the_end_is_there)
{
	struct err err = ERR_INIT;

	start_terminal(PIPE, PIPE);
	send_text(end, "last words\n");
	drop(&end);
	cr_assert_eq(relay_drain(&relay, 1000, &err), 0, "%s", err.text);
	expect_text(far[1], "last words\r\n");
	cr_expect_eq(relay.tool_fd[RELAY_STDOUT], -1);
	finish_terminal();
}

Test(relay_terminal, a_tool_that_closed_it_makes_no_busy_loop)
{
	start_terminal(PIPE, PIPE);
	relay.stdin_paused = false;
	drop(&end);
	run();
	send_text(far[0], "nobody reads this\n");
	cr_expect_eq(run(), 0);
	finish_terminal();
}
