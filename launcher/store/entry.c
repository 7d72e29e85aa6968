/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in the front (print), in airlock-log and airlock-cli (both ways), as the caller. Trusts
 * nothing in a payload: the file may have been edited.
 */
#include "entry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "../base/cleanup.h"

static const struct {
	const char *word;
	bool of_call;
} types[ENTRY__COUNT] = {
/* clang-format off */
#define ENTRY_TYPE(id, word, of_call) [ENTRY_##id] = { word, of_call },
#include "entry_types.def"
#undef ENTRY_TYPE
	/* clang-format on */
};

const char *
entry_type_word(enum entry_type type)
{
	return types[type].word;
}

bool
entry_type_is_of_call(enum entry_type type)
{
	return types[type].of_call;
}

bool
entry_type_find(const char *word, enum entry_type *ret_type)
{
	for (enum entry_type t = 0; t < ENTRY__COUNT; t++) {
		if (strcmp(types[t].word, word) == 0) {
			*ret_type = t;
			return true;
		}
	}
	return false;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* What is left of a payload, cut from both ends. */
struct rest {
	const uint8_t *p;
	size_t len;
};

static bool
take_text(struct rest *r, const char *text)
{
	size_t len = strlen(text);

	if (r->len < len || memcmp(r->p, text, len) != 0) {
		return false;
	}
	r->p += len;
	r->len -= len;
	return true;
}

static bool
take_end(struct rest *r, const char *text)
{
	size_t len = strlen(text);

	if (r->len < len || memcmp(r->p + r->len - len, text, len) != 0) {
		return false;
	}
	r->len -= len;
	return true;
}

/* An id in its one spelling: another one of the same id would be a second call. */
static bool
take_uuid(struct rest *r, char ret[UUID_TEXT_SIZE])
{
	char text[UUID_TEXT_SIZE], canonical[UUID_TEXT_SIZE];
	uint8_t uuid[16];

	if (r->len < UUID_TEXT_SIZE - 1) {
		return false;
	}
	memcpy(text, r->p, UUID_TEXT_SIZE - 1);
	text[UUID_TEXT_SIZE - 1] = '\0';
	if (text_uuid_parse(text, uuid) != 0) {
		return false;
	}
	text_uuid_print(uuid, canonical);
	if (strcmp(text, canonical) != 0) {
		return false;
	}
	memcpy(ret, canonical, UUID_TEXT_SIZE);
	r->p += UUID_TEXT_SIZE - 1;
	r->len -= UUID_TEXT_SIZE - 1;
	return true;
}

static bool
unhex(const uint8_t *digits, uint8_t *ret, size_t len)
{
	char text[HEX_DIGEST_SIZE];

	memcpy(text, digits, 2 * len);
	text[2 * len] = '\0';
	return text_unhex(text, ret, len) == 0;
}

/* From the end: `,"salt":"`, 32 digits, `","type":"call.planned"}`; before it is the record. */
static bool
cut_record(struct entry *e, struct rest r, const char *word)
{
	const size_t hex_len = 2 * (size_t)ENTRY_SALT_SIZE;

	if (!take_end(&r, "\"}") || !take_end(&r, word) || !take_end(&r, "\",\"type\":\"") ||
	    r.len < hex_len || !unhex(r.p + r.len - hex_len, e->salt, ENTRY_SALT_SIZE)) {
		return false;
	}
	r.len -= hex_len;
	if (!take_end(&r, ",\"salt\":\"") || r.len < 2) {
		return false;
	}
	e->record = r.p;
	e->record_len = r.len;
	return true;
}

/* `<digest>","forgotten":true,"type":"call.planned","workflow":"<uuid>"}`, then spaces. */
static bool
cut_forgotten(struct entry *e, struct rest r, const char *type_mid)
{
	const size_t hex_len = 2 * (size_t)SHA256_SIZE;

	if (r.len < hex_len || !unhex(r.p, e->digest, SHA256_SIZE)) {
		return false;
	}
	r.p += hex_len;
	r.len -= hex_len;
	if (!take_text(&r, "\",\"forgotten\":true,\"type\":\"") || !take_text(&r, type_mid) ||
	    !take_text(&r, "\",\"workflow\":\"") || !take_uuid(&r, e->forgotten) ||
	    !take_text(&r, "\"}")) {
		return false;
	}
	while (r.len > 0 && r.p[0] == ' ') {
		r.p++;
		r.len--;
	}
	return r.len == 0;
}

static void
digest_of(const uint8_t salt[ENTRY_SALT_SIZE], const void *record, size_t len,
	  uint8_t ret[SHA256_SIZE])
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, salt, ENTRY_SALT_SIZE);
	sha256_update(&hash, record, len);
	sha256_final(&hash, ret);
}

bool
entry_slice(const uint8_t *json, size_t len, struct entry *ret)
{
	struct rest r = { .p = json, .len = len };
	struct entry e = { .type = 0 };
	bool forgotten;

	if (!take_text(&r, "{\"call\":\"") || !take_uuid(&r, e.call)) {
		return false;
	}
	forgotten = take_text(&r, "\",\"digest\":\"");
	if (!forgotten && !take_text(&r, "\",\"record\":")) {
		return false;
	}
	for (enum entry_type t = 0; t < ENTRY__COUNT; t++) {
		if (types[t].of_call == (strcmp(e.call, ENTRY_NO_CALL) == 0)) {
			continue;
		}
		if (forgotten ? types[t].of_call && cut_forgotten(&e, r, types[t].word)
			      : cut_record(&e, r, types[t].word)) {
			e.type = t;
			if (!forgotten) {
				digest_of(e.salt, e.record, e.record_len, e.digest);
			}
			*ret = e;
			return true;
		}
	}
	return false;
}

/* ---- writing ------------------------------------------------------------------------------ */

int
entry_print(enum entry_type type, const char *call, const void *record, size_t record_len,
	    struct buf *out)
{
	uint8_t salt[ENTRY_SALT_SIZE];
	char hex[2 * ENTRY_SALT_SIZE + 1];

	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt)) {
		return -errno;
	}
	text_hex(salt, sizeof(salt), hex);
	buf_printf(out, "{\"call\":\"%s\",\"record\":", call);
	buf_put(out, record, record_len);
	buf_printf(out, ",\"salt\":\"%s\",\"type\":\"%s\"}", hex, types[type].word);
	return buf_error(out);
}

int
entry_print_forgotten(const struct entry *e, const char *workflow, size_t len, struct buf *out)
{
	const size_t before = out->len;
	char digest[HEX_DIGEST_SIZE];

	if (!types[e->type].of_call) {
		return -EINVAL;
	}
	text_hex(e->digest, SHA256_SIZE, digest);
	buf_printf(out,
		   "{\"call\":\"%s\",\"digest\":\"%s\",\"forgotten\":true,\"type\":\"%s\","
		   "\"workflow\":\"%s\"}",
		   e->call, digest, types[e->type].word, workflow);
	if (buf_error(out) != 0) {
		return buf_error(out);
	}
	if (out->len - before > len) {
		return -ENOSPC;
	}
	while (out->len - before < len && buf_error(out) == 0) {
		buf_putc(out, ' ');
	}
	return buf_error(out);
}

void
entry_leaf(enum entry_type type, const char *call, const uint8_t digest[SHA256_SIZE],
	   struct buf *out)
{
	char hex[HEX_DIGEST_SIZE];

	text_hex(digest, SHA256_SIZE, hex);
	buf_printf(out, "{\"call\":\"%s\",\"digest\":\"%s\",\"type\":\"%s\"}", call, hex,
		   types[type].word);
}
