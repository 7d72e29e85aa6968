/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner: signals of the caller, and of other airlocks of the same user.
 * They are blocked from before the call's file is in running/, and read where it waits: for others,
 * before there is a jail, then in the supervisor.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../supervise/terminal.h"
#include "front.h"

/* What the caller ignores (nohup, a job in a script's background) stays ignored. */
static void
add_signals(sigset_t *set, const int *signals, size_t count)
{
	struct sigaction now;

	for (size_t i = 0; i < count; i++) {
		if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN) {
			sigaddset(set, signals[i]);
		}
	}
}

void
front_ending_signals(sigset_t *ret)
{
	static const int forwarded[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };

	sigemptyset(ret);
	add_signals(ret, forwarded, ARRAY_LEN(forwarded));
	/* of other processes of ours, whatever the caller ignores: what is blocked is not lost */
	sigaddset(ret, RUNNING_SIGNAL_KILL);
}

/* Those that are about the terminal, empty without one. */
static void
choose_terminal(const struct front *f, sigset_t *ret)
{
	static const int of_terminal[] = TERMINAL_SIGNALS;

	sigemptyset(ret);
	if (f->opt.tty) {
		add_signals(ret, of_terminal, ARRAY_LEN(of_terminal));
	}
}

static int
block(struct front *f, const sigset_t *set, int *fd)
{
	int made;

	if (sigprocmask(SIG_BLOCK, set, NULL) < 0) {
		return err_sys(&f->err, -errno, "block signals");
	}
	made = signalfd(*fd, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (made < 0) {
		return err_sys(&f->err, -errno, "signalfd");
	}
	*fd = made;
	return 0;
}

int
front_listen(struct front *f)
{
	sigset_t set;
	int rc;

	front_ending_signals(&set);
	/* the call is frozen while it runs, and at no other time */
	sigaddset(&set, RUNNING_SIGNAL_FREEZE);
	rc = block(f, &set, &f->signal_fd);
	sigdelset(&set, RUNNING_SIGNAL_FREEZE);
	sigdelset(&set, SIGUSR1);
	sigdelset(&set, SIGUSR2);
	return rc < 0 ? rc : block(f, &set, &f->end_fd);
}

int
front_listen_to_terminal(struct front *f)
{
	sigset_t set, forwarded;

	if (!f->opt.tty) {
		return 0;
	}
	choose_terminal(f, &set);
	front_ending_signals(&forwarded);
	sigorset(&set, &set, &forwarded);
	sigaddset(&set, RUNNING_SIGNAL_FREEZE);
	return block(f, &set, &f->signal_fd);
}

const char *
front_told_to_end(struct front *f)
{
	struct signalfd_siginfo info;

	if (read(f->end_fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
		return NULL;
	}
	if (info.ssi_signo != RUNNING_SIGNAL_KILL) {
		return arena_printf(&f->arena, "signal %u", info.ssi_signo);
	}
	return running_by_words(info.ssi_code == SI_QUEUE ? info.ssi_int : 0);
}

int
front_ended(struct front *f)
{
	const char *by = front_told_to_end(f);

	if (by == NULL) {
		return 0;
	}
	f->outcome.verdict = VERDICT_INTERRUPTED;
	return err_set(&f->err, -EINTR, "ended by %s before anything ran", by);
}

/*
 * The tool is gone: a window that changes its size says nothing to us, Ctrl-Z stops us, and there
 * is nothing to freeze: those signals stay blocked, since unblocked they would end us.
 */
void
front_leave_signals(struct front *f)
{
	sigset_t forwarded, of_terminal;

	front_ending_signals(&forwarded);
	choose_terminal(f, &of_terminal);
	ignore_err(signalfd(f->signal_fd, &forwarded, SFD_CLOEXEC | SFD_NONBLOCK),
		   "then such a signal ends the hash of the input early");
	ignore_err(sigprocmask(SIG_UNBLOCK, &of_terminal, NULL), "it takes any set");
}
