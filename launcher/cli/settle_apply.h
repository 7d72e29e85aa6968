/* SPDX-License-Identifier: Apache-2.0 */
/* What a person decides about one call's change set. airlock-cli only, as the workspace's owner. */
#ifndef AIRLOCK_CLI_SETTLE_APPLY_H
#define AIRLOCK_CLI_SETTLE_APPLY_H

#include "settle_call.h"

/* What was settled. */
struct settled {
	char call[UUID_TEXT_SIZE];
	uint64_t changes;
};

/*
 * name: as a person typed it. Commits a held change set. digest: what was approved, in hex; NULL:
 * whatever is recorded. What stands in the way is told on stderr, the paths of a conflict a line
 * each.
 */
int settle_apply(const char *name, const char *digest, struct settled *ret, struct err *err)
	must_check;
/* Throws a held change set away. */
int settle_discard(const char *name, struct settled *ret, struct err *err) must_check;
/* Takes a committed change set back. */
int settle_undo(const char *name, struct settled *ret, struct err *err) must_check;

/* For all of the above: commits set out of upper_fd and appends entry; says what it was. */
int settle_commit(struct settling *s, int upper_fd, const struct change_set *set,
		  const struct settle_entry *entry, struct err *err) must_check;
void settle_tell(const struct settling *s, struct settled *ret);

#endif
