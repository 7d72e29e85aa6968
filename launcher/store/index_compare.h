/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal once more, for whoever verifies: an index of its own beside index.db, and what
 * differs between the two. airlock-cli only, as the caller.
 */
#ifndef AIRLOCK_STORE_INDEX_COMPARE_H
#define AIRLOCK_STORE_INDEX_COMPARE_H

#include "index.h"

/*
 * The whole journal in a temporary database that nobody else sees. Bytes that are no entry are in
 * it as in index.db (index_damaged).
 */
int index_open_fresh(struct store *s, struct index **ret, struct err *err) must_check;

/* One well-formed entry. Borrowed until the callback returns. */
struct index_row {
	struct index_leaf leaf;
	struct journal_pos pos;
	const char *record; /* NULL: forgotten; not NUL-terminated */
	size_t record_len;
	const char *forgotten; /* the workflow with which the call was, else "" */
};

typedef int (*index_row_fn)(void *arg, const struct index_row *row);

/* Every entry in order. fn's non-zero result ends the walk and is returned. */
int index_rows(struct index *ix, index_row_fn fn, void *arg, struct err *err) must_check;

/* What is in the journal and is no entry. */
typedef int (*index_damaged_fn)(void *arg, struct journal_pos pos, const char *why);
int index_damaged(struct index *ix, index_damaged_fn fn, void *arg, struct err *err) must_check;

/*
 * Tells fn each row that index.db has and the journal does not give, or the other way round: table,
 * the start of the row, and what is wrong with it. *ret_is_behind: index.db has not taken in all of
 * the journal, so nothing was compared. -ENOENT when there is no index.db; -EBADMSG, with the
 * reason, when SQLite cannot read it.
 */
typedef int (*index_differs_fn)(void *arg, const char *table, const char *row, const char *what);
int index_compare(struct index *fresh, const struct store *s, index_differs_fn fn, void *arg,
		  bool *ret_is_behind, struct err *err) must_check;

#endif
