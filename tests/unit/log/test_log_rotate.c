/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_rotate.c: another key for the same log, and where a crash can cut that. Run by `make unit`.
 */
#include "log_world.h"

#include "../../../launcher/base/json.h"
#include "../../../launcher/log/log_rotate.h"

static void
load(const struct world *w, struct note_signer *ret)
{
	struct err err = ERR_INIT;

	cr_assert_eq(log_key_load(&w->store, NULL, ret, NULL, &err), 0, "%s", err.text);
}

static void
put_next(const struct world *w, const char *name, const struct note_signer *signer)
{
	struct err err = ERR_INIT;

	cr_assert_eq(log_key_write(&w->store, name, signer, &err), 0, "%s", err.text);
}

/* A log over one call; *ret_key: who signs it. */
static struct world
make_log(struct note_signer *ret_key)
{
	struct world w = world_make();

	make_key(&w);
	append_call(&w, 1);
	cr_assert_eq(extend(&w), 3, "the call and log.open");
	load(&w, ret_key);
	return w;
}

/* Who signed what is published, and whom log.db names, is that key. */
static void
expect_signer(struct world *w, const struct note_key *key, uint64_t size)
{
	auto_log_latest latest = LOG_LATEST_INIT;
	auto_buf text = BUF_INIT;
	auto_note_signer there = { .key.algorithm = 0 };
	struct note_key vkey;
	struct note note;

	append_call(w, 77);
	cr_expect_eq(extend(w), size);
	read_latest(w, &latest);
	cr_expect(note_key_equal(&latest.key, key), "log.db");
	load(w, &there);
	cr_expect(note_key_equal(&there.key, key), "log.key");
	cr_expect_not(is_there(w, LOG_KEY_NEXT_FILE), "nothing is left of the rotation");
	text = slurp(w, LOG_CHECKPOINT_FILE);
	cr_assert_eq(note_parse(buf_text(&text), text.len, &note, NULL), 0);
	cr_expect_eq(note_check(&note, key, NULL), 0, "the checkpoint");
	buf_finish(&text);
	text = slurp(w, LOG_VKEY_FILE);
	cr_assert_eq(note_key_parse(buf_text(&text), &vkey, NULL), 0);
	cr_expect(note_key_equal(&vkey, key), "log/vkey");
}

Test(log_rotate, both_keys_sign_it_and_the_new_one_signs_from_then_on)
{
	auto_note_signer old = { .key.algorithm = 0 };
	auto_world w = make_log(&old);
	auto_buf record = BUF_INIT;
	struct note_key next, read_old, read_next;
	struct err err = ERR_INIT;

	cr_assert_eq(log_rotate(w.ix, &w.store, NULL, NULL, &next, &err), 0, "%s", err.text);
	cr_expect_str_eq(next.name, ORIGIN);
	cr_expect_not(note_key_equal(&next, &old.key), "another one");
	ask("SELECT record FROM entry WHERE type = 'key.rotate'", &record);
	cr_expect_eq(log_rotate_read(buf_text(&record), record.len, &read_old, &read_next), 0);
	cr_expect(note_key_equal(&read_old, &old.key), "old");
	cr_expect(note_key_equal(&read_next, &next), "new");
	expect_signer(&w, &next, 6);
}

Test(log_rotate, a_second_rotation_goes_on_from_the_first)
{
	auto_note_signer old = { .key.algorithm = 0 };
	auto_world w = make_log(&old);
	struct note_key second, third;
	struct err err = ERR_INIT;

	cr_assert_eq(log_rotate(w.ix, &w.store, NULL, NULL, &second, &err), 0, "%s", err.text);
	extend(&w);
	cr_assert_eq(log_rotate(w.ix, &w.store, NULL, NULL, &third, &err), 0, "%s", err.text);
	expect_signer(&w, &third, 7);
}

/* ---- crashes --------------------------------------------------------------------------------- */

Test(log_rotate, a_next_key_without_an_entry_is_undone)
{
	auto_note_signer old = { .key.algorithm = 0 }, next = old;
	auto_world w = make_log(&old);

	make_signer(ORIGIN, &next);
	put_next(&w, LOG_KEY_NEXT_FILE, &next);
	expect_signer(&w, &old.key, 5);
}

Test(log_rotate, with_its_entry_it_is_finished)
{
	auto_note_signer old = { .key.algorithm = 0 }, next = old;
	auto_world w = make_log(&old);
	struct note_key key;
	struct err err = ERR_INIT;

	copy_file(&w, LOG_STATE_FILE, "before");
	cr_assert_eq(log_rotate(w.ix, &w.store, NULL, NULL, &key, &err), 0, "%s", err.text);
	load(&w, &next);
	put_next(&w, LOG_KEY_NEXT_FILE, &next);
	put_next(&w, LOG_KEY_FILE, &old);
	copy_file(&w, "before", LOG_STATE_FILE);
	expect_signer(&w, &key, 6);
}

Test(log_rotate, once_log_db_names_the_key_its_file_takes_its_place)
{
	auto_note_signer old = { .key.algorithm = 0 }, next = old;
	auto_world w = make_log(&old);
	struct note_key key;
	struct err err = ERR_INIT;

	cr_assert_eq(log_rotate(w.ix, &w.store, NULL, NULL, &key, &err), 0, "%s", err.text);
	load(&w, &next);
	put_next(&w, LOG_KEY_NEXT_FILE, &next);
	put_next(&w, LOG_KEY_FILE, &old);
	expect_signer(&w, &key, 6);
}

Test(log_rotate, a_next_key_that_cannot_be_read_stops_the_log)
{
	auto_note_signer old = { .key.algorithm = 0 };
	auto_world w = make_log(&old);
	struct err err = ERR_INIT;
	uint64_t size;

	put_file(&w, LOG_KEY_NEXT_FILE, "no key", 6);
	append_call(&w, 2);
	world_take_in(&w);
	cr_expect_eq(log_extend(w.ix, &w.store, NULL, &size, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, LOG_KEY_NEXT_FILE), "%s", err.text);
	cr_expect(is_there(&w, LOG_KEY_NEXT_FILE), "it stays");
}

/* ---- what is no rotation of this log --------------------------------------------------------- */

/* An entry that says so, signed by these two. */
static void
append_rotation(struct world *w, const struct note_key *old, const struct note_key *next,
		const struct note_signer *first, const struct note_signer *second)
{
	auto_buf text = BUF_INIT, record = BUF_INIT, a = BUF_INIT, b = BUF_INIT, x = BUF_INIT,
		 y = BUF_INIT;
	uint8_t sig[64];

	log_key_rotation_text(old, next, &text);
	note_key_print(old, &a);
	note_key_print(next, &b);
	cr_assert_eq(note_sign_raw(first, text.data, text.len, sig, NULL), 0);
	text_base64(&x, sig, sizeof(sig));
	cr_assert_eq(note_sign_raw(second, text.data, text.len, sig, NULL), 0);
	text_base64(&y, sig, sizeof(sig));
	buf_printf(&record,
		   "{\"actor\":{\"gid\":0,\"uid\":0},\"new\":\"%s\",\"old\":\"%s\","
		   "\"origin\":\"" ORIGIN "\",\"signatures\":[\"%s\",\"%s\"],"
		   "\"t\":1750000000000,\"v\":1}",
		   buf_text(&b), buf_text(&a), buf_text(&x), buf_text(&y));
	append_event(&w->store, "key.rotate", buf_text(&record));
}

Test(log_rotate, what_the_old_key_did_not_sign_leads_nowhere)
{
	auto_note_signer old = { .key.algorithm = 0 }, evil = old;
	auto_world w = make_log(&old);

	make_signer(ORIGIN, &evil);
	append_rotation(&w, &old.key, &evil.key, &evil, &evil);
	put_next(&w, LOG_KEY_NEXT_FILE, &evil);
	expect_answer("SELECT count(*) FROM damaged", "0\n");
	expect_signer(&w, &old.key, 6);
}

Test(log_rotate, what_the_new_key_did_not_sign_leads_nowhere)
{
	auto_note_signer old = { .key.algorithm = 0 }, next = old;
	auto_world w = make_log(&old);

	make_signer(ORIGIN, &next);
	append_rotation(&w, &old.key, &next.key, &old, &old);
	expect_signer(&w, &old.key, 6);
}

Test(log_rotate, the_rotation_of_other_keys_leads_nowhere)
{
	auto_note_signer old = { .key.algorithm = 0 }, one = old, two = old;
	auto_world w = make_log(&old);

	make_signer(ORIGIN, &one);
	make_signer(ORIGIN, &two);
	append_rotation(&w, &one.key, &two.key, &one, &two);
	put_next(&w, LOG_KEY_NEXT_FILE, &two);
	expect_signer(&w, &old.key, 6);
}

Test(log_rotate, a_good_one_of_the_journal_alone_is_followed)
{
	auto_note_signer old = { .key.algorithm = 0 }, next = old;
	auto_world w = make_log(&old);

	make_signer(ORIGIN, &next);
	append_rotation(&w, &old.key, &next.key, &old, &next);
	put_next(&w, LOG_KEY_NEXT_FILE, &next);
	expect_signer(&w, &next.key, 6);
}

Test(log_rotate, what_is_no_record_of_one_is_told_apart)
{
	static const char *const records[] = {
		"",
		"{}",
		"no json",
		"{\"new\":1,\"old\":2}",
		"{\"new\":\"x\",\"old\":\"y\",\"signatures\":[]}",
	};
	struct note_key old, next;

	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		cr_expect_eq(log_rotate_read(records[i], strlen(records[i]), &old, &next), -EBADMSG,
			     "row %zu", i);
	}
}

/* ---- a key that the caller brings ------------------------------------------------------------ */

Test(log_rotate, a_key_of_another_name_or_the_same_key_is_refused)
{
	auto_note_signer old = { .key.algorithm = 0 }, other = old;
	auto_world w = make_log(&old);
	struct note_key key;
	struct err err = ERR_INIT;
	char path[96];

	snprintf(path, sizeof(path), "%s/given", state_dir);
	make_signer("another.example", &other);
	put_next(&w, "given", &other);
	cr_expect_eq(log_rotate(w.ix, &w.store, NULL, path, &key, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "a key of another name would begin another log"), "%s",
			   err.text);
	put_next(&w, "given", &old);
	cr_expect_eq(log_rotate(w.ix, &w.store, NULL, path, &key, &err), -EINVAL);
	cr_expect_str_eq(err.text, "the new key is the old one");
	expect_signer(&w, &old.key, 5);
}

Test(log_rotate, the_key_of_a_credential_is_delivered_by_the_caller)
{
	auto_note_signer old = { .key.algorithm = 0 }, next = old;
	auto_world w = world_make();
	auto_log_latest latest = LOG_LATEST_INIT;
	struct note_key key;
	struct err err = ERR_INIT;
	char dir[96], path[128];
	uint64_t size;

	snprintf(dir, sizeof(dir), "%s/credentials", state_dir);
	snprintf(path, sizeof(path), "%s/next", dir);
	cr_assert_eq(mkdir(dir, 0700), 0);
	make_signer(ORIGIN, &old);
	make_signer(ORIGIN, &next);
	put_next(&w, "credentials/" LOG_KEY_CREDENTIAL, &old);
	put_next(&w, "credentials/next", &next);
	append_call(&w, 1);
	world_take_in(&w);
	cr_assert_eq(log_extend(w.ix, &w.store, dir, &size, &err), 0, "%s", err.text);
	cr_expect_eq(log_rotate(w.ix, &w.store, dir, NULL, &key, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "--next FILE"), "%s", err.text);
	cr_assert_eq(log_rotate(w.ix, &w.store, dir, path, &key, &err), 0, "%s", err.text);
	cr_expect(note_key_equal(&key, &next.key), "the one that was given");
	cr_expect_not(is_there(&w, LOG_KEY_FILE), "no file is made");
	cr_expect_eq(log_extend(w.ix, &w.store, dir, &size, &err), -EPERM, "not delivered yet");
	put_next(&w, "credentials/" LOG_KEY_CREDENTIAL, &next);
	cr_expect_eq(log_extend(w.ix, &w.store, dir, &size, &err), 0, "%s", err.text);
	cr_expect_eq(size, 4);
	read_latest(&w, &latest);
	cr_expect(note_key_equal(&latest.key, &next.key), "log.db");
}
