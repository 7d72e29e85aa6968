/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_workflow_see.c: what is left, and how it is said. Run by `make unit`. */
#include "../../../launcher/cli/cmd_workflow.h"

#include <criterion/criterion.h>

static const struct ledger sample = {
	.limit = { [BUDGET_CALLS] = 10, [BUDGET_DISK] = 4096, [BUDGET_WALL] = 60000 },
	.used = { [BUDGET_CALLS] = 3, [BUDGET_DISK] = 5000, [BUDGET_CPU] = 1500 },
	.reserved = { [BUDGET_CALLS] = 1, [BUDGET_WALL] = 60000 },
};

Test(cmd_workflow_see, what_is_left)
{
	static const struct {
		enum budget_id id;
		bool is_bound;
		uint64_t left;
		const char *said;
	} rows[] = {
		{ BUDGET_CALLS, true, 6, "calls: 3 of 10 used, 1 reserved, 6 left" },
		{ BUDGET_WALL, true, 0, "wall: 0ms of 1m used, 1m reserved, 0ms left" },
		{ BUDGET_CPU, false, 77, "cpu: 1500ms used, 0ms reserved, no bound" },
		/* one call's grace beyond it */
		{ BUDGET_DISK, true, 0, "disk: 5000B of 4KiB used, 0B reserved, 0B left" },
	};

	cr_assert_eq(ARRAY_LEN(rows), (size_t)BUDGET__COUNT);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf text = BUF_INIT;
		uint64_t left = 77;

		cr_expect_eq(workflow_seen_left(&sample, rows[i].id, &left), rows[i].is_bound,
			     "row %zu", i);
		cr_expect_eq(left, rows[i].left, "row %zu", i);
		workflow_put_budget(&text, &sample, rows[i].id);
		cr_expect_str_eq(buf_text(&text), rows[i].said);
	}
}

Test(cmd_workflow_see, its_state)
{
	struct workflow_seen w = { .has_ledger = true, .l = { .state = WORKFLOW_FINISHED } };

	cr_expect_str_eq(workflow_seen_state(&w), "finished");
	w.has_ledger = false;
	cr_expect_str_eq(workflow_seen_state(&w), "unknown");
	w.is_forgotten = true;
	cr_expect_str_eq(workflow_seen_state(&w), "forgotten");
}
