/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. crc32 against zlib. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../../../launcher/base/crc32.h"

Test(crc32, check_value)
{
	cr_expect_eq(crc32_update(0, "123456789", 9), 0xcbf43926u);
	cr_expect_eq(crc32_update(0, "", 0), 0u);
	cr_expect_eq(crc32_update(0, "\0", 1), 0xd202ef8du);
}

Test(crc32, every_byte_as_zlib)
{
	for (unsigned int v = 0; v < 256; v++) {
		uint8_t c = (uint8_t)v;

		cr_expect_eq(crc32_update(0, &c, 1), crc32(0, &c, 1), "byte %u", v);
	}
}

Test(crc32, random_lengths_as_zlib_whole_and_in_pieces)
{
	uint8_t data[4096];

	srand(1);
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)rand();
	}
	for (size_t len = 0; len <= sizeof(data); len += 1 + len / 7) {
		size_t cut = len / 3;
		uint32_t whole = crc32_update(0, data, len);
		uint32_t pieces = crc32_update(crc32_update(0, data, cut), data + cut, len - cut);

		cr_expect_eq(whole, crc32(0, data, (uInt)len), "length %zu", len);
		cr_expect_eq(pieces, whole, "length %zu", len);
	}
}
