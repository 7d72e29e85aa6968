/* SPDX-License-Identifier: Apache-2.0 */
/* workflow_definition.c: one spelling of each, and what is not believed. Run by `make unit`. */
#include "../../../launcher/workflow/workflow_internal.h"
#include "../store/store_temp.h"

static const struct workflow_definition sample = {
	.id = { 0x01, 0x93, 0x5f, 0x40, 0x00, 0x00, 0x70, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0x2a },
	.created_ms = 1700000000123,
	.name = "triage-7",
	.owner = "Ada \xff",
	.step_count = 2,
	.label_count = 1,
	.steps = { "look", "fix.it" },
	.labels = { "team:core/1" },
	.limits = { [BUDGET_CALLS] = 100, [BUDGET_DISK] = UINT64_MAX },
	.deadline_ms = 1700000600000,
	.guard = 10,
};

#define SAMPLE                                                                                 \
	"v 1\nid 01935f40-0000-7000-8000-00000000002a\nname triage-7\ncreated 1700000000123\n" \
	"owner Ada\\040\\377\nstep look\nstep fix.it\nlabel team:core/1\ncalls 100\n"          \
	"disk 18446744073709551615\ndeadline 1700000600000\nguard 10\n"
#define LEAST "v 1\nid 01935f40-0000-7000-8000-00000000002a\nname n\n"

static int
parse(const char *text, struct workflow_definition *ret)
{
	auto_buf b = BUF_INIT;

	buf_puts(&b, text);
	return workflow_definition_parse(&b, ret);
}

Test(workflow_definition, what_is_written_is_read)
{
	struct workflow_definition d = { .name = "" };
	auto_buf text = BUF_INIT;

	workflow_definition_print(&sample, &text);
	cr_assert_str_eq(buf_text(&text), SAMPLE);
	cr_assert_eq(workflow_definition_parse(&text, &d), 0);
	cr_expect_eq(memcmp(&d, &sample, sizeof(d)), 0);
	cr_assert_eq(parse(LEAST, &d), 0);
	cr_expect_str_eq(d.name, "n");
	cr_expect_str_eq(d.owner, "");
	cr_expect_eq(d.step_count + d.label_count + d.guard, 0u);
	cr_expect_eq(d.limits[BUDGET_CALLS] + d.deadline_ms + d.created_ms, 0u);
}

Test(workflow_definition, no_other_spelling_is_believed)
{
	static const char *const rows[] = {
		"",
		"\n",
		"v 2\nid 01935f40-0000-7000-8000-00000000002a\nname n\n",
		"v 1\nname n\nid 01935f40-0000-7000-8000-00000000002a\n",
		"v 1\nid 01935f40-0000-7000-8000-00000000002A\nname n\n",
		"v 1\nid 01935f40-0000-7000-8000-00000000002a\nname local\n",
		"v 1\nid 01935f40-0000-7000-8000-00000000002a\nname n",
		LEAST "\n",
		LEAST "other 1\n",
		LEAST "guard\n",
		LEAST "guard 0\n",
		LEAST "guard 010\n",
		LEAST "guard 4294967296\n",
		LEAST "calls 18446744073709551616\n",
		LEAST "calls 1 2\n",
		LEAST "disk 1\ncalls 1\n",
		LEAST "calls 1\ncalls 1\n",
		LEAST "owner a b\n",
		LEAST "owner a\\000b\n",
		LEAST "step a b\n",
		LEAST "step -a\n",
		LEAST "step a\nstep a\n",
		LEAST "label a\nstep a\n",
		LEAST "label \n",
		LEAST "step 12345678901234567890123456789012345678901234567890123456789012345\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct workflow_definition d = { .guard = 77 };

		cr_expect_eq(parse(rows[i], &d), -EBADMSG, "row %zu", i);
		cr_expect_eq(d.guard, 77u, "row %zu", i);
	}
}

Test(workflow_definition, more_steps_or_labels_than_there_is_room_for)
{
	auto_buf steps = BUF_INIT, labels = BUF_INIT;
	struct workflow_definition d;

	buf_puts(&steps, LEAST);
	buf_puts(&labels, LEAST);
	for (unsigned int i = 0; i < WORKFLOW_STEPS_MAX; i++) {
		buf_printf(&steps, "step s%u\n", i);
	}
	for (unsigned int i = 0; i < WORKFLOW_LABELS_MAX; i++) {
		buf_printf(&labels, "label l%u\n", i);
	}
	cr_expect_eq(parse(buf_text(&steps), &d), 0);
	cr_expect_eq(d.step_count, WORKFLOW_STEPS_MAX);
	cr_expect_eq(parse(buf_text(&labels), &d), 0);
	cr_expect_eq(d.label_count, WORKFLOW_LABELS_MAX);
	buf_puts(&steps, "step x\n");
	buf_puts(&labels, "label x\n");
	cr_expect_eq(parse(buf_text(&steps), &d), -EBADMSG);
	cr_expect_eq(parse(buf_text(&labels), &d), -EBADMSG);
}

Test(workflow_definition, words)
{
	static const struct {
		const char *word;
		bool step, label;
	} rows[] = {
		{ "a", true, true },	  { "A-z.9_", true, true }, { "a:b", false, true },
		{ "a/b", false, true },	  { "", false, false },	    { "-a", false, false },
		{ "a b", false, false },  { "a,b", false, false },  { "\xc3\xa9", false, false },
		{ "a\nb", false, false }, { ".a", true, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(workflow_step_is_good(rows[i].word), rows[i].step, "row %zu", i);
		cr_expect_eq(workflow_label_is_good(rows[i].word), rows[i].label, "row %zu", i);
	}
	cr_expect_eq(workflow_definition_step(&sample, "look"), 1u);
	cr_expect_eq(workflow_definition_step(&sample, "fix.it"), 2u);
	cr_expect_eq(workflow_definition_step(&sample, "fix"), 0u);
	cr_expect_eq(workflow_definition_step(&sample, ""), 0u);
}
