/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. The table of system calls: its shape row by row, its numbers
 * against libseccomp, and the oracle.
 */
#include "../../../launcher/plan/filter_internal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRT (1ULL << 32)
#define PATH(text) 0x1000
#define SCRATCH 0x2000
#define UNTRIED (-1)

static const char *const default_groups[] = { "@default" };

static struct seccomp_data
call_of(const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	struct seccomp_data data = { .arch = FILTER_ARCH, .args = { a, b, c, d, e, 0 } };
	size_t i;

	for (i = 0; i < filter_row_count; i++) {
		if (strcmp(filter_rows[i].name, name) == 0) {
			data.nr = FILTER_NR(&filter_rows[i]);
			return data;
		}
	}
	cr_assert_fail("no row %s", name);
	return data;
}

/* libseccomp is the second opinion on every number that it knows, in both directions. */
Test(filter_table, numbers_are_libseccomp_s)
{
	size_t i, known = 0;
	int nr;

	for (i = 0; i < filter_row_count; i++) {
		const struct filter_row *row = &filter_rows[i];
		int x86 = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, row->name);
		int arm = seccomp_syscall_resolve_name_arch(SCMP_ARCH_AARCH64, row->name);

		if (x86 == __NR_SCMP_ERROR) {
			continue;
		}
		known++;
		cr_assert_eq(row->nr_x86_64, x86 < 0 ? -1 : x86, "%s", row->name);
		cr_assert_eq(row->nr_arm64, arm < 0 ? -1 : arm, "%s", row->name);
	}
	cr_assert_geq(known, 368, "only %zu", known);
	for (nr = 0; nr < FILTER_NR_PROBED; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);

		if (name != NULL) {
			cr_expect_str_eq(filter_syscall_name(AUDIT_ARCH_X86_64, nr), name);
		}
		free(name);
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_AARCH64, nr);
		if (name != NULL) {
			cr_expect_str_eq(filter_syscall_name(AUDIT_ARCH_AARCH64, nr), name);
		}
		free(name);
	}
}

/*
 * "#define __NR_name number" lines of a header. 403 to 423 are 32-bit architectures' alone, and so
 * is the other name of number 84.
 */
static size_t
rows_for_header(const char *path, uint32_t arch)
{
	FILE *f = fopen(path, "re");
	char line[256], name[64];
	size_t seen = 0;
	int nr;

	cr_assert_not_null(f, "%s: linux-libc-dev has it", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "#define __NR_%63s %d", name, &nr) != 2 ||
		    (nr >= 403 && nr <= 423) || strcmp(name, "sync_file_range2") == 0 ||
		    strcmp(name, "arch_specific_syscall") == 0 || strcmp(name, "syscalls") == 0) {
			continue;
		}
		cr_expect_str_eq(filter_syscall_name(arch, nr), name, "%s: no row for %d", name,
				 nr);
		seen++;
	}
	fclose(f);
	return seen;
}

/*
 * Every call that the kernel's headers know was judged: it has a row, those that are answered as
 * absent as well. What a newer header brings makes this red; inside it is ENOSYS until then.
 */
Test(filter_table, every_call_of_the_kernel_s_headers_has_a_row)
{
	static const char native[] = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";

	if (access(native, R_OK) == 0) {
		cr_expect_geq(rows_for_header(native, AUDIT_ARCH_X86_64), 360);
	}
	cr_expect_geq(rows_for_header("/usr/include/asm-generic/unistd.h", AUDIT_ARCH_AARCH64),
		      250);
}

Test(filter_table, every_row_is_whole)
{
	size_t i, j;

	for (i = 0; i < filter_row_count; i++) {
		const struct filter_row *row = &filter_rows[i];

		cr_expect_gt(strlen(row->why), 4, "%s", row->name);
		cr_expect_lt(row->nr_x86_64, FILTER_NR_PROBED, "%s", row->name);
		cr_expect_lt(row->nr_arm64, FILTER_NR_PROBED, "%s", row->name);
		cr_expect(row->nr_x86_64 >= 0 || row->nr_arm64 >= 0, "%s", row->name);
		if (row->kind == FILTER_DENY) {
			cr_expect(row->error == EPERM || row->error == ENOSYS, "%s", row->name);
			/*
			 * what programs probe for must stay quiet; what is known must be
			 * explained
			 */
			cr_expect(row->error == EPERM || !row->tell, "%s", row->name);
		} else {
			cr_expect_neq(row->groups, 0, "%s", row->name);
			cr_expect_eq(row->error, 0, "%s", row->name);
		}
		for (j = 0; j < i; j++) {
			cr_expect_str_neq(row->name, filter_rows[j].name);
			cr_expect(row->nr_x86_64 < 0 || row->nr_x86_64 != filter_rows[j].nr_x86_64,
				  "%s", row->name);
			cr_expect(row->nr_arm64 < 0 || row->nr_arm64 != filter_rows[j].nr_arm64,
				  "%s", row->name);
		}
	}
}

Test(filter_table, every_case_belongs_and_the_last_fits_always)
{
	size_t i, n, t, count, total = 0;

	for (i = 0; i < filter_row_count; i++) {
		const struct filter_case *cases = filter_row_cases(&filter_rows[i], &count);

		total += count;
		if (filter_rows[i].kind != FILTER_COND) {
			cr_expect_eq(count, 0, "%s", filter_rows[i].name);
			continue;
		}
		cr_assert_geq(count, 2, "%s", filter_rows[i].name);
		for (n = 0; n < count; n++) {
			size_t tests = 0;

			for (t = 0; t < FILTER_TESTS; t++) {
				const struct filter_test *test = &cases[n].test[t];

				cr_expect_lt(test->arg, FILTER_ARGS);
				cr_expect(test->arg < 0 || (test->value & ~test->mask) == 0,
					  "%s can never fit", filter_rows[i].name);
				tests += test->arg >= 0 ? 1 : 0;
			}
			cr_expect_eq(tests == 0, n == count - 1, "%s case %zu", filter_rows[i].name,
				     n);
			cr_expect_gt(strlen(cases[n].why), 2);
		}
	}
	cr_expect_eq(total, filter_case_count, "cases of one call must stand together");
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

Test(filter_table, vectors)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(vectors); i++) {
		const uint64_t *arg = vectors[i].arg;
		int error = vectors[i].error;
		struct seccomp_data data =
			call_of(vectors[i].name, arg[0], arg[1], arg[2], arg[3], arg[4]);
		uint32_t plain = filter_expect(default_groups, 1, false, &data);
		uint32_t told = filter_expect(default_groups, 1, true, &data);
		const char *why = NULL, *group = NULL;

		cr_expect_eq(filter_denial(default_groups, 1, &data, &why, &group), error, "%s",
			     vectors[i].name);
		if (error == 0) {
			cr_expect_eq(plain, SECCOMP_RET_ALLOW, "%s (vector %zu)", vectors[i].name,
				     i);
			cr_expect_eq(told, SECCOMP_RET_ALLOW, "%s", vectors[i].name);
			cr_expect_null(why);
			continue;
		}
		cr_expect_eq(plain, SECCOMP_RET_ERRNO | (uint32_t)error, "%s (vector %zu)",
			     vectors[i].name, i);
		cr_expect_eq(told, error == ENOSYS ? plain : SECCOMP_RET_USER_NOTIF, "%s",
			     vectors[i].name);
		cr_assert_not_null(why);
		cr_expect_gt(strlen(why), 4);
	}
	cr_expect_geq(ARRAY_LEN(vectors), 180);
}

Test(filter_table, other_architectures_are_killed)
{
	static const uint32_t other[] = { FILTER_ARCH_FOREIGN, 0, FILTER_ARCH ^ 1 };
	struct seccomp_data data = call_of("read", 0, 0, 0, 0, 0);
	const char *why = NULL, *group = NULL;
	size_t i;

	cr_assert_eq(filter_expect(default_groups, 1, false, &data), SECCOMP_RET_ALLOW);
	for (i = 0; i < ARRAY_LEN(other); i++) {
		data.arch = other[i];
		cr_expect_eq(filter_expect(default_groups, 1, false, &data),
			     SECCOMP_RET_KILL_PROCESS);
		cr_expect_eq(filter_denial(default_groups, 1, &data, &why, &group), ENOSYS);
	}
#if defined(__x86_64__)
	data.arch = FILTER_ARCH;
	data.nr |= 0x40000000;
	cr_expect_eq(filter_expect(default_groups, 1, false, &data), SECCOMP_RET_KILL_PROCESS);
	data.nr = -1;
	cr_expect_eq(filter_expect(default_groups, 1, false, &data), SECCOMP_RET_ERRNO | ENOSYS);
#endif
}

Test(filter_table, unknown_numbers_are_absent)
{
	struct seccomp_data data = { .nr = 599, .arch = FILTER_ARCH };
	const char *why = NULL, *group = NULL;

	cr_expect_eq(filter_expect(default_groups, 1, true, &data), SECCOMP_RET_ERRNO | ENOSYS);
	cr_expect_eq(filter_denial(default_groups, 1, &data, &why, &group), ENOSYS);
	cr_expect_str_eq(why, "this version of airlock does not know the call");
	cr_expect_null(group);
	cr_expect_str_eq(filter_syscall_name(FILTER_ARCH, 599), "");
	cr_expect_str_eq(filter_syscall_name(FILTER_ARCH, -1), "");
	cr_expect_str_eq(filter_syscall_name(AUDIT_ARCH_I386, 1), "");
	cr_expect_str_eq(filter_syscall_name(AUDIT_ARCH_X86_64, 41), "socket");
	cr_expect_str_eq(filter_syscall_name(AUDIT_ARCH_AARCH64, 198), "socket");
}

Test(filter_table, a_group_that_is_not_chosen_is_refused_and_named)
{
	static const char *const few[] = { "@files", "@io", "@process" };
	struct seccomp_data data = call_of("socket", AF_UNIX, SOCK_STREAM, 0, 0, 0);
	const char *why = NULL, *group = NULL;

	cr_expect_eq(filter_expect(few, 3, false, &data), SECCOMP_RET_ERRNO | EPERM);
	cr_expect_eq(filter_expect(few, 3, true, &data), SECCOMP_RET_USER_NOTIF);
	cr_expect_eq(filter_denial(few, 3, &data, &why, &group), EPERM);
	cr_expect_str_eq(why, "the profile does not allow @network-local");
	cr_expect_str_eq(group, "@network-local");
	data = call_of("socket", AF_NETLINK, SOCK_RAW, 0, 0, 0);
	cr_expect_eq(filter_denial(default_groups, 1, &data, &why, &group), EAFNOSUPPORT);
	cr_expect_null(group, "no group lets this family in");
	data = call_of("sendmsg", 0, 0, 0, 0, 0);
	cr_expect_eq(filter_expect(NULL, 0, false, &data), SECCOMP_RET_ALLOW, "@jail is always on");
	data = call_of("open", 0, 0, 0, 0, 0);
	cr_expect_eq(filter_expect(few, 1, false, &data), SECCOMP_RET_ALLOW);
	cr_expect_eq(filter_expect(NULL, 0, false, &data), SECCOMP_RET_ERRNO | EPERM);
}

Test(filter_table, debug_opens_what_default_denies)
{
	static const char *const both[] = { "@default", "@debug" };
	struct seccomp_data data = call_of("ptrace", 0, 0, 0, 0, 0);
	const char *why = NULL, *group = NULL;

	cr_expect_eq(filter_denial(default_groups, 1, &data, &why, &group), EPERM);
	cr_expect_str_eq(why, "controls other processes; debuggers and tracers need @debug");
	cr_expect_str_eq(group, "@debug");
	cr_expect_eq(filter_denial(both, 2, &data, &why, &group), 0);
	cr_expect_null(group);
	cr_expect_eq(filter_expect(default_groups, 1, false, &data), SECCOMP_RET_ERRNO | EPERM);
	cr_expect_eq(filter_expect(both, 2, false, &data), SECCOMP_RET_ALLOW);
	data = call_of("bpf", 0, 0, 0, 0, 0);
	cr_expect_eq(filter_expect(both, 2, false, &data), SECCOMP_RET_ERRNO | EPERM);
}

Test(filter_table, groups_are_listed_but_not_init)
{
	const char *what = NULL, *name;
	size_t i;
	bool seen_default = false;

	for (i = 0; (name = filter_group_name(i, &what)) != NULL; i++) {
		cr_expect_eq(name[0], '@');
		cr_expect_str_neq(name, "@init");
		cr_expect_gt(strlen(what), 4);
		cr_expect_neq(filter_group_bits(name), 0, "%s", name);
		seen_default = seen_default || strcmp(name, "@default") == 0;
	}
	cr_expect_eq(i, FILTER_GROUP__COUNT); /* less @init, more @default */
	cr_expect_eq(seen_default, true);
	cr_expect_eq(filter_group_bits("@init"), 0);
	cr_expect_eq(filter_group_bits("@nothing"), 0);
}

Test(filter_table, init_may_little_and_is_killed_for_the_rest)
{
	static const char *const may[] = {
		"wait4",
		"waitid",
		"kill",
		"rt_sigaction",
		"rt_sigprocmask",
		"rt_sigreturn",
		"rt_sigtimedwait",
		"signalfd4",
		"ppoll",
		"read",
		"write",
		"sendmsg",
		"recvmsg",
		"sendto",
		"recvfrom",
		"close",
		"exit",
		"exit_group",
		"restart_syscall",
		"getpid",
	};
	struct filter_policy policy = filter_policy_init();
	size_t i, allowed = 0;

	for (i = 0; i < ARRAY_LEN(may); i++) {
		struct seccomp_data data = call_of(may[i], 0, 0, 0, 0, 0);

		cr_expect_eq(filter_policy_action(&policy, &data), SECCOMP_RET_ALLOW, "%s", may[i]);
	}
	for (i = 0; i < filter_row_count; i++) {
		struct seccomp_data data = call_of(filter_rows[i].name, 0, 0, 0, 0, 0);
		uint32_t action = filter_policy_action(&policy, &data);

		allowed += action == SECCOMP_RET_ALLOW ? 1 : 0;
		cr_expect(action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_KILL_PROCESS);
	}
#if defined(__x86_64__)
	cr_expect_eq(allowed, ARRAY_LEN(may) + 1); /* and poll, which arm64 lacks */
#endif
	cr_expect_eq(filter_otherwise(&policy), SECCOMP_RET_KILL_PROCESS);
}
