/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A streaming writer of compact JSON with sorted keys (docs/formats.md §4), for the launcher's path
 * where no JSON library is linked. Keys of an object must come in ascending byte order: out of
 * order is a programming error and makes json_error() say -EINVAL, so that a test catches it. Byte
 * strings that are not UTF-8 are written with text_unvis-able escapes: invalid bytes, NUL and the
 * backslash become \ooo (so the JSON shows \\ooo); valid UTF-8 stays. jansson's JSON_COMPACT |
 * JSON_SORT_KEYS gives the same bytes for the same document. No name here is one of jansson's: both
 * are linked into airlock-cli.
 */
#ifndef AIRLOCK_BASE_JSON_H
#define AIRLOCK_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define JSON_DEPTH_MAX 16
#define JSON_KEY_MAX 64

struct json {
	struct buf *out; /* borrowed */
	unsigned int depth;
	bool misuse;
	bool is_started; /* the one value of the document was begun */
	bool has_key;    /* a key waits for its value */
	struct {
		bool is_object, has_items;
		char last_key[JSON_KEY_MAX];
	} level[JSON_DEPTH_MAX];
};

void json_init(struct json *j, struct buf *out);
/* 0 for one finished document; -ENOMEM; -EINVAL when keys were unsorted or too long, a key had not
 * exactly one value, nesting was unbalanced or too deep. After a misuse nothing more is written. */
int json_error(const struct json *j) must_check;
void json_key(struct json *j, const char *key); /* then exactly one value */
void json_begin_object(struct json *j);
void json_begin_array(struct json *j);
void json_end(struct json *j); /* closes the innermost object or array */
/* For text of our own. An invalid byte is still written as \ooo, so the JSON is valid; a backslash
 * stays, so this is not reversible: what somebody else chose goes through json_bytes. */
void json_str(struct json *j, const char *text);
void json_bytes(struct json *j, const void *data, size_t len);
void json_path(struct json *j, const char *path); /* as text_vis */
void json_hex(struct json *j, const uint8_t *data, size_t len);
void json_base64(struct json *j, const void *data, size_t len);
void json_int(struct json *j, int64_t v);
void json_uint(struct json *j, uint64_t v);
void json_bool(struct json *j, bool v);
void json_put_null(struct json *j);
/* Finished JSON, taken as it is (a context document that was checked before). */
void json_raw(struct json *j, const char *text, size_t len);

/* 0 when text is exactly one JSON object (RFC 8259), at most 32 deep; -EINVAL otherwise. Pure. */
int json_check_object(const char *text, size_t len) must_check;

/* key and value in one line, for the common cases. */
void json_kv_str(struct json *j, const char *key, const char *text); /* NULL writes null */
/* The same of a text that need not be UTF-8, and of a path. */
void json_kv_bytes(struct json *j, const char *key, const char *text);
void json_kv_path(struct json *j, const char *key, const char *path);
void json_kv_uint(struct json *j, const char *key, uint64_t v);
void json_kv_int(struct json *j, const char *key, int64_t v);
/* null when it is not known. */
void json_kv_known(struct json *j, const char *key, bool known, int64_t v);
void json_kv_bool(struct json *j, const char *key, bool v);
/* NULL writes null. */
void json_kv_hex(struct json *j, const char *key, const uint8_t *data, size_t len);

#endif
