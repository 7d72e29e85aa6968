/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of system calls and what it says about one call. Runs in airlock-cli as the oracle of a
 * fresh filter and in the static front for the texts of denials; links no library, does no I/O.
 * Trusts the table; the call's numbers may be anything.
 */
#include "filter_internal.h"

#include <errno.h>
#include <linux/fs.h>
#include <linux/ioprio.h>
#include <linux/personality.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arguments are read low half first");

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

/* The words of the table. */
#define WHOLE 0xffffffffu
#define SOCK_TYPE 0xfu /* the kernel's SOCK_TYPE_MASK: what is left are CLOEXEC and NONBLOCK */
#define NEW_NAMESPACES                                                                             \
	((uint32_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |  \
		    CLONE_NEWPID | CLONE_NEWNET))
#define TELL true
#define QUIET false
#define ANY { .arg = -1 }
#define IS(a, m, v) { .arg = (a), .mask = (m), .value = (v) }

enum group_bit {
#define GROUP(id, name, what) GR_##id = 1 << FILTER_GROUP_##id,
#include "../../profiles/syscalls.def"
};

/* Each row once more as a number, so that PASS and FAIL rows can name the row they belong to. */
enum row_index {
#define ALLOW(call, x86, arm, groups, why) ROW_##call,
#define COND(call, x86, arm, groups, why) ROW_##call,
#define DENY(call, x86, arm, groups, error, tell, why) ROW_##call,
#include "../../profiles/syscalls.def"
	ROW__COUNT
};

struct group {
	const char *name, *what;
	uint32_t bits;
	const char *missing; /* why a call of this group is refused where no profile chose it */
};

/* Single groups first, in the order of enum filter_group; then the sets. */
static const struct group groups_known[] = {
#define GROUP(id, label, purpose)                                                                  \
	{ .name = (label), .what = (purpose), .bits = GR_##id,                                     \
	  .missing = "the profile does not allow " label },
#include "../../profiles/syscalls.def"
#define GROUP_SET(id, label, members, purpose)                                                     \
	{ .name = (label), .what = (purpose), .bits = (members), .missing = "" },
#include "../../profiles/syscalls.def"
};

const struct filter_row filter_rows[] = {
#define ALLOW(call, x86, arm, bits, text)                                                          \
	{ .name = #call, .nr_x86_64 = (x86), .nr_arm64 = (arm), .kind = FILTER_ALLOW,              \
	  .groups = (bits), .error = 0, .tell = true, .why = (text) },
#define COND(call, x86, arm, bits, text)                                                           \
	{ .name = #call, .nr_x86_64 = (x86), .nr_arm64 = (arm), .kind = FILTER_COND,               \
	  .groups = (bits), .error = 0, .tell = true, .why = (text) },
#define DENY(call, x86, arm, bits, errnum, told, text)                                             \
	{ .name = #call, .nr_x86_64 = (x86), .nr_arm64 = (arm), .kind = FILTER_DENY,               \
	  .groups = (bits), .error = (errnum), .tell = (told), .why = (text) },
#include "../../profiles/syscalls.def"
};
const size_t filter_row_count = ARRAY_LEN(filter_rows);
_Static_assert(ARRAY_LEN(filter_rows) == ROW__COUNT, "one row per call");

const struct filter_case filter_cases[] = {
#define PASS(call, a, b, c, text)                                                                  \
	{ .row = ROW_##call, .error = 0, .tell = false, .test = { a, b, c }, .why = (text) },
#define FAIL(call, errnum, told, a, b, c, text)                                                    \
	{ .row = ROW_##call, .error = (errnum), .tell = (told), .test = { a, b, c },               \
	  .why = (text) },
#include "../../profiles/syscalls.def"
};
const size_t filter_case_count = ARRAY_LEN(filter_cases);

void
filter_finish(struct filter_program *f)
{
	free(f->insns);
	*f = (struct filter_program){ .insns = NULL, .len = 0 };
}

const char *
filter_group_name(size_t index, const char **ret_what)
{
	size_t i, shown = 0;

	for (i = 0; i < ARRAY_LEN(groups_known); i++) {
		if (groups_known[i].bits == GR_INIT || shown++ != index) {
			continue;
		}
		*ret_what = groups_known[i].what;
		return groups_known[i].name;
	}
	return NULL;
}

uint32_t
filter_group_bits(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(groups_known); i++) {
		if (groups_known[i].bits != GR_INIT && strcmp(groups_known[i].name, name) == 0) {
			return groups_known[i].bits;
		}
	}
	return 0;
}

struct filter_policy
filter_policy_of(const char *const *groups, size_t count, bool notify)
{
	struct filter_policy policy = { .groups = GR_JAIL, .notify = notify, .kill = false };
	size_t i;

	for (i = 0; i < count; i++) {
		policy.groups |= filter_group_bits(groups[i]);
	}
	return policy;
}

struct filter_policy
filter_policy_init(void)
{
	return (struct filter_policy){ .groups = GR_INIT, .notify = false, .kill = true };
}

const struct filter_row *
filter_row_find(uint32_t nr)
{
	size_t i;

	for (i = 0; i < filter_row_count; i++) {
		if (FILTER_NR(&filter_rows[i]) >= 0 && (uint32_t)FILTER_NR(&filter_rows[i]) == nr) {
			return &filter_rows[i];
		}
	}
	return NULL;
}

const struct filter_case *
filter_row_cases(const struct filter_row *row, size_t *ret_count)
{
	size_t index = (size_t)(row - filter_rows), first, n;

	for (first = 0; first < filter_case_count && filter_cases[first].row != index; first++) {
	}
	for (n = first; n < filter_case_count && filter_cases[n].row == index; n++) {
	}
	*ret_count = n - first;
	return &filter_cases[first];
}

bool
filter_case_fits(const struct filter_case *c, const struct seccomp_data *data)
{
	size_t i;

	for (i = 0; i < FILTER_TESTS; i++) {
		const struct filter_test *t = &c->test[i];

		if (t->arg >= 0 && ((uint32_t)data->args[t->arg] & t->mask) != t->value) {
			return false;
		}
	}
	return true;
}

uint32_t
filter_refusal(const struct filter_policy *policy, int error, bool tell)
{
	if (policy->kill) {
		return SECCOMP_RET_KILL_PROCESS;
	}
	if (policy->notify && tell) {
		return SECCOMP_RET_USER_NOTIF;
	}
	return SECCOMP_RET_ERRNO | (uint32_t)error;
}

uint32_t
filter_otherwise(const struct filter_policy *policy)
{
	return filter_refusal(policy, ENOSYS, false);
}

uint32_t
filter_row_action(const struct filter_policy *policy, const struct filter_row *row)
{
	if (filter_row_allowed(policy, row)) {
		return SECCOMP_RET_ALLOW;
	}
	return filter_refusal(policy, row->error != 0 ? row->error : EPERM, row->tell);
}

/*
 * The case of an allowed COND row that decides; NULL when the table has a hole, which is
 * refused.
 */
static const struct filter_case *
deciding_case(const struct filter_row *row, const struct seccomp_data *data)
{
	size_t count, i;
	const struct filter_case *cases = filter_row_cases(row, &count);

	for (i = 0; i < count; i++) {
		if (filter_case_fits(&cases[i], data)) {
			return &cases[i];
		}
	}
	return NULL;
}

static bool
is_x32(const struct seccomp_data *data)
{
	/* -1 is what a tracer leaves for "no call": the kernel never runs it as x32 */
	return FILTER_X32_BIT != 0 && (uint32_t)data->nr >= FILTER_X32_BIT &&
	       (uint32_t)data->nr != UINT32_MAX;
}

uint32_t
filter_policy_action(const struct filter_policy *policy, const struct seccomp_data *data)
{
	const struct filter_row *row;
	const struct filter_case *c;

	if (data->arch != FILTER_ARCH || is_x32(data)) {
		return SECCOMP_RET_KILL_PROCESS;
	}
	row = filter_row_find((uint32_t)data->nr);
	if (row == NULL) {
		return filter_otherwise(policy);
	}
	if (row->kind != FILTER_COND || !filter_row_allowed(policy, row)) {
		return filter_row_action(policy, row);
	}
	c = deciding_case(row, data);
	if (c == NULL) {
		return filter_refusal(policy, EPERM, true);
	}
	return c->error == 0 ? SECCOMP_RET_ALLOW : filter_refusal(policy, c->error, c->tell);
}

uint32_t
filter_expect(const char *const *groups, size_t group_count, bool notify,
	      const struct seccomp_data *data)
{
	struct filter_policy policy = filter_policy_of(groups, group_count, notify);

	return filter_policy_action(&policy, data);
}

const char *
filter_syscall_name(uint32_t arch, int nr)
{
	size_t i;

	for (i = 0; nr >= 0 && i < filter_row_count; i++) {
		if ((arch == AUDIT_ARCH_X86_64 && filter_rows[i].nr_x86_64 == nr) ||
		    (arch == AUDIT_ARCH_AARCH64 && filter_rows[i].nr_arm64 == nr)) {
			return filter_rows[i].name;
		}
	}
	return "";
}

/* The first group that allows a row; NULL when no profile can. */
static const struct group *
granting_group(const struct filter_row *row)
{
	size_t i;

	for (i = 0; i < FILTER_GROUP__COUNT; i++) {
		if ((row->groups & groups_known[i].bits & ~(uint32_t)(GR_JAIL | GR_INIT)) != 0) {
			return &groups_known[i];
		}
	}
	return NULL;
}

int
filter_denial(const char *const *groups, size_t group_count, const struct seccomp_data *data,
	      const char **ret_reason, const char **ret_group)
{
	struct filter_policy policy = filter_policy_of(groups, group_count, false);
	uint32_t action = filter_policy_action(&policy, data);
	const struct filter_row *row = filter_row_find((uint32_t)data->nr);
	const struct group *group;
	const struct filter_case *c;

	*ret_group = NULL;
	if (action == SECCOMP_RET_ALLOW) {
		return 0;
	}
	if (action == SECCOMP_RET_KILL_PROCESS) {
		*ret_reason = "system calls of another architecture end the process";
		return ENOSYS;
	}
	if (row == NULL) {
		*ret_reason = "this version of airlock does not know the call";
	} else if (!filter_row_allowed(&policy, row)) {
		group = granting_group(row);
		*ret_group = group != NULL ? group->name : NULL;
		*ret_reason = group != NULL && row->kind != FILTER_DENY ? group->missing : row->why;
	} else {
		c = deciding_case(row, data);
		*ret_reason = c != NULL ? c->why : row->why;
	}
	return (int)(action & SECCOMP_RET_DATA);
}
