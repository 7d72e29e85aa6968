/* SPDX-License-Identifier: Apache-2.0 */
/* tiles_stray.c: files among the tiles that are none of the log's. Run by `make unit`. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../told.h"
#include "log_temp.h"

static int
tell(void *arg, const char *path, bool is_ahead, const char *what)
{
	struct told *told = arg;

	buf_printf(&told->lines, "%s %s%s\n", path, is_ahead ? "(ahead) " : "", what);
	return told->stop;
}

static int
check(const struct log_temp *t, uint64_t size, struct told *told)
{
	auto_tiles tiles = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(tiles_open(t->fd, size, &tiles, &err), 0);
	return tiles_stray(tiles, tell, told);
}

static void
put(const struct log_temp *t, const char *path)
{
	cr_assert_eq(fdio_replace_at(t->fd, path, "x", 1, 0600), 0, "%s", path);
}

Test(tiles_stray, a_log_has_none)
{
	static const uint64_t sizes[] = { 1, 255, 256, 257, 600, 65536, 66000 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		auto_log_temp t = log_temp_make();
		auto_told told = { .stop = 0 };

		log_temp_fill(&t, sizes[i]);
		cr_expect_eq(check(&t, sizes[i], &told), 0);
		cr_expect_str_eq(buf_text(&told.lines), "", "%lu entries", sizes[i]);
	}
}

Test(tiles_stray, no_directory_has_none)
{
	auto_log_temp t = log_temp_make();
	auto_told told = { .stop = 0 };

	cr_expect_eq(check(&t, 0, &told), 0);
	cr_expect_eq(check(&t, 7, &told), 0);
	cr_expect_str_eq(buf_text(&told.lines), "");
}

Test(tiles_stray, what_is_written_before_it_is_signed_is_ahead)
{
	auto_log_temp t = log_temp_make();
	auto_told told = { .stop = 0 };
	uint8_t root[SHA256_SIZE];
	struct err err = ERR_INIT;

	log_temp_fill(&t, 3);
	cr_assert_eq(log_temp_grow(&t, 3, 5, root, &err), 0);
	cr_expect_eq(check(&t, 5, &told), 0);
	cr_expect_str_eq(buf_text(&told.lines), "");
	cr_expect_eq(check(&t, 3, &told), 0);
	cr_expect_not_null(strstr(buf_text(&told.lines),
				  "tile/0/000.p/5 (ahead) is a tile of more entries than are "
				  "signed\n"));
	cr_expect_not_null(strstr(buf_text(&told.lines),
				  "tile/entries/000.p/5 (ahead) is a tile of more entries than are "
				  "signed\n"));
	cr_expect_eq(strlen(buf_text(&told.lines)),
		     strlen("tile/0/000.p/5tile/entries/000.p/5") +
			     2 * strlen(" (ahead) is a tile of more entries than are signed\n"));
}

Test(tiles_stray, names_that_are_no_tile)
{
	static const char *const names[] = {
		"junk",	  "0/junk",    "0/0",	    "0/00",	  "0/0000",    "0/1000", "0/+01",
		"0/-01",  "0/000.q",   "0/x000",    "entries/00", "entries/a", "8/000",	 "9/000",
		"00/000", "0/001.new", ".new-tile", "0/000 ",	  "0/\xff",    "0/0x1",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_log_temp t = log_temp_make();
		auto_told told = { .stop = 0 };
		char path[64], dir[64], expected[128];

		log_temp_fill(&t, 2);
		snprintf(path, sizeof(path), "tile/%s", names[i]);
		snprintf(dir, sizeof(dir), "%s", path);
		*strrchr(dir, '/') = '\0';
		cr_assert(mkdirat(t.fd, dir, 0700) == 0 || errno == EEXIST, "%s", dir);
		put(&t, path);
		snprintf(expected, sizeof(expected), "%s is no tile\n", path);
		cr_expect_eq(check(&t, 2, &told), 0);
		cr_expect_str_eq(buf_text(&told.lines), expected);
	}
}

Test(tiles_stray, partial_names_that_are_no_tile)
{
	static const char *const names[] = {
		"0", "256", "01", "+1", " 1", "1 ", "a", "1a", "999999"
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_log_temp t = log_temp_make();
		auto_told told = { .stop = 0 };
		char path[64], expected[128];

		log_temp_fill(&t, 2);
		snprintf(path, sizeof(path), "tile/0/000.p/%s", names[i]);
		put(&t, path);
		snprintf(expected, sizeof(expected), "%s is no tile\n", path);
		cr_expect_eq(check(&t, 2, &told), 0);
		cr_expect_str_eq(buf_text(&told.lines), expected);
	}
}

Test(tiles_stray, a_tile_of_a_level_that_the_log_has_not)
{
	auto_log_temp t = log_temp_make();
	auto_told told = { .stop = 0 };

	log_temp_fill(&t, 2);
	cr_assert_eq(mkdirat(t.fd, "tile/1", 0700), 0);
	cr_assert_eq(mkdirat(t.fd, "tile/1/000.p", 0700), 0);
	put(&t, "tile/1/000.p/1");
	cr_expect_eq(check(&t, 2, &told), 0);
	cr_expect_str_eq(buf_text(&told.lines),
			 "tile/1/000.p/1 (ahead) is a tile of more entries than are signed\n");
}

Test(tiles_stray, links_are_named_and_not_followed)
{
	auto_log_temp t = log_temp_make();
	auto_told told = { .stop = 0 };

	log_temp_fill(&t, 2);
	cr_assert_eq(symlinkat("/", t.fd, "tile/elsewhere"), 0);
	cr_expect_eq(check(&t, 2, &told), 0);
	cr_expect_str_eq(buf_text(&told.lines), "tile/elsewhere is no tile\n");
}

Test(tiles_stray, what_fn_says_ends_it)
{
	auto_log_temp t = log_temp_make();
	auto_told told = { .stop = 42 };

	log_temp_fill(&t, 2);
	put(&t, "tile/junk");
	cr_expect_eq(check(&t, 2, &told), 42);
}
