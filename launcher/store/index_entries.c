/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's entries of one call as they are stored, and which calls have none any more, for
 * whoever hands them on with their proofs. Runs in airlock-cli, as the caller, over a read-only
 * connection.
 */
#include "index.h"

#include <errno.h>

#include "index_internal.h"

/* A blob of exactly that length; NULL when the column is NULL or of another one. */
static const uint8_t *
column_bytes(sqlite3_stmt *st, int column, size_t len)
{
	const uint8_t *bytes = sqlite3_column_blob(st, column);

	return (size_t)sqlite3_column_bytes(st, column) == len ? bytes : NULL;
}

static int
give(sqlite3_stmt *st, index_entry_fn fn, void *arg, const char *call, struct err *err)
{
	struct index_entry entry = {
		.n = index_column_u64(st, 0),
		.digest = column_bytes(st, 2, SHA256_SIZE),
		.salt = column_bytes(st, 3, ENTRY_SALT_SIZE),
		.record = sqlite3_column_blob(st, 4),
		.record_len = (size_t)sqlite3_column_bytes(st, 4),
	};

	if (!entry_type_find(index_column_text(st, 1), &entry.type) || entry.digest == NULL ||
	    (entry.salt == NULL) != (entry.record == NULL)) {
		return err_set(err, -EBADMSG, "%s: entry %llu of the index is damaged", call,
			       (unsigned long long)entry.n);
	}
	return fn(arg, &entry);
}

int
index_entries(struct index *ix, const char *call, index_entry_fn fn, void *arg, struct err *err)
{
	auto_stmt st = NULL;
	int rc = index_prepare(ix,
			       "SELECT n, type, digest, salt, record FROM entry WHERE call = ?1"
			       " ORDER BY n",
			       &st, err);
	int step;

	if (rc != 0) {
		return rc;
	}
	if (sqlite3_bind_text(st, 1, call, -1, SQLITE_STATIC) != SQLITE_OK) {
		return index_error(ix, err, "read the entries of a call");
	}
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		rc = give(st, fn, arg, call, err);
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(ix, err, "read the entries of a call");
}

int
index_forgotten_calls(struct index *ix, const char *workflow, index_forgotten_fn fn, void *arg,
		      struct err *err)
{
	auto_stmt st = NULL;
	int rc = index_prepare(ix,
			       "SELECT call, workflow FROM forgotten"
			       " WHERE substr(workflow, 1, length(?1)) = ?1 ORDER BY call",
			       &st, err);
	int step;

	if (rc != 0) {
		return rc;
	}
	if (sqlite3_bind_text(st, 1, workflow, -1, SQLITE_STATIC) != SQLITE_OK) {
		return index_error(ix, err, "look for forgotten calls");
	}
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		rc = fn(arg, index_column_text(st, 0), index_column_text(st, 1));
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(ix, err, "look for forgotten calls");
}
