/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private key of SSH that signs. The key is libcrypto's, in its secure heap: locked memory, in no
 * dump, wiped when it is given back. Run by airlock-credd, and by the verbs that take a key in or
 * look at one. Nothing of a value is in an error.
 */
#ifndef AIRLOCK_CREDD_SSH_KEY_H
#define AIRLOCK_CREDD_SSH_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"

#define SSH_KEY_RSA_BITS_MIN 2048
#define SSH_KEY_RSA_BITS_MAX 8192

/* Flags of a request to sign: which hash an RSA key signs. Other keys have one and take none. */
#define SSH_KEY_RSA_SHA2_256 2u
#define SSH_KEY_RSA_SHA2_512 4u

struct evp_pkey_st;
struct ssh_kind;

struct ssh_key {
	struct evp_pkey_st *key; /* owned; NULL: none */
	const struct ssh_kind *kind;
	struct buf blob; /* the public key, as SSH writes it */
};

#define SSH_KEY_INIT                          \
	{                                     \
		.key = NULL, .blob = BUF_INIT \
	}

#define auto_ssh_key __attribute__((cleanup(ssh_key_close))) struct ssh_key

/*
 * The one key of a text: OpenSSH's own form, PKCS#8 or the older PEM forms; Ed25519, ECDSA over a
 * NIST curve or RSA; it has signed, and its public half has verified that. -EBADMSG with the
 * reason: no key, one with a passphrase, of another kind, damaged. -ENOMEM where no memory may be
 * locked.
 */
int ssh_key_open(const uint8_t *text, size_t len, struct ssh_key *ret, struct err *err) must_check;
/* Whether it would be opened. */
int ssh_key_check(const uint8_t *text, size_t len, struct err *err) must_check;
void ssh_key_close(struct ssh_key *k);
/*
 * Appends the signature, as SSH writes it (RFC 4253, 6.6; RFC 5656, 3.1.2; RFC 8332, 3; RFC 8709,
 * 6). -ENOTSUP for flags that are not the key's: for RSA exactly one hash, SHA-1 is none.
 */
int ssh_key_sign(const struct ssh_key *k, uint32_t flags, const void *data, size_t len,
		 struct buf *out) must_check;

/* The library's key out of OpenSSH's form, without the armour. (ssh_key_read.c) */
int ssh_key_read(const uint8_t *bytes, size_t len, struct evp_pkey_st **ret, struct err *err)
	must_check;

/* Words for a text that is not a key. */
#define SSH_KEY_DAMAGED "it is no private key of SSH, or a damaged one"
#define SSH_KEY_ENCRYPTED                                                         \
	"its key has a passphrase, and nobody can be asked for it: ssh-keygen -p" \
	" takes it off, the sealed file protects the key"
#define SSH_KEY_OTHER_KIND                                                               \
	"its key is of a kind that the agent has not: Ed25519, ECDSA over a NIST curve " \
	"and RSA of 2048 to 8192 bits it has"

#endif
