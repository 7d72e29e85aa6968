/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. What an event says: rule, reason, remedy, for each kind. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <sys/syscall.h>

#include "../../../launcher/plan/filter_internal.h"
#include "../../../launcher/supervise/denials.h"

static const char *groups[] = { "@default", NULL };
static struct denials d;
static struct profile p;

static void
start(void)
{
	p = (struct profile){ .name = "python", .source = "/p/python.yaml" };
	p.syscalls = (struct strings){ groups, 1 };
	p.limits = (struct limits){ .memory_bytes = 2147483648, .pids = 512, .cpu_percent = 400,
				    .cpu_time_ms = 3600000, .wall_ms = 600000,
				    .disk_bytes = 1073741824, .files = 200000,
				    .output_bytes = 16777216, .open_files = 1024 };
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		p.rules[i].place = "base.yaml:9";
		p.rules[i].flags = RULE_WIDEN;
	}
	p.rules[KEY_LIM_PIDS].place = "python.yaml:12";
	p.rules[KEY_SYSCALLS].place = "python.yaml:14";
}

static void
finish(void)
{
	denials_finish(&d);
}

TestSuite(denials_rules, .init = start, .fini = finish);

static void
expect_item(const char *kind, const char *what, const char *why, const char *rule, const char *hint)
{
	const struct denial *item = &d.items[d.count - 1];

	cr_assert_gt(d.count, 0);
	cr_expect_str_eq(item->kind, kind);
	cr_expect_str_eq(item->what, what);
	cr_expect_str_eq(item->why, why);
	cr_expect_str_eq(item->rule, rule);
	cr_expect_str_eq(item->hint, hint);
}

static struct seccomp_data
call_of(int nr, uint64_t a, uint64_t c)
{
	return (struct seccomp_data){ .nr = nr, .arch = FILTER_ARCH, .args = { a, 0, c } };
}

Test(denials_rules, a_call_that_a_group_grants)
{
	struct seccomp_data call = call_of(SYS_ptrace, 0, 0);

	cr_expect_eq(denials_syscall(&d, &p, &call), EPERM);
	expect_item("syscall", "ptrace",
		    "controls other processes; debuggers and tracers need @debug",
		    "python.yaml:14",
		    "add \"@debug\" to syscalls.allow in /p/python.yaml: `syscalls: { allow: "
		    "[\"@parent\", \"@debug\"] }`");
}

Test(denials_rules, a_call_that_no_group_grants)
{
	struct seccomp_data call = call_of(SYS_mount, 0, 0);

	cr_expect_eq(denials_syscall(&d, &p, &call), EPERM);
	expect_item("syscall", "mount", "mounting would change what the sandbox may see",
		    "built-in",
		    "no group of system calls grants it, so no profile can: do without it");
	call = call_of(SYS_socket, 40, 7);
	cr_expect_eq(denials_syscall(&d, &p, &call), EAFNOSUPPORT);
	expect_item("syscall", "socket family 40 protocol 7",
		    "would reach the machine's hypervisor", "built-in",
		    "no group of system calls grants it, so no profile can: do without it");
	call.arch = 0;
	call.nr = 12345;
	cr_expect_eq(denials_syscall(&d, &p, &call), ENOSYS);
	expect_item("syscall", "syscall 12345",
		    "system calls of another architecture end the process", "built-in",
		    "no group of system calls grants it, so no profile can: do without it");
}

Test(denials_rules, a_limit_of_the_profile)
{
	denials_limit(&d, &p, &p.limits, KEY_LIM_PIDS, "EAGAIN");
	expect_item("limit", "pids", "EAGAIN", "python.yaml:12",
		    "raise limits.pids (now 512) in /p/python.yaml: `limits: { pids: 1024 }`");
	denials_limit(&d, &p, &p.limits, KEY_LIM_PIDS, "again");
	cr_expect_eq(d.count, 1u);
	cr_expect_eq(d.items[0].count, 1u);
	cr_expect_str_eq(d.items[0].why, "EAGAIN");
}

Test(denials_rules, a_limit_that_the_parent_does_not_open)
{
	p.rules[KEY_LIM_WALL].flags = RULE_OPEN;
	denials_limit(&d, &p, &p.limits, KEY_LIM_WALL, "x");
	expect_item("limit", "wall", "x", "base.yaml:9",
		    "raise limits.wall (now 10m) in the parent of /p/python.yaml (base.yaml:9 has "
		    "the rule), or have that parent say `open: [limits.wall]`: `limits: { wall: "
		    "20m }`");
}

Test(denials_rules, a_limit_that_the_file_itself_lowered)
{
	p.rules[KEY_LIM_PIDS].flags = RULE_OWN;
	denials_limit(&d, &p, &p.limits, KEY_LIM_PIDS, "x");
	expect_item("limit", "pids", "x", "python.yaml:12",
		    "raise limits.pids (now 512) in /p/python.yaml, as far as its parent allows: "
		    "`limits: { pids: 1024 }`");
}

Test(denials_rules, a_limit_of_a_shipped_profile)
{
	p.shipped = true;
	p.rules[KEY_LIM_MEMORY].flags = RULE_OPEN;
	denials_limit(&d, &p, &p.limits, KEY_LIM_MEMORY, "x");
	expect_item("limit", "memory", "x", "base.yaml:9",
		    "raise limits.memory (now 2GiB) in a profile of your own: `extends: python` "
		    "and `limits: { memory: 4GiB }`");
	denials_limit(&d, &p, &p.limits, KEY_LIM_DISK, "x");
	expect_item("limit", "disk", "x", "base.yaml:9",
		    "raise limits.disk (now 1GiB) in a profile of your own: `extends: base` and "
		    "`limits: { disk: 2GiB }`");
}

Test(denials_rules, a_limit_that_the_caller_lowered)
{
	struct limits now = p.limits;

	now.pids = 40;
	denials_limit(&d, &p, &now, KEY_LIM_PIDS, "x");
	expect_item("limit", "pids", "x", "--limit pids=40",
		    "give more with --limit pids=VALUE, or leave it out: the profile allows 512 "
		    "(python.yaml:12)");
}

/* Every row of the table finds its own member. */
Test(denials_rules, every_limit_has_its_value)
{
	static const struct {
		enum profile_key_id key;
		const char *hint;
	} rows[] = {
		{ KEY_LIM_MEMORY, "limits.memory (now 2GiB) in" },
		{ KEY_LIM_PIDS, "limits.pids (now 512) in" },
		{ KEY_LIM_CPU, "limits.cpu (now 400%) in" },
		{ KEY_LIM_CPU_TIME, "limits.cpu_time (now 1h) in" },
		{ KEY_LIM_WALL, "limits.wall (now 10m) in" },
		{ KEY_LIM_DISK, "limits.disk (now 1GiB) in" },
		{ KEY_LIM_FILES, "limits.files (now 200000) in" },
		{ KEY_LIM_OUTPUT, "limits.output (now 16MiB) in" },
		{ KEY_LIM_OPEN_FILES, "limits.open_files (now 1024) in" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		denials_limit(&d, &p, &p.limits, rows[i].key, "x");
		cr_assert_eq(d.count, i + 1);
		cr_expect_str_eq(d.items[i].what, profile_key_name(rows[i].key) + 7);
		cr_expect_not_null(strstr(d.items[i].hint, rows[i].hint), "%s", d.items[i].hint);
	}
}

Test(denials_rules, launches_and_layers)
{
	denials_launch(&d, "mounts", EPERM, "/usr: Operation not permitted");
	expect_item("launch", "mounts", "/usr: Operation not permitted", "built-in",
		    "`airlock doctor` tries every layer of this host and prints how to mend what "
		    "is missing");
	denials_launch(&d, "exec", ENOEXEC, "x: Exec format error");
	expect_item("launch", "exec", "x: Exec format error", "built-in",
		    "it is no program of this machine and has no '#!' line: start it with its "
		    "interpreter, as in `sh FILE`");
	denials_layer(&d, &p, "landlock", "the kernel has none");
	expect_item("layer", "landlock", "the kernel has none", "base.yaml:9",
		    "`airlock doctor` prints how to get it on this host");
}
