/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command under somebody else's seccomp filter: what a container, a systemd unit or an old
 * kernel would do to airlock. Used by the end-to-end tests, as the developer or CI; trusts its
 * arguments. No preload, no library: the filter is inherited over exec and by every child.
 *
 *   outer_filter RULE... -- COMMAND [ARG...]
 *
 * RULE is one of
 *   SYSCALL=ERRNO        the call gives that error: openat2=ENOSYS, mount=EPERM
 *   SYSCALL=KILL         the process is killed by SIGSYS
 *   SYSCALL=NOTIFY       a listener stands already, so that the next one gives EBUSY; nobody
 *   answers it: name a
 *                        call that the command does not make (the usual choice is acct)
 *   SYSCALL@N&MASK=...   only when argument N (0..5) has a bit of MASK set:
 *   clone@0&0x10000000=EPERM refuses
 *                        new user namespaces. MASK has 32 bits, the low half of the argument is
 *                        looked at A SYSCALL is a name that this program knows (-l lists them) or a
 *                        number; an ERRNO is a name of errno.h or a number. The first rule that
 *                        fits decides; what no rule names is allowed. Only the native architecture
 *                        is filtered, the others are let through.
 *
 * no_new_privs is set unless the caller may do without (CAP_SYS_ADMIN) and -p is given first.
 * Exit: the command's; 125 for a wrong argument or a filter that the kernel refuses; 126, 127 when
 * exec fails.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#error "this architecture is not known here"
#endif

#define INSNS_MAX 512
#define INSNS_PER_RULE 6

struct name {
	const char *name;
	long value;
};

#define CALL(n) { #n, SYS_##n },
static const struct name calls[] = {
	/* clang-format off */
	CALL(acct) CALL(bpf) CALL(capset) CALL(clone) CALL(clone3) CALL(close_range) CALL(copy_file_range)
	CALL(execveat) CALL(fallocate) CALL(fchmod) CALL(fchown) CALL(fdatasync) CALL(flock) CALL(fsconfig)
	CALL(fsmount) CALL(fsopen) CALL(fsync) CALL(getppid) CALL(getrandom) CALL(landlock_add_rule)
	CALL(landlock_create_ruleset) CALL(landlock_restrict_self) CALL(linkat) CALL(memfd_create) CALL(mkdirat)
	CALL(mount) CALL(mount_setattr) CALL(move_mount) CALL(open_tree) CALL(openat2) CALL(personality)
	CALL(pidfd_open) CALL(pidfd_send_signal) CALL(pivot_root) CALL(prctl) CALL(prlimit64) CALL(ptrace)
	CALL(renameat2) CALL(seccomp) CALL(sendmsg) CALL(setgroups) CALL(sethostname) CALL(setns)
	CALL(setresgid) CALL(setresuid) CALL(setsid) CALL(socket) CALL(socketpair) CALL(statx) CALL(symlinkat)
	CALL(umount2) CALL(unlinkat) CALL(unshare) CALL(waitid)
	/* clang-format on */
};

#define ERROR(n) { #n, n },
static const struct name errors[] = {
	/* clang-format off */
	ERROR(EACCES) ERROR(EAFNOSUPPORT) ERROR(EAGAIN) ERROR(EBADF) ERROR(EBUSY) ERROR(EDQUOT) ERROR(EEXIST)
	ERROR(EINTR) ERROR(EINVAL) ERROR(EIO) ERROR(ELOOP) ERROR(EMFILE) ERROR(ENFILE) ERROR(ENODEV) ERROR(ENOENT)
	ERROR(ENOMEM) ERROR(ENOSPC) ERROR(ENOSYS) ERROR(ENOTTY) ERROR(EOPNOTSUPP) ERROR(EPERM) ERROR(EROFS)
	ERROR(ESRCH) ERROR(EUSERS) ERROR(EXDEV)
	/* clang-format on */
};

struct rule {
	long call;
	int argument; /* -1: any */
	uint32_t mask, action;
};

static void __attribute__((noreturn, format(printf, 1, 2)))
wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("outer_filter: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(125);
}

/* A name of the table, or a number; -1. */
static long
lookup(const struct name *table, size_t count, const char *text)
{
	unsigned long value;
	char *end;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(table[i].name, text) == 0) {
			return table[i].value;
		}
	}
	if (text[0] < '0' || text[0] > '9') {
		return -1;
	}
	value = strtoul(text, &end, 0);
	return *end == '\0' && value <= INT32_MAX ? (long)value : -1;
}

static uint32_t
parse_action(const char *text)
{
	long error;

	if (strcmp(text, "KILL") == 0) {
		return SECCOMP_RET_KILL_PROCESS;
	}
	if (strcmp(text, "NOTIFY") == 0) {
		return SECCOMP_RET_USER_NOTIF;
	}
	error = lookup(errors, sizeof(errors) / sizeof(errors[0]), text);
	if (error <= 0 || error > 4095) {
		wrong("no errno is called %s", text);
	}
	return SECCOMP_RET_ERRNO | (uint32_t)error;
}

static void
parse_condition(char *text, struct rule *r)
{
	char *end;
	unsigned long mask;

	if (text[0] < '0' || text[0] > '5' || text[1] != '&') {
		wrong("a condition is @N&MASK, N from 0 to 5");
	}
	r->argument = text[0] - '0';
	mask = strtoul(text + 2, &end, 0);
	if (*end != '\0' || end == text + 2 || mask == 0 || mask > UINT32_MAX) {
		wrong("%s is no mask of 32 bits", text + 2);
	}
	r->mask = (uint32_t)mask;
}

static struct rule
parse_rule(char *text)
{
	struct rule r = { .argument = -1 };
	char *equals = strchr(text, '='), *at;

	if (equals == NULL) {
		wrong("%s is no SYSCALL=ERRNO", text);
	}
	*equals = '\0';
	at = strchr(text, '@');
	if (at != NULL) {
		*at = '\0';
		parse_condition(at + 1, &r);
	}
	r.call = lookup(calls, sizeof(calls) / sizeof(calls[0]), text);
	if (r.call < 0) {
		wrong("no system call is called %s here; -l lists the names", text);
	}
	r.action = parse_action(equals + 1);
	return r;
}

/*
 * Appends "if the rule fits, return its action"; the number of the call is in the accumulator
 * before and after.
 */
static size_t
put_rule(struct sock_filter *out, const struct rule *r)
{
	const size_t nr_at = offsetof(struct seccomp_data, nr);
	/* the low half of an argument comes first: both architectures are little endian */
	const size_t arg_at = offsetof(struct seccomp_data, args) +
			      8u * (size_t)(r->argument < 0 ? 0 : r->argument);
	size_t n = 0;

	if (r->argument < 0) {
		out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							(uint32_t)r->call, 0, 1);
		out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, r->action);
		return n;
	}
	out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->call, 0, 4);
	out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)arg_at);
	out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, r->mask, 0, 1);
	out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, r->action);
	out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)nr_at);
	return n;
}

static void
load(const struct rule *rules, size_t count)
{
	struct sock_filter insns[INSNS_MAX];
	struct sock_fprog prog = { .filter = insns };
	unsigned long flags = 0;
	size_t n = 0;
	long fd;

	insns[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  offsetof(struct seccomp_data, arch));
	insns[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0);
	insns[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	insns[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < count; i++) {
		n += put_rule(&insns[n], &rules[i]);
		if (rules[i].action == SECCOMP_RET_USER_NOTIF) {
			flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
		}
	}
	insns[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = (unsigned short)n;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (fd < 0) {
		wrong("seccomp: %s", strerror(errno));
	}
	/* Open it stays over exec: without an open listener the kernel would take another one. */
	if (flags != 0 && dup((int)fd) < 0) {
		wrong("dup: %s", strerror(errno));
	}
}

int
main(int argc, char **argv)
{
	struct rule rules[(INSNS_MAX - 8) / INSNS_PER_RULE];
	size_t count = 0;
	int at = 1, keep_privs = 0;

	if (argc == 2 && strcmp(argv[1], "-l") == 0) {
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
			puts(calls[i].name);
		}
		return 0;
	}
	if (at < argc && strcmp(argv[at], "-p") == 0) {
		keep_privs = 1;
		at++;
	}
	for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
		if (count == sizeof(rules) / sizeof(rules[0])) {
			wrong("too many rules");
		}
		rules[count++] = parse_rule(argv[at]);
	}
	if (at + 1 >= argc || count == 0) {
		wrong("usage: outer_filter [-p] SYSCALL[@N&MASK]=ERRNO|KILL|NOTIFY... -- COMMAND "
		      "[ARG...]");
	}
	if (!keep_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		wrong("no_new_privs: %s", strerror(errno));
	}
	load(rules, count);
	execvp(argv[at + 1], argv + at + 1);
	at = errno == ENOENT ? 127 : 126;
	perror("outer_filter: exec");
	return at;
}
