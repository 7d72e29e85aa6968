/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4) for the static front, which links no library: libcrypto's start-up alone
 * costs more than a sandbox (docs/architecture.md, "Why own SHA-256"). Uses SHA-NI where the CPU
 * has it; asks the CPU only once and only for inputs where it pays (CPUID traps on virtual
 * machines). Unit tests compare it with OpenSSL over random inputs. No secret is ever hashed with
 * it in a way where timing matters. Anybody may call.
 */
#ifndef AIRLOCK_BASE_SHA256_H
#define AIRLOCK_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

struct sha256 {
	uint32_t state[8];
	uint64_t total;    /* bytes so far */
	uint8_t block[64]; /* what does not fill a block yet */
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t len);
/*
 * Both of them, over the same bytes: hardly slower than one where the CPU helps and both have whole
 * blocks so far. Each counts as updated by itself.
 */
void sha256_update_two(struct sha256 *a, struct sha256 *b, const void *data, size_t len);
void sha256_final(struct sha256 *s, uint8_t ret_digest[SHA256_SIZE]);
void sha256_of(const void *data, size_t len, uint8_t ret_digest[SHA256_SIZE]);

#endif
