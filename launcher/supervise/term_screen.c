/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the supervisor with the caller's authority, over bytes that a hostile tool chose. */
#include "term_screen.h"

#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "term_filter_internal.h"

#define BEL 0x07
#define SO 0x0e
#define SI 0x0f
#define CAN 0x18
#define SUB 0x1a
#define ESC 0x1b

#define PARAMETERS 16
#define PARAMETER_MAX 65535u
#define REPEAT_MAX 1000u /* a line: a few bytes must not be work for seconds */

/* Private modes (CSI ? n h and l) that pass; what each is before a tool switches it. */
static const struct {
	unsigned int number;
	bool on;
} modes[] = {
	{ 1, false },    /* cursor keys of applications */
	{ 5, false },    /* reverse video: a visible bell */
	{ 7, true },     /* wrapping */
	{ 12, false },   /* blinking cursor */
	{ 25, true },    /* visible cursor */
	{ 1000, false }, /* mouse: buttons */
	{ 1002, false }, /* and dragging */
	{ 1003, false }, /* and every movement */
	{ 1004, false }, /* focus */
	{ 1006, false }, /* mouse: readable numbers */
	{ 1015, false }, /* the same, older */
	{ 2004, false }, /* bracketed paste */
	{ 2026, false }, /* synchronised output */
	/* the other screen: last, so that what is switched back before is switched back on it */
	{ 47, false },
	{ 1047, false },
	{ 1049, false },
};

_Static_assert(ARRAY_LEN(modes) < 32, "one bit each");

/* CSI without marks: the final byte, how many numbers at most, and how great each may be. */
static const struct {
	char final;
	unsigned int count, max;
} movements[] = {
	{ '@', 1, PARAMETER_MAX }, { 'A', 1, PARAMETER_MAX }, { 'B', 1, PARAMETER_MAX },
	{ 'C', 1, PARAMETER_MAX }, { 'D', 1, PARAMETER_MAX }, { 'E', 1, PARAMETER_MAX },
	{ 'F', 1, PARAMETER_MAX }, { 'G', 1, PARAMETER_MAX }, { 'H', 2, PARAMETER_MAX },
	{ 'I', 1, PARAMETER_MAX }, { 'J', 1, 2 },             { 'K', 1, 2 },
	{ 'L', 1, PARAMETER_MAX }, { 'M', 1, PARAMETER_MAX }, { 'P', 1, PARAMETER_MAX },
	{ 'S', 1, PARAMETER_MAX }, { 'T', 1, PARAMETER_MAX }, { 'X', 1, PARAMETER_MAX },
	{ 'Z', 1, PARAMETER_MAX }, { '`', 1, PARAMETER_MAX }, { 'a', 1, PARAMETER_MAX },
	{ 'b', 1, REPEAT_MAX },    { 'd', 1, PARAMETER_MAX }, { 'e', 1, PARAMETER_MAX },
	{ 'f', 2, PARAMETER_MAX }, { 'r', 2, PARAMETER_MAX }, { 's', 0, 0 },
	{ 'u', 0, 0 },
};

struct csi {
	unsigned int count, values[PARAMETERS];
};

/* Numbers and semicolons between from and to; false for anything else, or for too much of it. */
static bool
read_numbers(const uint8_t *from, const uint8_t *to, struct csi *ret)
{
	*ret = (struct csi){ .count = from < to };
	for (; from < to; from++) {
		unsigned int *value = &ret->values[ret->count - 1];

		if (*from == ';') {
			if (++ret->count > PARAMETERS) {
				return false;
			}
		} else if (*from >= '0' && *from <= '9') {
			*value = *value * 10 + (*from - '0');
			if (*value > PARAMETER_MAX) {
				return false;
			}
		} else {
			return false;
		}
	}
	return true;
}

static size_t
mode_row(unsigned int number)
{
	size_t i = 0;

	while (i < ARRAY_LEN(modes) && modes[i].number != number) {
		i++;
	}
	return i;
}

/* 1049 puts back the cursor that it saved; some terminals do so with the others. */
static bool
is_other_screen(unsigned int mode)
{
	return mode == 47 || mode == 1047 || mode == 1049;
}

static bool
switch_modes(struct term_screen *s, const struct csi *csi, bool on)
{
	for (unsigned int i = 0; i < csi->count; i++) {
		if (mode_row(csi->values[i]) == ARRAY_LEN(modes)) {
			return false;
		}
	}
	for (unsigned int i = 0; i < csi->count; i++) {
		size_t row = mode_row(csi->values[i]);

		if (modes[row].on == on) {
			s->switched &= ~(UINT32_C(1) << row);
		} else {
			s->switched |= UINT32_C(1) << row;
		}
		s->restored = s->restored || is_other_screen(csi->values[i]);
	}
	return csi->count > 0;
}

static bool
moves(struct term_screen *s, const struct csi *csi, char final)
{
	for (size_t i = 0; i < ARRAY_LEN(movements); i++) {
		if (movements[i].final != final) {
			continue;
		}
		for (unsigned int n = 0; n < csi->count; n++) {
			if (csi->values[n] > movements[i].max) {
				return false;
			}
		}
		if (csi->count > movements[i].count) {
			return false;
		}
		s->region = final == 'r' ? csi->count > 0 : s->region;
		s->restored = s->restored || final == 'u';
		return true;
	}
	return false;
}

/* SGR may group its numbers with colons. */
static bool
colours(struct term_screen *s, const uint8_t *from, const uint8_t *to)
{
	bool reset = true;

	for (const uint8_t *p = from; p < to; p++) {
		if (*p < '0' || *p > ';') {
			return false;
		}
		reset = reset && (*p == '0' || *p == ';');
	}
	s->coloured = !reset;
	return true;
}

static bool
shapes(struct term_screen *s, const struct csi *csi)
{
	bool known = csi->count <= 1 && csi->values[0] <= 6;

	s->shaped = known ? csi->values[0] != 0 : s->shaped;
	return known;
}

/* held is a whole CSI sequence. */
static bool
csi_passes(struct term_screen *s)
{
	const uint8_t *from = s->held + 2, *to = s->held + s->held_len - 1;
	const char final = (char)*to;
	bool private = *from == '?';
	struct csi csi;

	if (final == 'm' && !private) {
		return colours(s, from, to);
	}
	if (final == 'q' && to[-1] == ' ') {
		return read_numbers(from, to - 1, &csi) && shapes(s, &csi);
	}
	if (!read_numbers(from + private, to, &csi)) {
		return false;
	}
	if (private) {
		return (final == 'h' || final == 'l') && switch_modes(s, &csi, final == 'h');
	}
	if ((final == 'h' || final == 'l') && csi.count == 1 && csi.values[0] == 4) {
		s->inserting = final == 'h';
		return true;
	}
	return moves(s, &csi, final);
}

/* held is a whole escape sequence that is no CSI and no string. */
static bool
escape_passes(struct term_screen *s)
{
	const char final = (char)s->held[s->held_len - 1];

	if (s->held_len == 2) {
		s->keypad = final == '=' || (final != '>' && s->keypad);
		s->restored = s->restored || final == '8';
		return strchr("78=>MDE", final) != NULL;
	}
	if (s->held_len == 3 && (s->held[1] == '(' || s->held[1] == ')') &&
	    (final == '0' || final == 'B')) {
		s->drawing = s->held[1] == '(' ? final == '0' : s->drawing;
		return true;
	}
	return false;
}

static void
begin(struct term_screen *s, enum term_screen_state state, uint8_t c)
{
	s->state = state;
	s->held[0] = c;
	s->held_len = 1;
}

static void
hold(struct term_screen *s, uint8_t c)
{
	if (s->held_len < sizeof(s->held)) {
		s->held[s->held_len++] = c;
	} else {
		s->held_len = sizeof(s->held) + 1;
	}
}

static void
finish(struct term_screen *s, bool passes, struct buf *out)
{
	if (passes) {
		buf_put(out, s->held, s->held_len);
	}
	s->held_len = 0;
	s->state = SCREEN_GROUND;
}

static void
put_replacement(struct buf *out)
{
	buf_puts(out, "\357\277\275"); /* U+FFFD */
}

static void
on_ground(struct term_screen *s, uint8_t c, struct buf *out)
{
	if (c == ESC) {
		begin(s, SCREEN_ESCAPE, c);
	} else if (term_utf8_length(c) > 0) {
		begin(s, SCREEN_UTF8, c);
	} else if (c >= 0x80) {
		put_replacement(out);
	} else if (term_is_plain(c) || c == BEL || c == SO || c == SI) {
		s->shifted = c == SO || (c != SI && s->shifted);
		buf_put(out, &c, 1);
	}
}

static void
on_utf8(struct term_screen *s, uint8_t c, struct buf *out)
{
	uint32_t character;

	hold(s, c);
	if (s->held_len < term_utf8_length(s->held[0])) {
		return;
	}
	if (text_utf8(s->held, s->held_len, &character) != s->held_len) {
		put_replacement(out);
		finish(s, false, out);
	} else {
		finish(s, !term_is_hidden(character), out);
	}
}

static void
on_escape(struct term_screen *s, uint8_t c, struct buf *out)
{
	hold(s, c);
	if (s->held_len == 2 && c == '[') {
		s->state = SCREEN_CSI;
	} else if (s->held_len == 2 && strchr("]P_^X", c) != NULL) {
		s->state = SCREEN_STRING;
		s->bell_ends = c == ']';
	} else if (c >= 0x30) {
		finish(s, s->held_len <= 3 && escape_passes(s), out);
	}
}

static void
on_csi(struct term_screen *s, uint8_t c, struct buf *out)
{
	hold(s, c);
	if (c >= 0x40) {
		finish(s, s->held_len <= sizeof(s->held) && csi_passes(s), out);
	}
}

static void
on_string(struct term_screen *s, uint8_t c, struct buf *out)
{
	if (c == ESC) {
		s->state = SCREEN_STRING_ESCAPE;
	} else if (c == CAN || c == SUB || (c == BEL && s->bell_ends)) {
		finish(s, false, out);
	}
}

static void
put_byte(struct term_screen *s, uint8_t c, struct buf *out)
{
	bool in_sequence = s->state == SCREEN_ESCAPE || s->state == SCREEN_CSI;

	/* What cannot go on ends what was held; the byte is judged anew. */
	if (in_sequence && (c < 0x20 || c >= 0x7f)) {
		finish(s, false, out);
	} else if (s->state == SCREEN_UTF8 && (c & 0xc0) != 0x80) {
		put_replacement(out);
		finish(s, false, out);
	} else if (s->state == SCREEN_STRING_ESCAPE && c != '\\') {
		begin(s, SCREEN_ESCAPE, ESC);
		put_byte(s, c, out);
		return;
	}
	switch (s->state) {
	case SCREEN_GROUND:
		on_ground(s, c, out);
		break;
	case SCREEN_UTF8:
		on_utf8(s, c, out);
		break;
	case SCREEN_ESCAPE:
		on_escape(s, c, out);
		break;
	case SCREEN_CSI:
		on_csi(s, c, out);
		break;
	case SCREEN_STRING:
		on_string(s, c, out);
		break;
	case SCREEN_STRING_ESCAPE:
		finish(s, false, out);
		break;
	case SCREEN__COUNT:
		break;
	}
}

void
term_screen_put(struct term_screen *s, const void *data, size_t len, struct buf *out)
{
	const uint8_t *p = data;
	const uint8_t *end = p + len;

	while (p < end) {
		const uint8_t *run = p;

		while (s->state == SCREEN_GROUND && p < end && term_is_plain(*p)) {
			p++;
		}
		buf_put(out, run, (size_t)(p - run));
		if (p < end) {
			put_byte(s, *p++, out);
		}
	}
}

void
term_screen_undo(const struct term_screen *s, struct buf *out)
{
	const struct {
		bool on;
		const char *undo;
	} rows[] = {
		{ s->region, "\0337\033[r\0338" }, /* setting it moves the cursor */
		{ s->inserting, "\033[4l" },
		{ s->keypad, "\033>" },
		{ s->drawing, "\033(B" },
		{ s->shifted, "\017" },
		{ s->shaped, "\033[0 q" },
		{ s->coloured, "\033[0m" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_puts(out, rows[i].on ? rows[i].undo : "");
	}
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if ((s->switched >> i & 1) != 0) {
			buf_printf(out, "\033[?%u%c", modes[i].number, modes[i].on ? 'h' : 'l');
		}
	}
	/* A saved cursor has colours and a character set of its own. */
	buf_puts(out, s->restored ? "\033(B\017\033[0m" : "");
}

void
term_screen_redo(const struct term_screen *s, struct buf *out)
{
	for (size_t i = ARRAY_LEN(modes); i-- > 0;) {
		if ((s->switched >> i & 1) != 0) {
			buf_printf(out, "\033[?%u%c", modes[i].number, modes[i].on ? 'l' : 'h');
		}
	}
	buf_puts(out, s->keypad ? "\033=" : "");
	buf_puts(out, s->drawing ? "\033(0" : "");
	buf_puts(out, s->shifted ? "\016" : "");
}

void
term_screen_flush(struct term_screen *s, struct buf *out)
{
	term_screen_undo(s, out);
	*s = (struct term_screen){ .state = SCREEN_GROUND };
}

void
term_screen_give_up(struct term_screen *s, struct buf *out)
{
	*s = (struct term_screen){ .switched = (UINT32_C(1) << ARRAY_LEN(modes)) - 1,
				   .coloured = true,
				   .inserting = true,
				   .keypad = true,
				   .region = true,
				   .drawing = true,
				   .shifted = true,
				   .shaped = true,
				   .restored = true };
	buf_putc(out, CAN);
	term_screen_flush(s, out);
}
