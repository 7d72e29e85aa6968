/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal entries of a later settlement, of a call that was found without its front, and of
 * what a person said became of it (docs/formats.md, "Record"). airlock-cli only.
 */
#ifndef AIRLOCK_CLI_SETTLE_ENTRY_H
#define AIRLOCK_CLI_SETTLE_ENTRY_H

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/sha256.h"
#include "../workflow/workflow.h"

struct settle_entry {
	const char *call;	       /* uuid */
	const char *action;	       /* apply, discard, undo, recover */
	const char *settled;	       /* as it is from then on */
	const char *reason;	       /* NULL: none */
	const uint8_t *changes_digest; /* NULL: none */
};

/* The whole payload, with a salt of its own. */
int settle_entry_write(const struct settle_entry *entry, struct buf *ret_payload, struct err *err)
	must_check;

struct lost_entry {
	char call[UUID_TEXT_SIZE];
	uint64_t t_ms;		      /* when it was found so */
	uint64_t used[BUDGET__COUNT]; /* at most */
};

/* The whole payload, with a salt of its own. */
int lost_entry_write(const struct lost_entry *entry, struct buf *ret_payload, struct err *err)
	must_check;

struct resolve_entry {
	const char *call;   /* uuid */
	const char *answer; /* done, not-done, rerun */
	const char *reason; /* NULL: none */
};

/* The whole payload, with a salt of its own. */
int resolve_entry_write(const struct resolve_entry *entry, struct buf *ret_payload, struct err *err)
	must_check;

#endif
