/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay with a terminal for the tool. The tool's end of it is played by the test. Run by
 * anybody, in a temporary directory.
 */
#include "relay_world.h"

#include <pty.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <termios.h>

TestSuite(relay_terminal, .init = set_up, .fini = tear_down);

static int end = -1; /* the tool's */

static void
start_terminal(enum kind in, enum kind out)
{
	const struct relay_options options = { .output_limit = NO_LIMIT,
					       .keep = { NO_LIMIT, NO_LIMIT, NO_LIMIT },
					       .terminal = true };
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

/* It was lost: on a mode that was there only for a moment, say. */
Test(relay_terminal, the_end_is_told_again_to_who_still_waits)
{
	start_terminal(PIPE, PIPE);
	relay.stdin_paused = false;
	drop(&far[0]);
	run();
	expect_tool_reads("");
	relay.end_said_ns -= UINT64_C(1000000000);
	run();
	expect_tool_reads("");
	expect_nothing_yet(end);
	finish_terminal();
}

/* Once is enough as long as it was not read. */
Test(relay_terminal, an_end_that_nobody_read_is_not_told_again)
{
	start_terminal(PIPE, PIPE);
	relay.stdin_paused = false;
	drop(&far[0]);
	run();
	relay.end_said_ns -= UINT64_C(1000000000);
	run();
	expect_tool_reads("");
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
	cr_expect_leq(run(), 2);
	finish_terminal();
}

/* "make >log 2>&1 </dev/null" has no terminal open, and is no less its session. */
Test(relay_terminal, a_tool_that_closed_it_may_open_it_again)
{
	char name[64];
	struct err err = ERR_INIT;

	start_terminal(CLOSED, PIPE);
	cr_assert_eq(ttyname_r(end, name, sizeof(name)), 0);
	drop(&end);
	run();
	end = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	cr_assert_geq(end, 0, "%s", strerror(errno));
	send_text(end, "back\n");
	run();
	expect_text(far[1], "back\r\n");
	drop(&end);
	cr_assert_eq(relay_drain(&relay, 1000, &err), 0, "%s", err.text);
	cr_expect_eq(relay.tool_fd[RELAY_STDOUT], -1);
	finish_terminal();
}

static void
on_alarm(int sig)
{
	char taken[4096];

	(void)sig;
	while (read(far[1], taken, sizeof(taken)) > 0) {
	}
}

/* It makes room after the grace is over. The end of what comes is all that is compared. */
Test(relay_terminal, a_slow_terminal_is_not_left_switched)
{
	const struct itimerval timer = { .it_value = { .tv_usec = 700000 } };
	static char fill[RELAY_PENDING_MAX];
	char taken[512] = "";
	struct err err = ERR_INIT;
	ssize_t n;

	start_terminal(CLOSED, PIPE);
	relay.filtered[RELAY_STDOUT] = true;
	send_text(end, "\033[?1003h");
	run();
	while ((n = write(1, fill, 1)) == 1) {
		cr_assert_geq(fcntl(1, F_SETFL, O_NONBLOCK), 0);
	}
	send_text(end, "more");
	run();
	drop(&end);
	signal(SIGALRM, on_alarm);
	cr_assert_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
	cr_assert_eq(relay_drain(&relay, 500, &err), 0, "%s", err.text);
	n = read(far[1], taken, sizeof(taken) - 1);
	cr_assert_gt(n, 0, "nothing was put back");
	cr_expect_not_null(strstr(taken, "\033[?1003l"));
	cr_expect_null(strstr(taken, "more"));
	finish_terminal();
}
