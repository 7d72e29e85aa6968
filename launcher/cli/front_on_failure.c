/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner, when it is known how the call ended and before that is durable:
 * on_failure of its profile. What becomes of the workflow is in the journal before the outcome is,
 * so that no crash leaves a failed call behind which nothing followed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "front.h"

static const struct {
	const char *action, *done;
	enum workflow_state to;
} moves[ON_FAILURE__COUNT] = {
	[ON_FAILURE_ASK] = { "pause", "paused", WORKFLOW_PAUSED },
	[ON_FAILURE_STOP] = { "stop", "stopped", WORKFLOW_STOPPED },
};

bool
front_has_failed(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_FAILED:
	case VERDICT_SIGNALED:
	case VERDICT_TIMEOUT:
	case VERDICT_OOM:
	case VERDICT_LIMIT:
	case VERDICT_LEAK:
		return true;
	case VERDICT_OK:
	case VERDICT_DENIED:
	case VERDICT_LAUNCH_FAILED:
	case VERDICT_INTERRUPTED:
	case VERDICT__COUNT:
		break;
	}
	return false;
}

static const char *
text_of(const struct front *f)
{
	return front_reason(f) != NULL ? front_reason(f) : "";
}

static const char *
reason_of(struct front *f)
{
	return arena_printf(&f->arena, "call %s %s: %.100s (on_failure.then: %s, %.60s)",
			    f->req.call_text, verdict_name(f->outcome.verdict), text_of(f),
			    profile_on_failure_words[f->profile->on_failure],
			    f->profile->rules[KEY_ON_FAILURE].place);
}

static int
end_other(void *arg, const struct running_call *c)
{
	const struct front *f = arg;

	if (c->is_alive && memcmp(c->workflow, f->workflow, sizeof(c->workflow)) == 0 &&
	    memcmp(c->call, f->req.call, sizeof(c->call)) != 0) {
		ignore_err(running_signal(&f->store, c, RUNNING_SIGNAL_KILL, RUNNING_BY_FAILURE),
			   "it has ended, or `airlock ps` shows that it runs");
	}
	return 0;
}

/*
 * As `airlock workflow stop` does it (cmd_workflow_move.c): what is to end is told first, and waits
 * for no disk; what cannot be noted is done all the same, and is an error.
 */
static int
move(struct front *f, struct ledger_file *file)
{
	enum on_failure then = f->profile->on_failure;
	struct err unsaid = ERR_INIT;
	int rc, noted;

	if (!workflow_may_move(file->l.state, moves[then].to)) {
		return 0; /* it is there, or further */
	}
	rc = then == ON_FAILURE_STOP ? running_each(&f->store, end_other, f, &unsaid) : 0;
	if (rc < 0) {
		front_warn(f, arena_printf(&f->arena, "its other calls cannot be ended: %.200s",
					   unsaid.text));
	}
	ledger_move(&file->l, moves[then].to, clock_realtime_ms(), reason_of(f));
	noted = front_tell_move(f, file, moves[then].action, "call");
	rc = ledger_write(file, noted < 0 ? &unsaid : &f->err);
	if (noted < 0 || rc < 0) {
		return noted < 0 ? noted : rc;
	}
	front_warn(f, arena_printf(&f->arena, "workflow %s is %s by on_failure.then: %s (%s)",
				   file->l.name, moves[then].done, profile_on_failure_words[then],
				   f->profile->rules[KEY_ON_FAILURE].place));
	return 0;
}

/* Whether the workflow is told of the call at all: not of one that only tries or looks. */
static bool
concerns_workflow(const struct front *f)
{
	return f->opt.workflow != NULL && f->opt.over == NULL &&
	       f->profile->on_failure != ON_FAILURE_CONTINUE;
}

/* Where another attempt follows, nothing else does yet, and it has the receipt. */
static bool
is_retried(struct front *f)
{
	if (f->profile->retries > 0 && f->opt.over == NULL && !front_may_retry(f)) {
		front_warn(f,
			   arena_printf(&f->arena, "it is not run again: %s", front_no_retry(f)));
	}
	f->wants_retry = f->retries_left > 0 && !f->outcome.undead;
	if (f->wants_retry) {
		f->opt.receipt_fd = -1;
	}
	return f->wants_retry;
}

int
front_on_failure(struct front *f)
{
	auto_ledger file = LEDGER_FILE_INIT;
	int rc;

	if (!front_has_failed(f->outcome.verdict) || is_retried(f) || !concerns_workflow(f)) {
		return 0;
	}
	rc = front_open_ledger(f, &file);
	rc = rc < 0 ? rc : move(f, &file);
	if (rc < 0) {
		/* the record is still to be written: it says what did not happen */
		const char *why =
			arena_printf(&f->arena, "on_failure.then: %s could not be done: %.200s",
				     profile_on_failure_words[f->profile->on_failure], f->err.text);
		const char *all = arena_printf(&f->arena, "%.250s; %s", text_of(f), why);

		snprintf(f->outcome.reason, sizeof(f->outcome.reason), "%s",
			 all != NULL ? all : "");
		front_warn(f, why);
		f->err = (struct err)ERR_INIT;
	}
	return 0;
}
