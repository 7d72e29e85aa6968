/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_resync.c: bytes in the journal that are no entry cost only themselves. Run by `make
 * unit`.
 */
#include "index_fixture.h"

TestSuite(index_resync, .init = state_make, .fini = state_remove);

/* Turns over one byte of a journal file. */
static void
damage(uint32_t file, uint64_t at)
{
	char path[96];
	unsigned char byte = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/journal/%04u.log", state_dir, file);
	fd = open(path, O_RDWR | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= 0xff;
	cr_assert_eq(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
}

Test(index_resync, goes_on_behind_a_damaged_entry)
{
	auto_store s = open_store();
	auto_buf entry = BUF_INIT, expected = BUF_INIT;

	put_planned(&entry, CALL_A, "python", "[\"true\"]", "null");
	append(&s, buf_text(&entry));
	append(&s, buf_text(&entry));
	append_planned(&s, CALL_B, "python");
	damage(1, 100);
	/* the damaged one, its second copy, and the one behind */
	cr_expect_eq(ingest(&s), 3);
	expect_answer("SELECT id FROM call", CALL_A "\n" CALL_B "\n");
	buf_printf(&expected, "1|0|no whole entry|%zu\n", entry.len + 8);
	expect_answer("SELECT file, offset, why, length(payload) FROM damaged",
		      buf_text(&expected));
	cr_expect_eq(ingest(&s), 0);
}

Test(index_resync, a_length_that_is_wrong_hides_nothing)
{
	auto_store s = open_store();

	append_planned(&s, CALL_A, "python");
	append_planned(&s, CALL_B, "python");
	append_planned(&s, CALL_C, "python");
	damage(1, 1); /* second byte of the first length */
	cr_expect_eq(ingest(&s), 3);
	expect_answer("SELECT id FROM call", CALL_B "\n" CALL_C "\n");
}

Test(index_resync, a_torn_end_waits_for_the_next_writer)
{
	auto_store s = open_store();
	char path[96];
	struct stat st;

	append_planned(&s, CALL_A, "python");
	append_planned(&s, CALL_B, "python");
	snprintf(path, sizeof(path), "%s/journal/0001.log", state_dir);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(truncate(path, st.st_size - 5), 0);
	cr_expect_eq(ingest(&s), 1);
	expect_answer("SELECT count(*) FROM damaged", "0\n");
	append_planned(&s, CALL_C, "python");
	cr_expect_eq(ingest(&s), 1);
	expect_answer("SELECT id FROM call", CALL_A "\n" CALL_C "\n");
	expect_answer("SELECT count(*) FROM damaged", "0\n");
}

Test(index_resync, a_torn_end_of_an_older_file_is_noted_and_passed)
{
	auto_store s = open_store();
	char path[96], next[96];
	struct stat st;

	append_planned(&s, CALL_A, "python");
	append_planned(&s, CALL_B, "python");
	snprintf(path, sizeof(path), "%s/journal/0001.log", state_dir);
	snprintf(next, sizeof(next), "%s/journal/0002.log", state_dir);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(truncate(path, st.st_size - 5), 0);
	close(open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	append_planned(&s, CALL_C, "python");
	cr_expect_eq(ingest(&s), 3);
	expect_answer("SELECT id FROM call", CALL_A "\n" CALL_C "\n");
	expect_answer("SELECT file, why FROM damaged", "1|no whole entry\n");
	expect_answer("SELECT file FROM position", "2\n");
}
