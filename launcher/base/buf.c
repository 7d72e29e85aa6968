/* SPDX-License-Identifier: Apache-2.0 */
/* Runs everywhere, also in the jail over plan bytes; no policy, no privileged call. */
#include "buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_finish(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

void
buf_wipe(struct buf *b)
{
	if (b->data != NULL) {
		explicit_bzero(b->data, b->cap);
	}
	buf_finish(b);
}

int
buf_error(const struct buf *b)
{
	return b->failed ? -ENOMEM : 0;
}

const char *
buf_text(const struct buf *b)
{
	return b->data != NULL ? (const char *)b->data : "";
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data != NULL) {
		b->data[0] = '\0';
	}
}

static bool
reserve(struct buf *b, size_t more)
{
	size_t want;
	uint8_t *grown;

	if (b->failed || more > SIZE_MAX / 2 - b->len - 1) {
		b->failed = true;
		return false;
	}
	want = b->len + more + 1;
	if (want <= b->cap) {
		return true;
	}
	if (want < b->cap * 2) {
		want = b->cap * 2;
	}
	if (want < 256) {
		want = 256;
	}
	grown = realloc(b->data, want);
	if (grown == NULL) {
		b->failed = true;
		return false;
	}
	b->data = grown;
	b->cap = want;
	return true;
}

int
buf_reserve(struct buf *b, size_t more)
{
	return reserve(b, more) ? 0 : -ENOMEM;
}

void
buf_put(struct buf *b, const void *data, size_t len)
{
	if (!reserve(b, len)) {
		return;
	}
	if (len > 0) {
		memcpy(b->data + b->len, data, len);
	}
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_puts(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

void
buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(b, (size_t)n)) {
		b->failed = true;
		return;
	}
	va_start(ap, fmt);
	vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void
buf_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, 1);
}

void
buf_u16(struct buf *b, uint16_t v)
{
	buf_u8(b, (uint8_t)v);
	buf_u8(b, (uint8_t)(v >> 8));
}

void
buf_u32(struct buf *b, uint32_t v)
{
	buf_u16(b, (uint16_t)v);
	buf_u16(b, (uint16_t)(v >> 16));
}

void
buf_u64(struct buf *b, uint64_t v)
{
	buf_u32(b, (uint32_t)v);
	buf_u32(b, (uint32_t)(v >> 32));
}

void
buf_blob(struct buf *b, const void *data, size_t len)
{
	if (len > UINT32_MAX) {
		b->failed = true;
		return;
	}
	buf_u32(b, (uint32_t)len);
	buf_put(b, data, len);
	buf_u8(b, 0);
}

void
buf_str(struct buf *b, const char *text)
{
	buf_blob(b, text, strlen(text));
}

const uint8_t *
rd_bytes(struct rd *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->bad || r->left < len) {
		r->bad = true;
		return NULL;
	}
	r->p += len;
	r->left -= len;
	return p;
}

uint8_t
rd_u8(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 1);

	return p != NULL ? p[0] : 0;
}

uint16_t
rd_u16(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 2);

	return p != NULL ? (uint16_t)(p[0] | p[1] << 8) : 0;
}

uint32_t
rd_u32(struct rd *r)
{
	uint32_t low = rd_u16(r);

	return low | (uint32_t)rd_u16(r) << 16;
}

uint64_t
rd_u64(struct rd *r)
{
	uint64_t low = rd_u32(r);

	return low | (uint64_t)rd_u32(r) << 32;
}

const uint8_t *
rd_blob(struct rd *r, size_t *ret_len)
{
	size_t len = rd_u32(r);
	const uint8_t *p = rd_bytes(r, len);
	const uint8_t *end = rd_bytes(r, 1);

	if (p == NULL || end == NULL || *end != 0) {
		r->bad = true;
		*ret_len = 0;
		return NULL;
	}
	*ret_len = len;
	return p;
}

const char *
rd_str(struct rd *r)
{
	size_t len;
	const uint8_t *p = rd_blob(r, &len);

	if (p == NULL || memchr(p, 0, len) != NULL) {
		r->bad = true;
		return "";
	}
	return (const char *)p;
}
