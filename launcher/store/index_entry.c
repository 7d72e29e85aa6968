/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One journal entry into rows. Runs in airlock-log and airlock-cli, as the caller. Trusts nothing
 * in the entry: argv, names and streams are the tool's, and the file may have been edited. What is
 * not exactly an entry is kept in `damaged`, so that the walk never ends at it.
 */
#include "index_internal.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "record.h"

#define auto_json __attribute__((cleanup(release_json))) json_t *

static void
release_json(json_t **slot)
{
	json_decref(*slot);
}

/* ---- shape -------------------------------------------------------------------------------- */

#define S (1u << JSON_STRING)
#define I (1u << JSON_INTEGER | 1u << JSON_REAL)
#define N (1u << JSON_NULL)
#define O (1u << JSON_OBJECT)
#define A (1u << JSON_ARRAY)
#define B (1u << JSON_TRUE | 1u << JSON_FALSE)

static const struct shape {
	enum entry_type type;
	const char *path;
	unsigned int types;
} shapes[] = {
#define SHAPE(type, path, types) { ENTRY_##type, path, types },
#include "index_shape.def"
#undef SHAPE
};

#undef S
#undef I
#undef N
#undef O
#undef A
#undef B

/* An integer, also one that was read as a real because it needs 64 bits. */
static int64_t
number(const json_t *m)
{
	double real = json_number_value(m);

	if (!json_is_real(m)) {
		return json_integer_value(m);
	}
	if (real >= 0x1p63) {
		return INT64_MAX;
	}
	return real < -0x1p63 ? INT64_MIN : (int64_t)real;
}

/* A member by "name" or "name.name"; NULL when absent. Borrowed. */
static const json_t *
member(const json_t *record, const char *path)
{
	const char *dot = strchr(path, '.');
	size_t len = dot != NULL ? (size_t)(dot - path) : 0;
	char outer[32];

	if (dot == NULL || len >= sizeof(outer)) {
		return json_object_get(record, path);
	}
	memcpy(outer, path, len);
	outer[len] = '\0';
	return json_object_get(json_object_get(record, outer), dot + 1);
}

static bool
all_of_type(const json_t *array, json_type type)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (json_typeof(json_array_get(array, i)) != type) {
			return false;
		}
	}
	return true;
}

static bool
is_two_texts(const json_t *array)
{
	return json_array_size(array) == 2 && all_of_type(array, JSON_STRING);
}

static bool
items_have(const json_t *array, const char *first, const char *second)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);

		if (!json_is_string(json_object_get(item, first)) ||
		    !json_is_string(json_object_get(item, second))) {
			return false;
		}
	}
	return true;
}

static const char *const settle_actions[] = {
#define SETTLE_ACTION(word) word,
#define SETTLE_STATE(word)
#include "settle_words.def"
#undef SETTLE_ACTION
#undef SETTLE_STATE
};

static const char *const settle_states[] = {
#define SETTLE_ACTION(word)
#define SETTLE_STATE(word) word,
#include "settle_words.def"
#undef SETTLE_ACTION
#undef SETTLE_STATE
};

static bool
is_one_of(const json_t *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(json_string_value(text), words[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* A word that nobody knows must not end or begin a person's wait. */
static const char *
unknown_word(const json_t *settle)
{
	if (!is_one_of(json_object_get(settle, "action"), settle_actions,
		       ARRAY_LEN(settle_actions))) {
		return "action";
	}
	return is_one_of(json_object_get(settle, "settled"), settle_states,
			 ARRAY_LEN(settle_states))
		     ? NULL
		     : "settled";
}

static const struct event_word {
	enum entry_type type;
	const char *member, *word;
} event_words[] = {
#define WORD(type, member, word) { ENTRY_##type, member, word },
#include "event_words.def"
#undef WORD
};

static bool
is_event_word(enum entry_type type, const char *name, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(event_words); i++) {
		if (event_words[i].type == type && strcmp(event_words[i].member, name) == 0 &&
		    strcmp(event_words[i].word, word) == 0) {
			return true;
		}
	}
	return false;
}

/* The member of an entry whose word is not in the table, or NULL. */
static const char *
unknown_event_word(enum entry_type type, const json_t *record)
{
	for (size_t i = 0; i < ARRAY_LEN(event_words); i++) {
		const char *name = event_words[i].member;

		if (event_words[i].type == type &&
		    !is_event_word(type, name, json_string_value(json_object_get(record, name)))) {
			return name;
		}
	}
	return NULL;
}

static bool
is_uuid(const char *text)
{
	uint8_t uuid[16];

	return text != NULL && text_uuid_parse(text, uuid) == 0;
}

/* What a gc entry is about decides whether records may be gone. */
static bool
names_workflow(const json_t *gc)
{
	const char *workflow = json_string_value(json_object_get(gc, "workflow"));
	const char *action = json_string_value(json_object_get(gc, "action"));

	return workflow != NULL ? is_uuid(workflow) : strcmp(action, "forget") != 0;
}

/* NULL when the record is what docs/formats.md says, else what is wrong. */
static const char *
misshapen(const struct entry *e, const json_t *record)
{
	const char *call = json_string_value(json_object_get(record, "call"));

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		const json_t *m;

		if (shapes[i].type != e->type) {
			continue;
		}
		m = member(record, shapes[i].path);
		if (m == NULL || (shapes[i].types & 1u << json_typeof(m)) == 0) {
			return shapes[i].path;
		}
	}
	if (entry_type_is_of_call(e->type) && strcmp(call, e->call) != 0) {
		return "call";
	}
	if (number(json_object_get(record, "v")) != 1) {
		return "v";
	}
	if (e->type == ENTRY_PLANNED &&
	    !all_of_type(json_object_get(record, "argv"), JSON_STRING)) {
		return "argv";
	}
	if (e->type == ENTRY_OUTCOME &&
	    !items_have(json_object_get(record, "denials"), "kind", "what")) {
		return "denials";
	}
	if (e->type == ENTRY_OUTCOME &&
	    !items_have(member(record, "changes.items"), "kind", "path")) {
		return "changes.items";
	}
	if (e->type == ENTRY_SETTLE) {
		return unknown_word(record);
	}
	if (e->type == ENTRY_KEY_ROTATE && !is_two_texts(json_object_get(record, "signatures"))) {
		return "signatures";
	}
	if (e->type == ENTRY_GC && !names_workflow(record)) {
		return "workflow";
	}
	if (e->type == ENTRY_WORKFLOW &&
	    !is_uuid(json_string_value(json_object_get(record, "workflow")))) {
		return "workflow";
	}
	return unknown_event_word(e->type, record);
}

/* ---- rows --------------------------------------------------------------------------------- */

/* Binds the member by its type; what is absent or an object becomes NULL. */
static void
bind_json(sqlite3_stmt *st, const char *name, const json_t *m)
{
	int at = sqlite3_bind_parameter_index(st, name);
	int rc = SQLITE_OK;

	if (json_is_string(m)) {
		rc = sqlite3_bind_text(st, at, json_string_value(m), (int)json_string_length(m),
				       SQLITE_STATIC);
	} else if (json_is_number(m)) {
		rc = sqlite3_bind_int64(st, at, number(m));
	}
	ignore_err(rc,
		   "a parameter that stays unbound is NULL, which the table's constraints judge");
}

static void
bind_text(sqlite3_stmt *st, const char *name, const char *text)
{
	int at = sqlite3_bind_parameter_index(st, name);

	ignore_err(sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC), "as in bind_json");
}

static void
bind_int(sqlite3_stmt *st, const char *name, int64_t v)
{
	int at = sqlite3_bind_parameter_index(st, name);

	ignore_err(sqlite3_bind_int64(st, at, v), "as in bind_json");
}

static void
bind_blob(sqlite3_stmt *st, const char *name, const void *data, size_t len)
{
	int at = sqlite3_bind_parameter_index(st, name);

	ignore_err(sqlite3_bind_blob64(st, at, data, len, SQLITE_STATIC), "as in bind_json");
}

/* Runs a prepared statement once and makes it ready for the next time. */
static int
run(struct index *ix, enum index_statement which, struct err *err, const char *step)
{
	sqlite3_stmt *st = ix->stmt[which];
	int rc = 0;

	if (sqlite3_step(st) != SQLITE_DONE) {
		rc = index_error(ix, err, step);
	}
	ignore_err(sqlite3_reset(st), "repeats the error of sqlite3_step");
	ignore_err(sqlite3_clear_bindings(st), "cannot fail");
	return rc;
}

/*
 * In $'…': whatever a page cannot show is \ooo there, and a shell reads it back to the same
 * bytes.
 */
static void
put_dollar_quoted(struct buf *out, const uint8_t *p, size_t len)
{
	buf_puts(out, "$'");
	while (len > 0) {
		size_t n = text_utf8(p, len, NULL);

		n = n > 0 ? n : 1;
		if (*p == '\\' || *p == '\'') {
			buf_putc(out, '\\');
		}
		text_safe(out, p, n, false);
		p += n;
		len -= n;
	}
	buf_putc(out, '\'');
}

void
index_spell_argument(struct buf *out, const char *spelled)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_@%+=:,./-";
	auto_buf raw = BUF_INIT, safe = BUF_INIT;

	if (text_unvis(spelled, &raw) != 0) {
		buf_puts(&raw, spelled);
	}
	text_safe(&safe, raw.data, raw.len, false);
	if (raw.len > 0 && strspn(buf_text(&raw), plain) == raw.len) {
		buf_put(out, raw.data, raw.len);
	} else if (safe.len != raw.len || memchr(buf_text(&raw), '\'', raw.len) != NULL) {
		put_dollar_quoted(out, raw.data, raw.len);
	} else {
		buf_putc(out, '\'');
		buf_put(out, raw.data, raw.len);
		buf_putc(out, '\'');
	}
}

/* Members that a column takes only as text or only as a number; anything else is NULL there. */
static const json_t *
text_member(const json_t *object, const char *name)
{
	const json_t *m = json_object_get(object, name);

	return json_is_string(m) ? m : NULL;
}

static const json_t *
number_member(const json_t *object, const char *name)
{
	const json_t *m = json_object_get(object, name);

	return json_is_number(m) ? m : NULL;
}

/* What is about the call's workflow; records from before there were workflows have none of it. */
static void
bind_attempt(sqlite3_stmt *st, const json_t *record)
{
	const json_t *reserved = json_object_get(record, "reserved");

	bind_json(st, ":request_parts", text_member(record, "request_parts"));
	bind_json(st, ":attempt", number_member(record, "attempt"));
	bind_json(st, ":retry_of", text_member(record, "retry_of"));
	bind_json(st, ":step", text_member(record, "step"));
	bind_json(st, ":retry", text_member(record, "retry"));
	bind_json(st, ":reserved_calls", number_member(reserved, "calls"));
	bind_json(st, ":reserved_cpu", number_member(reserved, "cpu_ms"));
	bind_json(st, ":reserved_disk", number_member(reserved, "disk_bytes"));
	bind_json(st, ":reserved_wall", number_member(reserved, "wall_ms"));
}

static int
put_planned(struct index *ix, const struct entry *e, const json_t *record, struct err *err)
{
	static const char *const columns[][2] = {
		{ ":workflow", "workflow" },
		{ ":workflow_name", "workflow_name" },
		{ ":seq", "seq" },
		{ ":key", "key" },
		{ ":trace", "trace" },
		{ ":profile", "profile.name" },
		{ ":profile_digest", "profile.digest" },
		{ ":mode", "mode" },
		{ ":tool", "tool" },
		{ ":argv_digest", "argv_digest" },
		{ ":cwd", "cwd" },
		{ ":workspace", "workspace.path" },
		{ ":uid", "actor.uid" },
		{ ":decision", "policy.decision" },
		{ ":request_digest", "request_digest" },
		{ ":t0", "t0" },
	};
	sqlite3_stmt *st = ix->stmt[STMT_PLANNED];
	const json_t *argv = json_object_get(record, "argv");
	auto_buf command = BUF_INIT;

	for (size_t i = 0; i < json_array_size(argv); i++) {
		if (i > 0) {
			buf_putc(&command, ' ');
		}
		index_spell_argument(&command, json_string_value(json_array_get(argv, i)));
	}
	if (buf_error(&command) != 0) {
		return err_sys(err, -ENOMEM, "index a call");
	}
	bind_text(st, ":id", e->call);
	bind_text(st, ":command", buf_text(&command));
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		bind_json(st, columns[i][0], member(record, columns[i][1]));
	}
	bind_attempt(st, record);
	return run(ix, STMT_PLANNED, err, "index a planned entry");
}

static int
put_denials(struct index *ix, const char *call, const json_t *denials, struct err *err)
{
	sqlite3_stmt *st = ix->stmt[STMT_DENIAL];
	int rc = 0;

	for (size_t i = 0; i < json_array_size(denials) && rc == 0; i++) {
		const json_t *d = json_array_get(denials, i);
		const json_t *count = json_object_get(d, "count");

		bind_text(st, ":call", call);
		bind_int(st, ":n", (int64_t)i);
		bind_json(st, ":kind", json_object_get(d, "kind"));
		bind_json(st, ":what", json_object_get(d, "what"));
		bind_json(st, ":rule", text_member(d, "rule"));
		bind_json(st, ":hint", text_member(d, "hint"));
		bind_int(st, ":count", json_is_number(count) ? number(count) : 1);
		rc = run(ix, STMT_DENIAL, err, "index a denial");
	}
	return rc;
}

static int
put_changes(struct index *ix, const char *call, const json_t *items, struct err *err)
{
	sqlite3_stmt *st = ix->stmt[STMT_CHANGE];
	int rc = 0;

	for (size_t i = 0; i < json_array_size(items) && rc == 0; i++) {
		const json_t *c = json_array_get(items, i);

		bind_text(st, ":call", call);
		bind_int(st, ":n", (int64_t)i);
		bind_json(st, ":path", json_object_get(c, "path"));
		bind_json(st, ":kind", json_object_get(c, "kind"));
		bind_json(st, ":hold", text_member(c, "hold"));
		bind_json(st, ":size_before", number_member(c, "size_before"));
		bind_json(st, ":size_after", number_member(c, "size_after"));
		bind_json(st, ":before", text_member(c, "before"));
		bind_json(st, ":after", text_member(c, "after"));
		rc = run(ix, STMT_CHANGE, err, "index a change");
	}
	return rc;
}

static int
put_outcome(struct index *ix, const struct entry *e, const json_t *record, struct err *err)
{
	static const char *const columns[][2] = {
		{ ":verdict", "verdict" },
		{ ":settled", "settled" },
		{ ":reason", "reason" },
		{ ":exit", "exit" },
		{ ":signal", "signal" },
		{ ":t1", "t1" },
		{ ":wall_ms", "usage.wall_ms" },
		{ ":cpu_ms", "usage.cpu_ms" },
		{ ":memory_peak", "usage.memory_peak" },
		{ ":disk_bytes", "usage.disk_bytes" },
		{ ":created", "changes.created" },
		{ ":modified", "changes.modified" },
		{ ":deleted", "changes.deleted" },
		{ ":held", "changes.held" },
		{ ":changes_digest", "changes.digest" },
		{ ":in_tree", "in_tree.digest" },
		{ ":stdin", "stdin.digest" },
		{ ":stdout", "stdout.digest" },
		{ ":stderr", "stderr.digest" },
	};
	sqlite3_stmt *st = ix->stmt[STMT_OUTCOME];
	const json_t *denials = json_object_get(record, "denials");
	int rc;

	bind_text(st, ":id", e->call);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		bind_json(st, columns[i][0], member(record, columns[i][1]));
	}
	bind_int(st, ":denials", (int64_t)json_array_size(denials));
	bind_int(st, ":degraded", (int64_t)json_array_size(json_object_get(record, "degraded")));
	rc = run(ix, STMT_OUTCOME, err, "index an outcome entry");
	rc = rc == 0 ? put_denials(ix, e->call, denials, err) : rc;
	return rc == 0 ? put_changes(ix, e->call, member(record, "changes.items"), err) : rc;
}

static void
bind_settle(sqlite3_stmt *st, const struct entry *e, const json_t *record)
{
	bind_text(st, ":id", e->call);
	bind_json(st, ":settled", json_object_get(record, "settled"));
	bind_json(st, ":reason", json_object_get(record, "reason"));
	bind_json(st, ":changes", json_object_get(record, "changes"));
}

static int
put_settle(struct index *ix, const struct entry *e, const json_t *record, struct err *err)
{
	sqlite3_stmt *st = ix->stmt[STMT_SETTLE];
	int rc;

	bind_settle(st, e, record);
	bind_json(st, ":action", json_object_get(record, "action"));
	bind_json(st, ":t", json_object_get(record, "t"));
	bind_json(st, ":uid", member(record, "actor.uid"));
	rc = run(ix, STMT_SETTLE, err, "index a settle entry");
	if (rc == 0) {
		bind_settle(ix->stmt[STMT_SETTLED], e, record);
		rc = run(ix, STMT_SETTLED, err, "index how a call is settled now");
	}
	return rc;
}

static int
put_resolve(struct index *ix, const struct entry *e, const json_t *record, struct err *err)
{
	sqlite3_stmt *st = ix->stmt[STMT_RESOLVE], *resolved = ix->stmt[STMT_RESOLVED];
	int rc;

	bind_text(st, ":id", e->call);
	bind_json(st, ":answer", json_object_get(record, "answer"));
	bind_json(st, ":t", json_object_get(record, "t"));
	bind_json(st, ":uid", member(record, "actor.uid"));
	bind_json(st, ":reason", json_object_get(record, "reason"));
	rc = run(ix, STMT_RESOLVE, err, "index a resolve entry");
	if (rc == 0) {
		bind_text(resolved, ":id", e->call);
		bind_json(resolved, ":answer", json_object_get(record, "answer"));
		rc = run(ix, STMT_RESOLVED, err, "index how a call was resolved");
	}
	return rc;
}

/* What a call reserved bounds what it used; nothing that is said later raises that. */
static int
put_lost(struct index *ix, const struct entry *e, const json_t *record, struct err *err)
{
	sqlite3_stmt *st = ix->stmt[STMT_LOST];

	bind_text(st, ":id", e->call);
	bind_json(st, ":t", json_object_get(record, "t"));
	bind_json(st, ":cpu_ms", member(record, "used.cpu_ms"));
	bind_json(st, ":disk_bytes", member(record, "used.disk_bytes"));
	bind_json(st, ":wall_ms", member(record, "used.wall_ms"));
	return run(ix, STMT_LOST, err, "index what is known of a lost call");
}

static int
put_event(struct index *ix, const struct entry *e, const json_t *record, struct err *err)
{
	sqlite3_stmt *st = ix->stmt[STMT_EVENT];
	static const char *const columns[] = {
		"action", "digest", "name", "reason", "t", "workflow"
	};

	bind_text(st, ":type", entry_type_word(e->type));
	bind_json(st, ":uid", member(record, "actor.uid"));
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		char name[16];

		snprintf(name, sizeof(name), ":%s", columns[i]);
		bind_json(st, name, json_object_get(record, columns[i]));
	}
	return run(ix, STMT_EVENT, err, "index an entry of no call");
}

static int
put_entry(struct index *ix, struct journal_pos pos, const struct entry *e, struct err *err)
{
	sqlite3_stmt *st = ix->stmt[STMT_ENTRY];

	bind_int(st, ":file", pos.file);
	bind_int(st, ":offset", (int64_t)pos.offset);
	bind_text(st, ":type", entry_type_word(e->type));
	bind_text(st, ":call", e->call);
	bind_blob(st, ":digest", e->digest, sizeof(e->digest));
	if (e->record != NULL) {
		bind_blob(st, ":salt", e->salt, sizeof(e->salt));
		bind_blob(st, ":record", e->record, e->record_len);
	}
	return run(ix, STMT_ENTRY, err, "index a journal entry");
}

int
index_take_damaged(struct index *ix, struct journal_pos pos, const char *why,
		   const uint8_t *payload, size_t len, struct err *err)
{
	sqlite3_stmt *st = ix->stmt[STMT_DAMAGED];

	bind_int(st, ":file", pos.file);
	bind_int(st, ":offset", (int64_t)pos.offset);
	bind_text(st, ":why", why);
	bind_blob(st, ":payload", len > 0 ? payload : (const uint8_t *)"", len);
	return run(ix, STMT_DAMAGED, err, "note a damaged journal entry");
}

/* Whether a row says yes to the statement's `?1 [?2]`; *ret untouched on failure. */
static int
has_row(struct index *ix, enum index_statement which, const char *first, const char *second,
	bool *ret, struct err *err)
{
	sqlite3_stmt *st = ix->stmt[which];
	int rc = 0;

	ignore_err(sqlite3_bind_text(st, 1, first, -1, SQLITE_STATIC), "as in bind_json");
	if (second != NULL) {
		ignore_err(sqlite3_bind_text(st, 2, second, -1, SQLITE_STATIC), "as in bind_json");
	}
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		*ret = true;
		break;
	case SQLITE_DONE:
		*ret = false;
		break;
	default:
		rc = index_error(ix, err, "look for a journal entry");
	}
	ignore_err(sqlite3_reset(st), "repeats the error of sqlite3_step");
	ignore_err(sqlite3_clear_bindings(st), "cannot fail");
	return rc;
}

/* Whether the call has an entry of that type already. */
static int
has_entry(struct index *ix, const char *call, enum entry_type type, bool *ret, struct err *err)
{
	return has_row(ix, STMT_HAS_ENTRY, call, entry_type_word(type), ret, err);
}

/*
 * Why the entry cannot stand where it does, or NULL; *ret untouched on failure. recovers: a settle
 * entry that needs no outcome before it.
 */
static int
misplaced(struct index *ix, const struct entry *e, bool recovers, const char **ret, struct err *err)
{
	bool planned = false, ended = false;
	int rc = has_entry(ix, e->call, ENTRY_PLANNED, &planned, err);

	if (rc == 0) {
		rc = has_entry(ix, e->call, ENTRY_OUTCOME, &ended, err);
	}
	if (rc != 0) {
		return rc;
	}
	*ret = NULL;
	if (e->type == ENTRY_PLANNED ? planned : e->type == ENTRY_OUTCOME && ended) {
		*ret = "second entry of this type of the call";
	} else if (e->type == ENTRY_OUTCOME && !planned) {
		*ret = "outcome of a call that was not planned";
	} else if (e->type == ENTRY_SETTLE && !planned) {
		*ret = "settles a call that was not planned";
	} else if (e->type == ENTRY_SETTLE && !ended && !recovers) {
		*ret = "settles a call that has no outcome";
	} else if ((e->type == ENTRY_LOST || e->type == ENTRY_RESOLVE) && !planned) {
		*ret = "the end of a call that was not planned";
	} else if (e->type == ENTRY_RESOLVE && ended) {
		*ret = "resolves a call that has an outcome";
	}
	return 0;
}

static bool
is_recovery(const json_t *record)
{
	const char *action = json_string_value(json_object_get(record, "action"));

	return action != NULL && strcmp(action, "recover") == 0;
}

/*
 * The rows of a call whose record was forgotten go with it; its entries stay as leaves. Its
 * planned entry is forgotten first, so the rest of what is found of it makes no rows any more.
 */
static int
put_forgotten(struct index *ix, const struct entry *e, struct err *err)
{
	static const enum index_statement drops[] = { STMT_DROP_CALL, STMT_DROP_DENIALS,
						      STMT_DROP_CHANGES, STMT_DROP_SETTLES,
						      STMT_DROP_RESOLVES };
	sqlite3_stmt *st = ix->stmt[STMT_FORGOTTEN];
	int rc;

	bind_text(st, ":call", e->call);
	bind_text(st, ":workflow", e->forgotten);
	rc = run(ix, STMT_FORGOTTEN, err, "index a forgotten call");
	for (size_t i = 0; i < ARRAY_LEN(drops) && rc == 0; i++) {
		bind_text(ix->stmt[drops[i]], ":call", e->call);
		rc = run(ix, drops[i], err, "drop the rows of a forgotten call");
	}
	return rc;
}

static int (*const put_type[ENTRY__COUNT])(struct index *ix, const struct entry *e,
					   const json_t *record, struct err *err) = {
	[ENTRY_PLANNED] = put_planned,	  [ENTRY_OUTCOME] = put_outcome,
	[ENTRY_SETTLE] = put_settle,	  [ENTRY_LOST] = put_lost,
	[ENTRY_RESOLVE] = put_resolve,	  [ENTRY_GC] = put_event,
	[ENTRY_KEY_ROTATE] = put_event,	  [ENTRY_LOG_CLOSE] = put_event,
	[ENTRY_LOG_OPEN] = put_event,	  [ENTRY_PROFILE_LOAD] = put_event,
	[ENTRY_STOP] = put_event,	  [ENTRY_WITNESS] = put_event,
	[ENTRY_WORKFLOW] = put_event,
};

static int
take_forgotten(struct index *ix, struct journal_pos pos, const struct entry *e, const uint8_t *json,
	       size_t len, struct err *err)
{
	const char *wrong = NULL;
	/* a settle entry was accepted once: with an outcome before it, or as a recovery */
	int rc = misplaced(ix, e, true, &wrong, err);

	if (rc != 0 || wrong != NULL) {
		return rc != 0 ? rc : index_take_damaged(ix, pos, wrong, json, len, err);
	}
	rc = put_entry(ix, pos, e, err);
	return rc != 0 ? rc : put_forgotten(ix, e, err);
}

/* Rows besides the entry's own. */
static int
put_rows(struct index *ix, const struct entry *e, const json_t *record, struct err *err)
{
	bool forgotten = false;
	int rc = entry_type_is_of_call(e->type)
		       ? has_row(ix, STMT_IS_FORGOTTEN, e->call, NULL, &forgotten, err)
		       : 0;

	return rc != 0 || forgotten ? rc : put_type[e->type](ix, e, record, err);
}

int
index_take(struct index *ix, struct journal_pos pos, const uint8_t *json, size_t len,
	   struct err *err)
{
	struct entry e;
	auto_json record = NULL;
	const char *wrong = NULL;
	char why[128];
	int rc;

	if (!entry_slice(json, len, &e)) {
		return index_take_damaged(ix, pos, "not a journal entry", json, len, err);
	}
	if (e.record == NULL) {
		return take_forgotten(ix, pos, &e, json, len, err);
	}
	record = record_parse(e.record, e.record_len);
	if (record == NULL) {
		return index_take_damaged(ix, pos, "the record is not JSON", json, len, err);
	}
	wrong = misshapen(&e, record);
	if (wrong != NULL) {
		snprintf(why, sizeof(why), "%s: member %s is missing or not what it must be",
			 entry_type_word(e.type), wrong);
		return index_take_damaged(ix, pos, why, json, len, err);
	}
	rc = entry_type_is_of_call(e.type) ? misplaced(ix, &e, is_recovery(record), &wrong, err)
					   : 0;
	if (rc != 0 || wrong != NULL) {
		return rc != 0 ? rc : index_take_damaged(ix, pos, wrong, json, len, err);
	}
	rc = put_entry(ix, pos, &e, err);
	return rc != 0 ? rc : put_rows(ix, &e, record, err);
}
