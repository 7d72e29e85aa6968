/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far others saw this log: cosignatures over this checkpoint and over earlier ones, each
 * compared with the tiles. Runs in airlock-cli. Nothing counts but a good signature of a witness of
 * the trust file.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "log_state.h"
#include "log_write.h"
#include "verify_internal.h"

/* How far one witness saw it: 0 when never. */
struct sight {
	uint64_t size, time;
};

/* The note over the first `size` entries as the tiles have them, with these signature lines. */
static int
make_note(struct verify *v, uint64_t size, const struct buf *lines, struct buf *out)
{
	struct checkpoint c = v->checkpoint;
	int rc;

	c.size = size;
	rc = merkle_root(tiles_read, v->tiles, size, c.root);
	if (rc == 0) {
		checkpoint_print(&c, out);
		buf_putc(out, '\n');
		buf_put(out, lines->data, lines->len);
		rc = buf_error(out);
	}
	return rc;
}

static void
look(const struct note_key *key, const char *text, size_t len, uint64_t size, struct sight *best)
{
	struct note note;
	uint64_t time = 0;

	if (note_parse(text, len, &note, NULL) == 0 && note_check(&note, key, &time) == 0 &&
	    size >= best->size) {
		*best = (struct sight){ .size = size, .time = time };
	}
}

/* What the witness said last: of the published checkpoint, or of an earlier one, in log.db. */
static int
see(struct verify *v, struct log_state *state, const struct note_key *key, struct sight *ret,
    struct err *err)
{
	auto_buf lines = BUF_INIT, text = BUF_INIT, vkey = BUF_INIT;
	uint64_t size = 0, time;
	int rc = 0;

	*ret = (struct sight){ .size = 0 };
	look(key, buf_text(&v->note), v->note.len, v->checkpoint.size, ret);
	note_key_print(key, &vkey);
	if (state != NULL && buf_error(&vkey) == 0) {
		rc = log_state_cosigned(state, buf_text(&vkey), &size, &time, err);
	}
	if (rc != 0 || size <= ret->size || size > v->checkpoint.size) {
		return rc;
	}
	rc = log_state_cosignatures(state, size, &lines, err);
	if (rc == 0) {
		rc = make_note(v, size, &lines, &text);
		if (rc == -EBADMSG) {
			return 0; /* told with the tiles */
		}
		rc = rc != 0 ? err_sys(err, rc, "read the tiles") : 0;
	}
	if (rc == 0) {
		look(key, buf_text(&text), text.len, size, ret);
	}
	return rc;
}

/* The greatest size that a quorum saw, each of them that or more. */
static uint64_t
agreed(const struct trust *t, const struct sight *sight, uint64_t *ret_time)
{
	uint64_t best = 0;

	for (size_t i = 0; i < t->witnesses; i++) {
		bool signed_by[TRUST_MAX] = { false };
		uint64_t time = 0;

		for (size_t k = 0; k < t->witnesses; k++) {
			signed_by[k] = sight[k].size > 0 && sight[k].size >= sight[i].size;
			time = signed_by[k] && sight[k].time > time ? sight[k].time : time;
		}
		if (sight[i].size > best && trust_is_met(t, signed_by)) {
			best = sight[i].size;
			*ret_time = time;
		}
	}
	return best;
}

static void
tell_agreed(struct verify *v)
{
	uint64_t seen = v->result.witnessed;
	time_t moment = (time_t)v->result.witnessed_at;
	char at[32] = "an unknown time";
	struct tm tm;

	if (seen == 0) {
		verify_wrong(v, LOG_CHECKPOINT_FILE,
			     "no quorum of the trust file's witnesses ever signed this log");
		return;
	}
	if (gmtime_r(&moment, &tm) != NULL) {
		strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
	}
	if (seen < v->checkpoint.size) {
		verify_note(v, LOG_CHECKPOINT_FILE,
			    "witnessed up to entry %llu, last at %s; the %llu entries since are "
			    "not witnessed",
			    (unsigned long long)(seen - 1), at,
			    (unsigned long long)(v->checkpoint.size - seen));
	} else {
		verify_note(v, LOG_CHECKPOINT_FILE, "all of it is witnessed, last at %s", at);
	}
}

int
verify_witnesses(struct verify *v, struct err *err)
{
	struct sight sight[TRUST_MAX];
	auto_log_state state = NULL;
	int rc = 0;

	if (v->trust != NULL && !trust_has_log(v->trust, v->key)) {
		verify_wrong(v, LOG_CHECKPOINT_FILE, "the trust file does not name this log's key");
	}
	if (v->trust == NULL || v->trust->quorum < 0) {
		verify_note(v, LOG_CHECKPOINT_FILE,
			    "no quorum of witnesses was asked for: whoever had the key could have "
			    "written all of this anew");
		return 0;
	}
	if (log_state_open(v->store, false, &state, NULL) != 0) {
		state = NULL; /* told with the tiles; the published lines still count */
	}
	for (size_t i = 0; i < v->trust->witnesses && rc == 0; i++) {
		rc = see(v, state, &v->trust->witness[i].key, &sight[i], err);
	}
	if (rc == 0) {
		v->result.witnessed = agreed(v->trust, sight, &v->result.witnessed_at);
		tell_agreed(v);
	}
	return rc;
}
