/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes of an append-only Merkle tree: RFC 6962 2.1 (leaves 0x00, nodes 0x01). Pure: whoever holds
 * the hashes (tiles on disk, an array of a test) gives them through a reader. Linked into
 * airlock-log, airlock-cli and airlock-witness.
 */
#ifndef AIRLOCK_EVIDENCE_MERKLE_H
#define AIRLOCK_EVIDENCE_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/sha256.h"

#define MERKLE_PROOF_MAX 63u /* hashes of a proof in a tree of MERKLE_SIZE_MAX leaves */
#define MERKLE_SIZE_MAX (UINT64_C(1) << 62) /* a greater one is -EINVAL, in a check -EBADMSG */

struct merkle_proof {
	uint8_t hash[MERKLE_PROOF_MAX][SHA256_SIZE]; /* in the order of RFC 6962: leaf to root */
	size_t count;
};

/*
 * Gives the hash of a complete subtree: the node over leaves [index << level, (index + 1) <<
 * level). 0 or -errno.
 */
typedef int (*merkle_read_fn)(void *arg, unsigned int level, uint64_t index,
			      uint8_t ret_hash[SHA256_SIZE]);

void merkle_leaf(const void *entry, size_t len, uint8_t ret_hash[SHA256_SIZE]);
void merkle_node(const uint8_t left[SHA256_SIZE], const uint8_t right[SHA256_SIZE],
		 uint8_t ret_hash[SHA256_SIZE]);

/*
 * Root of the first size leaves; SHA-256 of nothing for size 0. The reader's failure is returned.
 */
int merkle_root(merkle_read_fn read, void *arg, uint64_t size, uint8_t ret_root[SHA256_SIZE])
	must_check;
/* -EINVAL when index is not below size. */
int merkle_prove_inclusion(merkle_read_fn read, void *arg, uint64_t index, uint64_t size,
			   struct merkle_proof *ret) must_check;
/*
 * From the tree of old_size to that of size; empty when old_size is 0 or size. -EINVAL when
 * greater.
 */
int merkle_prove_consistency(merkle_read_fn read, void *arg, uint64_t old_size, uint64_t size,
			     struct merkle_proof *ret) must_check;

/* 0, or -EBADMSG when the proof does not show it (also one of a wrong length). */
int
merkle_check_inclusion(const struct merkle_proof *proof, uint64_t index, uint64_t size,
		       const uint8_t leaf[SHA256_SIZE], const uint8_t root[SHA256_SIZE]) must_check;
int merkle_check_consistency(const struct merkle_proof *proof, uint64_t old_size, uint64_t size,
			     const uint8_t old_root[SHA256_SIZE], const uint8_t root[SHA256_SIZE])
	must_check;

#endif
