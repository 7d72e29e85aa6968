/* SPDX-License-Identifier: Apache-2.0 */
/* What the index*.c files share; nobody else includes it. */
#ifndef AIRLOCK_STORE_INDEX_INTERNAL_H
#define AIRLOCK_STORE_INDEX_INTERNAL_H

#include <sqlite3.h>

#include "index.h"

/* Statements of the ingest, prepared once per connection. */
enum index_statement {
	STMT_ENTRY,
	STMT_PLANNED,
	STMT_OUTCOME,
	STMT_DENIAL,
	STMT_CHANGE,
	STMT_SETTLE,
	STMT_SETTLED,
	STMT_EVENT,
	STMT_FORGOTTEN,
	STMT_DROP_CALL,
	STMT_DROP_DENIALS,
	STMT_DROP_CHANGES,
	STMT_DROP_SETTLES,
	STMT_DAMAGED,
	STMT_POSITION,
	STMT__COUNT
};

struct index {
	sqlite3 *db;
	int lock_fd; /* -1 on a read-only connection */
	sqlite3_stmt *stmt[STMT__COUNT];
};

#define auto_stmt __attribute__((cleanup(index_finalize))) sqlite3_stmt *

extern const char index_schema[];
extern const int index_schema_version;

void index_finalize(sqlite3_stmt **slot);
/* Turns the connection's last error into -errno and text. */
int index_error(struct index *ix, struct err *err, const char *step);
int index_exec(struct index *ix, const char *sql, const char *step, struct err *err) must_check;
int index_prepare(struct index *ix, const char *sql, sqlite3_stmt **ret_stmt,
		  struct err *err) must_check;
/* An empty index in a temporary database of its own. */
int index_open_temporary(struct index **ret, struct err *err) must_check;
/* Attaches index.db, read-only, as `disk`. -ENOENT when there is none. */
int index_attach(struct index *ix, const struct store *s, struct err *err) must_check;
/* Prepares the statements of the ingest. */
int index_statements(struct index *ix, struct err *err) must_check;

/*
 * Closes the read-write connection and drops the file, lets change do its work, and makes the file
 * again, empty: all of it under the lock. *slot is NULL after a failure.
 */
int index_remake(struct store *s, struct index **slot, int (*change)(void *arg, struct err *err),
		 void *arg, struct err *err) must_check;

/* One journal entry into rows of the open transaction; only SQLite's own failures are errors. */
int index_take(struct index *ix, struct journal_pos pos, const uint8_t *json, size_t len,
	       struct err *err) must_check;
/* A row of `damaged`. */
int index_take_damaged(struct index *ix, struct journal_pos pos, const char *why,
		       const uint8_t *payload, size_t len, struct err *err) must_check;
/*
 * Damage begins at pos: appends the bytes up to the next whole entry of that file, or to its end
 * when none follows. 0 or -errno.
 */
int index_resync(const struct store *s, struct journal_pos pos, struct buf *damage,
		 bool *ret_found) must_check;

#endif
