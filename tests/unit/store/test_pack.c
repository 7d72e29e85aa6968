/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. What a call stores: bytes, dedupe, rolling, parts, failures. */
#include <openssl/evp.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

#include "store_temp.h"

#include "../../../launcher/base/limits.h"
#include "../../../launcher/base/text.h"
#include "../../../launcher/store/pack_format.h"

#define HERE "wf/01010101-0101-0101-0101-010101010101/"
#define PACK_1 HERE "pack-02020202-0202-0202-0202-020202020202-01.alp"
#define PACK_2 HERE "pack-02020202-0202-0202-0202-020202020202-02.alp"

static const uint8_t workflow[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
static const uint8_t call[16] = { 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 };
static const uint8_t later_call[16] = { 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3 };

#define auto_pack __attribute__((cleanup(pack_finish))) struct pack

static void
open_store(const struct temp *t, struct store *s)
{
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t->state, s, &err), 0, "%s", err.text);
}

static void
open_pack(struct pack *p, struct store *s, const uint8_t id[16])
{
	struct err err = ERR_INIT;

	cr_assert_eq(pack_init(p, s, workflow, id, &err), 0, "%s", err.text);
}

static void
put(struct pack *p, enum object_type type, const void *data, size_t len)
{
	uint8_t digest[SHA256_SIZE], want[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(pack_put(p, type, data, len, digest, &err), 0, "%s", err.text);
	cr_assert_eq(EVP_Digest(data, len, want, NULL, EVP_sha256(), NULL), 1);
	cr_assert_arr_eq(digest, want, SHA256_SIZE);
	cr_assert_eq(pack_has(p, digest), true);
}

static void
sync_and_publish(struct pack *p)
{
	struct err err = ERR_INIT;

	cr_assert_eq(pack_sync(p, &err), 0, "%s", err.text);
	cr_assert_eq(pack_publish(p), 0);
}

/* A file with these bytes; the caller's fd. */
static int
file_of(const struct temp *t, const void *data, size_t len)
{
	int fd = open(t->base, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(fdio_write(fd, data, len), 0);
	return fd;
}

static uint8_t *
noise(size_t len, uint64_t seed)
{
	uint8_t *data = malloc(len);

	cr_assert_not_null(data);
	for (size_t i = 0; i < len; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		data[i] = (uint8_t)(seed >> 56);
	}
	return data;
}

Test(pack, golden_bytes)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	auto_buf got = BUF_INIT;
	struct pack_header h = { .type = OBJECT_BLOB, .codec = CODEC_RAW, .plain = 5, .stored = 5 };
	uint8_t want[3 * 64 + 16] = { 0 };

	open_store(&t, &s);
	open_pack(&p, &s, call);
	put(&p, OBJECT_BLOB, "hello", 5);
	put(&p, OBJECT_DIRECTORY, "airlock-", 8);
	put(&p, OBJECT_BLOB, "", 0);
	sync_and_publish(&p);
	sha256_of("hello", 5, h.digest);
	pack_header_encode(&h, want);
	memcpy(want + 64, "hello\0\0\0", 8);
	h = (struct pack_header){ .type = OBJECT_DIRECTORY, .plain = 8, .stored = 8 };
	sha256_of("airlock-", 8, h.digest);
	pack_header_encode(&h, want + 72);
	memcpy(want + 72 + 64, "airlock-", 8);
	h = (struct pack_header){ .type = OBJECT_BLOB };
	sha256_of("", 0, h.digest);
	pack_header_encode(&h, want + 144);
	got = temp_slurp(&t, PACK_1);
	cr_assert_eq(got.len, sizeof(want));
	cr_expect_arr_eq(got.data, want, sizeof(want));
	cr_expect_eq(p.stored_bytes, 13u);
}

Test(pack, nothing_put_makes_no_file)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;

	open_store(&t, &s);
	open_pack(&p, &s, call);
	sync_and_publish(&p);
	cr_expect_eq(temp_exists(&t, HERE), false);
}

Test(pack, the_same_bytes_are_stored_once)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	auto_pack q = PACK_INIT;
	auto_buf have = BUF_INIT;
	auto_fd fd = -1;
	uint8_t digest[SHA256_SIZE], got[SHA256_SIZE];
	struct err err = ERR_INIT;

	open_store(&t, &s);
	open_pack(&p, &s, call);
	put(&p, OBJECT_BLOB, "hello", 5);
	put(&p, OBJECT_BLOB, "hello", 5);
	cr_expect_eq(p.offset, 72u);
	sync_and_publish(&p);
	sha256_of("hello", 5, digest);
	have = temp_slurp(&t, HERE "have");
	cr_assert_eq(have.len, (size_t)SHA256_SIZE);
	cr_expect_arr_eq(have.data, digest, SHA256_SIZE);
	open_pack(&q, &s, later_call);
	cr_expect_eq(pack_has(&q, digest), true);
	put(&q, OBJECT_BLOB, "hello", 5);
	fd = file_of(&t, "hello", 5);
	cr_expect_eq(pack_put_file(&q, fd, 5, NULL, got, &err), 0);
	cr_expect_arr_eq(got, digest, SHA256_SIZE);
	memset(got, 0, sizeof(got));
	/* known and held: the file is not even read */
	cr_expect_eq(pack_put_file(&q, -1, 5, digest, got, &err), 0);
	cr_expect_arr_eq(got, digest, SHA256_SIZE);
	sync_and_publish(&q);
	cr_expect_eq(q.fd, -1);
	cr_expect_eq(q.stored_bytes, 0u);
}

Test(pack, another_workflow_shares_nothing)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	auto_pack q = PACK_INIT;
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;

	open_store(&t, &s);
	open_pack(&p, &s, call);
	put(&p, OBJECT_BLOB, "hello", 5);
	sync_and_publish(&p);
	cr_assert_eq(pack_init(&q, &s, later_call, later_call, &err), 0);
	sha256_of("hello", 5, digest);
	cr_expect_eq(pack_has(&q, digest), false);
}

Test(pack, not_published_is_not_had)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	auto_pack q = PACK_INIT;
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;

	open_store(&t, &s);
	open_pack(&p, &s, call);
	put(&p, OBJECT_BLOB, "hello", 5);
	cr_expect_eq(pack_publish(&p), -EINVAL, "before the sync");
	cr_expect_eq(pack_sync(&p, &err), 0);
	put(&p, OBJECT_BLOB, "more", 4);
	cr_expect_eq(pack_publish(&p), -EINVAL, "put after the sync");
	pack_finish(&p);
	open_pack(&q, &s, later_call);
	sha256_of("hello", 5, digest);
	cr_expect_eq(pack_has(&q, digest), false);
}

Test(pack, a_call_has_one_writer_and_a_lock)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	auto_pack q = PACK_INIT;
	auto_fd fd = -1;
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;
	char path[256];

	open_store(&t, &s);
	open_pack(&p, &s, call);
	open_pack(&q, &s, call);
	put(&p, OBJECT_BLOB, "hello", 5);
	cr_expect_eq(pack_put(&q, OBJECT_BLOB, "other", 5, digest, &err), -EEXIST);
	temp_path(&t, PACK_1, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_expect_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	cr_expect_eq(errno, EWOULDBLOCK);
	pack_finish(&p);
	cr_expect_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
}

Test(pack, torn_have_is_read_and_written_on)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	uint8_t first[SHA256_SIZE], second[SHA256_SIZE];

	open_store(&t, &s);
	sha256_of("first", 5, first);
	sha256_of("second", 6, second);
	for (size_t torn = 1; torn < SHA256_SIZE; torn++) {
		auto_pack p = PACK_INIT;
		auto_pack q = PACK_INIT;
		auto_buf have = BUF_INIT;
		auto_buf got = BUF_INIT;
		uint8_t id[16] = { 9, (uint8_t)torn };
		uint8_t zeros[SHA256_SIZE] = { 0 };

		if (torn == 1) {
			char path[256];

			temp_path(&t, HERE, path);
			cr_assert_eq(mkdir(path, 0700), 0);
		}
		buf_put(&have, first, SHA256_SIZE);
		buf_put(&have, torn % 2 == 0 ? zeros : second, torn);
		temp_write(&t, HERE "have", have.data, have.len);
		open_pack(&p, &s, id);
		cr_expect_eq(pack_has(&p, first), true);
		cr_expect_eq(pack_has(&p, second), false);
		put(&p, OBJECT_BLOB, "second", 6);
		sync_and_publish(&p);
		got = temp_slurp(&t, HERE "have");
		cr_assert_eq(got.len, 2u * SHA256_SIZE, "torn at %zu", torn);
		cr_expect_arr_eq(got.data + SHA256_SIZE, second, SHA256_SIZE);
		open_pack(&q, &s, later_call);
		cr_expect_eq(pack_has(&q, second), true);
	}
}

/* A crash of the machine can leave a longer `have` with nothing in it. */
Test(pack, zeros_in_have_are_skipped)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	uint8_t have[3 * SHA256_SIZE] = { 0 };
	char path[256];

	open_store(&t, &s);
	temp_path(&t, HERE, path);
	cr_assert_eq(mkdir(path, 0700), 0);
	sha256_of("first", 5, have + 2 * SHA256_SIZE);
	temp_write(&t, HERE "have", have, sizeof(have));
	open_pack(&p, &s, call);
	cr_expect_eq(pack_has(&p, have + 2 * SHA256_SIZE), true);
	cr_expect_eq(pack_has(&p, have), false);
}

Test(pack, of_a_long_have_the_newest_part_counts)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	const size_t cap = 16u << 20;
	auto_free uint8_t *have = calloc(1, cap + SHA256_SIZE);
	char path[256];

	cr_assert_not_null(have);
	open_store(&t, &s);
	temp_path(&t, HERE, path);
	cr_assert_eq(mkdir(path, 0700), 0);
	sha256_of("oldest", 6, have);
	sha256_of("next", 4, have + SHA256_SIZE);
	sha256_of("newest", 6, have + cap);
	temp_write(&t, HERE "have", have, cap + SHA256_SIZE);
	open_pack(&p, &s, call);
	cr_expect_eq(pack_has(&p, have), false);
	cr_expect_eq(pack_has(&p, have + SHA256_SIZE), true);
	cr_expect_eq(pack_has(&p, have + cap), true);
}

/* Small records are gathered, large ones go straight through: the order in the file is that of the
 * puts. */
Test(pack, small_and_large_records_in_order)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	auto_buf got = BUF_INIT;
	auto_free uint8_t *data = noise(300000, 1);
	uint64_t at = 0;

	open_store(&t, &s);
	open_pack(&p, &s, call);
	for (size_t i = 0; i < 100; i++) {
		put(&p, OBJECT_BLOB, data, 100 + i * 1000);
	}
	sync_and_publish(&p);
	got = temp_slurp(&t, PACK_1);
	cr_expect_eq(got.len, p.offset);
	for (size_t i = 0; i < 100; i++) {
		struct pack_header h;

		cr_assert_leq(at + PACK_HEADER, got.len);
		cr_assert_eq(pack_header_decode(got.data + at, &h), 0, "record %zu", i);
		cr_assert_eq(h.stored, 100 + i * 1000);
		cr_assert_eq(memcmp(got.data + at + PACK_HEADER, data, h.stored), 0);
		at += PACK_HEADER + h.stored + pack_padding(h.stored);
	}
	cr_expect_eq(at, got.len);
}

Test(pack, rolls_when_full_and_keeps_the_first_lock, .timeout = 120)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	auto_free uint8_t *data = noise(CAP_PARTS_FROM, 2);
	auto_fd fd = -1;
	struct stat st;
	char path[256];

	open_store(&t, &s);
	open_pack(&p, &s, call);
	for (uint8_t i = 0; i < 4; i++) {
		data[0] = i;
		put(&p, OBJECT_BLOB, data, CAP_PARTS_FROM - 64); /* four fill a pack to the byte */
	}
	cr_expect_eq(p.number, 1u);
	cr_expect_eq(p.offset, (uint64_t)CAP_PACK_FILE);
	put(&p, OBJECT_BLOB, "in the next", 11);
	cr_expect_eq(p.number, 2u);
	sync_and_publish(&p);
	temp_path(&t, PACK_1, path);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_size, (off_t)CAP_PACK_FILE);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_expect_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	temp_path(&t, PACK_2, path);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_size, 80);
}

Test(pack, a_large_file_is_stored_in_parts)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	auto_pack q = PACK_INIT;
	const size_t size = CAP_PARTS_FROM + 1;
	auto_free uint8_t *data = noise(size, 3);
	auto_fd fd = file_of(&t, data, size);
	auto_buf got = BUF_INIT;
	auto_buf want = BUF_INIT;
	uint8_t digest[SHA256_SIZE], whole[SHA256_SIZE];
	struct err err = ERR_INIT;
	uint64_t at = 0;

	open_store(&t, &s);
	open_pack(&p, &s, call);
	cr_assert_eq(EVP_Digest(data, size, whole, NULL, EVP_sha256(), NULL), 1);
	cr_assert_eq(pack_put_file(&p, fd, size, whole, digest, &err), 0, "%s", err.text);
	cr_expect_arr_eq(digest, whole, SHA256_SIZE);
	sync_and_publish(&p);
	got = temp_slurp(&t, PACK_1);
	buf_puts(&want, "airlock-parts v1\n");
	for (unsigned int i = 0; i <= 5; i++) {
		struct pack_header h;
		char hex[HEX_DIGEST_SIZE];

		cr_assert_leq(at + PACK_HEADER, got.len);
		cr_assert_eq(pack_header_decode(got.data + at, &h), 0);
		at += PACK_HEADER + h.stored + pack_padding(h.stored);
		if (i < 5) {
			cr_expect_eq(h.type, OBJECT_BLOB);
			cr_expect_eq(h.plain, i < 4 ? 4u << 20 : 1u);
			text_hex(h.digest, SHA256_SIZE, hex);
			buf_printf(&want, "%u %s\n", (unsigned int)h.plain, hex);
			continue;
		}
		cr_expect_eq(h.type, OBJECT_PARTS);
		cr_expect_arr_eq(h.digest, whole, SHA256_SIZE);
		cr_assert_eq(h.stored, want.len);
		cr_expect_eq(memcmp(got.data + at - h.stored - pack_padding(h.stored), want.data,
				    want.len),
			     0);
	}
	cr_expect_eq(at, got.len);
	/* the same from memory, in a later call: nothing new */
	open_pack(&q, &s, later_call);
	put(&q, OBJECT_BLOB, data, size);
	cr_expect_eq(q.fd, -1);
}

Test(pack, exactly_the_limit_is_one_blob)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	auto_free uint8_t *data = noise(CAP_PARTS_FROM, 4);
	auto_fd fd = file_of(&t, data, CAP_PARTS_FROM);
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;

	open_store(&t, &s);
	open_pack(&p, &s, call);
	cr_assert_eq(pack_put_file(&p, fd, CAP_PARTS_FROM, NULL, digest, &err), 0, "%s", err.text);
	cr_expect_eq(p.offset, (uint64_t)PACK_HEADER + CAP_PARTS_FROM);
}

Test(pack, a_file_that_changed_is_stale)
{
	static const size_t sizes[] = { 100, CAP_PARTS_FROM + 100 };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;

	open_store(&t, &s);
	open_pack(&p, &s, call);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		auto_free uint8_t *data = noise(sizes[i], 5);
		auto_fd fd = file_of(&t, data, sizes[i]);
		uint8_t digest[SHA256_SIZE] = { 0 }, other[SHA256_SIZE], zeros[SHA256_SIZE] = { 0 };
		struct err err = ERR_INIT;

		sha256_of("other", 5, other);
		cr_expect_eq(pack_put_file(&p, fd, sizes[i] + 1, NULL, digest, &err), -ESTALE,
			     "shorter");
		cr_expect_eq(pack_put_file(&p, fd, sizes[i] - 1, NULL, digest, &err), -ESTALE,
			     "longer");
		cr_expect_eq(pack_put_file(&p, fd, sizes[i], other, digest, &err), -ESTALE,
			     "other bytes");
		cr_expect_eq(pack_has(&p, other), false);
		cr_expect_arr_eq(digest, zeros, SHA256_SIZE);
		cr_expect_eq(pack_put_file(&p, fd, sizes[i], NULL, digest, &err), 0, "%s",
			     err.text);
	}
	cr_expect_eq(p.failed, 0);
}

Test(pack, what_cannot_be_an_object_is_refused)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;

	open_store(&t, &s);
	open_pack(&p, &s, call);
	cr_expect_eq(pack_put(&p, OBJECT_PARTS, "x", 1, digest, &err), -EINVAL);
	cr_expect_eq(pack_put(&p, OBJECT_RECORD, "x", (size_t)PACK_OBJECT_MAX + 1, digest, &err),
		     -EINVAL);
	cr_expect_eq(pack_put_file(&p, -1, 1, NULL, digest, &err), -EBADF);
	put(&p, OBJECT_RECORD, "x", 1);
}

/* After a failed write nothing pretends: not the puts behind it, not the sync, not `have`. */
Test(pack, a_failure_stays)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_pack p = PACK_INIT;
	auto_free uint8_t *data = noise(200000, 6);
	struct rlimit limit, before;
	uint8_t digest[SHA256_SIZE] = { 0 };
	struct err err = ERR_INIT;

	signal(SIGXFSZ, SIG_IGN);
	open_store(&t, &s);
	open_pack(&p, &s, call);
	put(&p, OBJECT_BLOB, "hello", 5);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){ .rlim_cur = 100000, .rlim_max = before.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(pack_put(&p, OBJECT_BLOB, data, 200000, digest, &err), -EFBIG);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	cr_expect_eq(pack_put(&p, OBJECT_BLOB, "hello", 5, digest, &err), -EFBIG);
	cr_expect_eq(pack_put_file(&p, -1, 1, NULL, digest, &err), -EFBIG);
	cr_expect_eq(pack_sync(&p, &err), -EFBIG);
	cr_expect_eq(pack_publish(&p), -EINVAL);
	cr_expect_eq(temp_exists(&t, HERE "have"), false);
}
