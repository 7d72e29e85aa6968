/* SPDX-License-Identifier: Apache-2.0 */
/* index_list.c: which calls, in which order. Run by `make unit`. */
#include "index_fixture.h"

#include <errno.h>

TestSuite(index_list, .init = state_make, .fini = state_remove);

static int
note_call(void *arg, const struct index_call *call)
{
	buf_printf(arg, "%s %s %s exit %d %s\n", call->id, call->verdict, call->profile, call->exit,
		   call->command);
	return 0;
}

static int
note_attempt(void *arg, const struct index_call *c)
{
	buf_printf(arg, "%.13s%s %s|%s|%s%s|%u|%s|%s|%s|%s", c->id, c->id + 18, c->verdict, c->key,
		   c->request_digest, c->request_parts, c->attempt, c->retry_of, c->step, c->retry,
		   c->answer);
	for (int i = 0; i < 2; i++) {
		const struct index_use *use = i == 0 ? &c->used : &c->reserved;

		buf_printf(arg, " %llu,%llu,%llu,%llu", (unsigned long long)use->calls,
			   (unsigned long long)use->wall_ms, (unsigned long long)use->cpu_ms,
			   (unsigned long long)use->disk_bytes);
	}
	buf_putc(arg, '\n');
	return 0;
}

Test(index_list, the_calls_of_a_workflow_with_what_its_ledger_counts)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf seen = BUF_INIT;
	struct err err = ERR_INIT;

	append_planned_with(&s, CALL_B,
			    "\"attempt\":1,\"key\":\"k\",\"reserved\":{\"calls\":1,\"cpu_ms\":5,"
			    "\"disk_bytes\":7,\"wall_ms\":9},\"retry\":\"ask\",\"retry_of\":null,"
			    "\"request_parts\":\"0a\",\"step\":\"look\"",
			    "\"ab\"");
	append_resolve(&s, CALL_B, "rerun", "null");
	append_planned_with(&s, CALL_A,
			    "\"attempt\":2,\"key\":\"k\",\"reserved\":{},\"retry\":\"safe\","
			    "\"retry_of\":\"" CALL_B "\",\"step\":null",
			    "\"ab\"");
	append_outcome(&s, CALL_A, "ok");
	/* what no airlock writes is as if it were absent */
	append_planned_with(&s, CALL_C,
			    "\"attempt\":\"two\",\"key\":null,\"reserved\":{\"calls\":-1},"
			    "\"retry\":7,\"step\":[]",
			    "\"cd\"");
	ingest(&s);
	expect_answer("SELECT why FROM damaged", "");
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_workflow_calls(ix, WORKFLOW, note_attempt, &seen, &err), 0, "%s",
		     err.text);
	cr_expect_str_eq(buf_text(&seen),
			 "0198c2a4-7f3e-9000-0123456789ab unknown|k|ab0a|1||look|ask|rerun"
			 " 1,0,0,0 1,9,5,7\n"
			 "0198c2a4-7f3e-8def-0123456789ab ok|k|ab|2|" CALL_B "||safe|"
			 " 1,1200,1,2 0,0,0,0\n"
			 "0198c2a4-8000-8def-0123456789ab unknown||cd|1||||"
			 " 1,0,0,0 0,0,0,0\n");
	buf_reset(&seen);
	cr_assert_eq(index_workflow_calls(ix, CALL_A, note_attempt, &seen, &err), 0, "%s",
		     err.text);
	cr_expect_eq(seen.len, (size_t)0);
}

Test(index_list, lists_newest_last_and_filters)
{
	static const char b[] = CALL_B " unknown python exit -1 true\n",
			  a[] = CALL_A " ok python exit 0 true\n",
			  c[] = CALL_C " failed strict exit 0 true\n";
	const struct {
		struct index_query query;
		const char *expected[3];
	} rows[] = {
		{ { .last = 0 }, { b, a, c } },
		{ { .last = 2 }, { a, c, "" } },
		{ { .profile = "python" }, { b, a, "" } },
		{ { .profile = "python", .last = 1 }, { a, "", "" } },
		{ { .verdict = "unknown" }, { b, "", "" } },
		{ { .verdict = "nothing" }, { "", "", "" } },
		{ { .workflow = "local" }, { b, a, c } },
		{ { .workflow = WORKFLOW }, { b, a, c } },
		{ { .workflow = "0198c2a4-0" }, { b, a, c } },
		{ { .workflow = "%" }, { "", "", "" } },
		/* all three started at the same moment */
		{ { .since_ms = 1750000000000 }, { b, a, c } },
		{ { .since_ms = 1750000000001 }, { "", "", "" } },
		{ { .until_ms = 1750000000001 }, { b, a, c } },
		{ { .until_ms = 1750000000000 }, { "", "", "" } },
		{ { .since_ms = 1750000000000, .until_ms = UINT64_MAX, .profile = "strict" },
		  { c, "", "" } },
	};
	auto_store s = open_store();
	auto_index ix = three_calls(&s);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf seen = BUF_INIT, expected = BUF_INIT;
		struct err err = ERR_INIT;

		for (size_t j = 0; j < 3; j++) {
			buf_puts(&expected, rows[i].expected[j]);
		}
		cr_expect_eq(index_list(ix, &rows[i].query, note_call, &seen, &err), 0, "%s",
			     err.text);
		cr_expect_str_eq(buf_text(&seen), buf_text(&expected), "row %zu", i);
	}
}

static void
append_numbered(struct store *s, const char *call, const char *seq)
{
	auto_buf b = BUF_INIT;

	put_planned(&b, call, "python", "[\"true\"]", "null");
	replace_once(&b, "\"seq\":1", seq);
	append(s, buf_text(&b));
}

/*
 * Two that begin at once may come into the journal in the other order than they took their numbers.
 */
Test(index_list, in_the_order_of_their_numbers)
{
	const struct index_query by_seq = { .workflow = WORKFLOW, .by_seq = true };
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf seen = BUF_INIT;
	struct err err = ERR_INIT;

	append_numbered(&s, CALL_A, "\"seq\":2");
	append_numbered(&s, CALL_B, "\"seq\":1");
	append_numbered(&s, CALL_C, "\"seq\":10");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_expect_eq(index_list(ix, &by_seq, note_call, &seen, &err), 0, "%s", err.text);
	cr_expect_str_eq(buf_text(&seen), CALL_B " unknown python exit -1 true\n" CALL_A
						 " unknown python exit -1 true\n" CALL_C
						 " unknown python exit -1 true\n");
}

static int
stop(void *arg, const struct index_call *call)
{
	(void)call;
	++*(int *)arg;
	return 7;
}

Test(index_list, a_list_ends_when_the_caller_says_so)
{
	auto_store s = open_store();
	auto_index ix = three_calls(&s);
	struct index_query query = { .last = 0 };
	struct err err = ERR_INIT;
	int calls = 0;

	cr_expect_eq(index_list(ix, &query, stop, &calls, &err), 7);
	cr_expect_eq(calls, 1);
}

static int
note_held(void *arg, const struct index_call *call)
{
	buf_printf(arg, "%s %s %s %s %s %s\n", call->id, call->verdict, call->settled,
		   call->workspace, call->reason, call->changes_digest);
	return 0;
}

Test(index_list, what_is_held_now)
{
	struct index_query query = { .settled = "held" };
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf seen = BUF_INIT;
	struct err err = ERR_INIT;

	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "ok");
	append_planned(&s, CALL_B, "python");
	append_settle(&s, CALL_B, "recover", "held", "\"found\"");
	append_planned(&s, CALL_C, "python");
	append_outcome(&s, CALL_C, "ok");
	append_settle(&s, CALL_C, "recover", "held", "null");
	append_settle(&s, CALL_C, "apply", "committed", "null");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_expect_eq(index_list(ix, &query, note_held, &seen, &err), 0, "%s", err.text);
	cr_expect_str_eq(buf_text(&seen), CALL_B " unknown held /w found cafe\n");
}

static int
match_python(void *arg, const struct index_call *call)
{
	buf_printf(arg, "%.14s ", call->id);
	return strcmp(call->profile, "python") == 0;
}

static int
match_nothing_else(void *arg, const struct index_call *call)
{
	(void)arg;
	return strcmp(call->id, CALL_A) == 0 ? -EXDEV : 1;
}

Test(index_list, asks_about_each_newest_first_until_there_are_enough)
{
	static const struct {
		struct index_query query;
		const char *asked, *seen;
	} rows[] = {
		{ { .last = 0 },
		  "0198c2a4-8000- 0198c2a4-7f3e- 0198c2a4-7f3e- ",
		  CALL_B " unknown python exit -1 true\n" CALL_A " ok python exit 0 true\n" },
		{ { .last = 1 },
		  "0198c2a4-8000- 0198c2a4-7f3e- ",
		  CALL_A " ok python exit 0 true\n" },
		{ { .last = 9, .verdict = "failed" }, "0198c2a4-8000- ", "" },
	};
	auto_store s = open_store();
	auto_index ix = three_calls(&s);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf asked = BUF_INIT, seen = BUF_INIT;
		struct index_query query = rows[i].query;
		struct err err = ERR_INIT;

		query.match = match_python;
		query.match_arg = &asked;
		cr_expect_eq(index_list(ix, &query, note_call, &seen, &err), 0, "%s", err.text);
		cr_expect_str_eq(buf_text(&asked), rows[i].asked, "row %zu", i);
		cr_expect_str_eq(buf_text(&seen), rows[i].seen, "row %zu", i);
	}
}

Test(index_list, an_error_of_the_question_ends_it)
{
	auto_store s = open_store();
	auto_index ix = three_calls(&s);
	struct index_query query = { .match = match_nothing_else };
	auto_buf seen = BUF_INIT;
	struct err err = ERR_INIT;

	cr_expect_eq(index_list(ix, &query, note_call, &seen, &err), -EXDEV);
	cr_expect_eq(seen.len, (size_t)0);
}

Test(index_list, what_the_record_lists_at_a_path)
{
	static const struct {
		const char *call, *path;
		uint64_t listed, there;
	} rows[] = {
		{ CALL_A, "", 3, 3 },	 { CALL_A, "a\\040b", 3, 1 }, { CALL_A, "d", 3, 2 },
		{ CALL_A, "d/e", 3, 1 }, { CALL_A, "d/", 3, 0 },      { CALL_A, "D", 3, 0 },
		{ CALL_A, "a", 3, 0 },	 { CALL_A, "%", 3, 0 },	      { CALL_B, "", 0, 0 },
		{ CALL_B, "d", 0, 0 },
	};
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf b = BUF_INIT;
	struct err err = ERR_INIT;

	append_planned(&s, CALL_A, "python");
	put_outcome(&b, CALL_A, "ok",
		    "[{\"kind\":\"create\",\"path\":\"a\\\\040b\"},"
		    "{\"kind\":\"create\",\"path\":\"d\"},{\"kind\":\"create\",\"path\":\"d/e\"}]",
		    "[]");
	append(&s, buf_text(&b));
	append_planned(&s, CALL_B, "python");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t listed = 99, there = 99;

		cr_expect_eq(index_changed(ix, rows[i].call, rows[i].path, &listed, &there, &err),
			     0);
		cr_expect_eq(listed, rows[i].listed, "row %zu", i);
		cr_expect_eq(there, rows[i].there, "row %zu", i);
	}
}

static int
note_step(void *arg, const struct index_step *step)
{
	buf_printf(arg, "%llu %s '%s' %llu %lld\n", (unsigned long long)step->n, step->call,
		   step->settled, (unsigned long long)step->t_ms, (long long)step->uid);
	return 0;
}

Test(index_list, how_the_calls_that_changed_a_path_were_settled)
{
	static const struct {
		const char *workspace, *path, *expected;
	} rows[] = {
		{ "/w", "a\\040b",
		  "1 " CALL_A " '' 1750000001200 -1\n"
		  "3 " CALL_A " 'undone' 1750000005000 1000\n"
		  "5 " CALL_C " 'held' 1750000005000 1000\n" },
		/* nobody knows what the one changed whose record lists nothing */
		{ "/w", "other", "5 " CALL_C " 'held' 1750000005000 1000\n" },
		{ "/", "a\\040b", "" },
		{ "/w/d", "a\\040b", "" },
	};
	auto_store s = open_store();
	auto_index ix = NULL;
	struct err err = ERR_INIT;

	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "ok");
	append_planned(&s, CALL_C, "python");
	append_settle(&s, CALL_A, "undo", "undone", "null");
	append_planned(&s, CALL_B, "python");
	append_settle(&s, CALL_C, "recover", "held", "\"found\"");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf seen = BUF_INIT;

		cr_expect_eq(
			index_steps(ix, rows[i].workspace, rows[i].path, note_step, &seen, &err), 0,
			"%s", err.text);
		cr_expect_str_eq(buf_text(&seen), rows[i].expected, "row %zu", i);
	}
}

Test(index_list, what_changed_a_workspace_behind_a_call)
{
	static const struct {
		const char *call;
		uint64_t count;
	} rows[] = { { CALL_A, 2 }, { CALL_B, 2 }, { CALL_C, 1 } };
	auto_store s = open_store();
	auto_index ix = NULL;
	struct err err = ERR_INIT;

	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "ok");
	append_planned(&s, CALL_B, "python");
	append_settle(&s, CALL_A, "undo", "undone", "null");
	append_planned(&s, CALL_C, "python");
	append_outcome(&s, CALL_B, "ok");
	append_settle(&s, CALL_C, "recover", "held", "\"found\"");
	append_settle(&s, CALL_C, "discard", "discarded", "null");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t count = 99;

		cr_expect_eq(index_changed_behind(ix, rows[i].call, &count, &err), 0, "%s",
			     err.text);
		cr_expect_eq(count, rows[i].count, "row %zu: %llu", i, (unsigned long long)count);
	}
}

Test(index_list, an_entry_by_the_digest_of_its_leaf)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf digest = BUF_INIT;
	struct err err = ERR_INIT;
	static const size_t lengths[] = { 64, 9, 8 };

	append_planned(&s, CALL_A, "python");
	append_planned(&s, CALL_B, "strict");
	ingest(&s);
	ask("SELECT lower(hex(digest)) FROM entry WHERE call = '" CALL_A "'", &digest);
	cr_assert_eq(digest.len, (size_t)65);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		bool of_a = false, of_b = true;

		digest.data[lengths[i]] = '\0';
		cr_expect_eq(index_has_entry(ix, CALL_A, buf_text(&digest), &of_a, &err), 0);
		cr_expect_eq(index_has_entry(ix, CALL_B, buf_text(&digest), &of_b, &err), 0);
		cr_expect_eq(of_a, true);
		cr_expect_eq(of_b, false);
	}
}

Test(index_list, forgotten_calls_are_counted_and_in_no_list)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf planned = BUF_INIT, outcome = BUF_INIT, seen = BUF_INIT, steps = BUF_INIT;
	struct index_query query = { .last = 0 };
	struct err err = ERR_INIT;
	uint64_t count = 99;

	put_planned(&planned, CALL_A, "python", "[\"true\"]", "null");
	put_outcome(&outcome, CALL_A, "ok", "[{\"kind\":\"create\",\"path\":\"f\"}]", "[]");
	append_forgotten(&s, buf_text(&planned));
	append_forgotten(&s, buf_text(&outcome));
	append_planned(&s, CALL_B, "python");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_expect_eq(index_forgotten_count(ix, &count, &err), 0);
	cr_expect_eq(count, (uint64_t)1);
	cr_expect_eq(index_list(ix, &query, note_call, &seen, &err), 0);
	cr_expect_str_eq(buf_text(&seen), CALL_B " unknown python exit -1 true\n");
	cr_expect_eq(index_steps(ix, "/w", "f", note_step, &steps, &err), 0);
	cr_expect_str_eq(buf_text(&steps), "");
}

Test(index_list, profiles_that_calls_ran_under)
{
	static const char expected[] = "python\0strict";
	auto_store s = open_store();
	auto_index ix = three_calls(&s);
	auto_buf names = BUF_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(index_profiles(ix, &names, &err), 0, "%s", err.text);
	cr_assert_eq(names.len, sizeof(expected));
	cr_expect_eq(memcmp(names.data, expected, sizeof(expected)), 0);
}
