/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in whoever reads a log. Files are opened below the directory that was handed in; lengths are
 * checked before a byte is used.
 */
#include "tiles.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/fdio.h"
#include "tiles_internal.h"

void
tile_path(int level, uint64_t n, unsigned int width, char ret_path[TILE_PATH_SIZE])
{
	unsigned int group[8];
	size_t groups = 0;
	int len;

	do {
		group[groups++] = (unsigned int)(n % 1000);
		n /= 1000;
	} while (n > 0);
	len = level == TILE_LEVEL_ENTRIES ? snprintf(ret_path, TILE_PATH_SIZE, "tile/entries")
					  : snprintf(ret_path, TILE_PATH_SIZE, "tile/%d", level);
	while (groups-- > 0) {
		len += snprintf(ret_path + len, TILE_PATH_SIZE - (size_t)len, "/%s%03u",
				groups > 0 ? "x" : "", group[groups]);
	}
	if (width < TILE_WIDTH) {
		snprintf(ret_path + len, TILE_PATH_SIZE - (size_t)len, ".p/%u", width);
	}
}

int
tile_entries(const uint8_t *bytes, size_t len, unsigned int width,
	     size_t ret_offset[TILE_WIDTH + 1])
{
	size_t at = 0;

	for (unsigned int i = 0; i < width; i++) {
		size_t entry;

		if (len - at < 2) {
			return -EBADMSG;
		}
		entry = (size_t)bytes[at] << 8 | bytes[at + 1];
		at += 2;
		if (entry == 0 || entry > len - at) {
			return -EBADMSG;
		}
		ret_offset[i] = at;
		at += entry;
	}
	ret_offset[width] = at + 2;
	return 0;
}

/* What of the bytes is `width` wide: all of them, or of a full tile the front part. */
static int
cut(int level, unsigned int width, bool is_full, struct buf *bytes)
{
	size_t offset[TILE_WIDTH + 1], len = (size_t)width * SHA256_SIZE;
	unsigned int wide = is_full ? TILE_WIDTH : width;

	if (level == TILE_LEVEL_ENTRIES) {
		if (tile_entries(bytes->data, bytes->len, wide, offset) < 0 ||
		    offset[wide] - 2 != bytes->len) {
			return -EBADMSG;
		}
		len = offset[width] - 2;
	} else if (bytes->len != (size_t)wide * SHA256_SIZE) {
		return -EBADMSG;
	}
	bytes->len = len;
	return 0;
}

int
tile_load(int dir_fd, int level, uint64_t n, unsigned int width, struct buf *out, struct err *err)
{
	size_t max = level == TILE_LEVEL_ENTRIES ? TILE_BUNDLE_MAX : TILE_BYTES;
	char path[TILE_PATH_SIZE];
	bool is_full = width == TILE_WIDTH;
	int r;

	tile_path(level, n, width, path);
	r = fdio_slurp_file_at(dir_fd, path, max, out);
	if (r == -ENOENT && !is_full) {
		char full[TILE_PATH_SIZE];

		is_full = true;
		tile_path(level, n, TILE_WIDTH, full);
		r = fdio_slurp_file_at(dir_fd, full, max, out);
		if (r != -ENOENT) {
			memcpy(path, full, sizeof(path));
		}
	}
	if (r == -ENOENT || r == -ENOTDIR) {
		return err_set(err, -EBADMSG, "%s: is missing from the log", path);
	}
	if (r < 0 && r != -EFBIG) {
		return err_sys(err, r, "%s: reading a tile of the log", path);
	}
	if (r == -EFBIG || cut(level, width, is_full, out) < 0) {
		return err_set(err, -EBADMSG, "%s: has not the length of its %u %s", path,
			       is_full ? TILE_WIDTH : width,
			       level == TILE_LEVEL_ENTRIES ? "entries" : "hashes");
	}
	return 0;
}

void
tile_subtree(const uint8_t *hashes, unsigned int sub, uint8_t ret_hash[SHA256_SIZE])
{
	uint8_t row[TILE_WIDTH][SHA256_SIZE];

	memcpy(row, hashes, (size_t)SHA256_SIZE << sub);
	for (size_t n = (size_t)1 << sub; n > 1; n /= 2) {
		for (size_t i = 0; i < n / 2; i++) {
			merkle_node(row[2 * i], row[2 * i + 1], row[i]);
		}
	}
	memcpy(ret_hash, row[0], SHA256_SIZE);
}

/* ---- reading ------------------------------------------------------------------------------ */

struct slot {
	bool is_there;
	uint64_t n;
	struct buf bytes; /* owned */
};

struct tiles {
	int dir_fd;	 /* borrowed */
	struct err *err; /* borrowed; whoever opened it wants to know why a read failed */
	uint64_t size;
	struct slot hashes[TILE_LEVELS];
	struct slot entries;
	size_t offset[TILE_WIDTH + 1]; /* of `entries` */
};

int
tiles_open(int dir_fd, uint64_t size, struct tiles **ret, struct err *err)
{
	struct tiles *t;

	if (size > MERKLE_SIZE_MAX) {
		return err_set(err, -EINVAL, "a log of %llu entries: more than any log has",
			       (unsigned long long)size);
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		return err_sys(err, -ENOMEM, "reading the log");
	}
	t->dir_fd = dir_fd;
	t->err = err;
	t->size = size;
	*ret = t;
	return 0;
}

void
tiles_close_slot(struct tiles **slot)
{
	struct tiles *t = *slot;

	if (t == NULL) {
		return;
	}
	for (size_t i = 0; i < TILE_LEVELS; i++) {
		buf_finish(&t->hashes[i].bytes);
	}
	buf_finish(&t->entries.bytes);
	free(t);
	*slot = NULL;
}

void
tiles_place(const struct tiles *t, int *ret_dir_fd, uint64_t *ret_size)
{
	*ret_dir_fd = t->dir_fd;
	*ret_size = t->size;
}

/* Tile n of a level in its slot. */
static int
fill(struct tiles *t, int level, uint64_t n, struct err *err)
{
	bool is_bundle = level == TILE_LEVEL_ENTRIES;
	struct slot *s = is_bundle ? &t->entries : &t->hashes[level];
	unsigned int width = tile_width(n, tile_count(level, t->size));
	int r;

	if (s->is_there && s->n == n) {
		return 0;
	}
	s->is_there = false;
	buf_reset(&s->bytes);
	r = tile_load(t->dir_fd, level, n, width, &s->bytes, err);
	if (r == 0 && is_bundle) {
		r = tile_entries(s->bytes.data, s->bytes.len, width, t->offset);
	}
	if (r == 0) {
		s->is_there = true;
		s->n = n;
	}
	return r;
}

int
tiles_read(void *arg, unsigned int level, uint64_t index, uint8_t ret_hash[SHA256_SIZE])
{
	struct tiles *t = arg;
	unsigned int row = level / 8, sub = level % 8;
	uint64_t first;
	int r;

	if (level >= 63 || index >= t->size >> level) {
		return err_set(t->err, -EINVAL,
			       "level %u has no hash %llu in a log of %llu entries", level,
			       (unsigned long long)index, (unsigned long long)t->size);
	}
	first = index << sub;
	r = fill(t, (int)row, first / TILE_WIDTH, t->err);
	if (r < 0) {
		return r;
	}
	tile_subtree(t->hashes[row].bytes.data + (first % TILE_WIDTH) * SHA256_SIZE, sub, ret_hash);
	return 0;
}

int
tiles_entry(struct tiles *t, uint64_t index, const uint8_t **ret_entry, size_t *ret_len,
	    struct err *err)
{
	unsigned int i = (unsigned int)(index % TILE_WIDTH);
	int r;

	if (index >= t->size) {
		return err_set(err, -EINVAL, "a log of %llu entries has no entry %llu",
			       (unsigned long long)t->size, (unsigned long long)index);
	}
	r = fill(t, TILE_LEVEL_ENTRIES, index / TILE_WIDTH, err);
	if (r < 0) {
		return r;
	}
	*ret_entry = t->entries.bytes.data + t->offset[i];
	*ret_len = tile_entry_len(t->offset, i);
	return 0;
}
