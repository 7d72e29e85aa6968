/* SPDX-License-Identifier: Apache-2.0 */
/* OCSF events of a call, by the rows of ocsf.def. Runs in airlock-cli as the caller. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "view_attributes.h"

enum { LAUNCH = 1, END = 2, DENIAL = 4 };

const struct attribute view_ocsf_rows[] = {
/* clang-format off */
#define OCSF(events, attribute, source, from) { events, attribute, FROM_##source, from },
#include "ocsf.def"
#undef OCSF
	/* clang-format on */
};
const size_t view_ocsf_row_count = ARRAY_LEN(view_ocsf_rows);

/* Takes the value over. */
static int
set_path(json_t *object, const char *path, json_t *value)
{
	const char *dot;

	while ((dot = strchr(path, '.')) != NULL) {
		char name[64];
		json_t *below;

		snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
		below = json_object_get(object, name);
		if (below == NULL) {
			below = json_object();
			if (json_object_set_new(object, name, below) != 0) {
				json_decref(value);
				return -ENOMEM;
			}
		}
		object = below;
		path = dot + 1;
	}
	return json_object_set_new(object, path, value) == 0 ? 0 : -ENOMEM;
}

static int
put_event(struct buf *out, unsigned int set, const struct attribute_of *of)
{
	json_t *event = json_object();
	int rc = event != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < view_ocsf_row_count; i++) {
		json_t *value = (view_ocsf_rows[i].sets & set) != 0
				      ? attribute_value(&view_ocsf_rows[i], of)
				      : NULL;

		rc = value != NULL ? set_path(event, view_ocsf_rows[i].name, value) : 0;
	}
	if (rc != 0) {
		json_decref(event);
		return rc;
	}
	rc = record_put_json(event, out);
	buf_putc(out, '\n');
	return rc == 0 ? buf_error(out) : rc;
}

static bool
has_run(const struct record *rec)
{
	const char *verdict = record_text(rec->outcome, "verdict");

	return rec->outcome != NULL && strcmp(verdict, "launch_failed") != 0 &&
	       strcmp(verdict, "denied") != 0;
}

int
view_ocsf(const struct record *rec, struct buf *out)
{
	const json_t *denials = json_object_get(rec->outcome, "denials");
	struct attribute_of of = { .rec = rec };
	int rc = put_event(out, LAUNCH, &of);

	for (size_t i = 0; rc == 0 && i < json_array_size(denials); i++) {
		of.denial = json_array_get(denials, i);
		of.denial_index = i;
		rc = put_event(out, DENIAL, &of);
	}
	of.denial = NULL;
	return rc == 0 && has_run(rec) ? put_event(out, END, &of) : rc;
}
