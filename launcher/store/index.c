/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens index.db and takes the journal in. Runs in airlock-log and airlock-cli, as the caller.
 * Trusts the state directory (its own, checked by store_open_*), not the bytes of the journal or of
 * an index that is there: both may be damaged, and then the journal wins.
 */
#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "index_internal.h"
#include "store_internal.h"

#define INDEX_FILE "index.db"
#define LOCK_FILE "index.lock"
#define BATCH_ENTRIES 512u
#define OTHERS_TURN_MS 5u      /* between two looks at what the holder of the lock has done */
#define OTHERS_LIMIT_MS 30000u /* whoever makes no progress for so long is stuck */
#define OPEN_TRIES 3u

/* ---- statements ----------------------------------------------------------------------------- */

/* clang-format off */
static const char *const statements[STMT__COUNT] = {
	[STMT_ENTRY] =
		("INSERT INTO entry(n, file, offset, type, call, digest, salt, record) VALUES"
		 " ((SELECT ifnull(max(n), -1) + 1 FROM entry),"
		 " :file, :offset, :type, :call, :digest, :salt, :record)"),
	[STMT_PLANNED] =
		("INSERT INTO call(n, id, workflow, workflow_name, seq, key, trace,"
		 " profile, profile_digest, mode, tool, command, argv_digest, cwd,"
		 " workspace, uid, decision, request_digest, request_parts, attempt,"
		 " retry_of, step, retry,"
		 " reserved_calls, reserved_cpu, reserved_disk, reserved_wall, t0)"
		 " VALUES ((SELECT max(n) FROM entry), :id, :workflow, :workflow_name,"
		 " :seq, :key, :trace, :profile, :profile_digest, :mode, :tool, :command,"
		 " :argv_digest, :cwd, :workspace, :uid, :decision, :request_digest,"
		 " :request_parts,"
		 " :attempt, :retry_of, :step, :retry, :reserved_calls, :reserved_cpu,"
		 " :reserved_disk, :reserved_wall, :t0)"),
	[STMT_OUTCOME] =
		("UPDATE call SET verdict = :verdict, settled = :settled, reason = :reason,"
		 " exit = :exit, signal = :signal, t1 = :t1, wall_ms = :wall_ms,"
		 " cpu_ms = :cpu_ms, memory_peak = :memory_peak, disk_bytes = :disk_bytes,"
		 " created = :created, modified = :modified, deleted = :deleted,"
		 " held = :held, changes_digest = :changes_digest, denials = :denials,"
		 " degraded = :degraded, in_tree = :in_tree, stdin = :stdin,"
		 " stdout = :stdout, stderr = :stderr WHERE id = :id"),
	[STMT_DENIAL] =
		("INSERT INTO denial VALUES"
		 " (:call, :n, :kind, :what, :rule, :hint, :count)"),
	[STMT_CHANGE] =
		("INSERT INTO change VALUES (:call, :n, :path, :kind, :hold, :size_before,"
		 " :size_after, :before, :after)"),
	[STMT_SETTLE] =
		("INSERT INTO settle(n, call, action, settled, t, uid, reason, changes)"
		 " VALUES ((SELECT max(n) FROM entry), :id, :action, :settled, :t, :uid,"
		 " :reason, :changes)"),
	[STMT_SETTLED] =
		("UPDATE call SET settled = :settled, reason = ifnull(:reason, reason),"
		 " changes_digest = ifnull(changes_digest, :changes) WHERE id = :id"),
	[STMT_RESOLVE] =
		("INSERT INTO resolve(n, call, answer, t, uid, reason)"
		 " VALUES ((SELECT max(n) FROM entry), :id, :answer, :t, :uid, :reason)"),
	[STMT_RESOLVED] = ("UPDATE call SET answer = :answer WHERE id = :id"),
	[STMT_LOST] =
		("UPDATE call SET lost = ifnull(lost, :t),"
		 " reserved_cpu = min(reserved_cpu, :cpu_ms),"
		 " reserved_disk = min(reserved_disk, :disk_bytes),"
		 " reserved_wall = min(reserved_wall, :wall_ms) WHERE id = :id"),
	[STMT_EVENT] =
		("INSERT INTO event(n, type, t, uid, action, workflow, name, digest, reason)"
		 " VALUES ((SELECT max(n) FROM entry), :type, :t, :uid, :action, :workflow,"
		 " :name, :digest, :reason)"),
	[STMT_FORGOTTEN] = ("INSERT OR IGNORE INTO forgotten VALUES (:call, :workflow)"),
	[STMT_DROP_CALL] = ("DELETE FROM call WHERE id = :call"),
	[STMT_DROP_DENIALS] = ("DELETE FROM denial WHERE call = :call"),
	[STMT_DROP_CHANGES] = ("DELETE FROM change WHERE call = :call"),
	[STMT_DROP_SETTLES] = ("DELETE FROM settle WHERE call = :call"),
	[STMT_DROP_RESOLVES] = ("DELETE FROM resolve WHERE call = :call"),
	[STMT_DAMAGED] = ("INSERT INTO damaged VALUES (:file, :offset, :why, :payload)"),
	[STMT_POSITION] = ("UPDATE position SET file = :file, offset = :offset"),
	[STMT_HAS_ENTRY] = ("SELECT 1 FROM entry WHERE call = ?1 AND type = ?2"),
	[STMT_IS_FORGOTTEN] = ("SELECT 1 FROM forgotten WHERE call = ?1"),
};
/* clang-format on */

int
index_statements(struct index *ix, struct err *err)
{
	int rc = 0;

	for (enum index_statement i = 0; i < STMT__COUNT && rc == 0; i++) {
		rc = index_prepare(ix, statements[i], &ix->stmt[i], err);
	}
	return rc;
}

void
index_close(struct index *ix)
{
	if (ix == NULL) {
		return;
	}
	for (enum index_statement i = 0; i < STMT__COUNT; i++) {
		db_finalize(&ix->stmt[i]);
	}
	ignore_err(sqlite3_close_v2(ix->db),
		   "the last checkpoint; the next connection makes it up");
	cleanup_fd(&ix->lock_fd); /* after the connection is gone, never before */
	free(ix);
}

void
index_close_slot(struct index **slot)
{
	index_close(*slot);
}

int
index_position_in(struct index *ix, const char *table, struct journal_pos *ret, struct err *err)
{
	auto_stmt st = NULL;
	char sql[64];
	int rc;

	snprintf(sql, sizeof(sql), "SELECT file, offset FROM %s", table);
	rc = index_prepare(ix, sql, &st, err);
	if (rc != 0) {
		return rc;
	}
	if (sqlite3_step(st) != SQLITE_ROW) {
		return index_error(ix, err, "read the journal position");
	}
	*ret = index_column_pos(st, 0);
	return 0;
}

int
index_position(struct index *ix, struct journal_pos *ret, struct err *err)
{
	return index_position_in(ix, "position", ret, err);
}

static int
query_version(struct index *ix, uint64_t *ret, struct err *err)
{
	return index_number(ix, "PRAGMA user_version", NULL, "read the schema version", ret, err);
}

/* ---- journal positions -------------------------------------------------------------------- */

/* A position behind the journal's end means that the journal was put back to an older state. */
static bool
is_ahead_of_journal(const struct store *s, struct journal_pos pos)
{
	uint64_t size = 0;

	if (pos.file == 0) {
		return false;
	}
	return journal_size(s->dir_fd, pos.file, &size) != 0 || pos.offset > size;
}

/* ---- opening ------------------------------------------------------------------------------ */

static int
take_lock(const struct store *s, bool wait, int *ret_fd, struct err *err)
{
	auto_fd fd = openat(s->dir_fd, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0) {
		return err_sys(err, -errno, "open %s/%s", s->path, LOCK_FILE);
	}
	r = store_lock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
	if (r < 0) {
		return err_sys(err, r, "lock %s/%s", s->path, LOCK_FILE);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

/* The file as SQLite's URI: whatever means something in one is %XX. */
static void
put_uri(struct buf *b, const char *dir, const char *query)
{
	buf_puts(b, dir[0] == '/' ? "file://" : "file:./");
	for (const char *p = dir; *p != '\0'; p++) {
		if (strchr("%?#", *p) != NULL) {
			buf_printf(b, "%%%02x", (unsigned int)*p);
		} else {
			buf_putc(b, *p);
		}
	}
	buf_printf(b, "/%s%s", INDEX_FILE, query);
}

static int
no_memory(struct err *err)
{
	err_sys(err, -ENOMEM, "open %s", INDEX_FILE);
	return -ENOMEM;
}

static int
connect_db(const struct store *s, int flags, const char *query, struct index **ret, struct err *err)
{
	auto_buf path = BUF_INIT;
	auto_index ix = calloc(1, sizeof(*ix));

	if (ix == NULL) {
		return no_memory(err);
	}
	ix->lock_fd = -1;
	flags |= SQLITE_OPEN_URI | SQLITE_OPEN_PRIVATECACHE;
	put_uri(&path, s->path, query);
	if (buf_error(&path) != 0) {
		return no_memory(err);
	}
	if (sqlite3_open_v2(buf_text(&path), &ix->db, flags, NULL) != SQLITE_OK) {
		int rc = ix->db != NULL ? index_error(ix, err, "open") : no_memory(err);

		return rc < 0 ? rc : -EIO;
	}
	db_harden(ix->db);
	*ret = take_ptr(ix);
	return 0;
}

/* SQLite makes its files with the mode of the database file, so that one is made here. */
static int
touch_db(const struct store *s, struct err *err)
{
	auto_fd fd = openat(s->dir_fd, INDEX_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_sys(err, -errno, "open %s/%s", s->path, INDEX_FILE) : 0;
}

static int
drop_files(const struct store *s, struct err *err)
{
	/* the database first: who opens a WAL after this sees that its database has gone */
	static const char *const names[] = { INDEX_FILE, INDEX_FILE "-wal", INDEX_FILE "-shm" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (unlinkat(s->dir_fd, names[i], 0) != 0 && errno != ENOENT) {
			return err_sys(err, -errno, "remove %s/%s", s->path, names[i]);
		}
	}
	return 0;
}

static int
make_schema(struct index *ix, struct err *err)
{
	auto_buf version = BUF_INIT;
	int rc;

	buf_printf(&version, "PRAGMA user_version = %llu; COMMIT",
		   (unsigned long long)index_schema_version);
	rc = index_exec(ix, "BEGIN IMMEDIATE", "make the tables", err);
	if (rc == 0) {
		rc = index_exec(ix, index_schema, "make the tables", err);
	}
	if (rc == 0) {
		rc = index_exec(ix, buf_text(&version), "make the tables", err);
	}
	return rc;
}

/* Opens what is there, or makes it; -EBADMSG when it must be dropped first. The lock is held. */
static int
open_locked(const struct store *s, struct index **ret, struct err *err)
{
	auto_index ix = NULL;
	struct journal_pos pos = { 0 };
	uint64_t version = 0;
	int rc = touch_db(s, err);

	if (rc == 0) {
		rc = connect_db(s, SQLITE_OPEN_READWRITE, "", &ix, err);
	}
	if (rc == 0) {
		rc = index_exec(ix,
				"PRAGMA mmap_size = 0; PRAGMA journal_mode = WAL;"
				" PRAGMA synchronous = NORMAL",
				"set up", err);
	}
	if (rc == 0) {
		rc = query_version(ix, &version, err);
	}
	if (rc == 0 && version == 0) {
		rc = make_schema(ix, err);
	} else if (rc == 0 && version != index_schema_version) {
		rc = err_set(err, -EBADMSG, "%s: schema version %llu", INDEX_FILE,
			     (unsigned long long)version);
	}
	if (rc == 0) {
		rc = index_position(ix, &pos, err);
	}
	if (rc == 0 && is_ahead_of_journal(s, pos)) {
		rc = err_set(err, -EBADMSG, "%s is ahead of the journal", INDEX_FILE);
	}
	if (rc == 0) {
		rc = index_statements(ix, err);
	}
	if (rc == 0) {
		*ret = take_ptr(ix);
	}
	return rc;
}

static int
open_write(struct store *s, bool wait, bool drop, struct index **ret_index, struct err *err)
{
	auto_fd lock_fd = -1;
	int rc = take_lock(s, wait, &lock_fd, err);

	if (rc == 0 && drop) {
		rc = drop_files(s, err);
	}
	if (rc != 0) {
		return rc;
	}
	rc = open_locked(s, ret_index, err);
	if (rc == -EBADMSG) {
		rc = drop_files(s, err);
		if (rc == 0) {
			rc = open_locked(s, ret_index, err);
		}
	}
	if (rc == 0) {
		(*ret_index)->lock_fd = take_fd(&lock_fd);
	}
	return rc;
}

int
index_open_write(struct store *s, bool wait, struct index **ret_index, struct err *err)
{
	return open_write(s, wait, false, ret_index, err);
}

int
index_rebuild(struct store *s, bool wait, struct index **ret_index, struct err *err)
{
	return open_write(s, wait, true, ret_index, err);
}

int
index_open_temporary(struct index **ret, struct err *err)
{
	auto_index ix = calloc(1, sizeof(*ix));
	int rc;

	if (ix == NULL) {
		return no_memory(err);
	}
	ix->lock_fd = -1;
	/* The empty name: a file without one, which goes with the connection. */
	if (sqlite3_open_v2("", &ix->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI,
			    NULL) != SQLITE_OK) {
		return ix->db != NULL ? index_error(ix, err, "open a temporary one")
				      : no_memory(err);
	}
	rc = index_exec(ix, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", "set up", err);
	if (rc == 0) {
		rc = make_schema(ix, err);
	}
	if (rc == 0) {
		rc = index_statements(ix, err);
	}
	if (rc == 0) {
		*ret = take_ptr(ix);
	}
	return rc;
}

int
index_remake(struct store *s, struct index **slot, int (*change)(void *arg, struct err *err),
	     void *arg, struct err *err)
{
	auto_fd lock_fd = take_fd(&(*slot)->lock_fd);
	int rc;

	index_close(*slot);
	*slot = NULL;
	rc = drop_files(s, err);
	rc = rc == 0 ? change(arg, err) : rc;
	rc = rc == 0 ? open_locked(s, slot, err) : rc;
	if (rc == 0) {
		(*slot)->lock_fd = take_fd(&lock_fd);
	}
	return rc;
}

int
index_attach(struct index *ix, const struct store *s, struct err *err)
{
	auto_stmt st = NULL;
	auto_buf uri = BUF_INIT;
	struct stat meta;
	int rc;

	if (fstatat(s->dir_fd, INDEX_FILE, &meta, AT_SYMLINK_NOFOLLOW) != 0) {
		return err_sys(err, -errno, "open %s/%s", s->path, INDEX_FILE);
	}
	put_uri(&uri, s->path, "?mode=ro");
	rc = buf_error(&uri) != 0 ? no_memory(err)
				  : index_prepare(ix, "ATTACH ?1 AS disk", &st, err);
	if (rc != 0) {
		return rc;
	}
	ignore_err(sqlite3_bind_text(st, 1, buf_text(&uri), -1, SQLITE_STATIC),
		   "an unbound name is an error of the step");
	return sqlite3_step(st) == SQLITE_DONE ? 0 : index_error(ix, err, "attach");
}

/* *ret_moved: the file was replaced meanwhile, so the WAL may be another one's; try again. */
static int
open_snapshot(const struct store *s, const char *query, struct index **ret, bool *ret_moved,
	      struct err *err)
{
	auto_index ix = NULL;
	struct journal_pos pos;
	uint64_t version = 0;
	int moved = 0;
	int rc = connect_db(s, SQLITE_OPEN_READONLY, query, &ix, err);

	*ret_moved = false;
	if (rc != 0) {
		return rc;
	}
	ignore_err(sqlite3_db_config(ix->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL),
		   "a read-only connection cannot checkpoint anyway");
	rc = index_exec(ix, "PRAGMA mmap_size = 0; BEGIN", "set up", err);
	if (rc == 0) {
		rc = query_version(ix, &version, err);
	}
	if (rc == 0 && version != index_schema_version) {
		rc = err_set(err, -ENOENT, "%s: schema version %llu", INDEX_FILE,
			     (unsigned long long)version);
	}
	if (rc == 0) {
		/* the first read of a table: the snapshot stands */
		rc = index_position(ix, &pos, err);
	}
	if (sqlite3_file_control(ix->db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK) {
		*ret_moved = moved != 0;
	}
	if (rc == 0) {
		*ret = take_ptr(ix);
	}
	return rc;
}

/* No WAL, or an empty one: everything is in the database file. */
static bool
is_checkpointed(const struct store *s)
{
	struct stat st;

	return fstatat(s->dir_fd, INDEX_FILE "-wal", &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	       st.st_size == 0;
}

int
index_open_read(const struct store *s, struct index **ret_index, struct err *err)
{
	struct stat st;

	if (fstatat(s->dir_fd, INDEX_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		return err_sys(err, -errno, "open %s/%s", s->path, INDEX_FILE);
	}
	for (unsigned int i = 0; i < OPEN_TRIES; i++) {
		auto_index ix = NULL;
		bool moved = false;
		int rc = open_snapshot(s, "", &ix, &moved, err);

		/* A read-only copy has no room for the WAL's index, and no writer. */
		if (rc == -EACCES && is_checkpointed(s)) {
			rc = open_snapshot(s, "?immutable=1", &ix, &moved, err);
		}
		if (moved) {
			continue;
		}
		if (rc == 0) {
			*ret_index = take_ptr(ix);
		}
		return rc;
	}
	return err_set(err, -EBUSY, "%s is being rebuilt again and again", INDEX_FILE);
}

/* ---- taking in ---------------------------------------------------------------------------- */

struct batch {
	struct index *ix;
	struct journal_pos next; /* behind the last entry that was taken in */
	uint64_t entries;
	bool is_open; /* a transaction was begun */
	struct err *err;
	int failed; /* of SQLite */
};

static int
begin_batch(struct batch *b)
{
	if (b->is_open || b->failed != 0) {
		return b->failed;
	}
	b->failed = index_exec(b->ix, "BEGIN IMMEDIATE", "begin a batch", b->err);
	b->is_open = b->failed == 0;
	return b->failed;
}

static int
on_entry(void *arg, struct journal_pos pos, const uint8_t *json, size_t len)
{
	struct batch *b = arg;

	if (b->entries >= BATCH_ENTRIES) {
		return 1;
	}
	if (begin_batch(b) == 0) {
		b->failed = index_take(b->ix, pos, json, len, b->err);
	}
	b->entries++;
	b->next.file = pos.file;
	b->next.offset = pos.offset + JOURNAL_HEADER + len;
	return b->failed != 0 ? 1 : 0;
}

/*
 * The walk ended at bytes that are no entry, with entries or files behind them. They become a row,
 * and the walk goes on behind them; *ret_passed is false when there was nothing to go on to after
 * all.
 */
static int
pass_damage(struct store *s, struct batch *b, bool *ret_passed)
{
	auto_buf damage = BUF_INIT;
	uint32_t next = 0, newest = 0;
	bool found = false;
	int rc = b->next.file > 0 ? index_resync(s, b->next, &damage, &found) : 0;

	if (rc == 0) {
		rc = journal_scan(s->dir_fd, b->next.file, &next, &newest);
	}
	if (rc != 0) {
		return err_sys(b->err, rc, "read the journal in %s", s->path);
	}
	*ret_passed = found || next != 0;
	if (!*ret_passed) {
		return 0;
	}
	rc = begin_batch(b);
	if (rc == 0 && damage.len > 0) {
		rc = index_take_damaged(b->ix, b->next, "no whole entry", damage.data, damage.len,
					b->err);
		b->entries++;
	}
	if (found) {
		b->next.offset += damage.len;
	} else {
		b->next = (struct journal_pos){ .file = next, .offset = 0 };
	}
	return rc;
}

static int
store_position(struct batch *b)
{
	sqlite3_stmt *st = b->ix->stmt[STMT_POSITION];
	int rc = 0;

	ignore_err(sqlite3_bind_int64(st, 1, b->next.file), "cannot fail for an integer");
	ignore_err(sqlite3_bind_int64(st, 2, (sqlite3_int64)b->next.offset),
		   "cannot fail for an integer");
	if (sqlite3_step(st) != SQLITE_DONE) {
		rc = index_error(b->ix, b->err, "store the journal position");
	}
	ignore_err(sqlite3_reset(st), "repeats the error of sqlite3_step");
	return rc;
}

/* Ends the transaction of a batch with the position behind it. */
static int
end_batch(struct batch *b)
{
	if (!b->is_open) {
		return b->failed;
	}
	if (b->failed == 0) {
		b->failed = store_position(b);
	}
	if (b->failed == 0) {
		b->failed = index_exec(b->ix, "COMMIT", "commit a batch", b->err);
	}
	if (b->failed != 0 && sqlite3_get_autocommit(b->ix->db) == 0) {
		ignore_err(index_exec(b->ix, "ROLLBACK", "roll back", NULL),
			   "closing rolls back too");
	}
	return b->failed;
}

/* One transaction; *ret_more when there may be further entries. */
static int
ingest_batch(struct index *ix, struct store *s, uint64_t *ret_entries, bool *ret_more,
	     struct err *err)
{
	struct batch b = { .ix = ix, .err = err };
	struct journal_pos end;
	struct err walk_err = ERR_INIT;
	bool passed = false;
	int rc = index_position(ix, &b.next, err);

	if (rc != 0) {
		return rc;
	}
	end = b.next;
	rc = journal_read(s, b.next, &end, on_entry, &b, &walk_err);
	if (rc == 0 && b.entries > 0) {
		b.next = end;
	} else if (rc == -EBADMSG && b.failed == 0) {
		b.failed = pass_damage(s, &b, &passed);
	} else if (rc < 0 && b.failed == 0) {
		/* what was read before it is kept */
		rc = end_batch(&b);
		return rc != 0 ? rc : err_set(err, walk_err.code, "%s", walk_err.text);
	}
	if (end_batch(&b) != 0) {
		return b.failed;
	}
	*ret_entries = b.entries;
	*ret_more = rc == 1 || passed;
	return 0;
}

int
index_ingest(struct index *ix, struct store *s, uint64_t *ret_entries, struct err *err)
{
	uint64_t total = 0, entries = 0;
	bool more = true;

	while (more) {
		int rc = ingest_batch(ix, s, &entries, &more, err);

		if (rc != 0) {
			return rc;
		}
		total += entries;
	}
	*ret_entries = total;
	return 0;
}

/* ---- catching up -------------------------------------------------------------------------- */

static int
skip_entry(void *arg, struct journal_pos pos, const uint8_t *json, size_t len)
{
	(void)arg, (void)pos, (void)json, (void)len;
	return 0;
}

/* Where the journal ends now, reading on from `from`. */
static int
journal_end(struct store *s, struct journal_pos from, struct journal_pos *ret)
{
	struct journal_pos end = from;
	int rc = journal_read(s, from, &end, skip_entry, NULL, NULL);

	if (rc == 0) {
		*ret = end;
	}
	return rc; /* damage on the way: the lock, once it is free, gives certainty */
}

/* What the holder of the lock has committed so far; false when that cannot be seen now. */
static bool
committed(const struct store *s, struct journal_pos *ret)
{
	auto_index ix = NULL;

	return index_open_read(s, &ix, NULL) == 0 && ix != NULL &&
	       index_position(ix, ret, NULL) == 0;
}

int
index_catch_up(struct store *s, struct err *err)
{
	struct journal_pos seen = { 0 }, target = { 0 };
	bool has_target = false;

	for (unsigned int waited_ms = 0; waited_ms < OTHERS_LIMIT_MS; waited_ms += OTHERS_TURN_MS) {
		auto_index ix = NULL;
		uint64_t entries;
		int rc = index_open_write(s, false, &ix, err);

		if (rc == 0) {
			rc = index_ingest(ix, s, &entries, err);
		}
		if (rc != -EWOULDBLOCK) {
			return rc;
		}
		/*
		 * Another process takes the entries in: wait for it, not for its lock, which it
		 * keeps a while.
		 */
		if (committed(s, &seen)) {
			if (!has_target) {
				has_target = journal_end(s, seen, &target) == 0;
			}
			if (has_target && journal_pos_order(seen, target) >= 0) {
				return 0;
			}
		}
		ignore_err(poll(NULL, 0, (int)OTHERS_TURN_MS), "a shorter wait is as good");
	}
	return err_set(err, -ETIMEDOUT, "%s/%s: the process that holds it takes nothing in",
		       s->path, LOCK_FILE);
}
