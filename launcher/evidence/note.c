/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-log, airlock-cli and airlock-witness. A note is from anybody until a key that was
 * known before signed it: nothing of its text may be used ahead of note_check. Signatures of keys
 * that nobody asked for are ignored, also when they are wrong.
 */
#include "note.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "../base/text.h"
#include "note_internal.h"
#include "note_text.h"

#define DASH "\xe2\x80\x94 " /* em dash, space */
#define SIGNATURE_SIZE 64u
#define TIME_SIZE 8u

/* ---- bytes -------------------------------------------------------------------------------- */

int
note_sign_raw(const struct note_signer *s, const void *data, size_t len, uint8_t ret_sig[64],
	      struct err *err)
{
	EVP_PKEY *pkey =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, s->seed, sizeof(s->seed));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t size = SIGNATURE_SIZE;
	bool ok = pkey != NULL && ctx != NULL &&
		  EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		  EVP_DigestSign(ctx, ret_sig, &size, data, len) == 1 && size == SIGNATURE_SIZE;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok ? 0 : err_set(err, -EIO, "OpenSSL could not sign with the key %s", s->key.name);
}

int
note_check_raw(const struct note_key *key, const void *data, size_t len, const uint8_t sig[64])
{
	EVP_PKEY *pkey =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->pub, sizeof(key->pub));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = pkey != NULL && ctx != NULL &&
		  EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		  EVP_DigestVerify(ctx, sig, SIGNATURE_SIZE, data, len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok ? 0 : -EBADMSG;
}

/* ---- making notes ------------------------------------------------------------------------- */

/* UTF-8 without control characters but newlines: of a text and of a whole note. */
static bool
is_text(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;

	for (size_t i = 0; i < len;) {
		size_t n = text_utf8(p + i, len - i, NULL);

		if (n == 0 || (p[i] < ' ' && p[i] != '\n')) {
			return false;
		}
		i += n;
	}
	return true;
}

static int
check_text(const char *text, size_t len, struct err *err)
{
	if (len == 0 || text[len - 1] != '\n' || !is_text(text, len)) {
		return err_set(
			err, -EINVAL,
			"a note is lines of UTF-8 without control characters, the last one ended");
	}
	return 0;
}

static void
put_line(const struct note_key *key, const uint8_t *data, size_t len, struct buf *out)
{
	uint8_t bytes[sizeof(key->id) + TIME_SIZE + SIGNATURE_SIZE];

	memcpy(bytes, key->id, sizeof(key->id));
	memcpy(bytes + sizeof(key->id), data, len);
	buf_printf(out, DASH "%s ", key->name);
	text_base64(out, bytes, sizeof(key->id) + len);
	buf_putc(out, '\n');
}

int
note_sign(const struct note_signer *s, const char *text, size_t len, struct buf *out,
	  struct err *err)
{
	uint8_t sig[SIGNATURE_SIZE];
	int r = check_text(text, len, err);

	if (r == 0 && s->key.algorithm != NOTE_ALGORITHM_ED25519) {
		r = err_set(err, -EINVAL, "the key %s is a witness's: it signs no log",
			    s->key.name);
	}
	if (r == 0) {
		r = note_sign_raw(s, text, len, sig, err);
	}
	if (r < 0) {
		return r;
	}
	buf_put(out, text, len);
	buf_putc(out, '\n');
	put_line(&s->key, sig, sizeof(sig), out);
	return buf_error(out) < 0 ? err_sys(err, -ENOMEM, "signing a note") : 0;
}

static void
cosigned_message(uint64_t time, const char *text, size_t len, struct buf *out)
{
	buf_printf(out, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
	buf_put(out, text, len);
}

int
note_cosign(const struct note_signer *s, const char *text, size_t len, uint64_t time,
	    struct buf *out, struct err *err)
{
	uint8_t data[TIME_SIZE + SIGNATURE_SIZE];
	auto_buf message = BUF_INIT;
	int r = check_text(text, len, err);

	if (r == 0 && s->key.algorithm != NOTE_ALGORITHM_COSIGNATURE) {
		r = err_set(err, -EINVAL, "the key %s is a log's: it cosigns nothing", s->key.name);
	}
	if (r == 0 && time > INT64_MAX) {
		r = err_set(err, -EINVAL, "the time of a cosignature is before 2^63");
	}
	if (r < 0) {
		return r;
	}
	cosigned_message(time, text, len, &message);
	if (buf_error(&message) < 0) {
		return err_sys(err, -ENOMEM, "signing a note");
	}
	for (unsigned int i = 0; i < TIME_SIZE; i++) {
		data[i] = (uint8_t)(time >> (8 * (TIME_SIZE - 1 - i)));
	}
	r = note_sign_raw(s, message.data, message.len, data + TIME_SIZE, err);
	if (r < 0) {
		return r;
	}
	put_line(&s->key, data, sizeof(data), out);
	return buf_error(out) < 0 ? err_sys(err, -ENOMEM, "signing a note") : 0;
}

/* ---- reading notes ------------------------------------------------------------------------ */

static int
bad_note(struct err *err, const char *why)
{
	return err_set(err, -EBADMSG, "not a signed note: %s", why);
}

/* Behind the last empty line; NULL when there is none. */
static const char *
find_signatures(const char *bytes, size_t len)
{
	for (size_t i = len; i >= 2; i--) {
		if (bytes[i - 1] == '\n' && bytes[i - 2] == '\n') {
			return bytes + i;
		}
	}
	return NULL;
}

/* A signature line without its newline. */
static int
parse_line(const char *line, size_t len, struct note_signature *ret)
{
	size_t dash = strlen(DASH);
	auto_buf data = BUF_INIT;
	const char *space;
	int r;

	if (len < dash || memcmp(line, DASH, dash) != 0) {
		return -EBADMSG;
	}
	line += dash;
	len -= dash;
	space = memchr(line, ' ', len);
	if (space == NULL || !note_name_is_good(line, (size_t)(space - line))) {
		return -EBADMSG;
	}
	ret->name = line;
	ret->name_len = (size_t)(space - line);
	r = note_base64(space + 1, len - ret->name_len - 1, &data);
	if (r < 0 || data.len <= sizeof(ret->id)) {
		return r == -ENOMEM ? r : -EBADMSG;
	}
	memcpy(ret->id, data.data, sizeof(ret->id));
	ret->data_len = data.len - sizeof(ret->id);
	if (ret->data_len > sizeof(ret->data)) {
		ret->data_len = 0;
	}
	memcpy(ret->data, data.data + sizeof(ret->id), ret->data_len);
	return 0;
}

int
note_parse(const char *bytes, size_t len, struct note *ret, struct err *err)
{
	const char *at, *end = bytes + len;

	if (len > NOTE_MAX) {
		return bad_note(err, "it is larger than 64 KiB");
	}
	if (!is_text(bytes, len)) {
		return bad_note(err, "it is not UTF-8, or has control characters");
	}
	at = find_signatures(bytes, len);
	if (at == NULL || at - bytes < 3) {
		return bad_note(err, "no empty line stands between a text and its signatures");
	}
	if (at == end || end[-1] != '\n') {
		return bad_note(err, "it has no signature, or its last line is not ended");
	}
	ret->text = bytes;
	ret->text_len = (size_t)(at - bytes) - 1;
	ret->count = 0;
	while (at < end) {
		size_t line_len;
		const char *line = note_line(&at, end, &line_len);
		int r;

		if (ret->count == NOTE_SIGNATURES_MAX) {
			return bad_note(err, "it has more than 64 signatures");
		}
		r = parse_line(line, line_len, &ret->signature[ret->count]);
		if (r < 0) {
			return r == -ENOMEM ? err_sys(err, r, "reading a note")
					    : bad_note(err, "a line of the signatures is none");
		}
		ret->count++;
	}
	return 0;
}

/* One signature that names the key. */
static int
check_signature(const struct note *n, const struct note_key *key, const struct note_signature *s,
		uint64_t *ret_time)
{
	auto_buf message = BUF_INIT;
	uint64_t time = 0;

	*ret_time = 0;
	if (key->algorithm == NOTE_ALGORITHM_ED25519) {
		return s->data_len == SIGNATURE_SIZE
			     ? note_check_raw(key, n->text, n->text_len, s->data)
			     : -EBADMSG;
	}
	if (key->algorithm != NOTE_ALGORITHM_COSIGNATURE ||
	    s->data_len != TIME_SIZE + SIGNATURE_SIZE) {
		return -EBADMSG;
	}
	for (unsigned int i = 0; i < TIME_SIZE; i++) {
		time = time << 8 | s->data[i];
	}
	if (time > INT64_MAX) {
		return -EBADMSG;
	}
	cosigned_message(time, n->text, n->text_len, &message);
	if (buf_error(&message) < 0) {
		return -ENOMEM;
	}
	*ret_time = time;
	return note_check_raw(key, message.data, message.len, s->data + TIME_SIZE);
}

/* The latest of the key's signatures, all of which are good. */
static int
find_latest(const struct note *n, const struct note_key *key, uint64_t *ret_time, size_t *ret_at)
{
	bool has_one = false;

	*ret_time = 0;
	for (size_t i = 0; i < n->count; i++) {
		const struct note_signature *s = &n->signature[i];
		uint64_t time;
		int r;

		if (s->name_len != strlen(key->name) ||
		    memcmp(s->name, key->name, s->name_len) != 0 ||
		    memcmp(s->id, key->id, sizeof(key->id)) != 0) {
			continue;
		}
		r = check_signature(n, key, s, &time);
		if (r < 0) {
			return r;
		}
		if (!has_one || time > *ret_time) {
			*ret_time = time;
			*ret_at = i;
		}
		has_one = true;
	}
	return has_one ? 0 : -ENOENT;
}

int
note_check(const struct note *n, const struct note_key *key, uint64_t *ret_time)
{
	uint64_t time = 0;
	size_t at = 0;
	int r = find_latest(n, key, &time, &at);

	if (r == 0 && ret_time != NULL) {
		*ret_time = time;
	}
	return r;
}

int
note_pick(const struct note *n, const struct note_key *key, uint64_t *ret_time, struct buf *out)
{
	size_t at = 0;
	int r = find_latest(n, key, ret_time, &at);

	if (r == 0) {
		put_line(key, n->signature[at].data, n->signature[at].data_len, out);
		r = buf_error(out);
	}
	return r;
}
