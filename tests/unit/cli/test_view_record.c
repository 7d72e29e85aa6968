/* SPDX-License-Identifier: Apache-2.0 */
/* view_record.c: members of a record, and finding one in a store. Run by `make unit`. */
#include "../store/index_fixture.h"
#include "view_fixture.h"

#include <errno.h>

Test(view_record, members_by_path)
{
	json_t *o = parse_json("{\"a\":{\"b\":{\"c\":\"deep\"},\"n\":7},\"t\":\"x\",\"u\":null}");

	cr_expect_str_eq(record_text(o, "a.b.c"), "deep");
	cr_expect_str_eq(record_text(o, "t"), "x");
	cr_expect_str_eq(record_text(o, "u"), "");
	cr_expect_str_eq(record_text(o, "a.n"), "");
	cr_expect_str_eq(record_text(o, "absent.too"), "");
	cr_expect_str_eq(record_text(NULL, "a"), "");
	cr_expect_eq(record_number(o, "a.n"), 7u);
	cr_expect_eq(record_number(o, "t"), 0u);
	cr_expect_eq(record_number(NULL, "a.n"), 0u);
	cr_expect_null(record_get(o, "a.x.c"));
	json_decref(o);
}

Test(view_record, numbers_of_any_size)
{
	static const struct {
		const char *text;
		uint64_t value;
	} rows[] = {
		{ "[0]", 0 },
		{ "[9223372036854775807]", INT64_MAX },
		{ "[-1]", 0 },
		{ "[9223372036854775808.0]", (uint64_t)1 << 63 },
		{ "[1.8446744073709552e19]", UINT64_MAX },
		{ "[1e300]", UINT64_MAX },
		{ "[-2.5]", 0 },
		{ "[\"7\"]", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *array = parse_json(rows[i].text);

		cr_expect_eq(record_value(json_array_get(array, 0)), rows[i].value, "%s",
			     rows[i].text);
		json_decref(array);
	}
}

static struct reading
read_back(struct store *s)
{
	struct reading r = READING_INIT;
	struct err err = ERR_INIT;

	ingest(s);
	cr_assert_eq(index_open_read(s, &r.ix, &err), 0, "%s", err.text);
	return r;
}

Test(view_record, a_call_and_its_records, .init = state_make, .fini = state_remove)
{
	auto_store s = open_store();
	auto_record whole = RECORD_INIT, open = RECORD_INIT;
	auto_reading r = READING_INIT;
	struct err err = ERR_INIT;

	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "ok");
	append_settle(&s, CALL_A, "undo", "undone", "null");
	append_planned(&s, CALL_C, "strict");
	append_settle(&s, CALL_A, "apply", "held", "\"why\"");
	r = read_back(&s);
	cr_assert_eq(record_load(&r, CALL_A, &whole, &err), 0, "%s", err.text);
	cr_expect_str_eq(whole.id, CALL_A);
	cr_expect_str_eq(record_text(whole.planned, "profile.name"), "python");
	cr_expect_str_eq(record_text(whole.outcome, "verdict"), "ok");
	cr_expect_eq(whole.workflow[15], 1);
	cr_assert_eq(record_load(&r, "@last", &open, &err), 0, "%s", err.text);
	cr_expect_str_eq(open.id, CALL_C);
	cr_expect_null(open.outcome);
	cr_expect_eq(open.outcome_text.len, 0u);
	cr_expect_eq(open.settles_text.len, 0u);
	cr_expect_str_eq(record_settled(&open), "");
	cr_expect_eq(json_array_size(whole.settles), 2u);
	cr_expect_str_eq(record_text(json_array_get(whole.settles, 1), "reason"), "why");
	cr_expect_str_eq(record_settled(&whole), "held");
	cr_expect_str_eq(record_text(whole.outcome, "settled"), "committed");
	/* the two records' exact bytes, a comma between */
	cr_expect_eq(strncmp(buf_text(&whole.settles_text), "{\"action\":\"undo\",", 17), 0);
	cr_expect_not_null(strstr(buf_text(&whole.settles_text), "\"v\":1},{\"action\":\"apply\""));
}

Test(view_record, what_is_not_there, .init = state_make, .fini = state_remove)
{
	auto_store s = open_store();
	struct record untouched = RECORD_INIT;
	auto_reading r = READING_INIT;
	struct err err = ERR_INIT;

	append_planned(&s, CALL_A, "python");
	r = read_back(&s);
	cr_expect_eq(record_load(&r, CALL_B, &untouched, &err), -ENOENT);
	cr_expect_str_eq(err.text, CALL_B ": no such call is recorded");
	cr_expect_null(untouched.planned);
}
