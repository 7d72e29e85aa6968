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

#define SALT_SIZE 16

#define auto_json __attribute__((cleanup(release_json))) json_t *

static void
release_json(json_t **slot)
{
	json_decref(*slot);
}

enum part { PLANNED, OUTCOME, SETTLE, PART__COUNT };

static const char *const part_types[PART__COUNT] = {
	[PLANNED] = "call.planned",
	[OUTCOME] = "call.outcome",
	[SETTLE] = "settle",
};

/* The pieces of a payload; text and record are borrowed from it. */
struct entry {
	enum part part;
	char call[UUID_TEXT_SIZE];
	uint8_t salt[SALT_SIZE];
	const uint8_t *record;
	size_t record_len;
};

/* ---- slicing ------------------------------------------------------------------------------ */

static bool
take_text(const uint8_t **p, size_t *left, const char *text)
{
	size_t len = strlen(text);

	if (*left < len || memcmp(*p, text, len) != 0) {
		return false;
	}
	*p += len;
	*left -= len;
	return true;
}

/*
 * From the end: `","type":"call.planned"}`, then 32 digits, then `,"salt":"`; what is left is
 * the record.
 */
static bool
cut_tail(struct entry *e, const uint8_t *p, size_t len, const char *type)
{
	static const char salt_key[] = ",\"salt\":\"";
	const size_t hex_len = 2 * (size_t)SALT_SIZE, key_len = sizeof(salt_key) - 1;
	char tail[48], hex[2 * SALT_SIZE + 1];
	size_t tail_len = (size_t)snprintf(tail, sizeof(tail), "\",\"type\":\"%s\"}", type);

	if (len < tail_len + hex_len + key_len + 2 ||
	    memcmp(p + len - tail_len, tail, tail_len) != 0) {
		return false;
	}
	len -= tail_len + hex_len;
	memcpy(hex, p + len, hex_len);
	hex[hex_len] = '\0';
	if (memcmp(p + len - key_len, salt_key, key_len) != 0 ||
	    text_unhex(hex, e->salt, SALT_SIZE) != 0) {
		return false;
	}
	e->record = p;
	e->record_len = len - key_len;
	return true;
}

static bool
slice(const uint8_t *json, size_t len, struct entry *ret)
{
	struct entry e = { .part = PLANNED };
	uint8_t uuid[16];
	const uint8_t *p = json;
	size_t left = len;

	if (!take_text(&p, &left, "{\"call\":\"") || left < UUID_TEXT_SIZE - 1) {
		return false;
	}
	memcpy(e.call, p, UUID_TEXT_SIZE - 1);
	e.call[UUID_TEXT_SIZE - 1] = '\0';
	if (text_uuid_parse(e.call, uuid) != 0) {
		return false;
	}
	text_uuid_print(uuid, e.call);
	if (memcmp(e.call, p, UUID_TEXT_SIZE - 1) != 0) {
		return false; /* another spelling of the same id would be a second call */
	}
	p += UUID_TEXT_SIZE - 1;
	left -= UUID_TEXT_SIZE - 1;
	if (!take_text(&p, &left, "\",\"record\":")) {
		return false;
	}
	for (; e.part < PART__COUNT; e.part++) {
		if (cut_tail(&e, p, left, part_types[e.part])) {
			*ret = e;
			return true;
		}
	}
	return false;
}

/* ---- shape -------------------------------------------------------------------------------- */

#define S (1u << JSON_STRING)
#define I (1u << JSON_INTEGER | 1u << JSON_REAL)
#define N (1u << JSON_NULL)
#define O (1u << JSON_OBJECT)
#define A (1u << JSON_ARRAY)
#define B (1u << JSON_TRUE | 1u << JSON_FALSE)

static const struct shape {
	enum part part;
	const char *path;
	unsigned int types;
} shapes[] = {
#define SHAPE(part, path, types) { part, path, types },
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
	char outer[32];

	if (dot == NULL) {
		return json_object_get(record, path);
	}
	snprintf(outer, sizeof(outer), "%.*s", (int)(dot - path), path);
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

/* NULL when the record is what docs/formats.md says, else what is wrong. */
static const char *
misshapen(const struct entry *e, const json_t *record)
{
	const char *call = json_string_value(json_object_get(record, "call"));

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		const json_t *m;

		if (shapes[i].part != e->part) {
			continue;
		}
		m = member(record, shapes[i].path);
		if (m == NULL || (shapes[i].types & 1u << json_typeof(m)) == 0) {
			return shapes[i].path;
		}
	}
	if (strcmp(call, e->call) != 0) {
		return "call";
	}
	if (number(json_object_get(record, "v")) != 1) {
		return "v";
	}
	if (e->part == PLANNED && !all_of_type(json_object_get(record, "argv"), JSON_STRING)) {
		return "argv";
	}
	if (e->part == OUTCOME && !items_have(json_object_get(record, "denials"), "kind", "what")) {
		return "denials";
	}
	if (e->part == OUTCOME && !items_have(member(record, "changes.items"), "kind", "path")) {
		return "changes.items";
	}
	return e->part == SETTLE ? unknown_word(record) : NULL;
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
	return run(ix, STMT_PLANNED, err, "index a planned entry");
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
	if (rc == 0) {
		rc = put_denials(ix, e->call, denials, err);
	}
	if (rc == 0) {
		rc = put_changes(ix, e->call, member(record, "changes.items"), err);
	}
	return rc;
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
put_entry(struct index *ix, struct journal_pos pos, const struct entry *e, struct err *err)
{
	sqlite3_stmt *st = ix->stmt[STMT_ENTRY];

	bind_int(st, ":file", pos.file);
	bind_int(st, ":offset", (int64_t)pos.offset);
	bind_text(st, ":type", part_types[e->part]);
	bind_text(st, ":call", e->call);
	bind_blob(st, ":salt", e->salt, sizeof(e->salt));
	bind_blob(st, ":record", e->record, e->record_len);
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

/* Whether the call has an entry of that part already; *ret untouched on failure. */
static int
has_part(struct index *ix, const char *call, enum part part, bool *ret, struct err *err)
{
	auto_stmt st = NULL;
	int rc = index_prepare(ix, "SELECT 1 FROM entry WHERE call = ?1 AND type = ?2", &st, err);

	if (rc != 0) {
		return rc;
	}
	ignore_err(sqlite3_bind_text(st, 1, call, -1, SQLITE_STATIC), "as in bind_json");
	ignore_err(sqlite3_bind_text(st, 2, part_types[part], -1, SQLITE_STATIC),
		   "as in bind_json");
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		*ret = true;
		return 0;
	case SQLITE_DONE:
		*ret = false;
		return 0;
	default:
		return index_error(ix, err, "look for a journal entry");
	}
}

static json_t *
parse(const uint8_t *text, size_t len)
{
	/* a gateway's context may name a key twice: no reason to hide the call */
	const size_t flags = JSON_ALLOW_NUL;
	json_t *record = json_loadb((const char *)text, len, flags, NULL);

	/* Inode numbers and the like may need all 64 bits, which jansson's integers have not. */
	return record != NULL
		     ? record
		     : json_loadb((const char *)text, len, flags | JSON_DECODE_INT_AS_REAL, NULL);
}

static int (*const put_part[PART__COUNT])(struct index *ix, const struct entry *e,
					  const json_t *record, struct err *err) = {
	[PLANNED] = put_planned,
	[OUTCOME] = put_outcome,
	[SETTLE] = put_settle,
};

/* Why the entry cannot stand where it does, or NULL; *ret untouched on failure. */
static int
misplaced(struct index *ix, const struct entry *e, const json_t *record, const char **ret,
	  struct err *err)
{
	bool has[PART__COUNT] = { false };
	const char *action = json_string_value(json_object_get(record, "action"));
	int rc = 0;

	for (enum part p = PLANNED; p < SETTLE && rc == 0; p++) {
		rc = has_part(ix, e->call, p, &has[p], err);
	}
	if (rc != 0) {
		return rc;
	}
	*ret = NULL;
	if (e->part != SETTLE && has[e->part]) {
		*ret = "second entry of this type of the call";
	} else if (e->part == OUTCOME && !has[PLANNED]) {
		*ret = "outcome of a call that was not planned";
	} else if (e->part == SETTLE && !has[PLANNED]) {
		*ret = "settles a call that was not planned";
	} else if (e->part == SETTLE && !has[OUTCOME] && strcmp(action, "recover") != 0) {
		*ret = "settles a call that has no outcome";
	}
	return 0;
}

int
index_take(struct index *ix, struct journal_pos pos, const uint8_t *json, size_t len,
	   struct err *err)
{
	struct entry e;
	auto_json record = NULL;
	const char *wrong;
	char why[128];
	int rc;

	if (!slice(json, len, &e)) {
		return index_take_damaged(ix, pos, "not a journal entry", json, len, err);
	}
	record = parse(e.record, e.record_len);
	if (record == NULL) {
		return index_take_damaged(ix, pos, "the record is not JSON", json, len, err);
	}
	wrong = misshapen(&e, record);
	if (wrong != NULL) {
		snprintf(why, sizeof(why), "%s: member %s is missing or not what it must be",
			 part_types[e.part], wrong);
		return index_take_damaged(ix, pos, why, json, len, err);
	}
	rc = misplaced(ix, &e, record, &wrong, err);
	if (rc != 0 || wrong != NULL) {
		return rc != 0 ? rc : index_take_damaged(ix, pos, wrong, json, len, err);
	}
	rc = put_entry(ix, pos, &e, err);
	return rc != 0 ? rc : put_part[e.part](ix, &e, record, err);
}
