/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the supervisor with the caller's authority, over bytes that a hostile tool chose. One
 * state: what is held. It is empty, or the beginning of an SGR (ESC, then "[", then parameters), or
 * the beginning of a UTF-8 character. A byte completes it (emitted), extends it, or refutes it:
 * then it is escaped and the byte is judged anew. The verdict depends on bytes alone, never on
 * where a call ended.
 */
#include "term_filter.h"

#include <string.h>

#include "../base/text.h"
#include "term_filter_internal.h"

#define ESC 0x1b

/*
 * Characters that reorder, hide or break lines without a glyph. Narrower than what text_safe
 * escapes in our own lines: this is the tool's own screen, where Persian, Indic scripts, Khmer and
 * emoji are spelled with U+200B to U+200D and variation selectors, and prompts with private-use
 * glyphs. Ascending.
 */
/* clang-format off */
static const struct {
	uint32_t first, last;
} hidden_ranges[] = {
	{ 0x00080, 0x0009f }, /* C1 controls */
	{ 0x0061c, 0x0061c }, /* Arabic letter mark */
	{ 0x0180e, 0x0180e }, /* Mongolian vowel separator */
	{ 0x0200e, 0x0200f }, /* left-to-right, right-to-left marks */
	{ 0x02028, 0x0202e }, /* line and paragraph separators; embeddings and overrides */
	{ 0x02060, 0x0206f }, /* invisible operators; isolates; deprecated formats */
	{ 0x0feff, 0x0feff }, /* byte order mark */
	{ 0x0fff9, 0x0fffb }, /* interlinear annotations */
	{ 0xe0000, 0xe007f }, /* tags: an ASCII that nobody sees */
};
/* clang-format on */

void
term_filter_init(struct term_filter *f)
{
	*f = (struct term_filter){ .held_len = 0, .coloured = false };
}

static void
put_octal(struct buf *out, uint8_t c)
{
	const uint8_t text[4] = { '\\', (uint8_t)('0' + (c >> 6)), (uint8_t)('0' + (c >> 3 & 7)),
				  (uint8_t)('0' + (c & 7)) };

	buf_put(out, text, sizeof(text));
}

bool
term_is_plain(uint8_t c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t' || c == '\r' || c == '\b';
}

static void
put_safe(struct buf *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (term_is_plain(data[i])) {
			buf_put(out, &data[i], 1);
		} else {
			put_octal(out, data[i]);
		}
	}
}

bool
term_is_hidden(uint32_t character)
{
	for (size_t i = 0; i < ARRAY_LEN(hidden_ranges); i++) {
		if (character >= hidden_ranges[i].first && character <= hidden_ranges[i].last) {
			return true;
		}
	}
	return false;
}

size_t
term_utf8_length(uint8_t c)
{
	if (c >= 0xc2 && c <= 0xdf) {
		return 2;
	}
	if (c >= 0xe0 && c <= 0xef) {
		return 3;
	}
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

static void
give_up_held(struct term_filter *f, struct buf *out)
{
	put_safe(out, f->held, f->held_len);
	f->held_len = 0;
}

/* "CSI m" and parameters that are all zero or empty switch everything off. */
static bool
is_reset(const uint8_t *sequence, size_t len)
{
	for (size_t i = 2; i < len - 1; i++) {
		if (sequence[i] != '0' && sequence[i] != ';') {
			return false;
		}
	}
	return true;
}

/* held begins with ESC. True when c belonged to it. */
static bool
extend_sgr(struct term_filter *f, uint8_t c, struct buf *out)
{
	bool fits = f->held_len == 1 ? c == '[' : (c >= '0' && c <= ';') || c == 'm';

	if (!fits || f->held_len == sizeof(f->held)) {
		give_up_held(f, out);
		return false;
	}
	f->held[f->held_len++] = c;
	if (c == 'm') {
		buf_put(out, f->held, f->held_len);
		f->coloured = !is_reset(f->held, f->held_len);
		f->held_len = 0;
	}
	return true;
}

/* held begins with the first byte of a UTF-8 character. True when c belonged to it. */
static bool
extend_utf8(struct term_filter *f, uint8_t c, struct buf *out)
{
	uint32_t character;

	if ((c & 0xc0) != 0x80) {
		give_up_held(f, out);
		return false;
	}
	f->held[f->held_len++] = c;
	if (f->held_len < term_utf8_length(f->held[0])) {
		return true;
	}
	if (text_utf8(f->held, f->held_len, &character) == f->held_len &&
	    !term_is_hidden(character)) {
		buf_put(out, f->held, f->held_len);
		f->held_len = 0;
	} else {
		give_up_held(f, out);
	}
	return true;
}

static void
put_byte(struct term_filter *f, uint8_t c, struct buf *out)
{
	if (f->held_len > 0 && f->held[0] == ESC && extend_sgr(f, c, out)) {
		return;
	}
	if (f->held_len > 0 && extend_utf8(f, c, out)) {
		return;
	}
	if (c == ESC || term_utf8_length(c) > 0) {
		f->held[f->held_len++] = c;
		return;
	}
	put_safe(out, &c, 1);
}

void
term_filter_put(struct term_filter *f, const void *data, size_t len, struct buf *out)
{
	const uint8_t *p = data;
	const uint8_t *end = p + len;

	while (p < end) {
		const uint8_t *run = p;

		while (f->held_len == 0 && p < end && term_is_plain(*p)) {
			p++;
		}
		buf_put(out, run, (size_t)(p - run));
		if (p < end) {
			put_byte(f, *p++, out);
		}
	}
}

void
term_filter_flush(struct term_filter *f, struct buf *out)
{
	give_up_held(f, out);
	if (f->coloured) {
		buf_puts(out, "\033[0m");
		f->coloured = false;
	}
}

static void
follow_byte(struct term_cut *c, uint8_t byte)
{
	const size_t length = term_utf8_length(byte);

	if (c->sequence) {
		c->sequence = byte != 'm';
	} else if (c->character_left > 0) {
		c->character_left--;
	} else if (byte == ESC) {
		c->sequence = true;
	} else {
		c->character_left = length > 0 ? length - 1 : 0;
	}
}

void
term_cut_follow(struct term_cut *c, const void *written, size_t len)
{
	const uint8_t *p = written;

	for (size_t i = 0; i < len; i++) {
		follow_byte(c, p[i]);
	}
}

bool
term_cut_is_whole(const struct term_cut *c)
{
	return !c->sequence && c->character_left == 0;
}

size_t
term_cut_rest(const struct term_cut *c, const void *next, size_t len)
{
	struct term_cut at = *c;
	const uint8_t *p = next;
	size_t n = 0;

	while (n < len && !term_cut_is_whole(&at)) {
		follow_byte(&at, p[n++]);
	}
	return n;
}
