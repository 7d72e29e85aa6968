/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.c and what it runs (verify_*.c): what the e2e suite cannot make by changing one file. Run
 * by `make unit`.
 */
#include "log_world.h"

#include "../../../launcher/base/crc32.h"
#include "../../../launcher/log/log_rotate.h"
#include "../../../launcher/log/verify.h"

#define CALL_1 "0198c2a4-7f3e-7abc-8def-000000000001"
#define CALL_2 "0198c2a4-7f3e-7abc-8def-000000000002"
#define CALL_3 "0198c2a4-7f3e-7abc-8def-000000000003"
#define OTHER_WORKFLOW "0198c2a4-0000-7000-8000-000000000002"
#define HAVE "wf/" WORKFLOW "/have"
#define PACK(call, number) "wf/" WORKFLOW "/pack-" call "-" number ".alp"

struct told {
	struct buf wrong, notes;
};

#define auto_told __attribute__((cleanup(told_finish))) struct told

static void
told_finish(struct told *told)
{
	buf_finish(&told->wrong);
	buf_finish(&told->notes);
}

static void
tell(void *arg, enum verify_kind kind, const char *where, const char *what)
{
	struct told *told = arg;

	buf_printf(kind == VERIFY_WRONG ? &told->wrong : &told->notes, "%s: %s\n", where, what);
}

static void
verify(struct world *w, const struct note_key *key, const struct trust *trust, struct told *told,
       struct verify_result *ret)
{
	struct err err = ERR_INIT;
	auto_buf checkpoint = BUF_INIT;

	buf_reset(&told->wrong);
	buf_reset(&told->notes);
	cr_assert_eq(verify_store(&w->store, key, trust, tell, told, ret, &err), 0, "%s", err.text);
}

/* Nothing is wrong, and the notes hold that text. */
static void
expect_good(struct world *w, const struct note_key *key, const char *note)
{
	auto_told told = { .wrong = BUF_INIT };
	struct verify_result result;

	verify(w, key, NULL, &told, &result);
	cr_expect_str_eq(buf_text(&told.wrong), "", "%s", buf_text(&told.wrong));
	cr_expect_eq(result.wrong, 0);
	cr_expect_not_null(strstr(buf_text(&told.notes), note), "wanted %s, got %s", note,
			   buf_text(&told.notes));
}

/* This is wrong, and nothing else is. */
static void
expect_wrong(struct world *w, const struct note_key *key, const char *line)
{
	auto_told told = { .wrong = BUF_INIT };
	struct verify_result result;

	verify(w, key, NULL, &told, &result);
	cr_expect_str_eq(buf_text(&told.wrong), line, "wanted %s, got %s", line,
			 buf_text(&told.wrong));
	cr_expect_eq(result.wrong, 1);
}

static void
load(const struct world *w, struct note_key *ret)
{
	auto_note_signer signer = { .key.algorithm = 0 };
	struct err err = ERR_INIT;

	cr_assert_eq(log_key_load(&w->store, NULL, &signer, NULL, &err), 0, "%s", err.text);
	*ret = signer.key;
}

/* ---- calls with objects ---------------------------------------------------------------------- */

/* Planned, one object whose text is the call's id, outcome. */
static void
append_stored(struct world *w, const char *id)
{
	static const char before[] = "\"mode\":\"apply\",\"reason\"";
	__attribute__((cleanup(pack_finish))) struct pack p = PACK_INIT;
	auto_buf outcome = BUF_INIT, entry = BUF_INIT;
	uint8_t call[16], workflow[16], name[SHA256_SIZE], digest[SHA256_SIZE];
	char hex[HEX_DIGEST_SIZE];
	struct err err = ERR_INIT;
	const char *at;

	cr_assert_eq(text_uuid_parse(id, call), 0);
	cr_assert_eq(text_uuid_parse(WORKFLOW, workflow), 0);
	append_planned(&w->store, id, "base");
	cr_assert_eq(pack_init(&p, &w->store, workflow, call, &err), 0, "%s", err.text);
	cr_assert_eq(pack_put(&p, OBJECT_BLOB, id, strlen(id), name, &err), 0, "%s", err.text);
	cr_assert_eq(pack_sync(&p, &err), 0, "%s", err.text);
	put_outcome(&outcome, id, "ok", "[]", "[]");
	at = strstr(buf_text(&outcome), before);
	cr_assert_not_null(at);
	sha256_of(name, sizeof(name), digest);
	text_hex(digest, sizeof(digest), hex);
	buf_put(&entry, outcome.data, (size_t)(at - buf_text(&outcome)));
	buf_printf(&entry,
		   "\"mode\":\"apply\",\"objects\":{\"bytes\":36,\"count\":1,"
		   "\"digest\":\"%s\"},\"reason\"%s",
		   hex, at + strlen(before));
	append(&w->store, buf_text(&entry));
	cr_assert_eq(pack_publish(&p), 0);
}

/* log.open is entry 2: calls 1 and 2 are entries 0, 1 and 3, 4. */
static struct world
make_log(struct note_key *ret_key)
{
	struct world w = world_make();

	make_key(&w);
	append_stored(&w, CALL_1);
	cr_assert_eq(extend(&w), 3);
	append_stored(&w, CALL_2);
	cr_assert_eq(extend(&w), 5);
	load(&w, ret_key);
	return w;
}

static void
append_gc(struct world *w, const char *action, const char *workflow, unsigned int entries)
{
	auto_buf b = BUF_INIT;

	buf_printf(&b,
		   "{\"action\":\"%s\",\"actor\":{\"gid\":100,\"uid\":1000},\"bytes\":9,"
		   "\"entries\":%u,\"objects\":1,\"older_than_ms\":null,\"reason\":null,"
		   "\"t\":1750000006000,\"v\":1,\"workflow\":\"%s\"}",
		   action, entries, workflow);
	append_event(&w->store, "gc", buf_text(&b));
}

static void
remove_file(struct world *w, const char *path)
{
	cr_assert_eq(unlinkat(w->store.dir_fd, path, 0), 0, "%s", path);
}

/* Of calls 1 and 2. */
static void
remove_objects(struct world *w)
{
	remove_file(w, PACK(CALL_1, "01"));
	remove_file(w, PACK(CALL_2, "01"));
	remove_file(w, HAVE);
}

Test(verify, a_log_that_is_whole)
{
	struct note_key key;
	auto_world w = make_log(&key);
	auto_told told = { .wrong = BUF_INIT };
	struct verify_result r;

	verify(&w, &key, NULL, &told, &r);
	cr_expect_str_eq(buf_text(&told.wrong), "");
	cr_expect_str_eq(
		buf_text(&told.notes),
		"log/checkpoint: no quorum of witnesses was asked for: whoever had the key "
		"could have written all of this anew\n");
	cr_expect_eq(r.entries, 5);
	cr_expect_eq(r.calls, 2);
	cr_expect_eq(r.objects, 2);
	cr_expect_eq(r.unsigned_, 0);
	cr_expect_eq(r.forgotten, 0);
	cr_expect_eq(r.witnessed, 0);
	cr_expect(note_key_equal(&r.signer, &key), "signed by it");
}

Test(verify, what_is_not_signed_yet_is_a_note)
{
	struct note_key key;
	auto_world w = make_log(&key);

	append_stored(&w, CALL_3);
	expect_good(&w, &key, "journal: 2 entries behind the last checkpoint\n");
}

Test(verify, without_a_log_there_is_no_answer)
{
	auto_world w = world_make();
	auto_told told = { .wrong = BUF_INIT };
	auto_note_signer signer = { .key.algorithm = 0 };
	struct verify_result r;
	struct err err = ERR_INIT;

	make_signer(ORIGIN, &signer);
	cr_expect_eq(verify_store(&w.store, &signer.key, NULL, tell, &told, &r, &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, "has no log"), "%s", err.text);
	make_key(&w);
	cr_assert_eq(log_key_publish(&w.store, &signer.key, &err), 0);
	cr_expect_eq(verify_store(&w.store, &signer.key, NULL, tell, &told, &r, &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, "nothing here is signed"), "%s", err.text);
}

/* ---- rotations ------------------------------------------------------------------------------- */

Test(verify, each_key_of_a_chain_leads_to_the_last)
{
	struct note_key key[3];
	auto_world w = make_log(&key[0]);
	auto_note_signer stranger = { .key.algorithm = 0 };
	auto_told told = { .wrong = BUF_INIT };
	struct verify_result r;
	struct err err = ERR_INIT;

	for (size_t i = 1; i < 3; i++) {
		cr_assert_eq(log_rotate(w.ix, &w.store, NULL, NULL, &key[i], &err), 0, "%s",
			     err.text);
		/* also before the log goes on: log.db names the new key, the checkpoint is of the
		 * old one */
		expect_good(&w, &key[0], "journal: 1 entries behind the last checkpoint\n");
		extend(&w);
	}
	for (size_t i = 0; i < 3; i++) {
		verify(&w, &key[i], NULL, &told, &r);
		cr_expect_str_eq(buf_text(&told.wrong), "", "key %zu: %s", i,
				 buf_text(&told.wrong));
		cr_expect(note_key_equal(&r.signer, &key[2]), "key %zu", i);
	}
	make_signer(ORIGIN, &stranger);
	verify(&w, &stranger.key, NULL, &told, &r);
	cr_expect_not_null(strstr(buf_text(&told.wrong),
				  "log/checkpoint: is not signed by the key that was given, nor by "
				  "one that it was rotated to\n"));
}

/* A log.db that names the key, so that the log goes on with it. */
static void
take_over(struct world *w, const struct note_signer *evil)
{
	auto_log_state state = NULL;
	auto_log_latest latest = LOG_LATEST_INIT;
	struct log_latest next;

	cr_assert_eq(log_state_open(&w->store, true, &state, NULL), 0);
	cr_assert_eq(log_state_latest(state, &latest, NULL), 0);
	next = latest;
	next.key = evil->key;
	cr_assert_eq(log_state_swap(state, &latest, &next, NULL), 0);
	cr_assert_eq(log_key_write(&w->store, LOG_KEY_FILE, evil, NULL), 0);
}

Test(verify, a_forged_rotation_is_not_followed)
{
	struct note_key key;
	auto_world w = make_log(&key);
	auto_note_signer evil = { .key.algorithm = 0 };
	auto_buf text = BUF_INIT, record = BUF_INIT, a = BUF_INIT, b = BUF_INIT, sig = BUF_INIT;
	auto_told told = { .wrong = BUF_INIT };
	struct verify_result r;
	uint8_t raw[64];

	make_signer(ORIGIN, &evil);
	log_key_rotation_text(&key, &evil.key, &text);
	cr_assert_eq(note_sign_raw(&evil, text.data, text.len, raw, NULL), 0);
	text_base64(&sig, raw, sizeof(raw));
	note_key_print(&key, &a);
	note_key_print(&evil.key, &b);
	buf_printf(&record,
		   "{\"actor\":{\"gid\":0,\"uid\":0},\"new\":\"%s\",\"old\":\"%s\","
		   "\"origin\":\"" ORIGIN "\",\"signatures\":[\"%s\",\"%s\"],"
		   "\"t\":1750000000000,\"v\":1}",
		   buf_text(&b), buf_text(&a), buf_text(&sig), buf_text(&sig));
	append_event(&w.store, "key.rotate", buf_text(&record));
	take_over(&w, &evil);
	extend(&w);
	verify(&w, &key, NULL, &told, &r);
	cr_expect_not_null(strstr(buf_text(&told.wrong), "entry 5: the rotation of the key is not "
							 "signed by both keys\n"),
			   "%s", buf_text(&told.wrong));
	cr_expect_not_null(strstr(buf_text(&told.wrong),
				  "log/checkpoint: is not signed by the key that was given"));
	cr_expect_not_null(strstr(buf_text(&told.wrong),
				  "log.db: names another key than the one that signs\n"));
	cr_expect(note_key_equal(&r.signer, &key), "who was trusted stays it");
}

/* ---- what went away -------------------------------------------------------------------------- */

Test(verify, a_pack_that_is_gone_needs_a_signed_gc_entry)
{
	struct note_key key;
	auto_world w = make_log(&key);

	remove_file(&w, PACK(CALL_2, "01"));
	remove_file(&w, HAVE);
	expect_wrong(&w, &key, "objects of call " CALL_2 ": 0 are stored, and the record says 1\n");
	append_gc(&w, "gc", OTHER_WORKFLOW, 0);
	extend(&w);
	expect_wrong(&w, &key, "objects of call " CALL_2 ": 0 are stored, and the record says 1\n");
	remove_file(&w, PACK(CALL_1, "01"));
	append_gc(&w, "gc", WORKFLOW, 0);
	world_take_in(&w);
	{
		auto_told told = { .wrong = BUF_INIT };
		struct verify_result r;

		verify(&w, &key, NULL, &told, &r);
		cr_expect_eq(r.wrong, 2, "what is not signed is no reason: %s",
			     buf_text(&told.wrong));
	}
	extend(&w);
	expect_good(&w, &key,
		    "workflow " WORKFLOW ": objects were removed (entry 6): its leaves stand in "
		    "the log\n");
}

Test(verify, what_is_stored_after_a_gc_entry_has_to_be_there)
{
	struct note_key key;
	auto_world w = make_log(&key);

	remove_objects(&w);
	append_gc(&w, "gc", WORKFLOW, 0);
	append_stored(&w, CALL_3);
	extend(&w);
	expect_good(&w, &key, "objects were removed (entry 5)");
	remove_file(&w, HAVE);
	remove_file(&w, PACK(CALL_3, "01"));
	expect_wrong(&w, &key, "objects of call " CALL_3 ": 0 are stored, and the record says 1\n");
}

Test(verify, a_call_that_runs_after_a_gc_entry_may_have_a_pack)
{
	struct note_key key;
	auto_world w = make_log(&key);

	remove_objects(&w);
	append_gc(&w, "gc", WORKFLOW, 0);
	append_planned(&w.store, CALL_3, "base");
	extend(&w);
	put_file(&w, PACK(CALL_3, "01"), "half of an object", 17);
	expect_good(&w, &key, "objects were removed (entry 5)");
}

Test(verify, a_pack_that_should_be_gone_is_wrong)
{
	struct note_key key;
	auto_world w = make_log(&key);

	remove_file(&w, PACK(CALL_2, "01"));
	remove_file(&w, HAVE);
	append_gc(&w, "gc", WORKFLOW, 0);
	extend(&w);
	expect_wrong(&w, &key,
		     PACK(CALL_1, "01") ": is there although it was removed (gc entry)\n");
}

/* Rewrites the journal: entries of those calls become what is left of them with that workflow. */
static void
forget(struct world *w, const char *const *calls, size_t count, const char *workflow)
{
	auto_buf journal = slurp(w, "journal/0001.log");

	for (size_t at = 0; at + 8 < journal.len;) {
		uint8_t *p = journal.data + at;
		uint32_t len = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
		auto_buf stub = BUF_INIT;
		struct entry e;

		if (len == 0) {
			break;
		}
		cr_assert(entry_slice(p + 8, len, &e));
		for (size_t i = 0; i < count; i++) {
			uint32_t crc;

			if (strcmp(e.call, calls[i]) != 0) {
				continue;
			}
			cr_assert_eq(entry_print_forgotten(&e, workflow, len, &stub), 0);
			memcpy(p + 8, stub.data, len);
			crc = crc32_update(0, p + 8, len);
			for (unsigned int k = 0; k < 4; k++) {
				p[4 + k] = (uint8_t)(crc >> (8 * k));
			}
		}
		at += 8 + len;
	}
	world_close(w);
	w->store = open_store();
	put_file(w, "journal/0001.log", journal.data, journal.len);
	remove_file(w, "index.db");
	store_finish(&w->store);
	w->store = (struct store)STORE_INIT;
	world_open(w);
}

static const char *const both[] = { CALL_1, CALL_2 };

Test(verify, a_workflow_that_was_forgotten)
{
	struct note_key key;
	auto_world w = make_log(&key);
	auto_told told = { .wrong = BUF_INIT };
	struct verify_result r;

	append_gc(&w, "forget", WORKFLOW, 4);
	extend(&w);
	forget(&w, both, 2, WORKFLOW);
	remove_objects(&w);
	expect_good(&w, &key,
		    "workflow " WORKFLOW ": records and objects were forgotten (entry 5): its "
		    "leaves stand in the log\n");
	verify(&w, &key, NULL, &told, &r);
	cr_expect_eq(r.forgotten, 4);
	cr_expect_eq(r.calls, 2);
	cr_expect_eq(r.objects, 0);
	/* and it goes on from there */
	append_stored(&w, CALL_3);
	cr_expect_eq(extend(&w), 8);
	expect_good(&w, &key, "records and objects were forgotten");
}

Test(verify, records_that_are_gone_need_a_forget_entry)
{
	struct note_key key;
	auto_world w = make_log(&key);

	forget(&w, both, 1, WORKFLOW);
	remove_file(&w, PACK(CALL_1, "01"));
	remove_file(&w, HAVE);
	expect_wrong(&w, &key,
		     "records of call " CALL_1 ": 2 are gone, and no signed gc entry behind them "
		     "says that the workflow was forgotten\n");
	/* of objects alone does not do */
	append_gc(&w, "gc", WORKFLOW, 0);
	extend(&w);
	remove_file(&w, PACK(CALL_2, "01"));
	expect_wrong(&w, &key,
		     "records of call " CALL_1 ": 2 are gone, and no signed gc entry behind them "
		     "says that the workflow was forgotten\n");
}

Test(verify, another_workflows_forget_entry_does_not_cover_them)
{
	struct note_key key;
	auto_world w = make_log(&key);

	append_gc(&w, "forget", OTHER_WORKFLOW, 0);
	extend(&w);
	forget(&w, both, 1, OTHER_WORKFLOW);
	remove_file(&w, PACK(CALL_1, "01"));
	remove_file(&w, HAVE);
	expect_wrong(&w, &key,
		     "workflow " OTHER_WORKFLOW ": 2 records are gone, and the gc entries say 0\n");
}

Test(verify, records_behind_the_forget_entry_are_not_covered)
{
	static const char *const third[] = { CALL_3 };
	struct note_key key;
	auto_world w = make_log(&key);

	append_gc(&w, "forget", WORKFLOW, 9);
	append_stored(&w, CALL_3);
	extend(&w);
	forget(&w, both, 2, WORKFLOW);
	forget(&w, third, 1, WORKFLOW);
	remove_objects(&w);
	remove_file(&w, PACK(CALL_3, "01"));
	expect_wrong(&w, &key,
		     "records of call " CALL_3 ": 2 are gone, and no signed gc entry behind them "
		     "says that the workflow was forgotten\n");
}

/* ---- packs ----------------------------------------------------------------------------------- */

Test(verify, packs_that_no_count_covers)
{
	struct note_key key;
	auto_world w = make_log(&key);

	copy_file(&w, PACK(CALL_1, "01"), PACK(CALL_1, "03"));
	expect_wrong(&w, &key, PACK(CALL_1, "03") ": is a pack behind the last one of its call\n");
	remove_file(&w, PACK(CALL_1, "03"));
	copy_file(&w, PACK(CALL_1, "01"), PACK(CALL_1, "1"));
	expect_wrong(&w, &key, PACK(CALL_1, "1") ": has not the name of a pack\n");
	remove_file(&w, PACK(CALL_1, "1"));
	expect_good(&w, &key, "");
}

Test(verify, what_have_says_must_be_there)
{
	struct note_key key;
	auto_world w = make_log(&key);
	auto_buf have = slurp(&w, HAVE);

	have.data[0] ^= 1;
	put_file(&w, HAVE, have.data, have.len);
	expect_wrong(&w, &key,
		     "wf/" WORKFLOW "/have at byte 0: names an object that no pack has\n");
}

/* ---- what was signed after the checkpoint ---------------------------------------------------- */

Test(verify, what_was_signed_counts_before_it_is_published)
{
	struct note_key key;
	auto_world w = make_log(&key);
	auto_told told = { .wrong = BUF_INIT };
	struct verify_result r;

	copy_file(&w, LOG_CHECKPOINT_FILE, "before");
	append_stored(&w, CALL_3);
	extend(&w);
	copy_file(&w, "before", LOG_CHECKPOINT_FILE);
	expect_good(&w, &key,
		    "log/checkpoint: is over 5 entries; one over 7 was signed after it (log.db), "
		    "and that is what counts\n");
	verify(&w, &key, NULL, &told, &r);
	cr_expect_eq(r.entries, 7);
}

Test(verify, an_older_checkpoint_with_an_older_journal_is_found_by_log_db)
{
	struct note_key key;
	auto_world w = make_log(&key);
	auto_buf journal = slurp(&w, "journal/0001.log");
	auto_told told = { .wrong = BUF_INIT };
	struct verify_result r;

	copy_file(&w, LOG_CHECKPOINT_FILE, "before");
	copy_file(&w, COVERED_FILE, "at.before");
	append_stored(&w, CALL_3);
	extend(&w);
	world_close(&w);
	w.store = open_store();
	put_file(&w, "journal/0001.log", journal.data, journal.len);
	remove_file(&w, "index.db");
	copy_file(&w, "before", LOG_CHECKPOINT_FILE);
	copy_file(&w, "at.before", COVERED_FILE);
	remove_file(&w, "log/tile/0/000.p/7");
	remove_file(&w, "log/tile/entries/000.p/7");
	remove_file(&w, PACK(CALL_3, "01"));
	store_finish(&w.store);
	w.store = (struct store)STORE_INIT;
	world_open(&w);
	verify(&w, &key, NULL, &told, &r);
	cr_expect_gt(r.wrong, 0);
	cr_expect_not_null(strstr(buf_text(&told.wrong),
				  "entry 5: is signed, and the journal does not have it"),
			   "%s", buf_text(&told.wrong));
}

Test(verify, an_older_log_db_is_found)
{
	struct note_key key;
	auto_world w = make_log(&key);

	copy_file(&w, LOG_STATE_FILE, "before");
	append_stored(&w, CALL_3);
	extend(&w);
	copy_file(&w, "before", LOG_STATE_FILE);
	expect_wrong(&w, &key,
		     "log.db: says that 5 entries were signed, and the checkpoint has 7\n");
}

/* ---- witnesses ------------------------------------------------------------------------------- */

static struct note_signer
make_witness(const char *name)
{
	struct note_signer s;
	struct err err = ERR_INIT;

	cr_assert_eq(note_signer_generate(name, NOTE_ALGORITHM_COSIGNATURE, &s, &err), 0);
	return s;
}

/* Cosigns what is published, into log.db. */
static void
cosign(struct world *w, const struct note_signer *witness, uint64_t time)
{
	auto_log_state state = NULL;
	auto_buf text = slurp(w, LOG_CHECKPOINT_FILE), line = BUF_INIT, vkey = BUF_INIT;
	struct checkpoint c;
	struct note note;

	read_checkpoint(w, &c);
	cr_assert_eq(note_parse(buf_text(&text), text.len, &note, NULL), 0);
	cr_assert_eq(note_cosign(witness, note.text, note.text_len, time, &line, NULL), 0);
	cr_assert_eq(log_state_open(&w->store, true, &state, NULL), 0);
	note_key_print(&witness->key, &vkey);
	cr_assert_eq(log_state_put_cosignature(state, c.size, buf_text(&vkey), time,
					       buf_text(&line), NULL),
		     0);
}

static void
make_trust(const struct note_key *log, const struct note_signer *one, const struct note_signer *two,
	   unsigned int needed, struct trust *ret)
{
	auto_buf text = BUF_INIT;
	struct err err = ERR_INIT;

	buf_puts(&text, "log ");
	note_key_print(log, &text);
	buf_puts(&text, "\nwitness w1 ");
	note_key_print(&one->key, &text);
	buf_puts(&text, "\nwitness w2 ");
	note_key_print(&two->key, &text);
	buf_printf(&text, "\ngroup g %u w1 w2\nquorum g\n", needed);
	cr_assert_eq(trust_parse("trust", buf_text(&text), text.len, ret, &err), 0, "%s", err.text);
}

struct seen {
	uint64_t wrong, size, time;
	const char *text;
};

static void
expect_seen(struct world *w, const struct note_key *key, const struct trust *trust,
	    const struct seen *want)
{
	auto_told told = { .wrong = BUF_INIT };
	struct verify_result r;

	verify(w, key, trust, &told, &r);
	cr_expect_eq(r.wrong, want->wrong, "%s", buf_text(&told.wrong));
	cr_expect_eq(r.witnessed, want->size, "%llu", (unsigned long long)r.witnessed);
	cr_expect_eq(r.witnessed_at, want->time);
	cr_expect_not_null(
		strstr(buf_text(want->wrong > 0 ? &told.wrong : &told.notes), want->text),
		"wanted %s, got %s%s", want->text, buf_text(&told.wrong), buf_text(&told.notes));
}

Test(verify, a_quorum_saw_as_much_as_its_last_member)
{
	struct note_key key;
	auto_world w = make_log(&key);
	auto_note_signer one = make_witness("w.example/1"), two = make_witness("w.example/2");
	struct trust *any = calloc(1, sizeof(*any)), *all = calloc(1, sizeof(*all));

	make_trust(&key, &one, &two, 1, any);
	make_trust(&key, &one, &two, 2, all);
	expect_seen(&w, &key, any, &(struct seen){ 1, 0, 0, "no quorum of the trust file's" });
	cosign(&w, &one, 1000);
	expect_seen(&w, &key, any,
		    &(struct seen){ 0, 5, 1000,
				    "all of it is witnessed, last at 1970-01-01T00:16:40Z" });
	expect_seen(&w, &key, all, &(struct seen){ 1, 0, 0, "no quorum of the trust file's" });
	append_stored(&w, CALL_3);
	extend(&w);
	cosign(&w, &two, 2000);
	expect_seen(&w, &key, any, &(struct seen){ 0, 7, 2000, "all of it is witnessed" });
	expect_seen(&w, &key, all,
		    &(struct seen){ 0, 5, 2000,
				    "witnessed up to entry 4, last at 1970-01-01T00:33:20Z; the 2 "
				    "entries since are not witnessed" });
	cosign(&w, &one, 3000);
	expect_seen(&w, &key, all, &(struct seen){ 0, 7, 3000, "all of it is witnessed" });
	free(any);
	free(all);
}

Test(verify, a_cosignature_over_another_history_does_not_count)
{
	struct note_key key;
	auto_world w = make_log(&key);
	auto_note_signer one = make_witness("w.example/1"), two = make_witness("w.example/2");
	struct trust *any = calloc(1, sizeof(*any));

	make_trust(&key, &one, &two, 1, any);
	cosign(&w, &one, 1000);
	append_stored(&w, CALL_3);
	extend(&w);
	/* what it saw was of 5 entries; it never saw 6 */
	sql_exec(LOG_STATE_FILE, "UPDATE cosignature SET size = 6");
	expect_seen(&w, &key, any, &(struct seen){ 1, 0, 0, "no quorum of the trust file's" });
	free(any);
}

Test(verify, a_log_that_the_trust_file_does_not_name)
{
	struct note_key key;
	auto_world w = make_log(&key);
	auto_note_signer one = make_witness("w.example/1"), two = make_witness("w.example/2"),
			 other = { .key.algorithm = 0 };
	struct trust *any = calloc(1, sizeof(*any));

	make_signer(ORIGIN, &other);
	make_trust(&other.key, &one, &two, 1, any);
	cosign(&w, &one, 1000);
	expect_seen(&w, &key, any,
		    &(struct seen){ 1, 5, 1000, "the trust file does not name this log's key" });
	free(any);
}
