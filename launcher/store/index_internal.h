/* SPDX-License-Identifier: Apache-2.0 */
/* What the index*.c files share; nobody else includes it. */
#ifndef AIRLOCK_STORE_INDEX_INTERNAL_H
#define AIRLOCK_STORE_INDEX_INTERNAL_H

#include "../base/cleanup.h"
#include "db.h"
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
	STMT_RESOLVE,
	STMT_RESOLVED,
	STMT_LOST,
	STMT_EVENT,
	STMT_FORGOTTEN,
	STMT_DROP_CALL,
	STMT_DROP_DENIALS,
	STMT_DROP_CHANGES,
	STMT_DROP_SETTLES,
	STMT_DROP_RESOLVES,
	STMT_DAMAGED,
	STMT_POSITION,
	STMT_HAS_ENTRY,
	STMT_IS_FORGOTTEN,
	STMT__COUNT
};

struct index {
	sqlite3 *db;
	int lock_fd; /* -1 on a read-only connection */
	sqlite3_stmt *stmt[STMT__COUNT];
};

extern const char index_schema[];
extern const uint64_t index_schema_version;

/* Turns the connection's last error into -errno and text. */
int index_error(struct index *ix, struct err *err, const char *step);
int index_exec(struct index *ix, const char *sql, const char *step, struct err *err) must_check;
int index_prepare(struct index *ix, const char *sql, sqlite3_stmt **ret_stmt, struct err *err)
	must_check;
/* An empty index in a temporary database of its own. */
int index_open_temporary(struct index **ret, struct err *err) must_check;
/* Attaches index.db, read-only, as `disk`. -ENOENT when there is none. */
int index_attach(struct index *ix, const struct store *s, struct err *err) must_check;
/* The one number that a query gives; of is its ?1, NULL where it has none. */
int index_number(struct index *ix, const char *sql, const char *of, const char *step, uint64_t *ret,
		 struct err *err) must_check;
/* The position in that table. */
int index_position_in(struct index *ix, const char *table, struct journal_pos *ret, struct err *err)
	must_check;

/* "" where it is NULL; borrowed until the next step. */
static inline const char *
index_column_text(sqlite3_stmt *st, int column)
{
	const unsigned char *text = sqlite3_column_text(st, column);

	return text != NULL ? (const char *)text : "";
}

static inline uint64_t
index_column_u64(sqlite3_stmt *st, int column)
{
	return (uint64_t)sqlite3_column_int64(st, column);
}

/* Two columns: the number of a journal file, and the offset in it. */
static inline struct journal_pos
index_column_pos(sqlite3_stmt *st, int column)
{
	return (struct journal_pos){ .file = (uint32_t)sqlite3_column_int64(st, column),
				     .offset = index_column_u64(st, column + 1) };
}

/*
 * The first four columns: n, type, call and digest of an entry. Borrowed until the next step;
 * -EBADMSG.
 */
int index_column_leaf(sqlite3_stmt *st, struct index_leaf *ret, struct err *err) must_check;

/* NULL leaves it unbound: any. */
static inline void
index_bind_filter(sqlite3_stmt *st, int at, const char *text)
{
	if (text != NULL) {
		ignore_err(sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC),
			   "unbound would be NULL: any");
	}
}

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
int index_resync(const struct store *s, struct journal_pos pos, struct buf *damage, bool *ret_found)
	must_check;

#endif
