/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signed log of the caller's state directory, for the verbs about it. airlock-cli only, as the
 * caller.
 */
#ifndef AIRLOCK_CLI_VIEW_EVIDENCE_H
#define AIRLOCK_CLI_VIEW_EVIDENCE_H

#include "../base/err.h"
#include "../evidence/note.h"
#include "../store/index.h"
#include "../store/store.h"
#include "view_state.h"

/* Held open, nobody else signs. */
struct signing {
	struct store store;
	struct index *ix; /* for writing, caught up with the journal */
	uint64_t size;	  /* entries that the published checkpoint covers: all of them */
};

#define SIGNING_INIT                            \
	{                                       \
		.store = STORE_INIT, .ix = NULL \
	}
#define auto_signing __attribute__((cleanup(signing_finish))) struct signing

/* -ENOENT when there is no state directory yet. */
int signing_open(struct signing *ret, struct err *err) must_check;
void signing_finish(struct signing *s);
/* What was added since is taken in and signed. */
int signing_extend(struct signing *s, struct err *err) must_check;

/*
 * The published checkpoint, verbatim, once it covers more than `index` entries: by this process, or
 * by the airlock-log that is at work. r is open.
 */
int signed_checkpoint(struct reading *r, uint64_t index, struct buf *ret_note,
		      struct checkpoint *ret, struct err *err) must_check;

#endif
