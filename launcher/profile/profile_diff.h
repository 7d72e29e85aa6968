/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one effective profile grants that another does not, by the rules for children (narrow.def):
 * B widens A when B could not be a child of an A that opens nothing. airlock-cli only. Pure.
 */
#ifndef AIRLOCK_PROFILE_PROFILE_DIFF_H
#define AIRLOCK_PROFILE_PROFILE_DIFF_H

#include "profile_load.h"

enum profile_effect {
	PROFILE_GRANTS,  /* B allows what A does not */
	PROFILE_TAKES,   /* A allows what B does not */
	PROFILE_CHANGES, /* neither: who owns it; a variable more that is set */
	PROFILE_EFFECT__COUNT
};

/* One value or one entry of a list. Texts as they would be written; NULL: it has none. */
struct profile_change {
	enum profile_effect effect;
	const char *key;
	const char *before, *after; /* in A, in B */
	const char *at;             /* FILE:LINE in B, or in A where B has none; NULL: a default */
};

struct profile_changes {
	struct profile_change *rows; /* in the order of keys.def */
	size_t count;
	bool widens; /* any row grants */
	void *arena; /* owned: all of the above */
};

int profile_diff(const struct profile_doc *a, const struct profile_doc *b,
		 struct profile_changes *ret) must_check;
void profile_changes_finish(struct profile_changes *c);

#endif
