/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: our evaluator of seccomp filters against the kernel's own verdict. Run by a
 * developer or CI, on x86-64, as anybody. A child that shares our memory loads the program and
 * makes system calls whose number, arguments and place are known; what comes back is what the
 * evaluator must have said. The kernel takes a program exactly where we do.
 *
 * Numbers that no kernel has, and getpid, are all that is called: a program that allows one does
 * no harm. What a program returns can be asked for in parts, by an end that makes an errno of it:
 * else little of what it has computed would be seen. The child leaves by exit_group, which the
 * first instructions allow; they are judged like the rest.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "../../launcher/plan/filter_internal.h"
#include "fuzz.h"

#define BODY_MAX 96u  /* instructions of the input */
#define CALLS 3u      /* made under one program */
#define NO_SUCH 4096u /* a number that is nobody's, nor are the 255 behind it */
#define STACK_SIZE (64u << 10)
#define HEAD 4u /* instructions that let the child go */
#define END 4u	/* and that show a part of what was returned */

/* What the child saw, in memory of both. */
static struct seen {
	long loaded; /* of seccomp(2) */
	volatile unsigned int begun;
	long result[CALLS];
	bool trapped[CALLS];
	unsigned int trap_data[CALLS];
} seen;

static struct sock_filter program[HEAD + BODY_MAX + END];
static struct sock_fprog fprog;
static struct seccomp_data calls[CALLS];

static long
raw_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* The one call whose place is known: the filter sees the address behind it. */
long fuzz_filter_call(const struct seccomp_data *d);
extern const char fuzz_filter_behind[];
__asm__(".text\n"
	".globl fuzz_filter_call\n"
	"fuzz_filter_call:\n"
	"	mov %rdi, %r11\n"
	"	movslq (%r11), %rax\n"
	"	mov 16(%r11), %rdi\n"
	"	mov 24(%r11), %rsi\n"
	"	mov 32(%r11), %rdx\n"
	"	mov 40(%r11), %r10\n"
	"	mov 48(%r11), %r8\n"
	"	mov 56(%r11), %r9\n"
	"	syscall\n"
	".globl fuzz_filter_behind\n"
	"fuzz_filter_behind:\n"
	"	ret\n");

static void __attribute__((noreturn)) leave(void)
{
	for (;;) {
		raw_call(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	}
}

/* SECCOMP_RET_TRAP: the data is the error of the signal. Nothing goes on. */
static void __attribute__((no_sanitize("address", "undefined")))
on_trap(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	seen.trapped[seen.begun - 1] = true;
	seen.trap_data[seen.begun - 1] = (unsigned int)info->si_errno;
	leave();
}

static int __attribute__((no_sanitize("address", "undefined"))) child(void *arg)
{
	(void)arg;
	seen.loaded = raw_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (uintptr_t)&fprog, 0, 0, 0);
	for (unsigned int i = 0; seen.loaded == 0 && i < CALLS; i++) {
		seen.begun = i + 1;
		seen.result[i] = fuzz_filter_call(&calls[i]);
	}
	leave();
}

/* ---- the program ----------------------------------------------------------------------------- */

static const uint16_t opcodes[] = {
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_W | BPF_LEN,
	BPF_LDX | BPF_W | BPF_LEN,
	BPF_LD | BPF_IMM,
	BPF_LDX | BPF_IMM,
	BPF_LD | BPF_MEM,
	BPF_LDX | BPF_MEM,
	BPF_ST,
	BPF_STX,
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
	BPF_RET | BPF_K,
	BPF_RET | BPF_A,
	BPF_JMP | BPF_JA,
	BPF_ALU | BPF_NEG,
	BPF_ALU | BPF_ADD | BPF_K,
	BPF_ALU | BPF_ADD | BPF_X,
	BPF_ALU | BPF_SUB | BPF_K,
	BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_K,
	BPF_ALU | BPF_MUL | BPF_X,
	BPF_ALU | BPF_DIV | BPF_K,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_OR | BPF_K,
	BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_XOR | BPF_K,
	BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH | BPF_K,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_K,
	BPF_ALU | BPF_RSH | BPF_X,
	BPF_JMP | BPF_JEQ | BPF_K,
	BPF_JMP | BPF_JEQ | BPF_X,
	BPF_JMP | BPF_JGE | BPF_K,
	BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JGT | BPF_X,
	BPF_JMP | BPF_JSET | BPF_K,
	BPF_JMP | BPF_JSET | BPF_X,
	/* What the kernel does not let a filter have, or not in this form. */
	BPF_LD | BPF_H | BPF_ABS,
	BPF_LD | BPF_W | BPF_IND,
	BPF_LDX | BPF_B | BPF_MSH,
	BPF_ALU | BPF_MOD | BPF_K,
	BPF_RET | BPF_X,
	BPF_ALU | BPF_NEG | BPF_X,
	BPF_ST | BPF_X,
	BPF_MISC | BPF_TXA | BPF_K | 0x10,
};

/*
 * Eight bytes of the input. tame: what is out of its bounds is put into them, or hardly any program
 * would be taken.
 */
static struct sock_filter
instruction(const uint8_t *p, bool tame, unsigned int left)
{
	struct sock_filter in = { .code = opcodes[p[0] % ARRAY_LEN(opcodes)],
				  .jt = p[1],
				  .jf = p[2] };

	memcpy(&in.k, p + 4, sizeof(in.k));
	if (!tame) {
		in.code ^= p[3] > 250 ? (uint16_t)(1u << (p[3] & 15)) : 0;
		return in;
	}
	in.jt = (uint8_t)(in.jt % left);
	in.jf = (uint8_t)(in.jf % left);
	switch (in.code) {
	case BPF_LD | BPF_W | BPF_ABS:
		in.k = in.k % sizeof(struct seccomp_data) & ~3u;
		break;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		in.k %= 4;
		break;
	case BPF_JMP | BPF_JA:
		in.k %= left;
		break;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		in.k &= 31;
		break;
	default:
		break;
	}
	return in;
}

/*
 * Bits of how: 0 to 1, which part is shown at the end, 3: what the program returned as it is;
 * 2: tame; 3: scratch words are written first; 4: its own constants too are returned as they are,
 * most of which kill.
 */
static uint16_t
make_program(const uint8_t *data, size_t count, uint8_t how)
{
	const struct sock_filter head[HEAD] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_exit_group },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
		{ BPF_LD | BPF_IMM, 0, 0, 0 },
	};
	const unsigned int part = how & 3;
	const struct sock_filter end[END] = {
		{ BPF_ALU | BPF_RSH | BPF_K, 0, 0, part * 11 },
		{ BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x7ff },
		{ BPF_ALU | BPF_OR | BPF_K, 0, 0, SECCOMP_RET_ERRNO },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	size_t len = HEAD;

	memcpy(program, head, sizeof(head));
	for (unsigned int i = 0; (how & 8) != 0 && i < 4; i++) {
		program[len++] = (struct sock_filter){ BPF_ST, 0, 0, i };
	}
	for (size_t i = 0; i < count && len < HEAD + BODY_MAX; i++, len++) {
		const size_t behind =
			(count - i < HEAD + BODY_MAX - len ? count - i : HEAD + BODY_MAX - len) - 1;
		struct sock_filter in = instruction(data + 8 * i, (how & 4) != 0,
						    (unsigned int)(behind + (part < 3 ? END : 1)));

		if (part < 3 && in.code == (BPF_RET | BPF_A)) {
			in = (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, (uint32_t)behind };
		} else if ((how & 16) == 0 && in.code == (BPF_RET | BPF_K)) {
			in.k = SECCOMP_RET_ERRNO | (in.k & 0x7fff);
		}
		program[len] = in;
	}
	if (part < 3) {
		memcpy(&program[len], end, sizeof(end));
		return (uint16_t)(len + END);
	}
	program[len] = (struct sock_filter){ BPF_RET | BPF_A, 0, 0, 0 };
	return (uint16_t)(len + 1);
}

/* ---- the verdict ----------------------------------------------------------------------------- */

/* A call that is let through gives what the kernel says of it. */
static long
let_through(const struct seccomp_data *d)
{
	return d->nr == SYS_getpid ? -1 : -ENOSYS;
}

/* Whether the child goes on. */
static bool
compare(unsigned int i, uint32_t word, int status, pid_t pid)
{
	const uint32_t data = word & SECCOMP_RET_DATA;
	long wanted = -ENOSYS;

	switch (word & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ERRNO:
		wanted = -(long)(data > 4095 ? 4095 : data);
		break;
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		wanted = let_through(&calls[i]);
		wanted = wanted == -1 ? pid : wanted;
		break;
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_USER_NOTIF:
		break;
	case SECCOMP_RET_TRAP:
		require(seen.begun == i + 1 && seen.trapped[i], "the kernel did not trap");
		require(seen.trap_data[i] == data, "the kernel trapped with other data");
		return false;
	default: /* kill, and what no kernel knows */
		require(seen.begun == i + 1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
			"the kernel did not kill");
		return false;
	}
	require(seen.begun > i && !seen.trapped[i] && (seen.begun > i + 1 || !WIFSIGNALED(status)),
		"the kernel killed or trapped");
	require(seen.result[i] == wanted, "the kernel gave another result");
	return true;
}

static void
try_program(uint16_t len)
{
	static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
	int status = 0, valid = filter_validate(program, len);
	pid_t pid;

	fprog = (struct sock_fprog){ .len = len, .filter = program };
	memset(&seen, 0, sizeof(seen));
	pid = clone(child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	require(pid > 0 && waitpid(pid, &status, 0) == pid, "no child");
	require(seen.loaded == 0 || seen.loaded == -EINVAL, "the program could not be loaded");
	require((valid == 0) == (seen.loaded == 0),
		valid == 0 ? "we take what the kernel refuses" : "the kernel takes what we refuse");
	for (unsigned int i = 0; valid == 0 && i < CALLS; i++) {
		uint32_t word = 0;

		require(filter_eval(program, len, &calls[i], &word) == 0, "valid, and not run");
		if (!compare(i, word, status, pid)) {
			break;
		}
	}
}

/* No way to more power, no core, no dump of the memory that the child shares with us. */
static void
prepare(void)
{
	const struct sigaction trap = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	const struct rlimit none = { 0, 0 };

	require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
			prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
			setrlimit(RLIMIT_CORE, &none) == 0 && sigaction(SIGSYS, &trap, NULL) == 0,
		"not prepared");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool prepared;
	const size_t lead = 1 + CALLS * 8;

	if (!prepared) {
		prepare();
		prepared = true;
	}
	if (size < lead + 8) {
		return 0;
	}
	for (size_t i = 0; i < CALLS; i++) {
		const uint8_t *p = data + 1 + 8 * i;
		uint64_t seed;

		memcpy(&seed, p, sizeof(seed));
		calls[i] = (struct seccomp_data){
			.nr = p[0] == 0 ? SYS_getpid
			    : p[0] == 1 ? (int)(0x40000000u | (NO_SUCH + p[1]))
					: (int)(NO_SUCH + p[0]),
			.arch = AUDIT_ARCH_X86_64,
			.instruction_pointer = (uintptr_t)fuzz_filter_behind,
		};
		for (unsigned int n = 0; n < 6; n++) {
			calls[i].args[n] = n == 5 ? ~seed : seed << (n * 11) | seed >> (n * 7);
		}
	}
	try_program(make_program(data + lead, (size - lead) / 8, data[0]));
	return 0;
}
