/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in the front, as the caller. Digests are of bytes that a tool may have chosen; open
 * addressing at no more than half full keeps the probes short, and to make many digests collide a
 * tool would have to hash more than it can cost us.
 */
#include "digest_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct digest_set {
	uint8_t (*slots)[SHA256_SIZE]; /* all zero: free */
	size_t mask;                   /* number of slots - 1, a power of two */
	size_t count;
};

static const uint8_t nobody[SHA256_SIZE];

static size_t
slots_for(size_t digests)
{
	size_t n = 64;

	while (n / 2 < digests) {
		n *= 2;
	}
	return n;
}

struct digest_set *
digest_set_create(size_t expected)
{
	struct digest_set *set;
	size_t n;

	if (expected > SIZE_MAX / SHA256_SIZE / 8) {
		return NULL;
	}
	set = calloc(1, sizeof(*set));
	if (set == NULL) {
		return NULL;
	}
	n = slots_for(expected);
	set->slots = calloc(n, SHA256_SIZE);
	if (set->slots == NULL) {
		free(set);
		return NULL;
	}
	set->mask = n - 1;
	return set;
}

void
digest_set_destroy(struct digest_set *set)
{
	if (set != NULL) {
		free(set->slots);
		free(set);
	}
}

/* The slot that holds the digest, or the free one where it belongs. */
static size_t
find(const struct digest_set *set, const uint8_t digest[SHA256_SIZE])
{
	size_t at;

	memcpy(&at, digest, sizeof(at));
	at &= set->mask;
	while (memcmp(set->slots[at], digest, SHA256_SIZE) != 0 &&
	       memcmp(set->slots[at], nobody, SHA256_SIZE) != 0) {
		at = (at + 1) & set->mask;
	}
	return at;
}

static int
grow(struct digest_set *set)
{
	struct digest_set bigger = { .mask = set->mask * 2 + 1, .count = set->count };

	bigger.slots = calloc(bigger.mask + 1, SHA256_SIZE);
	if (bigger.slots == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i <= set->mask; i++) {
		if (memcmp(set->slots[i], nobody, SHA256_SIZE) != 0) {
			memcpy(bigger.slots[find(&bigger, set->slots[i])], set->slots[i],
			       SHA256_SIZE);
		}
	}
	free(set->slots);
	*set = bigger;
	return 0;
}

int
digest_set_add(struct digest_set *set, const uint8_t digest[SHA256_SIZE])
{
	size_t at;

	if (memcmp(digest, nobody, SHA256_SIZE) == 0) {
		return -EINVAL;
	}
	if (digest_set_has(set, digest)) {
		return 0;
	}
	if ((set->count + 1) * 2 > set->mask + 1) {
		int r = grow(set);

		if (r < 0) {
			return r;
		}
	}
	at = find(set, digest);
	memcpy(set->slots[at], digest, SHA256_SIZE);
	set->count++;
	return 0;
}

bool
digest_set_has(const struct digest_set *set, const uint8_t digest[SHA256_SIZE])
{
	return memcmp(digest, nobody, SHA256_SIZE) != 0 &&
	       memcmp(set->slots[find(set, digest)], digest, SHA256_SIZE) == 0;
}

size_t
digest_set_count(const struct digest_set *set)
{
	return set->count;
}
