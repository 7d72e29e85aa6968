/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. SHA-256 against the vectors of FIPS 180-4 and against OpenSSL. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "../../../launcher/base/cleanup.h"
#include "../../../launcher/base/sha256.h"
#include "../../../launcher/base/text.h"

#define BIG (200u << 10)

static void
hex_of(const void *data, size_t len, char ret_text[HEX_DIGEST_SIZE])
{
	uint8_t digest[SHA256_SIZE];

	sha256_of(data, len, digest);
	text_hex(digest, sizeof(digest), ret_text);
}

static uint8_t *
random_bytes(size_t len)
{
	uint8_t *data = malloc(len);

	cr_assert_not_null(data);
	srand(7);
	for (size_t i = 0; i < len; i++) {
		data[i] = (uint8_t)(rand() >> 3);
	}
	return data;
}

static void
expect_as_openssl(const uint8_t *data, size_t len)
{
	uint8_t want[SHA256_SIZE], got[SHA256_SIZE];

	cr_assert_eq(EVP_Digest(data, len, want, NULL, EVP_sha256(), NULL), 1);
	sha256_of(data, len, got);
	cr_expect_arr_eq(got, want, SHA256_SIZE, "length %zu", len);
}

Test(sha256, fips_vectors)
{
	/* clang-format off */
	static const struct { const char *text, *digest; } rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		  "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	};
	/* clang-format on */
	char hex[HEX_DIGEST_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		hex_of(rows[i].text, strlen(rows[i].text), hex);
		cr_expect_str_eq(hex, rows[i].digest, "row %zu", i);
	}
}

Test(sha256, a_million_a)
{
	auto_free char *data = malloc(1000000);
	char hex[HEX_DIGEST_SIZE];

	cr_assert_not_null(data);
	memset(data, 'a', 1000000);
	hex_of(data, 1000000, hex);
	cr_expect_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

Test(sha256, every_short_length_as_openssl)
{
	auto_free uint8_t *data = random_bytes(300);

	for (size_t len = 0; len <= 300; len++) {
		expect_as_openssl(data, len);
	}
}

/* Around the size from which the CPU is asked, before and after it was asked, unaligned too. */
Test(sha256, long_inputs_as_openssl)
{
	auto_free uint8_t *data = random_bytes(BIG);

	for (size_t len = 16000; len < 17000; len += 97) {
		expect_as_openssl(data + len % 7, len);
	}
	expect_as_openssl(data + 1, BIG - 1);
	expect_as_openssl(data, BIG);
	expect_as_openssl(data, 1000);
}

Test(sha256, many_pieces_as_one)
{
	auto_free uint8_t *data = random_bytes(BIG);
	uint8_t whole[SHA256_SIZE], pieces[SHA256_SIZE];

	sha256_of(data, BIG, whole);
	for (size_t step = 1; step < 20000; step = step * 3 + 1) {
		struct sha256 s;

		sha256_init(&s);
		for (size_t at = 0; at < BIG; at += step) {
			sha256_update(&s, data + at, BIG - at < step ? BIG - at : step);
			sha256_update(&s, data, 0);
		}
		sha256_final(&s, pieces);
		cr_expect_arr_eq(pieces, whole, SHA256_SIZE, "step %zu", step);
	}
}

/* Two digests over the same pieces: from the start, and one that has a head start. */
Test(sha256, two_at_once_are_each_as_alone)
{
	static const size_t heads[] = { 0, 1, 63, 64, 65, 4096, 4097 };
	static const size_t pieces[] = { 0, 1, 63, 64, 65, 127, 4096, 40000, BIG };
	auto_free uint8_t *data = random_bytes(2 * BIG);

	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
			struct sha256 a, b;
			uint8_t got[SHA256_SIZE], want[SHA256_SIZE];

			sha256_init(&a);
			sha256_init(&b);
			sha256_update(&a, data, heads[i]);
			sha256_update_two(&a, &b, data + heads[i], pieces[k]);
			sha256_update_two(&b, &a, data + heads[i] + pieces[k], 100);
			sha256_final(&a, got);
			cr_assert_eq(EVP_Digest(data, heads[i] + pieces[k] + 100, want, NULL,
						EVP_sha256(), NULL),
				     1);
			cr_expect_arr_eq(got, want, SHA256_SIZE, "head %zu, piece %zu", heads[i],
					 pieces[k]);
			sha256_final(&b, got);
			cr_assert_eq(EVP_Digest(data + heads[i], pieces[k] + 100, want, NULL,
						EVP_sha256(), NULL),
				     1);
			cr_expect_arr_eq(got, want, SHA256_SIZE, "piece %zu", pieces[k]);
		}
	}
}
