/* SPDX-License-Identifier: Apache-2.0 */
/* A workflow as a program reads it. Runs in airlock-cli as the caller. */
#include <string.h>

#include "../base/json.h"
#include "cmd_workflow_story.h"
#include "view_list.h"

/* ---- its parts ------------------------------------------------------------------------------ */

/* In the order of JSON's keys. */
static const struct {
	enum budget_id id;
	const char *member;
} amounts[] = {
	{ BUDGET_CALLS, "calls" },
	{ BUDGET_CPU, "cpu_ms" },
	{ BUDGET_DISK, "disk_bytes" },
	{ BUDGET_WALL, "wall_ms" },
};
_Static_assert(ARRAY_LEN(amounts) == BUDGET__COUNT, "each has its member");

static void
put_budget(struct json *j, const struct ledger *l)
{
	json_begin_object(j);
	for (size_t i = 0; i < ARRAY_LEN(amounts); i++) {
		enum budget_id id = amounts[i].id;
		uint64_t left = 0;
		bool is_bound = workflow_seen_left(l, id, &left);

		json_key(j, amounts[i].member);
		json_begin_object(j);
		json_kv_known(j, "left", is_bound, (int64_t)left);
		json_kv_known(j, "limit", is_bound, (int64_t)l->limit[id]);
		json_kv_uint(j, "reserved", l->reserved[id]);
		json_kv_uint(j, "used", l->used[id]);
		json_end(j);
	}
	json_end(j);
}

/* Which call brought a label is not recorded by anything yet: these are of the definition. */
static void
put_labels(struct json *j, const struct workflow_definition *d)
{
	json_begin_array(j);
	for (uint32_t i = 0; i < d->label_count; i++) {
		json_begin_object(j);
		json_kv_str(j, "call", NULL);
		json_kv_str(j, "label", d->labels[i]);
		json_end(j);
	}
	json_end(j);
}

static void
put_steps(struct json *j, const struct workflow_seen *w, const struct story *story)
{
	json_begin_array(j);
	for (uint32_t i = 0; i < w->d.step_count; i++) {
		const char *name = w->d.steps[i];

		json_begin_object(j);
		if (story != NULL) {
			json_kv_uint(j, "calls", story_step_calls(story, name));
		}
		json_kv_str(j, "name", name);
		json_kv_str(j, "state",
			    i + 1 < w->l.step	 ? "done"
			    : i + 1 == w->l.step ? "here"
						 : "ahead");
		json_end(j);
	}
	json_end(j);
}

static void
put_draft(struct json *j, const struct reading *r, const struct story *story)
{
	json_begin_array(j);
	for (size_t i = 0; i < story->count; i++) {
		const struct index_call *call = story->items[i].call;

		if (call == NULL || strcmp(call->settled, "held") != 0) {
			continue;
		}
		json_begin_object(j);
		json_kv_str(j, "call", call->id);
		json_key(j, "changes");
		view_list_changes_json(j, call);
		json_kv_str(j, "layer",
			    text_or_null(reading_layer(r, call->workflow, call->seq, call->id)));
		json_end(j);
	}
	json_end(j);
}

/* ---- what happened -------------------------------------------------------------------------- */

static void
put_call(struct json *j, const struct story_item *item)
{
	const struct index_call *call = item->call;
	bool ended = call->t1_ms != 0;

	json_kv_str(j, "answer", text_or_null(call->answer));
	json_kv_uint(j, "attempt", call->attempt);
	json_kv_str(j, "call", call->id);
	json_key(j, "changes");
	view_list_changes_json(j, call);
	json_kv_str(j, "command", call->command);
	json_kv_uint(j, "denials", call->denials);
	json_kv_known(j, "duration_ms", ended, view_list_duration(call));
	json_kv_known(j, "exit", call->exit >= 0, call->exit);
	json_kv_str(j, "key", text_or_null(call->key));
	json_kv_str(j, "mode", call->mode);
	json_kv_str(j, "profile", call->profile);
	json_kv_str(j, "reason", text_or_null(call->reason));
	json_kv_str(j, "retry_of", text_or_null(call->retry_of));
	json_kv_uint(j, "seq", call->seq);
	json_kv_str(j, "settled", text_or_null(call->settled));
	json_kv_known(j, "signal", call->signal != 0, call->signal);
	json_kv_str(j, "state", item->state);
	json_kv_str(j, "step", text_or_null(call->step));
	json_kv_uint(j, "t", call->t0_ms);
	json_kv_str(j, "type", "call");
	json_kv_str(j, "verdict", call->verdict);
}

static void
put_event(struct json *j, const struct story_item *item)
{
	const struct story_event *e = item->event;

	json_kv_str(j, "action", e->action);
	json_key(j, "budget");
	if (e->has_budget) {
		json_begin_object(j);
		ledger_put_amounts(j, e->limits, true);
		json_end(j);
	} else {
		json_put_null(j);
	}
	json_kv_str(j, "by", text_or_null(e->by));
	json_key(j, "check");
	if (e->check[0] != '\0') {
		json_raw(j, e->check, strlen(e->check));
	} else {
		json_put_null(j);
	}
	json_kv_known(j, "deadline", e->deadline_ms != 0, (int64_t)e->deadline_ms);
	json_kv_str(j, "reason", text_or_null(e->reason));
	json_kv_str(j, "step", text_or_null(e->step));
	json_kv_uint(j, "t", item->t_ms);
	json_kv_str(j, "type", "workflow");
	json_kv_known(j, "uid", e->uid >= 0, e->uid);
}

static void
put_resolve(struct json *j, const struct story_item *item)
{
	json_kv_str(j, "answer", item->resolve->answer);
	json_kv_str(j, "call", item->resolve->call);
	json_kv_str(j, "reason", text_or_null(item->resolve->reason));
	json_kv_uint(j, "t", item->t_ms);
	json_kv_str(j, "type", "resolve");
	json_kv_uint(j, "uid", item->resolve->uid);
}

static void
put_timeline(struct json *j, const struct story *story)
{
	json_begin_array(j);
	for (size_t i = 0; i < story->count; i++) {
		const struct story_item *item = &story->items[i];

		json_begin_object(j);
		if (item->call != NULL) {
			put_call(j, item);
		} else if (item->event != NULL) {
			put_event(j, item);
		} else {
			put_resolve(j, item);
		}
		json_end(j);
	}
	json_end(j);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void
put_check(struct json *j, const struct story *story)
{
	const char *check = story->finish != NULL ? story->finish->check : "";

	json_key(j, "check");
	if (check[0] != '\0') {
		json_raw(j, check, strlen(check));
	} else {
		json_put_null(j);
	}
}

int
workflow_seen_json(struct reading *r, const struct workflow_seen *w, const struct story *story,
		   struct buf *out)
{
	const struct ledger *l = &w->l;
	struct json j;

	json_init(&j, out);
	json_begin_object(&j);
	json_key(&j, "budget");
	put_budget(&j, l);
	json_kv_str(&j, "bundle", text_or_null(w->d.bundle));
	if (story != NULL) {
		put_check(&j, story);
	}
	json_kv_known(&j, "created", w->d.created_ms != 0, (int64_t)w->d.created_ms);
	json_kv_known(&j, "deadline", l->deadline_ms != 0, (int64_t)l->deadline_ms);
	if (story != NULL) {
		json_key(&j, "draft");
		put_draft(&j, r, story);
	}
	json_kv_uint(&j, "guard", l->guard);
	json_key(&j, "labels");
	put_labels(&j, &w->d);
	json_kv_str(&j, "name", w->d.name);
	json_kv_bytes(&j, "owner", text_or_null(w->d.owner));
	json_kv_bytes(&j, "reason", text_or_null(l->reason));
	json_kv_known(&j, "since", l->since_ms != 0, (int64_t)l->since_ms);
	json_kv_str(&j, "state", workflow_seen_state(w));
	json_kv_str(&j, "step",
		    l->step > 0 && l->step <= w->d.step_count ? w->d.steps[l->step - 1] : NULL);
	json_key(&j, "steps");
	put_steps(&j, w, story);
	if (story != NULL) {
		json_key(&j, "timeline");
		put_timeline(&j, story);
	}
	json_kv_str(&j, "workflow", w->id);
	json_end(&j);
	buf_putc(out, '\n');
	return json_error(&j);
}
