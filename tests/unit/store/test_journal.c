/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The journal: its bytes, what crashes leave of it, who else writes to
 * it. */
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <zlib.h>

#include "../locks.h"
#include "store_temp.h"

#include "../../../launcher/base/limits.h"
#include "../../../launcher/store/store_internal.h"

#define ENTRY_MAX ((uint64_t)CAP_JOURNAL_ENTRY + JOURNAL_HEADER)
#define FILE_1 "journal/0001.log"
#define FILE_2 "journal/0002.log"

static void
open_store(const struct temp *t, struct store *s)
{
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t->state, s, &err), 0, "%s", err.text);
}

static struct journal_pos
append(struct store *s, const char *json)
{
	struct journal_pos pos = { 0, 0 };
	struct err err = ERR_INIT;

	cr_assert_eq(journal_append(s, json, strlen(json), &pos, &err), 0, "%s", err.text);
	return pos;
}

/* One entry as docs/formats.md says, with zlib's crc. */
static void
put_entry(struct buf *b, const void *json, size_t len)
{
	buf_u32(b, (uint32_t)len);
	buf_u32(b, (uint32_t)crc32(0, json, (uInt)len));
	buf_put(b, json, len);
}

/* All entries, a newline behind each; a stop after `stop` of them when that is not 0. */
struct seen {
	struct buf text;
	unsigned int count, stop;
	struct journal_pos last;
};

static int
see(void *arg, struct journal_pos pos, const uint8_t *json, size_t len)
{
	struct seen *seen = arg;

	buf_put(&seen->text, json, len);
	buf_putc(&seen->text, '\n');
	seen->count++;
	seen->last = pos;
	return seen->count == seen->stop ? 42 : 0;
}

/* Reads from pos on, and compares result and entries. */
static void
expect_read(const struct temp *t, struct journal_pos *pos, int result, const char *entries,
	    const char *what)
{
	struct seen seen = { .text = BUF_INIT };
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_read(t->state, &s, &err), 0, "%s", err.text);
	cr_expect_eq(journal_read(&s, *pos, pos, see, &seen, &err), result, "%s: %s", what,
		     err.text);
	cr_expect_str_eq(buf_text(&seen.text), entries, "%s", what);
	buf_finish(&seen.text);
}

Test(journal, bytes_and_positions)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_buf want = BUF_INIT;
	auto_buf got = BUF_INIT;
	struct journal_pos pos;

	open_store(&t, &s);
	pos = append(&s, "{\"a\":1}");
	cr_expect_eq(pos.file, 1u);
	cr_expect_eq(pos.offset, 0u);
	pos = append(&s, "{\"b\":22}");
	cr_expect_eq(pos.file, 1u);
	cr_expect_eq(pos.offset, 15u);
	put_entry(&want, "{\"a\":1}", 7);
	put_entry(&want, "{\"b\":22}", 8);
	got = temp_slurp(&t, FILE_1);
	cr_assert_eq(got.len, want.len);
	cr_expect_arr_eq(got.data, want.data, want.len);
}

Test(journal, read_goes_on_where_it_stopped)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct journal_pos pos = { 0, 0 };

	open_store(&t, &s);
	expect_read(&t, &pos, 0, "", "empty");
	cr_expect_eq(pos.file, 1u);
	cr_expect_eq(pos.offset, 0u);
	append(&s, "one");
	append(&s, "two");
	expect_read(&t, &pos, 0, "one\ntwo\n", "first");
	expect_read(&t, &pos, 0, "", "nothing new");
	append(&s, "three");
	expect_read(&t, &pos, 0, "three\n", "new");
	cr_expect_eq(pos.offset, 11u + 11u + 13u);
}

Test(journal, no_file_yet_is_an_empty_journal)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct journal_pos pos = { 0, 0 };
	char path[256];

	open_store(&t, &s);
	temp_path(&t, FILE_1, path);
	cr_assert_eq(unlink(path), 0);
	expect_read(&t, &pos, 0, "", "from nothing");
	cr_expect_eq(pos.file, 0u);
	pos.file = 1;
	expect_read(&t, &pos, 0, "", "from the first");
}

Test(journal, callback_ends_the_walk)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct seen seen = { .text = BUF_INIT, .stop = 2 };
	struct journal_pos next = { 9, 9 };
	struct err err = ERR_INIT;

	open_store(&t, &s);
	append(&s, "one");
	append(&s, "two");
	append(&s, "three");
	cr_expect_eq(journal_read(&s, (struct journal_pos){ 0, 0 }, &next, see, &seen, &err), 42);
	cr_expect_str_eq(buf_text(&seen.text), "one\ntwo\n");
	cr_expect_eq(next.file, 9u);
	cr_expect_eq(seen.last.offset, 11u);
	buf_finish(&seen.text);
}

Test(journal, what_cannot_be_an_entry_is_refused)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_free char *big = calloc(1, CAP_JOURNAL_ENTRY + 1);
	struct journal_pos pos = { 9, 9 };
	struct err err = ERR_INIT;

	cr_assert_not_null(big);
	memset(big, 'x', CAP_JOURNAL_ENTRY + 1);
	open_store(&t, &s);
	cr_expect_eq(journal_append(&s, "", 0, &pos, &err), -EINVAL);
	cr_expect_eq(journal_append(&s, "a\0b", 3, &pos, &err), -EINVAL);
	cr_expect_eq(journal_append(&s, big, CAP_JOURNAL_ENTRY + 1, &pos, &err), -E2BIG);
	cr_expect_eq(pos.file, 9u);
	cr_expect_eq(journal_append(&s, big, CAP_JOURNAL_ENTRY, &pos, &err), 0);
	cr_expect_eq(pos.offset, 0u);
}

/* ---- what a crash leaves --------------------------------------------------------------------- */

/* Opens the store on these bytes, appends "new", and expects `whole` bytes and the new entry. */
static void
expect_repair(const struct temp *t, const struct buf *bytes, size_t whole, const char *what)
{
	auto_store s = STORE_INIT;
	auto_buf want = BUF_INIT;
	auto_buf got = BUF_INIT;
	struct journal_pos pos;

	temp_write(t, FILE_1, bytes->data, bytes->len);
	open_store(t, &s);
	pos = append(&s, "new");
	cr_expect_eq(pos.offset, whole, "%s", what);
	buf_put(&want, bytes->data, whole);
	put_entry(&want, "new", 3);
	got = temp_slurp(t, FILE_1);
	cr_assert_eq(got.len, want.len, "%s", what);
	cr_expect_eq(memcmp(got.data, want.data, want.len), 0, "%s", what);
}

static size_t
two_entries(struct buf *b)
{
	size_t first;

	put_entry(b, "{\"first\":\"entry\"}", 17);
	first = b->len;
	put_entry(b, "{\"second\":\"entry, a little longer\"}", 35);
	return first;
}

static void
make_store(const struct temp *t)
{
	auto_store s = STORE_INIT;

	open_store(t, &s);
}

Test(journal, cut_at_every_byte_of_the_last_entry)
{
	auto_temp t = temp_make();
	auto_buf whole = BUF_INIT;
	size_t first = two_entries(&whole);

	make_store(&t);
	for (size_t cut = first; cut < whole.len; cut++) {
		struct buf part = { .data = whole.data, .len = cut };
		struct journal_pos pos = { 0, 0 };
		char what[32];

		snprintf(what, sizeof(what), "cut at %zu", cut);
		temp_write(&t, FILE_1, whole.data, cut);
		expect_read(&t, &pos, 0, "{\"first\":\"entry\"}\n", what);
		cr_expect_eq(pos.offset, first, "%s", what);
		expect_repair(&t, &part, first, what);
	}
	expect_repair(&t, &whole, whole.len, "not cut");
}

Test(journal, cut_at_every_byte_of_the_only_entry)
{
	auto_temp t = temp_make();
	auto_buf whole = BUF_INIT;

	put_entry(&whole, "{\"first\":\"entry\"}", 17);
	make_store(&t);
	for (size_t cut = 0; cut < whole.len; cut++) {
		struct buf part = { .data = whole.data, .len = cut };

		expect_repair(&t, &part, 0, "only entry");
	}
}

Test(journal, every_bit_of_the_last_entry_flipped)
{
	auto_temp t = temp_make();
	auto_buf bytes = BUF_INIT;
	size_t first = two_entries(&bytes);

	make_store(&t);
	for (size_t bit = first * 8; bit < bytes.len * 8; bit++) {
		struct journal_pos pos = { 0, 0 };
		char what[32];

		snprintf(what, sizeof(what), "bit %zu", bit);
		bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (bit % 5 == 0) { /* the whole cycle, with its syncs, for some */
			expect_repair(&t, &bytes, first, what);
		}
		temp_write(&t, FILE_1, bytes.data, bytes.len);
		expect_read(&t, &pos, 0, "{\"first\":\"entry\"}\n", what);
		cr_expect_eq(pos.offset, first, "%s", what);
		bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* A crash of the machine can leave a longer file with nothing in it. */
Test(journal, zeros_behind_the_end)
{
	static const size_t counts[] = { 1,  7,    8,     9,
					 16, 4096, 20000, CAP_JOURNAL_ENTRY + JOURNAL_HEADER - 1 };
	auto_temp t = temp_make();

	make_store(&t);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		auto_buf bytes = BUF_INIT;
		auto_free char *zeros = calloc(1, counts[i]);
		struct journal_pos pos = { 0, 0 };
		size_t whole;

		cr_assert_not_null(zeros);
		two_entries(&bytes);
		whole = bytes.len;
		buf_put(&bytes, zeros, counts[i]);
		temp_write(&t, FILE_1, bytes.data, bytes.len);
		expect_read(&t, &pos, 0,
			    "{\"first\":\"entry\"}\n{\"second\":\"entry, a little longer\"}\n",
			    "zeros");
		cr_expect_eq(pos.offset, whole);
		expect_repair(&t, &bytes, whole, "zeros");
	}
}

Test(journal, more_than_a_crash_leaves_is_damage_and_is_not_cut)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_buf bytes = BUF_INIT;
	auto_buf after = BUF_INIT;
	auto_free char *junk = malloc(ENTRY_MAX);
	struct journal_pos pos = { 9, 9 };
	struct err err = ERR_INIT;

	cr_assert_not_null(junk);
	memset(junk, 0xa5, ENTRY_MAX);
	two_entries(&bytes);
	buf_put(&bytes, junk, ENTRY_MAX);
	make_store(&t);
	temp_write(&t, FILE_1, bytes.data, bytes.len);
	open_store(&t, &s);
	cr_expect_eq(journal_append(&s, "new", 3, &pos, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "journal/0001.log is damaged"), "%s", err.text);
	after = temp_slurp(&t, FILE_1);
	cr_expect_eq(after.len, bytes.len);
	pos = (struct journal_pos){ 0, 0 };
	expect_read(&t, &pos, -EBADMSG,
		    "{\"first\":\"entry\"}\n{\"second\":\"entry, a little longer\"}\n", "damage");
}

Test(journal, damage_in_the_middle_is_told_and_costs_no_entry)
{
	auto_temp t = temp_make();
	auto_buf bytes = BUF_INIT;
	size_t first, whole;

	put_entry(&bytes, "zero", 4);
	first = bytes.len;
	two_entries(&bytes);
	whole = bytes.len;
	make_store(&t);
	for (size_t at = first; at < first + JOURNAL_HEADER + 17; at++) {
		struct journal_pos pos = { 0, 0 };
		size_t torn = at % 3 == 0 ? 5 : 0;

		bytes.data[at] ^= 0x40;
		buf_put(&bytes, "\x20\0\0\0t", torn);
		temp_write(&t, FILE_1, bytes.data, bytes.len);
		expect_read(&t, &pos, -EBADMSG, "zero\n", "middle");
		cr_expect_eq(pos.file, 0u, "untouched");
		expect_repair(&t, &bytes, whole, "middle");
		bytes.len = whole;
		bytes.data[at] ^= 0x40;
	}
}

/* The search from the end looks for zero bytes: they can be in the crc too. */
Test(journal, zero_bytes_in_the_crc)
{
	auto_temp t = temp_make();
	unsigned int found = 0;

	make_store(&t);
	for (unsigned int i = 0; i < 1000000 && found != 15; i++) {
		char json[32];
		int len = snprintf(json, sizeof(json), "{\"n\":%u}", i);
		uint32_t crc = (uint32_t)crc32(0, (const Bytef *)json, (uInt)len);

		for (unsigned int k = 0; k < 4; k++) {
			auto_buf bytes = BUF_INIT;

			if ((crc >> 8 * k & 0xff) != 0 || (found & 1u << k) != 0) {
				continue;
			}
			found |= 1u << k;
			put_entry(&bytes, "first", 5);
			put_entry(&bytes, json, (size_t)len);
			expect_repair(&t, &bytes, bytes.len, json);
		}
	}
	cr_expect_eq(found, 15u);
}

/* Lengths on both sides of the windows in which the end is looked for. */
Test(journal, long_last_entries)
{
	static const size_t lens[] = {
		16368, 16375, 16376, 16377, 16384, 100000, CAP_JOURNAL_ENTRY - 1, CAP_JOURNAL_ENTRY
	};
	auto_temp t = temp_make();
	auto_free char *json = malloc(CAP_JOURNAL_ENTRY);

	cr_assert_not_null(json);
	memset(json, 'j', CAP_JOURNAL_ENTRY);
	make_store(&t);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		auto_buf bytes = BUF_INIT;
		struct buf torn;

		put_entry(&bytes, json, CAP_JOURNAL_ENTRY);
		put_entry(&bytes, json, lens[i]);
		expect_repair(&t, &bytes, bytes.len, "whole");
		torn = (struct buf){ .data = bytes.data, .len = bytes.len - 1 };
		expect_repair(&t, &torn, ENTRY_MAX, "torn");
	}
}

Test(journal, after_a_cut_room_is_reserved_again)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct stat st;

	make_store(&t);
	open_store(&t, &s);
	cr_assert_eq(fdio_pwrite(s.journal_fd, "torn", 4, 0), 0);
	append(&s, "new");
	cr_assert_eq(fstat(s.journal_fd, &st), 0);
	cr_expect_eq(st.st_size, 11);
	cr_expect_geq((uint64_t)st.st_blocks * 512, CAP_JOURNAL_ENTRY + 8);
}

/* ---- failures -------------------------------------------------------------------------------- */

Test(journal, failed_write_leaves_no_entry)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct rlimit limit, before;
	struct journal_pos pos = { 9, 9 };
	struct err err = ERR_INIT;
	struct stat st;

	signal(SIGXFSZ, SIG_IGN);
	open_store(&t, &s);
	append(&s, "one");
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){ .rlim_cur = 11 + 12, .rlim_max = before.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(journal_append(&s, "longer than the limit", 21, &pos, &err), -EFBIG);
	cr_expect_eq(pos.file, 9u);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	cr_assert_eq(fstat(s.journal_fd, &st), 0);
	cr_expect_eq(st.st_size, 11);
	pos = append(&s, "two");
	cr_expect_eq(pos.offset, 11u);
}

Test(journal, removed_under_us_is_refused)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct journal_pos pos;
	struct err err = ERR_INIT;
	char path[256];

	open_store(&t, &s);
	append(&s, "one");
	temp_path(&t, FILE_1, path);
	cr_assert_eq(unlink(path), 0);
	cr_expect_eq(journal_append(&s, "two", 3, &pos, &err), -ESTALE);
	cr_expect_not_null(strstr(err.text, "was removed"), "%s", err.text);
}

Test(journal, positions_that_are_not_there)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct journal_pos pos = { 1, 12 };

	open_store(&t, &s);
	append(&s, "one");
	expect_read(&t, &pos, -ESTALE, "", "behind the end");
	pos = (struct journal_pos){ 2, 0 };
	expect_read(&t, &pos, -ESTALE, "", "a later file");
	pos = (struct journal_pos){ 1, 11 };
	expect_read(&t, &pos, 0, "", "the end");
}

/* ---- several files, several writers ---------------------------------------------------------- */

/* A first file that is nearly full: a hole, then one whole entry. */
static uint64_t
make_full(const struct temp *t, size_t left)
{
	auto_buf entry = BUF_INIT;
	auto_fd fd = -1;
	char path[256];
	uint64_t at;

	make_store(t);
	put_entry(&entry, "{\"last\":1}", 10);
	at = CAP_JOURNAL_FILE - left - entry.len;
	temp_path(t, FILE_1, path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(fdio_pwrite(fd, entry.data, entry.len, (off_t)at), 0);
	return at;
}

Test(journal, rolls_when_full)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct journal_pos pos, from = { 1, 0 };

	from.offset = make_full(&t, 20);
	open_store(&t, &s);
	cr_expect_eq(s.journal_number, 1u);
	pos = append(&s, "{\"fits\":123}"); /* exactly */
	cr_expect_eq(pos.file, 1u);
	pos = append(&s, "2");
	cr_expect_eq(pos.file, 2u);
	cr_expect_eq(pos.offset, 0u);
	pos = append(&s, "3");
	cr_expect_eq(pos.file, 2u);
	cr_expect_eq(pos.offset, 9u);
	expect_read(&t, &from, 0, "{\"last\":1}\n{\"fits\":123}\n2\n3\n", "over both");
	cr_expect_eq(from.file, 2u);
	cr_expect_eq(from.offset, 18u);
}

Test(journal, who_waits_while_another_rolls_follows)
{
	auto_temp t = temp_make();
	auto_store a = STORE_INIT;
	auto_store b = STORE_INIT;
	auto_store c = STORE_INIT;
	struct journal_pos pos;

	make_full(&t, 0);
	open_store(&t, &a);
	open_store(&t, &b);
	pos = append(&a, "a");
	cr_expect_eq(pos.file, 2u);
	cr_expect_eq(b.journal_number, 1u);
	pos = append(&b, "b");
	cr_expect_eq(pos.file, 2u);
	cr_expect_eq(pos.offset, 9u);
	open_store(&t, &c);
	cr_expect_eq(c.journal_number, 2u);
	cr_assert_eq(journal_create(a.dir_fd, 3), 0);
	cr_assert_eq(journal_create(a.dir_fd, 4), 0);
	pos = append(&b, "b");
	cr_expect_eq(pos.file, 4u);
	expect_read(&t, &(struct journal_pos){ 2, 0 }, 0, "a\nb\nb\n", "over empty files");
}

Test(journal, torn_end_of_an_older_file_is_damage)
{
	auto_temp t = temp_make();
	auto_buf bytes = BUF_INIT;
	struct journal_pos pos = { 0, 0 };

	make_store(&t);
	two_entries(&bytes);
	temp_write(&t, FILE_1, bytes.data, bytes.len - 1);
	bytes.len = 0;
	put_entry(&bytes, "next", 4);
	temp_write(&t, FILE_2, bytes.data, bytes.len);
	expect_read(&t, &pos, -EBADMSG, "{\"first\":\"entry\"}\n", "older");
}

#define WRITERS 4
#define EACH 60

struct writer {
	const struct temp *t;
	unsigned int number;
	int result;
};

/* A store of its own: a lock belongs to an open file, not to a thread. */
static void *
write_entries(void *arg)
{
	struct writer *w = arg;
	auto_store s = STORE_INIT;
	struct journal_pos pos;

	w->result = store_open_write(w->t->state, &s, NULL);
	for (unsigned int i = 0; i < EACH && w->result == 0; i++) {
		char json[64];
		int len = snprintf(json, sizeof(json), "{\"i\":%u,\"writer\":%u}", i, w->number);

		w->result = journal_append(&s, json, (size_t)len, &pos, NULL);
	}
	return NULL;
}

/* Every writer's entries in its order, none twice. */
static int
check_order(void *arg, struct journal_pos pos, const uint8_t *json, size_t len)
{
	unsigned int *next = arg;
	char text[64] = "";
	unsigned int i = 0, w = 0;

	(void)pos;
	if (len >= sizeof(text)) {
		return -EBADMSG;
	}
	memcpy(text, json, len);
	if (sscanf(text, "{\"i\":%u,\"writer\":%u}", &i, &w) != 2 || w >= WRITERS || next[w] != i) {
		return -EBADMSG;
	}
	next[w]++;
	return 0;
}

/* ---- an entry that is taken back ------------------------------------------------------------ */

struct walker {
	const struct temp *t;
	struct seen seen;
	int result;
};

static void *
walk_journal(void *arg)
{
	struct walker *w = arg;
	auto_store s = STORE_INIT;
	struct journal_pos next;

	w->result = store_open_read(w->t->state, &s, NULL);
	if (w->result == 0) {
		w->result = journal_read(&s, (struct journal_pos){ 0, 0 }, &next, see, &w->seen,
					 NULL);
	}
	return NULL;
}

/* A whole entry whose writer is not done: its sync may fail, and then another one stands there. */
Test(journal, nobody_reads_an_entry_before_its_writer_is_done)
{
	static const uint8_t first[] = "{\"durable\":1}", ghost[] = "{\"ghost\":123}",
			     other[] = "{\"other\":123}";
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct walker w = { .t = &t, .seen = { .text = BUF_INIT }, .result = 1 };
	auto_buf bytes = BUF_INIT;
	pthread_t thread;
	struct stat st;
	bool done = false;

	open_store(&t, &s);
	append(&s, (const char *)first);
	cr_assert_eq(store_lock(s.journal_fd, LOCK_EX), 0);
	cr_assert_eq(fstat(s.journal_fd, &st), 0);
	put_entry(&bytes, ghost, sizeof(ghost) - 1);
	cr_assert_eq(fdio_pwrite(s.journal_fd, bytes.data, bytes.len, st.st_size), 0);
	cr_assert_eq(pthread_create(&thread, NULL, walk_journal, &w), 0);
	while (!done && !locks_is_waited_for(st.st_ino)) {
		done = pthread_tryjoin_np(thread, NULL) == 0;
		sched_yield();
	}
	cr_expect_not(done, "it waits");
	buf_reset(&bytes);
	put_entry(&bytes, other, sizeof(other) - 1);
	cr_assert_eq(fdio_pwrite(s.journal_fd, bytes.data, bytes.len, st.st_size), 0);
	cr_assert_eq(store_lock(s.journal_fd, LOCK_UN), 0);
	if (!done) {
		cr_assert_eq(pthread_join(thread, NULL), 0);
	}
	cr_expect_eq(w.result, 0);
	cr_expect_str_eq(buf_text(&w.seen.text), "{\"durable\":1}\n{\"other\":123}\n");
	buf_finish(&w.seen.text);
}

/* They roll on the way, and a reader follows them. */
Test(journal, many_writers_and_a_reader, .timeout = 120)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	struct journal_pos pos = { 1, 0 };
	unsigned int next[WRITERS] = { 0 }, walks = 0, total = 0;
	struct err err = ERR_INIT;

	pos.offset = make_full(&t, 3000) + JOURNAL_HEADER + 10;
	for (unsigned int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .t = &t, .number = i, .result = 1 };
		cr_assert_eq(pthread_create(&threads[i], NULL, write_entries, &writers[i]), 0);
	}
	cr_assert_eq(store_open_read(t.state, &s, &err), 0, "%s", err.text);
	while (total < WRITERS * EACH && walks++ < 1000000) {
		cr_assert_eq(journal_read(&s, pos, &pos, check_order, next, &err), 0, "%s",
			     err.text);
		total = next[0] + next[1] + next[2] + next[3];
		sched_yield();
	}
	for (unsigned int i = 0; i < WRITERS; i++) {
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
		cr_expect_eq(writers[i].result, 0);
	}
	cr_expect_eq(total, (unsigned int)WRITERS * EACH);
	cr_expect_eq(pos.file, 2u);
}
