/* SPDX-License-Identifier: Apache-2.0 */
/* The table of system calls as structs, for the filter's own files and tests. No library. */
#ifndef AIRLOCK_PLAN_FILTER_INTERNAL_H
#define AIRLOCK_PLAN_FILTER_INTERNAL_H

#include <linux/audit.h>

#include "filter.h"

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#define FILTER_ARCH_FOREIGN AUDIT_ARCH_I386
#define FILTER_NR(row) ((row)->nr_x86_64)
/* x32 shares the native architecture word; its numbers have this bit. */
#define FILTER_X32_BIT 0x40000000u
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#define FILTER_ARCH_FOREIGN AUDIT_ARCH_ARM
#define FILTER_NR(row) ((row)->nr_arm64)
#define FILTER_X32_BIT 0u
#else
#error "profiles/syscalls.def has no numbers for this architecture"
#endif

#define FILTER_TESTS 3 /* of one PASS or FAIL row */
#define FILTER_ARGS 6
#define FILTER_NR_PROBED 600 /* filter_check tries every number up to here */

enum filter_group {
#define GROUP(id, name, what) FILTER_GROUP_##id,
#include "../../profiles/syscalls.def"
	FILTER_GROUP__COUNT
};

enum filter_kind { FILTER_ALLOW, FILTER_COND, FILTER_DENY, FILTER_KIND__COUNT };

struct filter_row {
	const char *name;
	int nr_x86_64, nr_arm64; /* -1: the architecture lacks it */
	enum filter_kind kind;
	uint32_t groups; /* bits of enum filter_group */
	int error;       /* when no group is chosen; 0 for ALLOW and COND, which then give EPERM */
	bool tell;
	const char *why;
};

struct filter_test {
	int arg; /* -1: no test */
	uint32_t mask, value;
};

struct filter_case {
	uint16_t row; /* index of its COND row */
	uint16_t error; /* 0: passes */
	bool tell;
	struct filter_test test[FILTER_TESTS];
	const char *why;
};

extern const struct filter_row filter_rows[];
extern const size_t filter_row_count;
extern const struct filter_case filter_cases[];
extern const size_t filter_case_count;

/* What one filter is made of. */
struct filter_policy {
	uint32_t groups;
	bool notify;
	bool kill; /* everything refused ends the process: the filter of PID 1 */
};

/* Bits of a group's name, 0 when no profile may name it. */
uint32_t filter_group_bits(const char *name);
/* Names that are unknown give no bit: what nobody allowed is refused. */
struct filter_policy filter_policy_of(const char *const *groups, size_t count, bool notify);
struct filter_policy filter_policy_init(void);

/* NULL for a number without a row on this architecture. */
const struct filter_row *filter_row_find(uint32_t nr);
/* The cases of a COND row; *ret_count of them. */
const struct filter_case *filter_row_cases(const struct filter_row *row, size_t *ret_count);
bool filter_case_fits(const struct filter_case *c, const struct seccomp_data *data);
/* The SECCOMP_RET_* word of a refusal. */
uint32_t filter_refusal(const struct filter_policy *policy, int error, bool tell);
/* … of a row, which must not be an allowed COND row. */
uint32_t filter_row_action(const struct filter_policy *policy, const struct filter_row *row);
static inline bool
filter_row_allowed(const struct filter_policy *policy, const struct filter_row *row)
{
	return (row->groups & policy->groups) != 0;
}
/* … for a number without a row. */
uint32_t filter_otherwise(const struct filter_policy *policy);
/* The oracle. */
uint32_t filter_policy_action(const struct filter_policy *policy, const struct seccomp_data *data);

/* As filter_check, for any policy. */
int filter_check_policy(const struct filter_program *f, const struct filter_policy *policy,
			struct err *err) must_check;

/* The two halves of filter_eval: the kernel's own checks of a program, once … */
int filter_validate(const struct sock_filter *insns, uint16_t len) must_check;
/* … and a run of a program that passed them; seen, unless NULL, gets true per instruction run. */
uint32_t filter_run(const struct sock_filter *insns, const struct seccomp_data *data, bool *seen);

#endif
