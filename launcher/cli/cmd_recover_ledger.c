/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli as cmd_recover.h says. Texts in the journal are anybody's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/grow.h"
#include "../store/index_compare.h"
#include "../store/record.h"
#include "../workflow/keys.h"
#include "../workflow/running.h"
#include "cmd_recover.h"
#include "settle_entry.h"
#include "view_record.h"

struct rebuild {
	const uint8_t *workflow;
	int workflow_fd;
	struct ledger l;
	size_t events;	       /* about it, so far */
	bool has_budget;       /* an entry said so */
	json_t *steps;	       /* of the entry `new`; NULL: none */
	struct journal_pos sound; /* no damage before it can have hidden anything of it */
	uint64_t damaged;	  /* entries from there on */
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
	b->steps = json_incref(json_object_get(record, "steps"));
	if (b->events == 0) {
		b->l.since_ms = event->t_ms;
	}
	/* with a reason it is recovery's, and stands wherever that came to it */
	if (b->events == 0 && event->reason[0] == '\0') {
		b->sound = event->pos;
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
	snprintf(b->l.name, sizeof(b->l.name), "%s", event->name);
	if (strcmp(event->action, "resume") == 0) {
		b->sound = event->pos; /* a person has looked */
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

/* A call that runs counts its use itself when it ends; an unknown one may have used all it had. */
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

/* ---- calls whose end nobody saw ------------------------------------------------------------- */

struct lost_calls {
	const struct rebuild *b;
	struct lost_entry *items; /* owned */
	size_t count, cap;
	uint64_t now_ms, cpus;
};

static void
lost_calls_finish(struct lost_calls *l)
{
	free(l->items);
}

/* A clock that was set back says nothing of how long it ran. */
static int
add_lost(void *arg, const struct index_call *call)
{
	struct lost_calls *l = arg;
	const uint64_t ran_ms = l->now_ms >= call->t0_ms ? l->now_ms - call->t0_ms : UINT64_MAX;
	const uint64_t reserved[BUDGET__COUNT] = { [BUDGET_CALLS] = call->reserved.calls,
						   [BUDGET_WALL] = call->reserved.wall_ms,
						   [BUDGET_CPU] = call->reserved.cpu_ms,
						   [BUDGET_DISK] = call->reserved.disk_bytes };
	struct lost_entry *grown;

	if (strcmp(call->verdict, "unknown") != 0 || call->lost_ms != 0 ||
	    is_living(l->b, call->id)) {
		return 0;
	}
	grown = grow_array(l->items, l->count, &l->cap, sizeof(*grown));
	if (grown == NULL) {
		return -ENOMEM;
	}
	l->items = grown;
	grown = &l->items[l->count++];
	*grown = (struct lost_entry){ .t_ms = l->now_ms };
	snprintf(grown->call, sizeof(grown->call), "%s", call->id);
	ledger_lost_use(reserved, ran_ms, l->cpus, grown->used);
	return 0;
}

static int
append_lost(const struct reading *r, const struct lost_calls *l, struct err *err)
{
	auto_store s = STORE_INIT;
	int rc = l->count > 0 ? store_open_write(r->store.path, &s, err) : 0;

	for (size_t i = 0; rc == 0 && i < l->count; i++) {
		auto_buf payload = BUF_INIT;
		struct journal_pos pos;

		rc = lost_entry_write(&l->items[i], &payload, err);
		rc = rc < 0 ? rc : journal_append(&s, payload.data, payload.len, &pos, err);
	}
	return rc;
}

/*
 * Under the ledger nobody is let in, and what has ended since the living were listed has its
 * outcome in the index: who is left died. (Its outcome may still come, of a commit that somebody
 * finishes: that counts, whichever entry is first.) From here on the journal bounds what it used,
 * and that does not grow with the time until somebody asks again. Where it cannot be appended, a
 * full disk or who only may read, the call counts with all that it had reserved: nobody is kept
 * from stopping a workflow by that.
 */
static int
note_lost(struct reading *r, struct rebuild *b, const char *workflow, struct err *err)
{
	__attribute__((cleanup(lost_calls_finish))) struct lost_calls l = {
		.b = b,
		.now_ms = clock_realtime_ms(),
		.cpus = (uint64_t)sysconf(_SC_NPROCESSORS_CONF),
	};
	struct err unsaid = ERR_INIT;
	int rc = index_workflow_calls(r->ix, workflow, add_lost, &l, err);

	if (rc != 0 || l.count == 0) {
		return rc;
	}
	ignore_err(append_lost(r, &l, &unsaid), "it counts with what it reserved");
	return reading_refresh(r, err);
}

/* ---- what may be missing -------------------------------------------------------------------- */

static int
count_damage(void *arg, struct journal_pos pos, const char *why)
{
	struct rebuild *b = arg;

	(void)why;
	b->damaged += journal_pos_order(pos, b->sound) >= 0 ? 1 : 0;
	return 0;
}

/*
 * A stop, a smaller budget, or what a call used may have been there: a person decides. `local` has
 * nothing of that, and nobody resumes it.
 */
static int
pause_over_damage(struct rebuild *b, struct index *ix, bool *ret_paused, struct err *err)
{
	char reason[LEDGER_REASON_MAX];
	int rc = index_damaged(ix, count_damage, b, err);

	if (rc != 0 || b->damaged == 0 || b->l.state != WORKFLOW_ACTIVE ||
	    strcmp(b->l.name, "local") == 0) {
		return rc;
	}
	snprintf(reason, sizeof(reason),
		 "%llu damaged journal entr%s: what is known of it may not be all",
		 (unsigned long long)b->damaged, b->damaged == 1 ? "y" : "ies");
	ledger_move(&b->l, WORKFLOW_PAUSED, clock_realtime_ms(), reason);
	*ret_paused = true;
	return 0;
}

/* ---- all of it ------------------------------------------------------------------------------ */

/* As it was made; what changed since, the journal says. */
static void
begin_as_defined(struct rebuild *b)
{
	struct workflow_definition d;
	struct err none = ERR_INIT;

	if (workflow_definition_read(b->workflow_fd, &d, &none) < 0) {
		return;
	}
	memcpy(b->l.name, d.name, sizeof(b->l.name));
	memcpy(b->l.limit, d.limits, sizeof(b->l.limit));
	b->l.deadline_ms = d.deadline_ms;
	b->l.guard = d.guard;
}

static int
rebuild(struct reading *r, struct rebuild *b, struct err *err)
{
	char id[UUID_TEXT_SIZE];
	int rc;

	text_uuid_print(b->workflow, id);
	/* what runs first: what has ended by then, the journal has */
	rc = running_each(&r->store, add_living, b, err);
	rc = rc != 0 ? rc : reading_refresh(r, err);
	rc = rc != 0 ? rc : note_lost(r, b, id, err);
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
	bool paused = false;
	int rc;

	begin_as_defined(&b);
	rc = rebuild(r, &b, err);
	rc = rc == 0 ? pause_over_damage(&b, r->ix, &paused, err) : rc;
	rc = rc == 0 ? recover_draft(r, workflow_fd, err) : rc;
	if (rc != 0) {
		return rc;
	}
	f->l = b.l;
	rc = ledger_write(f, err);
	return rc == 0 && paused ? 1 : rc;
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
	return rc < 0 ? rc : 0;
}
