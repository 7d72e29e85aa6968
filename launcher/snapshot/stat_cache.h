/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the content of a file was when its stat was last seen (docs/formats.md, "Stat cache"). One
 * file in the state directory, owned by the caller; damaged or of another version: as if it were
 * empty. An entry is kept only when its times were older than the walk that hashed it by more than
 * a tick of the clock (git's "racy" rule): a later write cannot leave them as they are.
 * Single-threaded.
 */
#ifndef AIRLOCK_SNAPSHOT_STAT_CACHE_H
#define AIRLOCK_SNAPSHOT_STAT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/sha256.h"
#include "fsat.h"

struct stat_cache_item {
	uint64_t dev, ino, size;
	int64_t ctime_ns, mtime_ns;
	uint8_t digest[SHA256_SIZE];
	uint32_t flags;
};

#define STAT_CACHE_XATTRS 1u /* the file has attributes that count: read them again */

struct stat_cache {
	int fd;		/* borrowed; -1: nothing is read or written */
	struct buf old; /* the file as read */
	size_t old_count;
	uint8_t *seen; /* one byte per old item: it answered */
	size_t seen_count;
	int64_t walk_ns;	       /* CLOCK_REALTIME when this walk began */
	int64_t old_limit_ns;	       /* items of the file are older than this */
	struct stat_cache_item *items; /* of this walk */
	size_t count, cap;
	bool changed; /* items has something that the file has not */
	bool failed;  /* no memory: nothing is written */
};

/* Never fails: without a readable cache it is empty. */
void stat_cache_open(struct stat_cache *c, int fd, int64_t walk_ns);
/* The item for this stat (borrowed until close), noted as seen, or false. */
bool stat_cache_find(struct stat_cache *c, const struct fs_stat *st, struct stat_cache_item *ret);
/* Remembers what was hashed, unless it is racy. */
void stat_cache_add(struct stat_cache *c, const struct fs_stat *st,
		    const uint8_t digest[SHA256_SIZE], uint32_t flags);
/* Writes the file when something changed; 0 or -errno (losing it costs time only). */
int stat_cache_save(struct stat_cache *c) must_check;
void stat_cache_close(struct stat_cache *c);

#endif
