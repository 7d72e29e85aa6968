/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in the front and in every reader of the store, as the caller, over bytes of any origin.
 * A crc is linear: a byte's table entry is the xor of the entries of its two nibbles. So 32 words
 * stand in for the usual 256, with loads that do not depend on each other.
 */
#include "crc32.h"

/* clang-format off */
static const uint32_t low_nibble[16] = {
	0x00000000, 0x77073096, 0xee0e612c, 0x990951ba,
	0x076dc419, 0x706af48f, 0xe963a535, 0x9e6495a3,
	0x0edb8832, 0x79dcb8a4, 0xe0d5e91e, 0x97d2d988,
	0x09b64c2b, 0x7eb17cbd, 0xe7b82d07, 0x90bf1d91,
};
static const uint32_t high_nibble[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
	0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
	0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
	0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};
/* clang-format on */

uint32_t
crc32_update(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		uint32_t index = (crc ^ p[i]) & 0xff;

		crc = crc >> 8 ^ low_nibble[index & 15] ^ high_nibble[index >> 4];
	}
	return ~crc;
}
