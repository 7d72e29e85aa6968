/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acts on the kernel's own interfaces. Runs inside and outside, see attack.h. Where the act would
 * harm a host without a sandbox, its arguments are ones that the kernel refuses for another reason:
 * the control sees that reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "attack.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define NOWHERE ((uint64_t)(uintptr_t)"/nonexistent/airlock-attack")
#define TEXT(s) ((uint64_t)(uintptr_t)(s))
#define MINUS UINT64_MAX
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static void
act_namespaces(const char *line, const char *argument)
{
	static const uint64_t clone3_user[11] = { CLONE_NEWUSER, 0, 0, 0, SIGCHLD };
	static const struct call calls[] = {
		/* clang-format off */
		{ "unshare-user",   SYS_unshare, { CLONE_NEWUSER } },
		{ "unshare-mount",  SYS_unshare, { CLONE_NEWNS } },
		{ "unshare-pid",    SYS_unshare, { CLONE_NEWPID } },
		{ "unshare-net",    SYS_unshare, { CLONE_NEWNET } },
		{ "unshare-ipc",    SYS_unshare, { CLONE_NEWIPC } },
		{ "unshare-uts",    SYS_unshare, { CLONE_NEWUTS } },
		{ "unshare-cgroup", SYS_unshare, { CLONE_NEWCGROUP } },
		{ "unshare-time",   SYS_unshare, { CLONE_NEWTIME } },
		{ "unshare-user-dirty", SYS_unshare, { CLONE_NEWUSER | 1ull << 32 } },
		{ "clone-user",     SYS_clone, { CLONE_NEWUSER } },
		{ "clone-user-mount", SYS_clone, { CLONE_NEWUSER | CLONE_NEWNS } },
		{ "clone3-user",    SYS_clone3, { TEXT(clone3_user), sizeof(clone3_user) } },
		{ "setns-none",     SYS_setns, { MINUS, 0 } },
		/* clang-format on */
	};
	static const char *const own[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };

	(void)line, (void)argument;
	for (size_t i = 0; i < LENGTH(calls); i++) {
		report_call(&calls[i]);
	}
	for (size_t i = 0; i < LENGTH(own); i++) {
		char path[64], name[32];
		struct call call = { .name = name, .number = SYS_setns };
		int fd;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", own[i]);
		snprintf(name, sizeof(name), "setns-%s", own[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		call.args[0] = (uint64_t)fd;
		report_call(&call);
		close(fd);
	}
}

static void *
thread(void *argument)
{
	return argument;
}

static void
act_threads(const char *line, const char *argument)
{
	pthread_t id;

	(void)argument;
	errno = pthread_create(&id, NULL, thread, NULL);
	report(line, errno != 0 ? -1 : pthread_join(id, NULL));
}

static void
act_mounts(const char *line, const char *argument)
{
	static const struct call calls[] = {
		/* clang-format off */
		{ "mount-tmpfs",   SYS_mount, { TEXT("none"), TEXT("."), TEXT("tmpfs"), 0, 0 } },
		{ "mount-bind",    SYS_mount, { TEXT("/"), TEXT("."), 0, MS_BIND, 0 } },
		{ "mount-proc",    SYS_mount, { TEXT("none"), TEXT("."), TEXT("nosuchfs"), 0, 0 } },
		{ "umount2",       SYS_umount2, { NOWHERE, MNT_DETACH } },
		{ "umount-proc-sys", SYS_umount2, { TEXT("/proc/sys"), 0 } },
		{ "pivot_root",    SYS_pivot_root, { NOWHERE, NOWHERE } },
		{ "chroot",        SYS_chroot, { TEXT(".") } },
		{ "open_tree",     SYS_open_tree, { (uint64_t)AT_FDCWD, TEXT("."), 1 } },
		{ "move_mount",    SYS_move_mount, { MINUS, TEXT(""), MINUS, TEXT(""), 0 } },
		{ "fsopen",        SYS_fsopen, { TEXT("tmpfs"), 0 } },
		{ "fsconfig",      SYS_fsconfig, { MINUS, 0, 0, 0, 0 } },
		{ "fsmount",       SYS_fsmount, { MINUS, 0, 0 } },
		{ "fspick",        SYS_fspick, { (uint64_t)AT_FDCWD, NOWHERE, 0 } },
		{ "mount_setattr", 442, { (uint64_t)AT_FDCWD, NOWHERE, 0, TEXT("01234567012345670123456701234567"), 32 } },
		{ "open_tree_attr", 467, { (uint64_t)AT_FDCWD, NOWHERE, 0, 0, 0 } },
		/* clang-format on */
	};

	(void)line, (void)argument;
	for (size_t i = 0; i < LENGTH(calls); i++) {
		report_call(&calls[i]);
	}
}

#if defined(__x86_64__)
static long
i386_call(const void *argument)
{
	long r = *(const long *)argument;

	__asm__ volatile("int $0x80"
			 : "+a"(r)
			 : "b"(0), "c"(0), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = (int)-r;
	return r < 0 ? -1 : 0;
}
#endif

static void
act_foreign(const char *line, const char *argument)
{
#if defined(__x86_64__)
	static const long getpid_i386 = 20, socketcall_i386 = 102, mount_i386 = 21;
	static const struct call x32_socket = { "x32-socket", 0x40000000 | 41, { 16, 3, 0 } };
	static const struct call x32_mount = { "x32-mount", 0x40000000 | 165, { 0 } };
	static const struct call unknown = { "unknown-499", 499, { 0 } };

	(void)line, (void)argument;
	report_child("i386-getpid", i386_call, &getpid_i386);
	report_child("i386-socketcall", i386_call, &socketcall_i386);
	report_child("i386-mount", i386_call, &mount_i386);
	report_call(&x32_socket);
	report_call(&x32_mount);
	report_call(&unknown);
#else
	(void)line, (void)argument;
#endif
}

static void
act_io_uring(const char *line, const char *argument)
{
	static unsigned char params[120];

	(void)argument;
	report(line, syscall(SYS_io_uring_setup, 4, params));
}

static void
act_denied(const char *line, const char *argument)
{
	static char room[256];
	static const struct call calls[] = {
		/* clang-format off */
		{ "bpf",             SYS_bpf, { 5, 0, 0 } },
		{ "perf_event_open", SYS_perf_event_open, { 0, 0, MINUS, MINUS, 0 } },
		{ "userfaultfd",     SYS_userfaultfd, { 0x7fff } },
		{ "keyctl",          SYS_keyctl, { 0, (uint64_t)-3, 0 } },
		{ "add_key",         SYS_add_key, { 0, 0, 0, 0, 0 } },
		{ "request_key",     SYS_request_key, { 0, 0, 0, 0 } },
		{ "kexec_load",      SYS_kexec_load, { 0, 0, 0, 0x7fff } },
		{ "kexec_file_load", SYS_kexec_file_load, { MINUS, MINUS, 0, 0, 0x7fff } },
		{ "finit_module",    SYS_finit_module, { MINUS, TEXT(""), 0 } },
		{ "ptrace",          SYS_ptrace, { PTRACE_PEEKDATA, 0x7ffffff0, 0, 0 } },
		{ "process_vm_readv", SYS_process_vm_readv, { 0x7ffffff0, 0, 0, 0, 0, 0 } },
		{ "process_vm_writev", SYS_process_vm_writev, { 0x7ffffff0, 0, 0, 0, 0, 0 } },
		{ "pidfd_getfd",     438, { MINUS, 0, 0 } },
		{ "kcmp",            SYS_kcmp, { 0x7ffffff0, 0x7ffffff0, 1, 0, 0 } },
		{ "acct",            SYS_acct, { NOWHERE } },
		{ "swapon",          SYS_swapon, { NOWHERE, 0 } },
		{ "swapoff",         SYS_swapoff, { NOWHERE } },
		{ "quotactl",        SYS_quotactl, { 0x7fffff00, NOWHERE, 0, 0 } },
		{ "syslog",          SYS_syslog, { 10, 0, 0 } },
		{ "open_by_handle_at", SYS_open_by_handle_at, { MINUS, TEXT(room), 0 } },
		{ "fanotify_init",   SYS_fanotify_init, { 0x7fffffff, 0 } },
		{ "reboot",          SYS_reboot, { 0, 0, 0, 0 } },
		{ "sethostname",     SYS_sethostname, { 0, MINUS } },
		{ "setdomainname",   SYS_setdomainname, { 0, MINUS } },
		{ "clock_settime",   SYS_clock_settime, { 99, TEXT(room) } },
		{ "clock_adjtime",   SYS_clock_adjtime, { 99, TEXT(room) } },
		{ "settimeofday",    SYS_settimeofday, { 1, 0 } },
		{ "setgroups",       SYS_setgroups, { 0x7fffffff, 0 } },
		{ "mbind",           SYS_mbind, { 1, 4096, 0, 0, 0, 0 } },
		{ "migrate_pages",   SYS_migrate_pages, { 0x7ffffff0, 0, 0, 0 } },
		{ "move_pages",      SYS_move_pages, { 0x7ffffff0, 0, 0, 0, 0, 0x7fff } },
		{ "set_mempolicy",   SYS_set_mempolicy, { 99, 0, 0 } },
		{ "sched_setattr",   SYS_sched_setattr, { 0, 0, 0 } },
		{ "personality",     SYS_personality, { 0x0400000 | 0x0100000 } }, /* READ_IMPLIES_EXEC, MMAP_PAGE_ZERO */
#if defined(__x86_64__)
		{ "iopl",            SYS_iopl, { 99 } },
		{ "ioperm",          SYS_ioperm, { 0x7fffffff, 0x7fffffff, 1 } },
		{ "modify_ldt",      SYS_modify_ldt, { 99, 0, 0 } },
#endif
		/* clang-format on */
	};

	(void)line, (void)argument;
	for (size_t i = 0; i < LENGTH(calls); i++) {
		report_call(&calls[i]);
	}
}

static void
report_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2], full[2];
	char text[64];
	int bounding = 0;

	memset(data, 0, sizeof(data));
	memset(full, 0xff, sizeof(full));
	syscall(SYS_capget, &head, data);
	for (int i = 0; i < 64; i++) {
		bounding += prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1;
	}
	snprintf(text, sizeof(text), "%x %x %x, bounding %d", data[0].effective | data[1].effective,
		 data[0].permitted | data[1].permitted, data[0].inheritable | data[1].inheritable,
		 bounding);
	report_text("capabilities", text);
	report("capset", syscall(SYS_capset, &head, full));
}

static void
act_privileges(const char *line, const char *argument)
{
	uid_t own_uid = getuid();
	gid_t own_gid = getgid(), groups[64];
	char text[32];
	int n = getgroups(64, groups);
	long rc;

	(void)line, (void)argument;
	report_caps();
	report("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
	report("keepcaps", prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	report("securebits", prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
	report("no_new_privs-off", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	snprintf(text, sizeof(text), "%d", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	report_text("no_new_privs", text);
	/* where it is root's by name already, there is nothing to get */
	rc = syscall(SYS_setresuid, 0, 0, 0);
	report_text("setuid-0", own_uid == 0 ? "own" : rc < 0 ? errno_name(errno) : "ok");
	rc = syscall(SYS_setresgid, 0, 0, 0);
	report_text("setgid-0", own_gid == 0 ? "own" : rc < 0 ? errno_name(errno) : "ok");
	report("seccomp-off", prctl(PR_SET_SECCOMP, 0, 0, 0, 0));
	snprintf(text, sizeof(text), "%d", n);
	report_text("groups", text);
}

/* Given up, then taken back: the kernel asks of that what it asks of more than one had. */
static long
raise_limit(int resource)
{
	struct rlimit limit = { 0, 0 };

	if (setrlimit(resource, &limit) < 0) {
		return -1;
	}
	limit.rlim_max = RLIM_INFINITY;
	return setrlimit(resource, &limit);
}

static void
act_scheduling(const char *line, const char *argument)
{
	struct sched_param fifo = { .sched_priority = 1 };
	cpu_set_t cpus;

	(void)line, (void)argument;
	report("rlimit-up", raise_limit(RLIMIT_MSGQUEUE));
	report("core-up", raise_limit(RLIMIT_CORE));
	report("nice", setpriority(PRIO_PROCESS, 0, -20));
	report("ioprio-realtime", syscall(SYS_ioprio_set, 1, 0, 1 << 13));
	report("fifo", syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &fifo));
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	report("affinity", syscall(SYS_sched_setaffinity, 0, sizeof(cpus), &cpus));
}

/*
 * Of another process, to what it is already: who may set that may set any, and where it is the
 * host's own PID 1, nothing is changed.
 */
static void
act_slow(const char *line, const char *argument)
{
	const struct sched_param none = { 0 };
	pid_t pid = (pid_t)strtol(argument, NULL, 10);
	char name[96];

	(void)line;
	snprintf(name, sizeof(name), "policy:%s", argument);
	report(name, syscall(SYS_sched_setscheduler, pid,
			     syscall(SYS_sched_getscheduler, pid), &none));
	snprintf(name, sizeof(name), "param:%s", argument);
	report(name, syscall(SYS_sched_setparam, pid, &none));
	snprintf(name, sizeof(name), "nice:%s", argument);
	report(name, setpriority(PRIO_PROCESS, (id_t)pid, getpriority(PRIO_PROCESS, (id_t)pid)));
	snprintf(name, sizeof(name), "ioprio:%s", argument);
	report(name, syscall(SYS_ioprio_set, 1, pid, 2 << 13 | 4));
	snprintf(name, sizeof(name), "nice-group:%s", argument);
	report(name, setpriority(PRIO_PGRP, (id_t)pid, getpriority(PRIO_PROCESS, (id_t)pid)));
	snprintf(name, sizeof(name), "join:%s", argument);
	report(name, setpgid(0, pid));
}

static void
act_signal(const char *line, const char *argument)
{
	const char *sig;
	pid_t pid = (pid_t)strtol(cut(argument, &sig), NULL, 10);

	report(line, kill(pid, (int)strtol(sig, NULL, 10)));
}

static void
act_pidfd_kill(const char *line, const char *argument)
{
	int fd = (int)syscall(SYS_pidfd_open, strtol(argument, NULL, 10), 0);

	report(line, fd < 0 ? -1 : syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
}

static void
act_prlimit(const char *line, const char *argument)
{
	struct rlimit old;

	/* to look takes the same right as to set */
	report(line, syscall(SYS_prlimit64, strtol(argument, NULL, 10), RLIMIT_NPROC, NULL, &old));
}

static long
attach(const void *argument)
{
	return ptrace(PTRACE_ATTACH, (pid_t)strtol(argument, NULL, 10), NULL, NULL);
}

static void
act_trace(const char *line, const char *argument)
{
	report_child(line, attach, argument);
}

/*
 * What types into a terminal, on stdin and with the upper half of the command set (the kernel looks
 * at 32 bits).
 */
static void
act_terminal(const char *line, const char *argument)
{
	static const char x = 'x';
	static const int ldisc = 0;

	(void)line, (void)argument;
	report_text("isatty", isatty(0) || isatty(1) || isatty(2) ? "yes" : "no");
	report("TIOCSTI", syscall(SYS_ioctl, 0, TIOCSTI, &x));
	report("TIOCSTI-dirty", syscall(SYS_ioctl, 0, TIOCSTI | 1ull << 32, &x));
	report("TIOCLINUX", syscall(SYS_ioctl, 0, TIOCLINUX, "\2"));
	report("TIOCSETD", syscall(SYS_ioctl, 0, TIOCSETD, &ldisc));
	report("dev-tty", open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
}

static void
act_no_clone_of_proc(const char *line, const char *argument)
{
	(void)argument;
	report(line, syscall(SYS_fsopen, "proc", 0));
}

/* Its ABI, of which an expectation may depend. */
static void
act_landlock(const char *line, const char *argument)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	char text[24];

	(void)argument;
	snprintf(text, sizeof(text), "%ld", abi);
	report_text(line, abi < 0 ? errno_name(errno) : text);
}

static void
act_bits(const char *line, const char *argument)
{
	struct rlimit core;
	char text[64];

	(void)argument;
	getrlimit(RLIMIT_CORE, &core);
	snprintf(text, sizeof(text), "%ld %ld", (long)core.rlim_cur, (long)core.rlim_max);
	report_text(line, text);
}

const struct act acts_kernel[] = {
	/* clang-format off */
	{ "core-limit", act_bits },
	{ "denied", act_denied },
	{ "foreign", act_foreign },
	{ "fsopen-proc", act_no_clone_of_proc },
	{ "io_uring", act_io_uring },
	{ "landlock", act_landlock },
	{ "mounts", act_mounts },
	{ "namespaces", act_namespaces },
	{ "pidfd-kill", act_pidfd_kill },
	{ "privileges", act_privileges },
	{ "prlimit", act_prlimit },
	{ "scheduling", act_scheduling },
	{ "signal", act_signal },
	{ "slow", act_slow },
	{ "terminal", act_terminal },
	{ "threads", act_threads },
	{ "trace", act_trace },
	{ NULL, NULL },
	/* clang-format on */
};
