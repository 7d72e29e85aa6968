/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loaded profile in sentences: every key of keys.def, what it means for a call, and where it
 * stands. airlock-cli only. Pure.
 */
#ifndef AIRLOCK_PROFILE_EXPLAIN_H
#define AIRLOCK_PROFILE_EXPLAIN_H

#include "profile_load.h"

enum explain_topic {
#define TOPIC(id, title) EXPLAIN_##id,
#include "explain.def"
	EXPLAIN__COUNT
};

/* One statement: of a key, or of one entry of its list. */
struct explain_row {
	enum explain_topic topic;
	const char *key;
	const char
		*text; /* a sentence, or the entry of the sentence above; may hold a file's bytes */
	const char *at; /* "FILE:LINE"; "built-in" where nobody set the key */
	bool entry;
};

struct explain_page {
	struct explain_row *rows; /* by topic, then in the order of explain.def */
	size_t count;
	void *arena; /* owned: all of the above */
};

const char *explain_title(enum explain_topic topic);
int explain_page(const struct profile_loaded *l, struct explain_page *ret) must_check;
void explain_page_finish(struct explain_page *p);

/*
 * Appends "FILE:LINE" of the key's value, or of its entry `item` when that is not NULL and in the
 * list; "built-in" where nobody set it.
 */
void explain_place(const struct profile_loaded *l, enum profile_key_id key, const char *item,
		   struct buf *ret);
/* The effective profile as YAML (profile_print.h), with that key as if nobody had set it. */
void explain_without(const struct profile_loaded *l, enum profile_key_id key, struct buf *out);
/* Why no profile may read the path, or NULL. */
const char *explain_unreadable(const char *path);

#endif
