/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of terminal.c on a terminal of the test's own; what a shell does around it is tried in
 * tests/e2e/47-tty.sh. Run by anybody.
 */
#include "../../../launcher/supervise/terminal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int screen = -1; /* the person's side of our terminal */
static int master = -1, end = -1;
static struct terminal terminal;

/* 0, 1, 2 become our controlling terminal of that size, in the foreground. */
static void
set_up(unsigned short rows, unsigned short columns)
{
	const struct winsize size = { .ws_row = rows, .ws_col = columns };
	int ours;

	cr_assert_eq(openpty(&screen, &ours, NULL, NULL, &size), 0);
	cr_assert_eq(openpty(&master, &end, NULL, NULL, NULL), 0);
	/* a test may lead a session already */
	cr_assert_eq(getsid(0) == getpid() || setsid() != -1, true);
	cr_assert_eq(ioctl(ours, TIOCSCTTY, 0), 0);
	for (int fd = 0; fd < 3; fd++) {
		cr_assert_eq(dup2(ours, fd), fd);
	}
	close(ours);
}

static bool
is_raw(int fd)
{
	struct termios t;

	cr_assert_eq(tcgetattr(fd, &t), 0);
	return (t.c_lflag & (ICANON | ISIG | ECHO)) == 0 && (t.c_oflag & OPOST) == 0;
}

static void
expect_size(unsigned short rows, unsigned short columns)
{
	struct winsize size = { 0 };

	cr_assert_eq(ioctl(end, TIOCGWINSZ, &size), 0);
	cr_expect_eq(size.ws_row, rows);
	cr_expect_eq(size.ws_col, columns);
	cr_expect_eq(size.ws_xpixel, 0);
}

Test(terminal, raw_and_back)
{
	struct termios before, after;

	set_up(30, 100);
	cr_assert_eq(tcgetattr(0, &before), 0);
	terminal_init(&terminal, false);
	cr_expect_eq(is_raw(0), false);
	cr_expect_eq(terminal_enter(&terminal), true);
	cr_expect_eq(is_raw(0), true);
	cr_expect_eq(terminal_enter(&terminal), true);
	terminal_leave(&terminal);
	terminal_leave(&terminal);
	cr_assert_eq(tcgetattr(0, &after), 0);
	cr_expect_eq(before.c_lflag, after.c_lflag);
	cr_expect_eq(before.c_iflag, after.c_iflag);
	cr_expect_eq(before.c_oflag, after.c_oflag);
	cr_expect_eq(before.c_cflag, after.c_cflag);
	cr_expect_eq(memcmp(before.c_cc, after.c_cc, sizeof(before.c_cc)), 0);
}

Test(terminal, the_tools_is_like_ours)
{
	struct termios ours, tools;

	set_up(30, 100);
	cr_assert_eq(tcgetattr(0, &ours), 0);
	ours.c_cc[VERASE] = 8;
	ours.c_iflag |= IUTF8;
	cr_assert_eq(tcsetattr(0, TCSANOW, &ours), 0);
	terminal_init(&terminal, false);
	terminal_shape(&terminal, master);
	expect_size(30, 100);
	cr_assert_eq(tcgetattr(end, &tools), 0);
	cr_expect_eq(tools.c_cc[VERASE], 8);
	cr_expect_eq(tools.c_iflag, ours.c_iflag);
}

Test(terminal, one_without_a_size)
{
	set_up(0, 0);
	terminal_init(&terminal, false);
	terminal_shape(&terminal, master);
	expect_size(24, 80);
}

Test(terminal, none_at_all)
{
	struct termios tools;

	set_up(30, 100);
	for (int fd = 0; fd < 3; fd++) {
		cr_assert_eq(dup2(open("/dev/null", O_RDWR | O_CLOEXEC), fd), fd);
	}
	terminal_init(&terminal, false);
	terminal_shape(&terminal, master);
	expect_size(24, 80);
	cr_assert_eq(tcgetattr(end, &tools), 0);
	cr_expect_eq(tools.c_iflag & IUTF8, (tcflag_t)IUTF8);
	cr_expect_eq(terminal_enter(&terminal), true, "there is nothing to wait for");
	cr_expect_eq(terminal.raw, false);
}

Test(terminal, no_keys_are_wanted)
{
	set_up(30, 100);
	terminal_init(&terminal, true);
	cr_expect_eq(terminal_enter(&terminal), true);
	cr_expect_eq(is_raw(0), false);
	terminal_shape(&terminal, master);
	expect_size(30, 100);
}

Test(terminal, a_new_size)
{
	const struct winsize size = { .ws_row = 40, .ws_col = 120 };

	set_up(30, 100);
	terminal_init(&terminal, false);
	terminal_shape(&terminal, master);
	cr_assert_eq(ioctl(screen, TIOCSWINSZ, &size), 0);
	cr_expect_eq(terminal_signal(&terminal, SIGWINCH, master), true);
	expect_size(40, 120);
	cr_expect_eq(terminal_signal(&terminal, SIGCONT, master), true);
	expect_size(40, 120);
	cr_expect_eq(terminal_signal(&terminal, SIGWINCH, -1), true, "when it is gone");
	cr_expect_eq(terminal_signal(&terminal, SIGTERM, master), false);
}

Test(terminal, a_fatal_signal_puts_it_back, .signal = SIGALRM)
{
	set_up(30, 100);
	terminal_init(&terminal, false);
	cr_assert_eq(terminal_enter(&terminal), true);
	raise(SIGALRM);
}
