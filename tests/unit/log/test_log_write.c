/* SPDX-License-Identifier: Apache-2.0 */
/* log_write.c: the log grows with the journal, and refuses to fork. Run by `make unit`. */
#include "log_world.h"

/* ---- the tree once more, as RFC 6962 says it ------------------------------------------------- */

static void
root_of(const uint8_t (*leaves)[SHA256_SIZE], uint64_t count, uint8_t ret[SHA256_SIZE])
{
	uint8_t left[SHA256_SIZE], right[SHA256_SIZE];
	uint64_t k = 1;

	if (count == 1) {
		memcpy(ret, leaves[0], SHA256_SIZE);
		return;
	}
	while (2 * k < count) {
		k *= 2;
	}
	root_of(leaves, k, left);
	root_of(leaves + k, count - k, right);
	merkle_node(left, right, ret);
}

struct leaves {
	uint8_t (*hash)[SHA256_SIZE];
	uint64_t count;
};

static int
take_leaf(void *arg, const struct index_leaf *leaf)
{
	struct leaves *l = arg;
	auto_buf text = BUF_INIT;
	char digest[HEX_DIGEST_SIZE];

	text_hex(leaf->digest, SHA256_SIZE, digest);
	buf_printf(&text, "{\"call\":\"%s\",\"digest\":\"%s\",\"type\":\"%s\"}", leaf->call, digest,
		   entry_type_word(leaf->type));
	merkle_leaf(text.data, text.len, l->hash[l->count++]);
	return 0;
}

static int
on_wrong(void *arg, const char *path, uint64_t index, const char *what)
{
	(void)arg;
	cr_expect(false, "%s, entry %llu: %s", path, (unsigned long long)index, what);
	return 0;
}

/* What is published covers all of the index, and the tiles hold it. */
static void
expect_whole(struct world *w, uint64_t size)
{
	struct leaves l = { .hash = calloc(size, SHA256_SIZE) };
	auto_fd log_fd = openat(w->store.dir_fd, LOG_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_tiles tiles = NULL;
	auto_log_latest latest = LOG_LATEST_INIT;
	uint8_t root[SHA256_SIZE];
	struct checkpoint c;
	struct err err = ERR_INIT;

	cr_assert_eq(index_leaves(w->ix, 0, take_leaf, &l, &err), 0, "%s", err.text);
	cr_expect_eq(l.count, size);
	root_of(l.hash, size, root);
	read_checkpoint(w, &c);
	read_latest(w, &latest);
	cr_expect_eq(c.size, size);
	cr_expect_arr_eq(c.root, root, SHA256_SIZE);
	cr_expect_eq(latest.size, size);
	cr_expect_arr_eq(latest.root, root, SHA256_SIZE);
	cr_assert_eq(tiles_open(log_fd, size, &tiles, &err), 0);
	cr_expect_eq(tiles_check(tiles, on_wrong, NULL), 0);
	free(l.hash);
}

/* ---- growing --------------------------------------------------------------------------------- */

Test(log_write, without_entries_there_is_no_log)
{
	auto_world w = world_make();

	cr_expect_eq(extend(&w), 0);
	cr_expect_not(is_there(&w, LOG_STATE_FILE), "no state");
	cr_expect_not(is_there(&w, LOG_KEY_FILE), "no key");
	cr_expect_not(is_there(&w, LOG_DIR), "no directory");
}

Test(log_write, the_first_entry_makes_key_and_log)
{
	auto_world w = world_make();
	auto_buf at = BUF_INIT, expected = BUF_INIT;
	struct journal_pos pos;
	struct stat st;

	append_call(&w, 1);
	cr_expect_eq(extend(&w), 3);
	expect_answer("SELECT n, type FROM entry ORDER BY n",
		      "0|call.planned\n1|call.outcome\n2|log.open\n");
	expect_whole(&w, 3);
	cr_assert_eq(index_position(w.ix, &pos, NULL), 0);
	buf_printf(&expected, "%u %llu\n", pos.file, (unsigned long long)pos.offset);
	at = slurp(&w, COVERED_FILE);
	cr_expect_str_eq(buf_text(&at), buf_text(&expected));
	cr_expect_eq(fstatat(w.store.dir_fd, LOG_CHECKPOINT_FILE, &st, 0), 0);
	cr_expect_eq(st.st_mode & 07777, 0644);
	cr_expect_eq(fstatat(w.store.dir_fd, LOG_KEY_FILE, &st, 0), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	/* once more: nothing is there to do, and nothing is written */
	cr_expect_eq(fstatat(w.store.dir_fd, LOG_CHECKPOINT_FILE, &st, 0), 0);
	cr_expect_eq(extend(&w), 3);
	append_call(&w, 2);
	cr_expect_eq(extend(&w), 5);
	expect_answer("SELECT count(*) FROM entry WHERE type = 'log.open'", "1\n");
	expect_whole(&w, 5);
}

Test(log_write, nothing_new_writes_nothing)
{
	static const char *const files[] = { LOG_CHECKPOINT_FILE, COVERED_FILE, LOG_VKEY_FILE,
					     LOG_KEY_FILE };
	auto_world w = world_make();
	struct stat before[ARRAY_LEN(files)], after;

	append_call(&w, 1);
	extend(&w);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		cr_assert_eq(fstatat(w.store.dir_fd, files[i], &before[i], 0), 0);
	}
	cr_expect_eq(extend(&w), 3);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		cr_assert_eq(fstatat(w.store.dir_fd, files[i], &after, 0), 0);
		cr_expect_eq(after.st_ino, before[i].st_ino, "%s", files[i]);
	}
}

/* Entries up to that many, as if the journal had them. */
static void
fill_index(uint64_t from, uint64_t to)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE c(n) AS (VALUES (%llu) UNION ALL SELECT n + 1 FROM c"
		 " WHERE n + 1 < %llu) INSERT INTO entry(n, file, offset, type, call, digest, salt,"
		 " record) SELECT n, 1, n, 'gc', '" ENTRY_NO_CALL "',"
		 " cast(printf('%%032d', n) AS BLOB), x'00', x'00' FROM c",
		 (unsigned long long)from, (unsigned long long)to);
	sql_exec("index.db", sql);
}

Test(log_write, grows_over_the_edges_of_tiles)
{
	static const uint64_t sizes[] = { 255, 256, 257, 511, 512, 65535, 65536, 65537, 65537 };
	auto_world w = world_make();
	uint64_t size;

	append_call(&w, 1);
	size = extend(&w);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		if (sizes[i] > size) {
			fill_index(size, sizes[i]);
		}
		size = extend(&w);
		cr_assert_eq(size, sizes[i]);
		expect_whole(&w, size);
	}
	cr_expect(is_there(&w, "log/tile/2/000.p/1"), "a third level");
	cr_expect(is_there(&w, "log/tile/0/256.p/1"), "of the last leaf");
}

Test(log_write, from_nothing_to_many_at_once)
{
	auto_world w = world_make();

	append_call(&w, 1);
	world_take_in(&w);
	fill_index(2, 16390); /* with log.open more than one batch */
	cr_expect_eq(extend(&w), 16391);
	expect_whole(&w, 16391);
}

Test(log_write, an_index_with_a_hole_is_not_signed)
{
	auto_world w = world_make();
	struct err err = ERR_INIT;
	struct checkpoint c;
	uint64_t size;

	append_call(&w, 1);
	extend(&w);
	fill_index(4, 9);
	cr_expect_eq(log_extend(w.ix, &w.store, NULL, &size, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "entry 3 is not what it must be"), "%s", err.text);
	read_checkpoint(&w, &c);
	cr_expect_eq(c.size, 3);
}

/* ---- crashes --------------------------------------------------------------------------------- */

/* A log of two calls; what it was with one is in the files *.before. */
static struct world
make_grown(void)
{
	static const char *const files[] = { LOG_CHECKPOINT_FILE, COVERED_FILE, LOG_STATE_FILE };
	struct world w = world_make();
	char name[64];

	make_key(&w);
	append_call(&w, 1);
	extend(&w);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(name, sizeof(name), "%s.before", files[i]);
		copy_file(&w, files[i], name);
	}
	append_call(&w, 2);
	cr_assert_eq(extend(&w), 5);
	return w;
}

static void
expect_same(const struct world *w, const char *path, const struct buf *expected)
{
	auto_buf there = slurp(w, path);

	cr_expect_eq(there.len, expected->len, "%s", path);
	cr_expect_arr_eq(there.data, expected->data, there.len, "%s", path);
}

Test(log_write, what_was_signed_and_not_published_is_published)
{
	auto_world w = make_grown();
	auto_buf checkpoint = slurp(&w, LOG_CHECKPOINT_FILE), at = slurp(&w, COVERED_FILE);

	copy_file(&w, LOG_CHECKPOINT_FILE ".before", LOG_CHECKPOINT_FILE);
	copy_file(&w, COVERED_FILE ".before", COVERED_FILE);
	cr_expect_eq(extend(&w), 5);
	expect_same(&w, LOG_CHECKPOINT_FILE, &checkpoint);
	expect_same(&w, COVERED_FILE, &at);
}

Test(log_write, a_checkpoint_or_a_position_that_is_gone_or_damaged_comes_back)
{
	auto_world w = make_grown();
	auto_buf checkpoint = slurp(&w, LOG_CHECKPOINT_FILE), at = slurp(&w, COVERED_FILE);

	cr_assert_eq(unlinkat(w.store.dir_fd, LOG_CHECKPOINT_FILE, 0), 0);
	cr_assert_eq(unlinkat(w.store.dir_fd, COVERED_FILE, 0), 0);
	cr_expect_eq(extend(&w), 5);
	expect_same(&w, LOG_CHECKPOINT_FILE, &checkpoint);
	expect_same(&w, COVERED_FILE, &at);
	put_file(&w, LOG_CHECKPOINT_FILE, "damaged", 7);
	cr_expect_eq(extend(&w), 5);
	expect_same(&w, LOG_CHECKPOINT_FILE, &checkpoint);
}

Test(log_write, tiles_that_were_written_and_not_signed_are_signed)
{
	auto_world w = make_grown();
	auto_buf checkpoint = slurp(&w, LOG_CHECKPOINT_FILE);

	copy_file(&w, LOG_CHECKPOINT_FILE ".before", LOG_CHECKPOINT_FILE);
	copy_file(&w, COVERED_FILE ".before", COVERED_FILE);
	copy_file(&w, LOG_STATE_FILE ".before", LOG_STATE_FILE);
	cr_expect_eq(extend(&w), 5);
	expect_same(&w, LOG_CHECKPOINT_FILE, &checkpoint);
	expect_whole(&w, 5);
}

Test(log_write, a_key_that_was_made_and_not_noted_is_used)
{
	auto_world w = world_make();
	auto_log_latest latest = LOG_LATEST_INIT;
	auto_note_signer signer = { .key.algorithm = 0 };

	make_key(&w);
	append_call(&w, 1);
	cr_assert_eq(log_key_load(&w.store, NULL, &signer, NULL, NULL), 0);
	cr_expect_eq(extend(&w), 3);
	read_latest(&w, &latest);
	cr_expect(note_key_equal(&latest.key, &signer.key), "the same");
}

Test(log_write, a_new_log_over_an_old_journal_is_opened_again)
{
	auto_world w = make_grown();

	/* as the refusal of the front says: all of it is moved away */
	cr_assert_eq(renameat(w.store.dir_fd, LOG_DIR, w.store.dir_fd, "old"), 0);
	cr_assert_eq(unlinkat(w.store.dir_fd, LOG_STATE_FILE, 0), 0);
	cr_assert_eq(unlinkat(w.store.dir_fd, LOG_KEY_FILE, 0), 0);
	cr_assert_eq(unlinkat(w.store.dir_fd, COVERED_FILE, 0), 0);
	make_key(&w); /* the same name, another key */
	cr_expect_eq(extend(&w), 6);
	expect_answer("SELECT count(*) FROM entry WHERE type = 'log.open'", "2\n");
	expect_whole(&w, 6);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void
remove_file(struct world *w, const char *path)
{
	cr_assert_eq(unlinkat(w->store.dir_fd, path, 0), 0, "%s", path);
}

static void
remove_state(struct world *w)
{
	remove_file(w, LOG_STATE_FILE);
}

static void
empty_state(struct world *w)
{
	put_file(w, LOG_STATE_FILE, "", 0);
}

static void
remove_state_and_checkpoint(struct world *w)
{
	remove_file(w, LOG_STATE_FILE);
	remove_file(w, LOG_CHECKPOINT_FILE);
}

static void
keep_log_at_alone(struct world *w)
{
	remove_state_and_checkpoint(w);
	cr_assert_eq(renameat(w->store.dir_fd, LOG_DIR, w->store.dir_fd, "elsewhere"), 0);
}

static void
keep_the_key_alone(struct world *w)
{
	keep_log_at_alone(w);
	remove_file(w, COVERED_FILE);
}

static void
old_state(struct world *w)
{
	copy_file(w, LOG_STATE_FILE ".before", LOG_STATE_FILE);
}

static void
other_root(struct world *w)
{
	(void)w;
	sql_exec(LOG_STATE_FILE, "UPDATE latest SET root = zeroblob(32)");
}

static void
other_key(struct world *w)
{
	auto_note_signer signer = { .key.algorithm = 0 };

	make_signer(ORIGIN, &signer);
	cr_assert_eq(log_key_write(&w->store, LOG_KEY_FILE, &signer, NULL), 0);
}

static void
no_key(struct world *w)
{
	remove_file(w, LOG_KEY_FILE);
}

static void
readable_key(struct world *w)
{
	cr_assert_eq(fchmodat(w->store.dir_fd, LOG_KEY_FILE, 0644, 0), 0);
}

static void
hash_in_a_tile(struct world *w)
{
	flip(w, "log/tile/0/000.p/5", 40);
}

static void
entry_in_a_tile(struct world *w)
{
	flip(w, "log/tile/entries/000.p/5", 40);
}

static void
tile_gone(struct world *w)
{
	remove_file(w, "log/tile/0/000.p/5");
}

static void
entry_in_the_journal(struct world *w)
{
	(void)w;
	sql_exec("index.db", "UPDATE entry SET digest = zeroblob(32) WHERE n = 1");
}

static void
damaged_position(struct world *w)
{
	put_file(w, COVERED_FILE, "x", 1);
}

static const struct refusal {
	void (*change)(struct world *w);
	int code;
	const char *text;
} refusals[] = {
	{ remove_state, -EBADMSG, "is missing or empty, but a checkpoint was published" },
	{ empty_state, -EBADMSG, "is missing or empty, but a checkpoint was published" },
	{ remove_state_and_checkpoint, -EBADMSG, "is missing or empty, but there are tiles" },
	{ keep_log_at_alone, -EBADMSG, "is missing or empty, but log.at is there" },
	{ keep_the_key_alone, -EBADMSG, "the journal says that this key opened a log" },
	{ old_state, -EBADMSG, "is over 5 entries, and log.db knows of 3: one of the two" },
	{ other_root, -EBADMSG, "log.db knows of 5 with another root" },
	{ other_key, -EPERM, "the key that is here is another" },
	{ no_key, -ENOENT, "the log's key: " },
	{ readable_key, -EPERM, "can be read by others" },
	{ hash_in_a_tile, -EBADMSG, "are not those that were signed" },
	{ entry_in_a_tile, -EBADMSG, "entry 0 of the journal is not what the log has" },
	{ tile_gone, -EBADMSG, "tile/0/000.p/5: is missing from the log" },
	{ entry_in_the_journal, -EBADMSG, "entry 1 of the journal is not what the log has" },
	{ damaged_position, -EBADMSG, "log.at is damaged" },
};

/* The bytes of a file; empty when it is not there. */
static struct buf
bytes_of(const struct world *w, const char *path)
{
	return is_there(w, path) ? slurp(w, path) : (struct buf)BUF_INIT;
}

Test(log_write, refuses_what_could_fork_the_log)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];
		auto_world w = make_grown();
		auto_buf checkpoint = BUF_INIT;
		struct err err = ERR_INIT;
		uint64_t size;

		append_call(&w, 3);
		world_take_in(&w);
		r->change(&w);
		checkpoint = bytes_of(&w, LOG_CHECKPOINT_FILE);
		cr_expect_eq(log_extend(w.ix, &w.store, NULL, &size, &err), r->code, "row %zu: %s",
			     i, err.text);
		cr_expect_not_null(strstr(err.text, r->text), "row %zu: %s", i, err.text);
		if (checkpoint.len > 0) {
			expect_same(&w, LOG_CHECKPOINT_FILE, &checkpoint);
		} else {
			cr_expect_not(is_there(&w, LOG_CHECKPOINT_FILE), "row %zu", i);
		}
		cr_expect_not(is_there(&w, "log/tile/0/000.p/7"), "row %zu: nothing grew", i);
	}
}

Test(log_write, a_journal_that_is_shorter_than_the_log_is_not_signed)
{
	auto_world w = make_grown();
	auto_buf journal = slurp(&w, "journal/0001.log"), checkpoint = BUF_INIT;
	struct err err = ERR_INIT;
	struct journal_pos third;
	auto_buf answer = BUF_INIT;
	uint64_t size;

	ask("SELECT offset FROM entry WHERE n = 3", &answer);
	third = (struct journal_pos){ .file = 1, .offset = strtoull(buf_text(&answer), NULL, 10) };
	checkpoint = slurp(&w, LOG_CHECKPOINT_FILE);
	remove_file(&w, COVERED_FILE); /* else the front refuses it at once */
	world_close(&w);
	{
		char path[128];

		snprintf(path, sizeof(path), "%s/journal/0001.log", state_dir);
		cr_assert_lt(third.offset, journal.len);
		cr_assert_eq(truncate(path, (off_t)third.offset), 0);
	}
	world_open(&w);
	cr_expect_eq(log_extend(w.ix, &w.store, NULL, &size, &err), -ESTALE);
	cr_expect_not_null(strstr(err.text, "signed over 5 entries and the journal has 3"), "%s",
			   err.text);
	expect_same(&w, LOG_CHECKPOINT_FILE, &checkpoint);
	cr_expect_not(is_there(&w, COVERED_FILE), "no position");
}

Test(log_write, other_entries_in_the_place_of_signed_ones_are_not_signed)
{
	auto_world w = make_grown();
	struct err err = ERR_INIT;
	auto_buf checkpoint = slurp(&w, LOG_CHECKPOINT_FILE);
	char path[128];
	uint64_t size;

	remove_file(&w, COVERED_FILE);
	world_close(&w);
	snprintf(path, sizeof(path), "%s/journal/0001.log", state_dir);
	cr_assert_eq(truncate(path, 0), 0);
	world_open(&w);
	for (unsigned int i = 1; i < 5; i++) {
		append_call(&w, i);
	}
	world_take_in(&w);
	cr_expect_eq(log_extend(w.ix, &w.store, NULL, &size, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "entry 2 of the journal is not what the log has"), "%s",
			   err.text);
	expect_same(&w, LOG_CHECKPOINT_FILE, &checkpoint);
}

Test(log_write, why_it_is_not_signed_is_left_for_whoever_reads)
{
	auto_world w = world_make();
	auto_buf text = BUF_INIT, none = BUF_INIT;

	cr_expect_eq(log_refusal(&w.store, &none), -ENOENT);
	cr_expect_eq(log_refuse(&w.store, NULL), 0, "nothing to take back");
	cr_expect_eq(log_refuse(&w.store, "because"), 0);
	cr_expect_eq(log_refusal(&w.store, &text), 0);
	cr_expect_str_eq(buf_text(&text), "because");
	cr_expect_eq(log_refuse(&w.store, NULL), 0);
	cr_expect_eq(log_refusal(&w.store, &none), -ENOENT);
}
