/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of index.db that match a question, in order. Runs in airlock-cli, as the caller, over a
 * read-only connection; what it is asked for comes from a person's command line and is bound, never
 * put into the SQL.
 */
#include <errno.h>
#include <string.h>

#include "../base/cleanup.h"
#include "index.h"
#include "index_internal.h"

#define COLUMNS                                                                                \
	"n, id, workflow, workflow_name, key, profile, mode, tool, command, verdict, settled," \
	" seq, uid, t0, t1, exit, signal, created, modified, deleted, held, denials,"          \
	" degraded, workspace, reason, changes_digest, request_digest, attempt, retry_of,"     \
	" step, retry, answer, request_parts, 1, wall_ms, cpu_ms, disk_bytes,"                 \
	" reserved_calls, reserved_wall, reserved_cpu, reserved_disk, lost"

#define FILTER                                                                        \
	" (?1 IS NULL OR workflow_name = ?1 OR substr(workflow, 1, length(?1)) = ?1)" \
	" AND (?2 IS NULL OR profile = ?2) AND (?3 IS NULL OR verdict = ?3)"          \
	" AND (?5 IS NULL OR settled = ?5)"                                           \
	" AND (?6 IS NULL OR t0 >= ?6) AND (?7 IS NULL OR t0 < ?7)"

static void
bind_time(sqlite3_stmt *st, int at, uint64_t ms)
{
	if (ms > 0) {
		ignore_err(
			sqlite3_bind_int64(st, at, ms < INT64_MAX ? (sqlite3_int64)ms : INT64_MAX),
			"unbound would be NULL: any");
	}
}

static int
bind_query(struct index *ix, sqlite3_stmt *st, const struct index_query *q, struct err *err)
{
	bool is_all = q->last == 0 || q->last >= INT64_MAX || q->match != NULL;

	index_bind_filter(st, 1, q->workflow);
	index_bind_filter(st, 2, q->profile);
	index_bind_filter(st, 3, q->verdict);
	index_bind_filter(st, 5, q->settled);
	bind_time(st, 6, q->since_ms);
	bind_time(st, 7, q->until_ms);
	return sqlite3_bind_int64(st, 4, is_all ? -1 : (sqlite3_int64)q->last) == SQLITE_OK
		     ? 0
		     : index_error(ix, err, "list calls");
}

/* Four columns; a number below 0, which no record of ours has, is 0. */
static struct index_use
read_use(sqlite3_stmt *st, int at)
{
	uint64_t use[4];

	for (int i = 0; i < 4; i++) {
		sqlite3_int64 n = sqlite3_column_int64(st, at + i);

		use[i] = n > 0 ? (uint64_t)n : 0;
	}
	return (struct index_use){
		.calls = use[0], .wall_ms = use[1], .cpu_ms = use[2], .disk_bytes = use[3]
	};
}

/* Its strings are the statement's. */
static struct index_call
read_call(sqlite3_stmt *st)
{
	bool exited = sqlite3_column_type(st, 15) != SQLITE_NULL;
	sqlite3_int64 attempt = sqlite3_column_int64(st, 27);

	return (struct index_call){
		.id = index_column_text(st, 1),
		.workflow = index_column_text(st, 2),
		.workflow_name = index_column_text(st, 3),
		.key = index_column_text(st, 4),
		.profile = index_column_text(st, 5),
		.mode = index_column_text(st, 6),
		.tool = index_column_text(st, 7),
		.command = index_column_text(st, 8),
		.verdict = index_column_text(st, 9),
		.settled = index_column_text(st, 10),
		.seq = index_column_u64(st, 11),
		.uid = index_column_u64(st, 12),
		.t0_ms = index_column_u64(st, 13),
		.t1_ms = index_column_u64(st, 14),
		.exit = exited ? sqlite3_column_int(st, 15) : -1,
		.signal = sqlite3_column_int(st, 16),
		.created = index_column_u64(st, 17),
		.modified = index_column_u64(st, 18),
		.deleted = index_column_u64(st, 19),
		.held = index_column_u64(st, 20),
		.denials = index_column_u64(st, 21),
		.degraded = index_column_u64(st, 22),
		.workspace = index_column_text(st, 23),
		.reason = index_column_text(st, 24),
		.changes_digest = index_column_text(st, 25),
		.request_digest = index_column_text(st, 26),
		.attempt = attempt > 0 && attempt <= UINT32_MAX ? (uint32_t)attempt : 1,
		.retry_of = index_column_text(st, 28),
		.step = index_column_text(st, 29),
		.retry = index_column_text(st, 30),
		.answer = index_column_text(st, 31),
		.request_parts = index_column_text(st, 32),
		.used = read_use(st, 33),
		.reserved = read_use(st, 37),
		.lost_ms = index_column_u64(st, 41),
	};
}

/* Every row of the statement to fn. */
static int
walk(struct index *ix, sqlite3_stmt *st, index_call_fn fn, void *arg, struct err *err)
{
	int step;

	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct index_call call = read_call(st);
		int rc = fn(arg, &call);

		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(ix, err, "list calls");
}

/* The numbers of the calls that match, newest first, as u64s. */
static int
choose(struct index *ix, const struct index_query *q, struct buf *ret_numbers, struct err *err)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM call WHERE" FILTER " ORDER BY n DESC LIMIT ?4";
	auto_stmt st = NULL;
	uint64_t found = 0;
	int rc = index_prepare(ix, sql, &st, err), step = SQLITE_DONE;

	rc = rc != 0 ? rc : bind_query(ix, st, q, err);
	while (rc == 0 && (q->last == 0 || found < q->last) &&
	       (step = sqlite3_step(st)) == SQLITE_ROW) {
		struct index_call call = read_call(st);
		uint64_t n = index_column_u64(st, 0);
		int is_taken = q->match(q->match_arg, &call);

		if (is_taken < 0) {
			return is_taken;
		}
		if (is_taken > 0) {
			buf_put(ret_numbers, &n, sizeof(n));
			found++;
		}
	}
	if (rc != 0) {
		return rc;
	}
	if (step != SQLITE_DONE && step != SQLITE_ROW) {
		return index_error(ix, err, "list calls");
	}
	return buf_error(ret_numbers) == 0 ? 0 : err_sys(err, -ENOMEM, "list calls");
}

static int
list_matching(struct index *ix, const struct index_query *q, index_call_fn fn, void *arg,
	      struct err *err)
{
	auto_buf numbers = BUF_INIT;
	auto_stmt st = NULL;
	int rc = choose(ix, q, &numbers, err);

	rc = rc != 0 ? rc
		     : index_prepare(ix, "SELECT " COLUMNS " FROM call WHERE n = ?1", &st, err);
	for (size_t at = numbers.len; rc == 0 && at > 0; at -= sizeof(uint64_t)) {
		uint64_t n;

		memcpy(&n, numbers.data + at - sizeof(n), sizeof(n));
		if (sqlite3_bind_int64(st, 1, (sqlite3_int64)n) != SQLITE_OK) {
			return index_error(ix, err, "list calls");
		}
		rc = walk(ix, st, fn, arg, err);
		ignore_err(sqlite3_reset(st), "repeats the error of sqlite3_step");
	}
	return rc;
}

int
index_list(struct index *ix, const struct index_query *query, index_call_fn fn, void *arg,
	   struct err *err)
{
#define NEWEST \
	"SELECT * FROM (SELECT " COLUMNS " FROM call WHERE" FILTER " ORDER BY n DESC LIMIT ?4)"
	const char *sql = query->by_seq ? NEWEST " ORDER BY seq, n" : NEWEST " ORDER BY n";
	auto_stmt st = NULL;
	int rc;

	if (query->match != NULL) {
		return list_matching(ix, query, fn, arg, err);
	}
	rc = index_prepare(ix, sql, &st, err);
	rc = rc != 0 ? rc : bind_query(ix, st, query, err);
	return rc != 0 ? rc : walk(ix, st, fn, arg, err);
}

int
index_workflow_calls(struct index *ix, const char *workflow, index_call_fn fn, void *arg,
		     struct err *err)
{
	auto_stmt st = NULL;
	int rc = index_prepare(ix, "SELECT " COLUMNS " FROM call WHERE workflow = ?1 ORDER BY n",
			       &st, err);

	if (rc != 0) {
		return rc;
	}
	index_bind_filter(st, 1, workflow);
	return walk(ix, st, fn, arg, err);
}

int
index_changed(struct index *ix, const char *id, const char *path, uint64_t *ret_listed,
	      uint64_t *ret_there, struct err *err)
{
	static const char sql[] =
		"SELECT count(*), coalesce(sum(?2 = '' OR path = ?2"
		" OR substr(path, 1, length(?2) + 1) = ?2 || '/'), 0) FROM change WHERE call = ?1";
	auto_stmt st = NULL;
	int rc = index_prepare(ix, sql, &st, err);

	if (rc != 0) {
		return rc;
	}
	index_bind_filter(st, 1, id);
	index_bind_filter(st, 2, path);
	if (sqlite3_step(st) != SQLITE_ROW) {
		return index_error(ix, err, "look for a path");
	}
	*ret_listed = index_column_u64(st, 0);
	*ret_there = index_column_u64(st, 1);
	return 0;
}

int
index_profiles(struct index *ix, struct buf *ret_names, struct err *err)
{
	auto_stmt st = NULL;
	int rc = index_prepare(ix, "SELECT DISTINCT profile FROM call ORDER BY 1", &st, err), step;

	if (rc != 0) {
		return rc;
	}
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *name = index_column_text(st, 0);

		buf_put(ret_names, name, strlen(name) + 1);
	}
	if (step != SQLITE_DONE) {
		return index_error(ix, err, "list the profiles");
	}
	return buf_error(ret_names) == 0 ? 0 : err_sys(err, -ENOMEM, "list the profiles");
}

int
index_has_entry(struct index *ix, const char *id, const char *prefix, bool *ret, struct err *err)
{
	static const char sql[] = "SELECT EXISTS (SELECT 1 FROM entry WHERE call = ?1"
				  " AND substr(lower(hex(digest)), 1, length(?2)) = ?2)";
	auto_stmt st = NULL;
	int rc = index_prepare(ix, sql, &st, err);

	if (rc != 0) {
		return rc;
	}
	index_bind_filter(st, 1, id);
	index_bind_filter(st, 2, prefix);
	if (sqlite3_step(st) != SQLITE_ROW) {
		return index_error(ix, err, "look for a digest");
	}
	*ret = sqlite3_column_int(st, 0) != 0;
	return 0;
}

int
index_forgotten_count(struct index *ix, uint64_t *ret_count, struct err *err)
{
	return index_number(ix, "SELECT count(*) FROM forgotten", NULL, "count forgotten calls",
			    ret_count, err);
}

int
index_steps(struct index *ix, const char *workspace, const char *path, index_step_fn fn, void *arg,
	    struct err *err)
{
	/* what a call without an outcome changed stands in what recovery says of it alone */
	static const char sql[] =
		"SELECT e.n, e.call, s.settled, coalesce(s.t, c.t1), coalesce(s.uid, -1)"
		" FROM call c JOIN entry e ON e.call = c.id LEFT JOIN settle s ON s.n = e.n"
		" WHERE c.workspace = ?1 AND e.type IN ('call.outcome', 'settle')"
		" AND (c.id IN (SELECT call FROM change WHERE path = ?2)"
		"  OR (c.t1 IS NULL AND c.changes_digest IS NOT NULL)"
		"  OR (SELECT count(*) FROM change WHERE call = c.id)"
		"   < coalesce(c.created + c.modified + c.deleted, 0))"
		" ORDER BY e.n";
	auto_stmt st = NULL;
	int rc = index_prepare(ix, sql, &st, err), step;

	if (rc != 0) {
		return rc;
	}
	index_bind_filter(st, 1, workspace);
	index_bind_filter(st, 2, path);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct index_step one = {
			.n = index_column_u64(st, 0),
			.call = index_column_text(st, 1),
			.settled = index_column_text(st, 2),
			.t_ms = index_column_u64(st, 3),
			.uid = sqlite3_column_int64(st, 4),
		};

		rc = fn(arg, &one);
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(ix, err, "read how calls were settled");
}

int
index_changed_behind(struct index *ix, const char *call, uint64_t *ret_count, struct err *err)
{
	static const char sql[] =
		"SELECT count(*) FROM entry e JOIN call c ON c.id = e.call"
		" LEFT JOIN settle s ON s.n = e.n"
		" WHERE e.n > (SELECT min(n) FROM entry WHERE call = ?1)"
		" AND c.workspace = (SELECT workspace FROM call WHERE id = ?1)"
		" AND (s.settled IN ('committed', 'undone')"
		"  OR (e.type = 'call.outcome' AND c.settled = 'committed'"
		"   AND c.created + c.modified + c.deleted > 0))";

	return index_number(ix, sql, call, "look what was changed since", ret_count, err);
}
