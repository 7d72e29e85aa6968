/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two records of one call. Runs in airlock-cli as the caller. Their shape was checked when they
 * were taken in (store/index_entry.c), their strings are anybody's.
 */
#include "view_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static json_t *
parse(const struct buf *text)
{
	const size_t flags = JSON_ALLOW_NUL;
	json_t *record = json_loadb(buf_text(text), text->len, flags, NULL);

	/* numbers beyond 63 bits, as in index_entry.c */
	return record != NULL ? record
			      : json_loadb(buf_text(text), text->len,
					   flags | JSON_DECODE_INT_AS_REAL, NULL);
}

int
record_load(struct reading *r, const char *name, struct record *ret, struct err *err)
{
	struct record rec = RECORD_INIT;
	int rc = index_find(r->ix, name, rec.id, err);

	if (rc == 0) {
		rc = index_records(r->ix, rec.id, &rec.planned_text, &rec.outcome_text, err);
	}
	if (rc == 0) {
		rec.planned = parse(&rec.planned_text);
		rec.outcome = rec.outcome_text.len > 0 ? parse(&rec.outcome_text) : NULL;
		if (rec.planned == NULL || (rec.outcome_text.len > 0 && rec.outcome == NULL) ||
		    text_uuid_parse(record_text(rec.planned, "workflow"), rec.workflow) != 0) {
			rc = err_set(err, -EBADMSG, "%s: the index holds no whole record", rec.id);
		}
	}
	if (rc != 0) {
		record_finish(&rec);
		return rc;
	}
	*ret = rec;
	return 0;
}

void
record_finish(struct record *rec)
{
	buf_finish(&rec->planned_text);
	buf_finish(&rec->outcome_text);
	json_decref(rec->planned);
	json_decref(rec->outcome);
	rec->planned = rec->outcome = NULL;
}

const json_t *
record_get(const json_t *object, const char *path)
{
	const char *dot = strchr(path, '.');
	char outer[32];

	if (dot == NULL) {
		return json_object_get(object, path);
	}
	snprintf(outer, sizeof(outer), "%.*s", (int)(dot - path), path);
	return record_get(json_object_get(object, outer), dot + 1);
}

const char *
record_text(const json_t *object, const char *path)
{
	const char *text = json_string_value(record_get(object, path));

	return text != NULL ? text : "";
}

uint64_t
record_number(const json_t *object, const char *path)
{
	return record_value(record_get(object, path));
}

uint64_t
record_value(const json_t *number)
{
	double real = json_number_value(number);

	if (json_is_integer(number)) {
		return json_integer_value(number) > 0 ? (uint64_t)json_integer_value(number) : 0;
	}
	if (real >= 0x1p64) {
		return UINT64_MAX;
	}
	return real > 0 ? (uint64_t)real : 0;
}
