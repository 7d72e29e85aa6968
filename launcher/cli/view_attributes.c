/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as the caller. Strings of a record are the callers' and the tools'; they go
 * into JSON, whose writer escapes them.
 */
#include "view_attributes.h"

#include <stdio.h>
#include <string.h>

#include "view_show.h"

static json_t *
new_text(const struct buf *b)
{
	return buf_error(b) == 0 && b->len > 0 ? json_stringn(buf_text(b), b->len) : NULL;
}

static bool
is_verdict(const struct attribute_of *of, const char *verdict)
{
	return strcmp(record_verdict(of->rec), verdict) == 0;
}

/* ---- made values -------------------------------------------------------------------------- */

static json_t *
make_command(const struct attribute_of *of)
{
	auto_buf text = BUF_INIT;

	record_command(&text, of->rec);
	return new_text(&text);
}

static json_t *
make_program(const struct attribute_of *of)
{
	return json_string(record_program(of->rec));
}

static json_t *
make_call(const struct attribute_of *of)
{
	return json_string(of->rec->id);
}

static json_t *
make_uid(const struct attribute_of *of)
{
	return json_sprintf("%llu",
			    (unsigned long long)record_number(of->rec->planned, "actor.uid"));
}

static json_t *
make_launch_uid(const struct attribute_of *of)
{
	return json_sprintf("%s/planned", of->rec->id);
}

static json_t *
make_end_uid(const struct attribute_of *of)
{
	return json_sprintf("%s/outcome", of->rec->id);
}

static json_t *
make_denial_uid(const struct attribute_of *of)
{
	return json_sprintf("%s/denial/%zu", of->rec->id, of->denial_index);
}

/* 0 unknown, 1 success, 2 failure. */
static json_t *
make_launch_status(const struct attribute_of *of)
{
	if (of->rec->outcome == NULL) {
		return json_integer(0);
	}
	return json_integer(is_verdict(of, "launch_failed") || is_verdict(of, "denied") ? 2 : 1);
}

static json_t *
make_end_status(const struct attribute_of *of)
{
	return json_integer(is_verdict(of, "ok") ? 1 : 2);
}

/* 1 allowed, 2 denied; the disposition has the same numbers for allowed and blocked. */
static json_t *
make_action(const struct attribute_of *of)
{
	return json_integer(is_verdict(of, "denied") ? 2 : 1);
}

static json_t *
make_verdict(const struct attribute_of *of)
{
	return json_string(record_verdict(of->rec));
}

static json_t *
make_error_type(const struct attribute_of *of)
{
	return is_verdict(of, "ok") ? NULL : json_string(record_verdict(of->rec));
}

static json_t *
make_settled(const struct attribute_of *of)
{
	const char *settled = record_settled(of->rec);

	return settled[0] != '\0' ? json_string(settled) : NULL;
}

static json_t *
leaf_digest(const struct record_leaf *leaf)
{
	char hex[HEX_DIGEST_SIZE];

	text_hex(leaf->digest, SHA256_SIZE, hex);
	return leaf->is_there ? json_string(hex) : NULL;
}

static json_t *
leaf_index(const struct record_leaf *leaf)
{
	return leaf->is_there ? json_integer((json_int_t)leaf->n) : NULL;
}

static json_t *
make_planned_digest(const struct attribute_of *of)
{
	return leaf_digest(&of->rec->planned_leaf);
}

static json_t *
make_planned_index(const struct attribute_of *of)
{
	return leaf_index(&of->rec->planned_leaf);
}

static json_t *
make_outcome_digest(const struct attribute_of *of)
{
	return leaf_digest(&of->rec->outcome_leaf);
}

static json_t *
make_outcome_index(const struct attribute_of *of)
{
	return leaf_index(&of->rec->outcome_leaf);
}

static json_t *
make_launch_message(const struct attribute_of *of)
{
	auto_buf text = BUF_INIT;

	buf_puts(&text, is_verdict(of, "launch_failed") || is_verdict(of, "denied")
				? "did not start: "
				: "started: ");
	record_command(&text, of->rec);
	buf_puts(&text, ", profile ");
	view_text(&text, record_text(of->rec->planned, "profile.name"));
	return new_text(&text);
}

static json_t *
make_end_message(const struct attribute_of *of)
{
	auto_buf text = BUF_INIT;

	show_sentence(&text, of->rec);
	return new_text(&text);
}

static json_t *
make_denial_title(const struct attribute_of *of)
{
	auto_buf text = BUF_INIT;

	buf_puts(&text, "denied: ");
	buf_puts(&text, record_text(of->denial, "kind"));
	buf_putc(&text, ' ');
	view_text(&text, record_text(of->denial, "what"));
	return new_text(&text);
}

static json_t *
make_denial_message(const struct attribute_of *of)
{
	auto_buf text = BUF_INIT;

	view_text(&text, record_text(of->denial, "what"));
	buf_puts(&text, " was denied by ");
	view_text(&text, record_text(of->denial, "rule"));
	if (record_text(of->denial, "why")[0] != '\0') {
		buf_puts(&text, ": ");
		view_text(&text, record_text(of->denial, "why"));
	}
	return new_text(&text);
}

/* An aggregate has more than one event. */
static json_t *
make_denial_count(const struct attribute_of *of)
{
	uint64_t count = record_number(of->denial, "count");

	return count > 1 ? json_integer((json_int_t)count) : NULL;
}

static json_t *
make_evidences(const struct attribute_of *of)
{
	return json_pack("[{s:{s:s,s:s,s:o*}}]", "process", "uid", of->rec->id, "name",
			 record_program(of->rec), "cmd_line", make_command(of));
}

static json_t *
make_profiles(const struct attribute_of *of)
{
	(void)of;
	return json_pack("[s]", "security_control");
}

static const struct {
	const char *name;
	json_t *(*make)(const struct attribute_of *of);
} made[] = {
	{ "action", make_action },
	{ "call", make_call },
	{ "command", make_command },
	{ "denial_count", make_denial_count },
	{ "denial_message", make_denial_message },
	{ "denial_title", make_denial_title },
	{ "denial_uid", make_denial_uid },
	{ "end_message", make_end_message },
	{ "end_status", make_end_status },
	{ "end_uid", make_end_uid },
	{ "error_type", make_error_type },
	{ "evidences", make_evidences },
	{ "launch_message", make_launch_message },
	{ "launch_status", make_launch_status },
	{ "launch_uid", make_launch_uid },
	{ "outcome_digest", make_outcome_digest },
	{ "outcome_index", make_outcome_index },
	{ "planned_digest", make_planned_digest },
	{ "planned_index", make_planned_index },
	{ "profiles", make_profiles },
	{ "program", make_program },
	{ "settled", make_settled },
	{ "uid", make_uid },
	{ "verdict", make_verdict },
};

/* ---- values of a row ---------------------------------------------------------------------- */

bool
attribute_is_known(const struct attribute *a)
{
	for (size_t i = 0; a->source == FROM_MADE && i < ARRAY_LEN(made); i++) {
		if (strcmp(made[i].name, a->from) == 0) {
			return true;
		}
	}
	return a->source != FROM_MADE;
}

static json_t *
member(const json_t *object, const char *path)
{
	const json_t *value = record_get(object, path);

	if (json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0)) {
		return NULL;
	}
	return json_incref((json_t *)(uintptr_t)value);
}

static json_t *
context_text(const struct record *rec, const char *name)
{
	const json_t *value = json_object_get(json_object_get(rec->planned, "context"), name);

	return json_is_string(value) ? json_incref((json_t *)(uintptr_t)value) : NULL;
}

json_t *
attribute_value(const struct attribute *a, const struct attribute_of *of)
{
	switch (a->source) {
	case FROM_WORD:
		return json_string(a->from);
	case FROM_NUMBER:
		return json_integer(strtoll(a->from, NULL, 10));
	case FROM_PLANNED:
		return member(of->rec->planned, a->from);
	case FROM_OUTCOME:
		return member(of->rec->outcome, a->from);
	case FROM_DENIAL:
		return member(of->denial, a->from);
	case FROM_CONTEXT:
		return context_text(of->rec, a->from);
	case FROM_MADE:
		break;
	}
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		if (strcmp(made[i].name, a->from) == 0) {
			return made[i].make(of);
		}
	}
	return NULL;
}
