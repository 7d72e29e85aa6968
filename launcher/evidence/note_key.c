/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-log, airlock-cli and airlock-witness. Names and public keys are text from
 * anybody; a private key is a file of the owner's. Its one spelling is checked by hand, so that
 * nothing here asks for a passphrase or takes a key of another kind.
 */
#include "note.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../base/text.h"
#include "note_internal.h"

/* What stands before the seed in the PKCS8 of an Ed25519 key (RFC 8410, 7). */
static const uint8_t pkcs8_prefix[16] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
					  0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };
#define PKCS8_SIZE (sizeof(pkcs8_prefix) + 32)
#define PEM_BEGIN "-----BEGIN PRIVATE KEY-----\n"
#define PEM_END "\n-----END PRIVATE KEY-----\n"
#define NAME_BEGIN "name: "
#define SIGNER_MAX 1024u

/* Spaces of Unicode 15 outside of ASCII: White_Space. */
static bool
is_space(uint32_t c)
{
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool
note_name_is_good(const char *name, size_t len)
{
	const uint8_t *p = (const uint8_t *)name;

	if (len == 0 || len > NOTE_KEY_NAME_MAX) {
		return false;
	}
	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t n = text_utf8(p + i, len - i, &c);

		if (n == 0 || c <= ' ' || c == '+' || (c >= 0x7f && c < 0xa0) || is_space(c)) {
			return false;
		}
		i += n;
	}
	return true;
}

int
note_name_check(const char *name, struct err *err)
{
	if (note_name_is_good(name, strlen(name))) {
		return 0;
	}
	return err_set(
		err, -EINVAL,
		"not a key's name: 1 to %u bytes of UTF-8 without white space and '+', as in "
		"example.org/airlock/1",
		NOTE_KEY_NAME_MAX);
}

/* The id follows from name, algorithm and public key. */
static void
set_id(struct note_key *key)
{
	const uint8_t middle[2] = { '\n', key->algorithm };
	uint8_t digest[SHA256_SIZE];
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, key->name, strlen(key->name));
	sha256_update(&s, middle, sizeof(middle));
	sha256_update(&s, key->pub, sizeof(key->pub));
	sha256_final(&s, digest);
	memcpy(key->id, digest, sizeof(key->id));
}

static int
bad_key(struct err *err, const char *why)
{
	return err_set(err, -EINVAL, "not a verifier key (NAME+ID+KEY): %s", why);
}

int
note_key_parse(const char *text, struct note_key *ret, struct err *err)
{
	struct note_key key = { .name = "" };
	char copy[NOTE_KEY_NAME_MAX + 64];
	auto_buf bytes = BUF_INIT;
	uint8_t id[4];
	char *hash, *end;
	size_t len;

	while (isspace((unsigned char)*text)) {
		text++;
	}
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1])) {
		len--;
	}
	if (len >= sizeof(copy)) {
		return bad_key(err, "it is too long");
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	/* The base64 may have a '+' of its own, the name and the hash have none. */
	hash = strchr(copy, '+');
	end = hash == NULL ? NULL : strchr(hash + 1, '+');
	if (end == NULL) {
		return bad_key(err, "two '+' are missing");
	}
	*hash++ = '\0';
	*end++ = '\0';
	if (!note_name_is_good(copy, strlen(copy))) {
		return bad_key(
			err,
			"the name is empty, too long, or has a character that it may not have");
	}
	if (strlen(hash) != 8 || text_unhex(hash, id, sizeof(id)) < 0) {
		return bad_key(err, "the id is not 8 hex digits in lower case");
	}
	if (text_unbase64(end, &bytes) < 0 || bytes.len < 1) {
		return bad_key(err, "the key is not base64");
	}
	if (bytes.data[0] != NOTE_ALGORITHM_ED25519 &&
	    bytes.data[0] != NOTE_ALGORITHM_COSIGNATURE) {
		return bad_key(
			err, "its algorithm is neither Ed25519 (1) nor an Ed25519 cosignature (4)");
	}
	if (bytes.len != 1 + sizeof(key.pub)) {
		return bad_key(err, "an Ed25519 key has 32 bytes, this one has another number");
	}
	memcpy(key.name, copy, strlen(copy) + 1);
	key.algorithm = bytes.data[0];
	memcpy(key.pub, bytes.data + 1, sizeof(key.pub));
	set_id(&key);
	if (memcmp(key.id, id, sizeof(id)) != 0) {
		return bad_key(
			err,
			"the id does not belong to this name and key: one of them was changed");
	}
	*ret = key;
	return 0;
}

void
note_key_print(const struct note_key *key, struct buf *out)
{
	uint8_t bytes[1 + sizeof(key->pub)];
	char hex[2 * sizeof(key->id) + 1];

	text_hex(key->id, sizeof(key->id), hex);
	bytes[0] = key->algorithm;
	memcpy(bytes + 1, key->pub, sizeof(key->pub));
	buf_printf(out, "%s+%s+", key->name, hex);
	text_base64(out, bytes, sizeof(bytes));
}

bool
note_key_equal(const struct note_key *a, const struct note_key *b)
{
	return strcmp(a->name, b->name) == 0 && a->algorithm == b->algorithm &&
	       memcmp(a->pub, b->pub, sizeof(a->pub)) == 0;
}

/* ---- private keys ------------------------------------------------------------------------- */

/* Fills ret->key from name, algorithm and the seed. */
static int
finish_signer(const char *name, uint8_t algorithm, struct note_signer *ret, struct err *err)
{
	EVP_PKEY *pkey =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, ret->seed, sizeof(ret->seed));
	size_t len = sizeof(ret->key.pub);
	bool ok = pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, ret->key.pub, &len) == 1;

	EVP_PKEY_free(pkey);
	if (!ok) {
		return err_set(err, -ENOTSUP, "OpenSSL makes no Ed25519 key here");
	}
	snprintf(ret->key.name, sizeof(ret->key.name), "%s", name);
	ret->key.algorithm = algorithm;
	set_id(&ret->key);
	return 0;
}

int
note_signer_generate(const char *name, uint8_t algorithm, struct note_signer *ret, struct err *err)
{
	auto_note_signer s = { .seed = { 0 } };
	int r = note_name_check(name, err);

	if (r < 0) {
		return r;
	}
	if (getrandom(s.seed, sizeof(s.seed), 0) != (ssize_t)sizeof(s.seed)) {
		return err_sys(err, -EIO, "no random bytes for a key");
	}
	r = finish_signer(name, algorithm, &s, err);
	if (r == 0) {
		*ret = s;
	}
	return r;
}

int
note_signer_print(const struct note_signer *s, struct buf *out, struct err *err)
{
	uint8_t der[PKCS8_SIZE];

	if (buf_reserve(out, SIGNER_MAX) < 0) {
		return err_sys(err, -ENOMEM, "printing a key");
	}
	memcpy(der, pkcs8_prefix, sizeof(pkcs8_prefix));
	memcpy(der + sizeof(pkcs8_prefix), s->seed, sizeof(s->seed));
	buf_printf(out, NAME_BEGIN "%s\n" PEM_BEGIN, s->key.name);
	text_base64(out, der, sizeof(der));
	buf_puts(out, PEM_END);
	OPENSSL_cleanse(der, sizeof(der));
	return buf_error(out) < 0 ? err_sys(err, -ENOMEM, "printing a key") : 0;
}

static int
bad_signer(struct err *err, const char *why)
{
	return err_set(
		err, -EINVAL,
		"not a private key as `airlock key new` writes it (a line \"name: NAME\", then "
		"what `openssl genpkey -algorithm ed25519` prints): %s",
		why);
}

static int
parse_pem(char *pem, struct note_signer *s, struct err *err)
{
	size_t begin_len = strlen(PEM_BEGIN), base64_len = (PKCS8_SIZE + 2) / 3 * 4;
	auto_secret_buf der = BUF_INIT;

	if (strncmp(pem, PEM_BEGIN, begin_len) != 0) {
		return bad_signer(err, "\"-----BEGIN PRIVATE KEY-----\" is not the second line");
	}
	pem += begin_len;
	if (strlen(pem) != base64_len + strlen(PEM_END) || strcmp(pem + base64_len, PEM_END) != 0) {
		return bad_signer(
			err,
			"it is not one line of base64 and \"-----END PRIVATE KEY-----\"; is it "
			"an Ed25519 key?");
	}
	pem[base64_len] = '\0';
	if (buf_reserve(&der, PKCS8_SIZE) < 0) {
		return err_sys(err, -ENOMEM, "reading a key");
	}
	if (text_unbase64(pem, &der) < 0 || der.len != PKCS8_SIZE ||
	    memcmp(der.data, pkcs8_prefix, sizeof(pkcs8_prefix)) != 0) {
		return bad_signer(err, "it is not an Ed25519 key in PKCS8");
	}
	memcpy(s->seed, der.data + sizeof(pkcs8_prefix), sizeof(s->seed));
	return 0;
}

/* text is the owner's copy: it is cut at the end of its first line. */
static int
parse_signer(char *text, uint8_t algorithm, struct note_signer *s, struct err *err)
{
	char *name = text + strlen(NAME_BEGIN), *end = strchr(text, '\n');
	int r;

	if (strncmp(text, NAME_BEGIN, strlen(NAME_BEGIN)) != 0 || end == NULL) {
		return bad_signer(err, "the line \"name: NAME\" is not the first");
	}
	*end = '\0';
	r = note_name_check(name, err);
	if (r == 0) {
		r = parse_pem(end + 1, s, err);
	}
	return r == 0 ? finish_signer(name, algorithm, s, err) : r;
}

int
note_signer_parse(const char *pem, size_t len, uint8_t algorithm, struct note_signer *ret,
		  struct err *err)
{
	auto_note_signer s = { .seed = { 0 } };
	char copy[SIGNER_MAX];
	int r;

	if (len >= sizeof(copy) || memchr(pem, '\0', len) != NULL) {
		return bad_signer(err, "it is too long, or has a zero byte");
	}
	memcpy(copy, pem, len);
	copy[len] = '\0';
	r = parse_signer(copy, algorithm, &s, err);
	OPENSSL_cleanse(copy, sizeof(copy));
	if (r == 0) {
		*ret = s;
	}
	return r;
}

int
note_signer_read(int fd, const char *path, uint8_t algorithm, struct note_signer *ret,
		 struct err *err)
{
	char pem[SIGNER_MAX];
	ssize_t n = read(fd, pem, sizeof(pem));
	int r;

	if (n < 0) {
		return err_sys(err, -errno, "%s: reading a key", path);
	}
	r = note_signer_parse(pem, (size_t)n, algorithm, ret, err);
	OPENSSL_cleanse(pem, sizeof(pem));
	if (r < 0) {
		err_prefix(err, "%s", path);
	}
	return r;
}

void
note_signer_finish(struct note_signer *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
}
