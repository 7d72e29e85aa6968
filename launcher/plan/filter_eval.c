/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic BPF as the kernel takes and runs it for seccomp (bpf_check_classic,
 * seccomp_check_filter, net/core/filter.c). Pure; any process may call. Trusts nothing: the
 * program's bytes are hostile until filter_validate has passed them, the call's data always.
 */
#include "filter_internal.h"

#include <errno.h>
#include <string.h>

/* Instructions that the kernel lets a seccomp filter have. */
static bool
opcode_known(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_JMP | BPF_JA:
	case BPF_ALU | BPF_NEG:
		return true;
	default:
		break;
	}
	switch (code & ~BPF_X) {
	case BPF_ALU | BPF_ADD:
	case BPF_ALU | BPF_SUB:
	case BPF_ALU | BPF_MUL:
	case BPF_ALU | BPF_DIV:
	case BPF_ALU | BPF_AND:
	case BPF_ALU | BPF_OR:
	case BPF_ALU | BPF_XOR:
	case BPF_ALU | BPF_LSH:
	case BPF_ALU | BPF_RSH:
	case BPF_JMP | BPF_JEQ:
	case BPF_JMP | BPF_JGE:
	case BPF_JMP | BPF_JGT:
	case BPF_JMP | BPF_JSET:
		return true;
	default:
		return false;
	}
}

static bool
is_branch(uint16_t code)
{
	return BPF_CLASS(code) == BPF_JMP && BPF_OP(code) != BPF_JA;
}

static bool
operand_valid(const struct sock_filter *in, uint16_t pc, uint16_t len)
{
	uint32_t left = (uint32_t)len - pc - 1;

	switch (in->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return in->k < sizeof(struct seccomp_data) && (in->k & 3) == 0;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return in->k < BPF_MEMWORDS;
	case BPF_ALU | BPF_DIV | BPF_K:
		return in->k != 0;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return in->k < 32;
	case BPF_JMP | BPF_JA:
		return in->k < left;
	default:
		return !is_branch(in->code) || (in->jt < left && in->jf < left);
	}
}

/*
 * No scratch word may be read on a path that has not written it. One bit per word; jumps go
 * forward.
 */
static int
check_scratch(const struct sock_filter *insns, uint16_t len)
{
	uint16_t written[BPF_MAXINSNS];
	uint16_t now = 0;
	uint16_t pc;

	memset(written, 0xff, len * sizeof(written[0]));
	for (pc = 0; pc < len; pc++) {
		const struct sock_filter *in = &insns[pc];

		now &= written[pc];
		if (in->code == BPF_ST || in->code == BPF_STX) {
			now |= (uint16_t)(1u << in->k);
		} else if (in->code == (BPF_LD | BPF_MEM) || in->code == (BPF_LDX | BPF_MEM)) {
			if ((now & (1u << in->k)) == 0) {
				return -EINVAL;
			}
		} else if (in->code == (BPF_JMP | BPF_JA)) {
			written[pc + 1 + in->k] &= now;
			now = 0xffff;
		} else if (is_branch(in->code)) {
			written[pc + 1 + in->jt] &= now;
			written[pc + 1 + in->jf] &= now;
			now = 0xffff;
		}
	}
	return 0;
}

int
filter_validate(const struct sock_filter *insns, uint16_t len)
{
	uint16_t pc;

	if (insns == NULL || len == 0 || len > BPF_MAXINSNS) {
		return -EINVAL;
	}
	for (pc = 0; pc < len; pc++) {
		if (!opcode_known(insns[pc].code) || !operand_valid(&insns[pc], pc, len)) {
			return -EINVAL;
		}
	}
	if (BPF_CLASS(insns[len - 1].code) != BPF_RET) {
		return -EINVAL;
	}
	return check_scratch(insns, len);
}

/* false: division by zero, which ends the program with 0 (kill). */
static bool
run_alu(uint16_t code, uint32_t operand, uint32_t *a)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		*a += operand;
		return true;
	case BPF_SUB:
		*a -= operand;
		return true;
	case BPF_MUL:
		*a *= operand;
		return true;
	case BPF_DIV:
		*a = operand != 0 ? *a / operand : 0;
		return operand != 0;
	case BPF_AND:
		*a &= operand;
		return true;
	case BPF_OR:
		*a |= operand;
		return true;
	case BPF_XOR:
		*a ^= operand;
		return true;
	case BPF_LSH:
		*a <<= operand & 31;
		return true;
	case BPF_RSH:
		*a >>= operand & 31;
		return true;
	default: /* BPF_NEG: validated */
		*a = -*a;
		return true;
	}
}

static uint32_t
run_jump(const struct sock_filter *in, uint32_t a, uint32_t x)
{
	uint32_t operand = BPF_SRC(in->code) == BPF_X ? x : in->k;
	bool taken;

	switch (BPF_OP(in->code)) {
	case BPF_JA:
		return in->k;
	case BPF_JEQ:
		taken = a == operand;
		break;
	case BPF_JGT:
		taken = a > operand;
		break;
	case BPF_JGE:
		taken = a >= operand;
		break;
	default: /* BPF_JSET: validated */
		taken = (a & operand) != 0;
		break;
	}
	return taken ? in->jt : in->jf;
}

static uint32_t
run_load(const struct sock_filter *in, const struct seccomp_data *data, const uint32_t *mem)
{
	uint32_t word;

	switch (BPF_MODE(in->code)) {
	case BPF_ABS:
		memcpy(&word, (const uint8_t *)data + in->k, sizeof(word));
		return word;
	case BPF_LEN:
		return sizeof(*data);
	case BPF_MEM:
		return mem[in->k];
	default: /* BPF_IMM: validated */
		return in->k;
	}
}

uint32_t
filter_run(const struct sock_filter *insns, const struct seccomp_data *data, bool *seen)
{
	uint32_t mem[BPF_MEMWORDS] = { 0 };
	uint32_t a = 0, x = 0;
	uint32_t pc;

	/* validated: jumps go forward and the last instruction returns */
	for (pc = 0;; pc++) {
		const struct sock_filter *in = &insns[pc];

		if (seen != NULL) {
			seen[pc] = true;
		}
		switch (BPF_CLASS(in->code)) {
		case BPF_LD:
			a = run_load(in, data, mem);
			break;
		case BPF_LDX:
			x = run_load(in, data, mem);
			break;
		case BPF_ST:
			mem[in->k] = a;
			break;
		case BPF_STX:
			mem[in->k] = x;
			break;
		case BPF_ALU:
			if (!run_alu(in->code, BPF_SRC(in->code) == BPF_X ? x : in->k, &a)) {
				return SECCOMP_RET_KILL_THREAD;
			}
			break;
		case BPF_JMP:
			pc += run_jump(in, a, x);
			break;
		case BPF_RET:
			return BPF_RVAL(in->code) == BPF_A ? a : in->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(in->code) == BPF_TAX) {
				x = a;
			} else {
				a = x;
			}
			break;
		}
	}
}

int
filter_eval(const struct sock_filter *insns, uint16_t len, const struct seccomp_data *data,
	    uint32_t *ret_action)
{
	int r = filter_validate(insns, len);

	if (r < 0) {
		return r;
	}
	*ret_action = filter_run(insns, data, NULL);
	return 0;
}
