/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSH's own form of a private key (its PROTOCOL.key), which libcrypto does not read. Run by
 * airlock-credd and airlock-cli; the bytes are the value of a credential, and may be anything.
 */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#include "ssh_key.h"
#include "ssh_wire.h"

#define MAGIC "openssh-key-v1" /* with its NUL */
#define ED25519_SIZE ((size_t)32)
#define BLOCK 8u    /* what a section without a cipher is padded to */
#define NUMBERS 10u /* of an RSA key: six, two made of them, and what those are made of */

/* ---- numbers for the library ----------------------------------------------------------------- */

/* Of one key; all of them may be secret. */
struct numbers {
	OSSL_PARAM_BLD *params;
	BIGNUM *all[NUMBERS];
	size_t count;
	bool failed;
};

static void
finish(struct numbers *n)
{
	OSSL_PARAM_BLD_free(n->params);
	for (size_t i = 0; i < n->count; i++) {
		BN_clear_free(n->all[i]);
	}
}

/* Borrowed; NULL when it failed. */
static BIGNUM *
new_number(struct numbers *n)
{
	BIGNUM *number = n->count < NUMBERS ? BN_secure_new() : NULL;

	if (number == NULL) {
		n->failed = true;
		return NULL;
	}
	BN_set_flags(number, BN_FLG_CONSTTIME);
	n->all[n->count++] = number;
	return number;
}

static BIGNUM *
push(struct numbers *n, const char *name, BIGNUM *number)
{
	n->failed =
		n->failed || number == NULL || OSSL_PARAM_BLD_push_BN(n->params, name, number) != 1;
	return number;
}

/* The next mpint, which is not negative. */
static BIGNUM *
take(struct numbers *n, const char *name, struct rd *r)
{
	size_t len;
	const uint8_t *bytes = ssh_get_string(r, &len);
	BIGNUM *number = new_number(n);

	if (bytes == NULL || len == 0 || len > SSH_KEY_RSA_BITS_MAX / 8 + 1 ||
	    (bytes[0] & 0x80u) != 0 || number == NULL ||
	    BN_bin2bn(bytes, (int)len, number) == NULL) {
		n->failed = true;
		return NULL;
	}
	return push(n, name, number);
}

/* d mod (prime - 1), which the form leaves out. */
static void
push_exponent(struct numbers *n, const char *name, const BIGNUM *d, const BIGNUM *prime)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *less = new_number(n), *exponent = new_number(n);

	if (n->failed || ctx == NULL || BN_sub(less, prime, BN_value_one()) != 1 ||
	    BN_is_zero(less) || BN_mod(exponent, d, less, ctx) != 1) {
		n->failed = true;
	}
	BN_CTX_free(ctx);
	push(n, name, n->failed ? NULL : exponent);
}

static EVP_PKEY *
make(struct numbers *n, const char *algorithm)
{
	OSSL_PARAM *params = n->failed ? NULL : OSSL_PARAM_BLD_to_param(n->params);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1) {
		key = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

/* ---- each kind ------------------------------------------------------------------------------- */

static EVP_PKEY *
read_rsa(struct rd *r)
{
	struct numbers n = { .params = OSSL_PARAM_BLD_new() };
	const BIGNUM *d, *p, *q;
	EVP_PKEY *key = NULL;

	n.failed = n.params == NULL;
	take(&n, OSSL_PKEY_PARAM_RSA_N, r);
	take(&n, OSSL_PKEY_PARAM_RSA_E, r);
	d = take(&n, OSSL_PKEY_PARAM_RSA_D, r);
	take(&n, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, r);
	p = take(&n, OSSL_PKEY_PARAM_RSA_FACTOR1, r);
	q = take(&n, OSSL_PKEY_PARAM_RSA_FACTOR2, r);
	if (!n.failed) {
		push_exponent(&n, OSSL_PKEY_PARAM_RSA_EXPONENT1, d, p);
		push_exponent(&n, OSSL_PKEY_PARAM_RSA_EXPONENT2, d, q);
		key = make(&n, "RSA");
	}
	finish(&n);
	return key;
}

static EVP_PKEY *
read_ec(struct rd *r, const char *curve, const char *group)
{
	struct numbers n = { .params = OSSL_PARAM_BLD_new() };
	bool is_same = ssh_get_text(r, curve);
	size_t len;
	const uint8_t *point = ssh_get_string(r, &len);
	EVP_PKEY *key;

	n.failed = n.params == NULL || !is_same || point == NULL ||
		   OSSL_PARAM_BLD_push_utf8_string(n.params, OSSL_PKEY_PARAM_GROUP_NAME, group,
						   0) != 1 ||
		   OSSL_PARAM_BLD_push_octet_string(n.params, OSSL_PKEY_PARAM_PUB_KEY, point,
						    len) != 1;
	take(&n, OSSL_PKEY_PARAM_PRIV_KEY, r);
	key = make(&n, "EC");
	finish(&n);
	return key;
}

/* The public half, then both. */
static EVP_PKEY *
read_ed25519(struct rd *r)
{
	size_t public_len, len;
	const uint8_t *public = ssh_get_string(r, &public_len), *both = ssh_get_string(r, &len);
	uint8_t made[ED25519_SIZE];
	size_t made_len = sizeof(made);
	EVP_PKEY *key;

	if (public == NULL || both == NULL || public_len != ED25519_SIZE ||
	    len != 2 * ED25519_SIZE || memcmp(public, both + ED25519_SIZE, ED25519_SIZE) != 0) {
		return NULL;
	}
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, both, ED25519_SIZE);
	if (key != NULL && (EVP_PKEY_get_raw_public_key(key, made, &made_len) != 1 ||
			    memcmp(made, public, ED25519_SIZE) != 0)) {
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

/* ---- the form -------------------------------------------------------------------------------- */

/* NULL: it is of another kind, or, where *ret_known says so, damaged. */
static EVP_PKEY *
read_kind(struct rd *r, bool *ret_known)
{
	static const struct {
		const char *name, *curve, *group;
	} curves[] = {
		{ "ecdsa-sha2-nistp256", "nistp256", SN_X9_62_prime256v1 },
		{ "ecdsa-sha2-nistp384", "nistp384", SN_secp384r1 },
		{ "ecdsa-sha2-nistp521", "nistp521", SN_secp521r1 },
	};
	struct rd name = *r;

	*ret_known = true;
	if (ssh_get_text(r, "ssh-ed25519")) {
		return read_ed25519(r);
	}
	*r = name;
	if (ssh_get_text(r, "ssh-rsa")) {
		return read_rsa(r);
	}
	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		*r = name;
		if (ssh_get_text(r, curves[i].name)) {
			return read_ec(r, curves[i].curve, curves[i].group);
		}
	}
	*ret_known = r->bad;
	return NULL;
}

/* Behind the key: a comment, and 1, 2, 3 … up to the block. */
static bool
is_padded(struct rd *r, size_t section)
{
	size_t len;

	ssh_get_string(r, &len);
	if (r->bad || section % BLOCK != 0 || r->left >= BLOCK) {
		return false;
	}
	for (uint8_t i = 1; r->left > 0; i++) {
		if (rd_u8(r) != i) {
			return false;
		}
	}
	return true;
}

static int
read_section(struct rd *r, EVP_PKEY **ret, struct err *err)
{
	size_t section = r->left;
	uint32_t check = ssh_get_u32(r), again = ssh_get_u32(r);
	bool is_known;
	EVP_PKEY *key = check == again ? read_kind(r, &is_known) : NULL;

	if (key == NULL && check == again && !is_known) {
		return err_set(err, -EBADMSG, SSH_KEY_OTHER_KIND);
	}
	if (key == NULL || !is_padded(r, section)) {
		EVP_PKEY_free(key);
		return err_set(err, -EBADMSG, SSH_KEY_DAMAGED);
	}
	*ret = key;
	return 0;
}

int
ssh_key_read(const uint8_t *bytes, size_t len, EVP_PKEY **ret, struct err *err)
{
	struct rd r = { .p = bytes, .left = len }, section = { .bad = true };
	const uint8_t *magic = rd_bytes(&r, sizeof(MAGIC));
	bool is_open = ssh_get_text(&r, "none"), is_plain = ssh_get_text(&r, "none");
	size_t unused;

	ssh_get_string(&r, &unused); /* of the derivation of a key from a passphrase */
	if (magic == NULL || memcmp(magic, MAGIC, sizeof(MAGIC)) != 0 || r.bad) {
		return err_set(err, -EBADMSG, SSH_KEY_DAMAGED);
	}
	if (!is_open || !is_plain) {
		return err_set(err, -EBADMSG, SSH_KEY_ENCRYPTED);
	}
	if (ssh_get_u32(&r) == 1) {
		ssh_get_string(&r, &unused); /* the public half, which the other one has too */
		section.p = ssh_get_string(&r, &section.left);
		section.bad = r.bad || r.left != 0;
	}
	return section.bad ? err_set(err, -EBADMSG, SSH_KEY_DAMAGED)
			   : read_section(&section, ret, err);
}
