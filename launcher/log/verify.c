/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as whoever reads the store. Trusts the key that it was given, OpenSSL and
 * SQLite; nothing that lies in the state directory.
 */
#include "verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/fdio.h"
#include "log_key.h"
#include "log_write.h"
#include "verify_internal.h"

/* ---- telling ------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 0))) static void
tell(struct verify *v, enum verify_kind kind, const char *where, const char *fmt, va_list ap)
{
	char what[512];

	vsnprintf(what, sizeof(what), fmt, ap);
	v->result.wrong += kind == VERIFY_WRONG ? 1 : 0;
	v->tell(v->arg, kind, where, what);
}

void
verify_wrong(struct verify *v, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(v, VERIFY_WRONG, where, fmt, ap);
	va_end(ap);
}

void
verify_note(struct verify *v, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(v, VERIFY_NOTE, where, fmt, ap);
	va_end(ap);
}

/* ---- the checkpoint ------------------------------------------------------------------------- */

static int
parse_checkpoint(const struct buf *text, struct checkpoint *ret, struct err *err)
{
	struct note note;

	return checkpoint_read(buf_text(text), text->len, &note, ret, err);
}

static int
read_latest(struct verify *v)
{
	auto_log_state state = NULL;
	int rc = log_state_open(v->store, false, &state, &v->latest_err);

	return rc == 0 ? log_state_latest(state, &v->latest, &v->latest_err) : rc;
}

/*
 * What was signed counts from then on, and not from when it is published: a crash comes between, or
 * somebody put an older checkpoint back.
 */
static void
take_unpublished(struct verify *v)
{
	struct checkpoint c;

	v->latest_rc = read_latest(v);
	v->at_rc = store_covered(v->store, &v->at, NULL);
	if (v->latest_rc == 0 && v->latest.size > v->checkpoint.size &&
	    parse_checkpoint(&v->latest.note, &c, NULL) == 0 && c.size == v->latest.size &&
	    strcmp(c.origin, v->checkpoint.origin) == 0) {
		verify_note(
			v, LOG_CHECKPOINT_FILE,
			"is over %llu entries; one over %llu was signed after it (" LOG_STATE_FILE
			"), and that is what counts",
			(unsigned long long)v->checkpoint.size, (unsigned long long)c.size);
		v->older = v->checkpoint;
		v->older_note = v->note;
		v->checkpoint = c;
		v->note = v->latest.note;
		v->latest.note = (struct buf)BUF_INIT;
	}
}

static int
open_log(struct verify *v, struct err *err)
{
	struct err why = ERR_INIT;
	int rc = log_dir_open(v->store, &v->log_fd, err);

	if (rc != 0) {
		return rc == -ENOENT ? err_set(err, rc, "%s has no log", v->store->path) : rc;
	}
	rc = fdio_slurp_file_at(v->store->dir_fd, LOG_CHECKPOINT_FILE, NOTE_MAX, &v->note);
	if (rc != 0) {
		return rc == -ENOENT
			     ? err_set(err, rc,
				       "%s/" LOG_CHECKPOINT_FILE " is missing: "
				       "nothing here is signed",
				       v->store->path)
			     : err_sys(err, rc, "read %s/" LOG_CHECKPOINT_FILE, v->store->path);
	}
	rc = parse_checkpoint(&v->note, &v->checkpoint, &why);
	if (rc == -EBADMSG) {
		verify_wrong(v, LOG_CHECKPOINT_FILE, "is no checkpoint: %s", why.text);
		return 0;
	}
	if (rc != 0) {
		return err_set(err, rc, "%s", why.text);
	}
	take_unpublished(v);
	v->result.entries = v->checkpoint.size;
	return buf_error(&v->note) != 0 ? err_sys(err, -ENOMEM, "read " LOG_STATE_FILE)
					: tiles_open(v->log_fd, v->checkpoint.size, &v->tiles, err);
}

/* The key that one leads to by the rotations in entries [from, to). */
static struct note_key
follow(const struct verify *v, const struct note_key *first, uint64_t from, uint64_t to)
{
	struct note_key key = *first;

	for (size_t i = 0; i < v->rotations; i++) {
		const struct verify_rotation *r = &v->rotation[i];

		if (r->n >= from && r->n < to && note_key_equal(&r->old, &key)) {
			key = r->next;
		}
	}
	return key;
}

static void
check_vkey_file(struct verify *v)
{
	auto_buf text = BUF_INIT;
	struct note_key there;

	if (fdio_slurp_file_at(v->store->dir_fd, LOG_VKEY_FILE, 4096, &text) != 0 ||
	    note_key_parse(buf_text(&text), &there, NULL) != 0) {
		verify_wrong(v, LOG_VKEY_FILE, "is missing, or no key");
	} else if (!note_key_equal(&there, &v->result.signer) &&
		   !note_key_equal(&there, &v->next_signer)) {
		verify_wrong(v, LOG_VKEY_FILE, "is not the key that signs this log");
	}
}

/* One signed checkpoint; key: who signs at its size. */
static int
check_note(struct verify *v, const struct buf *text, const struct checkpoint *c,
	   const struct note_key *key, const char *where, struct err *err)
{
	struct note note;
	int rc = note_parse(buf_text(text), text->len, &note, err);

	if (rc != 0) {
		return rc;
	}
	if (strcmp(c->origin, v->key->name) != 0) {
		verify_wrong(v, where, "is of the log %s, and the key of %s", c->origin,
			     v->key->name);
	}
	switch (note_check(&note, key, NULL)) {
	case 0:
		break;
	case -ENOENT:
		verify_wrong(v, where,
			     "is not signed by the key that was given, nor by one that it was "
			     "rotated to");
		break;
	default:
		verify_wrong(v, where, "the signature is wrong");
	}
	return 0;
}

int
verify_signature(struct verify *v, struct err *err)
{
	const bool is_published = v->older_note.len == 0;
	struct note_key before = follow(v, v->key, 0, v->older.size);
	int rc;

	v->result.signer = follow(v, v->key, 0, v->checkpoint.size);
	v->next_signer = follow(v, &v->result.signer, v->checkpoint.size, UINT64_MAX);
	rc = check_note(v, &v->note, &v->checkpoint, &v->result.signer,
			is_published ? LOG_CHECKPOINT_FILE : LOG_STATE_FILE, err);
	if (rc == 0 && !is_published) {
		rc = check_note(v, &v->older_note, &v->older, &before, LOG_CHECKPOINT_FILE, err);
	}
	if (rc == 0) {
		check_vkey_file(v);
	}
	return rc;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void
finish(struct verify *v)
{
	tiles_close_slot(&v->tiles);
	index_close(v->fresh);
	buf_finish(&v->note);
	buf_finish(&v->older_note);
	log_latest_finish(&v->latest);
	cleanup_fd(&v->log_fd);
	free(v->call);
	free(v->gc);
	free(v->rotation);
}

int
verify_store(struct store *s, const struct note_key *key, const struct trust *trust,
	     verify_tell_fn tell_fn, void *arg, struct verify_result *ret, struct err *err)
{
	static int (*const steps[])(struct verify *, struct err *) = {
		/* rotations stand in the journal, so that comes before the signature */
		verify_journal, verify_signature, verify_witnesses,
		verify_tiles,	verify_index,	  verify_objects,
	};
	__attribute__((cleanup(finish))) struct verify v = {
		.store = s,
		.key = key,
		.trust = trust,
		.tell = tell_fn,
		.arg = arg,
		.log_fd = -1,
		.note = BUF_INIT,
		.older_note = BUF_INIT,
		.latest = LOG_LATEST_INIT,
		.latest_err = ERR_INIT,
	};
	int rc = open_log(&v, err);

	for (size_t i = 0; i < ARRAY_LEN(steps) && rc == 0 && v.tiles != NULL; i++) {
		rc = steps[i](&v, err);
	}
	*ret = v.result;
	return rc;
}
