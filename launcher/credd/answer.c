/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-credd and airlock-cli. Trusts nothing in the bytes. No I/O. */
#include "answer.h"

#include <errno.h>
#include <string.h>

#include "../base/json.h"
#include "../base/json_find.h"
#include "../bundle/bundle_time.h"

#define CODE_MAX 64u
#define SHORT_VALUE 6u /* of fewer bytes, one is in any text by chance */

enum member { ERRORS, EXPIRES_AT, HANDLE, VERSION, REVOKED, VALUES, MEMBER__COUNT };

static const char *const members[] = { "errors",	  "expiresAt", "handle",
				       "protocolVersion", "revoked",   "values" };

_Static_assert(ARRAY_LEN(members) == MEMBER__COUNT, "one name per member");

struct reader {
	const char *json;
	struct buf room; /* for one text at a time; no text is longer than the answer */
	const char *is[MEMBER__COUNT];
};

/* The text that a value is, in the room; false where it is none. */
static bool
text(struct reader *r, const char *value)
{
	r->room.len = 0;
	return value != NULL && json_text(value, &r->room);
}

/* The value of a member that may be there once: 0, or -EBADMSG. NULL: it is not there. */
static int
find_once(struct reader *r, const char *object, const char *name, const char **ret)
{
	const char *at = object, *value;

	*ret = NULL;
	for (;;) {
		r->room.len = 0;
		value = json_next(&at, &r->room);
		if (value == NULL) {
			return 0;
		}
		if (r->room.len != strlen(name) || memcmp(r->room.data, name, r->room.len) != 0) {
			continue;
		}
		if (*ret != NULL) {
			return -EBADMSG;
		}
		*ret = value;
	}
}

/* What is in it of an id: nothing where it is no object. */
static int
find_of(struct reader *r, enum member which, const char *id, const char **ret)
{
	const char *object = r->is[which];

	*ret = NULL;
	return object == NULL ? 0 : *object != '{' ? -EBADMSG : find_once(r, object, id, ret);
}

static bool
is_version_1(const char *value)
{
	return value != NULL && *value == '1' && strchr(",} \t\r\n", value[1]) != NULL;
}

static int
open_answer(struct reader *r, uint8_t *room, size_t len, struct err *err)
{
	*r = (struct reader){ .json = (const char *)room,
			      .room = { .data = room + CAP_ANSWER + 1, .cap = CAP_ANSWER + 1 } };
	if (len > CAP_ANSWER) {
		return err_set(err, -EFBIG, "its answer is larger than %u KiB", CAP_ANSWER >> 10);
	}
	room[len] = '\0';
	if (json_check_object(r->json, len) < 0) {
		return err_set(err, -EBADMSG, "its answer is no JSON object");
	}
	r->json += strspn(r->json, " \t\r\n");
	for (size_t i = 0; i < MEMBER__COUNT; i++) {
		if (find_once(r, r->json, members[i], &r->is[i]) < 0) {
			return err_set(err, -EBADMSG, "its answer has %s twice", members[i]);
		}
	}
	return is_version_1(r->is[VERSION])
		     ? 0
		     : err_set(err, -EBADMSG, "its answer is not of protocolVersion 1");
}

/* A word that can be shown; what else it says may be anything. */
static bool
is_code(const struct buf *b)
{
	return b->len > 0 && b->len <= CODE_MAX &&
	       strspn((const char *)b->data, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					     "0123456789_.-") == b->len;
}

/* 0 where there is no error for the id. */
static int
check_errors(struct reader *r, const char *id, struct err *err)
{
	const char *error, *code = NULL;

	if (find_of(r, ERRORS, id, &error) < 0) {
		return err_set(err, -EBADMSG, "its answer's errors are none");
	}
	if (error == NULL) {
		return 0;
	}
	if (*error != '{' || find_once(r, error, "code", &code) < 0 || !text(r, code) ||
	    !is_code(&r->room)) {
		return err_set(err, -EACCES, "it answered with an error");
	}
	return err_set(err, -EACCES, "it answered with the error %s", (const char *)r->room.data);
}

static int
take_expiry(struct reader *r, uint64_t *ret_ms, struct err *err)
{
	const char *value = r->is[EXPIRES_AT];

	*ret_ms = 0;
	if (value == NULL || strncmp(value, "null", 4) == 0) {
		return 0;
	}
	return text(r, value) && strlen((const char *)r->room.data) == r->room.len &&
			       bundle_time_parse((const char *)r->room.data, ret_ms) == 0
		     ? 0
		     : err_set(err, -EBADMSG,
			       "its answer's expiresAt is no moment such as "
			       "2027-01-01T00:00:00Z");
}

static int
take_handle(struct reader *r, char ret[ANSWER_HANDLE_SIZE], struct err *err)
{
	const char *value = r->is[HANDLE];

	ret[0] = '\0';
	if (value == NULL || strncmp(value, "null", 4) == 0) {
		return 0;
	}
	if (!text(r, value) || r->room.len >= ANSWER_HANDLE_SIZE) {
		return err_set(err, -EBADMSG, "its answer's handle is no text of at most %u bytes",
			       ANSWER_HANDLE_SIZE - 1);
	}
	for (size_t i = 0; i < r->room.len; i++) {
		if (r->room.data[i] < 0x20 || r->room.data[i] > 0x7e) {
			return err_set(err, -EBADMSG, "its answer's handle is not all of ASCII");
		}
	}
	memcpy(ret, r->room.data, r->room.len);
	ret[r->room.len] = '\0';
	return 0;
}

/* Last of all, and it stays in the room. */
static int
take_value(struct reader *r, const char *id, struct answer *ret, struct err *err)
{
	const char *value;

	if (find_of(r, VALUES, id, &value) < 0) {
		return err_set(err, -EBADMSG, "its answer's values are not one for each id");
	}
	if (!text(r, value)) {
		return err_set(err, -EBADMSG, "its answer has no value for the id");
	}
	if (r->room.len == 0 || r->room.len > CAP_VALUE) {
		return err_set(err, -EBADMSG, "its value has %zu bytes; from 1 to %u may be",
			       r->room.len, CAP_VALUE);
	}
	/* a handle is kept, and shown */
	if (r->room.len >= SHORT_VALUE &&
	    memmem(ret->handle, strlen(ret->handle), r->room.data, r->room.len) != NULL) {
		return err_set(err, -EBADMSG, "its answer's handle has the value in it");
	}
	ret->value = r->room.data;
	ret->len = r->room.len;
	return 0;
}

int
answer_read(uint8_t *room, size_t len, const char *id, struct answer *ret, struct err *err)
{
	struct answer a = { .value = NULL };
	struct reader r;
	int rc = open_answer(&r, room, len, err);

	rc = rc < 0 ? rc : take_handle(&r, a.handle, err);
	rc = rc < 0 ? rc : take_expiry(&r, &a.expires_ms, err);
	if (rc == 0) {
		const char *value;

		rc = check_errors(&r, id, err);
		/* who says both may have given something */
		a.is_refused =
			rc == -EACCES && find_of(&r, VALUES, id, &value) == 0 && value == NULL;
	}
	rc = rc < 0 ? rc : take_value(&r, id, &a, err);
	*ret = a;
	return rc;
}

/* Whether the list has the text. */
static bool
lists(struct reader *r, const char *list, const char *id)
{
	const char *p = list;

	if (p == NULL || *p != '[') {
		return false;
	}
	for (p += 1 + strspn(p + 1, " \t\r\n"); *p == '"';) {
		if (text(r, p) && r->room.len == strlen(id) &&
		    memcmp(r->room.data, id, r->room.len) == 0) {
			return true;
		}
		p = json_skip_text(p);
		p += strspn(p, " \t\r\n,");
	}
	return false;
}

int
answer_revoked(uint8_t *room, size_t len, const char *id, struct err *err)
{
	struct reader r;
	int rc = open_answer(&r, room, len, err);

	rc = rc < 0 ? rc : check_errors(&r, id, err);
	if (rc < 0) {
		return rc;
	}
	return lists(&r, r.is[REVOKED], id)
		     ? 0
		     : err_set(err, -EBADMSG, "its answer does not say that it is revoked");
}

static void
ask(const char *verb, const char *provider, const char *id, const char *lease, const char *handle,
    struct buf *ret)
{
	bool is_revoke = strcmp(verb, "revoke") == 0;
	struct json j;

	json_init(&j, ret);
	json_begin_object(&j);
	if (handle[0] != '\0') {
		json_kv_str(&j, "handle", handle);
	}
	if (!is_revoke) {
		json_key(&j, verb);
		json_begin_array(&j);
		json_str(&j, id);
		json_end(&j);
	}
	if (lease != NULL) {
		json_kv_str(&j, "lease", lease);
	}
	json_kv_uint(&j, "protocolVersion", 1);
	json_kv_str(&j, "provider", provider);
	if (is_revoke) {
		json_key(&j, verb);
		json_begin_array(&j);
		json_str(&j, id);
		json_end(&j);
	}
	json_end(&j);
	ret->failed = ret->failed || json_error(&j) < 0;
}

void
answer_ask(const char *provider, const char *id, const char *lease, struct buf *ret)
{
	ask("ids", provider, id, lease, "", ret);
}

void
answer_ask_revoke(const char *provider, const char *id, const char *lease, const char *handle,
		  struct buf *ret)
{
	ask("revoke", provider, id, lease, handle, ret);
}
