/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened in a workflow, in order: its calls, the entries about it, what people said of calls
 * that nobody knows the end of. airlock-cli only, as the caller. Texts are the callers' and the
 * tools'.
 */
#ifndef AIRLOCK_CLI_CMD_WORKFLOW_STORY_H
#define AIRLOCK_CLI_CMD_WORKFLOW_STORY_H

#include "../base/arena.h"
#include "cmd_workflow.h"

/* An entry about the workflow. Strings are "" where the record has none. */
struct story_event {
	const char *action, *by, *name, *reason, *step;
	int64_t uid;
	bool has_budget; /* limits and deadline_ms are what it set */
	uint64_t limits[BUDGET__COUNT], deadline_ms;
	const char *check; /* compact JSON */
	const char *check_call, *check_profile, *check_tree;
};

struct story_resolve {
	const char *call, *answer, *reason;
	uint64_t uid;
};

/* One of the three is there. */
struct story_item {
	uint64_t t_ms; /* of a call: when it started */
	size_t at;     /* which it was when it was read */
	const struct index_call *call;
	const struct story_event *event;
	const struct story_resolve *resolve;
	const char *state; /* of a call: view_list_state */
};

struct story {
	struct arena arena; /* all that items point to */
	struct story_item *items;
	size_t count, room;
	const struct story_event *finish; /* how it was finished; NULL: it is not */
};

#define STORY_INIT            \
	{                     \
		.items = NULL \
	}
#define auto_story __attribute__((cleanup(story_finish))) struct story

/* workflow is a whole id. */
int
story_read(struct reading *r, const char *workflow, struct story *ret, struct err *err) must_check;
void story_finish(struct story *s);

/* How many of its calls named that step. */
uint64_t story_step_calls(const struct story *s, const char *step);

#endif
