/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of relay.c: bytes, ends, slow and absent callers. Run by anybody, in a temporary
 * directory.
 */
#include "relay_world.h"

#include "../../../launcher/base/limits.h"

TestSuite(relay, .init = set_up, .fini = tear_down);

/* ---- bytes ----------------------------------------------------------------------------------- */

static void
both_ways(enum kind kind, bool shared)
{
	const size_t len = 5u << 20;
	auto_free uint8_t *in = random_bytes(len, 1);
	auto_free uint8_t *out = random_bytes(len, 2);
	auto_buf tool_got = BUF_INIT;
	auto_buf caller_got = BUF_INIT;
	size_t in_at = 0, out_at = 0, odd = 1;

	start(kind, kind, kind, NO_LIMIT);
	for (int s = 0; shared && s < RELAY__COUNT; s++) {
		if (relay.via[s] == RELAY_VIA_OWN) {
			close(relay.io_fd[s]);
		}
		relay.io_fd[s] = s;
		relay.via[s] = RELAY_VIA_SHARED;
	}
	while (tool_got.len < len || caller_got.len < len) {
		size_t before = in_at + out_at + tool_got.len + caller_got.len;

		odd = odd * 7 % 65521;
		push(far[0], in, len, odd, &in_at);
		push(tool[1], out, len, odd * 3 % 65521, &out_at);
		run();
		pull(tool[0], &tool_got, odd + 4096);
		pull(far[1], &caller_got, odd * 5 % 65521 + 4096);
		cr_assert_neq(in_at + out_at + tool_got.len + caller_got.len, before, "stuck");
	}
	cr_assert_eq(memcmp(tool_got.data, in, len), 0);
	cr_assert_eq(memcmp(caller_got.data, out, len), 0);
	expect_captured(RELAY_STDIN, in, len);
	expect_captured(RELAY_STDOUT, out, len);
	expect_captured_text(RELAY_STDERR, "");
	finish();
}

Test(relay, five_megabytes_both_ways_by_pipes)
{
	both_ways(PIPE, false);
}

Test(relay, five_megabytes_both_ways_by_sockets)
{
	both_ways(SOCKET, false);
}

Test(relay, five_megabytes_both_ways_by_shared_pipes)
{
	both_ways(PIPE, true);
}

Test(relay, five_megabytes_both_ways_by_shared_sockets)
{
	both_ways(SOCKET, true);
}

Test(relay, a_file_for_stdin_and_stdout)
{
	const size_t len = 300000;
	auto_free uint8_t *data = random_bytes(len, 3);
	auto_free uint8_t *back = malloc(len);
	auto_buf got = BUF_INIT;
	size_t at = 0;
	int in = open(dir_path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	int out = open(dir_path, O_RDWR | O_TMPFILE | O_CLOEXEC | O_APPEND, 0600);

	cr_assert_eq(fdio_write(in, data, len), 0);
	cr_assert_eq(lseek(in, 0, SEEK_SET), 0);
	give(0, in);
	give(1, out);
	make_caller_fd(2, NULL_DEVICE);
	start_with(NO_LIMIT, false, false);
	cr_assert_eq(fcntl(tool[0], F_SETFL, O_NONBLOCK), 0);
	cr_assert_eq(fcntl(tool[1], F_SETFL, O_NONBLOCK), 0);
	while (at < len || got.len < len) {
		push(tool[1], data, len, 30011, &at);
		run();
		pull(tool[0], &got, 29989);
	}
	run();
	expect_eof(tool[0]);
	cr_assert_eq(memcmp(got.data, data, len), 0);
	cr_assert_eq(fdio_pread(1, back, len, 0), 0);
	cr_assert_eq(memcmp(back, data, len), 0);
	finish();
}

Test(relay, stderr_stays_apart)
{
	start(CLOSED, PIPE, SOCKET, NO_LIMIT);
	send_text(tool[1], "to out");
	send_text(tool[2], "to error");
	run();
	expect_text(far[1], "to out");
	expect_text(far[2], "to error");
	expect_captured_text(RELAY_STDERR, "to error");
	finish();
}

/* ---- stdin ----------------------------------------------------------------------------------- */

Test(relay, end_of_a_pipe_reaches_the_tool_after_the_last_byte)
{
	start(PIPE, CLOSED, CLOSED, NO_LIMIT);
	send_text(far[0], "last words");
	run();
	expect_text(tool[0], "last words");
	expect_nothing_yet(tool[0]);
	drop(&far[0]);
	run();
	expect_eof(tool[0]);
	cr_assert_eq(relay.caller_gone[RELAY_STDIN], false);
	cr_assert_eq(fcntl(0, F_GETFD), 0, "the caller's stdin was closed");
	finish();
}

/*
 * A description opened after the last writer has gone does not report it (pipe_poll): the caller's
 * does.
 */
Test(relay, end_before_the_beginning)
{
	make_caller_fd(0, PIPE);
	make_caller_fd(1, CLOSED);
	make_caller_fd(2, CLOSED);
	drop(&far[0]);
	start_with(NO_LIMIT, false, false);
	cr_assert_eq(relay.via[RELAY_STDIN], RELAY_VIA_OWN);
	run();
	expect_eof(tool[0]);
	finish();
}

Test(relay, half_close_of_a_socket_reaches_the_tool)
{
	start(SOCKET, SOCKET, CLOSED, NO_LIMIT);
	send_text(far[0], "{}\n");
	cr_assert_eq(shutdown(far[0], SHUT_WR), 0);
	run();
	expect_text(tool[0], "{}\n");
	expect_eof(tool[0]);
	send_text(tool[1], "still answers");
	run();
	expect_text(far[1], "still answers");
	finish();
}

Test(relay, one_socket_for_stdin_and_stdout)
{
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	cr_assert_eq(dup2(ends[0], 0), 0);
	give(1, ends[0]);
	make_caller_fd(2, CLOSED);
	far[0] = ends[1];
	cr_assert_eq(fcntl(far[0], F_SETFL, O_NONBLOCK), 0);
	start_with(NO_LIMIT, false, false);
	cr_assert_eq(fcntl(tool[0], F_SETFL, O_NONBLOCK), 0);
	send_text(far[0], "question");
	cr_assert_eq(shutdown(far[0], SHUT_WR), 0);
	send_text(tool[1], "answer");
	run();
	expect_text(tool[0], "question");
	expect_eof(tool[0]);
	expect_text(far[0], "answer");
	finish();
}

Test(relay, a_tool_that_closes_stdin_is_fed_no_more)
{
	auto_buf rest = BUF_INIT;

	start(PIPE, CLOSED, CLOSED, NO_LIMIT);
	send_text(far[0], "first");
	run();
	expect_captured_text(RELAY_STDIN, "first");
	drop(&tool[0]);
	run();
	cr_assert_eq(relay.tool_fd[RELAY_STDIN], -1);
	send_text(far[0], "second");
	run();
	expect_captured_text(RELAY_STDIN, "first");
	cr_assert_eq(fcntl(0, F_SETFL, O_NONBLOCK), 0);
	pull_all(0, &rest);
	cr_assert_str_eq(buf_text(&rest), "second");
	finish();
}

Test(relay, a_tool_that_does_not_read_takes_only_its_pipe)
{
	auto_free uint8_t *data = random_bytes(1u << 20, 4);
	size_t at = 0, before;
	int size;

	start(PIPE, CLOSED, CLOSED, NO_LIMIT);
	push(far[0], data, 1u << 20, 1000, &at); /* so that the rest does not fit by chance */
	run();
	do {
		before = at;
		push(far[0], data, 1u << 20, 1u << 20, &at);
		run();
	} while (at > before);
	size = fcntl(relay.tool_fd[RELAY_STDIN], F_GETPIPE_SZ);
	cr_assert_leq(relay.spool[RELAY_STDIN].total_bytes, (uint64_t)size);
	cr_assert_eq(relay.pending[RELAY_STDIN].len, 0u);
	drop(&tool[0]);
	run();
	cr_assert_eq(relay.tool_fd[RELAY_STDIN], -1);
	finish();
}

Test(relay, a_broken_stdin_is_an_end)
{
	make_caller_fd(1, CLOSED);
	make_caller_fd(2, CLOSED);
	give(0, open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	start_with(NO_LIMIT, false, false);
	run();
	expect_eof(tool[0]);
	cr_assert_eq(relay.caller_gone[RELAY_STDIN], true);
	finish();
}

Test(relay, a_non_blocking_stdin_and_stdout_of_the_caller)
{
	int flags;

	make_caller_fd(0, SOCKET);
	make_caller_fd(1, PIPE);
	make_caller_fd(2, CLOSED);
	cr_assert_eq(fcntl(0, F_SETFL, O_NONBLOCK), 0);
	flags = fcntl(1, F_GETFL);
	cr_assert_eq(fcntl(1, F_SETFL, flags | O_NONBLOCK), 0);
	start_with(NO_LIMIT, false, false);
	cr_assert_eq(fcntl(tool[0], F_SETFL, O_NONBLOCK), 0);
	relay_finish(&relay);
	for (int s = 0; s < RELAY__COUNT; s++) {
		drop(&tool[s]);
	}
	start_with(NO_LIMIT, false, false);
	cr_assert_eq(fcntl(tool[0], F_SETFL, O_NONBLOCK), 0);
	/*
	 * claimed to be readable when it is not, as when somebody else took the bytes: EAGAIN, not
	 * an end
	 */
	{
		struct pollfd lie[2] = { { .fd = relay.tool_fd[RELAY_STDIN] },
					 { .fd = 0, .events = POLLIN, .revents = POLLIN } };
		struct err err = ERR_INIT;

		cr_assert_eq(relay_poll_done(&relay, lie, 2, &err), 0);
	}
	expect_nothing_yet(tool[0]);
	send_text(far[0], "late");
	run();
	expect_text(tool[0], "late");
	cr_assert_neq(fcntl(0, F_GETFL) & O_NONBLOCK, 0, "the caller's flags were changed");
	finish();
}

/* Somebody else reads the same pipe and was faster: we must not sleep in read. */
Test(relay, stdin_stolen_between_poll_and_read)
{
	struct pollfd pfds[RELAY_POLL_MAX];
	struct err err = ERR_INIT;
	unsigned int count;
	char stolen[8];

	start(PIPE, CLOSED, CLOSED, NO_LIMIT);
	send_text(far[0], "stolen");
	count = relay_poll_set(&relay, pfds);
	cr_assert_geq(poll(pfds, count, 0), 1);
	cr_assert_eq(read(0, stolen, sizeof(stolen)), 6);
	cr_assert_eq(relay_poll_done(&relay, pfds, count, &err), 0);
	expect_nothing_yet(tool[0]);
	expect_captured_text(RELAY_STDIN, "");
	finish();
}

Test(relay, stdin_past_the_cap_is_forwarded_and_hashed)
{
	const size_t len = 500;
	auto_free uint8_t *data = random_bytes(len, 5);
	auto_buf got = BUF_INIT;
	uint8_t want[SHA256_SIZE], digest[SHA256_SIZE];

	start(PIPE, CLOSED, CLOSED, NO_LIMIT);
	relay.spool[RELAY_STDIN].cap_bytes = 200;
	cr_assert_eq(fdio_write(far[0], data, len), 0);
	run();
	pull_all(tool[0], &got);
	cr_assert_eq(got.len, len);
	cr_assert_eq(memcmp(got.data, data, len), 0);
	cr_assert_eq(relay.spool[RELAY_STDIN].kept_bytes, 200u);
	cr_assert_eq(relay.spool[RELAY_STDIN].total_bytes, 500u);
	sha256_of(data, len, want);
	spool_digest(&relay.spool[RELAY_STDIN], digest);
	cr_assert_eq(memcmp(want, digest, sizeof(want)), 0);
	finish();
}

Test(relay, a_descriptor_sent_along_is_not_received)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	char text[] = "x";
	struct iovec iov = { .iov_base = text, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	unsigned int before;

	start(SOCKET, CLOSED, CLOSED, NO_LIMIT);
	memcpy(CMSG_DATA(&control.header), &dir_fd, sizeof(dir_fd));
	cr_assert_eq(sendmsg(far[0], &msg, 0), 1);
	before = scratch_count_fds();
	run();
	expect_text(tool[0], "x");
	cr_assert_eq(scratch_count_fds(), before);
	finish();
}

/* ---- a caller that is gone or slow ----------------------------------------------------------- */

static void
reader_goes(enum kind kind)
{
	start(CLOSED, kind, PIPE, NO_LIMIT);
	send_text(tool[1], "one ");
	run();
	drop(&far[1]);
	send_text(tool[1], "two ");
	run();
	cr_assert_eq(relay.caller_gone[RELAY_STDOUT], true);
	cr_assert_eq(relay.tool_fd[RELAY_STDOUT], -1, "the tool would never know");
	send_text(tool[2], "not concerned");
	run();
	expect_captured_text(RELAY_STDOUT, "one two ");
	expect_text(far[2], "not concerned");
	cr_assert_eq(relay.caller_gone[RELAY_STDERR], false);
	finish();
}

Test(relay, a_closed_pipe_hangs_up)
{
	reader_goes(PIPE);
}

Test(relay, a_closed_socket_hangs_up)
{
	reader_goes(SOCKET);
}

Test(relay, a_pipe_nobody_reads_from_the_start)
{
	make_caller_fd(0, CLOSED);
	make_caller_fd(1, PIPE);
	make_caller_fd(2, CLOSED);
	drop(&far[1]);
	start_with(NO_LIMIT, false, false);
	send_text(tool[1], "x");
	run();
	cr_assert_eq(relay.caller_gone[RELAY_STDOUT], true);
	expect_captured_text(RELAY_STDOUT, "x");
	finish();
}

Test(relay, a_stdout_that_cannot_be_written)
{
	make_caller_fd(0, CLOSED);
	give(1, open("/dev/full", O_WRONLY | O_CLOEXEC));
	give(2, open("/dev/null", O_RDONLY | O_CLOEXEC));
	start_with(NO_LIMIT, false, false);
	send_text(tool[1], "x");
	send_text(tool[2], "y");
	run();
	cr_assert_eq(relay.caller_gone[RELAY_STDOUT], true);
	cr_assert_eq(relay.caller_gone[RELAY_STDERR], true);
	expect_captured_text(RELAY_STDOUT, "x");
	expect_captured_text(RELAY_STDERR, "y");
	finish();
}

static void
reader_is_slow(enum kind kind, bool shared)
{
	const size_t len = 4u << 20;
	auto_free uint8_t *data = random_bytes(len, 6);
	auto_buf got = BUF_INIT;
	size_t at = 0, before;

	start(CLOSED, kind, PIPE, NO_LIMIT);
	if (shared) {
		close(relay.io_fd[RELAY_STDOUT]);
		relay.io_fd[RELAY_STDOUT] = 1;
		relay.via[RELAY_STDOUT] = RELAY_VIA_SHARED;
	}
	do {
		before = at;
		push(tool[1], data, len, len, &at);
		run();
	} while (at > before);
	/*
	 * the tool is held back: its pipe, what is pending, and the caller's pipe or socket are
	 * full
	 */
	cr_assert_lt(at, (size_t)(1u << 20));
	cr_assert_geq(at, (size_t)(64u << 10));
	cr_assert_eq(run(), 0, "a busy loop while the caller does not read");
	/* the other stream still flows */
	send_text(tool[2], "warning");
	run();
	expect_text(far[2], "warning");
	while (got.len < len) {
		push(tool[1], data, len, len, &at);
		run();
		pull(far[1], &got, 10007);
	}
	cr_assert_eq(memcmp(got.data, data, len), 0);
	finish();
}

Test(relay, a_slow_pipe_holds_the_tool_back)
{
	reader_is_slow(PIPE, false);
}

Test(relay, a_slow_shared_pipe_holds_the_tool_back)
{
	reader_is_slow(PIPE, true);
}

Test(relay, a_slow_socket_holds_the_tool_back)
{
	reader_is_slow(SOCKET, false);
}

/*
 * Another process filled the caller's pipe between poll and our write: we must not sleep in write.
 */
Test(relay, stdout_filled_by_somebody_else)
{
	auto_free uint8_t *junk = random_bytes(1u << 17, 7);
	auto_buf got = BUF_INIT;
	size_t at = 0;
	int flags;

	start(CLOSED, PIPE, CLOSED, NO_LIMIT);
	flags = fcntl(1, F_GETFL);
	cr_assert_eq(fcntl(1, F_SETFL, flags | O_NONBLOCK), 0);
	push(1, junk, 1u << 17, 1u << 17, &at);
	cr_assert_eq(fcntl(1, F_SETFL, flags), 0);
	send_text(tool[1], "mine");
	run();
	cr_assert_eq(relay.pending[RELAY_STDOUT].len, 4u);
	pull(far[1], &got, at);
	run();
	expect_text(far[1], "mine");
	finish();
}
