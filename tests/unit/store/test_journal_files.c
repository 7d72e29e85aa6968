/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The numbered files of the journal. */
#include "store_temp.h"

#include "../../../launcher/base/limits.h"
#include "../../../launcher/store/store_internal.h"

Test(journal_files, names)
{
	char name[JOURNAL_NAME_SIZE];

	journal_name(1, name);
	cr_expect_str_eq(name, "journal/0001.log");
	journal_name(9999, name);
	cr_expect_str_eq(name, "journal/9999.log");
	journal_name(10000, name);
	cr_expect_str_eq(name, "journal/10000.log");
	journal_name(UINT32_MAX, name);
	cr_expect_str_eq(name, "journal/4294967295.log");
}

Test(journal_files, scan_rows)
{
	/* clang-format off */
	static const struct { uint32_t after, next, newest; } rows[] = {
		{ 0, 2, 10001 },
		{ 1, 2, 10001 },
		{ 2, 7, 10001 },
		{ 7, 10001, 10001 },
		{ 10001, 0, 10001 },
		{ 20000, 0, 10001 },
	};
	/* clang-format on */
	static const char *const files[] = {
		"journal/0007.log",
		"journal/0002.log",
		"journal/10001.log",
		"journal/0000.log",
		"journal/3.log",
		"journal/00009.log",
		"journal/0008.log~",
		"journal/.new-0011.log",
		"journal/+012.log",
		"journal/4294967295.log",
		"journal/99999999999999999999.log",
		"journal/.log",
		"journal/log",
	};
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	uint32_t next = 99, newest = 99;
	char path[256];

	cr_assert_eq(mkdir(t.state, 0700), 0);
	s.dir_fd = open(t.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(s.dir_fd, 0);
	cr_expect_eq(journal_scan(s.dir_fd, 0, &next, &newest), -ENOENT);
	cr_expect_eq(next, 99u);
	temp_path(&t, "journal", path);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_eq(journal_scan(s.dir_fd, 0, &next, &newest), 0);
	cr_expect_eq(next, 0u);
	cr_expect_eq(newest, 0u);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		temp_write(&t, files[i], "", 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(journal_scan(s.dir_fd, rows[i].after, &next, &newest), 0);
		cr_expect_eq(next, rows[i].next, "row %zu", i);
		cr_expect_eq(newest, rows[i].newest, "row %zu", i);
	}
}

Test(journal_files, create_reserves_once_and_leaves_nothing_else)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct stat st;
	struct dirent *entry;
	unsigned int names = 0;
	char path[256];
	DIR *dir;

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_expect_eq(journal_create(s.dir_fd, 1), -EEXIST);
	cr_expect_eq(journal_create(s.dir_fd, 2), 0);
	cr_expect_eq(journal_create(s.dir_fd, 2), -EEXIST);
	temp_path(&t, "journal/0002.log", path);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_size, 0);
	cr_expect_eq(st.st_nlink, 1u);
	cr_expect_geq((uint64_t)st.st_blocks * 512, CAP_JOURNAL_ENTRY + JOURNAL_HEADER);
	temp_path(&t, "journal", path);
	dir = opendir(path);
	cr_assert_not_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		names += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	}
	closedir(dir);
	cr_expect_eq(names, 2u);
}

Test(journal_files, reserve_takes_room_again_when_it_was_used)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct stat before, after;

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_assert_eq(fstat(s.journal_fd, &before), 0);
	cr_expect_eq(journal_reserve(s.dir_fd, s.journal_fd), 0);
	cr_assert_eq(fstat(s.journal_fd, &after), 0);
	cr_expect_eq(after.st_blocks, before.st_blocks, "what is reserved is not reserved again");
	cr_assert_eq(fdio_pwrite(s.journal_fd, "x", 1, JOURNAL_RESERVE - 1), 0);
	cr_expect_eq(journal_reserve(s.dir_fd, s.journal_fd), 0);
	cr_assert_eq(fstat(s.journal_fd, &after), 0);
	cr_expect_eq(after.st_size, JOURNAL_RESERVE);
	cr_expect_geq((uint64_t)after.st_blocks * 512, JOURNAL_RESERVE + CAP_JOURNAL_ENTRY);
}
