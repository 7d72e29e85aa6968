/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in the front, as the caller; strings come from the caller, from the workspace and from the
 * tool. Spells strings as jansson does, so that a document is the same whoever wrote it.
 */
#include "json.h"

#include <errno.h>
#include <string.h>

#include "text.h"

void
json_init(struct json *j, struct buf *out)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
}

int
json_error(const struct json *j)
{
	if (j->misuse || j->depth > 0 || !j->is_started) {
		return -EINVAL;
	}
	return buf_error(j->out);
}

/* Comma and place for one value; false when none may stand here. */
static bool
begin_value(struct json *j)
{
	if (j->depth == 0) {
		j->misuse = j->misuse || j->is_started;
		j->is_started = true;
	} else if (j->level[j->depth - 1].is_object) {
		j->misuse = j->misuse || !j->has_key;
		j->has_key = false;
	} else {
		if (j->level[j->depth - 1].has_items) {
			buf_putc(j->out, ',');
		}
		j->level[j->depth - 1].has_items = true;
	}
	return !j->misuse;
}

static void
put_escaped(struct buf *b, uint8_t c)
{
	static const char *const names[32] = {
		['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r",
	};

	if (c == '"' || c == '\\') {
		buf_putc(b, '\\');
		buf_putc(b, (char)c);
	} else if (names[c] != NULL) {
		buf_puts(b, names[c]);
	} else {
		buf_printf(b, "\\u%04X", c);
	}
}

/*
 * octal_too: a byte that becomes \ooo although it is valid UTF-8, or -1 for none. NUL is one
 * always: readers refuse \u0000.
 */
static void
put_string(struct buf *b, const uint8_t *p, size_t len, int octal_too)
{
	size_t plain = 0; /* bytes before p that stand for themselves and were not put yet */

	buf_putc(b, '"');
	while (len > 0) {
		size_t n = text_utf8(p, len, NULL);

		if (n > 0 && *p >= 0x20 && *p != '"' && *p != '\\') {
			plain += n;
		} else {
			buf_put(b, p - plain, plain);
			plain = 0;
			if (n == 0 || *p == 0 || *p == octal_too) {
				n = 1;
				buf_printf(b, "\\\\%03o", *p);
			} else {
				put_escaped(b, *p);
			}
		}
		p += n;
		len -= n;
	}
	if (plain > 0) {
		buf_put(b, p - plain, plain);
	}
	buf_putc(b, '"');
}

void
json_key(struct json *j, const char *key)
{
	size_t len = strlen(key);

	if (j->misuse || j->depth == 0 || !j->level[j->depth - 1].is_object || j->has_key ||
	    len >= JSON_KEY_MAX ||
	    (j->level[j->depth - 1].has_items &&
	     strcmp(key, j->level[j->depth - 1].last_key) <= 0)) {
		j->misuse = true;
		return;
	}
	if (j->level[j->depth - 1].has_items) {
		buf_putc(j->out, ',');
	}
	memcpy(j->level[j->depth - 1].last_key, key, len + 1);
	j->level[j->depth - 1].has_items = true;
	j->has_key = true;
	put_string(j->out, (const uint8_t *)key, len, -1);
	buf_putc(j->out, ':');
}

static void
open_level(struct json *j, bool is_object)
{
	if (!begin_value(j) || j->depth == JSON_DEPTH_MAX) {
		j->misuse = true;
		return;
	}
	j->level[j->depth].is_object = is_object;
	j->level[j->depth].has_items = false;
	j->depth++;
	buf_putc(j->out, is_object ? '{' : '[');
}

void
json_begin_object(struct json *j)
{
	open_level(j, true);
}

void
json_begin_array(struct json *j)
{
	open_level(j, false);
}

void
json_end(struct json *j)
{
	if (j->misuse || j->depth == 0 || j->has_key) {
		j->misuse = true;
		return;
	}
	j->depth--;
	buf_putc(j->out, j->level[j->depth].is_object ? '}' : ']');
}

void
json_str(struct json *j, const char *text)
{
	if (begin_value(j)) {
		put_string(j->out, (const uint8_t *)text, strlen(text), -1);
	}
}

void
json_bytes(struct json *j, const void *data, size_t len)
{
	if (begin_value(j)) {
		put_string(j->out, data, len, '\\');
	}
}

void
json_path(struct json *j, const char *path)
{
	auto_buf vis = BUF_INIT;

	text_vis(&vis, path, strlen(path));
	if (buf_error(&vis) < 0) {
		j->out->failed = true;
	}
	json_str(j, buf_text(&vis));
}

void
json_hex(struct json *j, const uint8_t *data, size_t len)
{
	if (!begin_value(j)) {
		return;
	}
	buf_putc(j->out, '"');
	for (size_t i = 0; i < len; i++) {
		char pair[3];

		text_hex(data + i, 1, pair);
		buf_put(j->out, pair, 2);
	}
	buf_putc(j->out, '"');
}

void
json_base64(struct json *j, const void *data, size_t len)
{
	if (begin_value(j)) {
		buf_putc(j->out, '"');
		text_base64(j->out, data, len);
		buf_putc(j->out, '"');
	}
}

void
json_int(struct json *j, int64_t v)
{
	if (begin_value(j)) {
		buf_printf(j->out, "%lld", (long long)v);
	}
}

void
json_uint(struct json *j, uint64_t v)
{
	if (begin_value(j)) {
		buf_printf(j->out, "%llu", (unsigned long long)v);
	}
}

void
json_bool(struct json *j, bool v)
{
	if (begin_value(j)) {
		buf_puts(j->out, v ? "true" : "false");
	}
}

void
json_put_null(struct json *j)
{
	if (begin_value(j)) {
		buf_puts(j->out, "null");
	}
}

void
json_raw(struct json *j, const char *text, size_t len)
{
	if (begin_value(j)) {
		buf_put(j->out, text, len);
	}
}

void
json_kv_str(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	if (text != NULL) {
		json_str(j, text);
	} else {
		json_put_null(j);
	}
}

void
json_kv_bytes(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	if (text != NULL) {
		json_bytes(j, text, strlen(text));
	} else {
		json_put_null(j);
	}
}

void
json_kv_path(struct json *j, const char *key, const char *path)
{
	json_key(j, key);
	if (path != NULL) {
		json_path(j, path);
	} else {
		json_put_null(j);
	}
}

void
json_kv_uint(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_uint(j, v);
}

void
json_kv_int(struct json *j, const char *key, int64_t v)
{
	json_key(j, key);
	json_int(j, v);
}

void
json_kv_known(struct json *j, const char *key, bool known, int64_t v)
{
	json_key(j, key);
	if (known) {
		json_int(j, v);
	} else {
		json_put_null(j);
	}
}

void
json_kv_bool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}

void
json_kv_hex(struct json *j, const char *key, const uint8_t *data, size_t len)
{
	json_key(j, key);
	if (data != NULL) {
		json_hex(j, data, len);
	} else {
		json_put_null(j);
	}
}
