/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one growable byte string (struct buf) and the one bounded reader (struct rd).
 * A buf that could not grow remembers it (`failed`) and ignores what follows, so a chain of puts is
 * checked once at its end with buf_error(). Integers are little endian.
 */
#ifndef AIRLOCK_BASE_BUF_H
#define AIRLOCK_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

struct buf {
	uint8_t *data; /* owned; always NUL-terminated behind len once something was put */
	size_t len;
	size_t cap;
	bool failed;
};

#define BUF_INIT                                                  \
	{                                                         \
		.data = NULL, .len = 0, .cap = 0, .failed = false \
	}
#define auto_buf __attribute__((cleanup(buf_finish))) struct buf
#define auto_secret_buf __attribute__((cleanup(buf_wipe))) struct buf

void buf_finish(struct buf *b);
/*
 * The same for bytes that must not stay behind. Room for all of them was reserved before the first:
 * where a buf grew, it leaves a copy.
 */
void buf_wipe(struct buf *b);
/* 0, or -ENOMEM when any put failed. */
int buf_error(const struct buf *b) must_check;
/* The text so far, never NULL (borrowed; valid until the next put). */
const char *buf_text(const struct buf *b);
void buf_reset(struct buf *b);
/* Room for so many bytes more: until then nothing that was put is moved. 0 or -ENOMEM. */
int buf_reserve(struct buf *b, size_t more) must_check;
void buf_put(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
/* u32 length, then the bytes, then one NUL that the length does not count. */
void buf_blob(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *text);

/* Reads what buf_* wrote. A read past the end sets `bad` and yields 0, NULL or "". */
struct rd {
	const uint8_t *p; /* borrowed */
	size_t left;
	bool bad;
};

uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
const uint8_t *rd_bytes(struct rd *r, size_t len);
/* A blob; *ret_len excludes the NUL. NULL when bad. */
const uint8_t *rd_blob(struct rd *r, size_t *ret_len);
/* A blob without an inner NUL, as a C string; "" when bad. */
const char *rd_str(struct rd *r);

#endif
