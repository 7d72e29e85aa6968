/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-log, airlock-cli and airlock-witness. Hashes and proofs are anybody's: a check
 * says yes only when every hash of the proof was used and both ends come out. Trees are walked from
 * the top; what RFC 6962 lists from the leaf up is gathered the other way round and turned.
 */
#include "merkle.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct tree {
	merkle_read_fn read;
	void *arg;
};

/* What is hashed before the bytes says what they are: a node can never pass for an entry. */
static void
hash_of(uint8_t kind, const void *a, size_t a_len, const void *b, size_t b_len,
	uint8_t ret_hash[SHA256_SIZE])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, &kind, 1);
	sha256_update(&s, a, a_len);
	sha256_update(&s, b, b_len);
	sha256_final(&s, ret_hash);
}

void
merkle_leaf(const void *entry, size_t len, uint8_t ret_hash[SHA256_SIZE])
{
	hash_of(0x00, entry, len, "", 0, ret_hash);
}

void
merkle_node(const uint8_t left[SHA256_SIZE], const uint8_t right[SHA256_SIZE],
	    uint8_t ret_hash[SHA256_SIZE])
{
	hash_of(0x01, left, SHA256_SIZE, right, SHA256_SIZE, ret_hash);
}

/*
 * The hash over leaves [begin, begin + count), count > 0, where begin is a multiple of the greatest
 * power of two that is not above count: complete subtrees, folded from the right.
 */
static int
range(const struct tree *t, uint64_t begin, uint64_t count, uint8_t ret_hash[SHA256_SIZE])
{
	uint8_t sum[SHA256_SIZE] = { 0 }, part[SHA256_SIZE];
	bool has_sum = false;

	while (count > 0) {
		unsigned int level = (unsigned int)__builtin_ctzll(count);
		int r;

		count -= UINT64_C(1) << level;
		r = t->read(t->arg, level, (begin + count) >> level, part);
		if (r < 0) {
			return r;
		}
		if (has_sum) {
			merkle_node(part, sum, sum);
		} else {
			memcpy(sum, part, SHA256_SIZE);
		}
		has_sum = true;
	}
	memcpy(ret_hash, sum, SHA256_SIZE);
	return 0;
}

int
merkle_root(merkle_read_fn read, void *arg, uint64_t size, uint8_t ret_root[SHA256_SIZE])
{
	const struct tree t = { .read = read, .arg = arg };

	if (size > MERKLE_SIZE_MAX) {
		return -EINVAL;
	}
	if (size == 0) {
		sha256_of("", 0, ret_root);
		return 0;
	}
	return range(&t, 0, size, ret_root);
}

/* The greatest power of two below n; n >= 2. */
static uint64_t
split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static int
push(const struct tree *t, uint64_t begin, uint64_t count, struct merkle_proof *proof)
{
	int r;

	if (proof->count == MERKLE_PROOF_MAX) {
		return -EINVAL;
	}
	r = range(t, begin, count, proof->hash[proof->count]);
	if (r == 0) {
		proof->count++;
	}
	return r;
}

static void
turn(const struct merkle_proof *from, struct merkle_proof *ret)
{
	ret->count = from->count;
	for (size_t i = 0; i < from->count; i++) {
		memcpy(ret->hash[i], from->hash[from->count - 1 - i], SHA256_SIZE);
	}
}

int
merkle_prove_inclusion(merkle_read_fn read, void *arg, uint64_t index, uint64_t size,
		       struct merkle_proof *ret)
{
	const struct tree t = { .read = read, .arg = arg };
	struct merkle_proof down = { .count = 0 };
	uint64_t begin = 0, n = size;

	if (index >= size || size > MERKLE_SIZE_MAX) {
		return -EINVAL;
	}
	while (n > 1) {
		uint64_t k = split(n);
		bool is_left = index - begin < k;
		int r = is_left ? push(&t, begin + k, n - k, &down) : push(&t, begin, k, &down);

		if (r < 0) {
			return r;
		}
		begin += is_left ? 0 : k;
		n = is_left ? k : n - k;
	}
	turn(&down, ret);
	return 0;
}

int
merkle_prove_consistency(merkle_read_fn read, void *arg, uint64_t old_size, uint64_t size,
			 struct merkle_proof *ret)
{
	const struct tree t = { .read = read, .arg = arg };
	struct merkle_proof down = { .count = 0 };
	uint64_t begin = 0, n = size, m = old_size;
	int r = 0;

	if (old_size > size || size > MERKLE_SIZE_MAX) {
		return -EINVAL;
	}
	if (old_size == 0) {
		ret->count = 0;
		return 0;
	}
	while (m < n) {
		uint64_t k = split(n);
		bool is_left = m <= k;

		r = is_left ? push(&t, begin + k, n - k, &down) : push(&t, begin, k, &down);
		if (r < 0) {
			return r;
		}
		begin += is_left ? 0 : k;
		m -= is_left ? 0 : k;
		n = is_left ? k : n - k;
	}
	/* The old tree itself, where it is one complete subtree, is known to whoever asks. */
	if (begin > 0) {
		r = push(&t, begin, n, &down);
	}
	if (r == 0) {
		turn(&down, ret);
	}
	return r;
}

int
merkle_check_inclusion(const struct merkle_proof *proof, uint64_t index, uint64_t size,
		       const uint8_t leaf[SHA256_SIZE], const uint8_t root[SHA256_SIZE])
{
	uint64_t at = index, last = size - 1;
	uint8_t h[SHA256_SIZE];

	if (size > MERKLE_SIZE_MAX || index >= size || proof->count > MERKLE_PROOF_MAX) {
		return -EBADMSG;
	}
	memcpy(h, leaf, SHA256_SIZE);
	for (size_t i = 0; i < proof->count; i++) {
		if (last == 0) {
			return -EBADMSG;
		}
		if ((at & 1) != 0 || at == last) {
			merkle_node(proof->hash[i], h, h);
			/* A right edge has no sibling up to the level where it is a right child. */
			while ((at & 1) == 0) {
				at >>= 1;
				last >>= 1;
			}
		} else {
			merkle_node(h, proof->hash[i], h);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && memcmp(h, root, SHA256_SIZE) == 0 ? 0 : -EBADMSG;
}

/* The two trees' right edges, climbed together from where they part. */
static int
climb(const struct merkle_proof *proof, size_t first, uint64_t at, uint64_t last,
      uint8_t old_hash[SHA256_SIZE], uint8_t hash[SHA256_SIZE])
{
	for (size_t i = first; i < proof->count; i++) {
		if (last == 0) {
			return -EBADMSG;
		}
		if ((at & 1) != 0 || at == last) {
			merkle_node(proof->hash[i], old_hash, old_hash);
			merkle_node(proof->hash[i], hash, hash);
			while (at != 0 && (at & 1) == 0) {
				at >>= 1;
				last >>= 1;
			}
		} else {
			merkle_node(hash, proof->hash[i], hash);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 ? 0 : -EBADMSG;
}

int
merkle_check_consistency(const struct merkle_proof *proof, uint64_t old_size, uint64_t size,
			 const uint8_t old_root[SHA256_SIZE], const uint8_t root[SHA256_SIZE])
{
	uint8_t old_hash[SHA256_SIZE], hash[SHA256_SIZE], nothing[SHA256_SIZE];
	uint64_t at = old_size - 1, last = size - 1;
	bool is_whole = (old_size & at) == 0;

	if (size > MERKLE_SIZE_MAX || old_size > size || proof->count > MERKLE_PROOF_MAX) {
		return -EBADMSG;
	}
	if (old_size == 0) {
		sha256_of("", 0, nothing);
		return proof->count == 0 && memcmp(old_root, nothing, SHA256_SIZE) == 0 &&
				       (size > 0 || memcmp(root, nothing, SHA256_SIZE) == 0)
			     ? 0
			     : -EBADMSG;
	}
	if (old_size == size) {
		return proof->count == 0 && memcmp(old_root, root, SHA256_SIZE) == 0 ? 0 : -EBADMSG;
	}
	if (proof->count == 0) {
		return -EBADMSG;
	}
	while ((at & 1) != 0) {
		at >>= 1;
		last >>= 1;
	}
	memcpy(old_hash, is_whole ? old_root : proof->hash[0], SHA256_SIZE);
	memcpy(hash, old_hash, SHA256_SIZE);
	if (climb(proof, is_whole ? 0 : 1, at, last, old_hash, hash) < 0) {
		return -EBADMSG;
	}
	return memcmp(old_hash, old_root, SHA256_SIZE) == 0 && memcmp(hash, root, SHA256_SIZE) == 0
		     ? 0
		     : -EBADMSG;
}
