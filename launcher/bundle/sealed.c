/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli and airlock-credd, as the caller. What an age file says is anybody's who
 * knows a recipient: a public key.
 */
#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/json.h"
#include "../base/json_find.h"
#include "../base/text.h"
#include "bundle_time.h"
#include "sealed_age.h"

#define PAYLOAD_FRAME 1024u /* bytes of a payload besides the value, at most */

/* ---- the room: three parts, each a payload and a NUL ----------------------------------------- */

/* A buffer that never grows: no text that is read from a payload is longer than the payload. */
static struct buf
part(const struct locked *room, unsigned int which)
{
	return (struct buf){ .data = room->data + (size_t)which * (CAP_SEALED_PAYLOAD + 1u),
			     .cap = CAP_SEALED_PAYLOAD + 1u };
}

static int
check_room(const struct locked *room, struct err *err)
{
	return room->size < SEALED_ROOM ? err_set(err, -EINVAL, "no room for a sealed file") : 0;
}

static int
too_large(struct err *err)
{
	return err_set(err, -EFBIG, "its payload is larger than %u KiB", CAP_SEALED_PAYLOAD >> 10);
}

/* ---- the payload ----------------------------------------------------------------------------- */

enum member { AAD, ID, NOT_AFTER, VALUE, VALUE_BASE64, MEMBER__COUNT };
enum aad_member { BUNDLE, ITEM, VERSION, AAD__COUNT };

static const char *const members[] = { "aad", "id", "not_after", "value", "value_base64" };
static const char *const aad_members[] = { "bundle", "item", "version" };

_Static_assert(ARRAY_LEN(members) == MEMBER__COUNT, "one name per member");
_Static_assert(ARRAY_LEN(aad_members) == AAD__COUNT, "one name per member");

/* Every member once, and no other; those that are not there stay NULL. */
static bool
take_members(const char *object, const char *const *names, size_t count, const char **ret_values)
{
	const char *at = object, *value;

	for (;;) {
		auto_secret_buf name = BUF_INIT; /* of a wrong payload it may be anything */
		size_t i = 0;

		if (buf_reserve(&name, CAP_SEALED_PAYLOAD) < 0) {
			return false;
		}
		value = json_next(&at, &name);
		if (value == NULL) {
			return true;
		}
		while (i < count && strcmp(names[i], buf_text(&name)) != 0) {
			i++;
		}
		if (i == count || ret_values[i] != NULL) {
			return false;
		}
		ret_values[i] = value;
	}
}

/* Whether the value is this text. */
static bool
is_text(const char *value, const char *text)
{
	auto_secret_buf there = BUF_INIT;

	return value != NULL && buf_reserve(&there, CAP_SEALED_PAYLOAD) == 0 &&
	       json_text(value, &there) && strcmp(buf_text(&there), text) == 0;
}

static bool
is_number(const char *value, uint64_t number)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)number);

	return value != NULL && strncmp(value, text, (size_t)n) == 0 &&
	       strchr(",} \t\r\n", value[n]) != NULL;
}

/* A file can be put at another place, and that must not change for whom its value is. */
static int
check_place(const char *aad, const struct sealed_place *place, struct err *err)
{
	const char *is[AAD__COUNT] = { NULL };
	const char *other;

	if (aad == NULL || *aad != '{' || !take_members(aad, aad_members, AAD__COUNT, is)) {
		return err_set(err, -EBADMSG, "its payload does not say where it belongs");
	}
	other = !is_text(is[BUNDLE], place->bundle)	? "bundle"
	      : !is_text(is[ITEM], place->item)		? "item"
	      : !is_number(is[VERSION], place->version) ? "version"
							: NULL;
	return other == NULL
		     ? 0
		     : err_set(err, -EBADMSG,
			       "it was made for another %s, not for %s/%s version %llu", other,
			       place->bundle, place->item, (unsigned long long)place->version);
}

static int
take_not_after(const char *value, uint64_t *ret_ms, struct err *err)
{
	auto_secret_buf text = BUF_INIT;

	*ret_ms = 0;
	if (value == NULL || strncmp(value, "null", 4) == 0) {
		return 0;
	}
	if (buf_reserve(&text, CAP_SEALED_PAYLOAD) < 0 || !json_text(value, &text) ||
	    bundle_time_parse(buf_text(&text), ret_ms) < 0) {
		return err_set(err, -EBADMSG, "its payload's not_after is no moment in UTC");
	}
	return 0;
}

static int
take_value(const char *text, const char *base64, const struct locked *room,
	   struct sealed_value *ret, struct err *err)
{
	struct buf read = part(room, 1), decoded = part(room, 2);
	struct buf *value = text != NULL ? &read : &decoded;

	if ((text == NULL) == (base64 == NULL)) {
		return err_set(err, -EBADMSG, "its payload has not one value");
	}
	if (!json_text(text != NULL ? text : base64, &read) ||
	    (base64 != NULL && text_unbase64(buf_text(&read), &decoded) < 0)) {
		return err_set(err, -EBADMSG, "its payload's value is not what its name says");
	}
	if (value->len == 0 || value->len > CAP_VALUE) {
		return err_set(err, -EBADMSG, "its value has %zu bytes; from 1 to %u may be",
			       value->len, CAP_VALUE);
	}
	ret->data = value->data;
	ret->len = value->len;
	return 0;
}

int
sealed_check(const struct sealed_place *place, struct locked *room, size_t len,
	     struct sealed_value *ret, struct err *err)
{
	const char *payload = (const char *)room->data, *is[MEMBER__COUNT] = { NULL };
	struct sealed_value value = { .data = NULL };
	int rc = check_room(room, err);

	if (rc < 0) {
		return rc;
	}
	if (len > CAP_SEALED_PAYLOAD) {
		return too_large(err);
	}
	room->data[len] = '\0';
	if (json_check_object(payload, len) < 0 ||
	    !take_members(payload + strspn(payload, " \t\r\n"), members, MEMBER__COUNT, is)) {
		return err_set(err, -EBADMSG,
			       "its payload is not JSON of id, value or value_base64, not_after "
			       "and aad");
	}
	if (is[ID] == NULL || *is[ID] != '"') {
		return err_set(err, -EBADMSG, "its payload has no id");
	}
	rc = check_place(is[AAD], place, err);
	rc = rc < 0 ? rc : take_not_after(is[NOT_AFTER], &value.not_after_ms, err);
	rc = rc < 0 ? rc : take_value(is[VALUE], is[VALUE_BASE64], room, &value, err);
	if (rc == 0) {
		*ret = value;
	}
	return rc;
}

/* ---- open ------------------------------------------------------------------------------------ */

/* All of it, or as much as a payload may have and one byte. */
static int
read_payload(int fd, struct locked *room, size_t *ret_len, struct err *err)
{
	uint64_t until = clock_monotonic_ns() + AGE_SECONDS * 1000000000ull, now;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	while ((now = clock_monotonic_ns()) < until && len <= CAP_SEALED_PAYLOAD) {
		int ready = poll(&p, 1, (int)((until - now) / 1000000u) + 1);
		ssize_t n =
			ready > 0 ? read(fd, room->data + len, CAP_SEALED_PAYLOAD + 1u - len) : -1;

		if (n > 0) {
			len += (size_t)n;
		} else if (n == 0) {
			*ret_len = len;
			return 0;
		} else if (ready > 0 && errno != EINTR) {
			return err_sys(err, -errno, "read from age");
		}
	}
	return len > CAP_SEALED_PAYLOAD
		     ? too_large(err)
		     : err_set(err, -ETIMEDOUT, "age had no answer after %u s", AGE_SECONDS);
}

int
sealed_open(int file_fd, int identity_fd, const struct sealed_place *place, struct locked *room,
	    struct sealed_value *ret, struct err *err)
{
	static const char *const argv[] = { SEALED_AGE, "--decrypt", "--identity", "/dev/fd/3",
					    NULL };
	auto_age_child age = AGE_CHILD_INIT;
	int pipes[2], rc = check_room(room, err);
	size_t len = 0;

	if (rc < 0) {
		return rc;
	}
	if (pipe2(pipes, O_CLOEXEC) < 0) {
		return err_sys(err, -errno, "start age");
	}
	age.argv = argv;
	age.in_fd = file_fd;
	age.out_fd = pipes[1];
	age.identity_fd = identity_fd;
	rc = age_start(&age, err);
	close(pipes[1]);
	rc = rc < 0 ? rc : read_payload(pipes[0], room, &len, err);
	close(pipes[0]);
	rc = rc < 0 ? rc : age_wait(&age, err);
	return rc < 0 ? rc : sealed_check(place, room, len, ret, err);
}

/* ---- make ------------------------------------------------------------------------------------ */

/* Whether a JSON text can have it, and is not longer than a payload may be. */
static bool
is_plain(const struct sealed_value *value)
{
	size_t len = value->len;

	for (size_t i = 0; i < value->len;) {
		const uint8_t *p = value->data + i;
		size_t n = text_utf8(p, value->len - i, NULL);

		if (n == 0 || (*p < ' ' && strchr("\n\r\t", *p) == NULL) || *p == '\0') {
			return false;
		}
		len += *p < ' ' || *p == '"' || *p == '\\' ? 1 : 0;
		i += n;
	}
	return len <= CAP_SEALED_PAYLOAD - PAYLOAD_FRAME;
}

static int
put_payload(const struct sealed_place *place, const struct sealed_value *value, struct buf *out)
{
	char id_text[UUID_TEXT_SIZE], not_after[BUNDLE_TIME_SIZE] = "";
	uint8_t id[16];
	struct json j;

	if (text_uuid7(clock_realtime_ms(), id) < 0 ||
	    (value->not_after_ms > 0 && bundle_time_print(value->not_after_ms, not_after) < 0)) {
		return -EINVAL;
	}
	text_uuid_print(id, id_text);
	json_init(&j, out);
	json_begin_object(&j);
	json_key(&j, "aad");
	json_begin_object(&j);
	json_kv_str(&j, "bundle", place->bundle);
	json_kv_str(&j, "item", place->item);
	json_kv_uint(&j, "version", place->version);
	json_end(&j);
	json_kv_str(&j, "id", id_text);
	json_kv_str(&j, "not_after", text_or_null(not_after));
	if (is_plain(value)) {
		json_kv_str(&j, "value", (const char *)value->data);
	} else {
		json_key(&j, "value_base64");
		json_base64(&j, value->data, value->len);
	}
	json_end(&j);
	return json_error(&j);
}

/* A child that ends or hangs is age_wait's to tell of. */
static void
send_all(int sock, const struct buf *payload)
{
	size_t sent = 0;

	while (sent < payload->len) {
		ssize_t n = send(sock, payload->data + sent, payload->len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return;
		}
		sent += (size_t)n;
	}
}

static int
run_age(const char *const *argv, const struct buf *payload, struct buf *ret_file, struct err *err)
{
	const struct timeval patience = { .tv_sec = AGE_SECONDS };
	auto_fd out = fdio_memfd("sealed", "", 0);
	auto_age_child age = AGE_CHILD_INIT;
	int pair[2], rc;

	if (out < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		return err_sys(err, out < 0 ? out : -errno, "start age");
	}
	age.argv = argv;
	age.in_fd = pair[1];
	age.out_fd = out;
	rc = setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0
		   ? err_sys(err, -errno, "start age")
		   : age_start(&age, err);
	close(pair[1]);
	if (rc == 0) {
		send_all(pair[0], payload);
	}
	close(pair[0]);
	rc = rc < 0 ? rc : age_wait(&age, err);
	if (rc == 0 && lseek(out, 0, SEEK_SET) < 0) {
		rc = err_sys(err, -errno, "read from age");
	}
	if (rc == 0) {
		int n = fdio_slurp(out, CAP_SEALED_FILE, ret_file);

		rc = n < 0 ? err_sys(err, n, "read from age")
		   : ret_file->len == 0
			   ? err_set(err, -EBADMSG, "age said that all is well, and wrote nothing")
			   : 0;
	}
	return rc;
}

int
sealed_make(const char *const *recipients, size_t count, const struct sealed_place *place,
	    const struct sealed_value *value, struct locked *room, struct buf *ret_file,
	    struct err *err)
{
	auto_free const char **argv = calloc(2 * count + 3, sizeof(*argv));
	struct buf payload = part(room, 0);
	int rc = check_room(room, err);

	if (rc < 0 || argv == NULL) {
		return rc < 0 ? rc : err_sys(err, -ENOMEM, "seal a value");
	}
	if (value->len == 0 || value->len > CAP_VALUE) {
		return err_set(err, -EINVAL, "a value has from 1 to %u bytes, and this has %s",
			       CAP_VALUE, value->len == 0 ? "none" : "more");
	}
	argv[0] = SEALED_AGE;
	argv[1] = "--encrypt";
	for (size_t i = 0; i < count; i++) {
		argv[2 + 2 * i] = "--recipient";
		argv[3 + 2 * i] = recipients[i];
	}
	rc = put_payload(place, value, &payload);
	if (rc < 0) {
		return err_sys(err, rc, "seal a value");
	}
	return run_age(argv, &payload, ret_file, err);
}
