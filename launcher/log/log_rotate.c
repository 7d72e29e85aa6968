/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli and airlock-log, as the caller. The order: the next key is durable beside the
 * old one; the entry is durable in the journal: from here on it is done; log.db names the new key;
 * the file takes the old one's place.
 */
#include "log_rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "log_key.h"

/* ---- the entry ----------------------------------------------------------------------------- */

static int
write_record(const struct note_signer *old, const struct note_signer *next, struct buf *out,
	     struct err *err)
{
	auto_buf text = BUF_INIT, old_vkey = BUF_INIT, next_vkey = BUF_INIT;
	uint8_t by_old[64], by_next[64];
	struct json j;
	int rc;

	log_key_rotation_text(&old->key, &next->key, &text);
	note_key_print(&old->key, &old_vkey);
	note_key_print(&next->key, &next_vkey);
	if (buf_error(&text) != 0 || buf_error(&old_vkey) != 0 || buf_error(&next_vkey) != 0) {
		return err_sys(err, -ENOMEM, "rotate the log's key");
	}
	rc = note_sign_raw(old, text.data, text.len, by_old, err);
	if (rc == 0) {
		rc = note_sign_raw(next, text.data, text.len, by_next, err);
	}
	if (rc != 0) {
		return rc;
	}
	json_init(&j, out);
	json_begin_object(&j);
	json_key(&j, "actor");
	store_put_actor(&j);
	json_kv_str(&j, "new", buf_text(&next_vkey));
	json_kv_str(&j, "old", buf_text(&old_vkey));
	json_kv_str(&j, "origin", old->key.name);
	json_key(&j, "signatures");
	json_begin_array(&j);
	json_base64(&j, by_old, sizeof(by_old));
	json_base64(&j, by_next, sizeof(by_next));
	json_end(&j);
	json_kv_uint(&j, "t", clock_realtime_ms());
	json_kv_uint(&j, "v", 1);
	json_end(&j);
	rc = json_error(&j);
	return rc != 0 ? err_sys(err, rc, "rotate the log's key") : 0;
}

static bool
signed_by(const struct note_key *key, const struct buf *text, const json_t *signature)
{
	auto_buf raw = BUF_INIT;

	return json_is_string(signature) &&
	       text_unbase64(json_string_value(signature), &raw) == 0 && raw.len == 64 &&
	       note_check_raw(key, text->data, text->len, raw.data) == 0;
}

static int
key_of(const json_t *record, const char *member, struct note_key *ret)
{
	const char *text = json_string_value(json_object_get(record, member));

	return text != NULL && note_key_parse(text, ret, NULL) == 0 ? 0 : -EBADMSG;
}

int
log_rotate_read(const char *record, size_t len, struct note_key *ret_old, struct note_key *ret_next)
{
	json_t *r = json_loadb(record, len, 0, NULL);
	const json_t *signatures = json_object_get(r, "signatures");
	struct note_key old, next;
	auto_buf text = BUF_INIT;
	int rc = key_of(r, "old", &old);

	rc = rc == 0 ? key_of(r, "new", &next) : rc;
	if (rc == 0) {
		log_key_rotation_text(&old, &next, &text);
		rc = buf_error(&text);
	}
	if (rc == 0 && (strcmp(old.name, next.name) != 0 ||
			!signed_by(&old, &text, json_array_get(signatures, 0)) ||
			!signed_by(&next, &text, json_array_get(signatures, 1)))) {
		rc = -EBADMSG;
	}
	json_decref(r);
	if (rc == 0) {
		*ret_old = old;
		*ret_next = next;
	}
	return rc;
}

/* The key that the journal's rotations lead to; one that it did not sign leads nowhere. */
static int
follow(void *arg, const struct index_event *event)
{
	struct note_key *key = arg, old, next;
	int rc = log_rotate_read(event->record, event->record_len, &old, &next);

	if (rc == 0 && note_key_equal(&old, key)) {
		*key = next;
	}
	return rc == -ENOMEM ? rc : 0;
}

/* ---- the steps ----------------------------------------------------------------------------- */

/* log.db names the key that signs from here on. */
static int
swap_key(struct log_state *state, const struct note_key *key, struct err *err)
{
	auto_log_latest latest = LOG_LATEST_INIT;
	struct log_latest next;
	int rc = log_state_latest(state, &latest, err);

	if (rc != 0 || note_key_equal(&latest.key, key)) {
		return rc;
	}
	next = latest; /* shares the note */
	next.key = *key;
	return log_state_swap(state, &latest, &next, err);
}

/* The file takes the old one's place. */
static int
move_key(const struct store *s, struct err *err)
{
	if (renameat(s->dir_fd, LOG_KEY_NEXT_FILE, s->dir_fd, LOG_KEY_FILE) < 0 ||
	    fsync(s->dir_fd) < 0) {
		return err_sys(err, -errno, "put the new key in the place of %s/" LOG_KEY_FILE,
			       s->path);
	}
	return 0;
}

/* The file of the next key, when there is one, takes its place or goes; key: who signs now. */
static int
settle_next(const struct store *s, const struct note_key *key, struct err *err)
{
	auto_note_signer next = { .key.algorithm = 0 };
	int rc;

	if (faccessat(s->dir_fd, LOG_KEY_NEXT_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		return errno == ENOENT ? 0 : err_sys(err, -errno, "%s/" LOG_KEY_NEXT_FILE, s->path);
	}
	rc = log_key_read(s->dir_fd, LOG_KEY_NEXT_FILE, NOTE_ALGORITHM_ED25519, &next, err);
	if (rc != 0) {
		return rc;
	}
	if (key != NULL && note_key_equal(key, &next.key)) {
		return move_key(s, err);
	}
	return unlinkat(s->dir_fd, LOG_KEY_NEXT_FILE, 0) < 0
		     ? err_sys(err, -errno, "remove %s/" LOG_KEY_NEXT_FILE, s->path)
		     : 0;
}

int
log_rotate_recover(struct index *ix, const struct store *s, struct log_state *state,
		   struct err *err)
{
	auto_log_latest latest = LOG_LATEST_INIT;
	struct err none = ERR_INIT;
	struct note_key key;
	int rc = log_state_latest(state, &latest, &none);

	if (rc == -ENODATA) {
		return settle_next(s, NULL, err); /* no key yet: nothing was rotated */
	}
	if (rc != 0) {
		return err_set(err, rc, "%s", none.text);
	}
	key = latest.key;
	rc = index_events(ix, entry_type_word(ENTRY_KEY_ROTATE), follow, &key, err);
	if (rc == 0) {
		rc = swap_key(state, &key, err);
	}
	return rc == 0 ? settle_next(s, &key, err) : rc;
}

/* The next key: from the file, or made and durable beside the old one. */
static int
take_next(const struct store *s, const struct note_signer *old, const char *next_path,
	  struct note_signer *ret, struct err *err)
{
	int rc;

	if (next_path != NULL) {
		rc = log_key_read(AT_FDCWD, next_path, NOTE_ALGORITHM_ED25519, ret, err);
	} else {
		rc = note_signer_generate(old->key.name, NOTE_ALGORITHM_ED25519, ret, err);
		rc = rc == 0 ? log_key_write(s, LOG_KEY_NEXT_FILE, ret, err) : rc;
	}
	if (rc == 0 && strcmp(ret->key.name, old->key.name) != 0) {
		rc = err_set(err, -EINVAL,
			     "the new key is named %s, and the log is %s: a key of another name "
			     "would begin another log",
			     ret->key.name, old->key.name);
	}
	if (rc == 0 && note_key_equal(&ret->key, &old->key)) {
		rc = err_set(err, -EINVAL, "the new key is the old one");
	}
	return rc;
}

int
log_rotate(struct index *ix, struct store *s, const char *credentials, const char *next_path,
	   struct note_key *ret, struct err *err)
{
	auto_note_signer old = { .key.algorithm = 0 }, next = { .key.algorithm = 0 };
	auto_log_state state = NULL;
	auto_free char *path = NULL;
	auto_buf record = BUF_INIT;
	uint64_t entries;
	int rc = log_state_open(s, true, &state, err);

	if (rc == 0) {
		rc = log_key_load(s, credentials, &old, &path, err);
	}
	if (rc == 0 && next_path == NULL && !log_key_is_file(s, path)) {
		rc = err_set(err, -EINVAL,
			     "the log's key is the credential %s: make the next one, name it with "
			     "--next FILE, and put it into the credential afterwards",
			     path);
	}
	if (rc == 0) {
		rc = take_next(s, &old, next_path, &next, err);
	}
	if (rc == 0) {
		rc = write_record(&old, &next, &record, err);
	}
	if (rc == 0) {
		rc = store_append_event_to(s->path, ENTRY_KEY_ROTATE, record.data, record.len, err);
	}
	if (rc == 0) {
		rc = index_ingest(ix, s, &entries, err);
	}
	if (rc == 0) {
		rc = swap_key(state, &next.key, err);
	}
	if (rc == 0 && next_path == NULL) {
		rc = move_key(s, err);
	}
	if (rc == 0) {
		*ret = next.key;
	}
	return rc;
}
