/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli, airlock-credd and the front, as the caller. */
#include "owed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/json.h"
#include "../base/json_find.h"

#define COMMAND_MAX 256u
#define WAIT_LEAST_MS 10000u /* before it is asked again in passing; twice as long each time */
#define WAIT_DOUBLED 9u	     /* times at most: 85 minutes */

void
owed_name(const char *call, const char *item, struct buf *ret)
{
	buf_printf(ret, "%s.%s", call, item);
}

/* One line more; what was cut short before it is a line of its own. */
static int
append(int fd, struct buf *line, int rc)
{
	buf_putc(line, '\n');
	rc = rc < 0 ? rc : buf_error(line);
	if (rc < 0 || lseek(fd, 0, SEEK_END) < 0) {
		return rc < 0 ? rc : -errno;
	}
	rc = fdio_write(fd, line->data, line->len);
	return rc < 0 ? rc : fdatasync(fd) < 0 ? -errno : 0;
}

int
owed_begin(int fd, const struct owed *o)
{
	auto_buf line = BUF_INIT;
	struct json j;

	json_init(&j, &line);
	json_begin_object(&j);
	json_kv_str(&j, "bundle", o->bundle);
	json_kv_str(&j, "call", o->call);
	json_key(&j, "command");
	json_begin_array(&j);
	for (size_t i = 0; i < o->command_count; i++) {
		json_str(&j, o->command[i]);
	}
	json_end(&j);
	json_kv_str(&j, "id", o->id);
	json_kv_str(&j, "item", o->item);
	json_kv_str(&j, "profile", o->profile);
	json_kv_str(&j, "provider", o->provider);
	json_kv_uint(&j, "v", 1);
	json_end(&j);
	return append(fd, &line, json_error(&j));
}

int
owed_answered(int fd, const char *handle, bool is_none)
{
	auto_buf line = BUF_INIT;
	struct json j;

	buf_putc(&line, '\n');
	json_init(&j, &line);
	json_begin_object(&j);
	json_kv_bool(&j, "given", !is_none);
	json_kv_str(&j, "handle", handle);
	json_end(&j);
	return append(fd, &line, json_error(&j));
}

int
owed_tried(int fd, const struct owed *o, uint64_t now_ms, const char *error)
{
	auto_buf line = BUF_INIT;
	struct stat st;
	struct json j;

	/* who fails for years must not make of the file one that nobody can read */
	if (fstat(fd, &st) < 0 ||
	    (st.st_size > OWED_TRIES_MAX && ftruncate(fd, (off_t)o->said_len) < 0)) {
		return -errno;
	}
	buf_putc(&line, '\n');
	json_init(&j, &line);
	json_begin_object(&j);
	json_kv_str(&j, "error", error);
	json_kv_uint(&j, "tried", now_ms);
	json_kv_uint(&j, "tries", o->tries + 1);
	json_end(&j);
	return append(fd, &line, json_error(&j));
}

bool
owed_is_due(const struct owed *o, uint64_t now_ms)
{
	uint64_t doubled = o->tries > WAIT_DOUBLED ? WAIT_DOUBLED : o->tries - 1;

	/* a clock that was set back keeps nobody waiting */
	return o->tries == 0 || now_ms < o->tried_ms ||
	       now_ms - o->tried_ms >= (uint64_t)WAIT_LEAST_MS << doubled;
}

static const char *
text_of(struct arena *a, const char *object, const char *member)
{
	auto_buf text = BUF_INIT;

	return json_find_text(object, member, &text) ? arena_string(a, buf_text(&text)) : NULL;
}

/* How many texts a list has; -1 where it has something else. ret, where it is given, has them. */
static int
take_list(struct arena *a, const char *list, const char **ret)
{
	const char *p = list;
	int count = 0;

	if (p == NULL || *p != '[') {
		return -1;
	}
	for (p += 1 + strspn(p + 1, " ,"); *p == '"'; count++) {
		auto_buf text = BUF_INIT;

		if (count >= (int)COMMAND_MAX || !json_text(p, &text)) {
			return -1;
		}
		if (ret != NULL) {
			ret[count] = arena_string(a, buf_text(&text));
		}
		p = json_skip_text(p);
		p += strspn(p, " ,");
	}
	return *p == ']' ? count : -1;
}

static int
read_first(struct arena *a, const char *line, struct owed *o)
{
	const char *list = json_find(line, "command");
	int count = take_list(a, list, NULL);

	o->bundle = text_of(a, line, "bundle");
	o->item = text_of(a, line, "item");
	o->call = text_of(a, line, "call");
	o->provider = text_of(a, line, "provider");
	o->id = text_of(a, line, "id");
	o->profile = text_of(a, line, "profile");
	o->handle = "";
	if (count <= 0 || o->bundle == NULL || o->item == NULL || o->call == NULL ||
	    o->provider == NULL || o->id == NULL || o->profile == NULL) {
		return -EBADMSG;
	}
	o->command = arena_alloc(a, ((size_t)count + 1) * sizeof(*o->command));
	if (o->command == NULL) {
		return -ENOMEM;
	}
	o->command_count = (size_t)count;
	return take_list(a, list, o->command) == count ? 0 : -EBADMSG;
}

/* end: where the line ends in the file. */
static void
read_more(struct arena *a, const char *line, size_t end, struct owed *o)
{
	const char *given = json_find(line, "given"), *tried = json_find(line, "tried");
	const char *tries = json_find(line, "tries");
	const char *handle = text_of(a, line, "handle");

	if (given != NULL) {
		o->is_none = strncmp(given, "false", 5) == 0;
		o->handle = handle != NULL ? handle : "";
		o->said_len = end;
	}
	if (tried != NULL) {
		uint64_t said = tries != NULL ? strtoull(tries, NULL, 10) : 0;

		o->tries = said > o->tries ? said : o->tries + 1;
		o->tried_ms = strtoull(tried, NULL, 10);
	}
}

int
owed_read(const struct buf *bytes, struct arena *arena, struct owed *ret)
{
	const char *start = buf_text(bytes), *p = start, *end;
	struct owed o = { .bundle = NULL };
	int rc = -ENODATA;

	/* by lengths: of what was not written when the power went there may be NUL bytes */
	for (; (end = memchr(p, '\n', bytes->len - (size_t)(p - start))) != NULL; p = end + 1) {
		size_t len = (size_t)(end - p), line_end = (size_t)(end - start) + 1;
		char *line = arena_copy(arena, p, len);
		bool is_right = line != NULL && json_check_object(line, len) == 0;

		if (rc == -ENODATA) {
			rc = is_right ? read_first(arena, line, &o) : -EBADMSG;
			o.said_len = line_end;
		} else if (is_right) {
			read_more(arena, line, line_end, &o);
		}
	}
	if (rc == -ENODATA && strlen(p) != bytes->len) {
		rc = -EBADMSG; /* its first line was there before its name was */
	}
	rc = rc == 0 && arena_failed(arena) ? -ENOMEM : rc;
	if (rc == 0) {
		*ret = o;
	}
	return rc;
}
