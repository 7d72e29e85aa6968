/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. Compiled filters: every vector, every choice of groups, the
 * errors for a person.
 */
#include "../../../launcher/plan/filter_internal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../../../launcher/base/sha256.h"

#define DIRT (1ULL << 32)
#define PATH(text) 0x1000
#define SCRATCH 0x2000
#define UNTRIED (-1)
#define auto_filter __attribute__((cleanup(filter_finish))) struct filter_program

static const char *const default_groups[] = { "@default" };

static uint32_t
ask(const struct filter_program *f, const char *name, const uint64_t args[5])
{
	struct seccomp_data data = { .nr = -2, .arch = FILTER_ARCH };
	uint32_t action = 0;
	size_t i;

	memcpy(data.args, args, 5 * sizeof(args[0]));
	for (i = 0; i < filter_row_count; i++) {
		if (strcmp(filter_rows[i].name, name) == 0) {
			data.nr = FILTER_NR(&filter_rows[i]);
		}
	}
	cr_assert_eq(filter_eval(f->insns, f->len, &data, &action), 0);
	return action;
}

static const struct {
	const char *name;
	uint64_t arg[5];
	int error; /* 0: allowed */
} vectors[] = {
#define MUST_ALLOW(call, a, b, c, d, e, gives) \
	{ #call, { (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e) }, 0 },
#define MUST_DENY(call, a, b, c, d, e, errnum, outside)                                  \
	{ #call,                                                                         \
	  { (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e) }, \
	  errnum },
#include "../../../profiles/vectors/default.def"
};

static void
ask_vectors(bool notify)
{
	auto_filter f = { .insns = NULL };
	struct err err = ERR_INIT;
	size_t i;

	cr_assert_eq(filter_compile(default_groups, 1, notify, &f, &err), 0, "%s", err.text);
	for (i = 0; i < ARRAY_LEN(vectors); i++) {
		uint32_t want = SECCOMP_RET_ERRNO | (uint32_t)vectors[i].error;

		if (vectors[i].error == 0) {
			want = SECCOMP_RET_ALLOW;
		} else if (notify && vectors[i].error != ENOSYS) {
			want = SECCOMP_RET_USER_NOTIF;
		}
		cr_expect_eq(ask(&f, vectors[i].name, vectors[i].arg), want, "%s (vector %zu)",
			     vectors[i].name, i);
	}
	cr_expect_geq(ARRAY_LEN(vectors), 180);
}

Test(filter_compile, vectors_with_errno)
{
	ask_vectors(false);
}

Test(filter_compile, vectors_with_notification)
{
	ask_vectors(true);
}

Test(filter_compile, every_group_alone_and_with_others_passes_the_check)
{
	const char *name, *what;
	size_t i;

	for (i = 0; (name = filter_group_name(i, &what)) != NULL; i++) {
		const char *const pair[] = { name, "@io" };
		size_t notify;

		for (notify = 0; notify < 2; notify++) {
			auto_filter f = { .insns = NULL };
			struct err err = ERR_INIT;
			uint8_t digest[32];

			cr_assert_eq(filter_compile(pair, 2, notify != 0, &f, &err), 0, "%s",
				     err.text);
			cr_expect_eq(filter_check(&f, pair, 2, notify != 0, &err), 0, "%s",
				     err.text);
			sha256_of(f.insns, f.len * sizeof(f.insns[0]), digest);
			cr_expect_arr_eq(f.digest, digest, sizeof(digest));
		}
	}
	cr_expect_geq(i, 14);
}

Test(filter_compile, same_groups_same_bytes)
{
	static const char *const twice[] = { "@io", "@default", "@io" };
	auto_filter a = { .insns = NULL };
	auto_filter b = { .insns = NULL };
	struct err err = ERR_INIT;

	cr_assert_eq(filter_compile(default_groups, 1, false, &a, &err), 0);
	cr_assert_eq(filter_compile(twice, 3, false, &b, &err), 0);
	cr_expect_eq(a.len, b.len);
	cr_expect_arr_eq(a.digest, b.digest, sizeof(a.digest));
}

Test(filter_compile, only_the_jail_when_no_group_is_named)
{
	static const uint64_t zero[5];
	auto_filter f = { .insns = NULL };
	struct err err = ERR_INIT;

	cr_assert_eq(filter_compile(NULL, 0, false, &f, &err), 0, "%s", err.text);
	cr_expect_eq(filter_check(&f, NULL, 0, false, &err), 0, "%s", err.text);
	cr_expect_eq(ask(&f, "execve", zero), SECCOMP_RET_ALLOW);
	cr_expect_eq(ask(&f, "openat", zero), SECCOMP_RET_ERRNO | EPERM);
}

Test(filter_compile, unknown_group_names_the_nearest)
{
	static const struct {
		const char *wrong, *text;
	} rows[] = {
		{ "@defualt", "unknown syscall group \"@defualt\": did you mean \"@default\"?" },
		{ "files", "unknown syscall group \"files\": did you mean \"@files\"?" },
		{ "@network",
		  "unknown syscall group \"@network\": did you mean \"@network-local\"?" },
		{ "@Memory", "unknown syscall group \"@Memory\": did you mean \"@memory\"?" },
		{ "@init", "unknown syscall group \"@init\": did you mean \"@ids\"?" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const groups[] = { "@default", rows[i].wrong };
		struct filter_program f = { .insns = NULL, .len = 77 };
		struct err err = ERR_INIT;

		cr_expect_eq(filter_compile(groups, 2, false, &f, &err), -EINVAL);
		cr_expect_str_eq(err.text, rows[i].text);
		cr_expect_eq(f.len, 77, "untouched on failure");
		cr_expect_null(f.insns);
	}
}

Test(filter_compile, a_name_of_any_length_is_an_error)
{
	char longest[300];
	const char *const groups[] = { longest };
	struct filter_program f = { .insns = NULL };
	struct err err = ERR_INIT;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	cr_expect_eq(filter_compile(groups, 1, false, &f, &err), -EINVAL);
	longest[0] = '\0';
	cr_expect_eq(filter_compile(groups, 1, false, &f, &err), -EINVAL);
}

/* Ordered compares may look at the number (the tree) and nothing else. */
Test(filter_compile, arguments_are_compared_for_equality_only)
{
	auto_filter f = { .insns = NULL };
	struct err err = ERR_INIT;
	uint32_t loaded = 0;
	uint16_t pc, argument_compares = 0;

	cr_assert_eq(filter_compile(default_groups, 1, true, &f, &err), 0);
	for (pc = 0; pc < f.len; pc++) {
		const struct sock_filter *in = &f.insns[pc];

		if (in->code == (BPF_LD | BPF_W | BPF_ABS)) {
			loaded = in->k;
			cr_expect(loaded < 16 || (loaded - 16) % 8 == 0, "low halves only");
		}
		if (BPF_CLASS(in->code) == BPF_JMP && BPF_OP(in->code) != BPF_JA && loaded >= 16) {
			argument_compares++;
			cr_expect_eq(BPF_OP(in->code), BPF_JEQ, "at %u", pc);
		}
		cr_expect(BPF_CLASS(in->code) != BPF_RET ||
				  (in->k & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_TRACE,
			  "placeholder left");
	}
	cr_expect_gt(argument_compares, 40);
}

Test(filter_compile, init_is_small_and_checked)
{
	auto_filter f = { .insns = NULL };
	struct filter_policy policy = filter_policy_init();
	struct err err = ERR_INIT;
	static const uint64_t zero[5];

	cr_assert_eq(filter_compile_init(&f, &err), 0, "%s", err.text);
	cr_expect_leq(f.len, 64);
	cr_expect_eq(filter_check_policy(&f, &policy, &err), 0, "%s", err.text);
	cr_expect_eq(ask(&f, "wait4", zero), SECCOMP_RET_ALLOW);
	cr_expect_eq(ask(&f, "execve", zero), SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(ask(&f, "ioctl", zero), SECCOMP_RET_KILL_PROCESS);
}
