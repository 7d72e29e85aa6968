/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli as cmd_recover.h says. Texts in the journal are anybody's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/grow.h"
#include "../store/record.h"
#include "../workflow/keys.h"
#include "../workflow/running.h"
#include "cmd_recover.h"
#include "view_record.h"

struct rebuild {
	const uint8_t *workflow;
	int workflow_fd;
	struct ledger l;
	size_t events;	       /* about it, so far */
	bool has_budget;       /* an entry said so */
	json_t *steps;	       /* of the entry `new`; NULL: none */
	uint8_t (*living)[16]; /* its calls that run; owned */
	size_t count, cap;
};

static void
rebuild_finish(struct rebuild *b)
{
	json_decref(b->steps);
	free(b->living);
}

/* ---- what runs ------------------------------------------------------------------------------ */

static int
add_living(void *arg, const struct running_call *c)
{
	struct rebuild *b = arg;
	uint8_t(*grown)[16];

	if (!c->is_alive || memcmp(c->workflow, b->workflow, sizeof(c->workflow)) != 0) {
		return 0;
	}
	grown = grow_array(b->living, b->count, &b->cap, sizeof(*grown));
	if (grown == NULL) {
		return -ENOMEM;
	}
	b->living = grown;
	memcpy(b->living[b->count++], c->call, sizeof(c->call));
	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		b->l.reserved[i] += c->reserved[i];
	}
	return 0;
}

static bool
is_living(const struct rebuild *b, const char *call)
{
	uint8_t id[16];

	if (text_uuid_parse(call, id) < 0) {
		return false;
	}
	for (size_t i = 0; i < b->count; i++) {
		if (memcmp(b->living[i], id, sizeof(id)) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- what happened to it -------------------------------------------------------------------- */

static void
take_budget(struct rebuild *b, const json_t *record)
{
	static const char *const members[BUDGET__COUNT] = { [BUDGET_CALLS] = "calls",
							    [BUDGET_WALL] = "wall_ms",
							    [BUDGET_CPU] = "cpu_ms",
							    [BUDGET_DISK] = "disk_bytes" };
	const json_t *budget = json_object_get(record, "budget");
	struct ledger *l = &b->l;

	if (!json_is_object(budget)) {
		return; /* an entry that is not about it */
	}
	b->has_budget = true;
	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		l->limit[i] = record_number(budget, members[i]);
	}
	l->deadline_ms = record_number(record, "deadline");
	l->guard = (uint32_t)record_number(record, "guard");
}

/*
 * How it began. Recovery may have appended it, or once more, behind what happened since: that
 * stands.
 */
static void
take_new(struct rebuild *b, const struct index_event *event, const json_t *record)
{
	if (b->steps != NULL) {
		return;
	}
	snprintf(b->l.name, sizeof(b->l.name), "%s", event->name);
	b->steps = json_incref(json_object_get(record, "steps"));
	if (b->events == 0) {
		b->l.since_ms = event->t_ms;
	}
	if (!b->has_budget) {
		take_budget(b, record);
	}
}

static int
take_event(void *arg, const struct index_event *event)
{
	static const struct {
		const char *action;
		enum workflow_state to;
	} moves[] = {
		{ "pause", WORKFLOW_PAUSED },
		{ "resume", WORKFLOW_ACTIVE },
		{ "stop", WORKFLOW_STOPPED },
		{ "finish", WORKFLOW_FINISHED },
	};
	struct rebuild *b = arg;
	auto_buf reason = BUF_INIT;
	json_t *record = record_parse(event->record, event->record_len);

	if (record == NULL || text_unvis(event->reason, &reason) < 0) {
		json_decref(record);
		return -ENOMEM;
	}
	for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
		if (strcmp(moves[i].action, event->action) == 0) {
			ledger_move(&b->l, moves[i].to, event->t_ms, buf_text(&reason));
		}
	}
	if (strcmp(event->action, "new") == 0) {
		take_new(b, event, record);
	} else {
		take_budget(b, record);
	}
	b->events++;
	json_decref(record);
	return 0;
}

/* ---- its calls ------------------------------------------------------------------------------ */

/* The last one that named a step says where the workflow stands. */
static void
take_step(struct rebuild *b, const char *step)
{
	for (size_t i = 0; i < json_array_size(b->steps); i++) {
		const char *name = json_string_value(json_array_get(b->steps, i));

		if (name != NULL && strcmp(name, step) == 0) {
			b->l.step = (uint32_t)i + 1;
		}
	}
}

/* A call that runs counts its use itself when it ends; of an unknown one all may be used. */
static void
take_use(struct rebuild *b, const struct index_call *call)
{
	const struct index_use *use =
		strcmp(call->verdict, "unknown") == 0 ? &call->reserved : &call->used;

	b->l.used[BUDGET_CALLS] += call->reserved.calls;
	b->l.used[BUDGET_WALL] += use->wall_ms;
	b->l.used[BUDGET_CPU] += use->cpu_ms;
	b->l.used[BUDGET_DISK] += use->disk_bytes;
}

/* A record of before there were parts has none: then all of them differ. */
static void
fill_key(const struct index_call *call, struct key_entry *ret)
{
	uint8_t parts[REQUEST_PART__COUNT * REQUEST_PART_BYTES];

	*ret = (struct key_entry){ .attempt = call->attempt };
	snprintf(ret->call, sizeof(ret->call), "%s", call->id);
	if (text_unhex(call->request_digest, ret->request, sizeof(ret->request)) < 0) {
		memset(ret->request, 0, sizeof(ret->request)); /* is no request's */
	}
	if (text_unhex(call->request_parts, parts, sizeof(parts)) < 0) {
		memset(parts, 0, sizeof(parts));
	}
	text_hex(parts, sizeof(parts), ret->parts);
}

static bool
is_same_key(const struct key_entry *a, const struct key_entry *b)
{
	return strcmp(a->call, b->call) == 0 && a->attempt == b->attempt &&
	       memcmp(a->request, b->request, sizeof(a->request)) == 0 &&
	       strcmp(a->parts, b->parts) == 0;
}

/* In the order of the journal: the last call that was let in under a key has it. */
static int
take_key(struct rebuild *b, const struct index_call *call)
{
	struct key_entry e, found;
	auto_buf key = BUF_INIT;
	int rc;

	if (call->key[0] == '\0' || strcmp(call->verdict, "denied") == 0) {
		return 0;
	}
	rc = text_unvis(call->key, &key);
	if (rc < 0) {
		return rc;
	}
	fill_key(call, &e);
	rc = keys_read(b->workflow_fd, buf_text(&key), &found);
	/* who runs under it may not be in the journal yet */
	if (rc == 0 && (is_living(b, found.call) || is_same_key(&e, &found))) {
		return 0;
	}
	return keys_write(b->workflow_fd, buf_text(&key), &e);
}

static int
take_call(void *arg, const struct index_call *call)
{
	struct rebuild *b = arg;

	if (!is_living(b, call->id)) {
		take_use(b, call);
	}
	take_step(b, call->step);
	return take_key(b, call);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int
rebuild(struct reading *r, struct rebuild *b, struct err *err)
{
	char id[UUID_TEXT_SIZE];
	int rc;

	text_uuid_print(b->workflow, id);
	/* what runs first: what has ended by then, the journal has */
	rc = running_each(&r->store, add_living, b, err);
	rc = rc != 0 ? rc : reading_refresh(r, err);
	rc = rc != 0 ? rc : index_workflow_events(r->ix, id, take_event, b, err);
	rc = rc != 0 ? rc : index_workflow_calls(r->ix, id, take_call, b, err);
	return rc == 0 || err->code != 0 ? rc : err_sys(err, rc, "make the ledger of %s again", id);
}

int
recover_ledger(struct reading *r, int workflow_fd, const uint8_t workflow[16],
	       struct ledger_file *f, struct err *err)
{
	__attribute__((cleanup(rebuild_finish))) struct rebuild b = {
		.workflow = workflow,
		.workflow_fd = workflow_fd,
		.l = { .state = WORKFLOW_ACTIVE, .name = "local" },
	};
	int rc = rebuild(r, &b, err);

	rc = rc == 0 ? recover_draft(r, workflow_fd, err) : rc;
	if (rc != 0) {
		return rc;
	}
	f->l = b.l;
	return ledger_write(f, err);
}

int
recover_ledger_open(int workflow_fd, const uint8_t workflow[16], struct ledger_file *ret,
		    struct err *err)
{
	auto_reading r = READING_INIT;
	int rc = ledger_open(workflow_fd, ret, err);

	if (rc != -ESTALE) {
		return rc;
	}
	/* what that may wait for must not wait for the ledger */
	ledger_close(ret);
	*err = (struct err)ERR_INIT;
	rc = reading_open_quiet(&r, err);
	if (rc < 0) {
		return rc;
	}
	rc = ledger_open(workflow_fd, ret, err);
	if (rc == -ESTALE) {
		*err = (struct err)ERR_INIT;
		rc = recover_ledger(&r, workflow_fd, workflow, ret, err);
	}
	if (rc < 0) {
		ledger_close(ret);
	}
	return rc;
}
