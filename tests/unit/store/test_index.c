/* SPDX-License-Identifier: Apache-2.0 */
/* index.c and index_schema.c: opening, taking in, rebuilding, catching up. Run by `make unit`. */
#include "index_fixture.h"

#include <errno.h>
#include <sys/file.h>

TestSuite(index, .init = state_make, .fini = state_remove);

static const char *const tables[] = { "position", "entry",   "call",  "denial",	   "change",
				      "settle",	  "resolve", "event", "forgotten", "damaged" };

/* Every row of every table, blobs in hex. */
static void
dump(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		auto_buf columns = BUF_INIT, sql = BUF_INIT;

		buf_printf(&sql,
			   "SELECT group_concat('quote(' || name || ')', ', ') FROM "
			   "pragma_table_info('%s')",
			   tables[i]);
		ask(buf_text(&sql), &columns);
		columns.data[columns.len - 1] = '\0';
		buf_reset(&sql);
		buf_printf(&sql, "SELECT %s FROM %s ORDER BY 1, 2", buf_text(&columns), tables[i]);
		buf_printf(out, "-- %s\n", tables[i]);
		ask(buf_text(&sql), out);
	}
}

Test(index, takes_in_calls_and_what_they_did)
{
	auto_store s = open_store();

	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "ok");
	append_planned(&s, CALL_B, "strict");
	cr_expect_eq(ingest(&s), 3);
	expect_answer("SELECT n, id, profile, verdict, settled, exit, t1, created FROM call",
		      "0|" CALL_A "|python|ok|committed|0|1750000001200|1\n"
		      "2|" CALL_B "|strict|unknown|NULL|NULL|NULL|NULL\n");
	expect_answer("SELECT call, n, kind, what, rule, hint, count FROM denial",
		      CALL_A "|0|syscall|ptrace|@default|h|2\n");
	expect_answer("SELECT call, n, path, kind, size_after, after FROM change",
		      CALL_A "|0|a\\040b|create|5|ab\n");
	expect_answer("SELECT count(*) FROM damaged", "0\n");
	expect_answer("PRAGMA user_version", "5\n");
	expect_answer("PRAGMA journal_mode", "wal\n");
}

Test(index, keeps_the_records_bytes_and_the_salt)
{
	auto_store s = open_store();
	auto_buf entry = BUF_INIT, expected = BUF_INIT;
	const char *record;

	put_planned(&entry, CALL_A, "python", "[\"true\"]", "{\"b\":[1.50,\"\\u00e9\"]}");
	append(&s, buf_text(&entry));
	cr_assert_eq(ingest(&s), 1);
	record = strstr(buf_text(&entry), "\"record\":") + strlen("\"record\":");
	buf_put(&expected, record, (size_t)(strstr(record, ",\"salt\"") - record));
	buf_putc(&expected, '\n');
	expect_answer("SELECT record FROM entry", buf_text(&expected));
	expect_answer("SELECT lower(hex(salt)) FROM entry", SALT "\n");
}

Test(index, goes_on_where_it_stopped)
{
	auto_store s = open_store();

	cr_expect_eq(ingest(&s), 0);
	append_planned(&s, CALL_A, "python");
	cr_expect_eq(ingest(&s), 1);
	cr_expect_eq(ingest(&s), 0);
	append_outcome(&s, CALL_A, "failed");
	cr_expect_eq(ingest(&s), 1);
	expect_answer("SELECT verdict FROM call", "failed\n");
}

Test(index, rebuild_gives_the_same_rows)
{
	auto_store s = open_store();
	auto_buf first = BUF_INIT, second = BUF_INIT;
	struct err err = ERR_INIT;
	uint64_t entries = 0;

	for (unsigned int i = 0; i < 1200; i++) { /* more than two batches */
		char call[UUID_TEXT_SIZE];

		snprintf(call, sizeof(call), "0198c2a4-7f3e-7abc-8def-%012x", i);
		append_planned(&s, call, i % 2 == 0 ? "python" : "strict");
		if (i % 3 != 0) {
			append_outcome(&s, call, "ok");
			append_settle(&s, call, "undo", "undone", "null");
		}
		if (i % 100 == 0) {
			append(&s, "{\"neither\":\"nor\"}");
			ingest(&s);
		}
	}
	ingest(&s);
	dump(&first);
	{
		auto_index ix = NULL;

		cr_assert_eq(index_rebuild(&s, false, &ix, &err), 0, "%s", err.text);
		cr_assert_eq(index_ingest(ix, &s, &entries, &err), 0, "%s", err.text);
	}
	dump(&second);
	cr_expect_eq(entries, 1200 + 800 + 800 + 12);
	cr_expect_eq(first.len, second.len);
	cr_expect_eq(strcmp(buf_text(&first), buf_text(&second)), 0);
	cr_expect_gt(first.len, (size_t)1000000);
}

Test(index, is_made_again_when_it_is_no_database_or_of_another_version)
{
	static const char *const spoil[] = { "no database at all, but long enough to be looked at",
					     NULL };
	auto_store s = open_store();

	append_planned(&s, CALL_A, "python");
	cr_expect_eq(ingest(&s), 1);
	for (size_t i = 0; i < ARRAY_LEN(spoil); i++) {
		char path[96];

		snprintf(path, sizeof(path), "%s/index.db", state_dir);
		if (spoil[i] != NULL) {
			FILE *f = fopen(path, "w");

			cr_assert_not_null(f);
			fputs(spoil[i], f);
			fclose(f);
		} else {
			sqlite3 *db = NULL;

			cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
			cr_assert_eq(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL),
				     SQLITE_OK);
			sqlite3_close(db);
		}
		cr_expect_eq(ingest(&s), 1);
		expect_answer("SELECT id FROM call", CALL_A "\n");
	}
}

Test(index, is_made_again_when_it_is_ahead_of_the_journal)
{
	auto_store s = open_store();
	char path[96];

	append_planned(&s, CALL_A, "python");
	append_planned(&s, CALL_B, "python");
	cr_expect_eq(ingest(&s), 2);
	snprintf(path, sizeof(path), "%s/journal/0001.log", state_dir);
	cr_assert_eq(truncate(path, 0), 0);
	append_planned(&s, CALL_C, "python");
	cr_expect_eq(ingest(&s), 1);
	expect_answer("SELECT id FROM call", CALL_C "\n");
}

Test(index, one_writer_at_a_time)
{
	auto_store s = open_store();
	auto_index first = NULL;
	auto_index second = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(index_open_write(&s, false, &first, &err), 0, "%s", err.text);
	cr_expect_eq(index_open_write(&s, false, &second, &err), -EWOULDBLOCK);
	cr_expect_eq(index_rebuild(&s, false, &second, &err), -EWOULDBLOCK);
	cr_expect_null(second);
	index_close(first);
	first = NULL;
	cr_expect_eq(index_open_write(&s, false, &second, &err), 0, "%s", err.text);
}

Test(index, catches_up_by_itself_or_by_the_holder_of_the_lock)
{
	auto_store s = open_store();
	auto_index writer = NULL;
	struct err err = ERR_INIT;
	uint64_t entries = 0;

	append_planned(&s, CALL_A, "python");
	cr_expect_eq(index_catch_up(&s, &err), 0, "%s", err.text);
	expect_answer("SELECT id FROM call", CALL_A "\n");
	/* somebody else holds the lock, and has taken everything in already */
	append_outcome(&s, CALL_A, "ok");
	cr_assert_eq(index_open_write(&s, false, &writer, &err), 0, "%s", err.text);
	cr_assert_eq(index_ingest(writer, &s, &entries, &err), 0, "%s", err.text);
	cr_expect_eq(entries, 1);
	cr_expect_eq(index_catch_up(&s, &err), 0, "%s", err.text);
}

Test(index, a_read_connection_stays_on_its_snapshot_and_cannot_write)
{
	auto_store s = open_store();
	auto_index reader = NULL;
	struct err err = ERR_INIT;
	struct buf planned = BUF_INIT, outcome = BUF_INIT;

	cr_expect_eq(index_open_read(&s, &reader, &err), -ENOENT);
	append_planned(&s, CALL_A, "python");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &reader, &err), 0, "%s", err.text);
	append_outcome(&s, CALL_A, "ok");
	ingest(&s);
	cr_expect_eq(index_records(reader, CALL_A, &planned, &outcome, &err), 0, "%s", err.text);
	cr_expect_gt(planned.len, (size_t)0);
	cr_expect_eq(outcome.len, (size_t)0);
	buf_finish(&planned);
	buf_finish(&outcome);
}

Test(index, files_are_the_callers_alone)
{
	static const char *const names[] = { "index.db", "index.lock" };
	auto_store s = open_store();
	struct stat st;

	append_planned(&s, CALL_A, "python");
	ingest(&s);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cr_assert_eq(fstatat(s.dir_fd, names[i], &st, 0), 0);
		cr_expect_eq(st.st_mode & 07777, 0600, "%s", names[i]);
	}
}
