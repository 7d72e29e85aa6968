/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. One thing is wrong in a log: it is named, and nothing else is. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../told.h"
#include "log_temp.h"

static int
tell(void *arg, const char *path, uint64_t index, const char *what)
{
	struct told *told = arg;

	buf_printf(&told->lines, "%s %lu %s\n", path, index, what);
	return told->stop;
}

static int
check(const struct log_temp *t, uint64_t size, struct told *told)
{
	auto_tiles tiles = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(tiles_open(t->fd, size, &tiles, &err), 0);
	return tiles_check(tiles, tell, told);
}

Test(tiles_check, a_good_log)
{
	static const uint64_t sizes[] = { 1, 255, 256, 257, 600, 66000 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		auto_log_temp t = log_temp_make();
		auto_told told = { .stop = 0 };

		log_temp_fill(&t, sizes[i]);
		cr_expect_eq(check(&t, sizes[i], &told), 0);
		cr_expect_str_eq(buf_text(&told.lines), "");
		/* Also while its tiles are ahead of the checkpoint. */
		cr_expect_eq(check(&t, sizes[i] - 1, &told), 0);
		cr_expect_str_eq(buf_text(&told.lines), "");
	}
}

Test(tiles_check, one_flipped_bit)
{
	/* clang-format off */
	static const struct { const char *path; off_t at; const char *says; } rows[] = {
		/* the last byte of "entry 1" */
		{ "tile/entries/000", 17, "tile/entries/000 1 the entry does not hash to its leaf\n" },
		{ "tile/entries/002.p/88", 2, "tile/entries/002.p/88 512 the entry does not hash to its leaf\n"
					       "tile/entries/002.p/87 512 differs from the tile of another size\n" },
		{ "tile/entries/002.p/87", 2, "tile/entries/002.p/87 512 differs from the tile of another size\n" },
		{ "tile/0/001", 32 * 3, "tile/entries/001 259 the entry does not hash to its leaf\n"
					 "tile/1/000.p/2 256 a hash is not that of the tile below it\n" },
		{ "tile/0/002.p/87", 1, "tile/0/002.p/87 512 differs from the tile of another size\n" },
		{ "tile/1/000.p/2", 33, "tile/1/000.p/2 256 a hash is not that of the tile below it\n" },
		/* a length: the whole bundle is unreadable */
		{ "tile/entries/000", 1, "tile/entries/000 0 has not the length of its 256 entries\n" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_log_temp t = log_temp_make();
		auto_told told = { .stop = 0 };

		log_temp_fill(&t, 600);
		log_temp_flip(&t, rows[i].path, rows[i].at);
		cr_expect_eq(check(&t, 600, &told), 0);
		cr_expect_str_eq(buf_text(&told.lines), rows[i].says);
	}
}

Test(tiles_check, goes_on_behind_what_is_missing)
{
	auto_log_temp t = log_temp_make();
	auto_told told = { .stop = 0 };

	log_temp_fill(&t, 600);
	cr_assert_eq(unlinkat(t.fd, "tile/entries/000", 0), 0);
	cr_assert_eq(unlinkat(t.fd, "tile/0/001", 0), 0);
	log_temp_flip(&t, "tile/1/000.p/2", 0);
	cr_expect_eq(check(&t, 600, &told), 0);
	cr_expect_str_eq(buf_text(&told.lines),
			 "tile/entries/000 0 is missing from the log\n"
			 "tile/0/001 256 is missing from the log\n"
			 "tile/1/000.p/2 0 a hash is not that of the tile below it\n");
}

Test(tiles_check, ends_when_it_is_told_to)
{
	auto_log_temp t = log_temp_make();
	auto_told told = { .stop = -ECANCELED };

	log_temp_fill(&t, 600);
	log_temp_flip(&t, "tile/entries/000", 17);
	log_temp_flip(&t, "tile/1/000.p/2", 0);
	cr_expect_eq(check(&t, 600, &told), -ECANCELED);
	cr_expect_str_eq(buf_text(&told.lines),
			 "tile/entries/000 1 the entry does not hash to its leaf\n");
}
