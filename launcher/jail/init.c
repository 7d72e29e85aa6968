/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PID 1 of the sandbox once the tool's process exists: reaps everything, forwards signals that the
 * supervisor names, stops and continues all others when it says so, reports the tool's end, and
 * dies, which ends whatever is left. The tool shares its uid but can neither trace it
 * (non-dumpable, filter) nor kill it (pid_namespaces(7)).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../sys/sys.h"
#include "jail.h"

/*
 * One process can continue another before its own turn comes, and the kernel continues groups whose
 * last parent died: stopped again, soon at first. To those that are stopped it makes no difference.
 */
#define STOP_AGAIN_FIRST_MS 1
#define STOP_AGAIN_LAST_MS 1000 /* and no more than twice that */

static void
on_child(int sig)
{
	(void)sig; /* its only use is to end ppoll */
}

static void __attribute__((noreturn))
die(struct jail *j, const char *step, int code)
{
	struct buf *message = &j->message;

	buf_reset(message);
	buf_u8(message, JAIL_FAILED);
	buf_u8(message, STAGE_attest);
	buf_u32(message, (uint32_t)-code);
	err_sys(&j->err, code, "%s", step);
	buf_str(message, j->err.text);
	ignore_err(sys_send_message(JAIL_FD_STATUS, message->data, message->len, NULL, 0),
		   "the supervisor sees our death all the same");
	_exit(125);
}

static void
report_end(struct jail *j, int status)
{
	struct buf *message = &j->message;

	buf_reset(message);
	buf_u8(message, JAIL_ENDED);
	buf_u32(message, (uint32_t)status);
	ignore_err(sys_send_message(JAIL_FD_STATUS, message->data, message->len, NULL, 0),
		   "no supervisor, nobody to tell");
	_exit(0);
}

static void
reap(struct jail *j, pid_t tool)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == tool) {
			report_end(j, status);
		}
	}
}

/*
 * All but ourselves, and us alone: what leaves our namespace is nobody. A fork that is under way
 * takes the signal along (kernel 4.19).
 */
static void
stop_all(bool stop)
{
	ignore_err(kill(-1, stop ? SIGSTOP : SIGCONT), "nobody is left");
}

/* The supervisor's messages; its end is ours. */
static void
obey(pid_t tool, int *again_ms)
{
	uint8_t message[8];
	ssize_t n = recv(JAIL_FD_STATUS, message, sizeof(message), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
		_exit(125);
	}
	if (n == 2 && message[0] == JAIL_SIGNAL) {
		ignore_err(kill(-tool, message[1]), "the group may be gone already");
	} else if (n == 2 && message[0] == JAIL_FREEZE) {
		*again_ms = message[1] != 0 ? STOP_AGAIN_FIRST_MS : 0;
		stop_all(message[1] != 0);
	}
}

/* false when a child ended, or the time is over. */
static bool
await_message(int timeout_ms, const sigset_t *open_mask)
{
	struct pollfd status = { .fd = JAIL_FD_STATUS, .events = POLLIN };
	const struct timespec timeout = { .tv_sec = timeout_ms / 1000,
					  .tv_nsec = timeout_ms % 1000 * 1000000L };

	return ppoll(&status, 1, timeout_ms != 0 ? &timeout : NULL, open_mask) > 0;
}

void
init_run(struct jail *j, pid_t tool)
{
	struct sigaction act = { .sa_handler = on_child };
	int again_ms = 0; /* 0: nothing is frozen */
	const uint8_t ready = JAIL_INIT_READY;
	sigset_t blocked, open_mask;
	int rc;

	sigemptyset(&open_mask);
	sigfillset(&blocked);
	/* without them it would not hear that the tool has ended */
	rc = sigprocmask(SIG_SETMASK, &blocked, NULL) < 0 || sigaction(SIGCHLD, &act, NULL) < 0
		     ? -errno
		     : 0;
	/*
	 * Only the status socket is needed from here on: the tool's pipes must close when the tool
	 * ends.
	 */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	if (rc == 0) {
		rc = sys_caps_clear();
	}
	if (rc == 0) {
		rc = sys_no_new_privs();
	}
	if (rc == 0) {
		rc = sys_seccomp_load(j->plan->init_filter, j->plan->init_filter_len, 0);
	}
	if (rc < 0) {
		die(j, "PID 1 could not give up its powers", rc);
	}
	rc = sys_send_message(JAIL_FD_STATUS, &ready, 1, NULL, 0);
	if (rc < 0) {
		_exit(125);
	}
	for (;;) {
		reap(j, tool);
		if (await_message(again_ms, &open_mask)) {
			obey(tool, &again_ms);
		} else if (again_ms != 0) {
			again_ms *= again_ms < STOP_AGAIN_LAST_MS ? 2 : 1;
			stop_all(true);
		}
	}
}
