/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner: a call whose profile has on_failure.retries. Each attempt is a
 * whole call in a child of this process, which has done what all attempts share; what they say is
 * held back, because two attempts' output one behind the other would be nobody's. The child dies
 * with this process, and this process has no call of its own.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/units.h"
#include "../sys/sys.h"
#include "front.h"

#define BACKOFF_MAX_MS 300000u

/* What a child says of its call. Shared with it, and read when it is gone. */
struct said {
	bool is_recorded, is_answered;
	bool wants_another; /* it failed, and its retries are not used up */
	enum verdict verdict;
	uint32_t attempt;
	char call[UUID_TEXT_SIZE];
	char reason[sizeof(((struct outcome *)NULL)->reason)];
};

struct attempt {
	struct said said;
	int held[REPLAY__COUNT]; /* what it wrote to 1, 2 and --result */
	int exit_status;
};

static bool
is_dev_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

const char *
front_no_retry(const struct front *f)
{
	if (f->req.identity.dropped) {
		return "airlock was called by root for another user's workspace";
	}
	if (f->opt.tty) {
		return "it has a terminal (-t)";
	}
	return f->opt.no_stdin || is_dev_null(STDIN_FILENO)
		     ? NULL
		     : "its standard input cannot be given twice (-n gives none)";
}

bool
front_may_retry(const struct front *f)
{
	return f->profile->retries > 0 && !f->opt.dry_run && f->opt.over == NULL &&
	       front_no_retry(f) == NULL;
}

/*
 * While its file in running/ is there, so that whoever stops calls ends the wait; a freeze ends it,
 * too: admission then says what has become of the workflow.
 */
int
front_wait_to_retry(struct front *f)
{
	const uint64_t until_ns = clock_monotonic_ns() + (uint64_t)f->backoff_ms * 1000000u;
	struct signalfd_siginfo info;
	auto_fd freeze_fd = -1;
	sigset_t freeze;

	sigemptyset(&freeze);
	sigaddset(&freeze, RUNNING_SIGNAL_FREEZE);
	freeze_fd = signalfd(-1, &freeze, SFD_CLOEXEC | SFD_NONBLOCK);
	if (freeze_fd < 0) {
		return err_sys(&f->err, -errno, "signalfd");
	}
	for (uint64_t now = clock_monotonic_ns(); now < until_ns; now = clock_monotonic_ns()) {
		struct pollfd fds[] = { { .fd = f->end_fd, .events = POLLIN },
					{ .fd = freeze_fd, .events = POLLIN } };
		int rc = poll(fds, ARRAY_LEN(fds), (int)((until_ns - now) / 1000000u + 1));

		if (rc > 0 && fds[0].revents != 0) {
			return front_ended(f);
		}
		/* of a thaw, or other limits, admission finds all in the ledger */
		if (rc > 0 && read(freeze_fd, &info, sizeof(info)) == (ssize_t)sizeof(info) &&
		    (info.ssi_int & RUNNING_FLAGS) == 0) {
			break;
		}
	}
	return 0;
}

static void __attribute__((noreturn))
become_attempt(struct front *f, const int held[REPLAY__COUNT], struct said *said,
	       int (*run)(struct front *f, int rc))
{
	int rc = 0, status;

	if (dup2(held[REPLAY_STDOUT], STDOUT_FILENO) < 0 ||
	    dup2(held[REPLAY_STDERR], STDERR_FILENO) < 0) {
		_exit(EXIT_AIRLOCK);
	}
	if (f->opt.result_fd >= 0) {
		f->opt.result_fd = held[REPLAY_RESULT];
	}
	if (f->retry_of != NULL) {
		/* its own id and moment; room for its outcome */
		store_finish(&f->store);
		rc = front_store(f);
	}
	status = run(f, rc);
	said->is_recorded = f->recorded;
	said->is_answered = f->answered;
	said->wants_another = f->wants_retry && f->err.code == 0;
	said->verdict = f->outcome.verdict;
	said->attempt = f->key.attempt > 0 ? f->key.attempt : 1;
	memcpy(said->call, f->req.call_text, sizeof(said->call));
	snprintf(said->reason, sizeof(said->reason), "%s",
		 front_reason(f) != NULL ? front_reason(f) : "");
	_exit(status);
}

/*
 * What is the tool's (SIGUSR1, SIGUSR2) is blocked in the parent for the whole series, and in an
 * attempt until it listens. What ends calls is so while an attempt runs, and passed on: between two
 * of them it ends us, whatever we may be waiting for.
 */
struct masks {
	sigset_t waited_for, between, before;
};

static void
block_tools(struct masks *ret)
{
	sigset_t tools;

	sigemptyset(&tools);
	sigaddset(&tools, SIGUSR1);
	sigaddset(&tools, SIGUSR2);
	ignore_err(sigprocmask(SIG_BLOCK, &tools, &ret->before), "it takes any set");
	sigorset(&ret->between, &ret->before, &tools);
	front_ending_signals(&ret->waited_for);
	sigaddset(&ret->waited_for, SIGCHLD);
}

/* There is no tool any more that they could be for. */
static void
unblock_tools(const struct masks *m)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGUSR1, &ignore, NULL);
	sigaction(SIGUSR2, &ignore, NULL);
	ignore_err(sigprocmask(SIG_SETMASK, &m->before, NULL), "it takes any set");
}

/* Passes on what ends calls; a terminal's own signals the child has already. */
static int
wait_for(pid_t pid, const sigset_t *signals, bool *ret_told_to_end)
{
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		siginfo_t info;
		int sig = sigwaitinfo(signals, &info);

		if (sig < 0 || sig == SIGCHLD) {
			continue;
		}
		*ret_told_to_end = *ret_told_to_end || (sig != SIGUSR1 && sig != SIGUSR2);
		if (info.si_code != SI_KERNEL) {
			ignore_err(kill(pid, sig), "it has ended");
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL_BASE + WTERMSIG(status);
}

static int
make_attempt(struct front *f, struct attempt *a)
{
	*a = (struct attempt){ .held = { -1, -1, -1, -1 } };
	for (int i = REPLAY_STDOUT; i < REPLAY__COUNT; i++) {
		a->held[i] = memfd_create("airlock-held", MFD_CLOEXEC);
		if (a->held[i] < 0) {
			return err_sys(&f->err, -errno, "keep what a call says");
		}
	}
	return 0;
}

static void
drop(struct attempt *a)
{
	for (int i = 0; i < REPLAY__COUNT; i++) {
		cleanup_fd(&a->held[i]);
		a->held[i] = -1;
	}
}

static int
run_attempt(struct front *f, struct attempt *a, const struct masks *m,
	    int (*run)(struct front *f, int rc), bool *ret_told_to_end)
{
	const pid_t parent = getpid();
	struct said *said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (said == MAP_FAILED) {
		return err_sys(&f->err, -errno, "keep what a call says");
	}
	ignore_err(sigprocmask(SIG_BLOCK, &m->waited_for, NULL), "it takes any set");
	pid = fork();
	if (pid == 0) {
		if (sys_end_with_parent(parent, SIGKILL) < 0) {
			_exit(EXIT_AIRLOCK);
		}
		ignore_err(sigprocmask(SIG_SETMASK, &m->between, NULL), "it takes any set");
		become_attempt(f, a->held, said, run);
	}
	if (pid > 0) {
		a->exit_status = wait_for(pid, &m->waited_for, ret_told_to_end);
		a->said = *said;
	}
	ignore_err(sigprocmask(SIG_SETMASK, &m->between, NULL), "it takes any set");
	munmap(said, sizeof(*said));
	return pid < 0 ? err_sys(&f->err, -errno, "start an attempt") : 0;
}

/* What the next attempt is, and how long it waits. */
static void
prepare_next(struct front *f, const struct attempt *failed, unsigned int tried)
{
	const struct said *s = &failed->said;
	const size_t warnings = f->warning_count;
	uint64_t wait_ms = (uint64_t)f->profile->backoff_ms << (tried - 1);
	auto_buf text = BUF_INIT;

	f->backoff_ms = wait_ms < BACKOFF_MAX_MS ? (uint32_t)wait_ms : BACKOFF_MAX_MS;
	f->retries_left = f->profile->retries - tried;
	f->retry_of = arena_string(&f->arena, s->call);
	f->key.attempt = s->attempt + 1;
	units_print_duration(&text, f->backoff_ms);
	front_warn(f, arena_printf(&f->arena, "call %.13s %s: %.200s; attempt %u begins in %s",
				   s->call, verdict_name(s->verdict), s->reason, f->key.attempt,
				   buf_text(&text)));
	front_say_warnings(f, warnings);
	f->warning_count = warnings; /* the next one's record has its own */
}

/* No attempt came after it that settled the matter: what was to follow its failure does. */
static void
follow_failure(struct front *f, const struct said *failed)
{
	const size_t warnings = f->warning_count;

	f->retries_left = 0;
	f->outcome.verdict = failed->verdict;
	memcpy(f->req.call_text, failed->call, sizeof(failed->call));
	snprintf(f->outcome.reason, sizeof(f->outcome.reason), "%s", failed->reason);
	f->workflow_fd = workflow_dir(&f->store, f->workflow, false, &f->err);
	if (f->workflow_fd < 0) {
		front_warn(f, f->err.text);
	} else {
		ignore_err(front_on_failure(f), "it warns of what it cannot do");
	}
	front_say_warnings(f, warnings);
}

/*
 * An attempt that has no record did not come to be: it was ended while it waited, or could not
 * begin. Then the one before is the answer, and what kept the other away is said.
 */
static int
answer(struct front *f, struct attempt *last, struct attempt *before)
{
	bool came_to_be = last->said.is_recorded || last->said.is_answered || before == NULL;
	struct attempt *a = came_to_be ? last : before;

	front_pass_on(f, a->held);
	if (!came_to_be) {
		int why[REPLAY__COUNT] = { -1, -1, last->held[REPLAY_STDERR], -1 };

		last->held[REPLAY_STDERR] = -1;
		front_pass_on(f, why);
	}
	f->exit_status = a->exit_status;
	if (a->said.wants_another) {
		front_receipt(f, a->said.call); /* it left that to one that did not come */
	}
	return f->exit_status;
}

/* Whether nothing is to follow: it succeeded, or what was to follow its failure has. */
static bool
is_settled(const struct said *s)
{
	return s->is_answered ||
	       (s->is_recorded &&
		(s->verdict == VERDICT_OK || (front_has_failed(s->verdict) && !s->wants_another)));
}

int
front_attempts(struct front *f, int (*run)(struct front *f, int rc))
{
	struct attempt pair[2] = { { .held = { -1, -1, -1, -1 } }, { .held = { -1, -1, -1, -1 } } };
	struct attempt *last = NULL, *before = NULL;
	bool told_to_end = false;
	struct masks masks;
	int rc;

	f->retries_left = f->profile->retries;
	block_tools(&masks);
	for (unsigned int tried = 0;; tried++) {
		struct attempt *now = &pair[tried % 2];

		if (tried > 0) {
			before = last;
			prepare_next(f, before, tried);
		}
		drop(now);
		rc = make_attempt(f, now);
		rc = rc < 0 ? rc : run_attempt(f, now, &masks, run, &told_to_end);
		if (rc < 0) {
			break;
		}
		last = now;
		if (!last->said.wants_another || told_to_end) {
			break;
		}
	}
	unblock_tools(&masks);
	if (rc < 0) {
		dprintf(STDERR_FILENO, "airlock: %s\n", f->err.text);
	}
	if (last == NULL) {
		return EXIT_AIRLOCK;
	}
	rc = answer(f, last, before);
	if (last->said.wants_another) {
		follow_failure(f, &last->said);
	} else if (before != NULL && !is_settled(&last->said)) {
		follow_failure(f, &before->said);
	}
	drop(&pair[0]);
	drop(&pair[1]);
	return rc;
}
