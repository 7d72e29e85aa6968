/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. System calls against lists of groups. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "../../../launcher/plan/filter_internal.h"
#include "../../../launcher/plan/judge.h"

static struct judge_syscall
ask(const char *group, const char *name, uint64_t a, uint64_t b)
{
	const char *items[] = { group, NULL };
	const struct strings groups = { .items = items, .count = group != NULL };
	const uint64_t args[6] = { a, b };
	struct judge_syscall answer = { .error = -1 };

	cr_assert_eq(judge_syscall(&groups, name, args, &answer), 0, "%s", name);
	return answer;
}

Test(judge_syscall, says_which_group_grants_a_call)
{
	struct judge_syscall a = ask("@default", "openat", 0, 0);

	cr_expect_eq(a.error, 0);
	cr_expect_str_eq(a.group, "@files");
	cr_expect_str_eq(a.listed, "@default");
	cr_expect_str_eq(a.what, "opens a file");
	cr_expect_not(a.depends);
	a = ask("@files", "openat", 0, 0);
	cr_expect_str_eq(a.group, "@files");
	cr_expect_str_eq(a.listed, "@files");
	a = ask(NULL, "execve", 0, 0);
	cr_expect_eq(a.error, 0);
	cr_expect_str_eq(a.group, "@jail");
	cr_expect_str_eq(a.listed, "@jail");
}

Test(judge_syscall, says_which_group_would)
{
	struct judge_syscall a = ask("@default", "ptrace", 0, 0);

	cr_expect_eq(a.error, EPERM);
	cr_expect_str_eq(a.group, "@debug");
	cr_expect_null(a.listed);
	a = ask("@io", "openat", 0, 0);
	cr_expect_eq(a.error, EPERM);
	cr_expect_str_eq(a.group, "@files");
	cr_expect_str_eq(a.why, "the profile does not allow @files");
	a = ask("@default", "mount", 0, 0);
	cr_expect_eq(a.error, EPERM);
	cr_expect_null(a.group);
	cr_expect_str_eq(a.why, "mounting would change what the sandbox may see");
	a = ask("@default", "clone3", 0, 0);
	cr_expect_eq(a.error, ENOSYS);
}

Test(judge_syscall, looks_at_arguments)
{
	struct judge_syscall a = ask("@default", "socket", AF_INET, SOCK_STREAM);

	cr_expect_eq(a.error, 0);
	cr_expect(a.depends);
	cr_expect_str_eq(a.why, "TCP");
	a = ask("@default", "socket", AF_PACKET, SOCK_RAW);
	cr_expect_eq(a.error, EAFNOSUPPORT);
	cr_expect_str_eq(a.why, "raw network packets are not for tools");
	a = ask("@default", "unshare", CLONE_NEWUSER, 0);
	cr_expect_eq(a.error, EPERM);
}

Test(judge_syscall, tells_the_cases_of_a_call)
{
	int error = -1;
	size_t count = 0;

	cr_expect_str_eq(judge_syscall_case("unshare", 0, &error), "no namespace is asked for");
	cr_expect_eq(error, 0);
	cr_expect_not_null(judge_syscall_case("unshare", 1, &error));
	cr_expect_eq(error, EPERM);
	cr_expect_null(judge_syscall_case("unshare", 2, &error));
	cr_expect_null(judge_syscall_case("read", 0, &error));
	cr_expect_null(judge_syscall_case("no-such", 0, &error));
	while (judge_syscall_case("socket", count, &error) != NULL) {
		count++;
	}
	cr_expect_geq(count, 10);
}

Test(judge_syscall, unknown_names)
{
	const struct strings groups = { .items = NULL, .count = 0 };
	const uint64_t args[6] = { 0 };
	struct judge_syscall a;

	cr_expect_eq(judge_syscall(&groups, "opnat", args, &a), -ENOENT);
	cr_expect_str_eq(judge_syscall_nearest("opnat"), "openat");
	cr_expect_null(judge_syscall_nearest("certainly-none"));
}

/* Every row, under every group that a profile may name: the same answer as the filter's oracle. */
Test(judge_syscall, agrees_with_the_table)
{
	const char *what;

	for (size_t g = 0; filter_group_name(g, &what) != NULL; g++) {
		const char *const name = filter_group_name(g, &what);

		for (size_t i = 0; i < filter_row_count; i++) {
			struct seccomp_data data = { .arch = FILTER_ARCH,
						     .nr = FILTER_NR(&filter_rows[i]) };
			struct judge_syscall a = ask(name, filter_rows[i].name, 0, 0);
			uint32_t action = filter_expect(&name, 1, false, &data);

			if (data.nr < 0) {
				cr_expect_eq(a.error, ENOSYS);
				continue;
			}
			cr_expect_eq(a.error == 0, action == SECCOMP_RET_ALLOW, "%s",
				     filter_rows[i].name);
			cr_expect(a.error != 0 || a.group != NULL, "%s", filter_rows[i].name);
			cr_expect(a.error != 0 || a.listed != NULL, "%s", filter_rows[i].name);
		}
	}
}
