/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Paths of tiles, and a log that is read back. */
#include <criterion/criterion.h>
#include <errno.h>

#include "log_temp.h"

Test(tiles, paths)
{
	/* clang-format off */
	static const struct { int level; uint64_t n; unsigned int width; const char *path; } rows[] = {
		{ 0, 0, 256, "tile/0/000" },
		{ 0, 0, 1, "tile/0/000.p/1" },
		{ 3, 999, 256, "tile/3/999" },
		{ 0, 1000, 256, "tile/0/x001/000" },
		{ 0, 1234067, 256, "tile/0/x001/x234/067" },
		{ TILE_LEVEL_ENTRIES, 1234067, 8, "tile/entries/x001/x234/067.p/8" },
		{ TILE_LEVEL_ENTRIES, UINT64_MAX, 255,
		  "tile/entries/x018/x446/x744/x073/x709/x551/615.p/255" },
	};
	/* clang-format on */
	char path[TILE_PATH_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		tile_path(rows[i].level, rows[i].n, rows[i].width, path);
		cr_expect_str_eq(path, rows[i].path);
	}
}

static void
expect_entry(struct tiles *tiles, uint64_t n)
{
	const uint8_t *entry = NULL;
	struct err err = ERR_INIT;
	char want[32];
	size_t len = 0;

	cr_assert_eq(tiles_entry(tiles, n, &entry, &len, &err), 0, "%s", err.text);
	cr_assert_eq(len, (size_t)snprintf(want, sizeof(want), "entry %lu", n));
	cr_expect_arr_eq(entry, want, len);
}

Test(tiles, entries_and_proofs)
{
	auto_log_temp t = log_temp_make();
	auto_tiles tiles = NULL;
	uint8_t root[SHA256_SIZE], again[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(log_temp_grow(&t, 0, 70000, root, &err), 0);
	cr_assert_eq(tiles_open(t.fd, 70000, &tiles, &err), 0);
	cr_assert_eq(merkle_root(tiles_read, tiles, 70000, again), 0);
	cr_expect_arr_eq(again, root, SHA256_SIZE);
	for (uint64_t i = 0; i < 70000; i += 999) {
		uint8_t leaf[SHA256_SIZE], old_root[SHA256_SIZE];
		struct merkle_proof p;
		char entry[32];

		expect_entry(tiles, i);
		merkle_leaf(entry, (size_t)snprintf(entry, sizeof(entry), "entry %lu", i), leaf);
		cr_assert_eq(merkle_prove_inclusion(tiles_read, tiles, i, 70000, &p), 0, "%s",
			     err.text);
		cr_expect_eq(merkle_check_inclusion(&p, i, 70000, leaf, root), 0);
		cr_assert_eq(merkle_root(tiles_read, tiles, i, old_root), 0);
		cr_assert_eq(merkle_prove_consistency(tiles_read, tiles, i, 70000, &p), 0);
		cr_expect_eq(merkle_check_consistency(&p, i, 70000, old_root, root), 0);
	}
	expect_entry(tiles, 69999);
	expect_entry(tiles, 0);
}

Test(tiles, an_older_size_of_a_log_that_grew)
{
	auto_log_temp t = log_temp_make();
	uint8_t root[SHA256_SIZE], old_root[SHA256_SIZE], again[SHA256_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(log_temp_grow(&t, 0, 300, old_root, &err), 0);
	cr_assert_eq(log_temp_grow(&t, 300, 1000, root, &err), 0);
	/* 300: its partial tile went away with the full one, which is cut. */
	cr_expect_eq(log_temp_size(&t, "tile/0/001.p/44"), -1);
	for (int i = 0; i < 2; i++) {
		auto_tiles tiles = NULL;

		cr_assert_eq(tiles_open(t.fd, i == 0 ? 300 : 1000, &tiles, &err), 0);
		cr_assert_eq(merkle_root(tiles_read, tiles, 300, again), 0, "%s", err.text);
		cr_expect_arr_eq(again, old_root, SHA256_SIZE);
		expect_entry(tiles, 299);
	}
}

Test(tiles, what_is_not_in_the_log)
{
	auto_log_temp t = log_temp_make();
	auto_tiles tiles = NULL;
	const uint8_t *entry = NULL;
	uint8_t root[SHA256_SIZE], hash[SHA256_SIZE];
	struct err err = ERR_INIT;
	size_t len;

	cr_assert_eq(log_temp_grow(&t, 0, 300, root, &err), 0);
	cr_assert_eq(tiles_open(t.fd, 300, &tiles, &err), 0);
	cr_expect_eq(tiles_entry(tiles, 300, &entry, &len, &err), -EINVAL);
	cr_expect_eq(tiles_read(tiles, 0, 300, hash), -EINVAL);
	cr_expect_eq(tiles_read(tiles, 2, 75, hash), -EINVAL);
	cr_expect_eq(tiles_read(tiles, 63, 0, hash), -EINVAL);
	cr_expect_eq(tiles_read(tiles, 2, 74, hash), 0);
	cr_expect_eq(tiles_open(t.fd, MERKLE_SIZE_MAX + 1, &tiles, &err), -EINVAL);
}

Test(tiles, what_is_missing_or_cut_names_its_file)
{
	/* clang-format off */
	static const struct { const char *path; off_t len; const char *says; } rows[] = {
		{ "tile/0/000", -1, "tile/0/000: is missing from the log" },
		{ "tile/0/001.p/44", -1, "tile/0/001.p/44: is missing from the log" },
		{ "tile/0/000", 8191, "tile/0/000: has not the length of its 256 hashes" },
		{ "tile/0/001.p/44", 0, "tile/0/001.p/44: has not the length of its 44 hashes" },
		{ "tile/0/000", 1 << 20, "tile/0/000: has not the length of its 256 hashes" },
	};
	static const struct { const char *path; off_t len; const char *says; } entries[] = {
		{ "tile/entries/001.p/44", -1, "tile/entries/001.p/44: is missing from the log" },
		{ "tile/entries/001.p/44", 483, "tile/entries/001.p/44: has not the length of its 44 entries" },
		{ "tile/entries/001.p/44", 485, "tile/entries/001.p/44: has not the length of its 44 entries" },
		{ "tile/entries/001.p/44", 1 << 25, "tile/entries/001.p/44: has not the length of its 44 entries" },
	};
	/* clang-format on */
	uint8_t root[SHA256_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(rows) + ARRAY_LEN(entries); i++) {
		bool is_hash = i < ARRAY_LEN(rows);
		const char *path = is_hash ? rows[i].path : entries[i - ARRAY_LEN(rows)].path;
		off_t len = is_hash ? rows[i].len : entries[i - ARRAY_LEN(rows)].len;
		auto_log_temp t = log_temp_make();
		auto_tiles tiles = NULL;
		const uint8_t *entry = NULL;
		struct err err = ERR_INIT;
		struct merkle_proof p;
		size_t got;

		cr_assert_eq(log_temp_grow(&t, 0, 300, root, &err), 0);
		if (len < 0) {
			cr_assert_eq(unlinkat(t.fd, path, 0), 0);
		} else {
			auto_fd fd = openat(t.fd, path, O_WRONLY | O_CLOEXEC);

			cr_assert_eq(ftruncate(fd, len), 0);
		}
		cr_assert_eq(tiles_open(t.fd, 300, &tiles, &err), 0);
		if (is_hash) {
			cr_expect_eq(merkle_prove_inclusion(tiles_read, tiles, 0, 300, &p),
				     -EBADMSG);
			cr_expect_str_eq(err.text, rows[i].says);
		} else {
			cr_expect_eq(tiles_entry(tiles, 299, &entry, &got, &err), -EBADMSG);
			cr_expect_str_eq(err.text, entries[i - ARRAY_LEN(rows)].says);
		}
	}
}
