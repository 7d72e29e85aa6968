/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal against the entries of the log, and what its records say that the other steps need.
 * Runs in airlock-cli. The journal is read as airlock-log reads it, into an index of its own.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/grow.h"
#include "../base/text.h"
#include "../store/record.h"
#include "log_rotate.h"
#include "verify_internal.h"

#define SHOWN_MISSING 16u /* missing entries that are told one by one */

/* ---- which leaf is which --------------------------------------------------------------------- */

struct leaf {
	uint8_t hash[SHA256_SIZE];
	uint64_t n;
};

struct match {
	struct verify *v;
	struct leaf *by_hash; /* sorted; made when the first entry is not where it should be */
	uint64_t next;	      /* leaf that the next entry should be */
	uint64_t missing;
	struct err *err;
};

static int
by_hash(const void *a, const void *b)
{
	return memcmp(((const struct leaf *)a)->hash, ((const struct leaf *)b)->hash, SHA256_SIZE);
}

static int
sort_leaves(struct match *m)
{
	uint64_t size = m->v->checkpoint.size;

	if (m->by_hash != NULL) {
		return 0;
	}
	m->by_hash = calloc(size + 1, sizeof(*m->by_hash));
	if (m->by_hash == NULL) {
		return err_sys(m->err, -ENOMEM, "compare the log");
	}
	for (uint64_t n = 0; n < size; n++) {
		int rc = tiles_read(m->v->tiles, 0, n, m->by_hash[n].hash);

		/* what cannot be read is told with the tiles */
		if (rc != 0) {
			memset(m->by_hash[n].hash, 0, SHA256_SIZE);
		}
		m->by_hash[n].n = n;
	}
	qsort(m->by_hash, size, sizeof(*m->by_hash), by_hash);
	return 0;
}

/* Leaf `n` as the tiles have it, for a person. */
static void
describe(struct verify *v, uint64_t n, char *ret, size_t size)
{
	const uint8_t *entry;
	size_t len;

	if (tiles_entry(v->tiles, n, &entry, &len, NULL) != 0) {
		snprintf(ret, size, "unknown: its tile is damaged");
		return;
	}
	snprintf(ret, size, "%.*s", (int)(len < 250 ? len : 250), (const char *)entry);
}

static void
tell_missing(struct match *m, uint64_t to)
{
	for (; m->next < to; m->next++) {
		char what[256], where[64];

		if (m->missing++ >= SHOWN_MISSING) {
			continue;
		}
		snprintf(where, sizeof(where), "entry %llu", (unsigned long long)m->next);
		describe(m->v, m->next, what, sizeof(what));
		verify_wrong(m->v, where, "is signed, and the journal does not have it: %s", what);
	}
}

/* An entry that is not the next leaf: one of a later place, of an earlier one, or of none. */
static int
place_entry(struct match *m, const struct index_row *row, const uint8_t hash[SHA256_SIZE])
{
	struct leaf key = { .n = 0 };
	const struct leaf *found;
	char where[96];
	int rc = sort_leaves(m);

	if (rc != 0) {
		return rc;
	}
	memcpy(key.hash, hash, SHA256_SIZE);
	found = bsearch(&key, m->by_hash, m->v->checkpoint.size, sizeof(key), by_hash);
	snprintf(where, sizeof(where), "journal/%04u.log at byte %llu", row->pos.file,
		 (unsigned long long)row->pos.offset);
	if (found != NULL && found->n >= m->next) {
		tell_missing(m, found->n);
		m->next++;
	} else if (found != NULL) {
		verify_wrong(m->v, where,
			     "entry %llu stands here, behind entries that were signed after it",
			     (unsigned long long)found->n);
	} else if (m->next < m->v->checkpoint.size) {
		verify_wrong(m->v, where,
			     "an entry (%s of call %s) that was not signed: added, or changed",
			     entry_type_word(row->leaf.type), row->leaf.call);
	} else {
		m->v->result.unsigned_++;
	}
	return 0;
}

/*
 * The next leaf of the log is this one, by its hash or by its bytes: where those two differ, the
 * tiles are wrong, which is told with them, and not the journal.
 */
static bool
is_next(const struct match *m, const struct buf *leaf, const uint8_t hash[SHA256_SIZE])
{
	uint8_t want[SHA256_SIZE];
	const uint8_t *entry;
	size_t len;

	if (m->next >= m->v->checkpoint.size) {
		return false;
	}
	if (tiles_read(m->v->tiles, 0, m->next, want) == 0 &&
	    memcmp(hash, want, SHA256_SIZE) == 0) {
		return true;
	}
	return tiles_entry(m->v->tiles, m->next, &entry, &len, NULL) == 0 && len == leaf->len &&
	       memcmp(entry, leaf->data, len) == 0;
}

static int
match_entry(struct match *m, const struct index_row *row)
{
	uint8_t hash[SHA256_SIZE];
	auto_buf leaf = BUF_INIT;

	entry_leaf(row->leaf.type, row->leaf.call, row->leaf.digest, &leaf);
	if (buf_error(&leaf) != 0) {
		return err_sys(m->err, -ENOMEM, "compare the log");
	}
	merkle_leaf(leaf.data, leaf.len, hash);
	if (is_next(m, &leaf, hash)) {
		m->next++;
		return 0;
	}
	return place_entry(m, row, hash);
}

/* ---- what the records say -------------------------------------------------------------------- */

static const char *
text_of(const json_t *record, const char *name)
{
	const char *text = json_string_value(json_object_get(record, name));

	return text != NULL ? text : "";
}

static struct verify_call *
add_call(struct verify *v, const uint8_t id[16])
{
	struct verify_call *grown = grow_array(v->call, v->calls, &v->call_cap, sizeof(v->call[0]));

	if (grown == NULL) {
		return NULL;
	}
	v->call = grown;
	v->call[v->calls] = (struct verify_call){ .n = 0 };
	memcpy(v->call[v->calls].id, id, 16);
	return &v->call[v->calls++];
}

/*
 * The call of an entry. A call has one planned entry, which comes first; what comes later of it is
 * near, so the search is from the end.
 */
static struct verify_call *
call_of(struct verify *v, enum entry_type type, const uint8_t id[16])
{
	for (size_t i = type == ENTRY_PLANNED ? 0 : v->calls; i-- > 0;) {
		if (memcmp(v->call[i].id, id, 16) == 0) {
			return &v->call[i];
		}
	}
	return add_call(v, id);
}

static void
take_outcome(struct verify_call *c, const json_t *record)
{
	const json_t *objects = json_object_get(record, "objects");

	c->has_outcome = true;
	c->has_objects = objects != NULL;
	c->count = (uint64_t)json_number_value(json_object_get(objects, "count"));
	if (c->count > 0 && text_unhex(text_of(objects, "digest"), c->digest, SHA256_SIZE) != 0) {
		c->count = UINT64_MAX; /* matches nothing */
	}
}

static int
take_call(struct verify *v, const struct index_row *row, const json_t *record)
{
	struct verify_call *c;
	uint8_t id[16];

	if (text_uuid_parse(row->leaf.call, id) != 0) {
		return 0;
	}
	c = call_of(v, row->leaf.type, id);
	if (c == NULL) {
		return -ENOMEM;
	}
	if (row->record == NULL) {
		c->forgotten++;
		c->forgotten_n = row->leaf.n;
	}
	if (row->leaf.type == ENTRY_PLANNED) {
		const char *workflow =
			row->record == NULL ? row->forgotten : text_of(record, "workflow");

		c->n = row->leaf.n;
		c->has_workflow = text_uuid_parse(workflow, c->workflow) == 0;
	} else if (row->leaf.type == ENTRY_OUTCOME) {
		c->n = row->leaf.n;
		take_outcome(c, record);
	}
	return 0;
}

static int
take_gc(struct verify *v, const struct index_row *row, const json_t *record)
{
	struct verify_gc *grown = grow_array(v->gc, v->gcs, &v->gc_cap, sizeof(*grown));
	struct verify_gc gc = { .n = row->leaf.n };

	if (grown == NULL) {
		return -ENOMEM;
	}
	v->gc = grown;
	gc.entries = (uint64_t)json_number_value(json_object_get(record, "entries"));
	gc.is_forget = strcmp(text_of(record, "action"), "forget") == 0;
	if (text_uuid_parse(text_of(record, "workflow"), gc.workflow) == 0) {
		v->gc[v->gcs++] = gc;
	}
	return 0;
}

static int
take_rotation(struct verify *v, const struct index_row *row)
{
	struct verify_rotation *grown =
		grow_array(v->rotation, v->rotations, &v->rotation_cap, sizeof(*grown));
	struct verify_rotation r = { .n = row->leaf.n };
	char where[64];
	int rc;

	if (grown == NULL) {
		return -ENOMEM;
	}
	v->rotation = grown;
	rc = log_rotate_read(row->record, row->record_len, &r.old, &r.next);
	if (rc == -ENOMEM) {
		return rc;
	}
	if (rc != 0) {
		snprintf(where, sizeof(where), "entry %llu", (unsigned long long)r.n);
		verify_wrong(v, where, "the rotation of the key is not signed by both keys");
		return 0;
	}
	v->rotation[v->rotations++] = r;
	return 0;
}

/* A call that was about to begin when the log was closed can be behind that; others are not. */
static void
tell_late(struct verify *v, const struct index_row *row)
{
	char where[64];

	if (row->leaf.type == ENTRY_LOG_CLOSE || row->leaf.type == ENTRY_LOG_OPEN) {
		v->is_closed = row->leaf.type == ENTRY_LOG_CLOSE;
	} else if (v->is_closed && row->leaf.type == ENTRY_PLANNED) {
		snprintf(where, sizeof(where), "entry %llu", (unsigned long long)row->leaf.n);
		verify_note(v, where, "a call began behind the entry that closed the log");
	}
}

static int
take_record(struct verify *v, const struct index_row *row)
{
	json_t *record = row->record != NULL ? record_parse(row->record, row->record_len) : NULL;
	int rc = 0;

	tell_late(v, row);
	if (entry_type_is_of_call(row->leaf.type)) {
		v->result.calls += row->leaf.type == ENTRY_PLANNED ? 1 : 0;
		v->result.forgotten += row->record == NULL ? 1 : 0;
		rc = take_call(v, row, record);
	} else if (row->leaf.type == ENTRY_GC) {
		rc = take_gc(v, row, record);
	} else if (row->leaf.type == ENTRY_KEY_ROTATE) {
		rc = take_rotation(v, row);
	}
	json_decref(record);
	return rc;
}

/* ---- the walk ------------------------------------------------------------------------------ */

static int
on_row(void *arg, const struct index_row *row)
{
	struct match *m = arg;
	int rc = match_entry(m, row);

	if (rc == 0) {
		rc = take_record(m->v, row);
		rc = rc != 0 ? err_sys(m->err, rc, "read the records") : 0;
	}
	return rc;
}

static int
on_damaged(void *arg, struct journal_pos pos, const char *why)
{
	char where[96];

	snprintf(where, sizeof(where), "journal/%04u.log at byte %llu", pos.file,
		 (unsigned long long)pos.offset);
	verify_wrong(arg, where, "%s", why);
	return 0;
}

int
verify_journal(struct verify *v, struct err *err)
{
	struct match m = { .v = v, .err = err };
	int rc = index_open_fresh(v->store, &v->fresh, err);

	if (rc == 0) {
		rc = index_damaged(v->fresh, on_damaged, v, err);
	}
	if (rc == 0) {
		rc = index_rows(v->fresh, on_row, &m, err);
	}
	if (rc == 0) {
		tell_missing(&m, v->checkpoint.size);
		if (m.missing > SHOWN_MISSING) {
			verify_wrong(v, "journal", "lacks %llu signed entries in all",
				     (unsigned long long)m.missing);
		}
		if (v->result.unsigned_ > 0) {
			verify_note(v, "journal", "%llu entries behind the last checkpoint",
				    (unsigned long long)v->result.unsigned_);
		}
	}
	free(m.by_hash);
	return rc;
}
