/* SPDX-License-Identifier: Apache-2.0 */
/* index_query.c: naming a call, records. Run by `make unit`. */
#include "index_fixture.h"

#include <errno.h>

TestSuite(index_query, .init = state_make, .fini = state_remove);

Test(index_query, a_call_is_found_by_what_a_person_types)
{
	static const struct {
		const char *name;
		int code;
		const char *expected; /* the id, or the error */
	} rows[] = {
		{ CALL_A, 0, CALL_A },
		{ "0198c2a4-7f3e-7abc-8", 0, CALL_A },
		{ "0198C2A4-7F3E-7ABC-9", 0, CALL_B },
		{ "0198c2a47f3e7abc9000", 0, CALL_B },
		{ "0198c2a4-8", 0, CALL_C },
		{ "0198c2a48", 0, CALL_C },
		{ "@last", 0, CALL_C },
		{ "0198c2a4-7f3e", -ENOTUNIQ, "0198c2a4-7f3e names 2 calls: " CALL_A ", " CALL_B },
		{ "0198", -ENOTUNIQ, "0198 names 3 calls: " CALL_A ", " CALL_B ", " CALL_C },
		{ "0198c2a5", -ENOENT, "0198c2a5: no such call is recorded" },
		{ "019", -EINVAL,
		  "019 is no call: give an id, at least 4 digits of one, or @last" },
		{ "", -EINVAL, " is no call: give an id, at least 4 digits of one, or @last" },
		{ "python", -EINVAL,
		  "python is no call: give an id, at least 4 digits of one, or @last" },
		{ "\033[31m", -EINVAL,
		  "\\033[31m is no call: give an id, at least 4 digits of one, or @last" },
		{ CALL_A "0", -EINVAL,
		  CALL_A "0 is no call: give an id, at least 4 digits of one, or @last" },
	};
	auto_store s = open_store();
	auto_index ix = three_calls(&s);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char id[UUID_TEXT_SIZE] = "untouched";
		struct err err = ERR_INIT;

		cr_expect_eq(index_find(ix, rows[i].name, id, &err), rows[i].code, "%s",
			     rows[i].name);
		cr_expect_str_eq(rows[i].code == 0 ? id : err.text, rows[i].expected);
		cr_expect_str_eq(rows[i].code == 0 ? "untouched" : id, "untouched");
	}
}

Test(index_query, the_last_call_is_no_resolvers)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	struct err err = ERR_INIT;
	char id[UUID_TEXT_SIZE];

	append_planned(&s, CALL_A, "python");
	append_planned_with(&s, CALL_B, "\"key\":null,\"serves\":\"" CALL_A "\"", "\"ee\"");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_find(ix, "@last", id, &err), 0, "%s", err.text);
	cr_expect_str_eq(id, CALL_A);
}

Test(index_query, last_of_nothing)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	struct err err = ERR_INIT;
	char id[UUID_TEXT_SIZE];

	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_expect_eq(index_find(ix, "@last", id, &err), -ENOENT);
	cr_expect_str_eq(err.text, "@last: no call is recorded yet");
}

Test(index_query, a_prefix_is_as_long_as_it_must_be)
{
	static const struct {
		const char *id;
		size_t min, expected;
	} rows[] = {
		{ CALL_A, 8, strlen("0198c2a4-7f3e-7abc-8") },
		{ CALL_B, 8, strlen("0198c2a4-7f3e-7abc-9") },
		{ CALL_C, 8, strlen("0198c2a4-8") },
		{ CALL_C, 13, 13 },
		{ CALL_C, 99, strlen(CALL_C) },
	};
	auto_store s = open_store();
	auto_index ix = three_calls(&s);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		size_t len = 0;

		cr_expect_eq(index_prefix_len(ix, rows[i].id, rows[i].min, &len, &err), 0, "%s",
			     err.text);
		cr_expect_eq(len, rows[i].expected, "row %zu", i);
	}
}

Test(index_query, records_of_a_call_without_an_outcome)
{
	auto_store s = open_store();
	auto_index ix = three_calls(&s);
	auto_buf planned = BUF_INIT, outcome = BUF_INIT, none = BUF_INIT;
	struct err err = ERR_INIT;

	cr_expect_eq(index_records(ix, CALL_B, &planned, &outcome, &err), 0, "%s", err.text);
	cr_expect_eq(strncmp(buf_text(&planned), "{\"actor\":", 9), 0);
	cr_expect_eq(outcome.len, (size_t)0);
	buf_reset(&planned);
	cr_expect_eq(index_records(ix, CALL_A, &planned, &outcome, &err), 0, "%s", err.text);
	cr_expect_eq(strncmp(buf_text(&outcome), "{\"attestation\":", 15), 0);
	cr_expect_eq(index_records(ix, WORKFLOW, &none, &none, &err), -ENOENT);
	cr_expect_str_eq(err.text, WORKFLOW ": no such call is recorded");
}

static int
note_settle(void *arg, const struct index_settle *settle)
{
	buf_printf(arg, "%s %s '%s' %s %llu %llu %.15s\n", settle->action, settle->settled,
		   settle->reason, settle->changes, (unsigned long long)settle->t_ms,
		   (unsigned long long)settle->uid, settle->record);
	return settle->record_len > 15 ? 0 : -EBADMSG;
}

static int
note_resolve(void *arg, const struct index_resolve *resolve)
{
	buf_printf(arg, "%s '%s' %llu %llu %.9s\n", resolve->answer, resolve->reason,
		   (unsigned long long)resolve->t_ms, (unsigned long long)resolve->uid,
		   resolve->record);
	return resolve->record_len > 15 ? 0 : -EBADMSG;
}

Test(index_query, resolves_of_a_call_in_order)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf seen = BUF_INIT;
	struct err err = ERR_INIT;

	append_planned(&s, CALL_A, "python");
	append_resolve(&s, CALL_A, "not-done", "\"looked\"");
	append_resolve(&s, CALL_A, "rerun", "null");
	append_planned(&s, CALL_B, "python");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_expect_eq(index_resolves(ix, CALL_A, note_resolve, &seen, &err), 0, "%s", err.text);
	cr_expect_str_eq(buf_text(&seen), "not-done 'looked' 1750000007000 1000 {\"actor\":\n"
					  "rerun '' 1750000007000 1000 {\"actor\":\n");
	buf_reset(&seen);
	cr_expect_eq(index_resolves(ix, CALL_B, note_resolve, &seen, &err), 0, "%s", err.text);
	cr_expect_eq(seen.len, (size_t)0);
}

Test(index_query, settles_of_a_call_in_order)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf seen = BUF_INIT, planned = BUF_INIT, outcome = BUF_INIT;
	struct err err = ERR_INIT;

	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "ok");
	append_settle(&s, CALL_A, "undo", "undone", "\"why\"");
	append_planned(&s, CALL_B, "python");
	append_settle(&s, CALL_B, "recover", "none", "null");
	append_settle(&s, CALL_A, "apply", "committed", "null");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_expect_eq(index_settles(ix, CALL_A, note_settle, &seen, &err), 0, "%s", err.text);
	cr_expect_str_eq(buf_text(&seen),
			 "undo undone 'why' cafe 1750000005000 1000 {\"action\":\"undo\n"
			 "apply committed '' cafe 1750000005000 1000 {\"action\":\"appl\n");
	buf_reset(&seen);
	cr_expect_eq(index_settles(ix, CALL_C, note_settle, &seen, &err), 0, "%s", err.text);
	cr_expect_eq(seen.len, (size_t)0);
	/* they do not stand among the two parts of the record */
	cr_expect_eq(index_records(ix, CALL_B, &planned, &outcome, &err), 0, "%s", err.text);
	cr_expect_eq(strncmp(buf_text(&planned), "{\"actor\":", 9), 0);
	cr_expect_eq(outcome.len, (size_t)0);
}

Test(index_query, damaged_entries_are_counted)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	struct err err = ERR_INIT;
	uint64_t count = 99;

	append(&s, "{}");
	append(&s, "[]");
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_expect_eq(index_damaged_count(ix, &count, &err), 0, "%s", err.text);
	cr_expect_eq(count, 2);
}
