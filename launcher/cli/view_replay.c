/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller; what is in a record is the callers' and the tools'. */
#include "view_replay.h"

#include <errno.h>
#include <string.h>

enum key_answer
key_answer_of(const struct record *rec)
{
	return key_answer(record_verdict(rec), record_answer(rec),
			  record_text(rec->planned, "retry"));
}

int
key_is_taken(int workflow_fd, const struct record *rec, struct key_entry *ret)
{
	auto_buf key = BUF_INIT;
	int rc = text_unvis(record_text(rec->planned, "key"), &key);

	if (rc < 0) {
		return rc;
	}
	return key.len > 0 && keys_read(workflow_fd, buf_text(&key), ret) == 0 &&
	       strcmp(ret->call, rec->id) != 0;
}

void
key_answer_put_not_done(struct buf *b, const struct record *rec)
{
	const json_t *last = json_array_get(rec->resolves, json_array_size(rec->resolves) - 1);
	const char *reason = record_text(last, "reason");

	buf_printf(b,
		   "uid %llu said of call %s that its work is not done%s%s; it is not tried again "
		   "under this key",
		   (unsigned long long)record_number(last, "actor.uid"), rec->id,
		   reason[0] != '\0' ? ": " : "", reason);
}

/* ---- the result JSON ------------------------------------------------------------------------ */

/* A new reference to a member of the record, or what stands there where it is absent. */
static json_t *
copy_or(const json_t *object, const char *path, json_t *absent)
{
	const json_t *m = record_get(object, path);

	if (m == NULL) {
		return absent;
	}
	json_decref(absent);
	return json_incref((json_t *)(uintptr_t)m);
}

static json_t *
number(const json_t *object, const char *path)
{
	return json_integer((json_int_t)record_number(object, path));
}

static json_t *
text_or_null_json(const char *text)
{
	return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *
changes(const json_t *outcome)
{
	static const char *const counts[] = { "created", "deleted", "held", "modified", "watched" };
	json_t *all = json_object();

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		const json_t *changed = json_object_get(outcome, "changes");

		json_object_set_new(all, counts[i], number(changed, counts[i]));
	}
	return all;
}

static json_t *
limits(const json_t *planned)
{
	static const char *const names[] = { "cpu",	   "cpu_time", "disk", "files", "memory",
					     "open_files", "output",   "pids", "wall" };
	json_t *all = json_object();

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const json_t *limit = json_object_get(planned, "limits");

		json_object_set_new(all, names[i], number(limit, names[i]));
	}
	return all;
}

static json_t *
usage(const json_t *outcome)
{
	static const char *const names[] = { "cpu_ms", "disk_bytes", "memory_peak", "pids_peak",
					     "wall_ms" };
	json_t *all = json_object();

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const json_t *used = json_object_get(outcome, "usage");

		json_object_set_new(all, names[i], number(used, names[i]));
	}
	json_object_set_new(all, "stderr_bytes", number(outcome, "stderr.bytes"));
	json_object_set_new(all, "stdout_bytes", number(outcome, "stdout.bytes"));
	return all;
}

static json_t *
input(const json_t *outcome)
{
	const json_t *tree = json_object_get(outcome, "in_tree");

	if (!json_is_object(tree)) {
		return json_null();
	}
	return json_string(json_is_true(json_object_get(tree, "unstable")) ? "unstable" : "stable");
}

static json_t *
not_replayed(const struct replay_said *said)
{
	json_t *list = json_array();

	/* sorted */
	for (int i = 1; i >= 0; i--) {
		if (said->lost[i]) {
			json_array_append_new(list, json_string(i == 0 ? "stdout" : "stderr"));
		}
	}
	return list;
}

static const char *
verdict_of(const struct record *rec, const struct replay_said *said)
{
	if (said->refused != NULL) {
		return "launch_failed";
	}
	return said->answer == KEY_DONE	    ? "ok"
	     : said->answer == KEY_NOT_DONE ? "interrupted"
					    : record_verdict(rec);
}

static json_t *
reason_of(const struct record *rec, const struct replay_said *said)
{
	auto_buf text = BUF_INIT;

	if (said->refused != NULL) {
		return json_string(said->refused);
	}
	if (said->answer == KEY_NOT_DONE) {
		key_answer_put_not_done(&text, rec);
		return json_string(buf_text(&text));
	}
	return text_or_null_json(record_text(rec->outcome, "reason"));
}

/* What the record has as the result has it. */
static void
put_recorded(json_t *all, const struct record *rec)
{
	static const struct {
		const char *member, *of;
		json_t *(*absent)(void);
	} copies[] = {
		{ "denials", "denials", json_array },
		{ "done_when", "done_when", json_array },
		{ "exit", "exit", json_null },
		{ "held_as", "held_as", json_null },
		{ "input_changed", "in_tree.changed", json_array },
		{ "isolation", "attestation", json_null },
		{ "missing_layers", "missing_layers", json_array },
		{ "signal", "signal", json_null },
	};

	for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
		json_object_set_new(all, copies[i].member,
				    copy_or(rec->outcome, copies[i].of, copies[i].absent()));
	}
	json_object_set_new(all, "changes", changes(rec->outcome));
	json_object_set_new(all, "denials_dropped", number(rec->outcome, "denials_dropped"));
	json_object_set_new(all, "input", input(rec->outcome));
	json_object_set_new(all, "key", copy_or(rec->planned, "key", json_null()));
	json_object_set_new(all, "limits", limits(rec->planned));
	json_object_set_new(all, "principal", text_or_null_json(record_principal(rec->planned)));
	json_object_set_new(all, "mode", copy_or(rec->planned, "mode", json_null()));
	json_object_set_new(all, "profile", copy_or(rec->planned, "profile.name", json_null()));
	json_object_set_new(all, "usage", usage(rec->outcome));
}

int
replay_result(const struct record *rec, const struct replay_said *said, struct buf *out)
{
	bool is_answered = said->refused == NULL;
	const char *call = is_answered ? rec->id : "";
	const char *settled = record_text(rec->outcome, "settled");
	json_t *all = json_object();
	int rc;

	put_recorded(all, rec);
	json_object_set_new(
		all, "attempt",
		json_integer((json_int_t)(record_number(rec->planned, "attempt") > 0
						  ? record_number(rec->planned, "attempt")
						  : 1)));
	json_object_set_new(all, "call", text_or_null_json(call));
	json_object_set_new(all, "not_replayed", not_replayed(said));
	json_object_set_new(all, "reason", reason_of(rec, said));
	json_object_set_new(all, "record", text_or_null_json(call));
	json_object_set_new(all, "replayed", json_boolean(is_answered));
	json_object_set_new(all, "resolved",
			    text_or_null_json(is_answered ? record_answer(rec) : ""));
	json_object_set_new(all, "settled", json_string(settled[0] != '\0' ? settled : "none"));
	json_object_set_new(all, "verdict", json_string(verdict_of(rec, said)));
	json_object_set_new(
		all, "workflow",
		text_or_null_json(is_answered ? record_text(rec->planned, "workflow") : ""));
	rc = record_put_json(all, out);
	buf_putc(out, '\n');
	return rc < 0 ? rc : buf_error(out);
}
