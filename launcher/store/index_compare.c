/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as the caller. Trusts neither the journal nor index.db: the one is read as
 * airlock-log reads it, the other only through SQL that is written here.
 */
#include "index_compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "index_internal.h"

int
index_open_fresh(struct store *s, struct index **ret, struct err *err)
{
	auto_index ix = NULL;
	uint64_t entries;
	int rc = index_open_temporary(&ix, err);

	if (rc == 0) {
		rc = index_ingest(ix, s, &entries, err);
	}
	if (rc == 0) {
		*ret = take_ptr(ix);
	}
	return rc;
}

int
index_rows(struct index *ix, index_row_fn fn, void *arg, struct err *err)
{
	auto_stmt st = NULL;
	int step, rc = index_prepare(ix,
				     "SELECT n, type, call, digest, file, offset, record,"
				     " workflow FROM entry"
				     " LEFT JOIN forgotten USING (call) ORDER BY n",
				     &st, err);

	if (rc != 0) {
		return rc;
	}
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct index_row row = {
			.pos = index_column_pos(st, 4),
			.record = sqlite3_column_blob(st, 6),
			.record_len = (size_t)sqlite3_column_bytes(st, 6),
			.forgotten = index_column_text(st, 7),
		};

		rc = index_column_leaf(st, &row.leaf, err);
		if (rc == 0) {
			rc = fn(arg, &row);
		}
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(ix, err, "read the entries");
}

int
index_damaged(struct index *ix, index_damaged_fn fn, void *arg, struct err *err)
{
	auto_stmt st = NULL;
	int step, rc = index_prepare(ix, "SELECT file, offset, why FROM damaged", &st, err);

	if (rc != 0) {
		return rc;
	}
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		rc = fn(arg, index_column_pos(st, 0), index_column_text(st, 2));
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(ix, err, "read what is damaged");
}

/* ---- comparing ----------------------------------------------------------------------------- */

struct comparison {
	struct index *ix; /* borrowed, as the rest */
	index_differs_fn fn;
	void *arg;
	struct err *err;
};

/* Rows of one side that the other has not. A and B are "main" (fresh) and "disk". */
static int
compare_side(const struct comparison *c, const char *columns, const char *table, const char *a,
	     const char *b, const char *what)
{
	auto_stmt st = NULL;
	char sql[256];
	int step, rc;

	snprintf(sql, sizeof(sql), "SELECT %s FROM %s.\"%s\" EXCEPT SELECT %s FROM %s.\"%s\"",
		 columns, a, table, columns, b, table);
	rc = index_prepare(c->ix, sql, &st, c->err);
	if (rc != 0) {
		return rc;
	}
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		const unsigned char *first = sqlite3_column_text(st, 0);
		const unsigned char *second = sqlite3_column_text(st, 1);
		char row[160];

		snprintf(row, sizeof(row), "%.70s %.70s", first != NULL ? (const char *)first : "-",
			 second != NULL ? (const char *)second : "-");
		rc = c->fn(c->arg, table, row, what);
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(c->ix, c->err, "compare the index");
}

static int
compare_table(const struct comparison *c, const char *table)
{
	int rc = compare_side(c, "*", table, "main", "disk",
			      "is in the journal and not in index.db");

	return rc == 0 ? compare_side(c, "*", table, "disk", "main",
				      "is in index.db and not in the journal")
		       : rc;
}

/* Every table of the schema. */
static int
compare_tables(const struct comparison *c)
{
	auto_stmt st = NULL;
	int step, rc = index_prepare(c->ix,
				     "SELECT name FROM main.sqlite_master WHERE type = 'table'"
				     " AND name NOT LIKE 'sqlite_%' AND name <> 'position'"
				     " ORDER BY name",
				     &st, c->err);

	if (rc != 0) {
		return rc;
	}
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		rc = compare_table(c, (const char *)sqlite3_column_text(st, 0));
		if (rc != 0) {
			return rc;
		}
	}
	return step == SQLITE_DONE ? 0 : index_error(c->ix, c->err, "compare the index");
}

static int
is_whole(struct index *ix, struct err *err)
{
	auto_stmt st = NULL;
	int rc = index_prepare(ix, "PRAGMA disk.integrity_check(1)", &st, err);
	const char *text;

	if (rc != 0) {
		return rc;
	}
	if (sqlite3_step(st) != SQLITE_ROW) {
		return index_error(ix, err, "check its integrity");
	}
	text = (const char *)sqlite3_column_text(st, 0);
	return strcmp(text, "ok") == 0
		     ? 0
		     : err_set(err, -EBADMSG, "index.db is damaged: %.200s", text);
}

/* Tables, indices and version are those of this airlock; *ret is false for another version. */
static int
compare_schema(const struct comparison *c, bool *ret_same_version)
{
	static const char columns[] = "type, name, tbl_name, sql";
	uint64_t version = 0;
	int rc = index_number(c->ix, "PRAGMA disk.user_version", NULL, "read the schema version",
			      &version, c->err);

	*ret_same_version = rc == 0 && version == index_schema_version;
	if (!*ret_same_version) {
		return rc;
	}
	rc = compare_side(c, columns, "sqlite_master", "main", "disk", "is missing");
	/* a trigger of somebody's would change what is taken in from now on */
	return rc == 0 ? compare_side(c, columns, "sqlite_master", "disk", "main",
				      "is no part of an index")
		       : rc;
}

static int
compare_attached(const struct comparison *c, bool *ret_is_behind)
{
	struct journal_pos here = { 0, 0 }, there = { 0, 0 };
	bool same_version = false;
	int rc = is_whole(c->ix, c->err);

	if (rc == 0) {
		rc = compare_schema(c, &same_version);
	}
	if (rc == 0 && same_version) {
		rc = index_position_in(c->ix, "main.position", &here, c->err);
	}
	if (rc == 0 && same_version) {
		rc = index_position_in(c->ix, "disk.position", &there, c->err);
	}
	if (rc != 0) {
		return rc;
	}
	*ret_is_behind = !same_version || journal_pos_order(here, there) != 0;
	return *ret_is_behind ? 0 : compare_tables(c);
}

int
index_compare(struct index *fresh, const struct store *s, index_differs_fn fn, void *arg,
	      bool *ret_is_behind, struct err *err)
{
	const struct comparison c = { .ix = fresh, .fn = fn, .arg = arg, .err = err };
	struct stat st;
	int rc;

	/* SQLite would wait at a FIFO */
	if (fstatat(s->dir_fd, "index.db", &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode)) {
		return err_set(err, -EBADMSG, "it is no regular file");
	}
	rc = index_attach(fresh, s, err);
	if (rc != 0) {
		return rc;
	}
	rc = compare_attached(&c, ret_is_behind);
	ignore_err(index_exec(fresh, "DETACH disk", "let go of index.db", NULL),
		   "closing detaches as well");
	return rc;
}
