/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command, which is `airlock run … -- TOOL`, and makes one system call of those fail that
 * come before TOOL is executed: the Kth of the Pth process, counted from 0 in the order in which
 * they came to be. The call is not made, its caller gets ERRNO; close(2) is made all the same, as
 * the kernel does when it fails. A line "P K PROGRAM NAME(ARG0,ARG1)" of it is written to the file
 * OUT, and "ran" when TOOL is executed. P = -1: none fails, and there is a line of each. The
 * programs of `ignored` are let go when they are executed.
 * usage: fail_at TOOL P K ERRNO OUT CMD [ARG…]
 * Exit status: the command's; 99: the system call never came.
 */
#include <fcntl.h>
#include <limits.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include "faults.h"

#define PROCESSES_MAX 64
#define NEVER_CAME 99
/* The manual has no failure for them, or nobody can go on when they do nothing. */
static const int cannot_fail[] = {
	SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_arch_prctl, SYS_set_tid_address, SYS_umask,
	SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
};

static const char *const ignored[] = { "airlock-log", "airlock-cli" };

struct process {
	pid_t pid;
	long calls;	/* that it has begun */
	bool fails;	/* the one that it is in */
	bool gone;	/* ended or let go; its number is not used again */
};

struct run {
	struct process process[PROCESSES_MAX];
	size_t n;
	const char *tool;
	long at_process, at_call;
	int error;
	FILE *out;
	bool over; /* TOOL is executed */
	bool came;
};

/* The process of pid, a new one when it is not known. */
static struct process *
process_of(struct run *run, pid_t pid)
{
	for (size_t i = 0; i < run->n; i++) {
		if (run->process[i].pid == pid && !run->process[i].gone) {
			return &run->process[i];
		}
	}
	check(run->n < PROCESSES_MAX, "a place for one more process");
	run->process[run->n] = (struct process){ .pid = pid };
	return &run->process[run->n++];
}

/* The last part of the name of what pid executes. */
static void
program_of(pid_t pid, char *ret, size_t size)
{
	char link[32], path[PATH_MAX];
	const char *name;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	name = strrchr(path, '/');
	snprintf(ret, size, "%.63s", name ? name + 1 : path);
}

static void
write_line(struct run *run, const struct process *p,
	   const struct __ptrace_syscall_info *info)
{
	char program[64];
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)info->entry.nr);

	program_of(p->pid, program, sizeof(program));
	fprintf(run->out, "%td %ld %s %s(%#llx,%#llx)\n", p - run->process, p->calls - 1, program,
		name ? name : "?", (unsigned long long)info->entry.args[0],
		(unsigned long long)info->entry.args[1]);
	free(name);
}

/* Another value for the register of pid at the offset. */
static void
set_register(pid_t pid, size_t offset, long value)
{
	check(ptrace(PTRACE_POKEUSER, pid, (void *)offset, (void *)value) == 0,
	      "change a register");
}

static bool
can_fail(const struct __ptrace_syscall_info *info)
{
	unsigned long long nr = info->entry.nr;

	if (nr == SYS_fcntl && info->entry.args[1] == F_GETFD) {
		return false;
	}
	for (size_t i = 0; i < sizeof(cannot_fail) / sizeof(cannot_fail[0]); i++) {
		if ((unsigned long long)cannot_fail[i] == nr) {
			return false;
		}
	}
	return true;
}

static void
at_syscall(struct run *run, struct process *p)
{
	struct __ptrace_syscall_info info;

	/* killed meanwhile: that is said when it is waited for */
	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info), &info) <= 0) {
		return;
	}
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && p->fails) {
		set_register(p->pid, offsetof(struct user_regs_struct, rax), -run->error);
		p->fails = false;
		return;
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY) {
		return;
	}
	p->calls++;
	if (run->at_process < 0 && can_fail(&info)) {
		write_line(run, p, &info);
	}
	if (p - run->process == run->at_process && p->calls - 1 == run->at_call &&
	    can_fail(&info)) {
		p->fails = run->came = true;
		write_line(run, p, &info);
		if (info.entry.nr != SYS_close) {
			set_register(p->pid, offsetof(struct user_regs_struct, orig_rax), -1);
		}
	}
}

/* Whether pid, which has just executed something, is let go. */
static bool
let_go(struct run *run, pid_t pid)
{
	char program[64];

	program_of(pid, program, sizeof(program));
	if (!run->over && strcmp(program, run->tool) == 0) {
		run->over = true;
		fputs("ran\n", run->out);
	}
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		if (strcmp(program, ignored[i]) == 0) {
			return true;
		}
	}
	return run->over;
}

/* One stop of pid; what is to be given to it when it goes on. */
static int
at_stop(struct run *run, struct process *p, int status, bool *ret_let_go)
{
	int signal = WSTOPSIG(status), event = status >> 16;
	unsigned long child;

	if (signal == (SIGTRAP | 0x80)) {
		at_syscall(run, p);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC) {
		*ret_let_go = let_go(run, p->pid);
		return 0;
	}
	/* its number is that of its making, not of when it is first seen to run */
	if ((event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	     event == PTRACE_EVENT_CLONE) &&
	    ptrace(PTRACE_GETEVENTMSG, p->pid, NULL, &child) == 0) {
		(void)process_of(run, (pid_t)child);
	}
	/* a new process begins with a stop of its own */
	return event != 0 || (signal == SIGSTOP && p->calls == 0) ? 0 : signal;
}

static int
follow(struct run *run, pid_t first)
{
	int status, signal, result = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		struct process *p;
		bool go = run->over;

		if (pid == first && !WIFSTOPPED(status)) {
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			continue;
		}
		p = process_of(run, pid);
		if (!WIFSTOPPED(status)) {
			p->gone = true;
			continue;
		}
		signal = at_stop(run, p, status, &go);
		/* one that was killed meanwhile says so when it is waited for */
		p->gone = go;
		ptrace(go ? PTRACE_DETACH : PTRACE_SYSCALL, pid, NULL, (void *)(long)signal);
	}
	return result;
}

int
main(int argc, char **argv)
{
	struct run run = { 0 };
	int result, status;
	pid_t pid;

	if (argc < 7) {
		fputs("usage: fail_at TOOL P K ERRNO OUT CMD [ARG...]\n", stderr);
		return 125;
	}
	run.tool = argv[1];
	run.at_process = atol(argv[2]);
	run.at_call = atol(argv[3]);
	run.error = atoi(argv[4]);
	run.out = fopen(argv[5], "we");
	check(run.out != NULL, argv[5]);
	pid = start_traced(argv + 6);
	check(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status), "the child stops");
	check(ptrace(PTRACE_SETOPTIONS, pid, NULL,
		     (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC |
			      PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			      PTRACE_O_TRACECLONE)) == 0,
	      "trace the child");
	(void)process_of(&run, pid);
	check(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0, "go on");
	result = follow(&run, pid);
	check(fclose(run.out) == 0, argv[5]);
	return run.at_process >= 0 && !run.came ? NEVER_CAME : result;
}
