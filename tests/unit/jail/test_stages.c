/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. The order of stages.def is the sandbox: these are the rules it must
 * keep.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "../../../launcher/jail/jail_protocol.h"

static const struct row {
	const char *name;
	int process;
	const char *should, *must_not;
} rows[] = {
#define X(name, process, should, must_not) { #name, process, should, must_not },
#include "../../../launcher/jail/stages.def"
#undef X
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

Test(stages, every_row_is_whole)
{
	cr_assert_eq(ROWS, (size_t)STAGE__COUNT);
	for (size_t i = 0; i < ROWS; i++) {
		cr_expect_neq(rows[i].name[0], '\0');
		cr_expect_neq(rows[i].should[0], '\0', "%s", rows[i].name);
		cr_expect_neq(rows[i].must_not[0], '\0', "%s", rows[i].name);
	}
}

/*
 * What PID 1 does before it forks comes before all that is done after: by PID 2 (2) or beside it by
 * PID 1 (3).
 */
Test(stages, before_the_fork_comes_first)
{
	size_t count[4] = { 0 };

	for (size_t i = 0; i < ROWS; i++) {
		cr_assert_geq(rows[i].process, 1, "%s", rows[i].name);
		cr_assert_leq(rows[i].process, 3, "%s", rows[i].name);
		if (rows[i].process == 1) {
			cr_expect_eq(count[2] + count[3], 0u, "%s", rows[i].name);
		}
		count[rows[i].process]++;
	}
	cr_expect_eq(count[1], 3u);
	cr_expect_eq(count[2], 8u);
	cr_expect_eq(count[3], 1u);
}

/* Two stages have an order only in one process, or when the earlier one is done before the fork. */
static int
is_ordered(enum jail_stage before, enum jail_stage after)
{
	return before < after &&
	       (rows[before].process == 1 || rows[before].process == rows[after].process);
}

Test(stages, before_and_after)
{
	static const struct {
		enum jail_stage before, after;
		const char *why;
	} rules[] = {
		{ STAGE_hygiene, STAGE_namespaces,
		  "no inherited descriptor may be there when work begins" },
		{ STAGE_namespaces, STAGE_mounts,
		  "the mounts need the ids and capabilities of the maps" },
		{ STAGE_namespaces, STAGE_network,
		  "lo is brought up with capabilities of the new namespace" },
		{ STAGE_credentials, STAGE_seccomp,
		  "the tool's filter may refuse what reads them" },
		{ STAGE_mounts, STAGE_terminal, "it is made in the sandbox's own devpts" },
		{ STAGE_terminal, STAGE_seccomp, "the filter knows nothing of making terminals" },
		{ STAGE_terminal, STAGE_attest, "whose it is, is attested" },
		{ STAGE_mounts, STAGE_landlock, "the rules name paths of the new root" },
		{ STAGE_mounts, STAGE_ids, "mounting needs capabilities" },
		{ STAGE_ids, STAGE_rlimits, "a capability could raise them" },
		{ STAGE_ids, STAGE_seccomp, "no_new_privs lets a plain user load a filter" },
		{ STAGE_landlock, STAGE_seccomp, "the filter is loaded last" },
		{ STAGE_rlimits, STAGE_seccomp, "the filter refuses prlimit" },
		{ STAGE_seccomp, STAGE_attest, "what is attested includes the filter" },
		{ STAGE_attest, STAGE_exec, "nothing runs before the supervisor's word" },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		cr_expect_eq(is_ordered(rules[i].before, rules[i].after), 1, "%s before %s: %s",
			     rows[rules[i].before].name, rows[rules[i].after].name, rules[i].why);
	}
	cr_expect_eq(STAGE_hygiene, 0);
	cr_expect_eq(STAGE_exec + 1, (int)STAGE__COUNT, "exec is last");
	cr_expect_eq(rows[STAGE_exec].process, 2, "PID 1 stays");
	cr_expect_neq(rows[STAGE_network].process, 2,
		      "PID 2 gives up the capability that lo needs");
}
