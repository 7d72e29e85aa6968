/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to index.db. Runs in airlock-cli, as the caller, over a read-only connection; what it
 * is asked for comes from a person's command line and is bound, never put into the SQL.
 */
#include "index.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "index_internal.h"

#define UUID_DIGITS 32u
#define CANDIDATES_SHOWN 8u

/* Lower case, with the dashes where a UUID has them; false when it is not the start of one. */
static bool
canonical_prefix(const char *name, char ret[UUID_TEXT_SIZE])
{
	size_t digits = 0, len = 0;

	for (; *name != '\0'; name++) {
		if (*name == '-') {
			continue;
		}
		if (isxdigit((unsigned char)*name) == 0 || digits == UUID_DIGITS) {
			return false;
		}
		if (digits == 8 || digits == 12 || digits == 16 || digits == 20) {
			ret[len++] = '-';
		}
		ret[len++] = (char)tolower((unsigned char)*name);
		digits++;
	}
	ret[len] = '\0';
	return digits >= INDEX_PREFIX_MIN;
}

static int
find_last(struct index *ix, char ret_id[UUID_TEXT_SIZE], struct err *err)
{
	auto_stmt st = NULL;
	/* a person's last call: what resolvers do for it comes behind it */
	int rc = index_prepare(ix,
			       "SELECT id FROM call JOIN entry USING (n)"
			       " WHERE json_extract(CAST(record AS TEXT), '$.serves') IS NULL"
			       " ORDER BY n DESC LIMIT 1",
			       &st, err);

	if (rc != 0) {
		return rc;
	}
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		snprintf(ret_id, UUID_TEXT_SIZE, "%s", index_column_text(st, 0));
		return 0;
	case SQLITE_DONE:
		return err_set(err, -ENOENT, "@last: no call is recorded yet");
	default:
		return index_error(ix, err, "find the last call");
	}
}

int
index_find(struct index *ix, const char *name, char ret_id[UUID_TEXT_SIZE], struct err *err)
{
	auto_stmt st = NULL;
	auto_buf candidates = BUF_INIT, seen = BUF_INIT;
	char prefix[UUID_TEXT_SIZE], first[UUID_TEXT_SIZE] = "";
	size_t count = 0;
	int rc, step;

	if (strcmp(name, "@last") == 0) {
		return find_last(ix, ret_id, err);
	}
	text_safe(&seen, name, strnlen(name, 64), false);
	if (!canonical_prefix(name, prefix)) {
		return err_set(err, -EINVAL,
			       "%s is no call: give an id, at least %d digits of one, or @last",
			       buf_text(&seen), INDEX_PREFIX_MIN);
	}
	/* 'g' sorts behind every character of an id */
	rc = index_prepare(ix,
			   "SELECT id FROM call WHERE id >= ?1 AND id < ?1 || 'g'"
			   " UNION SELECT call FROM forgotten WHERE call >= ?1 AND call < ?1 || 'g'"
			   " ORDER BY 1",
			   &st, err);
	if (rc != 0) {
		return rc;
	}
	index_bind_filter(st, 1, prefix);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		if (count == 0) {
			snprintf(first, sizeof(first), "%s", index_column_text(st, 0));
		}
		if (count < CANDIDATES_SHOWN) {
			buf_printf(&candidates, "%s%s", count > 0 ? ", " : "",
				   index_column_text(st, 0));
		}
		count++;
	}
	if (step != SQLITE_DONE) {
		return index_error(ix, err, "find a call");
	}
	if (count == 0) {
		return err_set(err, -ENOENT, "%s: no such call is recorded", buf_text(&seen));
	}
	if (count > 1) {
		return err_set(err, -ENOTUNIQ, "%s names %zu calls: %s%s", buf_text(&seen), count,
			       buf_text(&candidates), count > CANDIDATES_SHOWN ? ", …" : "");
	}
	memcpy(ret_id, first, UUID_TEXT_SIZE);
	return 0;
}

static size_t
common_len(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n]) {
		n++;
	}
	return n;
}

int
index_prefix_len(struct index *ix, const char *id, size_t min, size_t *ret_len, struct err *err)
{
	auto_stmt st = NULL;
	size_t len = min;
	int rc = index_prepare(ix,
			       "SELECT (SELECT max(id) FROM call WHERE id < ?1),"
			       " (SELECT min(id) FROM call WHERE id > ?1)",
			       &st, err);

	if (rc != 0) {
		return rc;
	}
	index_bind_filter(st, 1, id);
	if (sqlite3_step(st) != SQLITE_ROW) {
		return index_error(ix, err, "compare ids");
	}
	for (int i = 0; i < 2; i++) {
		size_t needed = common_len(id, index_column_text(st, i)) + 1;

		len = needed > len ? needed : len;
	}
	*ret_len = len < strlen(id) ? len : strlen(id);
	return 0;
}

/* Why a call has no records. */
static int
no_records(struct index *ix, const char *id, struct err *err)
{
	struct index_forgotten f;
	auto_buf who = BUF_INIT;
	int rc = index_forgotten(ix, id, &f, err);

	if (rc == -ENOENT) {
		return err_set(err, -ENOENT, "%s: no such call is recorded", id);
	}
	if (rc != 0) {
		return rc;
	}
	if (!f.is_logged) {
		return err_set(err, -ENODATA,
			       "%s was forgotten, and no gc entry says by whom: the journal was "
			       "changed by hand",
			       id);
	}
	index_put_remover(&who, &f);
	return err_set(err, -ENODATA,
		       "%s was forgotten %s: its records and objects are gone, its entries in the "
		       "log stay",
		       id, buf_text(&who));
}

int
index_records(struct index *ix, const char *id, struct buf *planned, struct buf *outcome,
	      struct err *err)
{
	auto_stmt st = NULL;
	int rc = index_prepare(ix,
			       "SELECT type = 'call.planned', record FROM entry WHERE call = ?1"
			       " AND type IN ('call.planned', 'call.outcome')"
			       " AND record IS NOT NULL",
			       &st, err);
	int step;
	bool found = false;

	if (rc != 0) {
		return rc;
	}
	index_bind_filter(st, 1, id);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		bool is_planned = sqlite3_column_int(st, 0) != 0;
		const void *record = sqlite3_column_blob(st, 1);

		buf_put(is_planned ? planned : outcome, record,
			(size_t)sqlite3_column_bytes(st, 1));
		found = found || is_planned;
	}
	if (step != SQLITE_DONE) {
		return index_error(ix, err, "read the records");
	}
	if (!found) {
		return no_records(ix, id, err);
	}
	if (buf_error(planned) != 0 || buf_error(outcome) != 0) {
		return err_sys(err, -ENOMEM, "read the records");
	}
	return 0;
}

int
index_settles(struct index *ix, const char *id, index_settle_fn fn, void *arg, struct err *err)
{
	static const char sql[] =
		"SELECT action, settled, reason, changes, t, uid, record FROM settle"
		" JOIN entry USING (n) WHERE settle.call = ?1 ORDER BY settle.n";
	auto_stmt st = NULL;
	int rc = index_prepare(ix, sql, &st, err), step;

	if (rc != 0) {
		return rc;
	}
	index_bind_filter(st, 1, id);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct index_settle settle = {
			.action = index_column_text(st, 0),
			.settled = index_column_text(st, 1),
			.reason = index_column_text(st, 2),
			.changes = index_column_text(st, 3),
			.t_ms = index_column_u64(st, 4),
			.uid = index_column_u64(st, 5),
			.record = sqlite3_column_blob(st, 6),
			.record_len = (size_t)sqlite3_column_bytes(st, 6),
		};

		rc = fn(arg, &settle);
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(ix, err, "read how a call was settled");
}

int
index_resolves(struct index *ix, const char *id, index_resolve_fn fn, void *arg, struct err *err)
{
	static const char sql[] =
		"SELECT answer, reason, t, uid, record FROM resolve"
		" JOIN entry USING (n) WHERE resolve.call = ?1 ORDER BY resolve.n";
	auto_stmt st = NULL;
	int rc = index_prepare(ix, sql, &st, err), step;

	if (rc != 0) {
		return rc;
	}
	index_bind_filter(st, 1, id);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct index_resolve resolve = {
			.answer = index_column_text(st, 0),
			.reason = index_column_text(st, 1),
			.t_ms = index_column_u64(st, 2),
			.uid = index_column_u64(st, 3),
			.record = sqlite3_column_blob(st, 4),
			.record_len = (size_t)sqlite3_column_bytes(st, 4),
		};

		rc = fn(arg, &resolve);
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(ix, err, "read how a call was resolved");
}

int
index_damaged_count(struct index *ix, uint64_t *ret_count, struct err *err)
{
	return index_number(ix, "SELECT count(*) FROM damaged", NULL, "count damaged entries",
			    ret_count, err);
}

int
index_number(struct index *ix, const char *sql, const char *of, const char *step, uint64_t *ret,
	     struct err *err)
{
	auto_stmt st = NULL;
	int rc = index_prepare(ix, sql, &st, err);

	if (rc != 0) {
		return rc;
	}
	if ((of != NULL && sqlite3_bind_text(st, 1, of, -1, SQLITE_STATIC) != SQLITE_OK) ||
	    sqlite3_step(st) != SQLITE_ROW) {
		return index_error(ix, err, step);
	}
	*ret = index_column_u64(st, 0);
	return 0;
}
