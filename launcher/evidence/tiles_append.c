/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-log, which is alone at it (index.lock). What is in the directory is believed as
 * far as the caller compared its root with the one that was signed. Order: entries, then hashes
 * from the bottom up; a tile stands under its name only when it is whole and durable.
 */
#include "tiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fdio.h"
#include "tiles_internal.h"

#define TEMPORARY ".new-tile" /* in the log's directory; one writer, so one name */

struct writer {
	int dir_fd;		    /* borrowed */
	int place_fd;		    /* owned, or -1: the directory that was written to last */
	char place[TILE_PATH_SIZE]; /* its path */
	struct err *err;
};

static int
sync_place(struct writer *w)
{
	int r = 0;

	if (w->place_fd >= 0) {
		r = fsync(w->place_fd) < 0 ? -errno : 0;
		close(w->place_fd);
		w->place_fd = -1;
	}
	return r < 0 ? err_sys(w->err, r, "%s: making a directory of the log durable", w->place)
		     : 0;
}

static int
open_dir(int dir_fd, const char *path)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* mkdir -p below the log's directory; each new name is durable before it is used. */
static int
make_dirs(const struct writer *w, const char *path)
{
	char part[TILE_PATH_SIZE];
	size_t len = strlen(path), parent = 0;

	for (size_t i = 1; i <= len; i++) {
		auto_fd above = -1;

		if (path[i] != '/' && path[i] != '\0') {
			continue;
		}
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdirat(w->dir_fd, part, 0700) == 0) {
			part[parent] = '\0';
			above = open_dir(w->dir_fd, parent == 0 ? "." : part);
			if (above < 0) {
				return above;
			}
			if (fsync(above) < 0) {
				return -errno;
			}
		} else if (errno != EEXIST) {
			return -errno;
		}
		parent = i;
	}
	return 0;
}

/* Makes the directory of path the one that w syncs next. */
static int
enter(struct writer *w, const char *path)
{
	char place[TILE_PATH_SIZE];
	size_t len = (size_t)(strrchr(path, '/') - path);
	int r;

	memcpy(place, path, len);
	place[len] = '\0';
	if (w->place_fd >= 0 && strcmp(place, w->place) == 0) {
		return 0;
	}
	r = sync_place(w);
	if (r < 0) {
		return r;
	}
	memcpy(w->place, place, sizeof(place));
	r = make_dirs(w, place);
	if (r == 0) {
		r = open_dir(w->dir_fd, place);
	}
	if (r < 0) {
		return err_sys(w->err, r, "%s: making a directory of the log", place);
	}
	w->place_fd = r;
	return 0;
}

static int
write_new(const struct writer *w, const char *path, const void *data, size_t len)
{
	auto_fd fd = openat(w->dir_fd, TEMPORARY,
			    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0) {
		return -errno;
	}
	r = fdio_write(fd, data, len);
	if (r == 0 && fsync(fd) < 0) {
		r = -errno;
	}
	if (r == 0 && renameat(w->dir_fd, TEMPORARY, w->dir_fd, path) < 0) {
		r = -errno;
	}
	return r;
}

/* Partial tiles are needed until their full one is durable; then they are only room. */
static int
drop_partials(const struct writer *w, int level, uint64_t n)
{
	char path[TILE_PATH_SIZE];
	struct stat st;

	tile_path(level, n, 1, path);
	*strrchr(path, '/') = '\0';
	if (fstatat(w->dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	for (unsigned int width = 1; width < TILE_WIDTH; width++) {
		tile_path(level, n, width, path);
		if (unlinkat(w->dir_fd, path, 0) < 0 && errno != ENOENT) {
			return -errno;
		}
	}
	*strrchr(path, '/') = '\0';
	return unlinkat(w->dir_fd, path, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/*
 * Whether the tile is there: 1 with these bytes, also as the beginning of its full one, 0 no, and
 * -EEXIST with others. The path is the one where it is or will be.
 */
static int
is_there(const struct writer *w, int level, uint64_t n, unsigned int width, const struct buf *bytes,
	 char path[TILE_PATH_SIZE])
{
	auto_buf old = BUF_INIT;
	bool is_same = false;
	int r;

	tile_path(level, n, width, path);
	r = fdio_slurp_file_at(w->dir_fd, path, TILE_BUNDLE_MAX, &old);
	if (r == 0) {
		is_same = old.len == bytes->len;
	} else if (r == -ENOENT && width < TILE_WIDTH) {
		tile_path(level, n, TILE_WIDTH, path);
		r = fdio_slurp_file_at(w->dir_fd, path, TILE_BUNDLE_MAX, &old);
		is_same = r == 0 && old.len > bytes->len;
	}
	if (r == -ENOENT) {
		tile_path(level, n, width, path);
		return 0;
	}
	if (r < 0) {
		return r == -EFBIG ? -EEXIST : r;
	}
	return is_same && memcmp(old.data, bytes->data, bytes->len) == 0 ? 1 : -EEXIST;
}

static int
put_tile(struct writer *w, int level, uint64_t n, unsigned int width, const struct buf *bytes)
{
	char path[TILE_PATH_SIZE];
	int r;

	r = buf_error(bytes);
	if (r < 0) {
		return err_sys(w->err, r, "writing the log");
	}
	r = is_there(w, level, n, width, bytes, path);
	if (r == -EEXIST) {
		return err_set(
			w->err, -EBADMSG,
			"%s: is there already with other content; it belongs to another history of "
			"this log, and nothing is written over it",
			path);
	}
	if (r >= 0) {
		/* Also where a crash left it: its name may not be durable. */
		int entered = enter(w, path);

		if (entered < 0) {
			return entered;
		}
	}
	if (r == 0) {
		r = write_new(w, path, bytes->data, bytes->len);
	}
	if (r >= 0 && width == TILE_WIDTH) {
		r = sync_place(w);
		r = r == 0 ? drop_partials(w, level, n) : r;
	}
	return r < 0 ? err_sys(w->err, r, "%s: writing a tile of the log", path) : 0;
}

static int
append_entries(struct writer *w, uint64_t old_size, const struct tile_entry *entries, size_t count)
{
	unsigned int width = (unsigned int)(old_size % TILE_WIDTH);
	uint64_t n = old_size / TILE_WIDTH;
	auto_buf bundle = BUF_INIT;
	int r = 0;

	if (width > 0) {
		r = tile_load(w->dir_fd, TILE_LEVEL_ENTRIES, n, width, &bundle, w->err);
	}
	for (size_t i = 0; r == 0 && i < count; i++) {
		const uint8_t len[2] = { (uint8_t)(entries[i].len >> 8), (uint8_t)entries[i].len };

		buf_put(&bundle, len, sizeof(len));
		buf_put(&bundle, entries[i].data, entries[i].len);
		if (++width == TILE_WIDTH || i == count - 1) {
			r = put_tile(w, TILE_LEVEL_ENTRIES, n, width, &bundle);
		}
		if (width == TILE_WIDTH) {
			buf_reset(&bundle);
			width = 0;
			n++;
		}
	}
	return r;
}

/* Appends the hashes in `more` to a level; what the level above gets by it replaces them. */
static int
append_level(struct writer *w, int level, uint64_t old_size, struct buf *more)
{
	uint64_t old_count = tile_count(level, old_size), n = old_count / TILE_WIDTH;
	unsigned int width = (unsigned int)(old_count % TILE_WIDTH);
	auto_buf tile = BUF_INIT, above = BUF_INIT;
	int r = 0;

	if (width > 0) {
		r = tile_load(w->dir_fd, level, n, width, &tile, w->err);
	}
	for (size_t at = 0; r == 0 && at < more->len; at += SHA256_SIZE) {
		buf_put(&tile, more->data + at, SHA256_SIZE);
		if (++width == TILE_WIDTH || at + SHA256_SIZE == more->len) {
			r = put_tile(w, level, n, width, &tile);
		}
		if (r == 0 && width == TILE_WIDTH) {
			uint8_t hash[SHA256_SIZE];

			tile_subtree(tile.data, 8, hash);
			buf_put(&above, hash, SHA256_SIZE);
			buf_reset(&tile);
			width = 0;
			n++;
		}
	}
	if (r == 0 && buf_error(&above) < 0) {
		r = err_sys(w->err, -ENOMEM, "writing the log");
	}
	if (r == 0) {
		struct buf used = *more;

		*more = above;
		above = used;
	}
	return r;
}

static int
check_arguments(uint64_t old_size, const struct tile_entry *entries, size_t count, struct err *err)
{
	if (old_size > MERKLE_SIZE_MAX || count > MERKLE_SIZE_MAX - old_size) {
		return err_set(err, -EINVAL, "a log of more than 2^62 entries");
	}
	for (size_t i = 0; i < count; i++) {
		if (entries[i].len == 0 || entries[i].len > TILE_ENTRY_MAX) {
			return err_set(err, -EINVAL, "an entry of %zu bytes: the log takes 1 to %u",
				       entries[i].len, TILE_ENTRY_MAX);
		}
	}
	return 0;
}

int
tiles_append(int dir_fd, uint64_t old_size, const struct tile_entry *entries, size_t count,
	     uint8_t ret_root[SHA256_SIZE], struct err *err)
{
	struct writer w = { .dir_fd = dir_fd, .place_fd = -1, .err = err };
	auto_tiles tiles = NULL;
	auto_buf hashes = BUF_INIT;
	int r = check_arguments(old_size, entries, count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		uint8_t leaf[SHA256_SIZE];

		merkle_leaf(entries[i].data, entries[i].len, leaf);
		buf_put(&hashes, leaf, sizeof(leaf));
	}
	if (r == 0 && buf_error(&hashes) < 0) {
		r = err_sys(err, -ENOMEM, "writing the log");
	}
	if (r == 0) {
		r = append_entries(&w, old_size, entries, count);
	}
	for (int level = 0; r == 0 && level < TILE_LEVELS && hashes.len > 0; level++) {
		r = append_level(&w, level, old_size, &hashes);
	}
	if (r == 0) {
		r = sync_place(&w);
	} else if (w.place_fd >= 0) {
		close(w.place_fd);
	}
	if (r == 0) {
		r = tiles_open(dir_fd, old_size + count, &tiles, err);
	}
	return r == 0 ? merkle_root(tiles_read, tiles, old_size + count, ret_root) : r;
}
