/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workflows of a state directory: names, ids, definitions (docs/formats.md, "Workflows"). A
 * workflow is made by `airlock workflow new`; `local` needs none of it: it is one per workspace and
 * UTC day. The front reads, airlock-cli makes, both as the caller.
 */
#ifndef AIRLOCK_WORKFLOW_WORKFLOW_H
#define AIRLOCK_WORKFLOW_WORKFLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/text.h"
#include "../store/store.h"

#define WORKFLOW_NAME_MAX 64u
#define WORKFLOW_OWNER_MAX 128u
#define WORKFLOW_STEPS_MAX 64u
#define WORKFLOW_STEP_MAX 64u
#define WORKFLOW_LABELS_MAX 32u
#define WORKFLOW_LABEL_MAX 64u
#define WORKFLOW_BUNDLE_MAX 64u
#define WORKFLOW_NAMES "names" /* in $STATE: a file for each name, which holds the id */
#define WORKFLOW_DEFINITION "definition"
#define WORKFLOW_GUARD 10u /* what the loop guard lets pass where nobody says another number */

enum budget_id {
#define BUDGET(id, word, unit, what) BUDGET_##id,
#include "budget.def"
#undef BUDGET
	BUDGET__COUNT
};

enum budget_unit { BUDGET_UNIT_COUNT, BUDGET_UNIT_TIME, BUDGET_UNIT_SIZE };

extern const char *const budget_words[BUDGET__COUNT];
extern const enum budget_unit budget_units[BUDGET__COUNT];

/* A workflow as it was made. What of it changes later is in its ledger. */
struct workflow_definition {
	uint8_t id[16];
	uint64_t created_ms;
	char name[WORKFLOW_NAME_MAX + 1];
	char owner[WORKFLOW_OWNER_MAX + 1]; /* any bytes; "": nobody was named */
	char bundle[WORKFLOW_BUNDLE_MAX + 1]; /* of its calls' credentials; "": none */
	uint32_t step_count, label_count;
	char steps[WORKFLOW_STEPS_MAX][WORKFLOW_STEP_MAX + 1]; /* in their order, each once */
	char labels[WORKFLOW_LABELS_MAX][WORKFLOW_LABEL_MAX + 1];
	uint64_t limits[BUDGET__COUNT]; /* 0: no bound */
	uint64_t deadline_ms;		/* 0: none */
	uint32_t guard;			/* 0: none */
};

/* 1 to WORKFLOW_NAME_MAX of [A-Za-z0-9._-], no leading dot or dash, no id, and not "local". */
bool workflow_name_is_good(const char *name);

/*
 * The id of a workflow by its name, or by its id (36 characters) where such a one exists. -ENOENT
 * with what to do (`airlock workflow new`).
 */
int workflow_find(const struct store *s, const char *name, uint8_t ret_id[16], struct err *err)
	must_check;

/* The directory of a workflow, wf/<id>; made (0700) where `make` says so. fd or -errno. */
int
workflow_dir(const struct store *s, const uint8_t id[16], bool make, struct err *err) must_check;

/* ---- definitions (workflow_definition.c) ---------------------------------------------------- */

/* 1 to WORKFLOW_STEP_MAX of [A-Za-z0-9._-], no leading dash; of a label also ':' and '/'. */
bool workflow_step_is_good(const char *step);
bool workflow_label_is_good(const char *label);
/* 1 to WORKFLOW_BUNDLE_MAX of [a-z0-9._-], the first a letter or a digit. */
bool workflow_bundle_is_good(const char *bundle);
/* Which of its steps that is, from 1; 0: none. */
unsigned int workflow_definition_step(const struct workflow_definition *d, const char *step);
/* -ENOENT for a workflow that was not made by name (`local`), -EBADMSG where it is damaged. */
int workflow_definition_read(int workflow_fd, struct workflow_definition *ret, struct err *err)
	must_check;

/* ---- making one (workflow_create.c) --------------------------------------------------------- */

/*
 * Makes the workflow: its id and created_ms are set in d, the rest is the caller's and checked. The
 * directory with the definition and the ledger is whole and durable before the name is there, and
 * the name comes last: a crash leaves no workflow, or all of it. -EEXIST when the name is taken.
 * The caller appends the `workflow` entry "new" then, with the ledger still held: ret_held is
 * locked from before the name is there, and the caller's to close. Where a crash came between,
 * whoever finds the definition and no entry, under that lock, appends it.
 */
struct ledger_file;
int workflow_create(const struct store *s, struct workflow_definition *d,
		    struct ledger_file *ret_held, struct err *err) must_check;
/*
 * Makes its definition and its name again where they are lost: d is what the journal says. The
 * ledger is another's. -EEXIST when the name is another workflow's.
 */
int workflow_restore(const struct store *s, const struct workflow_definition *d, struct err *err)
	must_check;
/* Removes the name where it is that workflow's; 0 also where it is gone. Durable. */
int workflow_drop_name(const struct store *s, const char *name, const uint8_t id[16],
		       struct err *err) must_check;

#endif
