/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_workflow_words.c: what a person says of a new workflow. Run by `make unit`. */
#include "../../../launcher/cli/cmd_workflow.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW 1750000100500u /* 2025-06-15 15:08:20.500 UTC */

Test(cmd_workflow_words, a_budget_sets_what_it_names)
{
	uint64_t limits[BUDGET__COUNT] = { 7, 7, 7, 7 };
	struct err err = ERR_INIT;

	cr_expect_eq(workflow_words_budget("calls=100,wall=2h,disk=5G", limits, &err), 0, "%s",
		     err.text);
	cr_expect_eq(limits[BUDGET_CALLS], 100u);
	cr_expect_eq(limits[BUDGET_WALL], 7200000u);
	cr_expect_eq(limits[BUDGET_CPU], 7u);
	cr_expect_eq(limits[BUDGET_DISK], UINT64_C(5) << 30);
	cr_expect_eq(workflow_words_budget("wall=none,cpu=90s", limits, &err), 0, "%s", err.text);
	cr_expect_eq(limits[BUDGET_CALLS], 100u);
	cr_expect_eq(limits[BUDGET_WALL], 0u);
	cr_expect_eq(limits[BUDGET_CPU], 90000u);
}

Test(cmd_workflow_words, what_is_no_budget)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "", ": it takes NAME=AMOUNT,... of calls=100, wall=2h, cpu=30m, disk=5G" },
		{ "calls",
		  "calls: it takes NAME=AMOUNT,... of calls=100, wall=2h, cpu=30m, disk=5G" },
		{ "call=3", "--budget: nothing is bound by call; did you mean calls?" },
		{ "bananas=3", "--budget: nothing is bound by bananas; it takes NAME=AMOUNT,... of "
			       "calls=100, wall=2h, cpu=30m, disk=5G" },
		{ "calls=3h", "3h: no amount; it takes NAME=AMOUNT,... of calls=100, wall=2h, "
			      "cpu=30m, disk=5G" },
		{ "wall=3", "3: no amount; it takes NAME=AMOUNT,... of calls=100, wall=2h, "
			    "cpu=30m, disk=5G" },
		{ "disk=\n", "\\012: no amount; it takes NAME=AMOUNT,... of calls=100, wall=2h, "
			     "cpu=30m, disk=5G" },
		{ "calls=9223372036854775808",
		  "9223372036854775808: no amount; it takes NAME=AMOUNT,... of calls=100, wall=2h, "
		  "cpu=30m, disk=5G" },
		{ "calls=0", "--budget calls=0 would let no call in: `airlock workflow stop` does; "
			     "calls=none is no bound" },
		{ "calls=3,",
		  ": it takes NAME=AMOUNT,... of calls=100, wall=2h, cpu=30m, disk=5G" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t limits[BUDGET__COUNT] = { 0 };
		struct err err = ERR_INIT;

		cr_expect_eq(workflow_words_budget(rows[i].text, limits, &err), -EINVAL, "%s",
			     rows[i].text);
		cr_expect_str_eq(err.text, rows[i].said);
	}
}

Test(cmd_workflow_words, deadlines)
{
	static const struct {
		const char *text;
		int code;
		uint64_t at_ms;
	} rows[] = {
		{ "4h", 0, NOW + 14400000 },
		{ "1ms", 0, NOW + 1 },
		{ "0s", -EINVAL, 0 },
		{ "2025-06-15T15:09:00Z", 0, 1750000140000 },
		{ "2025-06-15T17:09+02:00", 0, 1750000140000 },
		{ "2025-06-16", 0, 1750032000000 },
		{ "2025-06-15T15:08:00Z", -EINVAL, 0 },
		{ "yesterday", -EINVAL, 0 },
		{ "soon", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "none", 0, 0 },
	};

	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t at_ms = rows[i].code != 0 ? 0 : 1;

		cr_expect_eq(workflow_words_deadline(rows[i].text, NOW, &at_ms, NULL), rows[i].code,
			     "%s", rows[i].text);
		cr_expect_eq(at_ms, rows[i].at_ms, "%s: %llu", rows[i].text,
			     (unsigned long long)at_ms);
	}
}

Test(cmd_workflow_words, steps_and_labels)
{
	struct workflow_definition d = { .name = "" };
	struct err err = ERR_INIT;

	cr_expect_eq(workflow_words_steps("look,fix", &d, &err), 0, "%s", err.text);
	cr_expect_eq(workflow_words_steps("report", &d, &err), 0, "%s", err.text);
	cr_expect_eq(d.step_count, 3u);
	cr_expect_str_eq(d.steps[0], "look");
	cr_expect_str_eq(d.steps[1], "fix");
	cr_expect_str_eq(d.steps[2], "report");
	cr_expect_eq(workflow_words_steps("fix", &d, &err), -EINVAL);
	cr_expect_str_eq(err.text, "fix: that step is there twice");
	cr_expect_eq(workflow_words_steps("a,,b", &d, &err), -EINVAL);
	cr_expect_eq(workflow_words_label("team:core", &d, &err), 0, "%s", err.text);
	cr_expect_eq(workflow_words_label("team:core", &d, &err), 0, "%s", err.text);
	cr_expect_eq(d.label_count, 1u);
	cr_expect_eq(workflow_words_label("a b", &d, &err), -EINVAL);
}

Test(cmd_workflow_words, guard_and_owner)
{
	struct workflow_definition d = { .name = "" };
	char text[WORKFLOW_OWNER_MAX + 2];
	uint32_t guard = 77;

	cr_expect_eq(workflow_words_guard("0", &guard, NULL), 0);
	cr_expect_eq(guard, 0u);
	cr_expect_eq(workflow_words_guard("25", &guard, NULL), 0);
	cr_expect_eq(guard, 25u);
	cr_expect_eq(workflow_words_guard("1", &guard, NULL), -EINVAL);
	cr_expect_eq(workflow_words_guard("4294967296", &guard, NULL), -EINVAL);
	cr_expect_eq(workflow_words_guard("x", &guard, NULL), -EINVAL);
	cr_expect_eq(guard, 25u);
	memset(text, 'a', sizeof(text));
	text[WORKFLOW_OWNER_MAX] = '\0';
	cr_expect_eq(workflow_words_owner(text, &d, NULL), 0);
	cr_expect_str_eq(d.owner, text);
	text[WORKFLOW_OWNER_MAX] = 'a';
	text[WORKFLOW_OWNER_MAX + 1] = '\0';
	cr_expect_eq(workflow_words_owner(text, &d, NULL), -EINVAL);
	cr_expect_eq(workflow_words_owner("", &d, NULL), -EINVAL);
}
