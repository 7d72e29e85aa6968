/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller. A call whose records cannot be read ends it, with its id. */
#include "view_telemetry.h"

#include <errno.h>

#include "commands.h"
#include "view_attributes.h"

struct telemetry {
	struct reading *r;
	enum telemetry_format format;
	json_t *spans; /* of TELEMETRY_OTLP */
	struct err *err;
};

static int
add_call(void *arg, const struct index_call *call)
{
	struct telemetry *t = arg;
	auto_record rec = RECORD_INIT;
	auto_buf text = BUF_INIT;
	int rc = record_load(t->r, call->id, &rec, t->err);

	rc = rc == 0 ? record_leaves(t->r, &rec, t->err) : rc;
	if (rc == 0 && t->format == TELEMETRY_OCSF) {
		rc = view_ocsf(&rec, &text);
		rc = rc == 0 ? commands_write(&text) : rc;
	} else if (rc == 0) {
		rc = json_array_append_new(t->spans, view_otlp_span(&rec)) == 0 ? 0 : -ENOMEM;
	}
	return rc == 0 || t->err->code != 0 ? rc : err_sys(t->err, rc, "%s", call->id);
}

int
view_telemetry(struct reading *r, const struct index_query *query, enum telemetry_format format,
	       struct err *err)
{
	struct telemetry t = { .r = r, .format = format, .spans = json_array(), .err = err };
	auto_buf text = BUF_INIT;
	int rc = t.spans != NULL ? index_list(r->ix, query, add_call, &t, err) : -ENOMEM;

	if (rc == 0 && json_array_size(t.spans) > 0) {
		rc = view_otlp_request(json_incref(t.spans), &text);
		rc = rc == 0 ? commands_write(&text) : rc;
	}
	json_decref(t.spans);
	return rc == 0 || err->code != 0 ? rc : err_sys(err, rc, "list calls");
}
