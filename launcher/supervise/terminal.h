/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's terminal while a tool has one of its own (-t). The tool's is another one; what it
 * gets of ours is the size, the settings at the start, and the keys that the relay passes on. Ours
 * is put into raw mode, so that Ctrl-C and Ctrl-Z are bytes which the tool's own terminal turns
 * into signals, and put back in every way of ending but SIGKILL. In the background, or stopped, it
 * is the shell's: then it stays as it is and nothing is read. Run by the supervisor.
 */
#ifndef AIRLOCK_SUPERVISE_TERMINAL_H
#define AIRLOCK_SUPERVISE_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

struct terminal {
	int keys_fd; /* borrowed: stdin when it is a terminal that the tool is to read, else -1 */
	int size_fd; /* borrowed: a terminal among 0, 1, 2; else -1 */
	bool raw;
	struct termios saved; /* of keys_fd */
};

/* What terminal_signal is for: the caller blocks them and reads them from a signalfd. */
#define TERMINAL_SIGNALS { SIGWINCH, SIGCONT, SIGTSTP }

void terminal_init(struct terminal *t, bool no_stdin);
/* Gives the tool's terminal size and settings of ours; else 80 by 24 and the kernel's. */
void terminal_shape(const struct terminal *t, int master_fd);
/* Raw mode, when the terminal is ours now. False: in the background, nothing may be read. */
bool terminal_enter(struct terminal *t);
void terminal_leave(struct terminal *t);
/*
 * Takes one of TERMINAL_SIGNALS; false for any other. master_fd: -1 when there is none any more.
 * SIGTSTP really stops this process and comes back with SIGCONT.
 */
bool terminal_signal(struct terminal *t, int sig, int master_fd);

#endif
