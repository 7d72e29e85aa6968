/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log on disk as tiles: C2SP tlog-tiles. Below the directory: tile/<L>/<N>[.p/<W>] are hashes,
 * tile/entries/<N>[.p/<W>] the entries. docs/formats.md, "Log". Written by airlock-log alone, read
 * by anybody who verifies: what is read is as trusted as whoever could write the directory.
 */
#ifndef AIRLOCK_EVIDENCE_TILES_H
#define AIRLOCK_EVIDENCE_TILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/sha256.h"
#include "merkle.h"

#define TILE_WIDTH 256u
#define TILE_ENTRY_MAX 65535u
#define TILE_PATH_SIZE 64
#define TILE_LEVEL_ENTRIES (-1) /* in the place of a level: tile/entries */

/* "tile/0/x001/x234/067.p/12"; width TILE_WIDTH is the full tile. */
void tile_path(int level, uint64_t n, unsigned int width, char ret_path[TILE_PATH_SIZE]);

/* ---- reading ------------------------------------------------------------------------------ */

/* The log of `size` leaves in a directory. Keeps the tiles that it read last. */
struct tiles;
#define auto_tiles __attribute__((cleanup(tiles_close_slot))) struct tiles *

/* dir_fd and err (may be NULL) are borrowed until it is closed. Nothing is read yet. */
int tiles_open(int dir_fd, uint64_t size, struct tiles **ret, struct err *err) must_check;
void tiles_close_slot(struct tiles **slot);
/*
 * A merkle_read_fn; arg is the struct tiles. A partial tile is read, else its full one, cut.
 * -EBADMSG with the tile's path in the err of tiles_open when one is absent or of a wrong length.
 * Whether the levels hash to each other is tiles_check's to say.
 */
int tiles_read(void *arg, unsigned int level, uint64_t index, uint8_t ret_hash[SHA256_SIZE]);
/* Entry `index` as it was logged; borrowed until the next call. -EBADMSG as above. */
int tiles_entry(struct tiles *t, uint64_t index, const uint8_t **ret_entry, size_t *ret_len,
		struct err *err) must_check;
/*
 * Every tile of the log: each entry hashes to its leaf, each hash of a level to what is below it.
 * fn is told each thing that is wrong, with the tile's path and the index of the first leaf that it
 * is about; it goes on behind it. Returns 0 also then, or fn's non-zero result.
 */
int tiles_check(struct tiles *t,
		int (*fn)(void *arg, const char *path, uint64_t index, const char *what), void *arg)
	must_check;

/*
 * Every other file below tile/: fn is told its path and what it is. A partial tile of an older size
 * is none when it is the start of the present one. is_ahead: of more entries than the log has, as a
 * writer leaves it that has not signed yet. 0, fn's non-zero result, or -errno.
 */
typedef int (*tiles_stray_fn)(void *arg, const char *path, bool is_ahead, const char *what);
int tiles_stray(struct tiles *t, tiles_stray_fn fn, void *arg) must_check;

/* ---- writing ------------------------------------------------------------------------------ */

struct tile_entry {
	const void *data; /* borrowed */
	size_t len;	  /* 1 to TILE_ENTRY_MAX */
};

/*
 * Makes the log of old_size leaves one of old_size + count: entry bundles first, then hashes, level
 * by level; each file by a temporary name, fsync and rename, directories synced before it returns.
 * A tile that is there already with other bytes is -EBADMSG (it belongs to another history), with
 * the same bytes it stays. Partial tiles of older sizes stay until their full one is durable.
 * *ret_root is of the new size. One writer at a time; that the old tree is the one that was signed
 * is the caller's to check (merkle_root over old_size).
 */
int tiles_append(int dir_fd, uint64_t old_size, const struct tile_entry *entries, size_t count,
		 uint8_t ret_root[SHA256_SIZE], struct err *err) must_check;

#endif
