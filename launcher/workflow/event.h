/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal entry `workflow`: what happened to a workflow besides its calls (docs/formats.md,
 * "Record"). Appended by the front (the loop guard, a call that failed) and by airlock-cli (all
 * else).
 */
#ifndef AIRLOCK_WORKFLOW_EVENT_H
#define AIRLOCK_WORKFLOW_EVENT_H

#include "ledger.h"

/* Texts are borrowed, and NULL where there is none. */
struct workflow_event {
	const char *action; /* of event_words.def */
	const char *by;	    /* "person", "guard" or "call" */
	const char *name, *owner, *bundle, *reason, *step;
	const char *const *steps;
	size_t step_count;
	const char *const *labels;
	size_t label_count;
	const char *check; /* a JSON object */
	const struct ledger
		*l; /* budget, deadline and guard are written from it; NULL: they are not */
	uint8_t workflow[16];
};

/* Durable when it returns 0. */
int
workflow_append_event(struct store *s, const struct workflow_event *e, struct err *err) must_check;

#endif
