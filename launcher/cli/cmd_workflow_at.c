/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli as cmd_workflow.h says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd_recover.h"
#include "cmd_workflow.h"

void
workflow_at_finish(struct workflow_at *at)
{
	cleanup_fd(&at->dir_fd);
	store_finish(&at->store);
	*at = (struct workflow_at)WORKFLOW_AT_INIT;
}

/* The one that has the name, or is of that id. */
static int
find(struct workflow_at *at, const char *name, struct err *err)
{
	uint8_t id[16];
	int rc = workflow_find(&at->store, name, id, err);

	if (rc < 0) {
		return rc;
	}
	at->dir_fd = workflow_dir(&at->store, id, false, err);
	if (at->dir_fd < 0) {
		return at->dir_fd;
	}
	text_uuid_print(id, at->id);
	rc = workflow_definition_read(at->dir_fd, &at->d, err);
	return rc == -ENOENT ? err_set(err, -EINVAL,
				       "workflow %s was not made by `airlock workflow new`: it has "
				       "no budget, and nobody pauses, stops or finishes it",
				       at->id)
			     : rc;
}

int
workflow_at_open(const char *name, struct workflow_at *ret, struct err *err)
{
	auto_workflow_at at = WORKFLOW_AT_INIT;
	auto_free char *path = NULL;
	int rc = reading_path(&path, err);

	rc = rc < 0 ? rc : store_open_write(path, &at.store, err);
	rc = rc < 0 ? rc : find(&at, name, err);
	if (rc < 0) {
		return rc;
	}
	*ret = at;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
	at = (struct workflow_at)WORKFLOW_AT_INIT;
	return 0;
}

int
workflow_at_ledger(struct workflow_at *at, struct ledger_file *ret, struct err *err)
{
	return recover_ledger_open(at->dir_fd, at->d.id, ret, err);
}

int
workflow_at_note(struct workflow_at *at, const char *action, const struct ledger *l,
		 const char *reason, const char *check, struct err *err)
{
	struct workflow_event e = { .action = action,
				    .by = "person",
				    .name = at->d.name,
				    .reason = reason,
				    .check = check,
				    .l = l };

	memcpy(e.workflow, at->d.id, sizeof(e.workflow));
	return workflow_append_event(&at->store, &e, err);
}

/* ---- the first entry ------------------------------------------------------------------------ */

static int
note_new(struct store *s, const struct workflow_definition *d, const char *reason, struct err *err)
{
	const char *steps[WORKFLOW_STEPS_MAX], *labels[WORKFLOW_LABELS_MAX];
	struct ledger l = { .deadline_ms = d->deadline_ms, .guard = d->guard };
	struct workflow_event e = { .action = "new",
				    .by = "person",
				    .name = d->name,
				    .owner = text_or_null(d->owner),
				    .bundle = text_or_null(d->bundle),
				    .reason = reason,
				    .steps = steps,
				    .step_count = d->step_count,
				    .labels = labels,
				    .label_count = d->label_count,
				    .l = &l };

	memcpy(e.workflow, d->id, sizeof(e.workflow));
	memcpy(l.limit, d->limits, sizeof(l.limit));
	for (uint32_t i = 0; i < d->step_count; i++) {
		steps[i] = d->steps[i];
	}
	for (uint32_t i = 0; i < d->label_count; i++) {
		labels[i] = d->labels[i];
	}
	return workflow_append_event(s, &e, err);
}

int
workflow_note_new(struct store *s, const struct workflow_definition *d, struct err *err)
{
	return note_new(s, d, NULL, err);
}

static int
is_new(void *arg, const struct index_event *event)
{
	(void)arg;
	return strcmp(event->action, "new") == 0;
}

/* 1 where the journal has it, 0, or -errno. */
static int
is_noted(struct reading *r, const struct workflow_definition *d, struct err *err)
{
	char id[UUID_TEXT_SIZE];

	text_uuid_print(d->id, id);
	return index_workflow_events(r->ix, id, is_new, NULL, err);
}

static int
note_locked(struct store *s, struct reading *r, const struct workflow_definition *d,
	    bool *ret_noted, struct err *err)
{
	auto_fd dir = workflow_dir(s, d->id, false, err);
	auto_ledger held = LEDGER_FILE_INIT;
	int rc = dir < 0 ? dir : ledger_open(dir, &held, err);

	rc = rc == -ESTALE ? 0 : rc; /* it is held all the same */
	rc = rc < 0 ? rc : reading_refresh(r, err);
	rc = rc < 0 ? rc : is_noted(r, d, err);
	if (rc == 0) {
		*err = (struct err)ERR_INIT;
		*ret_noted = true;
		rc = note_new(s, d, "by its definition: the journal had no such entry", err);
	}
	return rc < 0 ? rc : 0;
}

int
workflow_note_missing(struct store *s, struct reading *r, const struct workflow_definition *d,
		      bool *ret_noted, struct err *err)
{
	struct err none = ERR_INIT;
	uint8_t holder[16];
	int rc;

	*ret_noted = false;
	if (workflow_find(s, d->name, holder, &none) < 0 ||
	    memcmp(holder, d->id, sizeof(holder)) != 0) {
		return 0;
	}
	rc = is_noted(r, d, err);
	return rc == 0 ? note_locked(s, r, d, ret_noted, err) : rc > 0 ? 0 : rc;
}
