/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of one call. Runs in airlock-cli as the caller. Their shape was checked when they
 * were taken in (store/index_entry.c), their strings are anybody's.
 */
#include "view_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../store/record.h"

static int
add_later(const char *bytes, size_t len, struct buf *all, json_t *list)
{
	json_t *record = record_parse(bytes, len);

	buf_puts(all, all->len > 0 ? "," : "");
	buf_put(all, bytes, len);
	if (record == NULL) {
		return -EBADMSG;
	}
	/* takes the record over, also when it fails */
	return json_array_append_new(list, record) == 0 && buf_error(all) == 0 ? 0 : -ENOMEM;
}

static int
add_settle(void *arg, const struct index_settle *settle)
{
	struct record *rec = arg;

	return add_later(settle->record, settle->record_len, &rec->settles_text, rec->settles);
}

static int
add_resolve(void *arg, const struct index_resolve *resolve)
{
	struct record *rec = arg;

	return add_later(resolve->record, resolve->record_len, &rec->resolves_text, rec->resolves);
}

static int
add_lost(void *arg, const struct index_entry *entry)
{
	struct record *rec = arg;

	if (entry->type != ENTRY_LOST || entry->record == NULL || rec->lost != NULL) {
		return 0;
	}
	buf_put(&rec->lost_text, entry->record, entry->record_len);
	rec->lost = record_parse(entry->record, entry->record_len);
	return rec->lost == NULL ? -EBADMSG : buf_error(&rec->lost_text);
}

/* What was said of it after its two records. */
static int
load_later(struct reading *r, struct record *rec, struct err *err)
{
	int rc;

	rec->settles = json_array();
	rec->resolves = json_array();
	rc = rec->settles == NULL || rec->resolves == NULL
		   ? -ENOMEM
		   : index_settles(r->ix, rec->id, add_settle, rec, err);
	rc = rc == 0 ? index_resolves(r->ix, rec->id, add_resolve, rec, err) : rc;
	rc = rc == 0 ? index_entries(r->ix, rec->id, add_lost, rec, err) : rc;
	return rc == 0 || (err != NULL && err->code == rc)
		     ? rc
		     : err_sys(err, rc, "%s: read what was done about it", rec->id);
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
		rc = load_later(r, &rec, err);
	}
	if (rc == 0) {
		rec.planned = record_parse(rec.planned_text.data, rec.planned_text.len);
		rec.outcome = rec.outcome_text.len > 0
				    ? record_parse(rec.outcome_text.data, rec.outcome_text.len)
				    : NULL;
		if (rec.planned == NULL || (rec.outcome_text.len > 0 && rec.outcome == NULL) ||
		    text_uuid_parse(record_text(rec.planned, "workflow"), rec.workflow) != 0) {
			rc = err_set(err, -EBADMSG, "%s: the index holds no whole record", rec.id);
		}
	}
	if (rc != 0) {
		record_finish(&rec);
		return rc;
	}
	rec.is_running = rec.outcome == NULL && reading_is_running(r, rec.id);
	rec.is_frozen = rec.is_running && reading_is_frozen(r, rec.id);
	*ret = rec;
	return 0;
}

const char *
record_principal(const json_t *planned)
{
	const char *text = record_text(planned, "context.principal");

	return text[0] != '\0' ? text : record_text(planned, "context.principal.id");
}

void
record_finish(struct record *rec)
{
	buf_finish(&rec->planned_text);
	buf_finish(&rec->outcome_text);
	json_decref(rec->planned);
	json_decref(rec->outcome);
	buf_finish(&rec->settles_text);
	json_decref(rec->settles);
	buf_finish(&rec->resolves_text);
	json_decref(rec->resolves);
	buf_finish(&rec->lost_text);
	json_decref(rec->lost);
	rec->planned = rec->outcome = rec->settles = rec->resolves = rec->lost = NULL;
}

static int
take_leaf(void *arg, const struct index_entry *entry)
{
	struct record *rec = arg;
	struct record_leaf *leaf = entry->type == ENTRY_PLANNED ? &rec->planned_leaf
				 : entry->type == ENTRY_OUTCOME ? &rec->outcome_leaf
								: NULL;

	if (leaf != NULL) {
		leaf->is_there = true;
		leaf->n = entry->n;
		memcpy(leaf->digest, entry->digest, sizeof(leaf->digest));
	}
	return 0;
}

int
record_leaves(struct reading *r, struct record *rec, struct err *err)
{
	return index_entries(r->ix, rec->id, take_leaf, rec, err);
}

const char *
record_verdict(const struct record *rec)
{
	return rec->outcome != NULL ? record_text(rec->outcome, "verdict") : "unknown";
}

const char *
record_answer(const struct record *rec)
{
	size_t count = json_array_size(rec->resolves);

	return count > 0 ? record_text(json_array_get(rec->resolves, count - 1), "answer") : "";
}

const char *
record_settled(const struct record *rec)
{
	size_t count = json_array_size(rec->settles);

	return count > 0 ? record_text(json_array_get(rec->settles, count - 1), "settled")
			 : record_text(rec->outcome, "settled");
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

void
record_command(struct buf *b, const struct record *rec)
{
	const json_t *argv = json_object_get(rec->planned, "argv");

	for (size_t i = 0; i < json_array_size(argv); i++) {
		const char *argument = json_string_value(json_array_get(argv, i));

		buf_puts(b, i > 0 ? " " : "");
		index_spell_argument(b, argument != NULL ? argument : "?");
	}
}

const char *
record_program(const struct record *rec)
{
	const char *tool = record_text(rec->planned, "tool"), *slash = strrchr(tool, '/');

	return slash != NULL ? slash + 1 : tool;
}

int
record_put_json(json_t *value, struct buf *out)
{
	auto_free char *text =
		value != NULL ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	json_decref(value);
	if (text == NULL) {
		return -ENOMEM;
	}
	buf_puts(out, text);
	return buf_error(out);
}
