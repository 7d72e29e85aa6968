/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `airlock recover` makes again from the journal, and verbs that need it before. airlock-cli
 * only, as the caller. Idempotent: killed anywhere, doing it again does the rest.
 */
#ifndef AIRLOCK_CLI_CMD_RECOVER_H
#define AIRLOCK_CLI_CMD_RECOVER_H

#include "../workflow/ledger.h"
#include "view_state.h"

/* ---- one workflow (cmd_recover_ledger.c) ---------------------------------------------------- */

/*
 * Makes the ledger and the keys of a workflow again. f is its ledger, open and locked, whatever it
 * says; it is written. The index of r is refreshed first. State, budget, deadline and guard come
 * from the `workflow` entries, the step from the last call that named one; used is what outcomes
 * say, and of a call that died without one what its `lost` entry says, which is appended here;
 * reserved is what living calls have; each key is that of its last call that was let in. What the
 * loop guard had counted begins anew. What unknown calls left in the draft is set aside. Where
 * entries behind its beginning, and behind the last time that a person resumed it, are damaged, one
 * that would be active is paused: 1 then, else 0.
 */
int recover_ledger(struct reading *r, int workflow_fd, const uint8_t workflow[16],
		   struct ledger_file *f, struct err *err) must_check;
/*
 * Sets aside what unknown calls left in the workflow's draft (cmd_recover_draft.c). The index of r
 * is up to date; under the ledger.
 */
int recover_draft(struct reading *r, int workflow_fd, struct err *err) must_check;
/* ledger_open, which makes one that is -ESTALE again. */
int recover_ledger_open(int workflow_fd, const uint8_t workflow[16], struct ledger_file *ret,
			struct err *err) must_check;

/* ---- a state directory (cmd_recover_calls.c, cmd_recover_workflows.c) ----------------------- */

struct recovery {
	struct store *store;	 /* for writing */
	struct reading *reading; /* of the same */
	bool quiet;		 /* only what could not be done is told */
	size_t found;		 /* how much there was to do */
	size_t failed;
};

/* One line on stderr, safe to print; a failure is told even where all is quiet. */
void recovery_tell(struct recovery *r, const char *text);
void recovery_fail(struct recovery *r, const char *what, const struct err *err);
/* recover_ledger, which is told where it pauses the workflow. 0 or -errno. */
int recovery_ledger(struct recovery *r, int workflow_fd, const uint8_t workflow[16],
		    struct ledger_file *f, struct err *err) must_check;

/*
 * Calls whose fronts died: kills what is left in their groups, makes the ledgers of their workflows
 * again, and removes their files in running/. Tells of each call what is known and what can be
 * done.
 */
void recover_calls(struct recovery *r);
/* Definitions and names that are lost or damaged, then ledgers that are, or of another boot. */
void recover_workflows(struct recovery *r);
/*
 * What resolvers gave and nobody uses any more: they are asked to end it. Not where all is quiet:
 * who starts a call does not wait for that (front_run.c). (cmd_recover_leases.c)
 */
void recover_leases(struct recovery *r);

/*
 * All that `airlock recover` does (cmd_recover.c): 0, 1 where something could not be recovered,
 * which was told, or -errno.
 */
int recover_state(struct store *s, bool quiet, struct err *err) must_check;

#endif
