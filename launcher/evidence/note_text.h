/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the text formats around a log have in common: lines, numbers and hashes of one spelling.
 * Pure; the text is from anybody.
 */
#ifndef AIRLOCK_EVIDENCE_NOTE_TEXT_H
#define AIRLOCK_EVIDENCE_NOTE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/sha256.h"
#include "merkle.h"

/*
 * A decimal number without leading zeros that is exactly len bytes of text; -EINVAL for another
 * spelling or one that does not fit.
 */
int note_number(const char *text, size_t len, uint64_t *ret) must_check;
/* Base64 that is exactly len bytes of text; its bytes are appended. -EINVAL, -ENOMEM. */
int note_base64(const char *text, size_t len, struct buf *out) must_check;
/* One SHA-256 in base64 that is exactly len bytes of text; -EINVAL. */
int note_hash(const char *text, size_t len, uint8_t ret_hash[SHA256_SIZE]) must_check;
/*
 * One line of what is left up to end, without its newline; *text is behind it then. NULL, and *text
 * as it was, when no newline follows.
 */
const char *note_line(const char **text, const char *end, size_t *ret_len);

/* Line after line of a text, where an error says which. */
struct note_reader {
	const char *at, *end; /* what is left */
	const char *line;     /* the one that was taken last, without its newline; NULL: none */
	size_t len;
	unsigned int number; /* of that line, from 1 */
	const char *text;    /* what it is no good one of: before "line N" in an error */
	struct err *err;
};

/* Takes one; false when there is none. */
bool note_reader_next(struct note_reader *r);
/* Whether the line begins with the word and has more; then it is what stands behind the word. */
bool note_reader_takes(struct note_reader *r, const char *word);
/* -EBADMSG: what is wrong with the line. */
int note_reader_bad(const struct note_reader *r, const char *why);
/* Appends to ret, which is empty, the hashes that follow, up to the empty line; takes that too. */
int note_reader_proof(struct note_reader *r, struct merkle_proof *ret) must_check;
/* What note_reader_proof reads. */
void note_put_proof(const struct merkle_proof *proof, struct buf *out);

#endif
