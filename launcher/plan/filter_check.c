/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges a finished program against the table, by running it. Runs in airlock-cli after each
 * compile, before the program may be cached; trusts the table alone, neither libseccomp nor our
 * own compiler.
 *
 * Numbers are decided by comparing them with constants, so the answer can change only at a
 * constant: trying each constant and its neighbours, beside 0..600, covers all 2^32 of them.
 * Arguments are tried at every value of a test, with each single bit flipped and the upper half
 * clean and dirty. A program with an instruction that none of this reaches is refused too: it
 * would do something nobody asked for.
 */
#include "filter_internal.h"

#include <errno.h>

/* A value that no test of the table names, for "something else". */
#define OTHER_VALUE 0x2aaaaaa7u
#define VALUES_MAX 16 /* different values that one row tests one argument for, and OTHER_VALUE */

struct checking {
	const struct filter_program *program;      /* borrowed */
	const struct filter_policy *policy;        /* borrowed */
	bool *seen; /* per instruction; borrowed */
	struct err *err;
};

static const char *
action_words(uint32_t action)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS:
		return "kill the process";
	case SECCOMP_RET_KILL_THREAD:
		return "kill the thread";
	case SECCOMP_RET_TRAP:
		return "trap";
	case SECCOMP_RET_ERRNO:
		return "errno";
	case SECCOMP_RET_USER_NOTIF:
		return "notify";
	case SECCOMP_RET_TRACE:
		return "trace";
	case SECCOMP_RET_LOG:
		return "log";
	case SECCOMP_RET_ALLOW:
		return "allow";
	default:
		return "an unknown action";
	}
}

static int
check_call(struct checking *c, const struct seccomp_data *data)
{
	uint32_t got = filter_run(c->program->insns, data, c->seen);
	uint32_t want = filter_policy_action(c->policy, data);
	const char *name;

	if (got == want) {
		return 0;
	}
	name = filter_syscall_name(data->arch, data->nr);
	return err_set(c->err, -EBADMSG,
		       "the compiled filter differs from the table: %s (%u, architecture %08x) "
		       "with 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx: filter %s %u, table %s %u",
		       name[0] != '\0' ? name : "unnamed call", (unsigned int)data->nr, data->arch,
		       data->args[0], data->args[1], data->args[2], data->args[3], data->args[4],
		       data->args[5], action_words(got), got & SECCOMP_RET_DATA, action_words(want),
		       want & SECCOMP_RET_DATA);
}

/* One number with all arguments clear, all set, and noise where nothing may look. */
static int
check_number(struct checking *c, uint32_t arch, uint32_t nr)
{
	static const uint64_t fill[] = { 0, UINT64_MAX, 0xa5a5a5a55a5a5a5a };
	struct seccomp_data data = { .nr = (int)nr, .arch = arch };
	size_t i, arg;
	int r;

	for (i = 0; i < ARRAY_LEN(fill); i++) {
		data.instruction_pointer = fill[i];
		for (arg = 0; arg < FILTER_ARGS; arg++) {
			data.args[arg] = fill[i];
		}
		r = check_call(c, &data);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int
check_around(struct checking *c, uint32_t arch, uint32_t nr)
{
	int r = check_number(c, arch, nr - 1);

	if (r == 0) {
		r = check_number(c, arch, nr);
	}
	return r < 0 ? r : check_number(c, arch, nr + 1);
}

static int
check_numbers(struct checking *c, uint32_t arch)
{
	static const uint32_t edge[] = { 0x40000000, 0x80000000, 0xffffffff };
	uint32_t nr;
	size_t i;
	int r = 0;

	for (nr = 0; r == 0 && nr <= FILTER_NR_PROBED; nr++) {
		r = check_number(c, arch, nr);
		if (r == 0) {
			r = check_number(c, arch, nr | 0x40000000u);
		}
	}
	for (i = 0; r == 0 && i < ARRAY_LEN(edge); i++) {
		r = check_around(c, arch, edge[i]);
	}
	for (i = 0; r == 0 && i < c->program->len; i++) {
		if (BPF_CLASS(c->program->insns[i].code) == BPF_JMP) {
			r = check_around(c, arch, c->program->insns[i].k);
		}
	}
	return r;
}

static int
check_architectures(struct checking *c)
{
	static const uint32_t foreign[] = { FILTER_ARCH_FOREIGN, AUDIT_ARCH_X86_64, AUDIT_ARCH_I386,
					    AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0, UINT32_MAX };
	size_t i;
	int r = check_numbers(c, FILTER_ARCH);

	for (i = 0; r == 0 && i < ARRAY_LEN(foreign); i++) {
		r = check_numbers(c, foreign[i]);
	}
	for (i = 0; r == 0 && i < 32; i++) {
		r = check_number(c, FILTER_ARCH ^ (1u << i), 0);
	}
	return r;
}

struct values {
	uint32_t value[VALUES_MAX];
	size_t count;
};

static bool
values_add(struct values *v, uint32_t value)
{
	size_t i;

	for (i = 0; i < v->count; i++) {
		if (v->value[i] == value) {
			return true;
		}
	}
	if (v->count == VALUES_MAX) {
		return false;
	}
	v->value[v->count++] = value;
	return true;
}

/* What a row's tests name, per argument; an argument that no test looks at has none. */
static bool
collect_values(const struct filter_row *row, struct values values[FILTER_ARGS])
{
	size_t count, i, t;
	const struct filter_case *cases = filter_row_cases(row, &count);

	for (i = 0; i < count; i++) {
		for (t = 0; t < FILTER_TESTS; t++) {
			const struct filter_test *test = &cases[i].test[t];

			if (test->arg >= 0 && (!values_add(&values[test->arg], test->value) ||
					       !values_add(&values[test->arg], OTHER_VALUE))) {
				return false;
			}
		}
	}
	return true;
}

/* The call as it is, and with dirty upper halves. */
static int
check_halves(struct checking *c, const struct seccomp_data *clean)
{
	static const uint64_t dirt[] = { 0, 1ULL << 32, 0xffffffff00000000 };
	size_t i, arg;

	for (i = 0; i < ARRAY_LEN(dirt); i++) {
		struct seccomp_data data = *clean;
		int r;

		for (arg = 0; arg < FILTER_ARGS; arg++) {
			data.args[arg] |= dirt[i];
		}
		r = check_call(c, &data);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* One choice of values, then each bit of each tested argument flipped. */
static int
check_flips(struct checking *c, const struct seccomp_data *base, const struct values *values)
{
	struct seccomp_data data = *base;
	size_t arg, bit;
	int r = check_halves(c, &data);

	for (arg = 0; r == 0 && arg < FILTER_ARGS; arg++) {
		for (bit = 0; r == 0 && bit < 32 && values[arg].count > 0; bit++) {
			data.args[arg] = base->args[arg] ^ (1ULL << bit);
			r = check_halves(c, &data);
		}
		data.args[arg] = base->args[arg];
	}
	return r;
}

/* Every combination of the values that a row's tests name. */
static int
check_arguments(struct checking *c, const struct filter_row *row)
{
	struct values values[FILTER_ARGS] = { 0 };
	size_t choice[FILTER_ARGS] = { 0 };
	struct seccomp_data data = { .nr = FILTER_NR(row), .arch = FILTER_ARCH };
	size_t arg;
	int r;

	if (!collect_values(row, values)) {
		return err_set(c->err, -EBADMSG, "%s tests more values than the check can hold",
			       row->name);
	}
	do {
		for (arg = 0; arg < FILTER_ARGS; arg++) {
			data.args[arg] = values[arg].count > 0 ? values[arg].value[choice[arg]] : 0;
		}
		r = check_flips(c, &data, values);
		if (r < 0) {
			return r;
		}
		/* counts up, one argument after the other */
		for (arg = 0; arg < FILTER_ARGS; arg++) {
			if (++choice[arg] < values[arg].count) {
				break;
			}
			choice[arg] = 0;
		}
	} while (arg < FILTER_ARGS);
	return 0;
}

static int
check_reach(const struct checking *c)
{
	uint16_t pc;

	for (pc = 0; pc < c->program->len; pc++) {
		if (!c->seen[pc]) {
			return err_set(c->err, -EBADMSG,
				       "the compiled filter has an instruction (%u of %u) that "
				       "no row of the table reaches", pc, c->program->len);
		}
	}
	return 0;
}

int
filter_check_policy(const struct filter_program *f, const struct filter_policy *policy,
		    struct err *err)
{
	bool seen[BPF_MAXINSNS] = { false };
	struct checking c = { .program = f, .policy = policy, .seen = seen, .err = err };
	size_t i;
	int r;

	if (filter_validate(f->insns, f->len) < 0) {
		return err_set(err, -EBADMSG, "the kernel would not take the compiled filter");
	}
	r = check_architectures(&c);
	for (i = 0; r == 0 && i < filter_row_count; i++) {
		if (filter_rows[i].kind == FILTER_COND && FILTER_NR(&filter_rows[i]) >= 0) {
			r = check_arguments(&c, &filter_rows[i]);
		}
	}
	return r < 0 ? r : check_reach(&c);
}

int
filter_check(const struct filter_program *f, const char *const *groups, size_t group_count,
	     bool notify, struct err *err)
{
	struct filter_policy policy = filter_policy_of(groups, group_count, notify);

	return filter_check_policy(f, &policy, err);
}
