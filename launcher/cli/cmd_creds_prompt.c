/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line from the terminal that shows nothing of it. Runs in airlock-cli as the caller; who types
 * is a person. Whatever ends the wait, the terminal is put back first, and what was pasted behind
 * the line is thrown away, not left for the shell.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "cmd_creds.h"

/* What a canonical line of a terminal holds: termios(3). What is longer is cut there. */
#define LINE_BYTES 4095u

static void
catch_signals(sigset_t *ret)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

	sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_LEN(ending); i++) {
		sigaddset(ret, ending[i]);
	}
}

/* One read of the terminal gives one line. */
static int
wait_for_line(int tty, int signals, uint8_t *data, size_t size, size_t *ret_len)
{
	struct pollfd fds[] = { { .fd = tty, .events = POLLIN },
				{ .fd = signals, .events = POLLIN } };
	ssize_t n;

	while (poll(fds, ARRAY_LEN(fds), -1) < 0) {
		if (errno != EINTR) {
			return -errno;
		}
	}
	if (fds[1].revents != 0) {
		return -ECANCELED;
	}
	n = read(tty, data, size);
	if (n < 0) {
		return -errno;
	}
	*ret_len = (size_t)n;
	return 0;
}

static int
ask(int tty, const char *what, uint8_t *data, size_t size, size_t *ret_len)
{
	auto_fd signals = -1;
	struct termios before, hidden;
	sigset_t ending, old;
	int rc;

	if (tcgetattr(tty, &before) < 0) {
		return -errno;
	}
	hidden = before;
	hidden.c_lflag = (hidden.c_lflag & ~(tcflag_t)(ECHO | ECHONL)) | ICANON;
	catch_signals(&ending);
	if (sigprocmask(SIG_BLOCK, &ending, &old) < 0) {
		return -errno;
	}
	signals = signalfd(-1, &ending, SFD_CLOEXEC);
	rc = signals < 0 || tcsetattr(tty, TCSAFLUSH, &hidden) < 0 ? -errno : 0;
	if (rc == 0) {
		rc = fdio_write(tty, what, strlen(what));
		rc = rc < 0 ? rc : wait_for_line(tty, signals, data, size, ret_len);
		ignore_err(tcsetattr(tty, TCSAFLUSH, &before), "there is nothing left to do");
		ignore_err(fdio_write(tty, "\n", 1), "the newline that was not shown");
	}
	/* a signal that waits ends us here */
	ignore_err(sigprocmask(SIG_SETMASK, &old, NULL), "of a set that was read");
	return rc;
}

int
creds_prompt(const char *what, uint8_t *data, size_t size, size_t *ret_len, struct err *err)
{
	auto_fd tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char text[256];
	size_t len = 0;
	int rc;

	if (tty < 0) {
		return err_set(err, -ENOTTY,
			       "there is no terminal to ask; give the value by --file FILE or "
			       "--fd N (0: standard input)");
	}
	snprintf(text, sizeof(text), "%s (not shown, one line): ", what);
	rc = ask(tty, text, data, size, &len);
	if (rc < 0) {
		return rc == -ECANCELED ? err_set(err, rc, "not done")
					: err_sys(err, rc, "read from the terminal");
	}
	if (len >= LINE_BYTES) {
		return err_set(err, -EINVAL,
			       "a line of a terminal has less than %u bytes; give the value by "
			       "--file FILE or --fd N",
			       LINE_BYTES);
	}
	len -= len > 0 && data[len - 1] == '\n' ? 1 : 0;
	*ret_len = len;
	return 0;
}
