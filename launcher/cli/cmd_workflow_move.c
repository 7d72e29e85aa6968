/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock workflow pause`, `resume` and `stop`. Runs in airlock-cli as the caller. What takes
 * something away is done also where it cannot be noted: a full disk must not keep anybody from
 * stopping.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "cmd_workflow.h"
#include "commands.h"
#include "control.h"

struct move {
	const char *action;
	const char *done;     /* "workflow W ..." */
	const char *may_not;  /* "it cannot be ..." */
	const char *of_calls; /* "2 calls ..." */
	enum workflow_state to;
	int signal;
	bool gives;    /* not done where it cannot be noted */
	bool is_final; /* wait until they have ended */
};

static const struct move pause_move = { .action = "pause",
					.done = "is paused",
					.may_not = "paused",
					.of_calls = "frozen",
					.to = WORKFLOW_PAUSED,
					.signal = RUNNING_SIGNAL_FREEZE };
static const struct move resume_move = { .action = "resume",
					 .done = "goes on",
					 .may_not = "resumed",
					 .of_calls = "thawed",
					 .to = WORKFLOW_ACTIVE,
					 .signal = RUNNING_SIGNAL_THAW,
					 .gives = true };
static const struct move stop_move = { .action = "stop",
				       .done = "is stopped",
				       .may_not = "stopped",
				       .of_calls = "ended",
				       .to = WORKFLOW_STOPPED,
				       .signal = RUNNING_SIGNAL_KILL,
				       .is_final = true };

int
workflow_check_move(const struct workflow_at *at, const struct ledger *l, enum workflow_state to,
		    const char *may_not, struct err *err)
{
	const char *is = workflow_state_words[l->state];

	if (workflow_may_move(l->state, to)) {
		return 0;
	}
	return l->state == to ? err_set(err, -EALREADY, "workflow %s is %s already", at->d.name, is)
			      : err_set(err, -EINVAL, "workflow %s is %s: it cannot be %s",
					at->d.name, is, may_not);
}

/* The entry, then the ledger; or both as they were, where a move that gives cannot be noted. */
static int
note_and_write(const struct move *m, struct workflow_at *at, struct ledger_file *f,
	       const char *reason, struct err *err)
{
	struct err why = ERR_INIT;
	int noted = workflow_at_note(at, m->action, NULL, reason, NULL, &why), rc;

	if (noted == 0 || !m->gives) {
		ledger_move(&f->l, m->to, clock_realtime_ms(), reason);
	}
	rc = ledger_write(f, err);
	if (rc < 0 || noted == 0) {
		return rc;
	}
	return m->gives ? err_set(err, noted, "%s", why.text)
			: err_set(err, noted, "workflow %s %s, but that is not recorded: %s",
				  at->d.name, m->done, why.text);
}

static int
is_on_the_move(void *arg, const struct running_call *c)
{
	const struct workflow_at *at = arg;

	return c->is_alive && !c->is_frozen &&
	       memcmp(c->workflow, at->d.id, sizeof(c->workflow)) == 0;
}

/*
 * A pause by the loop guard freezes nothing: a person may pause such a workflow once more, as long
 * as there is something to freeze.
 */
static int
check_move(const struct move *m, struct workflow_at *at, const struct ledger *l, struct err *err)
{
	struct err none = ERR_INIT;
	int rc = workflow_check_move(at, l, m->to, m->may_not, err);

	if (rc == -EALREADY && m->signal == RUNNING_SIGNAL_FREEZE &&
	    running_each(&at->store, is_on_the_move, at, &none) == 1) {
		*err = (struct err)ERR_INIT;
		rc = 0;
	}
	return rc;
}

/*
 * All under the ledger's lock, so that no call is let in meanwhile and nobody moves it on between
 * state and signals. What is to end is told first, and waits for no disk; what is frozen could not
 * be thawed before the state says so.
 */
static int
move_locked(const struct move *m, struct workflow_at *at, const char *reason,
	    struct control_calls *calls, struct err *err)
{
	const struct control_filter which = { .workflow = at->d.id };
	auto_ledger f = LEDGER_FILE_INIT;
	struct err unsaid = ERR_INIT;
	int rc = workflow_at_ledger(at, &f, err), signalled = 0;

	rc = rc < 0 ? rc : check_move(m, at, &f.l, err);
	rc = rc < 0 ? rc : ledger_distrust(&f, err);
	if (rc < 0) {
		return rc;
	}
	if (m->is_final) {
		signalled = control_signal(&at->store, &which, m->signal, RUNNING_BY_WORKFLOW,
					   calls, &unsaid);
	}
	rc = note_and_write(m, at, &f, reason, err);
	if (!m->is_final && (rc == 0 || !m->gives)) {
		signalled = control_signal(&at->store, &which, m->signal, RUNNING_BY_WORKFLOW,
					   calls, &unsaid);
	}
	if (rc == 0 && signalled < 0) {
		*err = unsaid;
		rc = signalled;
	}
	return rc;
}

static int
move(int argc, char **argv, const struct move *m)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_workflow_at at = WORKFLOW_AT_INIT;
	auto_control_calls calls = { .texts = NULL };
	const char *name, *argument, *reason = NULL;
	struct err err = ERR_INIT;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		if (workflow_words_reason(argument, &reason, &err) < 0) {
			return commands_fail(EXIT_AIRLOCK, &err);
		}
	}
	rc = command_line_end(&cl, rc, 1, 1);
	if (rc >= 0) {
		return rc;
	}
	rc = workflow_at_open(cl.operand[0], &at, &err);
	rc = rc < 0 ? rc : move_locked(m, &at, reason, &calls, &err);
	if (rc < 0) {
		return commands_fail(1, &err);
	}
	printf("workflow %s %s", at.d.name, m->done);
	return control_tell(&at.store, &calls, m->is_final, m->of_calls);
}

int
cmd_workflow_pause(int argc, char **argv)
{
	return move(argc, argv, &pause_move);
}

int
cmd_workflow_resume(int argc, char **argv)
{
	return move(argc, argv, &resume_move);
}

int
cmd_workflow_stop(int argc, char **argv)
{
	return move(argc, argv, &stop_move);
}
