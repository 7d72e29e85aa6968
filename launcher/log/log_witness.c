/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-log as the caller. The trust file is the admin's; what a witness answers is from
 * whoever listens there, and counts when its signature is good.
 */
#include "log_witness.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/json.h"
#include "../evidence/note_text.h"
#include "../evidence/tiles.h"
#include "../evidence/trust.h"
#include "log_ask.h"
#include "log_key.h"
#include "log_state.h"
#include "log_write.h"

/* What the journal says of a witness: its last entry. */
enum known { UNKNOWN, REMOVED, SILENT, ANSWERS };

struct witness {
	const struct trust_key *trust; /* NULL: not in the file any more */
	char name[NOTE_KEY_NAME_MAX + 1];
	char vkey[3 * NOTE_KEY_NAME_MAX];
	char url[TRUST_URL_MAX];
	enum known known;
};

struct witnesses {
	struct index *ix; /* borrowed */
	struct store *store;
	const char *program;
	struct trust *trust; /* owned */
	struct log_state *state;
	struct log_latest latest;
	int log_fd;
	struct witness all[2 * TRUST_MAX];
	size_t count;
	bool logged;
	bool is_closed; /* no entry is added any more */
	struct err *err;
};

static void
finish(struct witnesses *w)
{
	free(w->trust);
	log_state_close(&w->state);
	log_latest_finish(&w->latest);
	cleanup_fd(&w->log_fd);
}

/* ---- who there is -------------------------------------------------------------------------- */

static struct witness *
witness_of(struct witnesses *w, const char *vkey)
{
	for (size_t i = 0; i < w->count; i++) {
		if (strcmp(w->all[i].vkey, vkey) == 0) {
			return &w->all[i];
		}
	}
	if (w->count == ARRAY_LEN(w->all) || strlen(vkey) >= sizeof(w->all[0].vkey)) {
		return NULL; /* of entries of long ago */
	}
	w->all[w->count] = (struct witness){ .known = UNKNOWN };
	snprintf(w->all[w->count].vkey, sizeof(w->all[0].vkey), "%s", vkey);
	return &w->all[w->count++];
}

static int
take_event(void *arg, const struct index_event *event)
{
	json_t *record = json_loadb(event->record, event->record_len, 0, NULL);
	const char *vkey = json_string_value(json_object_get(record, "vkey"));
	const char *name = json_string_value(json_object_get(record, "name"));
	struct witness *wit = vkey != NULL ? witness_of(arg, vkey) : NULL;

	if (wit != NULL && name != NULL) {
		snprintf(wit->name, sizeof(wit->name), "%s", name);
		wit->known = strcmp(event->action, "removed") == 0 ? REMOVED
			   : strcmp(event->action, "silent") == 0  ? SILENT
								   : ANSWERS;
	}
	json_decref(record);
	return 0;
}

static int
load(struct witnesses *w)
{
	auto_buf text = BUF_INIT;
	int rc = fdio_slurp_at(w->store->dir_fd, LOG_POLICY_FILE, 1u << 20, &text);

	if (rc == 0 || rc == -ENOENT) {
		w->trust = calloc(1, sizeof(*w->trust));
		rc = w->trust == NULL ? -ENOMEM : 0;
	}
	if (rc != 0) {
		return err_sys(w->err, rc, "read %s/" LOG_POLICY_FILE, w->store->path);
	}
	if (text.len > 0) {
		rc = trust_parse(LOG_POLICY_FILE, buf_text(&text), text.len, w->trust, w->err);
	}
	if (rc == 0) {
		rc = index_events(w->ix, entry_type_word(ENTRY_WITNESS), take_event, w, w->err);
	}
	for (size_t i = 0; rc == 0 && i < w->trust->witnesses; i++) {
		const struct trust_key *t = &w->trust->witness[i];
		auto_buf vkey = BUF_INIT;
		struct witness *wit;

		note_key_print(&t->key, &vkey);
		wit = buf_error(&vkey) == 0 && t->url[0] != '\0' ? witness_of(w, buf_text(&vkey))
								 : NULL;
		if (wit != NULL) {
			wit->trust = t;
			snprintf(wit->name, sizeof(wit->name), "%s", t->name);
			snprintf(wit->url, sizeof(wit->url), "%s", t->url);
		}
	}
	return rc;
}

/*
 * ---- what is said of one in the journal --------------------------------------------------------
 */

static int
log_action(struct witnesses *w, const struct witness *wit, const char *action)
{
	auto_buf record = BUF_INIT;
	struct json j;
	int rc;

	if (w->is_closed) {
		return 0;
	}
	json_init(&j, &record);
	json_begin_object(&j);
	json_kv_str(&j, "action", action);
	json_kv_bytes(&j, "name", wit->name);
	json_kv_uint(&j, "size", w->latest.size);
	json_kv_uint(&j, "t", clock_realtime_ms());
	json_kv_bytes(&j, "url", wit->url[0] != '\0' ? wit->url : NULL);
	json_kv_uint(&j, "v", 1);
	json_kv_str(&j, "vkey", wit->vkey);
	json_end(&j);
	rc = json_error(&j);
	if (rc != 0) {
		return err_sys(w->err, rc, "note what a witness does");
	}
	rc = store_append_event_to(w->store->path, ENTRY_WITNESS, record.data, record.len, w->err);
	w->logged = w->logged || rc == 0;
	return rc;
}

/* ---- asking -------------------------------------------------------------------------------- */

static int
write_request(struct witnesses *w, uint64_t old, struct buf *out)
{
	struct merkle_proof proof = { .count = 0 };
	auto_tiles tiles = NULL;
	int rc = tiles_open(w->log_fd, w->latest.size, &tiles, w->err);

	if (rc == 0) {
		rc = merkle_prove_consistency(tiles_read, tiles, old, w->latest.size, &proof);
	}
	buf_printf(out, "old %llu\n", (unsigned long long)old);
	note_put_proof(&proof, out);
	buf_put(out, w->latest.note.data, w->latest.note.len);
	if (rc == 0 && buf_error(out) != 0) {
		rc = err_sys(w->err, -ENOMEM, "ask a witness");
	}
	return rc;
}

/* Of what came back the one line that is the witness's: the rest would stand in the checkpoint. */
static int
keep_cosignature(struct witnesses *w, const struct witness *wit, const struct buf *lines)
{
	auto_buf text = BUF_INIT, line = BUF_INIT;
	struct note note;
	uint64_t time = 0;
	int rc;

	buf_put(&text, w->latest.note.data, w->latest.note.len);
	buf_put(&text, lines->data, lines->len);
	if (buf_error(&text) != 0) {
		return err_sys(w->err, -ENOMEM, "read what a witness says");
	}
	rc = note_parse(buf_text(&text), text.len, &note, NULL);
	rc = rc == 0 ? note_pick(&note, &wit->trust->key, &time, &line) : rc;
	if (rc != 0) {
		return rc == -ENOMEM ? err_sys(w->err, rc, "read what a witness says") : -EPROTO;
	}
	return log_state_put_cosignature(w->state, w->latest.size, wit->vkey, time, buf_text(&line),
					 w->err);
}

/* It has another size than we think: older, when an answer of its was lost; or newer. */
static int
take_size(struct witnesses *w, const struct witness *wit, const struct buf *answer, uint64_t *ret)
{
	uint64_t size = 0;
	const char *end = text_numbers(buf_text(answer), ' ', &size, 1);

	if (end == NULL || (*end != '\n' && *end != '\0')) {
		return -EPROTO;
	}
	if (size > w->latest.size) {
		return err_set(w->err, -ESTALE,
			       "the witness %s has seen %llu entries of this log, which has %llu "
			       "now: a restored backup",
			       wit->name, (unsigned long long)size,
			       (unsigned long long)w->latest.size);
	}
	if (size == *ret) {
		return err_set(w->err, -EBADMSG,
			       "the witness %s has seen other entries of this log: it was "
			       "rewritten",
			       wit->name);
	}
	*ret = size;
	return 0;
}

/* 0; -EPROTO: it did not answer, or nothing that counts. */
static int
ask(struct witnesses *w, const struct witness *wit)
{
	uint64_t old = 0, time;
	int rc = log_state_cosigned(w->state, wit->vkey, &old, &time, w->err);

	if (rc != 0 || old == w->latest.size) {
		return rc;
	}
	for (int tries = 0; rc == 0 && tries < 2; tries++) {
		auto_buf request = BUF_INIT, answer = BUF_INIT;

		rc = write_request(w, old, &request);
		if (rc == 0) {
			rc = log_ask(w->program, wit->url, &request, &answer);
		}
		if (rc == 0) {
			return keep_cosignature(w, wit, &answer);
		}
		if (rc == -EAGAIN) {
			rc = take_size(w, wit, &answer, &old);
		}
	}
	return rc == 0 ? -EPROTO : rc;
}

static int
visit(struct witnesses *w, struct witness *wit)
{
	int rc = 0;

	if (wit->trust == NULL) {
		return wit->known == REMOVED || wit->known == UNKNOWN
			     ? 0
			     : log_action(w, wit, "removed");
	}
	if (wit->known == UNKNOWN || wit->known == REMOVED) {
		rc = log_action(w, wit, "added");
		wit->known = ANSWERS;
	}
	if (rc == 0) {
		rc = ask(w, wit);
	}
	if (rc == -EPROTO) {
		return wit->known == SILENT ? 0 : log_action(w, wit, "silent");
	}
	return rc == 0 && wit->known == SILENT ? log_action(w, wit, "answers") : rc;
}

/* One that says that the log was put back does not keep the others from signing. */
static int
visit_all(struct witnesses *w)
{
	struct err first = ERR_INIT;
	int rc = 0;

	for (size_t i = 0; i < w->count; i++) {
		rc = visit(w, &w->all[i]);
		if (rc == -ESTALE || rc == -EBADMSG) {
			first = first.code == 0 ? *w->err : first;
		} else if (rc != 0) {
			return rc;
		}
	}
	rc = log_publish(w->store, w->state, &w->latest, w->err);
	if (rc == 0 && first.code != 0) {
		*w->err = first;
		rc = first.code;
	}
	return rc;
}

int
log_witness(struct index *ix, struct store *s, const char *program, bool *ret_logged,
	    struct err *err)
{
	__attribute__((cleanup(finish))) struct witnesses w = { .ix = ix,
								.store = s,
								.program = program,
								.latest = LOG_LATEST_INIT,
								.log_fd = -1,
								.err = err };
	struct journal_pos covered = { 0, 0 };
	int rc = load(&w);

	*ret_logged = false;
	if (rc != 0 || w.count == 0) {
		return rc;
	}
	w.is_closed = store_covered(s, &covered, NULL) == 0 && covered.file == COVERED_CLOSED;
	rc = log_state_open(s, true, &w.state, err);
	if (rc == 0) {
		rc = log_state_latest(w.state, &w.latest, err);
	}
	if (rc == 0) {
		rc = log_dir_open(s, &w.log_fd, err);
	}
	if (rc == 0) {
		rc = visit_all(&w);
	}
	*ret_logged = w.logged;
	return rc;
}
