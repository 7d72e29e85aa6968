/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as cmd_workflow_story.h says; the index was caught up by who reads. */
#include "cmd_workflow_story.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../store/record.h"
#include "view_list.h"
#include "view_record.h"

void
story_finish(struct story *s)
{
	arena_finish(&s->arena);
	free(s->items);
	*s = (struct story)STORY_INIT;
}

static int
add(struct story *s, struct story_item item)
{
	if (s->count == s->room) {
		size_t room = s->room > 0 ? 2 * s->room : 64;
		struct story_item *grown = reallocarray(s->items, room, sizeof(*grown));

		if (grown == NULL) {
			return -ENOMEM;
		}
		s->items = grown;
		s->room = room;
	}
	item.at = s->count;
	s->items[s->count++] = item;
	return arena_failed(&s->arena) ? -ENOMEM : 0;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static int
add_call(void *arg, const struct index_call *call)
{
	struct story *s = arg;
	struct index_call *copy = arena_alloc(&s->arena, sizeof(*copy));
	const char **strings[] = {
		&copy->id,	&copy->workflow,       &copy->workflow_name,  &copy->key,
		&copy->profile, &copy->mode,	       &copy->tool,	      &copy->command,
		&copy->verdict, &copy->settled,	       &copy->workspace,      &copy->reason,
		&copy->retry,	&copy->changes_digest, &copy->request_digest, &copy->answer,
		&copy->step,	&copy->retry_of,
	};

	if (copy == NULL) {
		return -ENOMEM;
	}
	*copy = *call;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		*strings[i] = arena_string(&s->arena, *strings[i]);
	}
	return add(s, (struct story_item){ .t_ms = copy->t0_ms, .call = copy });
}

/* ---- entries about the workflow ------------------------------------------------------------- */

static uint64_t
number_in(const json_t *record, const char *member)
{
	return record_value(json_object_get(record, member));
}

static void
read_event(struct story *s, const json_t *record, struct story_event *ret)
{
	static const char *const members[BUDGET__COUNT] = { [BUDGET_CALLS] = "calls",
							    [BUDGET_WALL] = "wall_ms",
							    [BUDGET_CPU] = "cpu_ms",
							    [BUDGET_DISK] = "disk_bytes" };
	const json_t *budget = json_object_get(record, "budget");
	const json_t *check = json_object_get(record, "check");
	auto_buf text = BUF_INIT;

	ret->by = arena_string(&s->arena, record_text(record, "by"));
	ret->step = arena_string(&s->arena, record_text(record, "step"));
	ret->has_budget = json_is_object(budget);
	ret->deadline_ms = number_in(record, "deadline");
	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		ret->limits[i] = number_in(budget, members[i]);
	}
	ret->check_call = arena_string(&s->arena, record_text(check, "call"));
	ret->check_profile = arena_string(&s->arena, record_text(check, "profile"));
	ret->check_tree = arena_string(&s->arena, record_text(check, "tree"));
	if (json_is_object(check) && record_put_json(json_deep_copy(check), &text) == 0) {
		ret->check = arena_copy(&s->arena, text.data, text.len);
	} else {
		ret->check = "";
	}
}

static int
add_event(void *arg, const struct index_event *event)
{
	struct story *s = arg;
	struct story_event *copy = arena_alloc(&s->arena, sizeof(*copy));
	json_t *record = record_parse(event->record, event->record_len);

	if (copy == NULL || record == NULL) {
		json_decref(record);
		return -ENOMEM;
	}
	copy->action = arena_string(&s->arena, event->action);
	copy->name = arena_string(&s->arena, event->name);
	copy->reason = arena_string(&s->arena, event->reason);
	copy->uid = event->uid;
	read_event(s, record, copy);
	json_decref(record);
	if (strcmp(copy->action, "finish") == 0) {
		s->finish = copy;
	}
	return add(s, (struct story_item){ .t_ms = event->t_ms, .event = copy });
}

/* ---- what people said of calls -------------------------------------------------------------- */

struct asked {
	struct story *story;
	const char *call;
};

static int
add_resolve(void *arg, const struct index_resolve *resolve)
{
	const struct asked *asked = arg;
	struct story *s = asked->story;
	struct story_resolve *copy = arena_alloc(&s->arena, sizeof(*copy));

	if (copy == NULL) {
		return -ENOMEM;
	}
	copy->call = asked->call;
	copy->answer = arena_string(&s->arena, resolve->answer);
	copy->reason = arena_string(&s->arena, resolve->reason);
	copy->uid = resolve->uid;
	return add(s, (struct story_item){ .t_ms = resolve->t_ms, .resolve = copy });
}

static int
add_resolves(struct story *s, struct index *ix, struct err *err)
{
	int rc = 0;

	for (size_t i = 0, calls = s->count; rc == 0 && i < calls; i++) {
		const struct index_call *call = s->items[i].call;
		struct asked asked = { .story = s, .call = call != NULL ? call->id : "" };

		if (call != NULL && call->answer[0] != '\0') {
			rc = index_resolves(ix, call->id, add_resolve, &asked, err);
		}
	}
	return rc;
}

/* ---- all of it ------------------------------------------------------------------------------ */

/* In the order of time; where it is the same, as they were read: entries before calls. */
static int
order(const void *a, const void *b)
{
	const struct story_item *x = a, *y = b;

	if (x->t_ms != y->t_ms) {
		return x->t_ms < y->t_ms ? -1 : 1;
	}
	return x->at < y->at ? -1 : 1;
}

int
story_read(struct reading *r, const char *workflow, struct story *ret, struct err *err)
{
	int rc = index_workflow_events(r->ix, workflow, add_event, ret, err);

	rc = rc != 0 ? rc : index_workflow_calls(r->ix, workflow, add_call, ret, err);
	rc = rc != 0 ? rc : add_resolves(ret, r->ix, err);
	if (rc != 0) {
		return err->code != 0 ? rc : err_sys(err, rc, "read what happened");
	}
	for (size_t i = 0; i < ret->count; i++) {
		struct story_item *item = &ret->items[i];

		item->state = item->call != NULL ? view_list_state(r, item->call) : "";
	}
	if (ret->count > 0) {
		qsort(ret->items, ret->count, sizeof(ret->items[0]), order);
	}
	return 0;
}

uint64_t
story_step_calls(const struct story *s, const char *step)
{
	uint64_t count = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct index_call *call = s->items[i].call;

		count += call != NULL && strcmp(call->step, step) == 0 ? 1 : 0;
	}
	return count;
}
