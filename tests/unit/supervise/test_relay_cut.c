/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of relay.c: stdout and stderr that are one terminal, which takes what it has room for.
 * Run by anybody, in a temporary directory.
 */
#include "relay_world.h"

TestSuite(relay_cut, .init = set_up, .fini = tear_down);

/* The longest that passes: a full terminal cuts one in nearly every place. */
#define COLOUR "\033[0000000000000000000000000000000000000000000000000000000000m"
#define COLOUR_LEN (sizeof(COLOUR) - 1)

static void
one_terminal(bool raw)
{
	int slave = raw_terminal(1);

	make_caller_fd(0, CLOSED);
	cr_assert_eq(dup2(slave, 2), 2);
	give(1, slave);
	start_with(NO_LIMIT, false, raw);
	for (int s = 1; s < RELAY__COUNT; s++) {
		cr_assert_eq(fcntl(tool[s], F_SETFL, O_NONBLOCK), 0);
	}
}

/* Colours until the terminal and the pipe are full. */
static void
fill(int fd)
{
	ssize_t n;

	do {
		n = write(fd, COLOUR, COLOUR_LEN);
		run();
	} while (n == (ssize_t)COLOUR_LEN);
}

static void
expect_whole(const struct buf *got)
{
	const char *p = buf_text(got);

	while ((p = strchr(p, '\033')) != NULL) {
		cr_assert_eq(strncmp(p, COLOUR, COLOUR_LEN), 0, "cut: %.70s", p + 1);
		p += COLOUR_LEN;
	}
}

static void
take_all(struct buf *got, size_t chunk)
{
	size_t before;

	do {
		before = got->len;
		pull(far[1], got, chunk);
		run();
	} while (got->len > before);
}

static void
expect_nothing_between(int first, int second, size_t chunk)
{
	auto_buf got = BUF_INIT;

	one_terminal(false);
	cr_expect_eq(relay.one_terminal, true);
	fill(tool[first]);
	send_text(tool[second], "6n");
	run();
	take_all(&got, chunk);
	expect_whole(&got);
	cr_expect_not_null(strstr(buf_text(&got), "6n"), "it came through");
	cr_expect_eq(relay.pending[1].len + relay.pending[2].len, 0u);
	finish();
}

Test(relay_cut, stdout_waits_for_a_sequence_of_stderr)
{
	expect_nothing_between(2, 1, 4096);
}

Test(relay_cut, stderr_waits_for_a_sequence_of_stdout)
{
	expect_nothing_between(1, 2, 4096);
}

Test(relay_cut, whatever_room_there_is)
{
	expect_nothing_between(2, 1, 1009);
}

/* It is let in before the first one is through. */
Test(relay_cut, who_waits_is_let_in)
{
	auto_buf got = BUF_INIT;

	one_terminal(false);
	fill(tool[1]);
	send_text(tool[2], "error");
	for (int i = 0; i < 8; i++) {
		fill(tool[1]);
		pull(far[1], &got, 4096);
	}
	cr_expect_not_null(strstr(buf_text(&got), "error"));
	take_all(&got, 4096);
	expect_whole(&got);
	finish();
}

/* Nobody reads until the call has ended: what is open is given up, and the other stream with it. */
Test(relay_cut, what_stays_open_is_not_completed)
{
	struct err err = ERR_INIT;
	auto_buf got = BUF_INIT;
	char *last;

	one_terminal(false);
	fill(tool[2]);
	cr_assert_eq(term_cut_is_whole(&relay.cut[2]), false, "the terminal took whole ones only");
	send_text(tool[1], "6n");
	tool_dies();
	cr_assert_eq(relay_drain(&relay, 20, &err), 0, "%s", err.text);
	cr_expect_eq(relay.caller_gone[1], true);
	cr_expect_eq(relay.caller_gone[2], true);
	expect_captured_text(RELAY_STDOUT, "6n");
	pull_all(far[1], &got);
	/* the terminal may have found room meanwhile; what is open is the last of all */
	last = strrchr(buf_text(&got), '\033');
	cr_assert_not_null(last);
	if (strlen(last) < COLOUR_LEN) {
		cr_expect_eq(strncmp(last, COLOUR, strlen(last)), 0, "completed: %s", last + 1);
		*last = '\0';
	}
	expect_whole(&got);
	finish();
}

Test(relay_cut, raw_waits_for_nobody)
{
	one_terminal(true);
	cr_expect_eq(relay.one_terminal, false);
	send_text(tool[1], "\033[");
	run();
	send_text(tool[2], "6n");
	run();
	expect_text(far[1], "\033[6n");
	finish();
}

Test(relay_cut, two_terminals_are_apart)
{
	int first = raw_terminal(1), second = raw_terminal(2);

	make_caller_fd(0, CLOSED);
	give(1, first);
	give(2, second);
	start_with(NO_LIMIT, false, false);
	cr_assert_eq(fcntl(tool[1], F_SETFL, O_NONBLOCK), 0);
	cr_expect_eq(relay.one_terminal, false);
	fill(tool[1]);
	send_text(tool[2], "6n");
	run();
	expect_text(far[2], "6n");
	finish();
}

/* ---- where a write ended --------------------------------------------------------------------- */

Test(relay_cut, every_place)
{
	static const struct {
		const char *text;
		size_t rest; /* of "m" or of a character's end, behind the text */
	} rows[] = {
		{ "", 0 },		 { "text", 0 },		  { "\033", 3 },
		{ "\033[", 3 },		 { "\033[1;3", 3 },	  { "\033[1;31m", 0 },
		{ "\033[0m\033", 3 },	 { "\303", 1 },		  { "\303\251", 0 },
		{ "\342\202", 1 },	 { "\342", 2 },		  { "\360\237\230\200", 0 },
		{ "\360", 3 },		 { "\033[0m\303", 1 },	  { "\303\251x", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct term_cut cut = { .sequence = false };
		const bool in_sequence = strrchr(rows[i].text, '\033') != NULL && rows[i].rest == 3;
		const char *next = in_sequence ? "[0mxyz" : "\200\200\200xyz";

		term_cut_follow(&cut, rows[i].text, strlen(rows[i].text));
		cr_expect_eq(term_cut_is_whole(&cut), rows[i].rest == 0, "row %zu", i);
		cr_expect_eq(term_cut_rest(&cut, next, strlen(next)), rows[i].rest, "row %zu", i);
		term_cut_follow(&cut, next, rows[i].rest);
		cr_expect_eq(term_cut_is_whole(&cut), true, "row %zu", i);
	}
}
