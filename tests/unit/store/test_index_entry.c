/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_entry.c: what is an entry and what is kept as damaged; how argv is spelled. Run by `make
 * unit`.
 */
#include "index_fixture.h"

TestSuite(index_entry, .init = state_make, .fini = state_remove);

/* A well-formed planned entry of CALL_A with one piece of it replaced. */
static void
spoil(struct buf *out, const char *from, const char *to)
{
	auto_buf good = BUF_INIT;
	const char *at;

	put_planned(&good, CALL_A, "python", "[\"true\"]", "null");
	at = strstr(buf_text(&good), from);
	cr_assert_not_null(at, "%s", from);
	buf_put(out, good.data, (size_t)(at - buf_text(&good)));
	buf_puts(out, to);
	buf_puts(out, at + strlen(from));
}

Test(index_entry, what_is_no_entry_is_kept_with_its_reason)
{
	static const struct {
		const char *from, *to, *why;
	} rows[] = {
		{ "{\"call\":\"", "{\"call\": \"", "not a journal entry" },
		{ "{\"call\":\"0198c2a4", "{\"call\":\"0198C2A4", "not a journal entry" },
		{ ",\"salt\":\"00", ",\"salt\":\"zz", "not a journal entry" },
		{ "call.planned", "call.other", "not a journal entry" },
		{ "\"seq\":1", "\"seq\":1,", "the record is not JSON" },
		{ "\"seq\":1", "\"seq\":\"1\"",
		  "call.planned: member seq is missing or not what it must be" },
		{ "\"seq\":1,", "", "call.planned: member seq is missing or not what it must be" },
		{ "\"uid\":1000", "\"uid\":null",
		  "call.planned: member actor.uid is missing or not what it must be" },
		{ "\"argv\":[\"true\"]", "\"argv\":[1]",
		  "call.planned: member argv is missing or not what it must be" },
		{ "\"v\":1", "\"v\":2",
		  "call.planned: member v is missing or not what it must be" },
	};
	auto_store s = open_store();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf entry = BUF_INIT, expected = BUF_INIT;

		spoil(&entry, rows[i].from, rows[i].to);
		append(&s, buf_text(&entry));
		cr_expect_eq(ingest(&s), 1);
		buf_printf(&expected, "%s|%s\n", rows[i].why, buf_text(&entry));
		expect_answer("SELECT why, payload FROM damaged ORDER BY offset DESC LIMIT 1",
			      buf_text(&expected));
	}
	expect_answer("SELECT count(*) FROM call", "0\n");
	/* the control: nothing replaced */
	append_planned(&s, CALL_A, "python");
	cr_expect_eq(ingest(&s), 1);
	expect_answer("SELECT id FROM call", CALL_A "\n");
}

Test(index_entry, the_inner_call_must_be_the_outer_one)
{
	auto_store s = open_store();
	auto_buf entry = BUF_INIT;

	spoil(&entry, "\"argv_digest\":\"aa\",\"call\":\"0198c2a4-7f3e",
	      "\"argv_digest\":\"aa\",\"call\":\"0198c2a4-7f3f");
	append(&s, buf_text(&entry));
	cr_expect_eq(ingest(&s), 1);
	expect_answer("SELECT why FROM damaged",
		      "call.planned: member call is missing or not what it must be\n");
}

Test(index_entry, an_outcome_needs_its_planned_part_and_comes_once)
{
	auto_store s = open_store();

	append_outcome(&s, CALL_A, "ok");
	append_planned(&s, CALL_A, "python");
	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "failed");
	append_outcome(&s, CALL_A, "ok");
	cr_expect_eq(ingest(&s), 5);
	expect_answer("SELECT why FROM damaged ORDER BY offset",
		      "outcome of a call that was not planned\n"
		      "second entry of this type of the call\n"
		      "second entry of this type of the call\n");
	expect_answer("SELECT verdict FROM call", "failed\n");
}

Test(index_entry, a_call_is_settled_as_its_last_settle_entry_says)
{
	auto_store s = open_store();

	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "ok");
	append_planned(&s, CALL_B, "python");
	append_settle(&s, CALL_A, "undo", "undone", "\"by hand\"");
	append_settle(&s, CALL_A, "apply", "committed", "null");
	append_settle(&s, CALL_B, "recover", "held", "\"found after a crash\"");
	cr_expect_eq(ingest(&s), 6);
	expect_answer("SELECT count(*) FROM damaged", "0\n");
	expect_answer("SELECT id, verdict, settled, reason, changes_digest FROM call",
		      CALL_A "|ok|committed|by hand|cafe\n" CALL_B
			     "|unknown|held|found after a crash|cafe\n");
	expect_answer("SELECT * FROM settle",
		      "3|" CALL_A "|undo|undone|1750000005000|1000|by hand|cafe\n"
		      "4|" CALL_A "|apply|committed|1750000005000|1000|NULL|cafe\n"
		      "5|" CALL_B "|recover|held|1750000005000|1000|found after a crash|cafe\n");
	expect_answer("SELECT type, hex(salt), record FROM entry WHERE n = 4",
		      "settle|00112233445566778899AABBCCDDEEFF|"
		      "{\"action\":\"apply\",\"actor\":{\"gid\":100,\"uid\":1000},"
		      "\"call\":\"" CALL_A "\",\"changes\":\"cafe\",\"reason\":null,"
		      "\"settled\":\"committed\",\"t\":1750000005000,\"v\":1}\n");
}

/* A settle entry of CALL_A with one piece of it replaced. */
static void
append_spoilt_settle(struct store *s, const char *from, const char *to)
{
	static const char good[] =
		"{\"call\":\"" CALL_A
		"\",\"record\":{\"action\":\"apply\",\"actor\":{\"gid\":100,\"uid\":1000},"
		"\"call\":\"" CALL_A "\",\"changes\":null,\"reason\":null,"
		"\"settled\":\"committed\",\"t\":7,\"v\":1},\"salt\":\"" SALT
		"\",\"type\":\"settle\"}";
	const char *at = strstr(good, from);
	auto_buf entry = BUF_INIT;

	cr_assert_not_null(at, "%s", from);
	buf_put(&entry, good, (size_t)(at - good));
	buf_puts(&entry, to);
	buf_puts(&entry, at + strlen(from));
	append(s, buf_text(&entry));
}

Test(index_entry, what_is_no_settle_entry_settles_nothing)
{
	static const struct {
		const char *from, *to, *why;
	} rows[] = {
		{ "\"apply\"", "\"merge\"",
		  "settle: member action is missing or not what it must be" },
		{ "\"apply\"", "7", "settle: member action is missing or not what it must be" },
		{ "\"committed\"", "\"gone\"",
		  "settle: member settled is missing or not what it must be" },
		{ "\"uid\":1000", "\"uid\":\"0\"",
		  "settle: member actor.uid is missing or not what it must be" },
		{ "\"gid\":100,", "",
		  "settle: member actor.gid is missing or not what it must be" },
		{ "\"changes\":null", "\"changes\":7",
		  "settle: member changes is missing or not what it must be" },
		{ "\"reason\":null,", "",
		  "settle: member reason is missing or not what it must be" },
		{ "\"t\":7", "\"t\":null", "settle: member t is missing or not what it must be" },
		{ "\"v\":1", "\"v\":2", "settle: member v is missing or not what it must be" },
		{ "\"record\":{\"action\"", "\"record\":[\"action\"", "the record is not JSON" },
	};
	auto_store s = open_store();

	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "ok");
	ingest(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf expected = BUF_INIT;

		append_spoilt_settle(&s, rows[i].from, rows[i].to);
		cr_expect_eq(ingest(&s), 1);
		buf_printf(&expected, "%s\n", rows[i].why);
		expect_answer("SELECT why FROM damaged ORDER BY offset DESC LIMIT 1",
			      buf_text(&expected));
	}
	expect_answer("SELECT settled FROM call", "committed\n");
	expect_answer("SELECT count(*) FROM settle", "0\n");
	/* the control: nothing replaced */
	append_spoilt_settle(&s, "committed", "discarded");
	cr_expect_eq(ingest(&s), 1);
	expect_answer("SELECT settled FROM call", "discarded\n");
}

Test(index_entry, a_call_without_an_outcome_is_resolved_as_the_last_entry_says)
{
	auto_store s = open_store();

	append_resolve(&s, CALL_A, "done", "null");
	append_planned(&s, CALL_A, "python");
	append_resolve(&s, CALL_A, "perhaps", "null");
	append_resolve(&s, CALL_A, "done", "7");
	append_resolve(&s, CALL_A, "not-done", "null");
	append_resolve(&s, CALL_A, "rerun", "\"by hand\"");
	append_planned(&s, CALL_B, "python");
	append_outcome(&s, CALL_B, "ok");
	append_resolve(&s, CALL_B, "done", "null");
	cr_expect_eq(ingest(&s), 9);
	expect_answer("SELECT why FROM damaged ORDER BY offset",
		      "the end of a call that was not planned\n"
		      "resolve: member answer is missing or not what it must be\n"
		      "resolve: member reason is missing or not what it must be\n"
		      "resolves a call that has an outcome\n");
	expect_answer("SELECT id, verdict, answer FROM call",
		      CALL_A "|unknown|rerun\n" CALL_B "|ok|NULL\n");
	expect_answer("SELECT * FROM resolve", "1|" CALL_A "|not-done|1750000007000|1000|NULL\n"
					       "2|" CALL_A "|rerun|1750000007000|1000|by hand\n");
}

Test(index_entry, a_lost_call_counts_with_no_more_than_it_reserved)
{
	static const char reserved[] =
		"\"key\":null,\"reserved\":{\"calls\":1,\"cpu_ms\":5,\"disk_bytes\":7,"
		"\"wall_ms\":9}";
	auto_store s = open_store();

	append_lost(&s, CALL_A, "6", "1750000007000");
	append_planned_with(&s, CALL_A, reserved, "\"ab\"");
	append_lost(&s, CALL_A, "null", "1750000007000");
	append_lost(&s, CALL_A, "6", "null");
	append_lost(&s, CALL_A, "6", "1750000007000");
	append_lost(&s, CALL_A, "8", "1750000008000"); /* again: nothing is raised */
	append_planned(&s, CALL_B, "python");	       /* of before there were workflows */
	append_lost(&s, CALL_B, "6", "1750000007000");
	cr_expect_eq(ingest(&s), 8);
	expect_answer("SELECT why FROM damaged ORDER BY offset",
		      "the end of a call that was not planned\n"
		      "lost: member used.cpu_ms is missing or not what it must be\n"
		      "lost: member t is missing or not what it must be\n");
	expect_answer("SELECT id, verdict, lost, reserved_calls, reserved_cpu, reserved_disk,"
		      " reserved_wall FROM call",
		      CALL_A "|unknown|1750000007000|1|5|6|6\n" CALL_B
			     "|unknown|1750000007000|NULL|NULL|NULL|NULL\n");
}

/* Who finishes its commit that a crash cut short may be later, or in the same moment. */
Test(index_entry, a_lost_call_may_have_ended_all_the_same)
{
	auto_store s = open_store();

	append_planned(&s, CALL_A, "python");
	append_lost(&s, CALL_A, "6", "1750000007000");
	append_outcome(&s, CALL_A, "ok");
	append_planned(&s, CALL_B, "python");
	append_outcome(&s, CALL_B, "failed");
	append_lost(&s, CALL_B, "6", "1750000007000");
	cr_expect_eq(ingest(&s), 6);
	expect_answer("SELECT why FROM damaged", "");
	expect_answer("SELECT verdict, wall_ms FROM call", "ok|1200\nfailed|1200\n");
}

Test(index_entry, only_a_call_that_ended_is_settled_or_one_that_is_recovered)
{
	auto_store s = open_store();

	append_settle(&s, CALL_A, "recover", "held", "null");
	append_planned(&s, CALL_A, "python");
	append_settle(&s, CALL_A, "apply", "committed", "null");
	append_settle(&s, CALL_A, "discard", "discarded", "null");
	append_settle(&s, CALL_A, "undo", "undone", "null");
	append_settle(&s, CALL_A, "recover", "none", "null");
	cr_expect_eq(ingest(&s), 6);
	expect_answer("SELECT why FROM damaged ORDER BY offset",
		      "settles a call that was not planned\n"
		      "settles a call that has no outcome\n"
		      "settles a call that has no outcome\n"
		      "settles a call that has no outcome\n");
	expect_answer("SELECT verdict, settled FROM call", "unknown|none\n");
}

Test(index_entry, numbers_of_64_bits_are_no_damage)
{
	auto_store s = open_store();
	auto_buf entry = BUF_INIT;

	spoil(&entry, "\"ino\":3", "\"ino\":18446744073709551615");
	append(&s, buf_text(&entry));
	cr_expect_eq(ingest(&s), 1);
	expect_answer("SELECT id, seq, uid, t0 FROM call", CALL_A "|1|1000|1750000000000\n");
}

Test(index_entry, a_context_may_be_odd_but_is_no_damage)
{
	static const char *const contexts[] = { "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}", "{}" };

	for (size_t i = 0; i < ARRAY_LEN(contexts); i++) {
		auto_store s = open_store();
		auto_buf entry = BUF_INIT;
		char call[UUID_TEXT_SIZE];

		snprintf(call, sizeof(call), "0198c2a4-7f3e-7abc-8def-%012zx", i);
		put_planned(&entry, call, "python", "[\"true\"]", contexts[i]);
		append(&s, buf_text(&entry));
		cr_expect_eq(ingest(&s), 1);
		expect_answer("SELECT count(*) FROM damaged", "0\n");
	}
}

Test(index_entry, arguments_are_spelled_as_for_a_shell)
{
	static const struct {
		const char *spelled, *expected;
	} rows[] = {
		{ "plain-1.2_/x=y", "plain-1.2_/x=y" },
		{ "", "''" },
		{ "two words", "'two words'" },
		{ "$HOME;rm *", "'$HOME;rm *'" },
		{ "it's", "$'it\\'s'" },
		{ "line\\012two", "$'line\\012two'" },
		{ "a\\134b", "'a\\b'" },
		{ "\033[31m", "$'\\033[31m'" },
		{ "\\377", "$'\\377'" },
		{ "gr\303\274n", "'gr\303\274n'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf out = BUF_INIT;

		index_spell_argument(&out, rows[i].spelled);
		cr_expect_str_eq(buf_text(&out), rows[i].expected, "row %zu", i);
	}
}

Test(index_entry, the_command_is_the_whole_argv)
{
	auto_store s = open_store();
	auto_buf entry = BUF_INIT;

	put_planned(&entry, CALL_A, "python", "[\"sh\",\"-c\",\"echo hi\\n\",\"\\\\377\"]", "null");
	append(&s, buf_text(&entry));
	cr_expect_eq(ingest(&s), 1);
	expect_answer("SELECT command FROM call", "sh -c $'echo hi\\012' $'\\377'\n");
}
