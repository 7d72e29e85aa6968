/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock-cli replay CALL [--stdin] [--result-fd N]`, started by the front: the recorded answer of
 * a call in the place of a retry under its key. Writes the tool's recorded streams as they are (the
 * front filters what goes to a terminal; here it is escaped), the result JSON, and exits as the
 * call did. Runs as the caller; what is in a record is the callers' and the tools'.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/sha256.h"
#include "commands.h"
#include "view_replay.h"

#define CHUNK 65536u

struct replay {
	struct reading reading;
	struct record rec;
	struct replay_said said;
	bool has_stdin;
	int result_fd; /* -1: none */
	struct err err;
};

/* One line; a person's terminal gets nothing that acts on it. */
static void
say(const char *what, const char *text)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, text, strlen(text), false);
	fprintf(stderr, "airlock: %s%s\n", what, buf_text(&safe));
}

/* ---- stdin ---------------------------------------------------------------------------------- */

/* Bytes that were there, at most size; -errno. */
static ssize_t
read_some(bool has_stdin, void *buffer, size_t size)
{
	ssize_t n;

	do {
		n = has_stdin ? read(STDIN_FILENO, buffer, size) : 0;
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* 1 when the input begins with what the call read, and ends there where the call saw its end. */
static int
is_same_input(const struct replay *r, uint64_t bytes, const uint8_t digest[SHA256_SIZE], bool ends)
{
	uint8_t chunk[CHUNK], seen[SHA256_SIZE];
	struct sha256 hash;
	ssize_t n = 1;

	sha256_init(&hash);
	for (uint64_t left = bytes; left > 0; left -= (uint64_t)n) {
		n = read_some(r->has_stdin, chunk, left < sizeof(chunk) ? left : sizeof(chunk));
		if (n <= 0) {
			return n < 0 ? (int)n : 0;
		}
		sha256_update(&hash, chunk, (size_t)n);
	}
	sha256_final(&hash, seen);
	if (bytes > 0 && memcmp(seen, digest, sizeof(seen)) != 0) {
		return 0;
	}
	n = ends ? read_some(r->has_stdin, chunk, 1) : 0;
	return n < 0 ? (int)n : n == 0;
}

/* Another input is another request. What somebody typed into a terminal is none of it. */
static int
check_stdin(struct replay *r)
{
	const json_t *stdin_of = json_object_get(r->rec.outcome, "stdin");
	uint8_t digest[SHA256_SIZE] = { 0 };
	int same;

	if (json_is_true(json_object_get(r->rec.planned, "terminal"))) {
		return 0;
	}
	if (record_number(stdin_of, "bytes") > 0 &&
	    text_unhex(record_text(stdin_of, "digest"), digest, sizeof(digest)) < 0) {
		return err_set(&r->err, -EBADMSG,
			       "the record of call %s has no digest of its input", r->rec.id);
	}
	same = is_same_input(r, record_number(stdin_of, "bytes"), digest,
			     json_is_true(json_object_get(stdin_of, "eof")));
	if (same < 0) {
		return err_sys(&r->err, same, "read standard input");
	}
	if (r->has_stdin) {
		auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		/* whoever sends more need not wait for us */
		if (null < 0 || dup2(null, STDIN_FILENO) < 0) {
			return err_sys(&r->err, -errno, "let standard input go");
		}
		r->has_stdin = false;
	}
	return same > 0 ? 0
			: err_set(&r->err, -EEXIST,
				  "the key was used by call %s for another request: other stdin; a "
				  "new request wants a new key",
				  r->rec.id);
}

/* ---- what the tool had written -------------------------------------------------------------- */

static int
write_out(int fd, const struct buf *content)
{
	auto_buf safe = BUF_INIT;

	if (isatty(fd) != 1) {
		return fdio_write(fd, content->data, content->len);
	}
	text_safe(&safe, content->data, content->len, true);
	return buf_error(&safe) != 0 ? -ENOMEM : fdio_write(fd, safe.data, safe.len);
}

/* What was not kept, or is gone since, is told and in the result. */
static int
put_stream(struct replay *r, const char *name, int fd)
{
	const json_t *stream = json_object_get(r->rec.outcome, name);
	uint64_t bytes = record_number(stream, "bytes");
	auto_buf content = BUF_INIT, line = BUF_INIT;
	struct err why = ERR_INIT;
	int rc = object_stream(&r->reading, &r->rec, name, &content, &why);

	if (rc < 0) {
		buf_reset(&content);
		buf_printf(&line, "not replayed: %s", why.text);
	} else if (content.len < bytes) {
		buf_printf(&line, "replayed in part: %s: the first %zu of %llu bytes were kept",
			   name, content.len, (unsigned long long)bytes);
	}
	rc = write_out(fd, &content);
	if (rc < 0 && rc != -EPIPE) {
		return err_sys(&r->err, rc, "write %s", name);
	}
	if (line.len > 0) {
		r->said.lost[fd == STDOUT_FILENO ? 0 : 1] = true;
		say("note: ", buf_text(&line));
	}
	return 0;
}

/* Held, and not because the mode says so: what was asked for did not happen. */
static bool
waits(const struct replay *r, const char *verdict, const char *reason)
{
	return strcmp(record_settled(&r->rec), "held") == 0 &&
	       (strcmp(record_text(r->rec.planned, "mode"), "propose") != 0 ||
		strcmp(verdict, "ok") != 0 || reason[0] != '\0');
}

/* As `airlock run` says it: what ended the call where its tool did not, what waits. */
static void
say_outcome(const struct replay *r)
{
	const char *verdict = record_verdict(&r->rec);
	const char *reason = record_text(r->rec.outcome, "reason");
	bool is_of_tool = strcmp(verdict, "failed") == 0 || strcmp(verdict, "signaled") == 0;
	bool is_ok = strcmp(verdict, "ok") == 0;
	auto_buf what = BUF_INIT, line = BUF_INIT;

	if (!is_ok && !is_of_tool) {
		buf_printf(&what, "%s: ", verdict);
		say(buf_text(&what), reason);
	}
	if (waits(r, verdict, reason)) {
		uint64_t count = record_number(r->rec.outcome, "changes.created") +
				 record_number(r->rec.outcome, "changes.deleted") +
				 record_number(r->rec.outcome, "changes.modified");

		buf_printf(&line, "%llu change%s not committed%s%s; airlock show %.13s",
			   (unsigned long long)count, count == 1 ? "" : "s",
			   is_ok && reason[0] != '\0' ? ": " : "", is_ok ? reason : "", r->rec.id);
		say("held: ", buf_text(&line));
	}
}

/* ---- the answer ----------------------------------------------------------------------------- */

static int
replay_outcome(struct replay *r)
{
	const json_t *status = json_object_get(r->rec.outcome, "status");
	int rc;

	if (!json_is_number(status)) {
		return err_set(&r->err, -ENODATA,
			       "call %s was recorded by an airlock that kept no exit status: its "
			       "answer cannot be given again",
			       r->rec.id);
	}
	rc = check_stdin(r);
	rc = rc < 0 ? rc : put_stream(r, "stdout", STDOUT_FILENO);
	rc = rc < 0 ? rc : put_stream(r, "stderr", STDERR_FILENO);
	if (rc < 0) {
		return rc;
	}
	say_outcome(r);
	return (int)(record_value(status) & 0xff);
}

static int
say_not_done(struct replay *r)
{
	auto_buf why = BUF_INIT;

	key_answer_put_not_done(&why, &r->rec);
	say("interrupted: ", buf_text(&why));
	return EXIT_AIRLOCK;
}

/* The exit status; -errno: nothing is answered, r->err says why. */
static int
replay_call(struct replay *r, const char *call)
{
	int rc = reading_open_quiet(&r->reading, &r->err);

	rc = rc < 0 ? rc : record_load(&r->reading, call, &r->rec, &r->err);
	if (rc < 0) {
		return rc;
	}
	r->said.answer = key_answer_of(&r->rec);
	switch (r->said.answer) {
	case KEY_REPLAY:
		return replay_outcome(r);
	case KEY_DONE:
		return 0;
	case KEY_NOT_DONE:
		return say_not_done(r);
	case KEY_FREE:
	case KEY_AGAIN:
	case KEY_UNKNOWN:
	case KEY_ANSWER__COUNT:
		break;
	}
	return err_set(&r->err, -ENODATA, "call %s has no answer that could be given again",
		       r->rec.id);
}

static int
finish(struct replay *r, int status)
{
	auto_buf text = BUF_INIT;
	int rc;

	if (status < 0) {
		r->said.refused = r->err.text;
		say("", r->err.text);
		status = EXIT_AIRLOCK;
	}
	if (r->result_fd < 0) {
		return status;
	}
	rc = replay_result(&r->rec, &r->said, &text);
	rc = rc < 0 ? rc : fdio_write(r->result_fd, text.data, text.len);
	if (rc < 0) {
		say("the result JSON could not be written: ", strerror(-rc));
	}
	return status;
}

static void
replay_close(struct replay *r)
{
	record_finish(&r->rec);
	reading_finish(&r->reading);
}

/* The front's own words: anything else is nobody's. */
static int
parse(struct replay *r, int argc, char **argv)
{
	uint64_t fd;

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--stdin") == 0) {
			r->has_stdin = true;
		} else if (strcmp(argv[i], "--result-fd") == 0 && i + 1 < argc &&
			   text_numbers(argv[i + 1], ' ', &fd, 1) != NULL && fd <= INT_MAX) {
			r->result_fd = (int)fd;
			i++;
		} else {
			return -EINVAL;
		}
	}
	return argc > 1 ? 0 : -EINVAL;
}

int
cmd_replay(int argc, char **argv)
{
	__attribute__((cleanup(replay_close))) struct replay r = {
		.reading = READING_INIT, .rec = RECORD_INIT, .result_fd = -1, .err = ERR_INIT
	};

	if (parse(&r, argc, argv) < 0) {
		fputs("usage: airlock-cli replay CALL [--stdin] [--result-fd N]\n", stderr);
		return EXIT_AIRLOCK;
	}
	return finish(&r, replay_call(&r, argv[1]));
}
