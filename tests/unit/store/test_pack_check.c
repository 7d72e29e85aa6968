/* SPDX-License-Identifier: Apache-2.0 */
/* pack_check.c: one thing is wrong in the packs of a call, and is named. Run by `make unit`. */
#include "store_temp.h"

#include "../../../launcher/base/text.h"
#include "../../../launcher/store/pack_format.h"
#include "../told.h"

#define HERE "wf/01010101-0101-0101-0101-010101010101/"
#define PACK_1 HERE "pack-02020202-0202-0202-0202-020202020202-01.alp"
#define PACK_2 HERE "pack-02020202-0202-0202-0202-020202020202-02.alp"
#define HAVE HERE "have"

static const uint8_t workflow[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
static const uint8_t call[16] = { 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 };

#define auto_pack __attribute__((cleanup(pack_finish))) struct pack

static int
tell(void *arg, const char *file, uint64_t offset, const char *what)
{
	struct told *told = arg;

	buf_printf(&told->lines, "%s %llu %s\n", strrchr(file, '/') + 1, (unsigned long long)offset,
		   what);
	return told->stop;
}

/* "one" (3 bytes) and "four" (4): records of 72 bytes, the first with 5 of padding. */
static void
make_pack(const struct temp *t, struct store *s)
{
	static const char *const texts[] = { "one", "four" };
	auto_pack p = PACK_INIT;
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t->state, s, &err), 0, "%s", err.text);
	cr_assert_eq(pack_init(&p, s, workflow, call, &err), 0, "%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		cr_assert_eq(pack_put(&p, OBJECT_BLOB, texts[i], strlen(texts[i]), digest, &err),
			     0);
	}
	cr_assert_eq(pack_sync(&p, &err), 0, "%s", err.text);
	cr_assert_eq(pack_publish(&p), 0);
}

static int
check(struct store *s, struct told *told, struct pack_sum *sum)
{
	struct err err = ERR_INIT;

	return pack_check(s, workflow, call, tell, told, sum, &err);
}

static void
flip(const struct temp *t, const char *name, off_t at)
{
	auto_buf b = temp_slurp(t, name);

	cr_assert_lt((size_t)at, b.len);
	b.data[at] ^= 1;
	temp_write(t, name, b.data, b.len);
}

Test(pack_check, counts_objects_and_chains_their_names)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_told told = { .stop = 0 };
	struct pack_sum sum = { .objects = 9 };
	uint8_t names[2][SHA256_SIZE], digest[SHA256_SIZE];

	make_pack(&t, &s);
	cr_expect_eq(check(&s, &told, &sum), 0);
	cr_expect_str_eq(buf_text(&told.lines), "");
	cr_expect_eq(sum.files, 1);
	cr_expect_eq(sum.objects, 2);
	cr_expect_eq(sum.bytes, 7);
	sha256_of("one", 3, names[0]);
	sha256_of("four", 4, names[1]);
	sha256_of(names, sizeof(names), digest);
	cr_expect_arr_eq(sum.digest, digest, SHA256_SIZE);
}

Test(pack_check, a_call_without_packs)
{
	static const uint8_t other[16] = { 3 };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_told told = { .stop = 0 };
	struct pack_sum sum;
	struct err err = ERR_INIT;
	uint8_t digest[SHA256_SIZE];

	make_pack(&t, &s);
	cr_expect_eq(pack_check(&s, workflow, other, tell, &told, &sum, &err), 0);
	cr_expect_eq(sum.files, 0);
	cr_expect_eq(sum.objects, 0);
	sha256_of("", 0, digest);
	cr_expect_arr_eq(sum.digest, digest, SHA256_SIZE);
}

Test(pack_check, one_thing_is_wrong)
{
	static const struct {
		off_t at;   /* a bit is flipped there; -1: not */
		off_t size; /* cut to that; -1: not */
		const char *lines;
		uint64_t objects;
	} rows[] = {
		{ 0, -1,
		  "pack-02020202-0202-0202-0202-020202020202-01.alp 0 no header of an "
		  "object\n",
		  0 },
		{ 30, -1,
		  "pack-02020202-0202-0202-0202-020202020202-01.alp 0 no header of an "
		  "object\n",
		  0 },
		{ 64, -1,
		  "pack-02020202-0202-0202-0202-020202020202-01.alp 0 the object has "
		  "another digest than its name\n",
		  2 },
		{ 67, -1,
		  "pack-02020202-0202-0202-0202-020202020202-01.alp 0 bytes behind the "
		  "object are not zero\n",
		  2 },
		{ 72, -1,
		  "pack-02020202-0202-0202-0202-020202020202-01.alp 72 no header of an "
		  "object\n",
		  1 },
		{ -1, 143,
		  "pack-02020202-0202-0202-0202-020202020202-01.alp 72 the end of an "
		  "object is missing\n",
		  1 },
		{ -1, 100,
		  "pack-02020202-0202-0202-0202-020202020202-01.alp 72 the end of an "
		  "object is missing\n",
		  1 },
		{ -1, 145,
		  "pack-02020202-0202-0202-0202-020202020202-01.alp 144 the end of an "
		  "object is missing\n",
		  2 },
		{ -1, 72, "", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_temp t = temp_make();
		auto_store s = STORE_INIT;
		auto_told told = { .stop = 0 };
		struct pack_sum sum;
		char path[256];

		make_pack(&t, &s);
		if (rows[i].at >= 0) {
			flip(&t, PACK_1, rows[i].at);
		}
		temp_path(&t, PACK_1, path);
		cr_assert(rows[i].size < 0 || truncate(path, rows[i].size) == 0);
		cr_expect_eq(check(&s, &told, &sum), 0, "row %zu", i);
		cr_expect_str_eq(buf_text(&told.lines), rows[i].lines, "row %zu", i);
		cr_expect_eq(sum.objects, rows[i].objects, "row %zu: %llu", i,
			     (unsigned long long)sum.objects);
	}
}

Test(pack_check, order_and_number_change_the_sum)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_told told = { .stop = 0 };
	struct pack_sum before, after;
	auto_buf b = BUF_INIT, swapped = BUF_INIT;

	make_pack(&t, &s);
	cr_expect_eq(check(&s, &told, &before), 0);
	b = temp_slurp(&t, PACK_1);
	cr_assert_eq(b.len, 144);
	buf_put(&swapped, b.data + 72, 72);
	buf_put(&swapped, b.data, 72);
	temp_write(&t, PACK_1, swapped.data, swapped.len);
	cr_expect_eq(check(&s, &told, &after), 0);
	cr_expect_eq(after.objects, 2);
	cr_expect_neq(memcmp(before.digest, after.digest, SHA256_SIZE), 0);
	/* the next file of the call counts, one behind a gap does not */
	temp_write(&t, PACK_1, b.data, 72);
	temp_write(&t, PACK_2, b.data + 72, 72);
	cr_expect_eq(check(&s, &told, &after), 0);
	cr_expect_eq(after.files, 2);
	cr_expect_arr_eq(before.digest, after.digest, SHA256_SIZE);
	cr_expect_str_eq(buf_text(&told.lines), "");
}

Test(pack_check, what_fn_says_ends_it)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_told told = { .stop = 42 };
	struct pack_sum sum;

	make_pack(&t, &s);
	flip(&t, PACK_1, 64);
	cr_expect_eq(check(&s, &told, &sum), 42);
}

Test(pack_check, a_link_is_not_followed)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_told told = { .stop = 0 };
	struct pack_sum sum;
	char path[256], kept[256];

	make_pack(&t, &s);
	temp_path(&t, PACK_1, path);
	temp_path(&t, "kept", kept);
	cr_assert_eq(rename(path, kept), 0);
	cr_assert_eq(symlink(kept, path), 0);
	cr_expect_eq(check(&s, &told, &sum), -ELOOP);
}

/* ---- have ------------------------------------------------------------------------------------ */

static int
check_have(struct store *s, struct told *told)
{
	struct err err = ERR_INIT;

	return pack_check_have(s, workflow, tell, told, &err);
}

Test(pack_check, have_names_what_is_there)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_told told = { .stop = 0 };
	auto_buf have = BUF_INIT;
	uint8_t digest[SHA256_SIZE];

	make_pack(&t, &s);
	have = temp_slurp(&t, HAVE);
	cr_expect_eq(have.len, 2 * SHA256_SIZE);
	cr_expect_eq(check_have(&s, &told), 0);
	/* zeros and a torn digest are what a crash leaves */
	memset(digest, 0, sizeof(digest));
	buf_put(&have, digest, sizeof(digest));
	buf_put(&have, "torn", 4);
	temp_write(&t, HAVE, have.data, have.len);
	cr_expect_eq(check_have(&s, &told), 0);
	cr_expect_str_eq(buf_text(&told.lines), "");
	sha256_of("nowhere", 7, digest);
	have.len = 2 * SHA256_SIZE;
	buf_put(&have, digest, sizeof(digest));
	temp_write(&t, HAVE, have.data, have.len);
	cr_expect_eq(check_have(&s, &told), 0);
	cr_expect_str_eq(buf_text(&told.lines), "have 64 names an object that no pack has\n");
	told.stop = 42;
	cr_expect_eq(check_have(&s, &told), 42);
}

Test(pack_check, without_have_or_without_packs)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_told told = { .stop = 0 };
	char path[256];

	make_pack(&t, &s);
	temp_path(&t, PACK_1, path);
	cr_assert_eq(unlink(path), 0);
	cr_expect_eq(check_have(&s, &told), 0);
	cr_expect_str_eq(buf_text(&told.lines), "have 0 names an object that no pack has\n"
						"have 32 names an object that no pack has\n");
	temp_path(&t, HAVE, path);
	cr_assert_eq(unlink(path), 0);
	buf_reset(&told.lines);
	cr_expect_eq(check_have(&s, &told), 0);
	cr_expect_str_eq(buf_text(&told.lines), "");
}
