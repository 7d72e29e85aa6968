/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_attributes.c, view_ocsf.c, view_otlp.c: the rows of the tables, and golden samples of both
 * formats, to the byte. Run by `make unit`.
 */
#include "view_fixture.h"

#include "../../../launcher/cli/view_attributes.h"
#include "telemetry_golden.h"

static struct record
sample(void)
{
	struct record rec = make_record(TELEMETRY_PLANNED, TELEMETRY_OUTCOME);

	cr_assert_eq(text_uuid_parse(record_text(rec.planned, "workflow"), rec.workflow), 0);
	rec.planned_leaf = (struct record_leaf){ .is_there = true, .n = 40 };
	rec.outcome_leaf = (struct record_leaf){ .is_there = true, .n = 41 };
	memset(rec.planned_leaf.digest, 0xa1, SHA256_SIZE);
	memset(rec.outcome_leaf.digest, 0xb2, SHA256_SIZE);
	return rec;
}

static void
expect_rows(const struct attribute *rows, size_t count)
{
	cr_assert_gt(count, 10u);
	for (size_t i = 0; i < count; i++) {
		cr_expect(attribute_is_known(&rows[i]), "%s: nothing makes %s", rows[i].name,
			  rows[i].from);
		cr_expect_neq(rows[i].sets, 0u, "%s", rows[i].name);
		for (size_t k = 0; k < i; k++) {
			cr_expect((rows[i].sets & rows[k].sets) == 0 ||
					  strcmp(rows[i].name, rows[k].name) != 0,
				  "%s stands twice", rows[i].name);
		}
	}
}

Test(view_attributes, every_row_has_a_maker_and_stands_once)
{
	expect_rows(view_ocsf_rows, view_ocsf_row_count);
	expect_rows(view_otlp_rows, view_otlp_row_count);
}

Test(view_attributes, ocsf_to_the_byte)
{
	auto_record rec = sample();
	auto_buf out = BUF_INIT;

	cr_assert_eq(view_ocsf(&rec, &out), 0);
	cr_expect_str_eq(buf_text(&out), TELEMETRY_OCSF_GOLDEN);
}

static void
put_request(const struct record *rec, struct buf *out)
{
	json_t *spans = json_array();

	cr_assert_eq(json_array_append_new(spans, view_otlp_span(rec)), 0);
	cr_assert_eq(view_otlp_request(spans, out), 0);
}

Test(view_attributes, otlp_to_the_byte)
{
	auto_record rec = sample();
	auto_buf out = BUF_INIT;

	put_request(&rec, &out);
	cr_expect_str_eq(buf_text(&out), TELEMETRY_OTLP_GOLDEN);
}

/* What did not start has not ended; what has no outcome is unknown and takes no time. */
Test(view_attributes, a_call_that_did_not_run)
{
	auto_record failed = make_record("{\"argv\":[\"x\"],\"t0\":5}",
					 "{\"verdict\":\"launch_failed\",\"t1\":9}");
	auto_record unknown = make_record("{\"argv\":[\"x\"],\"t0\":5}", NULL);
	auto_buf out = BUF_INIT;

	cr_assert_eq(view_ocsf(&failed, &out), 0);
	cr_expect_not_null(strstr(buf_text(&out), "\"message\":\"did not start: x, profile \""));
	cr_expect_not_null(strstr(buf_text(&out), "\"status_id\":2"));
	cr_expect_null(strstr(buf_text(&out), "100702"));
	buf_reset(&out);
	cr_assert_eq(view_ocsf(&unknown, &out), 0);
	cr_expect_not_null(strstr(buf_text(&out), "\"status_id\":0"));
	cr_expect_null(strstr(buf_text(&out), "100702"));
	buf_reset(&out);
	put_request(&unknown, &out);
	cr_expect_not_null(strstr(buf_text(&out), "\"endTimeUnixNano\":\"5000000\""));
	cr_expect_not_null(strstr(buf_text(&out), "\"status\":{\"code\":2,\"message\":\"unknown: "
						  "no outcome is recorded"));
}

/* A trace that cannot be read is not the trace: the workflow is. */
Test(view_attributes, only_a_whole_traceparent_is_taken)
{
	static const char *const bad[] = {
		"",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
		"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_record rec = sample();
		json_t *span;

		cr_assert_eq(json_object_set_new(rec.planned, "trace", json_string(bad[i])), 0);
		span = view_otlp_span(&rec);
		cr_expect_str_eq(record_text(span, "traceId"), "0198c2a4000070008000000000000001");
		cr_expect_null(json_object_get(span, "parentSpanId"));
		json_decref(span);
	}
}
