/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The header of a record against docs/formats.md §2. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "../../../launcher/store/pack_format.h"

static const uint8_t workflow[16] = { 0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3,
				      0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f };
static const uint8_t call[16] = { 0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3,
				  0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x90 };

/* Byte by byte, with zlib's crc: what another program would write. */
static void
by_hand(uint8_t ret_bytes[PACK_HEADER])
{
	static const uint8_t start[24] = { 'A', 'L', 'P', '1', 2, 1, 0, 0, 8, 7, 6, 5,
					   4,   3,   2,   1,   9, 0, 0, 0, 0, 0, 0, 0x80 };
	uint32_t crc;

	memset(ret_bytes, 0, PACK_HEADER);
	memcpy(ret_bytes, start, sizeof(start));
	for (unsigned int i = 0; i < 32; i++) {
		ret_bytes[24 + i] = (uint8_t)(0xe0 + i);
	}
	crc = (uint32_t)crc32(0, ret_bytes, 56);
	for (unsigned int i = 0; i < 4; i++) {
		ret_bytes[56 + i] = (uint8_t)(crc >> 8 * i);
	}
}

Test(pack_format, encode_is_the_documented_bytes)
{
	struct pack_header h = { .type = OBJECT_DIRECTORY,
				 .codec = CODEC_ZSTD,
				 .plain = UINT64_C(0x0102030405060708),
				 .stored = UINT64_C(0x8000000000000009) };
	uint8_t want[PACK_HEADER], got[PACK_HEADER];

	for (unsigned int i = 0; i < 32; i++) {
		h.digest[i] = (uint8_t)(0xe0 + i);
	}
	by_hand(want);
	pack_header_encode(&h, got);
	cr_expect_arr_eq(got, want, PACK_HEADER);
}

Test(pack_format, decode_reads_it_back)
{
	struct pack_header h;
	uint8_t bytes[PACK_HEADER];

	by_hand(bytes);
	cr_assert_eq(pack_header_decode(bytes, &h), 0);
	cr_expect_eq(h.type, OBJECT_DIRECTORY);
	cr_expect_eq(h.codec, CODEC_ZSTD);
	cr_expect_eq(h.plain, UINT64_C(0x0102030405060708));
	cr_expect_eq(h.stored, UINT64_C(0x8000000000000009));
	cr_expect_eq(h.digest[31], 0xff);
}

Test(pack_format, every_flipped_bit_is_refused)
{
	struct pack_header h = { .plain = 4711 };
	uint8_t bytes[PACK_HEADER];

	by_hand(bytes);
	for (unsigned int bit = 0; bit < PACK_HEADER * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_expect_eq(pack_header_decode(bytes, &h), -EBADMSG, "bit %u", bit);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	cr_expect_eq(h.plain, 4711u);
	cr_expect_eq(pack_header_decode(bytes, &h), 0);
}

/* Right crc, wrong content. */
Test(pack_format, unknown_types_and_codecs_are_refused)
{
	/* clang-format off */
	static const struct { int type, codec, result; } rows[] = {
		{ 0, 0, -EBADMSG },
		{ 1, 0, 0 },
		{ 4, 2, 0 },
		{ 5, 0, -EBADMSG },
		{ 1, 3, -EBADMSG },
		{ 255, 0, -EBADMSG },
		{ 1, 255, -EBADMSG },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pack_header h = { .type = (enum object_type)rows[i].type,
					 .codec = (enum pack_codec)rows[i].codec };
		uint8_t bytes[PACK_HEADER];

		pack_header_encode(&h, bytes);
		cr_expect_eq(pack_header_decode(bytes, &h), rows[i].result, "row %zu", i);
	}
}

Test(pack_format, padding_fills_eight)
{
	static const unsigned int want[] = { 0, 7, 6, 5, 4, 3, 2, 1, 0, 7 };

	for (uint64_t n = 0; n < ARRAY_LEN(want); n++) {
		cr_expect_eq(pack_padding(n), want[n], "%u", (unsigned int)n);
	}
}

Test(pack_format, names)
{
	char name[PACK_NAME_SIZE];

	pack_workflow_name(workflow, name);
	cr_expect_str_eq(name, "wf/017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
	pack_have_name(workflow, name);
	cr_expect_str_eq(name, "wf/017f22e2-79b0-7cc3-98c4-dc0c0c07398f/have");
	pack_file_name(workflow, call, 1, name);
	cr_expect_str_eq(name, "wf/017f22e2-79b0-7cc3-98c4-dc0c0c07398f/"
			       "pack-017f22e2-79b0-7cc3-98c4-dc0c0c073990-01.alp");
	pack_file_name(workflow, call, UINT32_MAX, name);
	cr_expect_str_eq(name, "wf/017f22e2-79b0-7cc3-98c4-dc0c0c07398f/"
			       "pack-017f22e2-79b0-7cc3-98c4-dc0c0c073990-4294967295.alp");
}

Test(pack_format, a_name_is_read_in_its_one_spelling)
{
	static const struct {
		const char *name;
		bool is_name, is_parsed;
	} rows[] = {
		{ "pack-017f22e2-79b0-7cc3-98c4-dc0c0c073990-01.alp", true, true },
		{ "pack-017f22e2-79b0-7cc3-98c4-dc0c0c073990-4294967295.alp", true, true },
		{ "pack-017F22E2-79B0-7CC3-98C4-DC0C0C073990-01.alp", true, false },
		{ "pack-017f22e2-79b0-7cc3-98c4-dc0c0c073990-1.alp", true, false },
		{ "pack-017f22e2-79b0-7cc3-98c4-dc0c0c073990-001.alp", true, false },
		{ "pack-017f22e2-79b0-7cc3-98c4-dc0c0c073990-4294967296.alp", true, false },
		{ "pack-017f22e2-79b0-7cc3-98c4-dc0c0c07399-01.alp", true, false },
		{ "pack-.alp", true, false },
		{ "pack-017f22e2-79b0-7cc3-98c4-dc0c0c073990-01.alp.tmp", false, false },
		{ "have", false, false },
		{ "", false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned int number = 0;
		uint8_t got[16] = { 0 };

		cr_expect_eq(pack_is_name(rows[i].name), rows[i].is_name, "row %zu", i);
		cr_expect_eq(pack_name_parse(rows[i].name, got, &number), rows[i].is_parsed,
			     "row %zu", i);
		cr_expect_eq(memcmp(got, call, sizeof(got)) == 0, rows[i].is_parsed, "row %zu", i);
	}
}
