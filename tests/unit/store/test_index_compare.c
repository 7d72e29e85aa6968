/* SPDX-License-Identifier: Apache-2.0 */
/* index_compare.c: the journal once more, and what index.db has otherwise. Run by `make unit`. */
#include "index_fixture.h"

#include <errno.h>

#include "../../../launcher/base/text.h"
#include "../../../launcher/store/index_compare.h"
#include "../told.h"

static int
tell(void *arg, const char *table, const char *row, const char *what)
{
	struct told *told = arg;

	buf_printf(&told->lines, "%s: %s: %s\n", table, row, what);
	return told->stop;
}

static int
compare(struct store *s, struct told *told, bool *ret_is_behind)
{
	auto_index fresh = NULL;
	struct err err = ERR_INIT;
	int rc = index_open_fresh(s, &fresh, &err);

	cr_assert_eq(rc, 0, "%s", err.text);
	return index_compare(fresh, s, tell, told, ret_is_behind, &err);
}

static struct store
make_index(void)
{
	struct store s = open_store();

	append_planned(&s, CALL_A, "base");
	append_outcome(&s, CALL_A, "ok");
	append_event(&s, "gc", EVENT_GC);
	append(&s, "{\"not\":\"an entry\"}");
	cr_assert_eq(ingest(&s), 4);
	return s;
}

static void
change(const char *sql)
{
	char path[96];
	sqlite3 *db = NULL;

	snprintf(path, sizeof(path), "%s/index.db", state_dir);
	cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s: %s", sql,
		     sqlite3_errmsg(db));
	sqlite3_close(db);
}

TestSuite(index_compare, .init = state_make, .fini = state_remove);

Test(index_compare, the_same_journal_gives_the_same_rows)
{
	auto_store s = make_index();
	auto_told told = { .stop = 0 };
	bool is_behind = true;

	cr_expect_eq(compare(&s, &told, &is_behind), 0);
	cr_expect_str_eq(buf_text(&told.lines), "");
	cr_expect_not(is_behind, "all of it was taken in");
}

Test(index_compare, each_change_is_named)
{
	static const struct {
		const char *sql, *lines;
	} rows[] = {
		{ "UPDATE call SET verdict = 'failed'",
		  "call: 0 " CALL_A ": is in the journal and not in index.db\n"
		  "call: 0 " CALL_A ": is in index.db and not in the journal\n" },
		{ "DELETE FROM entry WHERE n = 1",
		  "entry: 1 1: is in the journal and not in index.db\n" },
		{ "DELETE FROM damaged", "damaged: 1 2252: is in the journal and not in "
					 "index.db\n" },
		{ "INSERT INTO forgotten VALUES ('x', 'y')",
		  "forgotten: x y: is in index.db and not in the journal\n" },
		{ "UPDATE event SET reason = NULL",
		  "event: 2 gc: is in the journal and not in index.db\n"
		  "event: 2 gc: is in index.db and not in the journal\n" },
		{ "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM denial; END",
		  "sqlite_master: trigger t: is no part of an index\n" },
		{ "CREATE TABLE more(x)", "sqlite_master: table more: is no part of an index\n" },
		{ "CREATE VIEW v AS SELECT 1", "sqlite_master: view v: is no part of an index\n" },
		{ "DROP INDEX call_key", "sqlite_master: index call_key: is missing\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_store s = make_index();
		auto_told told = { .stop = 0 };
		bool is_behind = true;

		change(rows[i].sql);
		cr_expect_eq(compare(&s, &told, &is_behind), 0, "row %zu", i);
		cr_expect_not(is_behind, "row %zu", i);
		cr_expect_str_eq(buf_text(&told.lines), rows[i].lines, "row %zu: %s", i,
				 buf_text(&told.lines));
		state_remove();
		state_make();
	}
}

Test(index_compare, an_index_that_is_behind_is_not_compared)
{
	auto_store s = make_index();
	auto_told told = { .stop = 0 };
	bool is_behind = false;

	append_planned(&s, CALL_B, "base");
	change("UPDATE call SET verdict = 'failed'");
	cr_expect_eq(compare(&s, &told, &is_behind), 0);
	cr_expect(is_behind, "there is more in the journal");
	cr_expect_str_eq(buf_text(&told.lines), "");
}

Test(index_compare, another_version_is_behind)
{
	auto_store s = make_index();
	auto_told told = { .stop = 0 };
	bool is_behind = false;

	change("PRAGMA user_version = 2");
	cr_expect_eq(compare(&s, &told, &is_behind), 0);
	cr_expect(is_behind, "it is made again when it is opened");
}

Test(index_compare, no_index_and_no_database)
{
	auto_store s = make_index();
	auto_told told = { .stop = 0 };
	bool is_behind = false;
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/index.db", state_dir);
	cr_assert_eq(unlink(path), 0);
	cr_expect_eq(compare(&s, &told, &is_behind), -ENOENT);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	cr_assert_eq(fputs("no database, but long enough to be taken for one", f) < 0, 0);
	fclose(f);
	cr_expect_eq(compare(&s, &told, &is_behind), -EBADMSG);
}

Test(index_compare, what_fn_says_ends_it)
{
	auto_store s = make_index();
	auto_told told = { .stop = 42 };
	bool is_behind;

	change("DELETE FROM change");
	cr_expect_eq(compare(&s, &told, &is_behind), 42);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int
take_row(void *arg, const struct index_row *row)
{
	struct told *told = arg;

	buf_printf(&told->lines, "%llu %s %s %u %s %s\n", (unsigned long long)row->leaf.n,
		   entry_type_word(row->leaf.type), row->leaf.call, row->pos.file,
		   row->record == NULL ? "gone" : "there", row->forgotten);
	cr_expect_eq(row->record == NULL, row->record_len == 0);
	return told->stop;
}

static int
take_damaged(void *arg, struct journal_pos pos, const char *why)
{
	struct told *told = arg;

	buf_printf(&told->lines, "%u %s\n", pos.file, why);
	return told->stop;
}

Test(index_compare, rows_in_order_with_what_is_left_of_forgotten_ones)
{
	auto_store s = open_store();
	auto_told told = { .stop = 0 };
	auto_index fresh = NULL;
	auto_buf planned = BUF_INIT;
	struct err err = ERR_INIT;

	put_planned(&planned, CALL_A, "base", "[\"true\"]", "null");
	append_forgotten(&s, buf_text(&planned));
	append(&s, "{}");
	append_planned(&s, CALL_B, "base");
	append_event(&s, "gc", EVENT_GC);
	cr_assert_eq(index_open_fresh(&s, &fresh, &err), 0, "%s", err.text);
	cr_expect_eq(index_rows(fresh, take_row, &told, &err), 0, "%s", err.text);
	cr_expect_str_eq(buf_text(&told.lines), "0 call.planned " CALL_A " 1 gone " WORKFLOW "\n"
						"1 call.planned " CALL_B " 1 there \n"
						"2 gc " ENTRY_NO_CALL " 1 there \n");
	buf_reset(&told.lines);
	cr_expect_eq(index_damaged(fresh, take_damaged, &told, &err), 0, "%s", err.text);
	cr_expect_str_eq(buf_text(&told.lines), "1 not a journal entry\n");
	told.stop = 7;
	cr_expect_eq(index_rows(fresh, take_row, &told, &err), 7);
	cr_expect_eq(index_damaged(fresh, take_damaged, &told, &err), 7);
}

Test(index_compare, the_fresh_one_leaves_nothing_behind)
{
	auto_store s = open_store();
	auto_index fresh = NULL;
	struct err err = ERR_INIT;

	append_planned(&s, CALL_A, "base");
	cr_assert_eq(index_open_fresh(&s, &fresh, &err), 0, "%s", err.text);
	cr_expect_eq(faccessat(s.dir_fd, "index.db", F_OK, 0), -1);
	cr_expect_eq(faccessat(s.dir_fd, "index.lock", F_OK, 0), -1);
}
