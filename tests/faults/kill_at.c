/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command and kills it before its Nth system call, counted from the one that begins to
 * commit: mkdirat of ".airlock-commit"; with -a from the first one on. 0: never; then it prints how
 * many there were. Only what the command itself calls counts, not what its children or threads do.
 * usage: kill_at [-a] N CMD [ARG…]
 */
#include <sys/syscall.h>
#include <sys/uio.h>

#include "../../launcher/snapshot/commit.h"
#include "faults.h"

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

int
main(int argc, char **argv)
{
	bool all = argc > 1 && strcmp(argv[1], "-a") == 0;
	unsigned long at, calls;
	int status;

	argc -= all;
	argv += all;
	if (argc < 3) {
		fputs("usage: kill_at [-a] N CMD [ARG...]\n", stderr);
		return 125;
	}
	at = strtoul(argv[1], NULL, 10);
	calls = run_until(start_traced(argv + 2), at, all ? NULL : begins, &status);
	if (at == 0) {
		printf("%lu\n", calls);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
