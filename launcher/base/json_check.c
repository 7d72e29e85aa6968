/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a text one JSON object (RFC 8259), so that it may stand verbatim in a record? The front links
 * no JSON library; this only says yes or no. Depth is bounded. Pure.
 */
#include <errno.h>
#include <string.h>

#include "json.h"
#include "text.h"

#define DEPTH_MAX 32
#define INTEGER_DIGITS 18
#define EXPONENT_DIGITS 2

struct cursor {
	const uint8_t *p, *end;
};

static bool value(struct cursor *c, int depth);

static void
skip_space(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r')) {
		c->p++;
	}
}

static bool
take(struct cursor *c, char wanted)
{
	skip_space(c);
	if (c->p < c->end && *c->p == (uint8_t)wanted) {
		c->p++;
		return true;
	}
	return false;
}

/* "uXXXX" behind a backslash; the code unit, or -1. */
static long
code_unit(struct cursor *c)
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";
	long unit = 0;

	if (c->end - c->p < 5 || *c->p != 'u') {
		return -1;
	}
	for (int i = 1; i <= 4; i++) {
		const char *digit = c->p[i] != 0 ? strchr(hex, c->p[i]) : NULL;

		if (digit == NULL) {
			return -1;
		}
		unit = unit << 4 | ((digit - hex) & 15);
	}
	c->p += 5;
	return unit;
}

/* A lone surrogate is no character: the readers of the record refuse it, so we do. */
static bool
escape(struct cursor *c)
{
	long unit;

	if (c->p == c->end) {
		return false;
	}
	if (*c->p != 'u') {
		return *c->p != 0 && strchr("\"\\/bfnrt", *c->p) != NULL && c->p++ != NULL;
	}
	unit = code_unit(c);
	if (unit < 0xd800 || unit > 0xdfff) {
		return unit > 0; /* U+0000 has no place in a C string of any reader */
	}
	if (unit > 0xdbff || c->p == c->end || *c->p++ != '\\') {
		return false;
	}
	unit = code_unit(c);
	return unit >= 0xdc00 && unit <= 0xdfff;
}

static bool
string(struct cursor *c)
{
	if (!take(c, '"')) {
		return false;
	}
	while (c->p < c->end) {
		uint32_t character;
		size_t len;

		if (*c->p == '"') {
			c->p++;
			return true;
		}
		if (*c->p == '\\') {
			c->p++;
			if (!escape(c)) {
				return false;
			}
			continue;
		}
		len = *c->p < 0x20 ? 0 : text_utf8(c->p, (size_t)(c->end - c->p), &character);
		if (len == 0) {
			return false;
		}
		c->p += len;
	}
	return false;
}

static size_t
digits(struct cursor *c)
{
	size_t n = 0;

	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
		n++;
	}
	return n;
}

/* Bounded to what every reader can hold: 18 digits before the point, exponents of two. */
static bool
number(struct cursor *c)
{
	size_t whole = 1;

	if (c->p < c->end && *c->p == '-') {
		c->p++;
	}
	if (c->p < c->end && *c->p == '0') {
		c->p++;
	} else {
		whole = digits(c);
	}
	if (whole == 0 || whole > INTEGER_DIGITS) {
		return false;
	}
	if (c->p < c->end && *c->p == '.') {
		c->p++;
		if (digits(c) == 0) {
			return false;
		}
	}
	if (c->p < c->end && (*c->p == 'e' || *c->p == 'E')) {
		c->p++;
		if (c->p < c->end && (*c->p == '+' || *c->p == '-')) {
			c->p++;
		}
		whole = digits(c);
		return whole > 0 && whole <= EXPONENT_DIGITS;
	}
	return true;
}

static bool
word(struct cursor *c, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(c->end - c->p) < len || memcmp(c->p, text, len) != 0) {
		return false;
	}
	c->p += len;
	return true;
}

static bool
members(struct cursor *c, int depth, bool named, char close)
{
	if (take(c, close)) {
		return true;
	}
	do {
		if (named && (!string(c) || !take(c, ':'))) {
			return false;
		}
		if (!value(c, depth)) {
			return false;
		}
	} while (take(c, ','));
	return take(c, close);
}

static bool
value(struct cursor *c, int depth)
{
	skip_space(c);
	if (c->p == c->end || depth == DEPTH_MAX) {
		return false;
	}
	switch (*c->p) {
	case '{':
		c->p++;
		return members(c, depth + 1, true, '}');
	case '[':
		c->p++;
		return members(c, depth + 1, false, ']');
	case '"':
		return string(c);
	case 't':
		return word(c, "true");
	case 'f':
		return word(c, "false");
	case 'n':
		return word(c, "null");
	default:
		return number(c);
	}
}

int
json_check_object(const char *text, size_t len)
{
	struct cursor c = { .p = (const uint8_t *)text, .end = (const uint8_t *)text + len };

	skip_space(&c);
	if (c.p == c.end || *c.p != '{' || !value(&c, 0)) {
		return -EINVAL;
	}
	skip_space(&c);
	return c.p == c.end ? 0 : -EINVAL;
}
