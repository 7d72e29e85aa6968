/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8259, of a document that was checked: what is not expected cannot come. */
#include "json_find.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *
skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

const char *
json_skip_text(const char *value)
{
	const char *p = value;

	for (p++; *p != '"' && *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0') {
			p++;
		}
	}
	return *p == '"' ? p + 1 : p;
}

static const char *
skip_value(const char *p)
{
	unsigned int depth = 0;

	do {
		if (*p == '"') {
			p = json_skip_text(p);
		} else if (*p == '{' || *p == '[') {
			depth++;
			p++;
		} else if (*p == '}' || *p == ']') {
			depth--;
			p++;
		} else if (depth == 0) {
			p += strcspn(p, ",}] \t\r\n");
		} else {
			p += strcspn(p, "\"{}[]");
		}
	} while (depth > 0 && *p != '\0');
	return p;
}

static void
put_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_u8(b, (uint8_t)c);
	} else if (c < 0x800) {
		buf_u8(b, (uint8_t)(0xc0 | c >> 6));
		buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_u8(b, (uint8_t)(0xe0 | c >> 12));
		buf_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buf_u8(b, (uint8_t)(0xf0 | c >> 18));
		buf_u8(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		buf_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

static uint32_t
four_digits(const char *p)
{
	char hex[5] = { p[0], p[1], p[2], p[3], '\0' };

	return (uint32_t)strtoul(hex, NULL, 16);
}

/* p is behind "\u"; the place behind its digits, and behind its other half where it has one. */
static const char *
put_unicode(struct buf *b, const char *p)
{
	uint32_t c = four_digits(p);

	p += 4;
	if (c >= 0xd800 && c < 0xdc00 && p[0] == '\\' && p[1] == 'u') {
		c = 0x10000 + ((c - 0xd800) << 10) + (four_digits(p + 2) - 0xdc00);
		p += 6;
	}
	put_utf8(b, c);
	return p;
}

/* p is at the opening quote. */
static void
put_text(struct buf *b, const char *p)
{
	static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	const char *end = json_skip_text(p) - 1;

	for (p++; p < end;) {
		const char *name;

		if (*p != '\\') {
			buf_putc(b, *p++);
			continue;
		}
		p++;
		if (*p == 'u') {
			p = put_unicode(b, p + 1);
			continue;
		}
		name = strchr(names, *p);
		buf_put(b, name != NULL ? bytes + (name - names) : p, 1);
		p++;
	}
}

const char *
json_next(const char **at, struct buf *ret_name)
{
	const char *p = skip_space(*at + 1); /* behind the brace or the comma */
	const char *value, *end;

	if (*p != '"') {
		return NULL;
	}
	put_text(ret_name, p);
	value = skip_space(skip_space(json_skip_text(p)) + 1);
	end = skip_space(skip_value(value));
	/* at the comma, or so that there is none behind */
	*at = *end == ',' ? end : end - 1;
	return value;
}

const char *
json_find(const char *object, const char *member)
{
	const char *found = NULL, *value, *at = skip_space(object);

	for (;;) {
		auto_buf name = BUF_INIT;

		value = json_next(&at, &name);
		if (value == NULL) {
			return found;
		}
		if (strcmp(buf_text(&name), member) == 0) {
			found = value;
		}
	}
}

bool
json_text(const char *value, struct buf *ret)
{
	if (value == NULL || *value != '"') {
		return false;
	}
	put_text(ret, value);
	return buf_error(ret) == 0;
}

bool
json_find_text(const char *object, const char *member, struct buf *ret)
{
	return json_text(json_find(object, member), ret);
}

bool
json_find_text_in(const char *object, const char *outer, const char *member, struct buf *ret)
{
	const char *value = json_find(object, outer);

	return value != NULL && *value == '{' && json_text(json_find(value, member), ret);
}
