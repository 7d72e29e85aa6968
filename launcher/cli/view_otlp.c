/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP/JSON of calls: a span each, attributes by the rows of otlp.def. Runs in airlock-cli as the
 * caller. Ids are hex, times and 64-bit numbers decimal strings, enums numbers: so says OTLP.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view_attributes.h"
#include "view_show.h"

#define SPAN_KIND_INTERNAL 1
#define STATUS_OK 1
#define STATUS_ERROR 2
#define TRACE_HEX 32
#define SPAN_HEX 16

enum { CALL = 1, DENIAL = 2 };

const struct attribute view_otlp_rows[] = {
/* clang-format off */
#define OTLP(of, attribute, source, from) { of, attribute, FROM_##source, from },
#include "otlp.def"
#undef OTLP
	/* clang-format on */
};
const size_t view_otlp_row_count = ARRAY_LEN(view_otlp_rows);

/* Takes the value over. */
static int
add_attribute(json_t *list, const char *name, json_t *value)
{
	json_t *wrapped =
		json_is_integer(value)
			? json_pack("{s:o}", "intValue",
				    json_sprintf("%lld", (long long)json_integer_value(value)))
			: json_pack("{s:O}", json_is_boolean(value) ? "boolValue" : "stringValue",
				    value);

	json_decref(value);
	return json_array_append_new(list, json_pack("{s:s,s:o}", "key", name, "value", wrapped)) ==
			       0
		     ? 0
		     : -ENOMEM;
}

/* NULL for want of memory. */
static json_t *
attributes(unsigned int set, const struct attribute_of *of)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < view_otlp_row_count; i++) {
		json_t *value = (view_otlp_rows[i].sets & set) != 0
				      ? attribute_value(&view_otlp_rows[i], of)
				      : NULL;

		if (value != NULL && add_attribute(list, view_otlp_rows[i].name, value) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
nanoseconds(uint64_t ms)
{
	return json_sprintf("%" PRIu64, ms * 1000000u);
}

static json_t *
events(const struct record *rec)
{
	const json_t *denials = json_object_get(rec->outcome, "denials");
	json_t *list = json_array();
	struct attribute_of of = { .rec = rec };

	for (size_t i = 0; list != NULL && i < json_array_size(denials); i++) {
		of.denial = json_array_get(denials, i);
		of.denial_index = i;
		if (json_array_append_new(
			    list, json_pack("{s:o,s:s,s:o}", "attributes", attributes(DENIAL, &of),
					    "name", "airlock.denial", "timeUnixNano",
					    nanoseconds(record_number(rec->outcome, "t1")))) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static bool
is_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") >= len && strspn(text, "0") < len;
}

/*
 * The caller's trace and the span above (W3C traceparent), when it gave one that can be read; else
 * the workflow is the trace. The span's own id is what is random in the call's.
 */
static void
find_ids(const struct record *rec, char ret_trace[TRACE_HEX + 1], char ret_parent[SPAN_HEX + 1],
	 char ret_span[SPAN_HEX + 1])
{
	const char *given = record_text(rec->planned, "trace");
	uint8_t call[16] = { 0 };

	ret_parent[0] = '\0';
	text_hex(rec->workflow, sizeof(rec->workflow), ret_trace);
	if (strlen(given) >= 55 && strncmp(given, "00-", 3) == 0 && is_hex(given + 3, TRACE_HEX) &&
	    given[35] == '-' && is_hex(given + 36, SPAN_HEX) && given[52] == '-') {
		snprintf(ret_trace, TRACE_HEX + 1, "%s", given + 3);
		snprintf(ret_parent, SPAN_HEX + 1, "%s", given + 36);
	}
	ignore_err(text_uuid_parse(rec->id, call), "it came from the index");
	text_hex(call + 8, SPAN_HEX / 2, ret_span);
}

static json_t *
status(const struct record *rec)
{
	bool is_ok = strcmp(record_text(rec->outcome, "verdict"), "ok") == 0;
	auto_buf text = BUF_INIT;

	if (is_ok) {
		return json_pack("{s:i}", "code", STATUS_OK);
	}
	show_sentence(&text, rec);
	return json_pack("{s:i,s:s}", "code", STATUS_ERROR, "message", buf_text(&text));
}

json_t *
view_otlp_span(const struct record *rec)
{
	const struct attribute_of of = { .rec = rec };
	char trace[TRACE_HEX + 1], parent[SPAN_HEX + 1], span[SPAN_HEX + 1];
	uint64_t t0 = record_number(rec->planned, "t0"), t1 = record_number(rec->outcome, "t1");
	json_t *made;

	find_ids(rec, trace, parent, span);
	made = json_pack("{s:o,s:o,s:o,s:i,s:o,s:s,s:o,s:o,s:s}", "attributes",
			 attributes(CALL, &of), "endTimeUnixNano", nanoseconds(t1 > t0 ? t1 : t0),
			 "events", events(rec), "kind", SPAN_KIND_INTERNAL, "name",
			 json_sprintf("execute_tool %s", record_program(rec)), "spanId", span,
			 "startTimeUnixNano", nanoseconds(t0), "status", status(rec), "traceId",
			 trace);
	if (made != NULL && parent[0] != '\0' &&
	    json_object_set_new(made, "parentSpanId", json_string(parent)) != 0) {
		json_decref(made);
		return NULL;
	}
	return made;
}

int
view_otlp_request(json_t *spans, struct buf *out)
{
	json_t *request = json_pack(
		"{s:[{s:{s:[{s:s,s:{s:s}},{s:s,s:{s:s}}]},s:s,s:[{s:{s:s,s:s},s:s,s:o}]}]}",
		"resourceSpans", "resource", "attributes", "key", "service.name", "value",
		"stringValue", "airlock", "key", "service.version", "value", "stringValue",
		AIRLOCK_VERSION, "schemaUrl", "https://opentelemetry.io/schemas/1.41.0",
		"scopeSpans", "scope", "name", "airlock", "version", AIRLOCK_VERSION, "schemaUrl",
		"https://opentelemetry.io/schemas/1.41.0", "spans", spans);
	int rc = record_put_json(request, out);

	buf_putc(out, '\n');
	return rc == 0 ? buf_error(out) : rc;
}
