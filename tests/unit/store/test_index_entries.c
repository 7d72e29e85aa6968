/* SPDX-License-Identifier: Apache-2.0 */
/* index_entries.c: what the log has of a call. Run by `make unit`. */
#include "index_fixture.h"

#include <errno.h>

TestSuite(index_entries, .init = state_make, .fini = state_remove);

static int
note(void *arg, const struct index_entry *e)
{
	uint8_t digest[SHA256_SIZE];
	auto_buf salted = BUF_INIT;
	bool is_right;

	buf_put(&salted, e->salt, e->salt != NULL ? ENTRY_SALT_SIZE : 0);
	buf_put(&salted, e->record, e->record_len);
	sha256_of(salted.data, salted.len, digest);
	is_right = memcmp(digest, e->digest, SHA256_SIZE) == 0;
	buf_printf(arg, "%llu %s %s\n", (unsigned long long)e->n, entry_type_word(e->type),
		   e->salt == NULL ? "forgotten"
		   : is_right	   ? "salted digest"
				   : "another digest");
	return 0;
}

static int
stop(void *arg, const struct index_entry *e)
{
	(void)arg, (void)e;
	return 7;
}

static void
expect_entries(struct index *ix, const char *call, const char *expected)
{
	auto_buf seen = BUF_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(index_entries(ix, call, note, &seen, &err), 0, "%s", err.text);
	cr_expect_str_eq(buf_text(&seen), expected, "%s", call);
}

static int
note_forgotten(void *arg, const char *call, const char *workflow)
{
	buf_printf(arg, "%s of %s\n", call, workflow);
	return 0;
}

static void
expect_forgotten(struct index *ix, const char *workflow, const char *expected)
{
	auto_buf seen = BUF_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(index_forgotten_calls(ix, workflow, note_forgotten, &seen, &err), 0, "%s",
		     err.text);
	cr_expect_str_eq(buf_text(&seen), expected, "%s", workflow);
}

Test(index_entries, those_of_a_call_in_the_log_s_order)
{
	auto_store s = open_store();
	auto_index ix = NULL;
	auto_buf forgotten = BUF_INIT;
	struct err err = ERR_INIT;

	append_planned(&s, CALL_A, "python");
	append_planned(&s, CALL_B, "python");
	append_outcome(&s, CALL_A, "ok");
	append_event(&s, "gc", EVENT_GC);
	append_settle(&s, CALL_A, "undo", "undone", "null");
	put_planned(&forgotten, CALL_C, "python", "[\"true\"]", "null");
	append_forgotten(&s, buf_text(&forgotten));
	cr_expect_eq(ingest(&s), 6);
	cr_assert_eq(index_open_read(&s, &ix, &err), 0, "%s", err.text);
	expect_entries(ix, CALL_A,
		       "0 call.planned salted digest\n2 call.outcome salted digest\n"
		       "4 settle salted digest\n");
	expect_entries(ix, CALL_B, "1 call.planned salted digest\n");
	expect_entries(ix, CALL_C, "5 call.planned forgotten\n");
	expect_entries(ix, ENTRY_NO_CALL, "3 gc salted digest\n");
	expect_entries(ix, "0198c2a4-7f3e-7abc-8def-000000000000", "");
	expect_forgotten(ix, WORKFLOW, CALL_C " of " WORKFLOW "\n");
	expect_forgotten(ix, "0198c2a4", CALL_C " of " WORKFLOW "\n");
	expect_forgotten(ix, "local", "");
	cr_expect_eq(index_entries(ix, CALL_A, stop, NULL, &err), 7);
}
