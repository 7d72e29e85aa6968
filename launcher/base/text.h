/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as text: hex, base64 (RFC 4648, padded), UUIDv7 (RFC 9562), and the two escapings of
 * docs/formats.md. Anybody may call.
 */
#ifndef AIRLOCK_BASE_TEXT_H
#define AIRLOCK_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "cleanup.h"

#define HEX_DIGEST_SIZE 65 /* 64 digits and the NUL */
#define UUID_TEXT_SIZE 37
#define TEXT_NUMBERS_MAX 4u

/* NULL where there is nothing: what is written as null. */
static inline const char *
text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

void text_hex(const uint8_t *data, size_t len, char *ret_text); /* writes 2 * len + 1 bytes */
/* text is exactly 2 * len digits, lower case; -EINVAL otherwise. */
int text_unhex(const char *text, uint8_t *ret_data, size_t len) must_check;
void text_base64(struct buf *b, const uint8_t *data, size_t len);
/* Strict: padded, no white space, padding bits zero; -EINVAL otherwise. Appends; b stays as it was
 * on failure. */
int text_unbase64(const char *text, struct buf *b) must_check;

/*
 * Reads count (up to TEXT_NUMBERS_MAX) decimal numbers: white space may stand before each, the
 * character between (' ': white space) after each but the last. The place behind them; NULL, and
 * nothing in the output, when there are fewer or one does not fit.
 */
const char *text_numbers(const char *text, char between, uint64_t *ret_numbers,
			 size_t count) must_check;

/* A fresh UUIDv7: now_ms is CLOCK_REALTIME in milliseconds, random bits come from getrandom(2). */
int text_uuid7(uint64_t now_ms, uint8_t ret_uuid[16]) must_check;
void text_uuid_print(const uint8_t uuid[16], char ret_text[UUID_TEXT_SIZE]);
int text_uuid_parse(const char *text, uint8_t ret_uuid[16]) must_check;

/*
 * vis(3) octal for names and paths: backslash, space, control and non-ASCII bytes as \ooo.
 * Canonical: one spelling per name. Both inverses append to b, and leave it as it was on failure.
 * text_unvis takes any raw byte but the backslash (what json_bytes wrote is such text) and gives
 * -EINVAL for a bad escape; text_unvis_strict takes the one canonical spelling only.
 */
void text_vis(struct buf *b, const void *data, size_t len);
int text_unvis(const char *text, struct buf *b) must_check;
int text_unvis_strict(const char *text, struct buf *b) must_check;
/*
 * The line KEY VALUE, with the value in vis; and such a value read, cut to size, where it is one.
 */
void text_vis_line(struct buf *b, const char *key, const char *value);
void text_unvis_cut(const char *value, char *ret_text, size_t size);

/*
 * For a terminal, a log line, a page: printable UTF-8 passes, all else (control bytes, C1, bidi and
 * other format characters, what fonts do not draw, private use, invalid UTF-8) becomes \ooo per
 * byte. keep_newlines lets \n and \t pass.
 */
void text_safe(struct buf *b, const void *data, size_t len, bool keep_newlines);
/* One word of a command that a person may paste into a shell, in quotes where it needs them. */
void text_shell(struct buf *b, const char *word);

/* Length of the valid UTF-8 sequence at p (1..4), 0 when there is none. RFC 3629. ret_char may be
 * NULL. */
size_t text_utf8(const uint8_t *p, size_t len, uint32_t *ret_char);

#endif
