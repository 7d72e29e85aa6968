/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the reader and the writer of tiles. */
#ifndef AIRLOCK_EVIDENCE_TILES_INTERNAL_H
#define AIRLOCK_EVIDENCE_TILES_INTERNAL_H

#include "tiles.h"

#define TILE_BYTES ((size_t)TILE_WIDTH * SHA256_SIZE)
#define TILE_BUNDLE_MAX ((size_t)TILE_WIDTH * (2u + TILE_ENTRY_MAX))
#define TILE_LEVELS 8 /* level 7 has roots of 2^56 leaves: more than MERKLE_SIZE_MAX needs */

/* Hashes that a level has in a log of size leaves; of TILE_LEVEL_ENTRIES the entries. */
static inline uint64_t
tile_count(int level, uint64_t size)
{
	return level == TILE_LEVEL_ENTRIES ? size : size >> (8 * level);
}

/* How many hashes tile n has when its level has count of them; the tile exists. */
static inline unsigned int
tile_width(uint64_t n, uint64_t count)
{
	return n < count / TILE_WIDTH ? TILE_WIDTH : (unsigned int)(count % TILE_WIDTH);
}

/*
 * The bytes of one tile or bundle of that width into out, which is empty. A partial one that is
 * absent is cut from its full one. -EBADMSG with the path when there is neither, or its length is
 * wrong; then what is in out is none.
 */
int tile_load(int dir_fd, int level, uint64_t n, unsigned int width, struct buf *out,
	      struct err *err) must_check;
/*
 * Where the bytes of each of the first `width` entries of a bundle begin, and where those of one
 * more would: entry i ends 2 bytes before offset i + 1. -EBADMSG when the bytes do not hold them.
 */
int tile_entries(const uint8_t *bytes, size_t len, unsigned int width,
		 size_t ret_offset[TILE_WIDTH + 1]) must_check;

static inline size_t
tile_entry_len(const size_t offset[TILE_WIDTH + 1], unsigned int i)
{
	return offset[i + 1] - 2 - offset[i];
}

/* The hash over the 2^sub hashes from `hashes` on. */
void tile_subtree(const uint8_t *hashes, unsigned int sub, uint8_t ret_hash[SHA256_SIZE]);

/* The directory, borrowed, and the size that a reader was opened with. */
void tiles_place(const struct tiles *t, int *ret_dir_fd, uint64_t *ret_size);

#endif
