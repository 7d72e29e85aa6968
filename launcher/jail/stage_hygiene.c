/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in PID 1 of the sandbox, first. Trusts nothing that it inherited. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../sys/sys.h"
#include "jail.h"

#define SIGNALS 64 /* the real-time ones and those a C library uses between threads included */

static int
reset_signals(struct jail *j)
{
	sigset_t none;

	for (int sig = 1; sig <= SIGNALS; sig++) {
		int rc = sig == SIGKILL || sig == SIGSTOP ? 0 : sys_signal_default(sig);

		if (rc < 0) {
			return err_sys(&j->err, rc, "reset signal %d", sig);
		}
	}
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) {
		return err_sys(&j->err, -errno, "reset the signal mask");
	}
	return 0;
}

/*
 * RLIMIT_CORE 1 and not 0: the kernel skips a core *file* for both, but runs a program that
 * core_pattern pipes to unless the limit is exactly 1 (core(5)). The filter says that no mapping
 * goes into a dump either way; it is what is left where the caller's hard limit is 0.
 */
static int
no_core(struct jail *j)
{
	struct rlimit limit;
	auto_fd filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	if (getrlimit(RLIMIT_CORE, &limit) < 0) {
		return err_sys(&j->err, -errno, "RLIMIT_CORE");
	}
	limit.rlim_cur = limit.rlim_max = limit.rlim_max < 1 ? 0 : 1;
	if (setrlimit(RLIMIT_CORE, &limit) < 0) {
		return err_sys(&j->err, -errno, "RLIMIT_CORE");
	}
	/* Absent only in a kernel without core dumps. */
	if (filter < 0 ? errno != ENOENT : write(filter, "0", 1) != 1) {
		return err_sys(&j->err, -errno, "coredump_filter");
	}
	return 0;
}

int
stage_hygiene(struct jail *j)
{
	int rc = sys_close_range(j->plan->fd_first_free, ~0u, 0);

	if (rc < 0) {
		return err_sys(&j->err, rc, "close_range");
	}
	for (int fd = JAIL_FD_STATUS; fd < (int)j->plan->fd_first_free; fd++) {
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
			return err_sys(&j->err, -errno, "descriptor %d", fd);
		}
	}
	rc = reset_signals(j);
	if (rc < 0) {
		return rc;
	}
	umask(022);
	/* whoever starts us as the leader of one has done it for us; a second time it fails */
	if (getsid(0) != getpid() && setsid() < 0) {
		return err_sys(&j->err, -errno, "setsid");
	}
	return no_core(j);
}
