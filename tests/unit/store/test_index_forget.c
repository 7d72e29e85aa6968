/* SPDX-License-Identifier: Apache-2.0 */
/* index_forget.c: the records of a workflow leave the journal, and nothing else does. */
#include "index_fixture.h"

#include <errno.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/base/limits.h"
#include "../../../launcher/store/store_internal.h"

TestSuite(index_forget, .init = state_make, .fini = state_remove);

#define OTHER "0198c2a4-0000-7000-8000-000000000002"
#define LEAVES "SELECT n, type, call, hex(digest), file, offset FROM entry ORDER BY n"

/* A planned entry of another workflow. */
static void
append_other(struct store *s, const char *call)
{
	auto_buf b = BUF_INIT;
	char *at;

	put_planned(&b, call, "python", "[\"true\"]", "null");
	at = strstr(buf_text(&b), WORKFLOW);
	cr_assert_not_null(at);
	memcpy(at, OTHER, strlen(OTHER));
	append(s, buf_text(&b));
}

static void
slurp(const char *name, struct buf *out)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	cr_assert_eq(fdio_slurp_at(AT_FDCWD, path, CAP_JOURNAL_FILE, out), 0, "%s", path);
}

static void
forget(struct store *s, const char *workflow)
{
	struct err err = ERR_INIT;

	cr_assert_eq(index_forget(s, workflow, &err), 0, "%s", err.text);
}

/* Two calls of WORKFLOW, one of OTHER between, and damage of each kind. */
static void
fill(struct store *s)
{
	append_planned(s, CALL_A, "python");
	append_outcome(s, CALL_A, "ok");
	append_other(s, CALL_C);
	append(s, "{\"neither\":\"nor\"}");
	append_planned(s, CALL_A, "python"); /* a second one is damage */
	append_planned(s, CALL_B, "strict");
	append_settle(s, CALL_B, "recover", "none", "null");
	append_resolve(s, CALL_B, "done", "null");
	ingest(s);
}

Test(index_forget, records_go_and_leaves_and_places_stay)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf before = BUF_INIT, after = BUF_INIT, rows = BUF_INIT, again = BUF_INIT;
	struct err err = ERR_INIT;
	uint64_t entries = 0;

	fill(&s);
	ask(LEAVES, &before);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_forgettable(ix, WORKFLOW, &entries, &err), 0, "%s", err.text);
	cr_expect_eq(entries, 5u);
	index_close(ix);
	ix = NULL;
	forget(&s, WORKFLOW);
	ask(LEAVES, &after);
	cr_expect_str_eq(buf_text(&after), buf_text(&before));
	expect_answer("SELECT n, record IS NULL FROM entry", "0|1\n1|1\n2|0\n3|1\n4|1\n5|1\n");
	expect_answer("SELECT count(*) FROM resolve", "0\n");
	expect_answer("SELECT id, workflow FROM call", CALL_C "|" OTHER "\n");
	expect_answer("SELECT call, workflow FROM forgotten",
		      CALL_A "|" WORKFLOW "\n" CALL_B "|" WORKFLOW "\n");
	/* what was no entry is none now: its neighbours would get other numbers */
	expect_answer("SELECT why FROM damaged ORDER BY offset",
		      "not a journal entry\nsecond entry of this type of the call\n");
	ask("SELECT * FROM entry", &rows);
	cr_assert_eq(index_rebuild(&s, true, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_ingest(ix, &s, &entries, &err), 0, "%s", err.text);
	ask("SELECT * FROM entry", &again);
	cr_expect_str_eq(buf_text(&again), buf_text(&rows));
	cr_assert_eq(index_forgettable(ix, WORKFLOW, &entries, &err), 0, "%s", err.text);
	cr_expect_eq(entries, 0u);
}

Test(index_forget, the_file_keeps_its_length_and_later_entries_go_into_the_next)
{
	auto_store s = open_store(), other = open_store();
	auto_buf before = BUF_INIT, after = BUF_INIT, next = BUF_INIT;

	append_planned(&s, CALL_A, "python");
	slurp("journal/0001.log", &before);
	forget(&s, WORKFLOW);
	slurp("journal/0001.log", &after);
	cr_expect_eq(after.len, before.len);
	cr_expect_null(strstr(buf_text(&after) + JOURNAL_HEADER, "record"));
	append_planned(&other, CALL_B, "python"); /* who had the old file open */
	append_planned(&s, CALL_C, "python");
	slurp("journal/0002.log", &next);
	cr_expect_gt(next.len, before.len);
	buf_reset(&after);
	slurp("journal/0001.log", &after);
	cr_expect_eq(after.len, before.len);
	cr_expect_eq(ingest(&s), 2u);
	expect_answer("SELECT id FROM call", CALL_B "\n" CALL_C "\n");
}

Test(index_forget, what_was_cut_short_is_finished_by_doing_it_again)
{
	auto_store s = open_store();
	auto_buf planned = BUF_INIT;

	/* the file of the planned entry was rewritten, that of the outcome was not */
	put_planned(&planned, CALL_A, "python", "[\"true\"]", "null");
	append_forgotten(&s, buf_text(&planned));
	append_outcome(&s, CALL_A, "ok");
	ingest(&s);
	expect_answer("SELECT count(*) FROM entry WHERE record IS NOT NULL", "1\n");
	forget(&s, WORKFLOW);
	expect_answer("SELECT count(*) FROM entry WHERE record IS NOT NULL", "0\n");
	expect_answer("SELECT count(*) FROM entry", "2\n");
}

Test(index_forget, nothing_is_touched_where_there_is_nothing)
{
	auto_store s = open_store();

	append_other(&s, CALL_A);
	forget(&s, WORKFLOW);
	expect_answer("SELECT id FROM call", CALL_A "\n");
	cr_expect_eq(faccessat(s.dir_fd, "journal/0002.log", F_OK, 0), -1);
}

Test(index_forget, a_workflow_is_found_by_name_prefix_and_after_it_is_gone)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	struct err err = ERR_INIT;
	char id[UUID_TEXT_SIZE] = "";

	fill(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_expect_eq(index_workflow(ix, "local", id, &err), -ENOTUNIQ);
	cr_expect_eq(index_workflow(ix, "0198c2a4", id, &err), -ENOTUNIQ);
	cr_expect_eq(index_workflow(ix, "ffff", id, &err), -ENOENT);
	cr_expect_eq(index_workflow(ix, WORKFLOW, id, &err), 0, "%s", err.text);
	cr_expect_str_eq(id, WORKFLOW);
	index_close(ix);
	ix = NULL;
	forget(&s, WORKFLOW);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_expect_eq(index_workflow(ix, "local", id, &err), 0, "%s", err.text);
	cr_expect_str_eq(id, OTHER);
	cr_expect_eq(index_workflow(ix, WORKFLOW, id, &err), 0, "%s", err.text);
	cr_expect_str_eq(id, WORKFLOW);
}

Test(index_forget, the_newest_entry_of_a_workflow_is_any_of_its_calls)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	struct err err = ERR_INIT;
	uint64_t newest = 99;

	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "ok");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_workflow_newest(ix, WORKFLOW, &newest, &err), 0, "%s", err.text);
	cr_expect_eq(newest, 1750000001200u);
	cr_assert_eq(index_workflow_newest(ix, OTHER, &newest, &err), 0, "%s", err.text);
	cr_expect_eq(newest, 0u);
	index_close(ix);
	ix = NULL;
	append_settle(&s, CALL_A, "undo", "undone", "null");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_workflow_newest(ix, WORKFLOW, &newest, &err), 0, "%s", err.text);
	cr_expect_eq(newest, 1750000005000u);
	index_close(ix);
	ix = NULL;
	append_planned(&s, CALL_B, "python");
	append_resolve(&s, CALL_B, "done", "null");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_workflow_newest(ix, WORKFLOW, &newest, &err), 0, "%s", err.text);
	cr_expect_eq(newest, 1750000007000u);
}
