/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_events.c, and what index_entry.c makes of entries of no call and of forgotten ones. Run by
 * `make unit`.
 */
#include "index_fixture.h"

#include <errno.h>

TestSuite(index_events, .init = state_make, .fini = state_remove);

#define ACTOR "\"actor\":{\"gid\":100,\"uid\":1000}"

static const struct {
	const char *type, *record;
} good[] = {
	{ "log.open", "{\"node\":{\"airlock\":\"0.1.0\",\"boot_id\":\"b\",\"kernel\":\"6.1\"},"
		      "\"origin\":\"host/airlock/1\",\"t\":1,\"v\":1,\"vkey\":\"k\"}" },
	{ "log.close", "{" ACTOR ",\"reason\":null,\"t\":2,\"v\":1}" },
	{ "key.rotate", "{" ACTOR ",\"new\":\"n\",\"old\":\"o\",\"origin\":\"host/airlock/1\","
			"\"signatures\":[\"a\",\"b\"],\"t\":3,\"v\":1}" },
	{ "profile.load", "{" ACTOR ",\"digest\":\"dd\",\"name\":\"python\",\"source\":\"/p.yaml\","
			  "\"t\":4,\"text\":\"mode: apply\",\"v\":1}" },
	{ "gc", EVENT_GC },
	{ "witness", "{\"action\":\"silent\",\"name\":\"w1\",\"size\":7,\"t\":5,\"url\":null,"
		     "\"v\":1,\"vkey\":\"k\"}" },
	{ "workflow", EVENT_WORKFLOW_NEW },
	{ "workflow", EVENT_WORKFLOW_PAUSE },
	{ "stop", "{\"action\":\"stop\"," ACTOR ",\"principal\":\"ann\",\"reason\":\"why\","
		  "\"t\":8,\"v\":1}" },
};

static int
note_event(void *arg, const struct index_event *e)
{
	buf_printf(arg, "%llu|%s|%llu|%lld|%s|%s|%s|%s|%s|%zu\n", (unsigned long long)e->n,
		   entry_type_word(e->type), (unsigned long long)e->t_ms, (long long)e->uid,
		   e->action, e->workflow, e->name, e->digest, e->reason, e->record_len);
	return 0;
}

static int
note_leaf(void *arg, const struct index_leaf *leaf)
{
	buf_printf(arg, "%llu ", (unsigned long long)leaf->n);
	entry_leaf(leaf->type, leaf->call, leaf->digest, arg);
	buf_putc(arg, '\n');
	return 0;
}

static int
stop_at_once(void *arg, const struct index_leaf *leaf)
{
	(void)arg, (void)leaf;
	return 7;
}

static void
append_good(struct store *s)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		append_event(s, good[i].type, good[i].record);
	}
}

Test(index_events, entries_of_no_call_are_listed_in_order_or_by_type)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf all = BUF_INIT, gc = BUF_INIT, expected = BUF_INIT;
	struct err err = ERR_INIT;

	append_good(&s);
	cr_expect_eq(ingest(&s), ARRAY_LEN(good));
	expect_answer("SELECT why FROM damaged", "");
	expect_answer("SELECT count(*) FROM call", "0\n");
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_events(ix, NULL, note_event, &all, &err), 0, "%s", err.text);
	buf_printf(&expected, "0|log.open|1|-1||||||%zu\n", strlen(good[0].record));
	buf_printf(&expected, "1|log.close|2|1000||||||%zu\n", strlen(good[1].record));
	buf_printf(&expected, "2|key.rotate|3|1000||||||%zu\n", strlen(good[2].record));
	buf_printf(&expected, "3|profile.load|4|1000|||python|dd||%zu\n", strlen(good[3].record));
	buf_printf(&expected, "4|gc|1750000006000|1000|forget|" WORKFLOW "|||asked for|%zu\n",
		   strlen(good[4].record));
	buf_printf(&expected, "5|witness|5|-1|silent||w1|||%zu\n", strlen(good[5].record));
	buf_printf(&expected, "6|workflow|6|1000|new|" WORKFLOW "|triage|||%zu\n",
		   strlen(good[6].record));
	buf_printf(&expected, "7|workflow|7|1000|pause|" WORKFLOW "|triage||a loop|%zu\n",
		   strlen(good[7].record));
	buf_printf(&expected, "8|stop|8|1000|stop||||why|%zu\n", strlen(good[8].record));
	cr_expect_str_eq(buf_text(&all), buf_text(&expected));
	cr_assert_eq(index_events(ix, "gc", note_event, &gc, &err), 0, "%s", err.text);
	buf_reset(&expected);
	buf_printf(&expected, "4|gc|1750000006000|1000|forget|" WORKFLOW "|||asked for|%zu\n",
		   strlen(good[4].record));
	cr_expect_str_eq(buf_text(&gc), buf_text(&expected));
}

Test(index_events, of_one_workflow_in_order)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf seen = BUF_INIT;
	struct err err = ERR_INIT;
	char id[UUID_TEXT_SIZE] = "";

	append_good(&s);
	cr_expect_eq(ingest(&s), ARRAY_LEN(good));
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_workflow_events(ix, WORKFLOW, note_event, &seen, &err), 0, "%s",
		     err.text);
	/* its gc entry is none of them */
	cr_expect_eq(strncmp(buf_text(&seen), "6|workflow|6|", 13), 0, "%s", buf_text(&seen));
	cr_expect_not_null(strstr(buf_text(&seen), "\n7|workflow|7|1000|pause|"));
	cr_expect_null(strstr(buf_text(&seen), "\n8|"));
	buf_reset(&seen);
	cr_assert_eq(index_workflow_events(ix, CALL_A, note_event, &seen, &err), 0, "%s", err.text);
	cr_expect_eq(seen.len, (size_t)0);
	/* one that had no call yet is found by its name */
	cr_assert_eq(index_workflow(ix, "triage", id, &err), 0, "%s", err.text);
	cr_expect_str_eq(id, WORKFLOW);
}

Test(index_events, the_last_of_open_and_close_counts)
{
	/* none, opened, closed, something else, opened again */
	static const struct {
		int which;
		bool is_closed;
	} rows[] = { { -1, false }, { 0, false }, { 1, true }, { 5, true }, { 0, false } };
	auto_store s = open_store();
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_index ix = NULL;
		bool is_closed = !rows[i].is_closed;

		if (rows[i].which >= 0) {
			append_event(&s, good[rows[i].which].type, good[rows[i].which].record);
		}
		cr_expect_eq(ingest(&s), rows[i].which >= 0 ? 1u : 0u, "row %zu", i);
		cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
		cr_assert_eq(index_is_closed(ix, &is_closed, &err), 0, "%s", err.text);
		cr_expect_eq(is_closed, rows[i].is_closed, "row %zu", i);
	}
}

Test(index_events, what_is_not_of_its_shape_is_damaged)
{
	static const struct {
		size_t which;
		const char *from, *to, *why;
	} rows[] = {
		{ 0, "\"vkey\"", "\"vkex\"", "log.open: member vkey" },
		{ 0, "\"airlock\"", "\"airloch\"", "log.open: member node.airlock" },
		{ 1, "\"reason\":null", "\"reason\":7", "log.close: member reason" },
		{ 2, "[\"a\",\"b\"]", "[\"a\",7]", "key.rotate: member signatures" },
		{ 2, "[\"a\",\"b\"]", "[\"a\"]", "key.rotate: member signatures" },
		{ 3, "\"text\"", "\"test\"", "profile.load: member text" },
		{ 4, "\"forget\"", "\"lose\"", "gc: member action" },
		{ 4, "\"" WORKFLOW "\"", "null", "gc: member workflow" },
		{ 4, "\"" WORKFLOW "\"", "\"local\"", "gc: member workflow" },
		{ 5, "\"silent\"", "\"loud\"", "witness: member action" },
		{ 5, "\"v\":1", "\"v\":2", "witness: member v" },
		{ 6, "\"new\"", "\"old\"", "workflow: member action" },
		{ 6, "\"person\"", "\"nobody\"", "workflow: member by" },
		{ 6, "\"" WORKFLOW "\"", "\"local\"", "workflow: member workflow" },
		{ 6, "\"guard\":8", "\"guard\":\"8\"", "workflow: member guard" },
		{ 7, "\"steps\":[]", "\"steps\":null", "workflow: member steps" },
		{ 8, "\"stop\"", "\"halt\"", "stop: member action" },
		{ 8, "\"ann\"", "7", "stop: member principal" },
	};
	auto_store s = open_store();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf record = BUF_INIT, expected = BUF_INIT;
		const char *whole = good[rows[i].which].record;
		const char *at = strstr(whole, rows[i].from);

		cr_assert_not_null(at, "row %zu", i);
		buf_put(&record, whole, (size_t)(at - whole));
		buf_puts(&record, rows[i].to);
		buf_puts(&record, at + strlen(rows[i].from));
		append_event(&s, good[rows[i].which].type, buf_text(&record));
		cr_expect_eq(ingest(&s), 1);
		buf_printf(&expected, "%s is missing or not what it must be\n", rows[i].why);
		expect_answer("SELECT why FROM damaged ORDER BY offset DESC LIMIT 1",
			      buf_text(&expected));
	}
	expect_answer("SELECT count(*) FROM entry", "0\n");
}

Test(index_events, a_leaf_is_what_its_entry_says_and_damage_is_none)
{
	static const char digest[] =
		"ce47aadcea97b2d6de99642a659de8faf2bb1f25e27de79bc757a8ac1838e508";
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf leaves = BUF_INIT, expected = BUF_INIT, planned = BUF_INIT;
	char hex[HEX_DIGEST_SIZE];
	struct err err = ERR_INIT;
	struct entry e;
	uint64_t size = 99;

	put_planned(&planned, CALL_A, "python", "[\"true\"]", "null");
	cr_assert(entry_slice(planned.data, planned.len, &e));
	text_hex(e.digest, sizeof(e.digest), hex);
	append(&s, "{\"neither\":\"nor\"}");
	append_planned(&s, CALL_A, "python");
	append_planned(&s, CALL_A, "python");
	append_event(&s, "gc", EVENT_GC);
	cr_expect_eq(ingest(&s), 4);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_size(ix, &size, &err), 0, "%s", err.text);
	cr_expect_eq(size, 2u);
	cr_assert_eq(index_leaves(ix, 0, note_leaf, &leaves, &err), 0, "%s", err.text);
	buf_printf(&expected,
		   "0 {\"call\":\"" CALL_A "\",\"digest\":\"%s\",\"type\":\"call.planned\"}\n",
		   hex);
	buf_printf(&expected,
		   "1 {\"call\":\"" ENTRY_NO_CALL "\",\"digest\":\"%s\",\"type\":\"gc\"}\n",
		   digest);
	cr_expect_str_eq(buf_text(&leaves), buf_text(&expected));
	buf_reset(&leaves);
	cr_assert_eq(index_leaves(ix, 1, note_leaf, &leaves, &err), 0, "%s", err.text);
	cr_expect_eq(leaves.data[0], '1');
	buf_reset(&leaves);
	cr_assert_eq(index_leaves(ix, 2, note_leaf, &leaves, &err), 0, "%s", err.text);
	cr_expect_eq(leaves.len, 0u);
	cr_expect_eq(index_leaves(ix, 0, stop_at_once, NULL, &err), 7);
}

Test(index_events, an_empty_log_has_the_size_0)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	struct err err = ERR_INIT;
	uint64_t size = 99;

	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_size(ix, &size, &err), 0, "%s", err.text);
	cr_expect_eq(size, 0u);
}

/* CALL_A was forgotten, CALL_B was not. */
static void
append_forgotten_call(struct store *s)
{
	auto_buf planned = BUF_INIT, outcome = BUF_INIT;

	put_planned(&planned, CALL_A, "python", "[\"true\"]", "null");
	put_outcome(&outcome, CALL_A, "ok", "[]", "[]");
	append_forgotten(s, buf_text(&planned));
	append_forgotten(s, buf_text(&outcome));
	append_planned(s, CALL_B, "python");
}

Test(index_events, a_forgotten_call_is_leaves_and_no_more)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf planned = BUF_INIT, outcome = BUF_INIT;
	char id[UUID_TEXT_SIZE];
	struct err err = ERR_INIT;

	append_forgotten_call(&s);
	append_event(&s, "gc", EVENT_GC);
	cr_expect_eq(ingest(&s), 4);
	expect_answer("SELECT why FROM damaged", "");
	expect_answer("SELECT n, type, call, salt, record FROM entry WHERE n < 2",
		      "0|call.planned|" CALL_A "|NULL|NULL\n1|call.outcome|" CALL_A "|NULL|NULL\n");
	expect_answer("SELECT id FROM call", CALL_B "\n");
	expect_answer("SELECT count(*) FROM denial", "0\n");
	expect_answer("SELECT * FROM forgotten", CALL_A "|" WORKFLOW "\n");
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_find(ix, CALL_A, id, &err), 0, "%s", err.text);
	cr_expect_str_eq(id, CALL_A);
	cr_expect_eq(index_records(ix, CALL_A, &planned, &outcome, &err), -ENODATA);
	cr_expect_str_eq(err.text,
			 CALL_A " was forgotten by uid 1000 at 2025-06-15 15:06:46Z (asked for): "
				"its records and objects are gone, its entries in the log stay");
	cr_expect_eq(index_records(ix, CALL_C, &planned, &outcome, &err), -ENOENT);
	cr_expect_eq(index_records(ix, CALL_B, &planned, &outcome, &err), 0);
}

Test(index_events, who_forgot_is_said_or_that_nobody_says_so)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	struct index_forgotten f;
	auto_buf planned = BUF_INIT, outcome = BUF_INIT;
	struct err err = ERR_INIT;

	append_forgotten_call(&s);
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_forgotten(ix, CALL_A, &f, &err), 0, "%s", err.text);
	cr_expect_str_eq(f.workflow, WORKFLOW);
	cr_expect(!f.is_logged);
	cr_expect_eq(index_records(ix, CALL_A, &planned, &outcome, &err), -ENODATA);
	cr_expect_not_null(strstr(err.text, "no gc entry says by whom"));
	cr_expect_eq(index_forgotten(ix, CALL_B, &f, &err), -ENOENT);
	index_close(ix);
	ix = NULL;
	append_event(&s, "gc", EVENT_GC);
	ingest(&s);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_forgotten(ix, CALL_A, &f, &err), 0, "%s", err.text);
	cr_expect(f.is_logged);
	cr_expect_eq(f.n, 3u);
	cr_expect_eq(f.t_ms, 1750000006000u);
	cr_expect_eq(f.uid, 1000);
	cr_expect_str_eq(f.reason, "asked for");
}

Test(index_events, half_a_forgotten_call_makes_no_rows)
{
	auto_store s = open_store();
	auto_buf planned = BUF_INIT;

	/* a crash: the file with its outcome was not rewritten yet */
	put_planned(&planned, CALL_A, "python", "[\"true\"]", "null");
	append_forgotten(&s, buf_text(&planned));
	append_outcome(&s, CALL_A, "ok");
	append_settle(&s, CALL_A, "undo", "undone", "null");
	cr_expect_eq(ingest(&s), 3);
	expect_answer("SELECT count(*) FROM entry", "3\n");
	expect_answer("SELECT (SELECT count(*) FROM call) + (SELECT count(*) FROM denial)"
		      " + (SELECT count(*) FROM change) + (SELECT count(*) FROM settle)",
		      "0\n");
	expect_answer("SELECT why FROM damaged", "");
}

Test(index_events, a_forgotten_entry_stands_where_it_may)
{
	auto_store s = open_store();
	auto_buf planned = BUF_INIT, outcome = BUF_INIT;

	put_planned(&planned, CALL_A, "python", "[\"true\"]", "null");
	put_outcome(&outcome, CALL_A, "ok", "[]", "[]");
	append_forgotten(&s, buf_text(&outcome));
	append_forgotten(&s, buf_text(&planned));
	append_forgotten(&s, buf_text(&planned));
	cr_expect_eq(ingest(&s), 3);
	expect_answer("SELECT why FROM damaged ORDER BY offset",
		      "outcome of a call that was not planned\n"
		      "second entry of this type of the call\n");
	expect_answer("SELECT count(*) FROM entry", "1\n");
}
