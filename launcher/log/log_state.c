/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-log and airlock-cli, as the caller, under index.lock when it writes. Trusts the
 * state directory; what the file says is compared with the tiles by whoever uses it.
 */
#include "log_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/clock.h"
#include "../store/db.h"

#define SCHEMA_VERSION 1

struct log_state {
	sqlite3 *db;
};

static const char schema[] =
	/* clang-format off */
	"BEGIN IMMEDIATE;"
	"CREATE TABLE latest("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" vkey TEXT NOT NULL,"
	" size INTEGER NOT NULL,"
	" root BLOB NOT NULL,"
	" note BLOB NOT NULL,"
	" t INTEGER NOT NULL) STRICT;"
	"CREATE TABLE cosignature("
	" witness TEXT NOT NULL,"
	" size INTEGER NOT NULL,"
	" time INTEGER NOT NULL,"
	" line TEXT NOT NULL,"
	" PRIMARY KEY (witness, size)) STRICT, WITHOUT ROWID;"
	"PRAGMA user_version = 1;"
	"COMMIT";
/* clang-format on */

void
log_latest_finish(struct log_latest *l)
{
	buf_finish(&l->note);
}

void
log_state_close(struct log_state **slot)
{
	if (*slot != NULL) {
		ignore_err(sqlite3_close_v2((*slot)->db), "everything is committed or rolled back");
		free(*slot);
		*slot = NULL;
	}
}

static int
fail(struct log_state *st, struct err *err, const char *step)
{
	int code = sqlite3_errcode(st->db);

	return err_set(err,
		       code == SQLITE_FULL	 ? -ENOSPC
		       : code == SQLITE_READONLY ? -EROFS
						 : -EBADMSG,
		       LOG_STATE_FILE ": %s: %s", step, sqlite3_errmsg(st->db));
}

static int
prepare(struct log_state *st, const char *sql, sqlite3_stmt **ret, struct err *err)
{
	return sqlite3_prepare_v2(st->db, sql, -1, ret, NULL) == SQLITE_OK
		     ? 0
		     : fail(st, err, "prepare a statement");
}

static int
run(struct log_state *st, const char *sql, const char *step, struct err *err)
{
	return sqlite3_exec(st->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(st, err, step);
}

static int
query_version(struct log_state *st, int *ret, struct err *err)
{
	auto_stmt q = NULL;
	int rc = prepare(st, "PRAGMA user_version", &q, err);

	if (rc == 0 && sqlite3_step(q) != SQLITE_ROW) {
		rc = fail(st, err, "read the schema version");
	}
	if (rc == 0) {
		*ret = sqlite3_column_int(q, 0);
	}
	return rc;
}

static int
check_schema(struct log_state *st, bool make, struct err *err)
{
	int version = 0;
	int rc = query_version(st, &version, err);

	if (rc == 0) {
		rc = run(st, "PRAGMA synchronous = FULL", "PRAGMA synchronous", err);
	}
	if (rc == 0 && version == 0 && make) {
		return run(st, schema, "make the tables", err);
	}
	if (rc == 0 && version != SCHEMA_VERSION) {
		rc = err_set(err, -EBADMSG, LOG_STATE_FILE ": schema version %d, not %d", version,
			     SCHEMA_VERSION);
	}
	return rc;
}

int
log_state_open(const struct store *s, bool make, struct log_state **ret, struct err *err)
{
	const int flags = make ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	auto_fd fd = openat(
		s->dir_fd, LOG_STATE_FILE,
		(make ? O_RDWR | O_CREAT : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	auto_log_state st = calloc(1, sizeof(*st));
	auto_buf path = BUF_INIT;
	struct stat meta;
	int rc;

	if (fd < 0 || fstat(fd, &meta) < 0) {
		return err_sys(err, -errno, "open %s/" LOG_STATE_FILE, s->path);
	}
	if (!S_ISREG(meta.st_mode)) { /* SQLite would wait at a FIFO */
		return err_set(err, -EBADMSG, "%s/" LOG_STATE_FILE " is no regular file", s->path);
	}
	buf_printf(&path, "%s/" LOG_STATE_FILE, s->path);
	if (st == NULL || buf_error(&path) != 0) {
		return err_sys(err, -ENOMEM, "open " LOG_STATE_FILE);
	}
	if (sqlite3_open_v2(buf_text(&path), &st->db, flags | SQLITE_OPEN_PRIVATECACHE, NULL) !=
	    SQLITE_OK) {
		return st->db != NULL ? fail(st, err, "open")
				      : err_sys(err, -ENOMEM, "open " LOG_STATE_FILE);
	}
	db_harden(st->db);
	rc = check_schema(st, make, err);
	if (rc == 0) {
		*ret = take_ptr(st);
	}
	return rc;
}

int
log_state_latest(struct log_state *st, struct log_latest *ret, struct err *err)
{
	auto_stmt q = NULL;
	int rc = prepare(st, "SELECT vkey, size, root, note FROM latest", &q, err);

	if (rc != 0) {
		return rc;
	}
	switch (sqlite3_step(q)) {
	case SQLITE_ROW:
		break;
	case SQLITE_DONE:
		return err_set(err, -ENODATA, "nothing is signed yet");
	default:
		return fail(st, err, "read what was signed last");
	}
	if (sqlite3_column_bytes(q, 2) != SHA256_SIZE) {
		return err_set(err, -EBADMSG, LOG_STATE_FILE ": a root that is no digest");
	}
	rc = note_key_parse((const char *)sqlite3_column_text(q, 0), &ret->key, err);
	if (rc != 0) {
		return -EBADMSG;
	}
	ret->size = (uint64_t)sqlite3_column_int64(q, 1);
	memcpy(ret->root, sqlite3_column_blob(q, 2), SHA256_SIZE);
	buf_reset(&ret->note);
	buf_put(&ret->note, sqlite3_column_blob(q, 3), (size_t)sqlite3_column_bytes(q, 3));
	return buf_error(&ret->note) != 0 ? err_sys(err, -ENOMEM, "read " LOG_STATE_FILE) : 0;
}

static int
bind_latest(sqlite3_stmt *q, const struct log_latest *l, const struct buf *vkey)
{
	const void *note = l->note.len > 0 ? (const void *)l->note.data : "";

	return sqlite3_bind_text(q, 1, buf_text(vkey), -1, SQLITE_STATIC) != SQLITE_OK ||
			       sqlite3_bind_int64(q, 2, (int64_t)l->size) != SQLITE_OK ||
			       sqlite3_bind_blob(q, 3, l->root, SHA256_SIZE, SQLITE_STATIC) !=
				       SQLITE_OK ||
			       sqlite3_bind_blob(q, 4, note, (int)l->note.len, SQLITE_STATIC) !=
				       SQLITE_OK ||
			       sqlite3_bind_int64(q, 5, (int64_t)clock_realtime_ms()) != SQLITE_OK
		     ? -ENOMEM
		     : 0;
}

int
log_state_begin(struct log_state *st, const struct note_key *key, struct err *err)
{
	auto_log_latest first = LOG_LATEST_INIT;
	auto_stmt q = NULL;
	auto_buf vkey = BUF_INIT;
	int rc = prepare(st,
			 "INSERT INTO latest(one, vkey, size, root, note, t)"
			 " VALUES (1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
			 &q, err);

	note_key_print(key, &vkey);
	sha256_of("", 0, first.root);
	if (rc == 0 && (buf_error(&vkey) != 0 || bind_latest(q, &first, &vkey) != 0)) {
		rc = err_sys(err, -ENOMEM, "write " LOG_STATE_FILE);
	}
	if (rc == 0 && sqlite3_step(q) != SQLITE_DONE) {
		rc = fail(st, err, "note the log's key");
	}
	if (rc == 0 && sqlite3_changes(st->db) != 1) {
		rc = err_set(err, -EEXIST, LOG_STATE_FILE " has a key already");
	}
	return rc;
}

int
log_state_swap(struct log_state *st, const struct log_latest *old, const struct log_latest *next,
	       struct err *err)
{
	auto_stmt q = NULL;
	auto_buf vkey = BUF_INIT, old_vkey = BUF_INIT;
	int rc = prepare(st,
			 "UPDATE latest SET vkey = ?1, size = ?2, root = ?3, note = ?4, t = ?5"
			 " WHERE vkey = ?6 AND size = ?7 AND root = ?8",
			 &q, err);

	note_key_print(&next->key, &vkey);
	note_key_print(&old->key, &old_vkey);
	if (rc == 0 &&
	    (buf_error(&vkey) != 0 || buf_error(&old_vkey) != 0 ||
	     bind_latest(q, next, &vkey) != 0 ||
	     sqlite3_bind_text(q, 6, buf_text(&old_vkey), -1, SQLITE_STATIC) != SQLITE_OK ||
	     sqlite3_bind_int64(q, 7, (int64_t)old->size) != SQLITE_OK ||
	     sqlite3_bind_blob(q, 8, old->root, SHA256_SIZE, SQLITE_STATIC) != SQLITE_OK)) {
		rc = err_sys(err, -ENOMEM, "write " LOG_STATE_FILE);
	}
	if (rc == 0 && sqlite3_step(q) != SQLITE_DONE) {
		rc = fail(st, err, "note a checkpoint");
	}
	if (rc == 0 && sqlite3_changes(st->db) != 1) {
		rc = err_set(err, -ESTALE,
			     LOG_STATE_FILE " does not hold the checkpoint of %llu entries that "
					    "was there before: somebody else signs this log",
			     (unsigned long long)old->size);
	}
	return rc;
}

/* ---- cosignatures -------------------------------------------------------------------------- */

int
log_state_put_cosignature(struct log_state *st, uint64_t size, const char *witness, uint64_t time,
			  const char *line, struct err *err)
{
	auto_stmt q = NULL;
	int rc = prepare(st,
			 "INSERT INTO cosignature(witness, size, time, line)"
			 " VALUES (?1, ?2, ?3, ?4)"
			 " ON CONFLICT (witness, size) DO UPDATE SET time = ?3, line = ?4",
			 &q, err);

	if (rc == 0 && (sqlite3_bind_text(q, 1, witness, -1, SQLITE_STATIC) != SQLITE_OK ||
			sqlite3_bind_int64(q, 2, (int64_t)size) != SQLITE_OK ||
			sqlite3_bind_int64(q, 3, (int64_t)time) != SQLITE_OK ||
			sqlite3_bind_text(q, 4, line, -1, SQLITE_STATIC) != SQLITE_OK)) {
		rc = err_sys(err, -ENOMEM, "write " LOG_STATE_FILE);
	}
	if (rc == 0 && sqlite3_step(q) != SQLITE_DONE) {
		rc = fail(st, err, "note a cosignature");
	}
	return rc;
}

int
log_state_cosignatures(struct log_state *st, uint64_t size, struct buf *out, struct err *err)
{
	auto_stmt q = NULL;
	int step, rc = prepare(st, "SELECT line FROM cosignature WHERE size = ?1 ORDER BY witness",
			       &q, err);

	if (rc != 0) {
		return rc;
	}
	ignore_err(sqlite3_bind_int64(q, 1, (int64_t)size), "an unbound parameter finds nothing");
	while ((step = sqlite3_step(q)) == SQLITE_ROW) {
		buf_puts(out, (const char *)sqlite3_column_text(q, 0));
	}
	if (step != SQLITE_DONE) {
		return fail(st, err, "read cosignatures");
	}
	return buf_error(out) != 0 ? err_sys(err, -ENOMEM, "read " LOG_STATE_FILE) : 0;
}

int
log_state_cosigned(struct log_state *st, const char *witness, uint64_t *ret_size,
		   uint64_t *ret_time, struct err *err)
{
	auto_stmt q = NULL;
	int rc = prepare(st,
			 "SELECT size, time FROM cosignature WHERE witness = ?1"
			 " ORDER BY size DESC LIMIT 1",
			 &q, err);

	*ret_size = *ret_time = 0;
	if (rc != 0) {
		return rc;
	}
	ignore_err(sqlite3_bind_text(q, 1, witness, -1, SQLITE_STATIC),
		   "an unbound parameter finds nothing");
	switch (sqlite3_step(q)) {
	case SQLITE_ROW:
		*ret_size = (uint64_t)sqlite3_column_int64(q, 0);
		*ret_time = (uint64_t)sqlite3_column_int64(q, 1);
		return 0;
	case SQLITE_DONE:
		return 0;
	default:
		return fail(st, err, "read cosignatures");
	}
}
