/* SPDX-License-Identifier: Apache-2.0 */
/* `airlock workflow budget`: more of it, or less. Runs in airlock-cli as the caller. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "cmd_workflow.h"
#include "commands.h"
#include "control.h"
#include "view_format.h"

struct request {
	const char *workflow;
	const char *budget;
	bool has_deadline;
	uint64_t deadline_ms;
};

/* -1 to go on, else the exit status. */
static int
parse(int argc, char **argv, struct request *ret)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	uint64_t none[BUDGET__COUNT] = { 0 };
	const char *name, *argument;
	struct err err = ERR_INIT;
	int rc, bad = 0;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		if (strcmp(name, "budget") == 0) {
			ret->budget = argument;
			bad = workflow_words_budget(argument, none, &err);
		} else {
			ret->has_deadline = true;
			bad = workflow_words_deadline(argument, clock_realtime_ms(),
						      &ret->deadline_ms, &err);
		}
		if (bad < 0) {
			return commands_fail(EXIT_AIRLOCK, &err);
		}
	}
	rc = command_line_end(&cl, rc, 1, 1);
	if (rc >= 0) {
		return rc;
	}
	ret->workflow = cl.operand[0];
	if (ret->budget == NULL && !ret->has_deadline) {
		fputs("airlock: workflow budget: --budget or --deadline is missing\n", stderr);
		return EXIT_AIRLOCK;
	}
	return -1;
}

/* The next call is measured by it; those that run are told when it is written. */
static int
set_budget(struct workflow_at *at, const struct request *req, struct ledger *ret, struct err *err)
{
	auto_ledger f = LEDGER_FILE_INIT;
	int rc = workflow_at_ledger(at, &f, err);

	if (rc < 0) {
		return rc;
	}
	if (f.l.state == WORKFLOW_STOPPED || f.l.state == WORKFLOW_FINISHED) {
		return err_set(err, -EINVAL, "workflow %s is %s: it takes no more calls",
			       at->d.name, workflow_state_words[f.l.state]);
	}
	rc = req->budget != NULL ? workflow_words_budget(req->budget, f.l.limit, err) : 0;
	if (req->has_deadline) {
		f.l.deadline_ms = req->deadline_ms;
	}
	rc = rc < 0 ? rc : ledger_distrust(&f, err);
	rc = rc < 0 ? rc : workflow_at_note(at, "budget", &f.l, NULL, NULL, err);
	if (rc < 0) {
		return rc; /* it is made again as it was */
	}
	*ret = f.l;
	return ledger_write(&f, err);
}

static void
tell(const struct workflow_at *at, const struct ledger *l)
{
	auto_buf deadline = BUF_INIT;

	printf("workflow %s:\n", at->d.name);
	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		auto_buf text = BUF_INIT;

		workflow_put_budget(&text, l, i);
		printf("  %s\n", buf_text(&text));
	}
	if (l->deadline_ms != 0) {
		view_time(&deadline, l->deadline_ms, VIEW_TIME_FULL);
		printf("  deadline: %s\n", buf_text(&deadline));
	}
}

int
cmd_workflow_budget(int argc, char **argv)
{
	struct request req = { .budget = NULL };
	auto_workflow_at at = WORKFLOW_AT_INIT;
	auto_control_calls calls = { .texts = NULL };
	const struct control_filter which = { .workflow = at.d.id };
	struct ledger l = { .state = WORKFLOW_ACTIVE };
	struct err err = ERR_INIT;
	int rc = parse(argc, argv, &req);

	if (rc >= 0) {
		return rc;
	}
	rc = workflow_at_open(req.workflow, &at, &err);
	rc = rc < 0 ? rc : set_budget(&at, &req, &l, &err);
	if (rc == 0) {
		tell(&at, &l);
		rc = control_signal(&at.store, &which, RUNNING_SIGNAL_LIMITS, RUNNING_BY_WORKFLOW,
				    &calls, &err);
	}
	if (rc < 0) {
		return commands_fail(1, &err);
	}
	return control_tell_unreachable(&calls) ? 1 : 0;
}
