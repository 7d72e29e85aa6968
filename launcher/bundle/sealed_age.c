/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli and airlock-credd, as the caller. The files that age gets are anybody's: it
 * gets no environment, no terminal to ask for a passphrase, nothing but its descriptors, and so
 * much time and output.
 */
#include "sealed_age.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "../sys/filter_list.h"
#include "../sys/sys.h"

#define EXIT_NO_PROGRAM 127
#define SAID_MAX (64u << 10)
/* landlock(7): all rights but those to read and to execute */
#define FS_WRITES                                                                                  \
	(~(uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |                   \
		     LANDLOCK_ACCESS_FS_READ_DIR))

static void
bound(int resource, rlim_t value)
{
	const struct rlimit limit = { value, value };

	if (setrlimit(resource, &limit) < 0) {
		_exit(EXIT_NO_PROGRAM);
	}
}

/*
 * The programs are the distribution's, with a runtime of their own: what they have no use for is
 * taken away. They write nothing but what is open, and have no network.
 */
static int
confine(void)
{
#define REFUSE(nr) FILTER_LIST_CALL(nr, SECCOMP_RET_ERRNO | EPERM)
	static const struct sock_filter filter[] = {
		FILTER_LIST_HEAD,
		REFUSE(SYS_socket),
		REFUSE(SYS_socketpair),
		REFUSE(SYS_io_uring_setup),
		REFUSE(SYS_ptrace),
		REFUSE(SYS_process_vm_readv),
		REFUSE(SYS_process_vm_writev),
		REFUSE(SYS_bpf),
		REFUSE(SYS_keyctl),
		REFUSE(SYS_add_key),
		REFUSE(SYS_unshare),
		REFUSE(SYS_mount),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
#undef REFUSE
	int rc = sys_no_new_privs();

	rc = rc < 0 ? rc : sys_landlock_forbid(FS_WRITES);
	return rc < 0 ? rc : sys_seccomp_load(filter, ARRAY_LEN(filter), 0);
}

static void __attribute__((noreturn)) become_age(const struct age_child *c, pid_t parent)
{
	char *const envp[] = { NULL };
	int fds[] = { c->in_fd, c->out_fd, c->said_fd, c->identity_fd };
	sigset_t none;

	sigemptyset(&none);
	bound(RLIMIT_CORE, 0);
	bound(RLIMIT_CPU, AGE_SECONDS);
	bound(RLIMIT_FSIZE, CAP_SEALED_FILE);
	if (sys_place_fds(fds, c->identity_fd < 0 ? 3 : 4) == 0 && sys_leave_caller() == 0 &&
	    sys_end_with_parent(parent, SIGKILL) == 0 &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0 && confine() == 0) {
		execve(c->argv[0], (char *const *)c->argv, envp);
	}
	_exit(EXIT_NO_PROGRAM);
}

int
age_start(struct age_child *c, struct err *err)
{
	pid_t self = getpid();

	c->said_fd = fdio_memfd("age", "", 0);
	if (c->said_fd < 0) {
		return err_sys(err, c->said_fd, "start %s", c->argv[0]);
	}
	c->pid = fork();
	if (c->pid == 0) {
		become_age(c, self);
	}
	if (c->pid < 0) {
		c->pid = 0;
		return err_sys(err, -errno, "start %s", c->argv[0]);
	}
	c->pidfd = sys_pidfd_open(c->pid);
	return c->pidfd < 0 ? err_sys(err, c->pidfd, "start %s", c->argv[0]) : 0;
}

static int
reap(struct age_child *c, int *ret_status)
{
	pid_t pid = c->pid;

	c->pid = 0;
	return sys_wait(pid, ret_status);
}

/* Whether it ended in time. */
static bool
ends(const struct age_child *c)
{
	uint64_t until = clock_monotonic_ns() + AGE_SECONDS * 1000000000ull, now;
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	while ((now = clock_monotonic_ns()) < until) {
		int n = poll(&p, 1, (int)((until - now) / 1000000u) + 1);

		if (n > 0 || (n < 0 && errno != EINTR)) {
			return n > 0;
		}
	}
	return false;
}

static int
judge(const char *said, struct err *err)
{
	static const struct {
		const char *part;
		int code;
		const char *text;
	} known[] = {
		{ "no identity matched", -EKEYREJECTED,
		  "it was not encrypted to this identity's recipient" },
		{ "malformed recipient", -EINVAL,
		  "a recipient of the manifest is no public key of age: its checksum is wrong" },
		{ "failed to read header", -EBADMSG, "it is no age file, or damaged" },
		{ "passphrase", -EBADMSG,
		  "it is encrypted with a passphrase; encrypt it to a recipient" },
		{ "secret keys found", -EINVAL, "the identity file has no secret key of age" },
		{ "unknown identity type", -EINVAL, "the identity file has no secret key of age" },
		{ "malformed secret key", -EINVAL, "the identity file has no secret key of age" },
		{ "authenticate", -EBADMSG, "it is damaged" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strstr(said, known[i].part) != NULL) {
			return err_set(err, known[i].code, "%s", known[i].text);
		}
	}
	return err_set(err, -EBADMSG, "age could not read or write it");
}

int
age_wait(struct age_child *c, struct err *err)
{
	auto_buf said = BUF_INIT;
	int status;

	if (!ends(c)) {
		return err_set(err, -ETIMEDOUT, "%s had no answer after %u s", c->argv[0],
			       AGE_SECONDS);
	}
	if (reap(c, &status) < 0) {
		return err_set(err, -ECHILD, "nobody knows how %s ended", c->argv[0]);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		return 0;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PROGRAM) {
		return err_set(err, -ENOENT, "%s cannot be run: apt-get install age", c->argv[0]);
	}
	/* its own offset is at the end */
	if (lseek(c->said_fd, 0, SEEK_SET) < 0 || fdio_slurp(c->said_fd, SAID_MAX, &said) < 0) {
		buf_reset(&said);
	}
	return judge(buf_text(&said), err);
}

void
age_finish(struct age_child *c)
{
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		ignore_err(reap(c, NULL), "what it did is of no use");
	}
	cleanup_fd(&c->said_fd);
	cleanup_fd(&c->pidfd);
}
