/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in whoever verifies a log: every tile against what is below it, down to the entries. Goes on
 * behind what is wrong, so that one broken file does not hide another. Whether the whole is what
 * was signed is merkle_root's to say, over the same tiles.
 */
#include "tiles.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "tiles_internal.h"

struct check {
	int dir_fd;
	uint64_t size;
	int (*fn)(void *arg, const char *path, uint64_t index, const char *what);
	void *arg;
};

/* A tile of hashes covers 256^(level + 1) leaves, a bundle 256. */
static uint64_t
first_leaf(int level, uint64_t n)
{
	return n << (8 * (level == TILE_LEVEL_ENTRIES ? 1 : level + 1));
}

static int
tell(const struct check *c, int level, uint64_t n, unsigned int width, uint64_t index,
     const char *what)
{
	char path[TILE_PATH_SIZE];

	tile_path(level, n, width, path);
	return c->fn(c->arg, path, index, what);
}

/* The path stands before the text of tile_load, and fn is told it apart. */
static const char *
without_path(const struct err *err)
{
	const char *behind = strstr(err->text, ": ");

	return behind == NULL ? err->text : behind + 2;
}

/*
 * Tile n, its bytes appended; *ret_width its width, 0 where it could not be read and fn was told.
 */
static int
load(const struct check *c, int level, uint64_t n, struct buf *bytes, unsigned int *ret_width)
{
	unsigned int width = tile_width(n, tile_count(level, c->size));
	struct err err = ERR_INIT;
	int r = tile_load(c->dir_fd, level, n, width, bytes, &err);

	*ret_width = r == 0 ? width : 0;
	if (r == -ENOMEM) {
		return r;
	}
	return r == 0 ? 0 : tell(c, level, n, width, first_leaf(level, n), without_path(&err));
}

/* One partial tile of another size against the bytes of the tile that counts. */
static int
check_partial(const struct check *c, int level, uint64_t n, unsigned int width,
	      const struct buf *bytes)
{
	uint64_t first = first_leaf(level, n);
	auto_buf other = BUF_INIT;
	struct err err = ERR_INIT;
	int r = tile_load(c->dir_fd, level, n, width, &other, &err);
	size_t common = other.len < bytes->len ? other.len : bytes->len;

	if (r == -ENOMEM) {
		return r;
	}
	if (r < 0) {
		return tell(c, level, n, width, first, without_path(&err));
	}
	return memcmp(other.data, bytes->data, common) == 0
		     ? 0
		     : tell(c, level, n, width, first, "differs from the tile of another size");
}

/*
 * Partial tiles of older sizes, and of one that has no checkpoint yet: the shorter of two is the
 * beginning of the longer.
 */
static int
check_others(const struct check *c, int level, uint64_t n, unsigned int counts,
	     const struct buf *bytes)
{
	char path[TILE_PATH_SIZE];
	struct stat st;
	int r = 0;

	tile_path(level, n, 1, path);
	*strrchr(path, '/') = '\0';
	if (fstatat(c->dir_fd, path, &st, 0) < 0) {
		return 0;
	}
	for (unsigned int width = 1; r == 0 && width < TILE_WIDTH; width++) {
		tile_path(level, n, width, path);
		if (width != counts && fstatat(c->dir_fd, path, &st, 0) == 0) {
			r = check_partial(c, level, n, width, bytes);
		}
	}
	return r;
}

/* Entries against their leaves. */
static int
check_entries(const struct check *c, uint64_t n, const struct buf *leaves, unsigned int width)
{
	size_t offset[TILE_WIDTH + 1];
	auto_buf bundle = BUF_INIT;
	unsigned int there;
	int r = load(c, TILE_LEVEL_ENTRIES, n, &bundle, &there);

	if (r != 0 || there == 0) {
		return r;
	}
	r = tile_entries(bundle.data, bundle.len, there, offset);
	for (unsigned int i = 0; r == 0 && i < width; i++) {
		uint8_t leaf[SHA256_SIZE];

		merkle_leaf(bundle.data + offset[i], tile_entry_len(offset, i), leaf);
		if (memcmp(leaf, leaves->data + (size_t)i * SHA256_SIZE, SHA256_SIZE) != 0) {
			r = tell(c, TILE_LEVEL_ENTRIES, n, there, n * TILE_WIDTH + i,
				 "the entry does not hash to its leaf");
		}
	}
	return r != 0 ? r : check_others(c, TILE_LEVEL_ENTRIES, n, there, &bundle);
}

/* Hashes of a level against the full tiles below; one that cannot be read was told of as itself. */
static int
check_below(const struct check *c, int level, uint64_t n, const struct buf *hashes,
	    unsigned int width)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < width; i++) {
		uint64_t below = n * TILE_WIDTH + i;
		auto_buf bytes = BUF_INIT;
		uint8_t hash[SHA256_SIZE];

		r = tile_load(c->dir_fd, level - 1, below, TILE_WIDTH, &bytes, NULL);
		if (r < 0) {
			r = r == -ENOMEM ? r : 0;
			continue;
		}
		tile_subtree(bytes.data, 8, hash);
		if (memcmp(hash, hashes->data + (size_t)i * SHA256_SIZE, SHA256_SIZE) != 0) {
			r = tell(c, level, n, width, first_leaf(level - 1, below),
				 "a hash is not that of the tile below it");
		}
	}
	return r;
}

static int
check_level(const struct check *c, int level)
{
	uint64_t count = tile_count(level, c->size);
	int r = 0;

	for (uint64_t n = 0; r == 0 && n < (count + TILE_WIDTH - 1) / TILE_WIDTH; n++) {
		auto_buf hashes = BUF_INIT;
		unsigned int width;

		r = load(c, level, n, &hashes, &width);
		if (r != 0) {
			return r;
		}
		if (width > 0) {
			r = check_others(c, level, n, width, &hashes);
		}
		if (r == 0 && width > 0 && level > 0) {
			r = check_below(c, level, n, &hashes, width);
		} else if (r == 0 && width > 0) {
			r = check_entries(c, n, &hashes, width);
		}
	}
	return r;
}

int
tiles_check(struct tiles *t,
	    int (*fn)(void *arg, const char *path, uint64_t index, const char *what), void *arg)
{
	struct check c = { .fn = fn, .arg = arg };
	int r = 0;

	tiles_place(t, &c.dir_fd, &c.size);
	for (int level = 0; r == 0 && level < TILE_LEVELS; level++) {
		r = check_level(&c, level);
	}
	return r;
}
