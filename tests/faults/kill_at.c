/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command and kills it before its Nth system call, counted from the one that begins to
 * commit: mkdirat of ".airlock-commit". 0: never; then it prints how many there were.
 * usage: kill_at N CMD [ARG…]
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/snapshot/commit.h"

static void
check(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "kill_at: %s: %s\n", what, strerror(errno));
		exit(125);
	}
}

/* Whether the call that pid is about to make begins a commit. */
static bool
begins(pid_t pid)
{
	struct __ptrace_syscall_info info;
	char name[sizeof(COMMIT_STAGING)] = "";
	struct iovec here = { name, sizeof(name) }, there = { NULL, sizeof(name) };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_mkdirat) {
		return false;
	}
	there.iov_base = (void *)(uintptr_t)info.entry.args[1];
	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)sizeof(name) &&
	       memcmp(name, COMMIT_STAGING, sizeof(name)) == 0;
}

static pid_t
start(char **argv)
{
	pid_t pid = fork();
	int status;

	check(pid >= 0, "fork");
	if (pid == 0) {
		check(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0, "trace");
		raise(SIGSTOP);
		execvp(argv[0], argv);
		check(false, argv[0]);
	}
	check(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status), "the command stops");
	check(ptrace(PTRACE_SETOPTIONS, pid, NULL,
		     (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC)) == 0,
	      "trace the command");
	return pid;
}

int
main(int argc, char **argv)
{
	unsigned long at = argc > 2 ? strtoul(argv[1], NULL, 10) : 0, calls = 0;
	bool entry = true, begun = false;
	int status = 0, signal = 0;
	pid_t pid;

	if (argc < 3) {
		fputs("usage: kill_at N CMD [ARG...]\n", stderr);
		return 125;
	}
	for (pid = start(argv + 2);;) {
		check(ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal) == 0, "go on");
		check(waitpid(pid, &status, 0) == pid, "wait");
		if (!WIFSTOPPED(status)) {
			break;
		}
		signal = 0;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
			continue;
		}
		begun = begun || (entry && begins(pid));
		calls += begun && entry;
		entry = !entry;
		if (at != 0 && calls == at) {
			check(kill(pid, SIGKILL) == 0, "kill");
			do {
				check(waitpid(pid, &status, 0) == pid, "wait");
			} while (WIFSTOPPED(status));
			break;
		}
	}
	if (argv[1][0] == '0') {
		printf("%lu\n", calls);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
