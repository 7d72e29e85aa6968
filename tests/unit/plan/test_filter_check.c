/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The check finds a filter that was changed in any one place. */
#include "../../../launcher/plan/filter_internal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define auto_filter __attribute__((cleanup(filter_finish))) struct filter_program

static const char *const default_groups[] = { "@default" };

static void
compile(struct filter_program *f)
{
	struct err err = ERR_INIT;

	cr_assert_eq(filter_compile(default_groups, 1, false, f, &err), 0, "%s", err.text);
	cr_assert_eq(filter_check(f, default_groups, 1, false, &err), 0, "%s", err.text);
}

static int
check(const struct filter_program *f)
{
	struct err err = ERR_INIT;
	int r = filter_check(f, default_groups, 1, false, &err);

	if (r < 0) {
		cr_expect_eq(r, -EBADMSG);
		cr_expect_gt(strlen(err.text), 20);
	}
	return r;
}

Test(filter_check, wrong_groups_and_wrong_notify_are_found)
{
	static const char *const other[] = { "@default", "@debug" };
	auto_filter f = { .insns = NULL };
	struct err err = ERR_INIT;

	compile(&f);
	cr_expect_eq(filter_check(&f, other, 2, false, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "ptrace"), "%s", err.text);
	cr_expect_eq(filter_check(&f, default_groups, 1, true, &err), -EBADMSG);
	cr_expect_eq(filter_check(&f, NULL, 0, false, &err), -EBADMSG);
}

Test(filter_check, not_a_program_is_found)
{
	auto_filter f = { .insns = NULL };
	uint16_t len;

	compile(&f);
	len = f.len;
	f.len = 0;
	cr_expect_eq(check(&f), -EBADMSG);
	f.len = 5; /* ends in a jump */
	cr_expect_eq(check(&f), -EBADMSG);
	f.len = len;
	cr_expect_eq(check(&f), 0);
}

/* Where each kind of instruction stands first and last, changed by one bit or one place. */
Test(filter_check, changed_returns_are_found)
{
	auto_filter f = { .insns = NULL };
	uint16_t pc, tried = 0;

	compile(&f);
	for (pc = 0; pc < f.len; pc++) {
		uint32_t kept = f.insns[pc].k;

		if (BPF_CLASS(f.insns[pc].code) != BPF_RET) {
			continue;
		}
		f.insns[pc].k =
			kept == SECCOMP_RET_ALLOW ? (SECCOMP_RET_ERRNO | 1) : SECCOMP_RET_ALLOW;
		cr_expect_eq(check(&f), -EBADMSG, "return at %u", pc);
		f.insns[pc].k = kept;
		tried++;
	}
	cr_expect_gt(tried, 40);
	cr_expect_eq(check(&f), 0);
}

Test(filter_check, changed_masks_and_loads_are_found)
{
	auto_filter f = { .insns = NULL };
	uint16_t pc, tried = 0;

	compile(&f);
	for (pc = 0; pc < f.len; pc++) {
		uint32_t kept = f.insns[pc].k;

		if (f.insns[pc].code == (BPF_ALU | BPF_AND | BPF_K)) {
			f.insns[pc].k = kept ^ (kept & -kept); /* its lowest bit */
		} else if (BPF_CLASS(f.insns[pc].code) == BPF_LD) {
			f.insns[pc].k = kept >= 16 ? kept + 4 : kept ^ 4; /* the other half */
		} else {
			continue;
		}
		cr_expect_eq(check(&f), -EBADMSG, "instruction %u", pc);
		f.insns[pc].k = kept;
		tried++;
	}
	cr_expect_gt(tried, 60);
	cr_expect_eq(check(&f), 0);
}

/* A constant of a compare; every 7th, which visits each part of the tree and of the tests. */
Test(filter_check, changed_constants_are_found, .timeout = 120)
{
	static const uint32_t flips[] = { 1, 0x40, 0x80000000 };
	auto_filter f = { .insns = NULL };
	uint16_t pc, tried = 0;
	size_t i;

	compile(&f);
	for (pc = 1; pc < f.len; pc += 7) {
		uint32_t kept = f.insns[pc].k;

		if (BPF_CLASS(f.insns[pc].code) != BPF_JMP || BPF_OP(f.insns[pc].code) == BPF_JA) {
			continue;
		}
		for (i = 0; i < ARRAY_LEN(flips); i++) {
			f.insns[pc].k = kept ^ flips[i];
			cr_expect_eq(check(&f), -EBADMSG, "%x at %u", flips[i], pc);
			tried++;
		}
		f.insns[pc].k = kept;
	}
	cr_expect_gt(tried, 100);
	cr_expect_eq(check(&f), 0);
}

Test(filter_check, swapped_branches_are_found)
{
	auto_filter f = { .insns = NULL };
	uint16_t pc, tried = 0;

	compile(&f);
	for (pc = 1; pc < f.len; pc += 3) {
		struct sock_filter kept = f.insns[pc];

		if (BPF_CLASS(kept.code) != BPF_JMP || BPF_OP(kept.code) == BPF_JA) {
			continue;
		}
		f.insns[pc].jt = kept.jf;
		f.insns[pc].jf = kept.jt;
		cr_expect_eq(check(&f), -EBADMSG, "branches at %u", pc);
		f.insns[pc] = kept;
		tried++;
	}
	cr_expect_gt(tried, 100);
}

Test(filter_check, an_instruction_that_nothing_reaches_is_found)
{
	auto_filter f = { .insns = NULL };
	struct filter_program longer = { .insns = NULL };
	struct err err = ERR_INIT;

	compile(&f);
	longer.len = f.len + 1;
	longer.insns = calloc(longer.len, sizeof(longer.insns[0]));
	cr_assert_not_null(longer.insns);
	memcpy(longer.insns, f.insns, f.len * sizeof(f.insns[0]));
	longer.insns[f.len] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	cr_expect_eq(filter_check(&longer, default_groups, 1, false, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "reaches"), "%s", err.text);
	filter_finish(&longer);
	cr_expect_null(longer.insns);
}
