/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the text formats around a log have in common: lines, numbers and hashes of one spelling.
 * Pure; the text is from anybody.
 */
#ifndef AIRLOCK_EVIDENCE_NOTE_TEXT_H
#define AIRLOCK_EVIDENCE_NOTE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/sha256.h"

/*
 * A decimal number without leading zeros that is exactly len bytes of text; -EINVAL for another
 * spelling or one that does not fit.
 */
int note_number(const char *text, size_t len, uint64_t *ret) must_check;
/* One SHA-256 in base64 that is exactly len bytes of text; -EINVAL. */
int note_hash(const char *text, size_t len, uint8_t ret_hash[SHA256_SIZE]) must_check;
/*
 * One line of what is left up to end, without its newline; *text is behind it then. NULL, and *text
 * as it was, when no newline follows.
 */
const char *note_line(const char **text, const char *end, size_t *ret_len);

#endif
