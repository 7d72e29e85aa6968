/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by airlock-credd and airlock-cli. The text is the value of a credential: whoever may write
 * the bundle may have made anything of it.
 */
#include "ssh_key.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "ssh_wire.h"

#define SECURE_SIZE (512u << 10) /* all keys of a lease, and the text of one */
#define SECURE_LEAST 32		 /* bytes of its smallest piece */
#define POINT_SIZE_MAX 133u	 /* nistp521, uncompressed */

struct ssh_kind {
	const char *name;  /* of the key */
	const char *curve; /* SSH's name for it; NULL: none */
	const char *group; /* the library's */
	const EVP_MD *(*digest)(void);
	int id; /* EVP_PKEY_* */
};

static const struct ssh_kind kinds[] = {
	{ "ssh-ed25519", NULL, NULL, NULL, EVP_PKEY_ED25519 },
	{ "ecdsa-sha2-nistp256", "nistp256", SN_X9_62_prime256v1, EVP_sha256, EVP_PKEY_EC },
	{ "ecdsa-sha2-nistp384", "nistp384", SN_secp384r1, EVP_sha384, EVP_PKEY_EC },
	{ "ecdsa-sha2-nistp521", "nistp521", SN_secp521r1, EVP_sha512, EVP_PKEY_EC },
	{ "ssh-rsa", NULL, NULL, EVP_sha512, EVP_PKEY_RSA }, /* which hash it signs is said */
};

#define auto_bn __attribute__((cleanup(free_bn))) BIGNUM
#define auto_md __attribute__((cleanup(free_md))) EVP_MD_CTX

static void
free_bn(BIGNUM **n)
{
	BN_free(*n);
}

static void
free_md(EVP_MD_CTX **md)
{
	EVP_MD_CTX_free(*md);
}

/* ---- which key it is ------------------------------------------------------------------------- */

static const struct ssh_kind *
kind_of(const EVP_PKEY *key)
{
	int id = EVP_PKEY_get_base_id(key), bits = EVP_PKEY_get_bits(key);
	char group[64] = "";
	size_t len;

	if (id == EVP_PKEY_RSA && (bits < SSH_KEY_RSA_BITS_MIN || bits > SSH_KEY_RSA_BITS_MAX)) {
		return NULL;
	}
	if (id == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1) {
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].id == id &&
		    (kinds[i].group == NULL || strcmp(kinds[i].group, group) == 0)) {
			return &kinds[i];
		}
	}
	return NULL;
}

static bool
put_number(const EVP_PKEY *key, const char *name, struct buf *out)
{
	auto_bn *n = NULL;
	uint8_t bytes[SSH_KEY_RSA_BITS_MAX / 8];

	if (EVP_PKEY_get_bn_param(key, name, &n) != 1 || BN_num_bytes(n) > (int)sizeof(bytes)) {
		return false;
	}
	ssh_put_mpint(out, bytes, (size_t)BN_bn2bin(n, bytes));
	return true;
}

/* Uncompressed, whatever form the key came in. */
static bool
put_point(const EVP_PKEY *key, struct buf *out)
{
	size_t half = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
	uint8_t point[POINT_SIZE_MAX] = { POINT_CONVERSION_UNCOMPRESSED };
	auto_bn *x = NULL;
	auto_bn *y = NULL;

	if (1 + 2 * half > sizeof(point) ||
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) != 1 ||
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) != 1 ||
	    BN_bn2binpad(x, point + 1, (int)half) < 0 ||
	    BN_bn2binpad(y, point + 1 + half, (int)half) < 0) {
		return false;
	}
	ssh_put_string(out, point, 1 + 2 * half);
	return true;
}

static bool
put_public(struct ssh_key *k)
{
	uint8_t raw[32];
	size_t len = sizeof(raw);

	ssh_put_text(&k->blob, k->kind->name);
	if (k->kind->id == EVP_PKEY_RSA) {
		return put_number(k->key, OSSL_PKEY_PARAM_RSA_E, &k->blob) &&
		       put_number(k->key, OSSL_PKEY_PARAM_RSA_N, &k->blob);
	}
	if (k->kind->id == EVP_PKEY_EC) {
		ssh_put_text(&k->blob, k->kind->curve);
		return put_point(k->key, &k->blob);
	}
	if (EVP_PKEY_get_raw_public_key(k->key, raw, &len) != 1) {
		return false;
	}
	ssh_put_string(&k->blob, raw, len);
	return true;
}

/* ---- signing --------------------------------------------------------------------------------- */

/* The library's signature, as it writes one. */
static bool
sign(EVP_PKEY *key, const EVP_MD *digest, const void *data, size_t len, struct buf *ret)
{
	auto_md *md = EVP_MD_CTX_new();
	size_t size;

	if (md == NULL || EVP_DigestSignInit(md, NULL, digest, NULL, key) != 1 ||
	    EVP_DigestSign(md, NULL, &size, data, len) != 1 || buf_reserve(ret, size) < 0 ||
	    EVP_DigestSign(md, ret->data, &size, data, len) != 1) {
		return false;
	}
	ret->len = size;
	return true;
}

/* The two numbers of a signature over a curve. */
static bool
put_pair(const struct buf *der, struct buf *out)
{
	const uint8_t *at = der->data;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der->len);
	const BIGNUM *const numbers[] = { pair != NULL ? ECDSA_SIG_get0_r(pair) : NULL,
					  pair != NULL ? ECDSA_SIG_get0_s(pair) : NULL };
	auto_buf both = BUF_INIT;

	for (size_t i = 0; pair != NULL && i < ARRAY_LEN(numbers); i++) {
		uint8_t bytes[POINT_SIZE_MAX];

		ssh_put_mpint(&both, bytes, (size_t)BN_bn2bin(numbers[i], bytes));
	}
	ssh_put_string(out, both.data, both.len);
	ECDSA_SIG_free(pair);
	return pair != NULL && buf_error(&both) == 0;
}

int
ssh_key_sign(const struct ssh_key *k, uint32_t flags, const void *data, size_t len, struct buf *out)
{
	const EVP_MD *digest = k->kind->digest != NULL ? k->kind->digest() : NULL;
	const char *name = k->kind->name;
	auto_buf raw = BUF_INIT, signature = BUF_INIT;
	bool is_rsa = k->kind->id == EVP_PKEY_RSA, done;

	if (is_rsa && flags == SSH_KEY_RSA_SHA2_256) {
		digest = EVP_sha256();
		name = "rsa-sha2-256";
	} else if (is_rsa && flags == SSH_KEY_RSA_SHA2_512) {
		name = "rsa-sha2-512";
	} else if (is_rsa || flags != 0) {
		return -ENOTSUP;
	}
	done = sign(k->key, digest, data, len, &raw);
	ssh_put_text(&signature, name);
	if (k->kind->id == EVP_PKEY_EC) {
		done = done && put_pair(&raw, &signature);
	} else {
		ssh_put_string(&signature, raw.data, raw.len);
	}
	ERR_clear_error();
	if (!done || buf_error(&signature) < 0) {
		return -EIO;
	}
	ssh_put_string(out, signature.data, signature.len);
	return 0;
}

/*
 * Whether both halves belong together. It is also what makes the library load, before its caller is
 * confined, all that it will need.
 */
static bool
has_signed(const struct ssh_key *k)
{
	static const uint8_t text[] = "airlock";
	const EVP_MD *digest = k->kind->digest != NULL ? k->kind->digest() : NULL;
	auto_md *md = EVP_MD_CTX_new();
	auto_buf signature = BUF_INIT;

	return md != NULL && sign(k->key, digest, text, sizeof(text), &signature) &&
	       EVP_DigestVerifyInit(md, NULL, digest, NULL, k->key) == 1 &&
	       EVP_DigestVerify(md, signature.data, signature.len, text, sizeof(text)) == 1;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Where the library keeps private halves; once in a process. */
static int
secure_heap(struct err *err)
{
	if (CRYPTO_secure_malloc_initialized() != 1 &&
	    CRYPTO_secure_malloc_init(SECURE_SIZE, SECURE_LEAST) != 1) {
		return err_set(err, -ENOMEM, "lock memory for a key (ulimit -l)");
	}
	return 0;
}

static int
read_der(const char *name, const char *header, const uint8_t *bytes, long len, EVP_PKEY **ret,
	 struct err *err)
{
	if (strcmp(name, "OPENSSH PRIVATE KEY") == 0) {
		return ssh_key_read(bytes, (size_t)len, ret, err);
	}
	if (strcmp(name, PEM_STRING_PKCS8) == 0 || strstr(header, "ENCRYPTED") != NULL) {
		return err_set(err, -EBADMSG, SSH_KEY_ENCRYPTED);
	}
	if (strcmp(name, PEM_STRING_DSA) == 0) {
		return err_set(err, -EBADMSG, SSH_KEY_OTHER_KIND);
	}
	if (strcmp(name, PEM_STRING_PKCS8INF) == 0 || strcmp(name, PEM_STRING_RSA) == 0 ||
	    strcmp(name, PEM_STRING_ECPRIVATEKEY) == 0) {
		*ret = d2i_AutoPrivateKey(NULL, &bytes, len);
	}
	return *ret != NULL ? 0 : err_set(err, -EBADMSG, SSH_KEY_DAMAGED);
}

/* Takes the armour off, into the secure heap. */
static int
read_text(const uint8_t *text, size_t len, EVP_PKEY **ret, struct err *err)
{
	BIO *from = BIO_new_mem_buf(text, (int)len);
	char *name = NULL, *header = NULL;
	uint8_t *bytes = NULL;
	long size = 0;
	int rc = -ENOMEM;

	if (from == NULL) {
		return err_set(err, rc, "out of memory");
	}
	rc = PEM_read_bio_ex(from, &name, &header, &bytes, &size, PEM_FLAG_SECURE) == 1
		   ? read_der(name, header, bytes, size, ret, err)
		   : err_set(err, -EBADMSG, SSH_KEY_DAMAGED);
	OPENSSL_secure_free(name);
	OPENSSL_secure_free(header);
	OPENSSL_secure_clear_free(bytes, (size_t)size);
	BIO_free(from);
	ERR_clear_error();
	return rc;
}

int
ssh_key_open(const uint8_t *text, size_t len, struct ssh_key *ret, struct err *err)
{
	auto_ssh_key k = SSH_KEY_INIT;
	int rc = secure_heap(err);

	rc = rc < 0 ? rc : read_text(text, len, &k.key, err);
	if (rc < 0) {
		return rc;
	}
	k.kind = kind_of(k.key);
	if (k.kind == NULL) {
		return err_set(err, -EBADMSG, SSH_KEY_OTHER_KIND);
	}
	if (!put_public(&k) || buf_error(&k.blob) < 0 || !has_signed(&k)) {
		ERR_clear_error();
		return err_set(err, -EBADMSG, SSH_KEY_DAMAGED);
	}
	*ret = k;
	k = (struct ssh_key)SSH_KEY_INIT;
	return 0;
}

int
ssh_key_check(const uint8_t *text, size_t len, struct err *err)
{
	auto_ssh_key k = SSH_KEY_INIT;

	return ssh_key_open(text, len, &k, err);
}

void
ssh_key_close(struct ssh_key *k)
{
	EVP_PKEY_free(k->key);
	buf_finish(&k->blob);
	*k = (struct ssh_key)SSH_KEY_INIT;
}
