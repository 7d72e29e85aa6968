/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the log is made of, and the entries that are of no call. Runs in airlock-log and
 * airlock-cli, as the caller.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../base/cleanup.h"
#include "index_internal.h"

/* Who did it; -1 where nobody is named. */
static int64_t
column_uid(sqlite3_stmt *st, int column)
{
	return sqlite3_column_type(st, column) == SQLITE_NULL ? -1
							      : sqlite3_column_int64(st, column);
}

static int
unknown_type(const char *word, struct err *err)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, word, strlen(word), false);
	return err_set(err, -EBADMSG, "index.db: an entry of the type %s", buf_text(&safe));
}

int
index_size(struct index *ix, uint64_t *ret_size, struct err *err)
{
	return index_number(ix, "SELECT ifnull(max(n), -1) + 1 FROM entry", NULL,
			    "count the entries", ret_size, err);
}

int
index_column_leaf(sqlite3_stmt *st, struct index_leaf *ret, struct err *err)
{
	const char *word = index_column_text(st, 1);
	struct index_leaf leaf = {
		.n = index_column_u64(st, 0),
		.call = index_column_text(st, 2),
		.digest = sqlite3_column_blob(st, 3),
	};

	if (!entry_type_find(word, &leaf.type)) {
		return unknown_type(word, err);
	}
	if (sqlite3_column_bytes(st, 3) != SHA256_SIZE) {
		return err_set(err, -EBADMSG, "index.db: entry %llu is not what it must be",
			       (unsigned long long)leaf.n);
	}
	*ret = leaf;
	return 0;
}

int
index_leaves(struct index *ix, uint64_t from, index_leaf_fn fn, void *arg, struct err *err)
{
	auto_stmt st = NULL;
	int rc = index_prepare(
		ix, "SELECT n, type, call, digest FROM entry WHERE n >= ?1 ORDER BY n", &st, err);
	int step;

	if (rc != 0) {
		return rc;
	}
	if (sqlite3_bind_int64(st, 1, (sqlite3_int64)from) != SQLITE_OK) {
		return index_error(ix, err, "read the leaves");
	}
	for (uint64_t n = from; (step = sqlite3_step(st)) == SQLITE_ROW; n++) {
		struct index_leaf leaf = { .n = 0 };

		rc = index_column_leaf(st, &leaf, err);
		if (rc != 0) {
			return rc;
		}
		if (leaf.n != n) {
			return err_set(err, -EBADMSG, "index.db: entry %llu is not what it must be",
				       (unsigned long long)n);
		}
		rc = fn(arg, &leaf);
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(ix, err, "read the leaves");
}

#define EVENTS                                                                               \
	"SELECT n, event.type, t, uid, action, workflow, name, event.digest, reason, record, " \
	"file, offset" \
	" FROM event JOIN entry USING (n) WHERE "

/* Every row of a statement that begins so, with its parameter. */
static int
walk_events(struct index *ix, const char *sql, const char *of, index_event_fn fn, void *arg,
	    struct err *err)
{
	auto_stmt st = NULL;
	int rc = index_prepare(ix, sql, &st, err), step;

	if (rc != 0) {
		return rc;
	}
	if (of != NULL && sqlite3_bind_text(st, 1, of, -1, SQLITE_STATIC) != SQLITE_OK) {
		return index_error(ix, err, "list the entries of no call");
	}
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct index_event event = {
			.n = index_column_u64(st, 0),
			.t_ms = index_column_u64(st, 2),
			.uid = column_uid(st, 3),
			.action = index_column_text(st, 4),
			.workflow = index_column_text(st, 5),
			.name = index_column_text(st, 6),
			.digest = index_column_text(st, 7),
			.reason = index_column_text(st, 8),
			.record = sqlite3_column_blob(st, 9),
			.record_len = (size_t)sqlite3_column_bytes(st, 9),
			.pos = index_column_pos(st, 10),
		};

		if (!entry_type_find(index_column_text(st, 1), &event.type)) {
			return unknown_type(index_column_text(st, 1), err);
		}
		rc = fn(arg, &event);
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(ix, err, "list the entries of no call");
}

int
index_events(struct index *ix, const char *type, index_event_fn fn, void *arg, struct err *err)
{
	return walk_events(ix, EVENTS "?1 IS NULL OR event.type = ?1 ORDER BY n", type, fn, arg,
			   err);
}

int
index_workflow_events(struct index *ix, const char *workflow, index_event_fn fn, void *arg,
		      struct err *err)
{
	return walk_events(ix, EVENTS "workflow = ?1 AND event.type = 'workflow' ORDER BY n",
			   workflow, fn, arg, err);
}

int
index_is_closed(struct index *ix, bool *ret, struct err *err)
{
	static const char sql[] =
		"SELECT count(*) FROM (SELECT type FROM event"
		" WHERE type IN ('log.close', 'log.open') ORDER BY n DESC LIMIT 1)"
		" WHERE type = 'log.close'";
	uint64_t closed = 0;
	int rc = index_number(ix, sql, NULL, "look whether the log is closed", &closed, err);

	if (rc == 0) {
		*ret = closed != 0;
	}
	return rc;
}

/* In UTC: it is an error's text, which may be read elsewhere. */
static void
put_time(struct buf *out, uint64_t t_ms)
{
	time_t moment = (time_t)(t_ms / 1000);
	struct tm tm;

	gmtime_r(&moment, &tm);
	buf_printf(out, "%04d-%02d-%02d %02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void
index_put_remover(struct buf *out, const struct index_forgotten *f)
{
	buf_printf(out, "by uid %lld at ", (long long)f->uid);
	put_time(out, f->t_ms);
	if (f->reason[0] != '\0') {
		buf_puts(out, " (");
		text_safe(out, f->reason, strlen(f->reason), false);
		buf_putc(out, ')');
	}
}

/* Columns: workflow, n, t, uid, reason, action. */
static int
read_remover(struct index *ix, sqlite3_stmt *st, struct index_forgotten *ret, struct err *err)
{
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		break;
	case SQLITE_DONE:
		return -ENOENT;
	default:
		return index_error(ix, err, "look for who removed something");
	}
	*ret = (struct index_forgotten){
		.is_logged = sqlite3_column_type(st, 1) != SQLITE_NULL,
		.is_all = strcmp(index_column_text(st, 5), "forget") == 0,
		.n = index_column_u64(st, 1),
		.t_ms = index_column_u64(st, 2),
		.uid = column_uid(st, 3),
	};
	snprintf(ret->workflow, sizeof(ret->workflow), "%s", index_column_text(st, 0));
	snprintf(ret->reason, sizeof(ret->reason), "%s", index_column_text(st, 4));
	return 0;
}

int
index_collected(struct index *ix, const char *workflow, uint64_t since_ms,
		struct index_forgotten *ret, struct err *err)
{
	static const char sql[] =
		"SELECT workflow, n, t, uid, reason, action FROM event WHERE workflow = ?1"
		" AND type = 'gc' AND t >= ?2 ORDER BY n DESC LIMIT 1";
	auto_stmt st = NULL;
	int rc = index_prepare(ix, sql, &st, err);

	if (rc != 0) {
		return rc;
	}
	ignore_err(sqlite3_bind_text(st, 1, workflow, -1, SQLITE_STATIC),
		   "unbound is NULL: no row");
	ignore_err(sqlite3_bind_int64(st, 2, (sqlite3_int64)since_ms), "cannot fail");
	rc = read_remover(ix, st, ret, err);
	return rc == -ENOENT ? err_set(err, rc, "no object of workflow %s was removed", workflow)
			     : rc;
}

int
index_forgotten(struct index *ix, const char *id, struct index_forgotten *ret, struct err *err)
{
	static const char sql[] =
		"SELECT forgotten.workflow, event.n, t, uid, reason, action FROM forgotten"
		" LEFT JOIN event ON event.workflow = forgotten.workflow"
		" AND event.action = 'forget' WHERE call = ?1 ORDER BY event.n DESC LIMIT 1";
	auto_stmt st = NULL;
	int rc = index_prepare(ix, sql, &st, err);

	if (rc != 0) {
		return rc;
	}
	ignore_err(sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC), "unbound is NULL: no row");
	rc = read_remover(ix, st, ret, err);
	return rc == -ENOENT ? err_set(err, rc, "%s was not forgotten", id) : rc;
}
