/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. The evaluator: what it refuses, row by row, and what each
 * instruction does.
 */
#include "../../../launcher/plan/filter_internal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>

#define RET_K BPF_STMT(BPF_RET | BPF_K, 7)
#define PROGRAM_MAX 8

struct program {
	const char *what;
	uint16_t len;
	struct sock_filter insns[PROGRAM_MAX];
	uint32_t gives;
};

static const struct seccomp_data sample = {
	.nr = 0x11223344,
	.arch = 0xc000003e,
	.instruction_pointer = 0x5566778899aabbcc,
	.args = { 0x0102030405060708, 1, 2, 3, 4, 0xfffffffffffffff6 },
};

static const struct program refused[] = {
	{ .what = "jump past the end",
	  .len = 2,
	  .insns = { BPF_STMT(BPF_JMP | BPF_JA, 1), RET_K } },
	{ .what = "far jump",
	  .len = 2,
	  .insns = { BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), RET_K } },
	{ .what = "true branch past the end",
	  .len = 2,
	  .insns = { BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), RET_K } },
	{ .what = "false branch past the end",
	  .len = 2,
	  .insns = { BPF_JUMP(BPF_JMP | BPF_JSET | BPF_X, 0, 0, 255), RET_K } },
	{ .what = "no return", .len = 1, .insns = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) } },
	{ .what = "ends in a jump", .len = 2, .insns = { RET_K, BPF_STMT(BPF_JMP | BPF_JA, 0) } },
	{ .what = "unknown opcode", .len = 2, .insns = { BPF_STMT(0xff, 0), RET_K } },
	{ .what = "opcode with high bits", .len = 2, .insns = { BPF_STMT(0x120, 0), RET_K } },
	{ .what = "modulo, which seccomp does not take",
	  .len = 2,
	  .insns = { BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RET_K } },
	{ .what = "byte load",
	  .len = 2,
	  .insns = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RET_K } },
	{ .what = "indirect load",
	  .len = 2,
	  .insns = { BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), RET_K } },
	{ .what = "return of X", .len = 2, .insns = { RET_K, BPF_STMT(BPF_RET | BPF_X, 0) } },
	{ .what = "load past the data",
	  .len = 2,
	  .insns = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RET_K } },
	{ .what = "unaligned load",
	  .len = 2,
	  .insns = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RET_K } },
	{ .what = "division by 0",
	  .len = 2,
	  .insns = { BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RET_K } },
	{ .what = "shift by 32",
	  .len = 2,
	  .insns = { BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RET_K } },
	{ .what = "scratch word 16", .len = 2, .insns = { BPF_STMT(BPF_ST, 16), RET_K } },
	{ .what = "scratch read before write",
	  .len = 2,
	  .insns = { BPF_STMT(BPF_LD | BPF_MEM, 3), RET_K } },
	{ .what = "scratch written on one path only",
	  .len = 4,
	  .insns = { BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_ST, 3),
		     BPF_STMT(BPF_LDX | BPF_MEM, 3), RET_K } },
	{ .what = "empty", .len = 0 },
};

Test(filter_eval, refuses_what_the_kernel_refuses)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(refused); i++) {
		uint32_t action = 0xdead;

		cr_expect_eq(filter_eval(refused[i].insns, refused[i].len, &sample, &action),
			     -EINVAL, "%s", refused[i].what);
		cr_expect_eq(action, 0xdead, "%s", refused[i].what);
	}
}

Test(filter_eval, refuses_too_long_and_none)
{
	static struct sock_filter many[BPF_MAXINSNS + 1];
	uint32_t action = 0;
	size_t i;

	for (i = 0; i < ARRAY_LEN(many); i++) {
		many[i] = (struct sock_filter)RET_K;
	}
	cr_expect_eq(filter_eval(many, BPF_MAXINSNS, &sample, &action), 0);
	cr_expect_eq(action, 7);
	cr_expect_eq(filter_eval(many, BPF_MAXINSNS + 1, &sample, &action), -EINVAL);
	cr_expect_eq(filter_eval(NULL, 1, &sample, &action), -EINVAL);
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IMM(k) BPF_STMT(BPF_LD | BPF_IMM, k)
#define IMMX(k) BPF_STMT(BPF_LDX | BPF_IMM, k)
#define ALU(op, k) BPF_STMT(BPF_ALU | (op) | BPF_K, k)
#define ALUX(op) BPF_STMT(BPF_ALU | (op) | BPF_X, 0)
#define RET_A BPF_STMT(BPF_RET | BPF_A, 0)

static const struct program runs[] = {
	{ "constant", 1, { RET_K }, 7 },
	{ "number", 2, { LOAD(nr), RET_A }, 0x11223344 },
	{ "architecture", 2, { LOAD(arch), RET_A }, 0xc000003e },
	{ "argument, low half", 2, { LOAD(args[0]), RET_A }, 0x05060708 },
	{ "argument, high half", 2, { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 20), RET_A }, 0x01020304 },
	{ "last word", 2, { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), RET_A }, 0xffffffff },
	{ "length", 2, { BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), RET_A }, 64 },
	{ "length to X",
	  3,
	  { BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0), RET_A },
	  64 },
	{ "add wraps", 3, { IMM(0xffffffff), ALU(BPF_ADD, 3), RET_A }, 2 },
	{ "sub wraps", 3, { IMM(1), ALU(BPF_SUB, 3), RET_A }, 0xfffffffe },
	{ "mul", 3, { IMM(6), ALU(BPF_MUL, 7), RET_A }, 42 },
	{ "div", 3, { IMM(43), ALU(BPF_DIV, 7), RET_A }, 6 },
	{ "div by X = 0 kills",
	  4,
	  { IMM(43), IMMX(0), ALUX(BPF_DIV), RET_A },
	  SECCOMP_RET_KILL_THREAD },
	{ "and", 3, { IMM(0xff), ALU(BPF_AND, 0x3c), RET_A }, 0x3c },
	{ "or", 3, { IMM(0xf0), ALU(BPF_OR, 0x0c), RET_A }, 0xfc },
	{ "xor X", 4, { IMM(0xff), IMMX(0x0f), ALUX(BPF_XOR), RET_A }, 0xf0 },
	{ "left", 3, { IMM(1), ALU(BPF_LSH, 31), RET_A }, 0x80000000 },
	{ "right", 3, { IMM(0x80000000), ALU(BPF_RSH, 31), RET_A }, 1 },
	{ "neg", 3, { IMM(1), ALU(BPF_NEG, 0), RET_A }, 0xffffffff },
	{ "tax, txa",
	  5,
	  { IMM(9), BPF_STMT(BPF_MISC | BPF_TAX, 0), IMM(1), BPF_STMT(BPF_MISC | BPF_TXA, 0),
	    RET_A },
	  9 },
	{ "scratch",
	  5,
	  { IMM(5), BPF_STMT(BPF_ST, 15), IMM(1), BPF_STMT(BPF_LD | BPF_MEM, 15), RET_A },
	  5 },
	{ "scratch of X",
	  4,
	  { IMMX(5), BPF_STMT(BPF_STX, 0), BPF_STMT(BPF_LD | BPF_MEM, 0), RET_A },
	  5 },
	{ "ja", 4, { BPF_STMT(BPF_JMP | BPF_JA, 1), RET_K, IMM(3), RET_A }, 3 },
	{ "jeq yes", 4, { IMM(3), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 3, 1, 0), RET_K, RET_A }, 3 },
	{ "jeq no", 4, { IMM(3), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4, 1, 0), RET_K, RET_A }, 7 },
	{ "jgt is unsigned",
	  4,
	  { IMM(0x80000000), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1, 1, 0), RET_K, RET_A },
	  0x80000000 },
	{ "jgt of equals",
	  4,
	  { IMM(3), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 3, 1, 0), RET_K, RET_A },
	  7 },
	{ "jge of equals",
	  4,
	  { IMM(3), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 3, 1, 0), RET_K, RET_A },
	  3 },
	{ "jset yes",
	  4,
	  { IMM(6), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 2, 1, 0), RET_K, RET_A },
	  6 },
	{ "jset no",
	  4,
	  { IMM(6), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 9, 1, 0), RET_K, RET_A },
	  7 },
	{ "jeq X",
	  5,
	  { IMM(6), IMMX(6), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0), RET_K, RET_A },
	  6 },
};

Test(filter_eval, runs_each_instruction)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(runs); i++) {
		uint32_t action = 0xdead;

		cr_expect_eq(filter_eval(runs[i].insns, runs[i].len, &sample, &action), 0, "%s",
			     runs[i].what);
		cr_expect_eq(action, runs[i].gives, "%s: %x", runs[i].what, action);
	}
}

Test(filter_eval, says_what_it_reached)
{
	static const struct sock_filter insns[] = {
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		RET_K,
		BPF_STMT(BPF_RET | BPF_K, 8),
	};
	bool seen[3] = { false };

	cr_assert_eq(filter_validate(insns, 3), 0);
	cr_expect_eq(filter_run(insns, &sample, seen), 8);
	cr_expect_eq(seen[0], true);
	cr_expect_eq(seen[1], false);
	cr_expect_eq(seen[2], true);
}
