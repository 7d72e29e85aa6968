/* SPDX-License-Identifier: Apache-2.0 */
/* store_covered.c: a journal that ends before its signed log. Run by `make unit`. */
#include "store_temp.h"

/* Opens for writing with that text in log.at (NULL: no file); the code. */
static int
open_with(const struct temp *t, const char *text, struct err *err)
{
	auto_store s = STORE_INIT;

	if (text != NULL) {
		temp_write(t, "log.at", text, strlen(text));
	}
	return store_open_write(t->state, &s, err);
}

/* A journal of one entry of 2 bytes, which ends at byte 10. */
static void
make_journal(const struct temp *t)
{
	auto_store s = STORE_INIT;
	struct journal_pos pos;
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t->state, &s, &err), 0, "%s", err.text);
	cr_assert_eq(journal_append(&s, "{}", 2, &pos, &err), 0, "%s", err.text);
}

Test(store_covered, the_journal_must_reach_what_was_signed)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {
		{ NULL, 0 },
		{ "0 0\n", 0 },
		{ "1 0\n", 0 },
		{ "1 10\n", 0 },
		{ "1 11\n", -ESTALE },
		{ "2 0\n", -ESTALE },
		{ "2 1\n", -ESTALE },
		{ "", -EBADMSG },
		{ "1 10", -EBADMSG },
		{ "1 10\n\n", -EBADMSG },
		{ "1  10\n", -EBADMSG },
		{ " 1 10\n", -EBADMSG },
		{ "01 10\n", -EBADMSG },
		{ "1 -1\n", -EBADMSG },
		{ "4294967296 0\n", -EBADMSG },
		{ "1 18446744073709551616\n", -EBADMSG },
		{ "1 0000000000000000000000000000000000000010\n", -EBADMSG },
	};
	auto_temp t = temp_make();

	make_journal(&t);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;

		cr_expect_eq(open_with(&t, rows[i].text, &err), rows[i].code, "row %zu: %s", i,
			     err.text);
	}
}

Test(store_covered, a_newer_journal_file_covers_older_ones)
{
	auto_temp t = temp_make();
	struct err err = ERR_INIT;

	make_journal(&t);
	temp_write(&t, "journal/0002.log", "", 0);
	cr_expect_eq(open_with(&t, "1 11\n", &err), 0, "%s", err.text);
	cr_expect_eq(open_with(&t, "2 0\n", &err), 0, "%s", err.text);
	cr_expect_eq(open_with(&t, "2 1\n", &err), -ESTALE);
	cr_expect_not_null(strstr(err.text, "journal/0002.log, byte 1): a backup was put back"));
	cr_expect_eq(open_with(&t, "3 1\n", &err), -ESTALE);
}

Test(store_covered, what_cannot_be_read_is_refused)
{
	auto_temp t = temp_make();
	struct err err = ERR_INIT;
	char path[256];

	make_journal(&t);
	temp_path(&t, "log.at", path);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_eq(open_with(&t, NULL, &err), -EISDIR);
	cr_assert_eq(rmdir(path), 0);
	cr_assert_eq(symlink("journal/0001.log", path), 0);
	cr_expect_eq(open_with(&t, NULL, &err), -ELOOP);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(open_with(&t, NULL, &err), -ESPIPE);
	cr_assert_eq(unlink(path), 0);
	cr_expect_eq(open_with(&t, NULL, &err), 0, "%s", err.text);
}
