/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in whoever verifies a log: files among the tiles that are none of its tiles. What is there
 * is read from the directory, so names are anybody's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fdio.h"
#include "tiles_internal.h"

struct stray {
	int dir_fd;
	uint64_t size;
	tiles_stray_fn fn;
	void *arg;
};

/* "x001/x234/067" at *p, which is moved behind it; false when it is spelled in any other way. */
static bool
parse_number(const char **p, uint64_t *ret)
{
	uint64_t n = 0;

	for (;;) {
		bool more = **p == 'x';
		const char *d = *p + (more ? 1 : 0);

		if (strspn(d, "0123456789") < 3 || n > UINT64_MAX / 1000 - 999) {
			return false;
		}
		n = n * 1000 + (uint64_t)((d[0] - '0') * 100 + (d[1] - '0') * 10 + (d[2] - '0'));
		*p = d + 3;
		if (!more) {
			*ret = n;
			return true;
		}
		if (**p != '/') {
			return false;
		}
		++*p;
	}
}

/* "tile/0/x001/067.p/12" as tile_path writes it; false for any other name. */
static bool
parse_path(const char *path, int *ret_level, uint64_t *ret_n, unsigned int *ret_width)
{
	char again[TILE_PATH_SIZE];
	const char *p = path;
	char *end;

	if (strncmp(p, "tile/", 5) != 0) {
		return false;
	}
	p += 5;
	if (strncmp(p, "entries/", 8) == 0) {
		*ret_level = TILE_LEVEL_ENTRIES;
		p += 8;
	} else if (*p >= '0' && *p < '0' + TILE_LEVELS && p[1] == '/') {
		*ret_level = *p - '0';
		p += 2;
	} else {
		return false;
	}
	if (!parse_number(&p, ret_n)) {
		return false;
	}
	*ret_width = TILE_WIDTH;
	if (strncmp(p, ".p/", 3) == 0) {
		unsigned long width = strtoul(p + 3, &end, 10);

		if (width == 0 || width >= TILE_WIDTH) {
			return false;
		}
		*ret_width = (unsigned int)width;
		p = end;
	}
	tile_path(*ret_level, *ret_n, *ret_width, again);
	return *p == '\0' && strcmp(again, path) == 0;
}

static int
check_file(const struct stray *s, const char *path)
{
	uint64_t n = 0, count;
	unsigned int width = 0;
	int level = 0;

	if (!parse_path(path, &level, &n, &width)) {
		return s->fn(s->arg, path, false, "is no tile");
	}
	count = tile_count(level, s->size);
	if (n > count / TILE_WIDTH || width > tile_width(n, count)) {
		/* what the next checkpoint will sign is written before it is signed */
		return s->fn(s->arg, path, true, "is a tile of more entries than are signed");
	}
	return 0; /* one that tiles_check reads */
}

static int
walk(const struct stray *s, const char *path)
{
	auto_dir dir = NULL;
	int r = fdio_list_dir(s->dir_fd, path, O_NOFOLLOW, &dir);
	struct dirent *entry;

	if (r < 0) {
		return r == -ENOENT ? 0 : r;
	}
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		auto_buf below = BUF_INIT;
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		buf_printf(&below, "%s/%s", path, entry->d_name);
		r = buf_error(&below);
		if (r == 0 && fstatat(s->dir_fd, buf_text(&below), &st, AT_SYMLINK_NOFOLLOW) == 0) {
			r = S_ISDIR(st.st_mode) ? walk(s, buf_text(&below))
						: check_file(s, buf_text(&below));
		}
	}
	return r;
}

int
tiles_stray(struct tiles *t, tiles_stray_fn fn, void *arg)
{
	struct stray s = { .fn = fn, .arg = arg };

	tiles_place(t, &s.dir_fd, &s.size);
	return walk(&s, "tile");
}
