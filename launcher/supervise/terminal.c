/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the supervisor with the caller's authority; trusts the caller's terminal, as it does. */
#include "terminal.h"

#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../base/cleanup.h"

#define ROWS 24
#define COLUMNS 80

/* What ends a process in one blow and is no wish of the caller's; SIGKILL cannot be caught. */
static const int fatal[] = { SIGABRT, SIGALRM, SIGBUS,	SIGFPE, SIGILL,	   SIGPROF,
			     SIGSEGV, SIGSYS,  SIGTRAP, SIGVTALRM, SIGXCPU };

/* For the handler alone, which has no other way to it; set once, before the handler is. */
static const struct terminal *guarded;

static void
on_fatal(int sig)
{
	if (guarded->raw) {
		tcsetattr(guarded->keys_fd, TCSANOW, &guarded->saved);
	}
	raise(sig); /* SA_RESETHAND: now it ends us, as it would have */
}

static void
guard(const struct terminal *t)
{
	const struct sigaction act = { .sa_handler = on_fatal, .sa_flags = SA_RESETHAND };
	struct sigaction old;

	guarded = t;
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++) {
		if (sigaction(fatal[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
			sigaction(fatal[i], &act, NULL);
		}
	}
}

void
terminal_init(struct terminal *t, bool no_stdin)
{
	*t = (struct terminal){ .keys_fd = -1, .size_fd = -1 };
	for (int fd = STDERR_FILENO; fd >= STDIN_FILENO; fd--) {
		if (isatty(fd) == 1) {
			t->size_fd = fd;
		}
	}
	if (!no_stdin && tcgetattr(STDIN_FILENO, &t->saved) == 0) {
		t->keys_fd = STDIN_FILENO;
		guard(t);
	}
}

void
terminal_shape(const struct terminal *t, int master_fd)
{
	struct winsize size = { .ws_row = 0 };
	struct termios own;

	if (t->size_fd < 0 || ioctl(t->size_fd, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 ||
	    size.ws_col == 0) {
		size = (struct winsize){ .ws_row = ROWS, .ws_col = COLUMNS };
	}
	ioctl(master_fd, TIOCSWINSZ, &size);
	if (t->keys_fd >= 0) {
		tcsetattr(master_fd, TCSANOW, &t->saved);
	} else if (tcgetattr(master_fd, &own) == 0) {
		own.c_iflag |= IUTF8;
		tcsetattr(master_fd, TCSANOW, &own);
	}
}

bool
terminal_enter(struct terminal *t)
{
	struct termios raw = t->saved;
	pid_t foreground;

	if (t->raw || t->keys_fd < 0) {
		return true;
	}
	foreground = tcgetpgrp(t->keys_fd);
	/* Where it is not ours to control (ENOTTY), nobody has put us in its background. */
	if (foreground >= 0 && foreground != getpgrp()) {
		return false;
	}
	cfmakeraw(&raw);
	t->raw = true; /* before it is, for the handler */
	t->raw = tcsetattr(t->keys_fd, TCSANOW, &raw) == 0;
	return t->raw;
}

/* SIGTTOU is blocked: putting a terminal back must not stop us where somebody took it meanwhile. */
void
terminal_leave(struct terminal *t)
{
	sigset_t set, old;

	if (!t->raw) {
		return;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, &old);
	tcsetattr(t->keys_fd, TCSANOW, &t->saved);
	t->raw = false;
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/*
 * The kernel tells the tool of a size that differs. A screen that the shell wrote over has to be
 * drawn anew though it has the same: a width in pixels that is off by one for a moment makes the
 * difference.
 */
static void
resize(const struct terminal *t, int master_fd, bool redraw)
{
	struct winsize size;

	if (t->size_fd < 0 || master_fd < 0 || ioctl(t->size_fd, TIOCGWINSZ, &size) < 0) {
		return;
	}
	if (redraw) {
		size.ws_xpixel ^= 1;
		ioctl(master_fd, TIOCSWINSZ, &size);
		size.ws_xpixel ^= 1;
	}
	ioctl(master_fd, TIOCSWINSZ, &size);
}

/* As if nobody had caught the signal, so that a shell sees a job that was stopped by it. */
static void
stop(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

bool
terminal_signal(struct terminal *t, int sig, int master_fd)
{
	switch (sig) {
	case SIGWINCH:
		resize(t, master_fd, false);
		return true;
	case SIGTSTP:
		terminal_leave(t);
		stop();
		resize(t, master_fd, true);
		return true;
	case SIGCONT:
		/* The next round of the loop enters raw mode, when the terminal is ours again. */
		resize(t, master_fd, true);
		return true;
	default:
		return false;
	}
}
