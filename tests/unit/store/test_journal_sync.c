/* SPDX-License-Identifier: Apache-2.0 */
/* journal_sync.c: what is signed is durable before. Run by `make unit`. */
#include "store_temp.h"

#include "../../../launcher/store/store_internal.h"

static void
make_journal(const struct temp *t, struct store *s, struct journal_pos *ret_end)
{
	struct journal_pos pos;
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t->state, s, &err), 0, "%s", err.text);
	cr_assert_eq(journal_append(s, "{\"a\":1}", 7, &pos, &err), 0);
	cr_assert_eq(journal_append(s, "{\"b\":1}", 7, &pos, &err), 0);
	*ret_end = (struct journal_pos){ .file = 1, .offset = 30 };
}

Test(journal_sync, what_is_there_is_synced)
{
	static const struct journal_pos from[] = { { 0, 0 }, { 1, 0 }, { 1, 15 }, { 1, 30 } };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct journal_pos end;

	make_journal(&t, &s, &end);
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		struct err err = ERR_INIT;

		cr_expect_eq(journal_sync(&s, from[i], end, &err), 0, "row %zu: %s", i, err.text);
	}
}

Test(journal_sync, an_entry_that_was_taken_back_is_told)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct journal_pos end;
	struct err err = ERR_INIT;

	make_journal(&t, &s, &end);
	cr_assert_eq(ftruncate(s.journal_fd, 15), 0);
	cr_expect_eq(journal_sync(&s, (struct journal_pos){ 0, 0 }, end, &err), -ESTALE);
	cr_expect_not_null(strstr(err.text, "was taken back"), "%s", err.text);
	cr_expect_eq(
		journal_sync(&s, (struct journal_pos){ 0, 0 }, (struct journal_pos){ 1, 15 }, &err),
		0, "up to there it is whole");
}

Test(journal_sync, goes_over_files_up_to_the_last_one)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct journal_pos end;
	struct err err = ERR_INIT;
	const struct journal_pos start = { 0, 0 };

	make_journal(&t, &s, &end);
	cr_assert_eq(journal_create(s.dir_fd, 2), 0);
	cr_assert_eq(journal_create(s.dir_fd, 3), 0);
	cr_expect_eq(journal_sync(&s, start, (struct journal_pos){ 3, 0 }, &err), 0, "%s",
		     err.text);
	cr_expect_eq(journal_sync(&s, start, (struct journal_pos){ 3, 1 }, &err), -ESTALE);
	cr_expect_eq(journal_sync(&s, start, (struct journal_pos){ 4, 0 }, &err), -ENOENT);
	/* old files may be gone, the last one may not */
	cr_assert_eq(unlinkat(s.dir_fd, "journal/0001.log", 0), 0);
	cr_expect_eq(journal_sync(&s, start, (struct journal_pos){ 3, 0 }, &err), 0, "%s",
		     err.text);
	cr_expect_eq(journal_sync(&s, start, end, &err), -ENOENT);
}

Test(journal_sync, nothing_is_nothing)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct journal_pos end;
	struct err err = ERR_INIT;
	const struct journal_pos start = { 0, 0 };

	make_journal(&t, &s, &end);
	cr_expect_eq(journal_sync(&s, start, start, &err), 0, "%s", err.text);
}

Test(journal_sync, what_was_covered_once_does_not_hide_that_the_end_is_gone)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct journal_pos end;
	struct err err = ERR_INIT;

	make_journal(&t, &s, &end);
	/* log.at names a later file than there is: nothing is walked, and nothing is right */
	cr_expect_eq(journal_sync(&s, (struct journal_pos){ 2, 0 }, end, &err), -ESTALE);
}
