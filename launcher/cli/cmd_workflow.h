/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs below `airlock workflow` share. airlock-cli only, as the caller, who is the only
 * one to write into the state directory.
 */
#ifndef AIRLOCK_CLI_CMD_WORKFLOW_H
#define AIRLOCK_CLI_CMD_WORKFLOW_H

#include "../workflow/event.h"
#include "view_state.h"

/* ---- one workflow (cmd_workflow_at.c) ------------------------------------------------------- */

/* A workflow that was made by name, in the state directory opened for writing. */
struct workflow_at {
	struct store store;
	int dir_fd;
	char id[UUID_TEXT_SIZE];
	struct workflow_definition d;
};

#define WORKFLOW_AT_INIT                          \
	{                                         \
		.store = STORE_INIT, .dir_fd = -1 \
	}
#define auto_workflow_at __attribute__((cleanup(workflow_at_finish))) struct workflow_at

/* By name or id. -ENOENT; -EINVAL for one that was not made by name (`local`). */
int workflow_at_open(const char *name, struct workflow_at *ret, struct err *err) must_check;
void workflow_at_finish(struct workflow_at *at);
/* Its ledger, locked; made again from the journal where it is lost or older than this boot. */
int workflow_at_ledger(struct workflow_at *at, struct ledger_file *ret, struct err *err) must_check;
/* Appends an entry about it, by a person. l: budget, deadline and guard stand in it; or NULL. */
int workflow_at_note(struct workflow_at *at, const char *action, const struct ledger *l,
		     const char *reason, const char *check, struct err *err) must_check;

/*
 * -EALREADY where it is in that state, -EINVAL where states.def has no such move; err says from
 * which: "it cannot be ...".
 */
int workflow_check_move(const struct workflow_at *at, const struct ledger *l,
			enum workflow_state to, const char *may_not, struct err *err) must_check;

/* The entry `new` of a definition, by who makes it: it is the first one about it. */
int
workflow_note_new(struct store *s, const struct workflow_definition *d, struct err *err) must_check;
/*
 * The same where the journal has none, because who made it died before, or it is damaged:
 * *ret_noted says so, and the entry has a reason. Under the ledger, which its maker holds until it
 * is there. Not of one that has not its name: nobody could call it. r is caught up.
 */
int workflow_note_missing(struct store *s, struct reading *r, const struct workflow_definition *d,
			  bool *ret_noted, struct err *err) must_check;

/* ---- one that is looked at (cmd_workflow_see.c) --------------------------------------------- */

struct workflow_seen {
	char id[UUID_TEXT_SIZE];
	struct workflow_definition d; /* of `local`: its name alone */
	bool is_named;		      /* made by `airlock workflow new` */
	bool has_ledger;	      /* l is what it says now */
	bool is_forgotten;	      /* all but its name in the journal */
	struct ledger l;
};

/*
 * The workflow that a person means: by its name, its id, or what index_workflow takes (a start of
 * the id, the name of one that was forgotten). -ENOENT, -ENOTUNIQ.
 */
int workflow_lookup(struct reading *r, const char *name, char ret_id[UUID_TEXT_SIZE],
		    struct err *err) must_check;
/* What is damaged was told on stderr, and is missing; so is all of one that was forgotten. */
int workflow_see(const struct store *s, const uint8_t id[16], struct workflow_seen *ret,
		 struct err *err) must_check;
/* What stands for its state; "unknown" without a ledger. */
const char *workflow_seen_state(const struct workflow_seen *w);
/* What of the bound is left; false where there is none. */
bool workflow_seen_left(const struct ledger *l, enum budget_id id, uint64_t *ret_left);
/* "calls: 3 of 10 used, 1 reserved, 6 left". */
void workflow_put_budget(struct buf *b, const struct ledger *l, enum budget_id id);

struct story;
/*
 * One line of JSON about it (docs/airlock.1). story: what happened in it, which adds draft, check,
 * timeline and the steps' calls; NULL: nothing of that.
 */
int workflow_seen_json(struct reading *r, const struct workflow_seen *w, const struct story *story,
		       struct buf *out) must_check;

/* ---- words of the command line (cmd_workflow_words.c) --------------------------------------- */

/*
 * "calls=100,wall=2h,cpu=30m,disk=5G": what is named is set, the rest stays; `none` is no bound.
 * -EINVAL for a word that is not of budget.def, an amount that is none, and for a bound of 0; then
 * limits may be changed in part.
 */
int
workflow_words_budget(const char *text, uint64_t limits[BUDGET__COUNT], struct err *err) must_check;
/* A time from now on ("4h"), or a moment (when_read), which lies ahead; `none` is 0. -EINVAL. */
int workflow_words_deadline(const char *text, uint64_t now_ms, uint64_t *ret_ms, struct err *err)
	must_check;
/* "a,b,c", added to what is there. -EINVAL. */
int
workflow_words_steps(const char *text, struct workflow_definition *d, struct err *err) must_check;
int
workflow_words_label(const char *text, struct workflow_definition *d, struct err *err) must_check;
/* A number; 0: no loop guard. -EINVAL. */
int workflow_words_guard(const char *text, uint32_t *ret, struct err *err) must_check;
/* *ret borrows it; NULL for "". -EINVAL when it is too long for a ledger. */
int workflow_words_reason(const char *text, const char **ret, struct err *err) must_check;
int
workflow_words_bundle(const char *text, struct workflow_definition *d, struct err *err) must_check;
int
workflow_words_owner(const char *text, struct workflow_definition *d, struct err *err) must_check;

#endif
