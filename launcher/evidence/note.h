/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed notes (C2SP signed-note, checkpoint, tlog-cosignature): text, an empty line, signature
 * lines. Ed25519 by OpenSSL's EVP interface. Pure but for getrandom(2) and the file of a private
 * key. What is parsed is from anybody; the caps are of the specifications.
 */
#ifndef AIRLOCK_EVIDENCE_NOTE_H
#define AIRLOCK_EVIDENCE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/sha256.h"

#define NOTE_KEY_NAME_MAX 128u
#define NOTE_MAX (64u << 10)
#define NOTE_SIGNATURES_MAX 64u
#define NOTE_ALGORITHM_ED25519 0x01
#define NOTE_ALGORITHM_COSIGNATURE 0x04

/* A verifier key, "name+hash+base64": who may sign. */
struct note_key {
	char name[NOTE_KEY_NAME_MAX + 1]; /* no white space, no '+' */
	uint8_t algorithm;		  /* NOTE_ALGORITHM_* */
	uint8_t id[4];
	uint8_t pub[32];
};

/* A private key: never printed, wiped by note_signer_finish. */
struct note_signer {
	struct note_key key;
	uint8_t seed[32];
};
#define auto_note_signer __attribute__((cleanup(note_signer_finish))) struct note_signer

/* -EINVAL with the reason. Accepts surrounding white space (a file's newline). */
int note_key_parse(const char *text, struct note_key *ret, struct err *err) must_check;
void note_key_print(const struct note_key *key, struct buf *out);
bool note_key_equal(const struct note_key *a, const struct note_key *b);
/* 0, or -EINVAL: empty, too long, white space, "+", control or not UTF-8. */
int note_name_check(const char *name, struct err *err) must_check;

int note_signer_generate(const char *name, uint8_t algorithm, struct note_signer *ret,
			 struct err *err) must_check;
/*
 * PKCS8 PEM (what `openssl genpkey -algorithm ed25519` writes) with the name in a comment line
 * before it: "name: <key name>\n". Parse refuses anything else. Print makes room in out first: it
 * can be wiped (buf_wipe).
 */
int note_signer_print(const struct note_signer *s, struct buf *out, struct err *err) must_check;
int note_signer_parse(const char *pem, size_t len, uint8_t algorithm, struct note_signer *ret,
		      struct err *err) must_check;
/* The same of the file fd, which the caller looked at; path is for messages. */
int note_signer_read(int fd, const char *path, uint8_t algorithm, struct note_signer *ret,
		     struct err *err) must_check;
void note_signer_finish(struct note_signer *s);

/* Ed25519 over bytes; for what is no note (a rotation). */
int note_sign_raw(const struct note_signer *s, const void *data, size_t len, uint8_t ret_sig[64],
		  struct err *err) must_check;
int note_check_raw(const struct note_key *key, const void *data, size_t len, const uint8_t sig[64])
	must_check; /* 0 or -EBADMSG */

/* Appends to out: text, an empty line, the signature line. text ends with a newline. */
int note_sign(const struct note_signer *s, const char *text, size_t len, struct buf *out,
	      struct err *err) must_check;
/* A cosignature line over text (key of NOTE_ALGORITHM_COSIGNATURE), time in seconds since 1970. */
int note_cosign(const struct note_signer *s, const char *text, size_t len, uint64_t time,
		struct buf *out, struct err *err) must_check;

struct note_signature {
	const char *name; /* borrowed from the note, name_len bytes */
	size_t name_len;
	uint8_t id[4];
	uint8_t data[72]; /* what follows the id; only the first data_len bytes */
	size_t data_len;  /* 64, or 72 for a cosignature; a longer one is cut to 0: unknown kind */
};

struct note {
	const char *text; /* borrowed: with its last newline, without the empty line */
	size_t text_len;
	size_t count;
	struct note_signature signature[NOTE_SIGNATURES_MAX];
};

/* -EBADMSG with the reason. Borrows bytes. */
int note_parse(const char *bytes, size_t len, struct note *ret, struct err *err) must_check;
/*
 * A good signature of key over the note: 0; -ENOENT when it has none of that key; -EBADMSG when
 * there is one and it is wrong. *ret_time (may be NULL): of a cosignature, else 0.
 */
int note_check(const struct note *n, const struct note_key *key, uint64_t *ret_time) must_check;

/*
 * As note_check, and appends the line of that signature to out; of several the latest. Nothing else
 * of the note is in it.
 */
int note_pick(const struct note *n, const struct note_key *key, uint64_t *ret_time, struct buf *out)
	must_check;

/* ---- checkpoint: the text of a log's note ---------------------------------------------------- */

struct checkpoint {
	char origin[NOTE_KEY_NAME_MAX + 1];
	uint64_t size;
	uint8_t root[SHA256_SIZE];
};

void checkpoint_print(const struct checkpoint *c, struct buf *out);
/* -EBADMSG with the reason; extension lines are refused. */
int
checkpoint_parse(const char *text, size_t len, struct checkpoint *ret, struct err *err) must_check;
/* A note whose text is a checkpoint. Nobody signed it before note_check says so. Borrows bytes. */
int checkpoint_read(const char *bytes, size_t len, struct note *ret_note, struct checkpoint *ret,
		    struct err *err) must_check;

#endif
