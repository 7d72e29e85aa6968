/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SAW of `airlock show`, and what its parts share. Runs in airlock-cli as the caller; every string
 * of a record is a caller's or a tool's and is escaped here.
 */
#include "view_show.h"

#include <string.h>

#define FILE_SIZE_ANY (1ull << 50) /* the most that capture.file_size can be: no bound */

#define PREVIEW_LINES 5u
#define PREVIEW_LINES_VERBOSE 50u
#define VALUE_BYTES 400u /* of a nested value; --json has all of it */

void
show_text(struct page *p, const char *label, const json_t *object, const char *member)
{
	auto_buf text = BUF_INIT;

	view_text(&text, record_text(object, member));
	page_fact(p, label, buf_text(&text));
}

void
show_strings(struct buf *b, const json_t *array, const char *between)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *item = json_string_value(json_array_get(array, i));

		buf_puts(b, i > 0 ? between : "");
		view_text(b, item != NULL ? item : "?");
	}
}

void
show_object(struct page *p, const char *label, const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		auto_free char *dump =
			json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
		auto_buf text = BUF_INIT;

		text_safe(&text, key, strlen(key), false);
		buf_puts(&text, ": ");
		if (json_is_string(value)) {
			view_text(&text, json_string_value(value));
		} else if (dump != NULL) {
			size_t len = strlen(dump);

			text_safe(&text, dump, len < VALUE_BYTES ? len : VALUE_BYTES, false);
			buf_puts(&text, len > VALUE_BYTES ? " … (--json has all)" : "");
		}
		page_fact(p, label, buf_text(&text));
		label = "";
	}
}

/* ---- streams ------------------------------------------------------------------------------ */

static void
put_preview(struct page *p, const struct buf *raw)
{
	unsigned int lines = p->verbose ? PREVIEW_LINES_VERBOSE : PREVIEW_LINES;
	size_t at = 0;

	for (unsigned int i = 0; i < lines && at < raw->len; i++) {
		const uint8_t *newline = memchr(raw->data + at, '\n', raw->len - at);
		size_t len = newline != NULL ? (size_t)(newline - raw->data) - at : raw->len - at;
		auto_buf line = BUF_INIT;

		buf_puts(&line, "| ");
		text_safe(&line, raw->data + at, len, false);
		page_line(p, VIEW_PLAIN, buf_text(&line));
		at += len + 1;
	}
	if (at < raw->len) {
		page_line(p, VIEW_DIM, "| …");
	}
}

/* The first lines: what an incident is often recognised by. */
static void
show_preview(struct page *p, struct reading *r, const struct record *rec, const char *name)
{
	const json_t *stream = json_object_get(rec->outcome, name);
	const char *content = json_string_value(json_object_get(stream, "inline"));
	auto_buf raw = BUF_INIT;
	struct err err = ERR_INIT;
	int rc = -1;

	if (content != NULL) {
		rc = text_unbase64(content, &raw);
	} else if (r != NULL) {
		rc = object_stream(r, rec, name, &raw, &err);
	}
	if (rc == 0) {
		put_preview(p, &raw);
	} else if (err.code != 0) {
		page_fact_color(p, "", VIEW_RED, err.text);
	}
}

void
show_stream(struct page *p, struct reading *r, const struct record *rec, const char *name)
{
	const json_t *stream = json_object_get(rec->outcome, name);
	uint64_t bytes = record_number(stream, "bytes"), kept = record_number(stream, "kept");
	auto_buf text = BUF_INIT;

	if (bytes == 0) {
		page_fact(p, name, "empty");
		return;
	}
	view_size(&text, bytes);
	if (kept == 0) {
		buf_puts(&text, ", nothing of it was kept but its digest");
	} else if (kept < bytes) {
		buf_puts(&text, ", only the first ");
		view_size(&text, kept);
		buf_puts(&text, " were kept");
	}
	if (p->verbose || kept == 0) {
		buf_puts(&text, ", ");
		page_digest(p, &text, record_text(stream, "digest"));
	}
	if (kept > 0 && !p->html) {
		buf_printf(&text, ": airlock cat %.13s %s", rec->id, name);
	}
	page_fact_color(p, name, kept < bytes ? VIEW_YELLOW : VIEW_PLAIN, buf_text(&text));
	if (kept > 0) {
		show_preview(p, r, rec, name);
	}
}

/* ---- saw ---------------------------------------------------------------------------------- */

/* Who wrote is not known, what is. */
static void
show_unstable(struct page *p, const json_t *tree)
{
	const json_t *changed = json_object_get(tree, "changed");
	uint64_t count = record_number(tree, "changed_count");
	auto_buf text = BUF_INIT;

	buf_puts(&text, "unstable: something else wrote to the workspace meanwhile");
	for (size_t i = 0; i < json_array_size(changed); i++) {
		buf_puts(&text, i == 0 ? ": " : ", ");
		view_path(&text, json_string_value(json_array_get(changed, i)));
	}
	if (count > json_array_size(changed)) {
		buf_printf(&text, " and %llu more",
			   (unsigned long long)(count - json_array_size(changed)));
	}
	page_fact_color(p, "", VIEW_YELLOW, buf_text(&text));
}

static void
show_workspace(struct page *p, const struct record *rec)
{
	const json_t *tree = json_object_get(rec->outcome, "in_tree");
	auto_buf root = BUF_INIT, cwd = BUF_INIT, text = BUF_INIT;

	view_path(&root, record_text(rec->planned, "workspace.path"));
	view_text(&cwd, record_text(rec->planned, "cwd"));
	if (record_text(rec->planned, "input")[0] != '\0') {
		buf_puts(&text, ", with the content of ");
		view_path(&text, record_text(rec->planned, "input"));
		buf_puts(&text, " in its place");
	} else if (json_is_true(record_get(rec->planned, "workspace.snapshot"))) {
		buf_puts(&text, " (a copy of it)");
	}
	page_factf(p, "workspace", "%s%s", buf_text(&root), buf_text(&text));
	buf_reset(&text);
	if (strcmp(buf_text(&root), buf_text(&cwd)) != 0) {
		page_fact(p, "started in", buf_text(&cwd));
	}
	if (!json_is_object(tree)) {
		page_fact_color(p, "input", VIEW_YELLOW,
				"not hashed: what stood in the workspace is not known");
		return;
	}
	view_count(&text, record_number(tree, "files"), "file", "files");
	buf_puts(&text, ", ");
	view_count(&text, record_number(tree, "directories"), "directory", "directories");
	if (record_number(tree, "links") > 0) {
		buf_puts(&text, ", ");
		view_count(&text, record_number(tree, "links"), "link", "links");
	}
	buf_puts(&text, ", ");
	view_size(&text, record_number(tree, "bytes"));
	buf_puts(&text, "; tree ");
	page_digest(p, &text, record_text(tree, "digest"));
	page_fact(p, "input", buf_text(&text));
	if (json_is_true(json_object_get(tree, "unstable"))) {
		show_unstable(p, tree);
	}
}

/* What the streams of such a call are: nothing tells its errors from its output. */
static void
show_terminal(struct page *p, const struct record *rec)
{
	const json_t *size = record_get(rec->outcome, "attestation.terminal");

	if (!json_is_true(json_object_get(rec->planned, "terminal"))) {
		return;
	}
	if (json_is_object(size)) {
		page_factf(p, "terminal",
			   "its own, %llu rows and %llu columns at the start; stdin is what was "
			   "typed, stdout all that it showed",
			   (unsigned long long)record_number(size, "rows"),
			   (unsigned long long)record_number(size, "columns"));
	} else {
		page_fact(p, "terminal", "its own");
	}
}

/*
 * What somebody's profile let the tool read of the host, beyond what airlock's own do. Whether it
 * did is not seen. Paths of the record are escaped already.
 */
static void
show_reads(struct page *p, const json_t *reads)
{
	for (size_t i = 0; i < json_array_size(reads); i++) {
		const json_t *read = json_array_get(reads, i);
		auto_buf text = BUF_INIT;

		view_path(&text, record_text(read, "path"));
		buf_puts(&text, ", by ");
		view_text(&text, record_text(read, "rule"));
		page_fact_color(p, i == 0 ? "could read" : "", VIEW_YELLOW, buf_text(&text));
	}
}

static void
show_ids(struct page *p, const json_t *actor)
{
	const json_t *groups = json_object_get(actor, "groups");
	auto_buf text = BUF_INIT;

	buf_printf(&text, "uid %llu, gid %llu", (unsigned long long)record_number(actor, "uid"),
		   (unsigned long long)record_number(actor, "gid"));
	for (size_t i = 0; i < json_array_size(groups); i++) {
		buf_printf(&text, "%s%llu", i == 0 ? ", groups " : " ",
			   (unsigned long long)record_value(json_array_get(groups, i)));
	}
	page_fact(p, "caller", buf_text(&text));
}

/* Paths of the record are escaped already. */
static void
show_hidden(struct page *p, const json_t *hidden)
{
	auto_buf text = BUF_INIT;

	if (json_array_size(hidden) > 0) {
		show_strings(&text, hidden, " ");
		page_fact(p, "hidden", buf_text(&text));
	}
}

/* What this record cannot answer, so that nobody looks for it. */
static void
show_not_seen(struct page *p, const struct record *rec)
{
	const json_t *values = json_object_get(rec->planned, "env_values");
	uint64_t file_size = record_number(rec->planned, "capture_bounds.file_size");
	const char *capture = record_text(rec->planned, "capture");
	auto_buf text = BUF_INIT;

	buf_printf(&text, "which files it read; values of %svariables",
		   json_array_size(values) > 0 ? "the other " : "");
	if (strcmp(capture, "digests") == 0) {
		buf_puts(&text, "; contents of the input (digests only)");
	} else if (strcmp(capture, "touched") == 0) {
		buf_puts(&text, "; contents of what it did not change (digests only)");
	}
	if (file_size > 0 && file_size < FILE_SIZE_ANY && strcmp(capture, "digests") != 0) {
		buf_puts(&text, "; contents of files above ");
		view_size(&text, file_size);
	}
	page_fact_color(p, "not seen", VIEW_DIM, buf_text(&text));
}

static void
show_key(struct page *p, const json_t *planned)
{
	const char *before = record_text(planned, "retry_of");
	auto_buf text = BUF_INIT;

	if (record_text(planned, "key")[0] == '\0') {
		return;
	}
	view_text(&text, record_text(planned, "key"));
	if (before[0] != '\0') {
		buf_printf(&text, ", attempt %llu, after call ",
			   (unsigned long long)record_number(planned, "attempt"));
		view_text(&text, before);
	}
	page_fact(p, "key", buf_text(&text));
}

void
show_saw(struct page *p, struct reading *r, const struct record *rec)
{
	auto_buf kernel = BUF_INIT, version = BUF_INIT, names = BUF_INIT, values = BUF_INIT;

	page_part(p, "SAW", "what went in");
	show_text(p, "program", rec->planned, "tool");
	show_workspace(p, rec);
	show_reads(p, json_object_get(rec->planned, "read"));
	show_strings(&names, json_object_get(rec->planned, "env_names"), " ");
	page_fact(p, "environment", names.len > 0 ? buf_text(&names) : "empty");
	show_strings(&values, json_object_get(rec->planned, "env_values"), " ");
	if (values.len > 0) {
		page_fact(p, "values", buf_text(&values));
	}
	show_terminal(p, rec);
	if (rec->outcome != NULL) {
		show_stream(p, r, rec, "stdin");
	}
	show_hidden(p, json_object_get(rec->planned, "hidden"));
	show_ids(p, json_object_get(rec->planned, "actor"));
	show_key(p, rec->planned);
	if (record_text(rec->planned, "trace")[0] != '\0') {
		show_text(p, "trace", rec->planned, "trace");
	}
	show_object(p, "context", json_object_get(rec->planned, "context"));
	view_text(&kernel, record_text(rec->planned, "node.kernel"));
	view_text(&version, record_text(rec->planned, "node.airlock"));
	page_factf(p, "host", "Linux %s, airlock %s", buf_text(&kernel), buf_text(&version));
	show_not_seen(p, rec);
}
