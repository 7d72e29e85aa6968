/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, last: the result JSON, the line on stderr, the exit status. What came from a
 * tool is escaped.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/json.h"
#include "../base/text.h"
#include "front.h"

void
front_warn(struct front *f, const char *text)
{
	if (text != NULL && f->warning_count < ARRAY_LEN(f->warnings)) {
		f->warnings[f->warning_count++] = text;
	}
}

/* One line; a person's terminal gets nothing that acts on it. */
static void
say(const char *what, const char *text)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, text, strlen(text), false);
	dprintf(STDERR_FILENO, "airlock: %s%s\n", what, buf_text(&safe));
}

static void
result_input(struct json *j, const struct front *f)
{
	json_kv_str(j, "input", !f->tree_known ? NULL : f->tree.unstable ? "unstable" : "stable");
	json_key(j, "input_changed");
	front_changed_json(j, &f->tree_changed);
}

static void
result_denials_and_isolation(struct json *j, const struct front *f)
{
	json_key(j, "denials");
	denials_write(&f->outcome.denials, j);
	json_kv_uint(j, "denials_dropped", f->outcome.denials.dropped);
	json_key(j, "done_when");
	front_checks_json(j, f);
	json_kv_known(j, "exit", f->outcome.exit_code >= 0, f->outcome.exit_code);
	json_kv_str(j, "held_as", f->held_as);
	result_input(j, f);
	json_key(j, "isolation");
	if (f->outcome.attestation.len > 0) {
		json_raw(j, buf_text(&f->outcome.attestation), f->outcome.attestation.len);
	} else {
		json_put_null(j);
	}
	json_kv_bytes(j, "key", f->req.key);
}

static void
result_usage(struct json *j, const struct front *f)
{
	const struct usage *u = &f->outcome.usage;

	json_key(j, "usage");
	json_begin_object(j);
	json_kv_uint(j, "cpu_ms", u->cpu_ms);
	json_kv_uint(j, "disk_bytes", u->disk_bytes);
	json_kv_uint(j, "memory_peak", u->memory_peak_bytes);
	json_kv_uint(j, "pids_peak", u->pids_peak);
	json_kv_uint(j, "stderr_bytes", f->relay.spool[RELAY_STDERR].total_bytes);
	json_kv_uint(j, "stdout_bytes", f->relay.spool[RELAY_STDOUT].total_bytes);
	json_kv_uint(j, "wall_ms", u->wall_ms);
	json_end(j);
}

void
front_limits_json(struct json *j, const struct limits *l)
{
	json_begin_object(j);
	json_kv_uint(j, "cpu", l->cpu_percent);
	json_kv_uint(j, "cpu_time", l->cpu_time_ms);
	json_kv_uint(j, "disk", l->disk_bytes);
	json_kv_uint(j, "files", l->files);
	json_kv_uint(j, "memory", l->memory_bytes);
	json_kv_uint(j, "open_files", l->open_files);
	json_kv_uint(j, "output", l->output_bytes);
	json_kv_uint(j, "pids", l->pids);
	json_kv_uint(j, "wall", l->wall_ms);
	json_end(j);
}

const char *
front_reason(const struct front *f)
{
	if (f->outcome.reason[0] != '\0') {
		return f->outcome.reason;
	}
	return f->settle_reason;
}

/*
 * Without a planned part there is no call: "call" is null and the reason says what stood in the
 * way.
 */
static void
write_result(struct front *f, struct json *j, bool complete)
{
	const char *reason = f->recorded && complete ? front_reason(f) : f->err.text;
	char workflow[UUID_TEXT_SIZE];

	json_begin_object(j);
	json_kv_uint(j, "attempt", f->key.attempt > 0 ? f->key.attempt : 1);
	json_kv_str(j, "call", f->recorded ? f->req.call_text : NULL);
	json_key(j, "changes");
	json_begin_object(j);
	json_kv_uint(j, "created", f->changes.created);
	json_kv_uint(j, "deleted", f->changes.deleted);
	json_kv_uint(j, "held", f->changes.held);
	json_kv_uint(j, "modified", f->changes.modified);
	json_kv_uint(j, "watched", f->changes.watched);
	json_end(j);
	result_denials_and_isolation(j, f);
	json_key(j, "limits");
	front_limits_json(j, &f->req.limits);
	json_key(j, "missing_layers");
	denials_write(&f->layers, j);
	json_kv_str(j, "mode", profile_mode_words[f->req.mode]);
	json_key(j, "not_replayed");
	json_begin_array(j);
	json_end(j);
	json_kv_str(j, "principal", f->principal);
	json_kv_str(j, "profile", f->profile != NULL ? f->profile->name : NULL);
	json_kv_bytes(j, "reason", text_or_null(reason));
	json_kv_str(j, "record", f->recorded ? f->req.call_text : NULL);
	json_kv_bool(j, "replayed", false);
	json_kv_str(j, "resolved", NULL);
	json_kv_str(j, "settled", f->settled != NULL ? f->settled : "none");
	json_kv_known(j, "signal", f->outcome.signal != 0, f->outcome.signal);
	result_usage(j, f);
	json_kv_str(j, "verdict",
		    !complete && f->recorded ? "unknown"
		    : f->recorded	     ? verdict_name(f->outcome.verdict)
		    : f->outcome.verdict == VERDICT_INTERRUPTED
			    ? verdict_name(f->outcome.verdict)
			    : "launch_failed");
	text_uuid_print(f->workflow, workflow);
	json_kv_str(j, "workflow", f->recorded ? workflow : NULL);
	json_end(j);
}

/* is_file: airlock opened it, and what was in it goes. 0 or -errno. */
static int
deliver(int fd, bool is_file, const struct buf *text)
{
	/* EINVAL: a device or a fifo, which has nothing to cut. */
	if (is_file && ftruncate(fd, 0) < 0 && errno != EINVAL) {
		return -errno;
	}
	return fdio_write(fd, text->data, text->len);
}

void
front_deliver_result(const struct front *f, const struct buf *text)
{
	int rc = f->opt.result_fd >= 0 && text->len > 0
		       ? deliver(f->opt.result_fd, f->opt.result != NULL, text)
		       : 0;

	if (rc < 0) {
		say("the result JSON could not be written: ", strerror(-rc));
	}
}

bool
front_waits(const struct front *f)
{
	return strcmp(f->settled, "held") == 0 &&
	       (f->req.mode != MODE_PROPOSE || f->outcome.verdict != VERDICT_OK ||
		f->settle_reason != NULL);
}

int
front_exit_status(const struct front *f)
{
	const struct outcome *o = &f->outcome;

	switch (o->verdict) {
	case VERDICT_OK:
		return front_waits(f) ? EXIT_HELD : o->exit_code;
	case VERDICT_FAILED:
		return f->not_done ? EXIT_HELD : o->exit_code;
	case VERDICT_SIGNALED:
		return EXIT_SIGNAL_BASE + o->signal;
	case VERDICT_TIMEOUT:
		return EXIT_TIMEOUT;
	case VERDICT_OOM:
		return EXIT_OOM;
	case VERDICT_LAUNCH_FAILED:
		return o->exec_errno == ENOENT || o->exec_errno == ENOTDIR ? EXIT_NOT_FOUND
		     : o->exec_errno != 0				   ? EXIT_NOT_EXECUTABLE
									   : EXIT_AIRLOCK;
	case VERDICT_LIMIT:
	case VERDICT_LEAK:
	case VERDICT_DENIED:
	case VERDICT_INTERRUPTED:
	case VERDICT__COUNT:
		break;
	}
	return EXIT_AIRLOCK;
}

/* What exec itself refused: its event has the remedy. */
static void
explain_exec(struct front *f)
{
	const struct denials *d = &f->outcome.denials;

	if (f->outcome.exec_errno != 0 && d->count > 0) {
		say("", d->items[d->count - 1].hint);
	}
}

/* A line each: a reason may name a path, and a path may hold anything. */
static void
say_outcome(struct front *f)
{
	const struct outcome *o = &f->outcome;
	const char *reason = front_reason(f) != NULL ? front_reason(f) : "";
	bool held = front_waits(f);
	auto_buf failed = BUF_INIT, line = BUF_INIT;

	if (o->verdict != VERDICT_OK && o->verdict != VERDICT_FAILED &&
	    o->verdict != VERDICT_SIGNALED) {
		buf_printf(&failed, "%s: ", verdict_name(o->verdict));
		say(buf_text(&failed), reason);
	}
	if (f->not_done && !held) {
		say("failed: ", reason);
	}
	if (held) {
		buf_printf(&line, "%llu change%s not committed%s%s; airlock show %.13s",
			   (unsigned long long)f->changes.count, f->changes.count == 1 ? "" : "s",
			   f->settle_reason != NULL ? ": " : "",
			   f->settle_reason != NULL ? f->settle_reason : "", f->req.call_text);
		say("held: ", buf_text(&line));
	}
	explain_exec(f);
}

void
front_say_warnings(const struct front *f, size_t from)
{
	for (size_t i = from; !f->opt.quiet && i < f->warning_count; i++) {
		say("note: ", f->warnings[i]);
	}
}

void
front_result(struct front *f)
{
	bool complete = f->err.code == 0;
	auto_buf text = BUF_INIT;
	struct json j;

	front_spare_answers(f);
	if (f->recorded) { /* a refusal is one line */
		front_say_warnings(f, 0);
	}
	if (!complete) {
		if (f->exit_status == 0) {
			f->exit_status = EXIT_AIRLOCK;
		}
		if (!f->said) {
			say("", f->err.text);
		}
	} else {
		f->exit_status = front_exit_status(f);
		say_outcome(f);
		front_note(f);
	}
	front_explain(f);
	if (f->opt.result_fd >= 0) {
		json_init(&j, &text);
		write_result(f, &j, complete);
		buf_putc(&text, '\n');
		if (json_error(&j) == 0) {
			front_deliver_result(f, &text);
		}
	}
}

/*
 * Made by airlock-cli once the log is signed that far. Whoever asked for it must not take the
 * call for proven without: then the exit status is airlock's own, and the call is what its record
 * says.
 */
void
front_receipt(struct front *f, const char *call)
{
	const char *argv[] = { "airlock", "receipt", call, NULL };
	auto_buf text = BUF_INIT;
	int rc;

	if (f->opt.receipt_fd < 0) {
		return;
	}
	rc = front_read_cli(f, argv, &text);
	if (rc == 0) {
		rc = deliver(f->opt.receipt_fd, true, &text);
		if (rc == 0) {
			return;
		}
		buf_reset(&text);
	}
	if (text.len > 0) {
		say("no receipt: ", buf_text(&text));
	} else {
		say("no receipt: ", rc < 0 ? strerror(-rc) : "airlock-cli failed");
	}
	f->exit_status = EXIT_AIRLOCK;
}
