/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Objects found again, and every way in which they are not what they
 * say. */
#include <zstd.h>

#include "store_temp.h"

#include "../../../launcher/base/limits.h"
#include "../../../launcher/base/text.h"
#include "../../../launcher/store/pack_format.h"

#define HERE "wf/01010101-0101-0101-0101-010101010101/"
#define PACK_1 HERE "pack-02020202-0202-0202-0202-020202020202-01.alp"
#define PACK_OTHER HERE "pack-03030303-0303-0303-0303-030303030303-01.alp"

static const uint8_t workflow[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
static const uint8_t call[16] = { 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 };

#define auto_pack __attribute__((cleanup(pack_finish))) struct pack

/* Stores the texts in one pack, in order. */
static void
store_texts(struct store *s, const char *const *texts, size_t count)
{
	auto_pack p = PACK_INIT;
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(pack_init(&p, s, workflow, call, &err), 0, "%s", err.text);
	for (size_t i = 0; i < count; i++) {
		cr_assert_eq(pack_put(&p, OBJECT_BLOB, texts[i], strlen(texts[i]), digest, &err),
			     0);
	}
	cr_assert_eq(pack_sync(&p, &err), 0, "%s", err.text);
	cr_assert_eq(pack_publish(&p), 0);
}

static void
open_store(const struct temp *t, struct store *s)
{
	struct err err = ERR_INIT;
	char path[256];

	cr_assert_eq(store_open_write(t->state, s, &err), 0, "%s", err.text);
	temp_path(t, HERE, path);
	cr_assert_eq(mkdir(path, 0700), 0);
}

/* By a catalog of its own: every pack that is there now is seen. */
static int
get(struct store *s, const uint8_t of[16], const uint8_t digest[SHA256_SIZE], struct buf *out,
    enum object_type *ret_type, struct err *err)
{
	struct pack_catalog *c = NULL;
	int r = pack_catalog_create(s, of, &c, err);

	if (r == 0) {
		r = pack_catalog_get(c, digest, out, ret_type, err);
		pack_catalog_destroy(c);
	}
	return r;
}

static void
expect_get_digest(struct store *s, const uint8_t digest[SHA256_SIZE], int result, const void *data,
		  size_t len, const char *what)
{
	auto_buf out = BUF_INIT;
	enum object_type type = OBJECT_RECORD;
	struct err err = ERR_INIT;

	buf_puts(&out, "before");
	cr_expect_eq(get(s, workflow, digest, &out, &type, &err), result, "%s: %s", what,
		     err.text);
	cr_expect_eq(err.code, result, "%s", what);
	if (result < 0) {
		cr_expect_str_eq(buf_text(&out), "before", "%s", what);
		cr_expect_eq(type, OBJECT_RECORD, "%s", what);
		return;
	}
	cr_assert_eq(out.len, len + 6, "%s", what);
	cr_expect_eq(memcmp(out.data + 6, data, len), 0, "%s", what);
}

static void
expect_get(struct store *s, const char *text, int result, const char *what)
{
	uint8_t digest[SHA256_SIZE];

	sha256_of(text, strlen(text), digest);
	expect_get_digest(s, digest, result, text, strlen(text), what);
}

/* One record with a header of these values; the payload as given. */
static void
put_record(struct buf *b, enum object_type type, enum pack_codec codec, uint64_t plain,
	   const uint8_t digest[SHA256_SIZE], const void *payload, size_t stored)
{
	struct pack_header h = { .type = type, .codec = codec, .plain = plain, .stored = stored };
	uint8_t bytes[PACK_HEADER];

	memcpy(h.digest, digest, SHA256_SIZE);
	pack_header_encode(&h, bytes);
	buf_put(b, bytes, sizeof(bytes));
	buf_put(b, payload, stored);
	buf_put(b, "\0\0\0\0\0\0\0", pack_padding(stored));
}

Test(pack_read, finds_what_was_stored)
{
	static const char *const texts[] = { "hello", "",
					     "a longer text, which is not a multiple of eight" };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_buf out = BUF_INIT;
	enum object_type type = OBJECT_RECORD;
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;

	open_store(&t, &s);
	store_texts(&s, texts, ARRAY_LEN(texts));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		expect_get(&s, texts[i], 0, texts[i]);
	}
	sha256_of("hello", 5, digest);
	cr_assert_eq(get(&s, workflow, digest, &out, &type, &err), 0);
	cr_expect_eq(type, OBJECT_BLOB);
	cr_expect_str_eq(buf_text(&out), "hello");
}

Test(pack_read, absent_is_told_with_its_name)
{
	static const char *const texts[] = { "hello" };
	static const uint8_t other_workflow[16] = { 7 };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_buf out = BUF_INIT;
	enum object_type type = OBJECT_RECORD;
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;
	char path[256];

	open_store(&t, &s);
	expect_get(&s, "hello", -ENOENT, "empty workflow");
	store_texts(&s, texts, 1);
	expect_get(&s, "hello", 0, "stored");
	expect_get(&s, "other", -ENOENT, "never stored");
	sha256_of("hello", 5, digest);
	cr_expect_eq(get(&s, other_workflow, digest, &out, &type, &err), -ENOENT);
	temp_path(&t, PACK_1, path);
	cr_assert_eq(unlink(path), 0);
	cr_expect_eq(temp_exists(&t, HERE "have"), true);
	cr_expect_eq(get(&s, workflow, digest, &out, &type, &err), -ENOENT);
	cr_expect_str_eq(err.text,
			 "object 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824, "
			 "or a part of it, "
			 "is in no pack of workflow 01010101-0101-0101-0101-010101010101");
}

/* What is whole before the cut is found, what is cut is not. */
Test(pack_read, cut_at_every_byte_of_the_last_record)
{
	static const char *const texts[] = { "hello", "second" };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_buf whole = BUF_INIT;

	open_store(&t, &s);
	store_texts(&s, texts, 2);
	whole = temp_slurp(&t, PACK_1);
	cr_assert_eq(whole.len, 144u);
	for (size_t cut = 72; cut < whole.len; cut++) {
		char what[32];

		snprintf(what, sizeof(what), "cut at %zu", cut);
		temp_write(&t, PACK_1, whole.data, cut);
		expect_get(&s, "hello", 0, what);
		expect_get(&s, "second", -ENOENT, what);
	}
}

Test(pack_read, every_bit_of_the_first_record_flipped)
{
	static const char *const texts[] = { "hello" };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_buf bytes = BUF_INIT;

	open_store(&t, &s);
	store_texts(&s, texts, 1);
	bytes = temp_slurp(&t, PACK_1);
	for (size_t bit = 0; bit < (64 + 5) * 8; bit++) {
		char what[32];

		snprintf(what, sizeof(what), "bit %zu", bit);
		bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		temp_write(&t, PACK_1, bytes.data, bytes.len);
		expect_get(&s, "hello", bit < 64 * 8 ? -ENOENT : -EBADMSG, what);
		bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

Test(pack_read, a_good_copy_elsewhere_is_taken)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_buf bad = BUF_INIT;
	auto_buf both = BUF_INIT;
	uint8_t digest[SHA256_SIZE];

	open_store(&t, &s);
	sha256_of("hello", 5, digest);
	put_record(&bad, OBJECT_BLOB, CODEC_RAW, 5, digest, "hELLO", 5);
	temp_write(&t, PACK_1, bad.data, bad.len);
	expect_get(&s, "hello", -EBADMSG, "only a bad copy");
	put_record(&both, OBJECT_BLOB, CODEC_RAW, 5, digest, "hELLO", 5);
	put_record(&both, OBJECT_BLOB, CODEC_RAW, 5, digest, "hello", 5);
	temp_write(&t, PACK_OTHER, both.data, both.len);
	expect_get(&s, "hello", 0, "a good one behind a bad one");
	temp_write(&t, PACK_OTHER, bad.data, bad.len);
	temp_write(&t, HERE "not-a-pack.alp", both.data, both.len);
	temp_write(&t, HERE "pack-x.alp.tmp", both.data, both.len);
	expect_get(&s, "hello", -EBADMSG, "other files are no packs");
}

/* A list that is not the object's is a bad copy as any other. */
Test(pack_read, a_good_copy_behind_a_bad_list_is_taken)
{
	static const char list[] = "airlock-parts v1\n";
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_buf b = BUF_INIT;
	uint8_t digest[SHA256_SIZE];

	open_store(&t, &s);
	sha256_of("hello", 5, digest);
	put_record(&b, OBJECT_PARTS, CODEC_RAW, strlen(list), digest, list, strlen(list));
	temp_write(&t, PACK_1, b.data, b.len);
	expect_get(&s, "hello", -EBADMSG, "only the list");
	put_record(&b, OBJECT_BLOB, CODEC_RAW, 5, digest, "hello", 5);
	temp_write(&t, PACK_1, b.data, b.len);
	expect_get(&s, "hello", 0, "the object behind it");
}

Test(pack_read, zstd)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	char plain[5000], packed[6000];
	uint8_t digest[SHA256_SIZE];
	size_t n;

	open_store(&t, &s);
	memset(plain, 'z', sizeof(plain));
	sha256_of(plain, sizeof(plain), digest);
	n = ZSTD_compress(packed, sizeof(packed), plain, sizeof(plain), 1);
	cr_assert_eq(ZSTD_isError(n), 0u);
	for (unsigned int i = 0; i < 5; i++) {
		/* as it should be; each length wrong by one; cut; a bit flipped */
		static const int results[] = { 0, -EBADMSG, -EBADMSG, -EBADMSG, -EBADMSG };
		auto_buf b = BUF_INIT;
		const uint64_t lens[] = { 5000, 4999, 5001, 5000, 5000 };

		packed[n / 2] ^= i == 4 ? 1 : 0;
		put_record(&b, OBJECT_BLOB, CODEC_ZSTD, lens[i], digest, packed,
			   i == 3 ? n - 1 : n);
		temp_write(&t, PACK_1, b.data, b.len);
		expect_get_digest(&s, digest, results[i], plain, sizeof(plain), "zstd");
	}
}

Test(pack_read, lengths_that_cannot_be)
{
	/* clang-format off */
	static const struct {
		const char *what;
		enum pack_codec codec;
		uint64_t plain;
		int result;
	} rows[] = {
		{ "raw, right", CODEC_RAW, 5, 0 },
		{ "raw, plain too long", CODEC_RAW, 6, -EBADMSG },
		{ "zstd, more than anybody holds", CODEC_ZSTD, (UINT64_C(1) << 30) + 1, -EBADMSG },
		{ "zstd, beyond all memory", CODEC_ZSTD, UINT64_MAX, -EBADMSG },
		{ "encrypted", CODEC_ZSTD_AEAD, 5, -EOPNOTSUPP },
	};
	/* clang-format on */
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	uint8_t digest[SHA256_SIZE];

	open_store(&t, &s);
	sha256_of("hello", 5, digest);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		put_record(&b, OBJECT_BLOB, rows[i].codec, rows[i].plain, digest, "hello", 5);
		temp_write(&t, PACK_1, b.data, b.len);
		expect_get(&s, "hello", rows[i].result, rows[i].what);
	}
}

Test(pack_read, stored_length_beyond_the_file_ends_the_pack)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	static const uint64_t lens[] = { 9, UINT64_MAX, UINT64_MAX - 7, UINT64_MAX - 63,
					 UINT64_C(1) << 63 };
	uint8_t digest[SHA256_SIZE];

	open_store(&t, &s);
	sha256_of("hello", 5, digest);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		struct pack_header h = { .type = OBJECT_BLOB, .plain = 5, .stored = lens[i] };
		auto_buf b = BUF_INIT;
		uint8_t bytes[PACK_HEADER];

		memcpy(h.digest, digest, SHA256_SIZE);
		pack_header_encode(&h, bytes);
		buf_put(&b, bytes, sizeof(bytes));
		buf_put(&b, "hello\0\0\0", 8);
		temp_write(&t, PACK_1, b.data, b.len);
		expect_get(&s, "hello", -ENOENT, "beyond");
	}
}

Test(pack_read, parts_come_back_whole)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	const size_t size = CAP_PARTS_FROM + 12345;
	auto_free uint8_t *data = malloc(size);
	auto_buf out = BUF_INIT;
	enum object_type type = OBJECT_RECORD;
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_assert_not_null(data);
	for (size_t i = 0; i < size; i++) {
		data[i] = (uint8_t)(i * 31 + i / 4096);
	}
	open_store(&t, &s);
	cr_assert_eq(pack_init(&p, &s, workflow, call, &err), 0);
	cr_assert_eq(pack_put(&p, OBJECT_BLOB, data, size, digest, &err), 0, "%s", err.text);
	cr_assert_eq(pack_sync(&p, &err), 0);
	cr_assert_eq(get(&s, workflow, digest, &out, &type, &err), 0, "%s", err.text);
	cr_expect_eq(type, OBJECT_BLOB);
	cr_assert_eq(out.len, size);
	cr_expect_eq(memcmp(out.data, data, size), 0);
}

Test(pack_read, lists_of_parts_that_lie)
{
#define FIRST "2 fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603\n"  /* "ab" */
#define SECOND "1 2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6\n" /* "c" */
	/* clang-format off */
	static const struct { const char *list; int result; } rows[] = {
		{ "airlock-parts v1\n" FIRST SECOND, 0 },
		{ "airlock-parts v1\n" SECOND FIRST, -EBADMSG },
		{ "airlock-parts v1\n" FIRST, -EBADMSG },
		{ "airlock-parts v1\n", -EBADMSG },
		{ "airlock-parts v2\n" FIRST SECOND, -EBADMSG },
		{ "airlock-parts v1\n" FIRST "\n" SECOND, -EBADMSG },
		{ "airlock-parts v1\n" FIRST "0" SECOND, -EBADMSG },
		{ "airlock-parts v1\n" FIRST "+" SECOND, -EBADMSG },
		{ "airlock-parts v1\n" FIRST "1" SECOND, -EBADMSG },
		{ "airlock-parts v1\n" FIRST "99999999999999999999" SECOND, -EBADMSG },
		{ "airlock-parts v1\n" FIRST "1 2e7d", -EBADMSG },
		{ "airlock-parts v1\n" FIRST
		  "1 2E7D2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6\n", -EBADMSG },
		{ "airlock-parts v1\n" FIRST
		  "1 0000000000000000000000000000000000000000000000000000000000000001\n", -ENOENT },
	};
	/* clang-format on */
	static const char *const texts[] = { "ab", "c" };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	uint8_t digest[SHA256_SIZE];

	open_store(&t, &s);
	store_texts(&s, texts, 2);
	sha256_of("abc", 3, digest);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;
		size_t len = strlen(rows[i].list);

		put_record(&b, OBJECT_PARTS, CODEC_RAW, len, digest, rows[i].list, len);
		temp_write(&t, PACK_OTHER, b.data, b.len);
		expect_get_digest(&s, digest, rows[i].result, "abc", 3, rows[i].list);
	}
}

/* A list that names itself, or another list, is followed one step and no further. */
Test(pack_read, parts_of_parts_are_refused)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_buf list = BUF_INIT;
	auto_buf b = BUF_INIT;
	uint8_t digest[SHA256_SIZE];
	char hex[HEX_DIGEST_SIZE];

	open_store(&t, &s);
	sha256_of("abc", 3, digest);
	text_hex(digest, SHA256_SIZE, hex);
	buf_printf(&list, "airlock-parts v1\n3 %s\n", hex);
	put_record(&b, OBJECT_PARTS, CODEC_RAW, list.len, digest, list.data, list.len);
	temp_write(&t, PACK_1, b.data, b.len);
	expect_get_digest(&s, digest, -EBADMSG, "abc", 3, "itself");
}
