/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of SHA-256 digests in memory, that only grows. Anybody may call; one thread at a time.
 */
#ifndef AIRLOCK_STORE_DIGEST_SET_H
#define AIRLOCK_STORE_DIGEST_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/sha256.h"

struct digest_set;

/* Room for `expected` digests without growing. NULL: no memory. Owned by the caller. */
struct digest_set *digest_set_create(size_t expected);
void digest_set_destroy(struct digest_set *set);
/* The digest of 32 zero bytes is nobody's and is never in a set: -EINVAL. -ENOMEM: not added. */
int digest_set_add(struct digest_set *set, const uint8_t digest[SHA256_SIZE]) must_check;
bool digest_set_has(const struct digest_set *set, const uint8_t digest[SHA256_SIZE]);
size_t digest_set_count(const struct digest_set *set);

#endif
