/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads a compiled filter and makes the calls of profiles/vectors/default.def for real, each in
 * its own process, and every refused row of profiles/syscalls.def; says which gave something else.
 * Run by tests/e2e/filter_live.sh as a plain user in an empty directory; built for glibc and for
 * static musl.
 *
 *   seccomp_probe none            the positive control: what the same calls give without a filter
 *   seccomp_probe FILTER          under the filter
 *   seccomp_probe FILTER CMD ARG… runs a program under the filter
 *   seccomp_probe FILTER -l       only loads, prints how long seccomp(2) took in µs
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNTRIED (-1)
#define DIRT (1ULL << 32)
#define PATH(text) ((uint64_t)(uintptr_t)(text))
#define SCRATCH ((uint64_t)(uintptr_t)scratch)
#define KILLED 1000 /* not an errno: the process ended by SIGSYS */

static char scratch[4096];

struct call {
	const char *name;
	long nr;
	uint64_t arg[5];
	int inside, outside; /* 0 or an errno; UNTRIED */
};

enum {
#if defined(__x86_64__)
#define ALLOW(call, x86, arm, groups, why) NR_##call = (x86),
#define COND(call, x86, arm, groups, why) NR_##call = (x86),
#define DENY(call, x86, arm, groups, error, tell, why) NR_##call = (x86),
#else
#define ALLOW(call, x86, arm, groups, why) NR_##call = (arm),
#define COND(call, x86, arm, groups, why) NR_##call = (arm),
#define DENY(call, x86, arm, groups, error, tell, why) NR_##call = (arm),
#endif
#include "../../../profiles/syscalls.def"
};

/* Makes the call in a child; what it gave: 0, errno or KILLED. */
static int
try_call(long nr, const uint64_t *arg)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		long r = syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4], 0);

		_exit(r < 0 ? errno : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		return -1;
	}
	if (WIFSIGNALED(status)) {
		return WTERMSIG(status) == SIGSYS ? KILLED : 2000 + WTERMSIG(status);
	}
	return WEXITSTATUS(status);
}

/* As i386 code would: getpid is 20 there. */
static int
try_i386(void)
{
#if defined(__x86_64__)
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		long r = 20;

		__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
		_exit(r < 0 ? 255 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		return -1;
	}
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? KILLED : 0;
#else
	return KILLED;
#endif
}

static int
load(const char *path, long *ret_us)
{
	static struct sock_filter insns[BPF_MAXINSNS];
	struct sock_fprog prog = { .len = 0, .filter = insns };
	struct timespec a, b;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, insns, sizeof(insns));

	if (n <= 0) {
		perror(path);
		return -1;
	}
	close(fd);
	prog.len = (unsigned short)((size_t)n / sizeof(insns[0]));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		perror("no_new_privs");
		return -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) != 0) {
		perror("seccomp");
		return -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	*ret_us = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
	return 0;
}

static int failures, tried;

static void
expect(const char *name, const uint64_t *arg, int got, int want)
{
	bool same = got == want;

	tried++;
	failures += same ? 0 : 1;
	printf("%s %s(0x%llx, 0x%llx, 0x%llx): got %d, want %d\n", same ? "ok  " : "FAIL", name,
	       (unsigned long long)arg[0], (unsigned long long)arg[1], (unsigned long long)arg[2],
	       got, want);
}

static void
try_vectors(bool filtered)
{
	const struct call calls[] = {
#define MUST_ALLOW(call, a, b, c, d, e, gives)                                           \
	{ #call,                                                                         \
	  NR_##call,                                                                     \
	  { (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e) }, \
	  gives,                                                                         \
	  gives },
#define MUST_DENY(call, a, b, c, d, e, error, without)                                   \
	{ #call,                                                                         \
	  NR_##call,                                                                     \
	  { (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e) }, \
	  error,                                                                         \
	  without },
#include "../../../profiles/vectors/default.def"
	};
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int want = filtered ? calls[i].inside : calls[i].outside;

		if (want != UNTRIED && calls[i].nr >= 0) {
			expect(calls[i].name, calls[i].arg, try_call(calls[i].nr, calls[i].arg),
			       want);
		}
	}
}

/* Under the filter only: outside, some of these would do it. */
static void
try_refused_rows(void)
{
	static const uint64_t zero[5];
	static const struct {
		const char *name;
		long nr;
		int error;
	} rows[] = {
#define DENY(call, x86, arm, groups, errnum, tell, why) { #call, NR_##call, errnum },
#include "../../../profiles/syscalls.def"
		{ "unknown 499", 499, ENOSYS },
		{ "unknown 0x3fffffff", 0x3fffffff, ENOSYS },
#if defined(__x86_64__)
		{ "x32 getpid", 0x40000000 | 39, KILLED },
		{ "x32 socket", 0x40000000 | 41, KILLED },
		{ "x32 mount", 0x40000000 | 165, KILLED },
		{ "x32 execve", 0x40000000 | 520, KILLED },
#endif
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].nr >= 0) {
			expect(rows[i].name, zero, try_call(rows[i].nr, zero), rows[i].error);
		}
	}
	expect("i386 getpid", zero, try_i386(), KILLED);
}

int
main(int argc, char **argv)
{
	bool filtered = argc > 1 && strcmp(argv[1], "none") != 0;
	long us = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: seccomp_probe none|FILTER [-l | COMMAND [ARG…]]\n");
		return 2;
	}
	if (!filtered && geteuid() == 0) {
		fprintf(stderr, "seccomp_probe: not without a filter as root: it would do it\n");
		return 2;
	}
	if (filtered && load(argv[1], &us) != 0) {
		return 2;
	}
	if (argc > 2 && strcmp(argv[2], "-l") == 0) {
		printf("%ld\n", us);
		return 0;
	}
	if (argc > 2) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		return 127;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	try_vectors(filtered);
	if (filtered) {
		try_refused_rows();
	}
	printf("%d tried, %d failed\n", tried, failures);
	return failures == 0 && tried > 0 ? 0 : 1;
}
