/* SPDX-License-Identifier: Apache-2.0 */
/* Test helper: worlds to commit in, and who kills a process at one of its system calls. */
#ifndef AIRLOCK_TESTS_FAULTS_H
#define AIRLOCK_TESTS_FAULTS_H

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NOBODY 65534

static inline void
check(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "not ok %s: %s: %s\n", program_invocation_short_name, what,
			strerror(errno));
		exit(1);
	}
}

static inline int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void
remove_all(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A directory where user.* attributes are: in memory from Linux 6.6 on. */
static inline void
make_root(char *ret, size_t size)
{
	static const char *const places[] = { "/dev/shm", "/tmp" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(ret, size, "%s/airlock-faults-XXXXXX", places[i]);
		check(mkdtemp(ret) != NULL, ret);
		if (setxattr(ret, "user.note", "1", 1, 0) == 0) {
			return;
		}
		check(rmdir(ret) == 0, ret);
	}
	check(false, "a place that has user.* attributes");
}

/* A child that asks to be traced, stops, and executes argv when it may go on. */
static inline pid_t
start_traced(char *const argv[])
{
	pid_t pid = fork();

	check(pid >= 0, "fork");
	if (pid == 0) {
		check(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0, "trace");
		raise(SIGSTOP);
		execvp(argv[0], argv);
		check(false, argv[0]);
	}
	return pid;
}

/*
 * Lets a child go on that asked to be traced and has stopped, and kills it before its system call
 * `at`, counted from the first one that begins; 0: never. NULL begins: from its stop on. How many
 * it made; ret_status is waitpid's.
 */
static inline unsigned long
run_until(pid_t pid, unsigned long at, bool (*begins)(pid_t), int *ret_status)
{
	unsigned long calls = 0;
	bool entry = true, begun = begins == NULL;
	int status, signal = 0;

	check(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status), "the child stops");
	check(ptrace(PTRACE_SETOPTIONS, pid, NULL,
		     (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC)) == 0,
	      "trace the child");
	do {
		check(ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal) == 0, "go on");
		check(waitpid(pid, &status, 0) == pid, "wait");
		signal = 0;
		if (WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			begun = begun || (entry && begins(pid));
			calls += begun && entry;
			entry = !entry;
		} else if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGTRAP) {
			signal = WSTOPSIG(status);
		}
	} while (WIFSTOPPED(status) && (at == 0 || calls < at));
	if (WIFSTOPPED(status)) {
		check(kill(pid, SIGKILL) == 0, "kill");
		do {
			check(waitpid(pid, &status, 0) == pid, "wait");
		} while (WIFSTOPPED(status));
	}
	*ret_status = status;
	return calls;
}

#endif
