/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of launcher/scan share: a scanner over a few values, and what a stream became. */
#ifndef AIRLOCK_TESTS_SCAN_WORLD_H
#define AIRLOCK_TESTS_SCAN_WORLD_H

#include "../../../launcher/scan/scan_stream.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../../../launcher/base/buf.h"
#include "../../../launcher/scan/scan_internal.h"

#define FOUND_MAX 4096

struct world {
	struct scanner *scanner;
	struct scan_stream stream;
	struct buf out;
	struct scan_match found[FOUND_MAX];
	unsigned int count;
	unsigned int stop_at; /* the found one that ends it, from 1; 0: none does */
	int put_error;
};

static inline struct scan_value
value_of(const char *item, const char *bytes)
{
	return (struct scan_value){ .item = item, .bytes = bytes, .len = strlen(bytes) };
}

static inline int
world_put(void *arg, const void *data, size_t len)
{
	struct world *w = arg;

	cr_assert_gt(len, 0u);
	buf_put(&w->out, data, len);
	return w->put_error;
}

static inline bool
world_found(void *arg, const struct scan_match *m)
{
	struct world *w = arg;

	cr_assert_lt(w->count, (unsigned int)FOUND_MAX);
	w->found[w->count++] = *m;
	return w->count != w->stop_at;
}

static inline void
open_stream(struct world *w)
{
	const struct scan_sink sink = { .put = world_put, .found = world_found, .arg = w };

	w->count = 0;
	w->out.len = 0;
	cr_assert_eq(scan_stream_init(&w->stream, w->scanner, &sink), 0);
}

static inline void
begin(struct world *w, const struct scan_value *values, size_t count)
{
	struct err err = ERR_INIT;

	*w = (struct world){ .out = BUF_INIT, .stream = SCAN_STREAM_INIT };
	cr_assert_eq(scanner_create(values, count, &w->scanner, &err), 0, "%s", err.text);
}

static inline void
end(struct world *w)
{
	scanner_destroy(w->scanner);
	buf_finish(&w->out);
}

/* The text in pieces of those sizes, the last of them again and again. */
static inline void
feed(struct world *w, const void *text, size_t len, const size_t *pieces, size_t count)
{
	const uint8_t *at = text;

	open_stream(w);
	for (size_t i = 0; len > 0; i++) {
		const size_t want = pieces[i < count ? i : count - 1];
		const size_t piece = want < len ? want : len;
		/* of its own, so that the sanitizer sees a look beyond it */
		uint8_t *copy = malloc(piece > 0 ? piece : 1);

		memcpy(copy, at, piece);
		cr_assert_eq(scan_stream_put(&w->stream, copy, piece), 0);
		free(copy);
		at += piece;
		len -= piece;
	}
	cr_assert_eq(scan_stream_end(&w->stream), 0);
	scan_stream_finish(&w->stream);
}

static inline void
expect_bytes(struct world *w, const struct buf *text, const size_t *pieces, size_t count,
	     const struct buf *want)
{
	feed(w, text->data, text->len, pieces, count);
	cr_assert_eq(w->out.len, want->len, "%zu bytes: %s", w->out.len, buf_text(&w->out));
	cr_assert_eq(memcmp(buf_text(&w->out), buf_text(want), want->len), 0, "%s, not %s",
		     buf_text(&w->out), buf_text(want));
}

static inline void
expect_out(struct world *w, const void *text, size_t len, const size_t *pieces, size_t count,
	   const char *want)
{
	auto_buf in = BUF_INIT;
	auto_buf out = BUF_INIT;

	buf_put(&in, text, len);
	buf_puts(&out, want);
	expect_bytes(w, &in, pieces, count, &out);
}

/* The same in one piece, byte by byte, and cut in two at every place. */
static inline void
expect_cut(struct world *w, const char *text, const char *want)
{
	const size_t len = strlen(text);

	for (size_t cut = 1; cut <= len; cut++) {
		const size_t pieces[] = { cut, len };

		expect_out(w, text, len, pieces, 2, want);
	}
	expect_out(w, text, len, &(size_t){ 1 }, 1, want);
	expect_out(w, text, len, &(size_t){ 3 }, 1, want);
}

static inline uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

#endif
