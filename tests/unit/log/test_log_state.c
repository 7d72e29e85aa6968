/* SPDX-License-Identifier: Apache-2.0 */
/* log_state.c: what was signed last. Run by `make unit`. */
#include "log_world.h"

struct keys {
	struct note_signer a, b;
};

static struct keys
make_keys(void)
{
	struct keys k;

	make_signer(ORIGIN, &k.a);
	make_signer(ORIGIN, &k.b);
	return k;
}

static void
open_state(const struct world *w, struct log_state **ret)
{
	struct err err = ERR_INIT;

	cr_assert_eq(log_state_open(&w->store, true, ret, &err), 0, "%s", err.text);
}

static struct log_latest
latest_of(const struct note_key *key, uint64_t size, uint8_t root, const char *note)
{
	struct log_latest l = LOG_LATEST_INIT;

	l.key = *key;
	l.size = size;
	memset(l.root, root, sizeof(l.root));
	buf_puts(&l.note, note);
	return l;
}

Test(log_state, there_is_none_until_somebody_writes)
{
	auto_world w = world_make();
	auto_log_state st = NULL;
	auto_log_latest latest = LOG_LATEST_INIT;
	struct err err = ERR_INIT;

	cr_expect_eq(log_state_open(&w.store, false, &st, &err), -ENOENT);
	cr_expect_not(is_there(&w, LOG_STATE_FILE), "who only reads makes nothing");
	open_state(&w, &st);
	cr_expect_eq(log_state_latest(st, &latest, &err), -ENODATA);
}

Test(log_state, begins_once)
{
	static const char empty[] =
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	auto_world w = world_make();
	auto_log_state st = NULL;
	auto_log_latest latest = LOG_LATEST_INIT;
	const struct keys k = make_keys();
	struct err err = ERR_INIT;
	char root[HEX_DIGEST_SIZE];
	struct stat meta;

	open_state(&w, &st);
	cr_expect_eq(log_state_begin(st, &k.a.key, &err), 0, "%s", err.text);
	cr_expect_eq(log_state_begin(st, &k.b.key, &err), -EEXIST);
	cr_expect_eq(log_state_latest(st, &latest, &err), 0, "%s", err.text);
	cr_expect(note_key_equal(&latest.key, &k.a.key), "the first one's");
	cr_expect_eq(latest.size, 0);
	cr_expect_eq(latest.note.len, 0);
	text_hex(latest.root, SHA256_SIZE, root);
	cr_expect_str_eq(root, empty);
	cr_expect_eq(fstatat(w.store.dir_fd, LOG_STATE_FILE, &meta, 0), 0);
	cr_expect_eq(meta.st_mode & 07777, 0600);
}

Test(log_state, a_checkpoint_takes_the_place_of_the_one_that_its_writer_saw)
{
	auto_world w = world_make();
	auto_log_state st = NULL;
	auto_log_state again = NULL;
	auto_log_latest first = LOG_LATEST_INIT, seen = LOG_LATEST_INIT;
	const struct keys k = make_keys();
	auto_log_latest next = latest_of(&k.a.key, 7, 1, "note over seven\n");
	struct err err = ERR_INIT;

	open_state(&w, &st);
	cr_assert_eq(log_state_begin(st, &k.a.key, &err), 0);
	cr_assert_eq(log_state_latest(st, &first, &err), 0);
	cr_expect_eq(log_state_swap(st, &first, &next, &err), 0, "%s", err.text);
	/* another connection sees it */
	open_state(&w, &again);
	cr_expect_eq(log_state_latest(again, &seen, &err), 0, "%s", err.text);
	cr_expect_eq(seen.size, 7);
	cr_expect_arr_eq(seen.root, next.root, SHA256_SIZE);
	cr_expect_str_eq(buf_text(&seen.note), "note over seven\n");
	/* who still holds the first does not get through */
	cr_expect_eq(log_state_swap(again, &first, &next, &err), -ESTALE);
	cr_expect_not_null(strstr(err.text, "somebody else signs this log"), "%s", err.text);
}

Test(log_state, swap_compares_key_and_size_and_root)
{
	auto_world w = world_make();
	auto_log_state st = NULL;
	auto_log_latest first = LOG_LATEST_INIT, seen = LOG_LATEST_INIT;
	const struct keys k = make_keys();
	auto_log_latest there = latest_of(&k.a.key, 7, 1, "n\n");
	struct log_latest other[3] = { there, there, there }; /* share the note */
	auto_log_latest next = latest_of(&k.b.key, 9, 3, "m\n");
	struct err err = ERR_INIT;

	other[0].key = k.b.key;
	other[1].size = 6;
	other[2].root[31] = 0;
	open_state(&w, &st);
	cr_assert_eq(log_state_begin(st, &k.a.key, &err), 0);
	cr_assert_eq(log_state_latest(st, &first, &err), 0);
	cr_assert_eq(log_state_swap(st, &first, &there, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		cr_expect_eq(log_state_swap(st, &other[i], &next, &err), -ESTALE, "row %zu", i);
		cr_expect_eq(log_state_latest(st, &seen, &err), 0);
		cr_expect_eq(seen.size, 7, "row %zu", i);
	}
	cr_expect_eq(log_state_swap(st, &there, &next, &err), 0, "%s", err.text);
	cr_expect_eq(log_state_latest(st, &seen, &err), 0);
	cr_expect(note_key_equal(&seen.key, &k.b.key), "of another key");
}

Test(log_state, without_a_row_nothing_is_swapped)
{
	auto_world w = world_make();
	auto_log_state st = NULL;
	const struct keys k = make_keys();
	auto_log_latest old = latest_of(&k.a.key, 0, 0, ""), next = latest_of(&k.a.key, 1, 1, "n");
	struct err err = ERR_INIT;

	open_state(&w, &st);
	cr_expect_eq(log_state_swap(st, &old, &next, &err), -ESTALE);
	cr_expect_eq(log_state_latest(st, &next, &err), -ENODATA);
}

Test(log_state, who_reads_only_cannot_write)
{
	auto_world w = world_make();
	auto_log_state st = NULL;
	auto_log_state reader = NULL;
	auto_log_latest first = LOG_LATEST_INIT;
	const struct keys k = make_keys();
	auto_log_latest next = latest_of(&k.a.key, 7, 1, "n\n");
	struct err err = ERR_INIT;

	open_state(&w, &st);
	cr_assert_eq(log_state_begin(st, &k.a.key, &err), 0);
	cr_assert_eq(log_state_open(&w.store, false, &reader, &err), 0);
	cr_assert_eq(log_state_latest(reader, &first, &err), 0);
	cr_expect_eq(log_state_swap(reader, &first, &next, &err), -EROFS);
	cr_expect_eq(log_state_latest(st, &first, &err), 0);
	cr_expect_eq(first.size, 0);
}

Test(log_state, a_trigger_that_somebody_put_there_does_not_run)
{
	auto_world w = world_make();
	auto_log_state st = NULL;
	auto_log_state again = NULL;
	auto_log_latest first = LOG_LATEST_INIT, seen = LOG_LATEST_INIT;
	const struct keys k = make_keys();
	auto_log_latest next = latest_of(&k.a.key, 7, 1, "n\n");
	struct err err = ERR_INIT;

	open_state(&w, &st);
	cr_assert_eq(log_state_begin(st, &k.a.key, &err), 0);
	log_state_close(&st);
	sql_exec(LOG_STATE_FILE, "CREATE TRIGGER back AFTER UPDATE ON latest"
				 " BEGIN UPDATE latest SET size = 0; END");
	open_state(&w, &again);
	cr_assert_eq(log_state_latest(again, &first, &err), 0, "%s", err.text);
	cr_expect_eq(log_state_swap(again, &first, &next, &err), 0, "%s", err.text);
	cr_expect_eq(log_state_latest(again, &seen, &err), 0);
	cr_expect_eq(seen.size, 7);
}

Test(log_state, what_is_no_state_is_refused)
{
	static const struct {
		const char *sql, *text;
	} rows[] = {
		{ "PRAGMA user_version = 2", "schema version 2, not 1" },
		{ "UPDATE latest SET root = x'00'", "a root that is no digest" },
		{ "UPDATE latest SET vkey = 'x'", "" },
		{ "DROP TABLE latest", "no such table" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_world w = world_make();
		auto_log_state st = NULL;
		auto_log_state again = NULL;
		auto_log_latest latest = LOG_LATEST_INIT;
		const struct keys k = make_keys();
		struct err err = ERR_INIT;
		int rc;

		open_state(&w, &st);
		cr_assert_eq(log_state_begin(st, &k.a.key, &err), 0);
		log_state_close(&st);
		sql_exec(LOG_STATE_FILE, rows[i].sql);
		rc = log_state_open(&w.store, true, &again, &err);
		rc = rc == 0 ? log_state_latest(again, &latest, &err) : rc;
		cr_expect_eq(rc, -EBADMSG, "row %zu: %d", i, rc);
		cr_expect_not_null(strstr(err.text, rows[i].text), "row %zu: %s", i, err.text);
	}
}

Test(log_state, bytes_that_are_no_database_and_a_link_are_refused)
{
	auto_world w = world_make();
	auto_log_state st = NULL;
	struct err err = ERR_INIT;

	put_file(&w, LOG_STATE_FILE, "no database, but long enough to be taken for one", 48);
	cr_expect_eq(log_state_open(&w.store, true, &st, &err), -EBADMSG);
	cr_assert_eq(unlinkat(w.store.dir_fd, LOG_STATE_FILE, 0), 0);
	cr_assert_eq(symlinkat("elsewhere", w.store.dir_fd, LOG_STATE_FILE), 0);
	cr_expect_eq(log_state_open(&w.store, true, &st, &err), -ELOOP);
}

Test(log_state, the_newest_cosignature_of_each_witness_counts)
{
	auto_world w = world_make();
	auto_log_state st = NULL;
	auto_buf lines = BUF_INIT, none = BUF_INIT;
	struct err err = ERR_INIT;
	uint64_t size = 9, time = 9;

	open_state(&w, &st);
	cr_expect_eq(log_state_cosigned(st, "w1", &size, &time, &err), 0);
	cr_expect_eq(size, 0);
	cr_expect_eq(time, 0);
	cr_expect_eq(log_state_put_cosignature(st, 5, "w2", 100, "two of five\n", &err), 0);
	cr_expect_eq(log_state_put_cosignature(st, 5, "w1", 101, "one of five\n", &err), 0);
	cr_expect_eq(log_state_put_cosignature(st, 5, "w1", 102, "one of five, later\n", &err), 0);
	cr_expect_eq(log_state_put_cosignature(st, 8, "w1", 110, "one of eight\n", &err), 0);
	cr_expect_eq(log_state_cosignatures(st, 5, &lines, &err), 0, "%s", err.text);
	cr_expect_str_eq(buf_text(&lines), "one of five, later\ntwo of five\n");
	cr_expect_eq(log_state_cosignatures(st, 6, &none, &err), 0);
	cr_expect_eq(none.len, 0);
	cr_expect_eq(log_state_cosigned(st, "w1", &size, &time, &err), 0);
	cr_expect_eq(size, 8);
	cr_expect_eq(time, 110);
	cr_expect_eq(log_state_cosigned(st, "w2", &size, &time, &err), 0);
	cr_expect_eq(size, 5);
	cr_expect_eq(time, 100);
}
