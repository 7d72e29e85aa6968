/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of relay_open.c. Run by anybody, in a temporary directory. */
#include "relay_world.h"

#include <pty.h>
#include <sys/sysmacros.h>
#include <termios.h>

TestSuite(relay_open, .init = set_up, .fini = tear_down);

Test(relay_open, the_kinds_of_the_callers_descriptors)
{
	make_caller_fd(0, SOCKET);
	make_caller_fd(1, PIPE);
	give(2, open(dir_path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
	start_with(NO_LIMIT, false, false);
	cr_assert_eq(relay.via[RELAY_STDIN], RELAY_VIA_SOCKET);
	cr_assert_eq(relay.via[RELAY_STDOUT], RELAY_VIA_OWN);
	cr_assert_eq(relay.via[RELAY_STDERR], RELAY_VIA_FILE);
	cr_assert_geq(relay.io_fd[RELAY_STDOUT], 3);
	cr_assert_neq(fcntl(relay.io_fd[RELAY_STDOUT], F_GETFL) & O_NONBLOCK, 0);
	for (int s = 0; s < RELAY__COUNT; s++) {
		cr_assert_eq(relay.caller_fd[s], s);
		cr_assert_eq(relay.filtered[s], false);
		cr_assert_eq(fcntl(s, F_GETFL) & O_NONBLOCK, 0, "the caller's flags were changed");
		cr_assert_neq(fcntl(relay.tool_fd[s], F_GETFL) & O_NONBLOCK, 0);
	}
	finish();
}

/* What a resolver says is for who asked alone. */
Test(relay_open, a_stdout_that_is_given_is_the_tools_own)
{
	const struct relay_options options = { .output_limit = NO_LIMIT,
					       .keep = { NO_LIMIT, NO_LIMIT, NO_LIMIT },
					       .given_stdout = true };
	struct err err = ERR_INIT;
	struct stat caller, tools;
	char said[8];

	make_caller_fd(0, PIPE);
	make_caller_fd(1, PIPE);
	make_caller_fd(2, PIPE);
	cr_assert_eq(relay_init(&relay, dir_fd, &options, tool, &err), 0, "%s", err.text);
	cr_assert_eq(fstat(1, &caller), 0);
	cr_assert_eq(fstat(tool[RELAY_STDOUT], &tools), 0);
	cr_expect_eq(caller.st_ino, tools.st_ino);
	cr_expect_geq(tool[RELAY_STDOUT], 3);
	cr_expect_eq(relay.tool_fd[RELAY_STDOUT], -1);
	cr_expect_eq(relay.caller_fd[RELAY_STDOUT], -1);
	cr_expect_eq(relay.caller_fd[RELAY_STDERR], 2, "control");
	cr_assert_eq(write(tool[RELAY_STDOUT], "value", 5), 5);
	run();
	cr_expect_eq(relay.spool[RELAY_STDOUT].total_bytes, 0u);
	cr_expect_eq(relay.output_bytes, 0u);
	cr_expect_eq(read(far[RELAY_STDOUT], said, sizeof(said)), 5);
	finish();
}

Test(relay_open, nothing_is_left_open)
{
	unsigned int before;

	make_caller_fd(0, PIPE);
	make_caller_fd(1, PIPE);
	make_caller_fd(2, SOCKET);
	before = scratch_count_fds();
	for (int i = 0; i < 3; i++) {
		start_with(10, false, false);
		relay_finish(&relay);
		for (int s = 0; s < RELAY__COUNT; s++) {
			drop(&tool[s]);
		}
	}
	cr_assert_eq(scratch_count_fds(), before);
	finish();
}

Test(relay_open, failing_to_make_pipes_leaves_nothing)
{
	struct rlimit limit;
	struct err err = ERR_INIT;
	int untouched[RELAY__COUNT] = { 70, 71, 72 };
	unsigned int before;

	make_caller_fd(0, PIPE);
	make_caller_fd(1, NULL_DEVICE);
	make_caller_fd(2, NULL_DEVICE);
	before = scratch_count_fds();
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	/* scratch_count_fds' own and "." and ".."; room for our stdin and one pipe */
	limit.rlim_cur = (rlim_t)before - 3 + 4;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_eq(relay_init(&relay, dir_fd, &(struct relay_options){ .output_limit = 10 },
				untouched, &err),
		     -EMFILE, "%s", err.text);
	limit.rlim_cur = limit.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_str_eq(err.text, "cannot make the tool's stdio: Too many open files");
	cr_assert_eq(untouched[0], 70);
	cr_assert_eq(untouched[2], 72);
	cr_assert_eq(scratch_count_fds(), before);
	finish();
}

static void
expect_dev_null_stdin(void)
{
	struct stat st;

	cr_assert_eq(fstat(tool[0], &st), 0);
	cr_assert_eq(st.st_rdev, makedev(1, 3));
	cr_assert_eq(fcntl(tool[0], F_GETFL) & O_ACCMODE, O_RDONLY);
	cr_assert_eq(relay.tool_fd[RELAY_STDIN], -1);
	cr_assert_eq(relay.caller_fd[RELAY_STDIN], -1);
}

Test(relay_open, all_closed_captures_only)
{
	start(CLOSED, CLOSED, CLOSED, NO_LIMIT);
	expect_dev_null_stdin();
	for (int fd = 0; fd < 3; fd++) {
		cr_assert_eq(fcntl(fd, F_GETFD), -1, "something of ours became fd %d", fd);
	}
	send_text(tool[1], "out");
	send_text(tool[2], "error");
	run();
	expect_captured_text(RELAY_STDOUT, "out");
	expect_captured_text(RELAY_STDERR, "error");
	expect_captured_text(RELAY_STDIN, "");
	cr_assert_eq(relay.caller_gone[RELAY_STDOUT], false);
	finish();
}

Test(relay_open, a_descriptor_of_our_own_is_not_the_callers)
{
	make_caller_fd(0, PIPE);
	make_caller_fd(1, PIPE);
	make_caller_fd(2, PIPE);
	send_text(far[0], "secret");
	cr_assert_eq(fcntl(0, F_SETFD, FD_CLOEXEC), 0);
	cr_assert_eq(fcntl(2, F_SETFD, FD_CLOEXEC), 0);
	start_with(NO_LIMIT, false, false);
	expect_dev_null_stdin();
	cr_assert_eq(relay.caller_fd[RELAY_STDOUT], 1);
	cr_assert_eq(relay.caller_fd[RELAY_STDERR], -1);
	finish();
}

Test(relay_open, no_stdin_reads_nothing)
{
	make_caller_fd(0, PIPE);
	make_caller_fd(1, NULL_DEVICE);
	make_caller_fd(2, NULL_DEVICE);
	send_text(far[0], "for somebody else");
	start_with(NO_LIMIT, true, false);
	expect_dev_null_stdin();
	run();
	cr_assert_eq(fcntl(0, F_SETFL, O_NONBLOCK), 0);
	expect_text(0, "for somebody else");
	finish();
}

Test(relay_open, dev_null_stays_dev_null)
{
	start(NULL_DEVICE, NULL_DEVICE, NULL_DEVICE, NO_LIMIT);
	expect_dev_null_stdin();
	send_text(tool[1], "x");
	run();
	expect_captured_text(RELAY_STDOUT, "x");
	finish();
}

/* ---- terminals ------------------------------------------------------------------------------- */

static void
terminal_on_stdout(void)
{
	int slave = raw_terminal(1);

	make_caller_fd(0, CLOSED);
	give(1, slave);
	make_caller_fd(2, PIPE);
}

Test(relay_open, a_terminal_is_filtered_and_captured_raw)
{
	const char text[] = "\033[31mred\033[0m \033]0;title\007\342";
	struct err err = ERR_INIT;

	terminal_on_stdout();
	start_with(NO_LIMIT, false, false);
	cr_assert_eq(relay.filtered[RELAY_STDOUT], true);
	cr_assert_eq(relay.filtered[RELAY_STDERR], false);
	cr_assert_eq(relay.via[RELAY_STDOUT], RELAY_VIA_OWN);
	send_text(tool[1], text);
	send_text(tool[2], text);
	run();
	tool_dies();
	cr_assert_eq(relay_drain(&relay, 1000, &err), 0);
	expect_text(far[1], "\033[31mred\033[0m \\033]0;title\\007\\342");
	expect_text(far[2], text);
	expect_captured_text(RELAY_STDOUT, text);
	finish();
}

Test(relay_open, raw_passes_everything_to_a_terminal)
{
	terminal_on_stdout();
	start_with(NO_LIMIT, false, true);
	cr_assert_eq(relay.filtered[RELAY_STDOUT], false);
	send_text(tool[1], "\033]0;title\007");
	run();
	expect_text(far[1], "\033]0;title\007");
	finish();
}

Test(relay_open, a_terminal_that_is_not_read_holds_the_tool_back)
{
	const size_t len = 1u << 20;
	auto_free uint8_t *data = random_bytes(len, 11);
	auto_buf got = BUF_INIT;
	size_t at = 0, before;

	terminal_on_stdout();
	start_with(NO_LIMIT, false, true);
	cr_assert_eq(fcntl(tool[1], F_SETFL, O_NONBLOCK), 0);
	do {
		before = at;
		push(tool[1], data, len, len, &at);
		run();
	} while (at > before);
	cr_assert_lt(at, len);
	while (got.len < len) {
		push(tool[1], data, len, len, &at);
		run();
		pull(far[1], &got, 4096);
	}
	cr_assert_eq(memcmp(got.data, data, len), 0);
	finish();
}

Test(relay_open, a_terminal_that_hangs_up)
{
	terminal_on_stdout();
	start_with(NO_LIMIT, false, false);
	drop(&far[1]);
	send_text(tool[1], "x");
	run();
	cr_assert_eq(relay.caller_gone[RELAY_STDOUT], true);
	expect_captured_text(RELAY_STDOUT, "x");
	finish();
}

/* The master of a pty is a terminal too, but opening it anew would make another pty. */
Test(relay_open, a_pty_master_is_used_as_it_is)
{
	terminal_on_stdout();
	cr_assert_eq(dup2(far[1], 1), 1);
	start_with(NO_LIMIT, false, true);
	cr_assert_eq(relay.via[RELAY_STDOUT], RELAY_VIA_SHARED);
	finish();
}
