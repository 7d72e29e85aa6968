/* SPDX-License-Identifier: Apache-2.0 */
/* Runs everywhere, over bytes of any origin (names made by tools, output of tools); no policy. */
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const char hex_digits[16] = "0123456789abcdef";
static const char base64_digits[64] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
text_hex(const uint8_t *data, size_t len, char *ret_text)
{
	for (size_t i = 0; i < len; i++) {
		ret_text[2 * i] = hex_digits[data[i] >> 4];
		ret_text[2 * i + 1] = hex_digits[data[i] & 15];
	}
	ret_text[2 * len] = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
text_unhex(const char *text, uint8_t *ret_data, size_t len)
{
	for (size_t i = 0; i < 2 * len; i++) {
		if (hex_value(text[i]) < 0) {
			return -EINVAL;
		}
	}
	if (text[2 * len] != '\0') {
		return -EINVAL;
	}
	for (size_t i = 0; i < len; i++) {
		ret_data[i] = (uint8_t)((unsigned int)hex_value(text[2 * i]) << 4 |
					(unsigned int)hex_value(text[2 * i + 1]));
	}
	return 0;
}

const char *
text_numbers(const char *text, char between, uint64_t *ret_numbers, size_t count)
{
	uint64_t numbers[TEXT_NUMBERS_MAX] = { 0 };

	for (size_t i = 0; i < count; i++) {
		if (i > 0 && between != ' ' && *text++ != between) {
			return NULL;
		}
		text += strspn(text, " \t\n");
		if (i == TEXT_NUMBERS_MAX || *text < '0' || *text > '9') {
			return NULL;
		}
		for (numbers[i] = 0; *text >= '0' && *text <= '9'; text++) {
			if (__builtin_mul_overflow(numbers[i], UINT64_C(10), &numbers[i]) ||
			    __builtin_add_overflow(numbers[i], (uint64_t)(*text - '0'),
						   &numbers[i])) {
				return NULL;
			}
		}
	}
	memcpy(ret_numbers, numbers, count * sizeof(*ret_numbers));
	return text;
}

void
text_base64(struct buf *b, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)data[i] << 16;
		char quad[4];

		v |= n > 1 ? (uint32_t)data[i + 1] << 8 : 0;
		v |= n > 2 ? data[i + 2] : 0;
		quad[0] = base64_digits[v >> 18];
		quad[1] = base64_digits[v >> 12 & 63];
		quad[2] = (char)(n > 1 ? base64_digits[v >> 6 & 63] : '=');
		quad[3] = (char)(n > 2 ? base64_digits[v & 63] : '=');
		buf_put(b, quad, sizeof(quad));
	}
}

static int
base64_value(char c)
{
	const char *at = c != '\0' ? memchr(base64_digits, c, sizeof(base64_digits)) : NULL;

	return at != NULL ? (int)(at - base64_digits) : -1;
}

/* One group of four; the number of bytes in it (1..3), or -EINVAL. Bits that pad must be zero. */
static int
unbase64_quad(const char *p, bool is_last, uint8_t ret_bytes[3])
{
	uint32_t v = 0;
	int n = 3;

	if (p[3] == '=' && is_last) {
		n = p[2] == '=' ? 1 : 2;
	}
	for (int i = 0; i < 4; i++) {
		int digit = i <= n ? base64_value(p[i]) : 0;

		if (digit < 0) {
			return -EINVAL;
		}
		v = v << 6 | (uint32_t)digit;
	}
	if ((n == 1 && (v & 0xffff) != 0) || (n == 2 && (v & 0xff) != 0)) {
		return -EINVAL;
	}
	ret_bytes[0] = (uint8_t)(v >> 16);
	ret_bytes[1] = (uint8_t)(v >> 8);
	ret_bytes[2] = (uint8_t)v;
	return n;
}

/* What was put since `before` is taken back, so that a failure leaves b as it was. */
static int
take_back(struct buf *b, size_t before, int r)
{
	if (b->data != NULL) {
		b->len = before;
		b->data[before] = '\0';
	}
	return r;
}

int
text_unbase64(const char *text, struct buf *b)
{
	size_t len = strlen(text);
	size_t before = b->len;

	if (len % 4 != 0) {
		return -EINVAL;
	}
	for (size_t i = 0; i < len; i += 4) {
		uint8_t bytes[3];
		int n = unbase64_quad(text + i, i + 4 == len, bytes);

		if (n < 0) {
			return take_back(b, before, n);
		}
		buf_put(b, bytes, (size_t)n);
	}
	return buf_error(b);
}

int
text_uuid7(uint64_t now_ms, uint8_t ret_uuid[16])
{
	uint8_t random[10];
	size_t have = 0;

	while (have < sizeof(random)) {
		ssize_t n = getrandom(random + have, sizeof(random) - have, 0);

		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		have += n > 0 ? (size_t)n : 0;
	}
	for (unsigned int i = 0; i < 6; i++) {
		ret_uuid[i] = (uint8_t)(now_ms >> (40 - 8 * i));
	}
	memcpy(ret_uuid + 6, random, sizeof(random));
	ret_uuid[6] = (uint8_t)(0x70 | (ret_uuid[6] & 0x0f)); /* version 7 */
	ret_uuid[8] = (uint8_t)(0x80 | (ret_uuid[8] & 0x3f)); /* variant 10 */
	return 0;
}

static bool
uuid_dash_before(unsigned int byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void
text_uuid_print(const uint8_t uuid[16], char ret_text[UUID_TEXT_SIZE])
{
	char *p = ret_text;

	for (unsigned int i = 0; i < 16; i++) {
		if (uuid_dash_before(i)) {
			*p++ = '-';
		}
		*p++ = hex_digits[uuid[i] >> 4];
		*p++ = hex_digits[uuid[i] & 15];
	}
	*p = '\0';
}

int
text_uuid_parse(const char *text, uint8_t ret_uuid[16])
{
	uint8_t uuid[16];
	const char *p = text;

	for (unsigned int i = 0; i < 16; i++) {
		int high, low;

		if (uuid_dash_before(i) && *p++ != '-') {
			return -EINVAL;
		}
		high = hex_value(p[0]);
		low = high >= 0 ? hex_value(p[1]) : -1;
		if (low < 0) {
			return -EINVAL;
		}
		uuid[i] = (uint8_t)(high << 4 | low);
		p += 2;
	}
	if (*p != '\0') {
		return -EINVAL;
	}
	memcpy(ret_uuid, uuid, sizeof(uuid));
	return 0;
}

static bool
vis_plain(uint8_t c)
{
	return c > ' ' && c < 0x7f && c != '\\';
}

static void
put_octal(struct buf *b, uint8_t c)
{
	const char escape[4] = { '\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)),
				 (char)('0' + (c & 7)) };

	buf_put(b, escape, sizeof(escape));
}

void
text_vis(struct buf *b, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t plain = 0; /* bytes before i that need no escape and were not put yet */

	for (size_t i = 0; i < len; i++) {
		if (vis_plain(p[i])) {
			plain++;
			continue;
		}
		buf_put(b, p + i - plain, plain);
		plain = 0;
		put_octal(b, p[i]);
	}
	if (plain > 0) {
		buf_put(b, p + len - plain, plain);
	}
}

/* The byte of the escape at p, or -EINVAL. */
static int
octal_value(const char *p)
{
	if (p[0] != '\\' || p[1] < '0' || p[1] > '3' || p[2] < '0' || p[2] > '7' || p[3] < '0' ||
	    p[3] > '7') {
		return -EINVAL;
	}
	return (p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0');
}

static int
unvis(const char *text, bool strict, struct buf *b)
{
	size_t before = b->len;

	for (const char *p = text; *p != '\0';) {
		bool escaped = *p == '\\';
		int c = escaped ? octal_value(p) : (uint8_t)*p;

		if (c < 0 || (strict && escaped == vis_plain((uint8_t)c))) {
			return take_back(b, before, -EINVAL);
		}
		buf_u8(b, (uint8_t)c);
		p += escaped ? 4 : 1;
	}
	return buf_error(b);
}

int
text_unvis(const char *text, struct buf *b)
{
	return unvis(text, false, b);
}

int
text_unvis_strict(const char *text, struct buf *b)
{
	return unvis(text, true, b);
}

void
text_vis_line(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, "%s ", key);
	text_vis(b, value, strlen(value));
	buf_putc(b, '\n');
}

void
text_unvis_cut(const char *value, char *ret_text, size_t size)
{
	auto_buf b = BUF_INIT;

	if (text_unvis(value, &b) == 0) {
		snprintf(ret_text, size, "%s", buf_text(&b));
	}
}

size_t
text_utf8(const uint8_t *p, size_t len, uint32_t *ret_char)
{
	static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n;
	uint32_t c;

	if (len == 0) {
		return 0;
	}
	if (p[0] < 0x80) {
		n = 1;
		c = p[0];
	} else if (p[0] >= 0xc2 && p[0] < 0xe0) {
		n = 2;
		c = p[0] & 0x1f;
	} else if (p[0] >= 0xe0 && p[0] < 0xf0) {
		n = 3;
		c = p[0] & 0x0f;
	} else if (p[0] >= 0xf0 && p[0] < 0xf5) {
		n = 4;
		c = p[0] & 0x07;
	} else {
		return 0;
	}
	if (len < n) {
		return 0;
	}
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
		return 0;
	}
	if (ret_char != NULL) {
		*ret_char = c;
	}
	return n;
}

/*
 * Characters that a reader cannot see, or that move what he sees: controls, Unicode's format
 * characters (Cf), line and paragraph separators, what fonts ignore by default (fillers, variation
 * selectors, tags), private use. Ascending.
 */
/* clang-format off */
static const struct { uint32_t first, last; } unseen[] = {
	{ 0x0000, 0x001f },
	{ 0x007f, 0x009f },
	{ 0x00ad, 0x00ad },
	{ 0x034f, 0x034f },
	{ 0x0600, 0x0605 },
	{ 0x061c, 0x061c },
	{ 0x06dd, 0x06dd },
	{ 0x070f, 0x070f },
	{ 0x0890, 0x0891 },
	{ 0x08e2, 0x08e2 },
	{ 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0x3164, 0x3164 },
	{ 0xe000, 0xf8ff },
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },
	{ 0xfffe, 0xffff },
	{ 0x110bd, 0x110bd },
	{ 0x110cd, 0x110cd },
	{ 0x13430, 0x1345f },
	{ 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a },
	{ 0xe0000, 0x10ffff },
};
/* clang-format on */

static bool
is_seen(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_LEN(unseen) && c >= unseen[i].first; i++) {
		if (c <= unseen[i].last) {
			return false;
		}
	}
	return true;
}

void
text_safe(struct buf *b, const void *data, size_t len, bool keep_newlines)
{
	const uint8_t *p = data;

	while (len > 0) {
		uint32_t c = 0;
		size_t n = text_utf8(p, len, &c);

		if (n > 0 && (is_seen(c) || (keep_newlines && (c == '\n' || c == '\t')))) {
			buf_put(b, p, n);
		} else {
			n = n > 0 ? n : 1;
			for (size_t i = 0; i < n; i++) {
				put_octal(b, p[i]);
			}
		}
		p += n;
		len -= n;
	}
}

void
text_shell(struct buf *b, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789_./+,@%:=-";

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		buf_puts(b, word);
		return;
	}
	buf_putc(b, '\'');
	for (const char *p = word; *p != '\0'; p++) {
		if (*p == '\'') {
			buf_puts(b, "'\\''");
		} else {
			buf_putc(b, *p);
		}
	}
	buf_putc(b, '\'');
}
