/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as whoever reads the store. Trusts the key that it was given, OpenSSL and
 * SQLite; nothing that lies in the state directory.
 */
#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/fdio.h"
#include "log_key.h"
#include "log_write.h"
#include "verify_internal.h"

/* ---- telling ------------------------------------------------------------------------------- */

static void
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

void *
verify_grow(void *array, size_t count, size_t *cap, size_t size)
{
	size_t want = *cap > 0 ? 2 * *cap : 64;
	void *grown;

	if (count < *cap) {
		return array;
	}
	grown = reallocarray(array, want, size);
	if (grown != NULL) {
		*cap = want;
	}
	return grown;
}

/* ---- the checkpoint ------------------------------------------------------------------------- */

static int
open_log(struct verify *v, struct err *err)
{
	struct note note;
	struct err why = ERR_INIT;
	int rc;

	v->log_fd =
		openat(v->store->dir_fd, LOG_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (v->log_fd < 0) {
		return errno == ENOENT ? err_set(err, -ENOENT, "%s has no log", v->store->path)
				       : err_sys(err, -errno, "%s/" LOG_DIR, v->store->path);
	}
	rc = fdio_slurp_at(v->store->dir_fd, LOG_CHECKPOINT_FILE, NOTE_MAX, &v->note);
	if (rc != 0) {
		return rc == -ENOENT
			     ? err_set(err, rc,
				       "%s/" LOG_CHECKPOINT_FILE " is missing: "
				       "nothing here is signed",
				       v->store->path)
			     : err_sys(err, rc, "read %s/" LOG_CHECKPOINT_FILE, v->store->path);
	}
	rc = note_parse(buf_text(&v->note), v->note.len, &note, &why);
	if (rc == 0) {
		rc = checkpoint_parse(note.text, note.text_len, &v->checkpoint, &why);
	}
	if (rc == -EBADMSG) {
		verify_wrong(v, LOG_CHECKPOINT_FILE, "is no checkpoint: %s", why.text);
		return 0;
	}
	v->result.entries = v->checkpoint.size;
	return rc != 0 ? err_set(err, rc, "%s", why.text)
		       : tiles_open(v->log_fd, v->checkpoint.size, &v->tiles, err);
}

/* The latest key that the given one leads to. */
static struct note_key
trusted_key(struct verify *v)
{
	struct note_key key = *v->key;

	for (size_t i = 0; i < v->rotations; i++) {
		const struct verify_rotation *r = &v->rotation[i];

		if (r->n < v->checkpoint.size && r->is_signed && note_key_equal(&r->old, &key)) {
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

	if (fdio_slurp_at(v->store->dir_fd, LOG_VKEY_FILE, 4096, &text) != 0 ||
	    note_key_parse(buf_text(&text), &there, NULL) != 0) {
		verify_wrong(v, LOG_VKEY_FILE, "is missing, or no key");
	} else if (!note_key_equal(&there, &v->result.signer)) {
		verify_wrong(v, LOG_VKEY_FILE, "is not the key that signs this log");
	}
}

int
verify_signature(struct verify *v, struct err *err)
{
	struct note note;
	int rc = note_parse(buf_text(&v->note), v->note.len, &note, err);

	if (rc != 0) {
		return rc;
	}
	v->result.signer = trusted_key(v);
	if (strcmp(v->checkpoint.origin, v->key->name) != 0) {
		verify_wrong(v, LOG_CHECKPOINT_FILE, "is of the log %s, and the key of %s",
			     v->checkpoint.origin, v->key->name);
	}
	switch (note_check(&note, &v->result.signer, NULL)) {
	case 0:
		break;
	case -ENOENT:
		verify_wrong(v, LOG_CHECKPOINT_FILE,
			     "is not signed by the key that was given, nor by one that it was "
			     "rotated to");
		break;
	default:
		verify_wrong(v, LOG_CHECKPOINT_FILE, "the signature is wrong");
	}
	check_vkey_file(v);
	return 0;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void
finish(struct verify *v)
{
	tiles_close_slot(&v->tiles);
	index_close(v->fresh);
	buf_finish(&v->note);
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
	};
	int rc = open_log(&v, err);

	for (size_t i = 0; i < ARRAY_LEN(steps) && rc == 0 && v.tiles != NULL; i++) {
		rc = steps[i](&v, err);
	}
	*ret = v.result;
	return rc;
}
