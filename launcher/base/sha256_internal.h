/* SPDX-License-Identifier: Apache-2.0 */
/* Between sha256.c and its variant for one kind of CPU; nobody else includes this. */
#ifndef AIRLOCK_BASE_SHA256_INTERNAL_H
#define AIRLOCK_BASE_SHA256_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The round constants of FIPS 180-4 §4.2.2, aligned for vector loads. */
extern const uint32_t sha256_k[64] __attribute__((aligned(16)));

/* Asks the CPU (a trap on a virtual machine); false on anything but x86-64. */
bool sha256_ni_usable(void);
/* Only when sha256_ni_usable() said yes. */
void sha256_ni_blocks(uint32_t state[8], const uint8_t *p, size_t blocks);
/* The same blocks into two states. */
void sha256_ni_blocks_two(uint32_t state[8], uint32_t other[8], const uint8_t *p, size_t blocks);

#endif
