/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the supervisor with the caller's authority. How a value is written in each form; pure.
 * Ways of one unit never begin with each other, so that a text is read in one way only. Sources:
 * RFC 4648 (base64, base16), RFC 3986 §2 and the URL standard's form encoding, RFC 8259 §7.
 */
#include "scan_internal.h"

#include <string.h>

#include "../base/text.h"

static const char digits[] = "0123456789abcdef";
static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char *const line_breaks[] = { "\n", "\r\n", "\\n", "\\r\\n" };

static bool
is_plain(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void
put_text(struct scan_way *way, const char *text)
{
	for (; *text != '\0'; text++) {
		way->text[way->len++] = (uint8_t)*text;
	}
}

static void
put_digit(struct scan_way *way, unsigned int digit)
{
	if (digit > 9) {
		way->either |= (uint16_t)(1u << way->len);
	}
	way->text[way->len++] = (uint8_t)digits[digit];
}

static void
put_hex(struct scan_way *way, uint8_t byte)
{
	put_digit(way, byte >> 4);
	put_digit(way, byte & 15);
}

static struct scan_way *
add_way(struct scan_way *ways, unsigned int *count, uint8_t step)
{
	struct scan_way *way = &ways[(*count)++];

	way->len = 0;
	way->step = step;
	way->either = 0;
	way->breaks = false;
	return way;
}

static void
add_bytes(struct scan_way *ways, unsigned int *count, const uint8_t *bytes, uint8_t len)
{
	struct scan_way *way = add_way(ways, count, len);

	memcpy(way->text, bytes, len);
	way->len = len;
}

/* A byte that stands for itself. */
static unsigned int
itself(uint8_t byte, struct scan_way *ways)
{
	unsigned int count = 0;

	add_bytes(ways, &count, &byte, 1);
	if (byte == '\n') {
		put_text(add_way(ways, &count, 1), "\r\n"); /* as a terminal makes it */
	}
	return count;
}

static unsigned int
raw(const struct scan_pattern *p, size_t unit, struct scan_way *ways)
{
	return itself(p->value[unit], ways);
}

static unsigned int
reversed(const struct scan_pattern *p, size_t unit, struct scan_way *ways)
{
	return itself(p->value[p->len - 1 - unit], ways);
}

static unsigned int
hex(const struct scan_pattern *p, size_t unit, struct scan_way *ways)
{
	unsigned int count = 0;

	put_hex(add_way(ways, &count, 1), p->value[unit]);
	return count;
}

/* ---- base64 ---------------------------------------------------------------------------------- */

/* The first character that has no bit of what is before the value. */
static size_t
base64_first(unsigned int alignment)
{
	return (alignment * 8 + 5) / 6;
}

static unsigned int
base64(const struct scan_pattern *p, size_t unit, struct scan_way *ways)
{
	const unsigned int alignment = scan_shapes[p->shape].alignment;
	const size_t bit = (base64_first(alignment) + unit) * 6 - (size_t)alignment * 8;
	const size_t at = bit / 8;
	unsigned int two = (unsigned int)p->value[at] << 8;
	unsigned int count = 0;
	char c;

	two |= at + 1 < p->len ? p->value[at + 1] : 0;
	c = base64_digits[two >> (10 - bit % 8) & 63];
	add_bytes(ways, &count, (const uint8_t *)&c, 1);
	if (c == '+' || c == '/') {
		add_bytes(ways, &count, (const uint8_t *)(c == '+' ? "-" : "_"), 1);
	}
	return count;
}

/* ---- URL ------------------------------------------------------------------------------------- */

static void
add_percent(struct scan_way *ways, unsigned int *count, uint8_t byte)
{
	struct scan_way *way = add_way(ways, count, 1);

	put_text(way, "%");
	put_hex(way, byte);
}

static unsigned int
url_some(const struct scan_pattern *p, size_t unit, struct scan_way *ways)
{
	const uint8_t byte = p->value[unit];
	unsigned int count = 0;

	if (byte != '%') { /* one that stands for itself is the raw form */
		add_bytes(ways, &count, &byte, 1);
	}
	if (!is_plain(byte)) {
		add_percent(ways, &count, byte);
	}
	if (byte == ' ') {
		put_text(add_way(ways, &count, 1), "+");
	}
	return count;
}

static unsigned int
url_all(const struct scan_pattern *p, size_t unit, struct scan_way *ways)
{
	unsigned int count = 0;

	add_percent(ways, &count, p->value[unit]);
	return count;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/*
 * The length of the character of UTF-8 that begins at that byte, 0 when it is none: then *ret_char
 * stays. What follows in the value is looked at only, so a byte in the middle of one is none
 * either.
 */
static uint8_t
utf8_at(const struct scan_pattern *p, size_t unit, uint32_t *ret_char)
{
	return (uint8_t)text_utf8(p->value + unit, p->len - unit, ret_char);
}

static void
put_u(struct scan_way *way, uint32_t code)
{
	put_text(way, "\\u");
	put_hex(way, (uint8_t)(code >> 8));
	put_hex(way, (uint8_t)code);
}

static void
add_u(struct scan_way *ways, unsigned int *count, uint32_t c, uint8_t step)
{
	struct scan_way *way = add_way(ways, count, step);

	if (c < 0x10000) {
		put_u(way, c);
	} else {
		put_u(way, 0xd800 + ((c - 0x10000) >> 10));
		put_u(way, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

static unsigned int
json_all(const struct scan_pattern *p, size_t unit, struct scan_way *ways)
{
	unsigned int count = 0;
	uint32_t c = p->value[unit];
	uint8_t len = utf8_at(p, unit, &c);

	add_u(ways, &count, c, len == 0 ? 1 : len);
	if (len == 0) {
		add_u(ways, &count, 0xdc00 + c, 1); /* as Python keeps it */
	}
	return count;
}

static void
add_escape(struct scan_way *ways, unsigned int *count, uint8_t c)
{
	static const char chars[] = "\"\\/\b\f\n\r\t";
	static const char letters[] = "\"\\/bfnrt";
	const char *found = c != 0 ? strchr(chars, c) : NULL;

	if (found != NULL) {
		const char escape[] = { '\\', letters[found - chars], '\0' };

		put_text(add_way(ways, count, 1), escape);
	}
}

static unsigned int
json_some(const struct scan_pattern *p, size_t unit, struct scan_way *ways)
{
	const uint8_t byte = p->value[unit];
	unsigned int count = 0;
	uint8_t len = utf8_at(p, unit, NULL);

	if (is_plain(byte)) {
		add_bytes(ways, &count, &byte, 1);
		return count;
	}
	count = json_all(p, unit, ways);
	if (byte >= 0x20 && byte != '"' && byte != '\\') {
		add_bytes(ways, &count, p->value + unit, len == 0 ? 1 : len);
	}
	add_escape(ways, &count, byte);
	return count;
}

/* ---- all of them ----------------------------------------------------------------------------- */

const struct scan_shape scan_shapes[] = {
/* clang-format off */
#define SHAPE(form, spell, alignment, between, lines, widest) \
	{ SCAN_##form, (spell), (alignment), (between), (lines), (widest) },
#include "forms.def"
	/* clang-format on */
};
const unsigned int scan_shape_count = ARRAY_LEN(scan_shapes);
_Static_assert(ARRAY_LEN(scan_shapes) <= SHAPES_MAX, "a scanner has no room for so many");

const char *
scan_form_word(enum scan_form form)
{
	static const char *const words[SCAN__COUNT] = {
/* clang-format off */
#define FORM(name, word, what) [SCAN_##name] = (word),
#include "forms.def"
		/* clang-format on */
	};

	return words[form];
}

size_t
scan_units(const struct scan_shape *shape, size_t len)
{
	if (shape->form == SCAN_BASE64) {
		return (shape->alignment + len) * 8 / 6 - base64_first(shape->alignment);
	}
	return len;
}

/* The same way behind one text and another. */
static void
add_behind(struct scan_way *ways, unsigned int *count, const struct scan_way *way,
	   const char *const before[2])
{
	struct scan_way *more = add_way(ways, count, way->step);

	put_text(more, before[0]);
	put_text(more, before[1]);
	more->either = (uint16_t)(way->either << more->len);
	memcpy(more->text + more->len, way->text, way->len);
	more->len = (uint8_t)(more->len + way->len);
}

/* A line ends behind what is between, or before it, or instead of it. */
static void
add_broken(struct scan_way *ways, unsigned int *count, const struct scan_way *way,
	   const char *between)
{
	const unsigned int first = *count;

	for (size_t i = 0; i < ARRAY_LEN(line_breaks); i++) {
		add_behind(ways, count, way, (const char *[]){ line_breaks[i], "" });
		if (between[0] != '\0') {
			add_behind(ways, count, way, (const char *[]){ line_breaks[i], between });
			add_behind(ways, count, way, (const char *[]){ between, line_breaks[i] });
		}
	}
	for (unsigned int i = first; i < *count; i++) {
		ways[i].breaks = true;
	}
}

unsigned int
scan_ways(const struct scan_pattern *p, size_t unit, bool breaks, struct scan_way ways[WAYS_MAX])
{
	const struct scan_shape *shape = &scan_shapes[p->shape];
	struct scan_way bare[3];
	unsigned int bare_count, count = 0;

	if (unit == 0 || !shape->lines) {
		return shape->spell(p, unit, ways);
	}
	bare_count = shape->spell(p, unit, bare);
	for (unsigned int i = 0; i < bare_count; i++) {
		add_behind(ways, &count, &bare[i], (const char *[]){ shape->between, "" });
		if (breaks) {
			add_broken(ways, &count, &bare[i], shape->between);
		}
	}
	return count;
}
