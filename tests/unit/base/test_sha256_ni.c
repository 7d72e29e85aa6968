/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The blocks of the SHA instructions against OpenSSL, where the CPU
 * has them. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../launcher/base/sha256_internal.h"

static bool
kernel_says_sha_ni(void)
{
	char *line = NULL;
	size_t cap = 0;
	bool found = false;
	FILE *f = fopen("/proc/cpuinfo", "re");

	cr_assert_not_null(f);
	while (!found && getline(&line, &cap, f) > 0) {
		found = strncmp(line, "flags", 5) == 0 && strstr(line, " sha_ni") != NULL;
	}
	free(line);
	fclose(f);
	return found;
}

Test(sha256_ni, answer_is_the_kernels)
{
	cr_expect_eq(sha256_ni_usable(), kernel_says_sha_ni());
}

/* Whole blocks with the padding written by hand, so that nothing of sha256.c takes part. */
Test(sha256_ni, blocks_as_openssl)
{
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	uint8_t data[65 * 64 + 1];

	if (!sha256_ni_usable()) {
		cr_skip_test("this CPU has no SHA instructions");
	}
	srand(3);
	for (size_t blocks = 1; blocks <= 64; blocks++) {
		uint8_t want[32], got[32];
		uint32_t state[8];
		uint8_t *message = data + blocks % 2; /* unaligned every other time */
		size_t len = blocks * 64, bits = len * 8;

		for (size_t i = 0; i < len; i++) {
			message[i] = (uint8_t)(rand() >> 5);
		}
		cr_assert_eq(EVP_Digest(message, len, want, NULL, EVP_sha256(), NULL), 1);
		memset(message + len, 0, 64);
		message[len] = 0x80;
		message[len + 62] = (uint8_t)(bits >> 8);
		message[len + 63] = (uint8_t)bits;
		memcpy(state, start, sizeof(state));
		sha256_ni_blocks(state, message, blocks + 1);
		for (size_t i = 0; i < 32; i++) {
			got[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
		}
		cr_expect_arr_eq(got, want, 32, "%zu blocks", blocks);
	}
}
