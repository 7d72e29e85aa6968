/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. Logs that grow in every kind of step, and what a crash left of
 * one.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "log_temp.h"

#define ROOT_600 "e8a804af596789ed4f53942e294cfe44d5bed4c7140c7f0f5fa52c0c122232d6"
#define ROOT_70000 "a3920fba7f239a071a9bd10721f1341addefbaededb41c7e24437a9d16bdf00a"

static void
expect_root(const uint8_t root[SHA256_SIZE], const char *want)
{
	char hex[HEX_DIGEST_SIZE];

	text_hex(root, SHA256_SIZE, hex);
	cr_expect_str_eq(hex, want);
}

Test(tiles_append, seventy_thousand_entries)
{
	auto_log_temp t = log_temp_make();
	uint8_t root[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(log_temp_grow(&t, 0, 70000, root, &err), 0, "%s", err.text);
	expect_root(root, ROOT_70000);
	cr_expect_eq(log_temp_size(&t, "tile/0/000"), 8192);
	cr_expect_eq(log_temp_size(&t, "tile/0/272"), 8192);
	cr_expect_eq(log_temp_size(&t, "tile/0/273"), -1);
	cr_expect_eq(log_temp_size(&t, "tile/0/273.p/112"), 112 * 32);
	cr_expect_eq(log_temp_size(&t, "tile/1/000"), 8192);
	cr_expect_eq(log_temp_size(&t, "tile/1/001.p/17"), 17 * 32);
	cr_expect_eq(log_temp_size(&t, "tile/2/000.p/1"), 32);
	cr_expect_eq(log_temp_size(&t, "tile/3"), -1);
	/* "entry 69888" to "entry 69999", two bytes of length before each */
	cr_expect_eq(log_temp_size(&t, "tile/entries/273.p/112"), 112 * 13);
	cr_expect_eq(log_temp_size(&t, ".new-tile"), -1);
}

Test(tiles_append, steps_give_the_same_log)
{
	static const unsigned int steps[] = { 1, 7, 255, 256, 257, 600 };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		auto_log_temp t = log_temp_make();
		uint8_t root[SHA256_SIZE];
		struct err err = ERR_INIT;

		for (uint64_t at = 0; at < 600; at += steps[i]) {
			uint64_t to = at + steps[i] < 600 ? at + steps[i] : 600;

			cr_assert_eq(log_temp_grow(&t, at, to, root, &err), 0, "%s", err.text);
		}
		expect_root(root, ROOT_600);
		cr_expect_eq(log_temp_size(&t, "tile/0/002.p/88"), 88 * 32);
		cr_expect_eq(log_temp_size(&t, "tile/1/000.p/2"), 64);
		/* Partial tiles stay until the full one is there. */
		cr_expect_eq(log_temp_size(&t, "tile/0/001.p"), -1);
		cr_expect_eq(log_temp_size(&t, "tile/entries/000.p"), -1);
		cr_expect_eq(log_temp_size(&t, "tile/0/002.p/87"), steps[i] == 1 ? 87 * 32 : -1);
	}
}

Test(tiles_append, nothing_and_a_first_entry)
{
	auto_log_temp t = log_temp_make();
	uint8_t root[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(log_temp_grow(&t, 0, 0, root, &err), 0);
	expect_root(root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	cr_expect_eq(log_temp_size(&t, "tile"), -1);
	cr_assert_eq(log_temp_grow(&t, 0, 1, root, &err), 0);
	cr_expect_eq(log_temp_size(&t, "tile/entries/000.p/1"), 9);
	cr_expect_eq(log_temp_size(&t, "tile/1"), -1);
}

Test(tiles_append, the_same_again_is_the_same)
{
	auto_log_temp t = log_temp_make();
	uint8_t root[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(log_temp_grow(&t, 0, 250, root, &err), 0);
	/*
	 * A crash after the tiles and before their checkpoint: the same entries come again, or
	 * more.
	 */
	cr_assert_eq(log_temp_grow(&t, 250, 600, root, &err), 0);
	cr_assert_eq(log_temp_grow(&t, 250, 600, root, &err), 0, "%s", err.text);
	expect_root(root, ROOT_600);
	/* Fewer: what is there already as a full tile is not written again as a partial one. */
	cr_assert_eq(log_temp_grow(&t, 250, 300, root, &err), 0, "%s", err.text);
	cr_expect_eq(log_temp_size(&t, "tile/0/001.p/44"), -1);
	cr_assert_eq(log_temp_grow(&t, 300, 600, root, &err), 0, "%s", err.text);
	expect_root(root, ROOT_600);
}

Test(tiles_append, another_history_is_not_written_over)
{
	static const struct {
		uint64_t there, old, size;
		const char *path;
	} rows[] = {
		{ 300, 299, 300, "tile/entries/001.p/44" }, /* the same partial tile */
		{ 300, 0, 256, "tile/entries/000" },	    /* the full one */
		{ 300, 0, 12, "tile/entries/000" },	    /* the beginning of the full one */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_log_temp t = log_temp_make();
		struct tile_entry entries[256];
		uint8_t root[SHA256_SIZE] = { 47 };
		struct err err = ERR_INIT;
		off_t before;

		cr_assert_eq(log_temp_grow(&t, 0, 299, root, &err), 0);
		cr_assert_eq(log_temp_grow(&t, 299, rows[i].there, root, &err), 0);
		before = log_temp_size(&t, "tile/0/001.p/44");
		for (size_t k = 0; k < ARRAY_LEN(entries); k++) {
			entries[k] = (struct tile_entry){ .data = "other", .len = 5 };
		}
		root[0] = 47;
		cr_expect_eq(tiles_append(t.fd, rows[i].old, entries, rows[i].size - rows[i].old,
					  root, &err),
			     -EBADMSG);
		cr_expect_eq(root[0], 47);
		cr_expect_not_null(strstr(err.text, "another history"), "%s", err.text);
		cr_expect_eq(strncmp(err.text, rows[i].path, strlen(rows[i].path)), 0, "%s",
			     err.text);
		cr_expect_eq(log_temp_size(&t, "tile/0/001.p/44"), before);
	}
}

Test(tiles_append, refuses_what_no_bundle_holds)
{
	static char large[TILE_ENTRY_MAX + 1];
	auto_log_temp t = log_temp_make();
	struct tile_entry entries[2] = { { .data = "a", .len = 1 },
					 { .data = large, .len = sizeof(large) } };
	uint8_t root[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_expect_eq(tiles_append(t.fd, 0, entries, 2, root, &err), -EINVAL);
	entries[1].len = 0;
	cr_expect_eq(tiles_append(t.fd, 0, entries, 2, root, &err), -EINVAL);
	cr_expect_eq(log_temp_size(&t, "tile"), -1);
	entries[1].len = TILE_ENTRY_MAX;
	cr_expect_eq(tiles_append(t.fd, 0, entries, 2, root, &err), 0, "%s", err.text);
	cr_expect_eq(tiles_append(t.fd, MERKLE_SIZE_MAX, entries, 1, root, &err), -EINVAL);
}

Test(tiles_append, an_old_tile_that_is_gone)
{
	auto_log_temp t = log_temp_make();
	uint8_t root[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(log_temp_grow(&t, 0, 10, root, &err), 0);
	cr_assert_eq(unlinkat(t.fd, "tile/0/000.p/10", 0), 0);
	cr_expect_eq(log_temp_grow(&t, 10, 11, root, &err), -EBADMSG);
	cr_expect_str_eq(err.text, "tile/0/000.p/10: is missing from the log");
}
