/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock cat`: one stream or file of a call. Runs in airlock-cli as the caller. The bytes are the
 * tool's: to a pipe or a file they go as they are, on a terminal they are escaped.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/fdio.h"
#include "commands.h"
#include "view_record.h"

struct wanted {
	const char *digest;
	struct buf *out;
};

/* The text of the first entry with the digest; 1 ends the walk. */
static int
take_profile(void *arg, const struct index_event *event)
{
	struct wanted *w = arg;
	json_t *record;
	int rc;

	if (strcmp(event->digest, w->digest) != 0) {
		return 0;
	}
	record = json_loadb(event->record, event->record_len, 0, NULL);
	rc = text_unvis(record_text(record, "text"), w->out);
	json_decref(record);
	return rc < 0 ? rc : 1;
}

/* What held: effective values, each with its file and line. */
static int
fetch_profile(struct reading *r, const struct record *rec, struct buf *out, struct err *err)
{
	struct wanted w = { .digest = record_text(rec->planned, "profile.digest"), .out = out };
	int rc = index_events(r->ix, "profile.load", take_profile, &w, err);

	if (rc == 0) {
		return err_set(err, -ENODATA,
			       "profile %s: its values are in no entry: the call is older than "
			       "that they are",
			       w.digest);
	}
	return rc < 0 && err->code != rc ? err_sys(err, rc, "read the profile") : rc < 0 ? rc : 0;
}

static int
fetch(struct reading *r, const struct record *rec, const char *what, struct buf *out,
      struct err *err)
{
	static const char *const streams[] = { "stdin", "stdout", "stderr" };
	auto_buf path = BUF_INIT;
	const char *colon = strchr(what, ':');
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		if (strcmp(what, streams[i]) == 0) {
			return object_stream(r, rec, what, out, err);
		}
	}
	if (strcmp(what, "profile") == 0) {
		return fetch_profile(r, rec, out, err);
	}
	if (strncmp(what, "in:", 3) != 0 && strncmp(what, "out:", 4) != 0) {
		return err_set(err, -EINVAL,
			       "cat takes stdin, stdout, stderr, profile, in:PATH or out:PATH");
	}
	if (rec->outcome == NULL) {
		return err_set(err, -ENODATA,
			       "the call has no outcome, so no file of it is recorded");
	}
	rc = object_path(rec, colon + 1, &path, err);
	if (rc != 0) {
		return rc;
	}
	return what[0] == 'i' ? object_in(r, rec, buf_text(&path), out, err)
			      : object_out(r, rec, buf_text(&path), out, err);
}

/* A stream of which only the start was kept must not pass for the whole. */
static void
warn_cut(const struct record *rec, const char *what, const struct buf *content)
{
	const json_t *stream = json_object_get(rec->outcome, what);
	uint64_t bytes = record_number(stream, "bytes");

	if (stream != NULL && strchr(what, ':') == NULL && content->len < bytes) {
		fprintf(stderr, "airlock: %s: the first %zu of %llu bytes; the rest was not kept\n",
			what, content->len, (unsigned long long)bytes);
	}
}

int
cmd_cat(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_reading r = READING_INIT;
	auto_record rec = RECORD_INIT;
	auto_buf content = BUF_INIT, safe = BUF_INIT;
	struct err err = ERR_INIT;
	bool raw = false;
	int rc = command_line_flag(&cl, 2, 2, &raw);

	if (rc >= 0) {
		return rc;
	}
	rc = reading_open(&r, &err);
	if (rc == 0) {
		rc = record_load(&r, cl.operand[0], &rec, &err);
	}
	if (rc == 0) {
		rc = fetch(&r, &rec, cl.operand[1], &content, &err);
	}
	if (rc != 0) {
		return commands_fail(1, &err);
	}
	if (!raw && isatty(STDOUT_FILENO) == 1) {
		text_safe(&safe, content.data, content.len, true);
		rc = buf_error(&safe) != 0 ? -ENOMEM
					   : fdio_write(STDOUT_FILENO, safe.data, safe.len);
	} else {
		rc = fdio_write(STDOUT_FILENO, content.data, content.len);
	}
	if (rc != 0) {
		ignore_err(err_sys(&err, rc, "standard output"), "it is returned below");
		return commands_fail(1, &err);
	}
	warn_cut(&rec, cl.operand[1], &content);
	return 0;
}
