/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SAW and DECIDED of `airlock show`. Runs in airlock-cli as the caller; every string of a record is
 * a caller's or a tool's and is escaped here.
 */
#include "view_show.h"

#include <string.h>

#define PREVIEW_LINES 5u
#define VALUE_BYTES 400u /* of a nested value; --json has all of it */

void
show_text(struct page *p, const char *label, const json_t *object, const char *member)
{
	auto_buf text = BUF_INIT;

	view_text(&text, record_text(object, member));
	page_fact(p, label, buf_text(&text));
}

void
show_strings(struct page *p, const char *label, const json_t *array)
{
	auto_buf text = BUF_INIT;

	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *item = json_string_value(json_array_get(array, i));

		if (item != NULL) {
			buf_puts(&text, text.len > 0 ? " " : "");
			view_text(&text, item);
		}
	}
	page_fact(p, label, text.len > 0 ? buf_text(&text) : "none");
}

/* The first lines of a short stream: what an incident is often recognised by. */
static void
show_preview(struct page *p, const json_t *stream)
{
	const char *content = json_string_value(json_object_get(stream, "inline"));
	auto_buf raw = BUF_INIT;
	size_t at = 0;

	if (content == NULL || text_unbase64(content, &raw) != 0) {
		return;
	}
	for (unsigned int i = 0; i < PREVIEW_LINES && at < raw.len; i++) {
		const uint8_t *newline = memchr(raw.data + at, '\n', raw.len - at);
		size_t len = newline != NULL ? (size_t)(newline - raw.data) - at : raw.len - at;
		auto_buf line = BUF_INIT;

		buf_puts(&line, "| ");
		text_safe(&line, raw.data + at, len, false);
		page_line(p, VIEW_PLAIN, buf_text(&line));
		at += len + 1;
	}
	if (at < raw.len) {
		page_line(p, VIEW_DIM, "| …");
	}
}

void
show_stream(struct page *p, const char *label, const json_t *stream)
{
	uint64_t bytes = record_number(stream, "bytes"), kept = record_number(stream, "kept");
	auto_buf text = BUF_INIT;

	if (bytes == 0) {
		page_fact(p, label, "empty");
		return;
	}
	view_size(&text, bytes);
	if (kept >= bytes) {
		buf_puts(&text, ", all kept");
	} else if (kept > 0) {
		buf_puts(&text, ", the first ");
		view_size(&text, kept);
		buf_puts(&text, " kept");
	} else {
		buf_puts(&text, ", not kept");
	}
	page_fact(p, label, buf_text(&text));
	show_text(p, "", stream, "digest");
	show_preview(p, stream);
}

/* ---- saw ---------------------------------------------------------------------------------- */

static void
show_workspace(struct page *p, const struct record *rec)
{
	const json_t *tree = json_object_get(rec->outcome, "in_tree");
	auto_buf text = BUF_INIT;

	view_path(&text, record_text(rec->planned, "workspace.path"));
	page_fact(p, "workspace", buf_text(&text));
	if (!json_is_object(tree)) {
		page_fact(p, "input tree", rec->outcome != NULL ? "not hashed" : "not recorded");
		return;
	}
	buf_reset(&text);
	view_count(&text, record_number(tree, "files"), "file", "files");
	buf_puts(&text, ", ");
	view_count(&text, record_number(tree, "directories"), "directory", "directories");
	buf_puts(&text, ", ");
	view_count(&text, record_number(tree, "links"), "link", "links");
	buf_puts(&text, ", ");
	view_size(&text, record_number(tree, "bytes"));
	page_fact(p, "input tree", buf_text(&text));
	show_text(p, "", tree, "digest");
	if (json_is_true(json_object_get(tree, "unstable"))) {
		page_fact_color(p, "", VIEW_YELLOW,
				"unstable: something else wrote to the workspace meanwhile");
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

/* Members of an object, one fact each; nested values as the JSON they are. */
static void
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

void
show_saw(struct page *p, const struct record *rec)
{
	page_part(p, "SAW", "what went in");
	show_text(p, "program", rec->planned, "tool");
	show_text(p, "cwd", rec->planned, "cwd");
	show_strings(p, "environment", json_object_get(rec->planned, "env_names"));
	if (rec->outcome != NULL) {
		show_stream(p, "stdin", json_object_get(rec->outcome, "stdin"));
	}
	show_workspace(p, rec);
	show_ids(p, json_object_get(rec->planned, "actor"));
	if (record_text(rec->planned, "key")[0] != '\0') {
		show_text(p, "key", rec->planned, "key");
	}
	if (record_text(rec->planned, "trace")[0] != '\0') {
		show_text(p, "trace", rec->planned, "trace");
	}
	show_object(p, "context", json_object_get(rec->planned, "context"));
	show_text(p, "kernel", rec->planned, "node.kernel");
	show_text(p, "airlock", rec->planned, "node.airlock");
}

/* ---- decided ------------------------------------------------------------------------------ */

void
show_decided(struct page *p, const struct record *rec)
{
	const json_t *degraded = json_object_get(rec->outcome, "degraded");
	const json_t *labels = json_object_get(rec->outcome, "labels_after");
	const json_t *attestation = json_object_get(rec->outcome, "attestation");
	auto_buf text = BUF_INIT;

	page_part(p, "DECIDED", "what was allowed, and what held");
	show_text(p, "profile", rec->planned, "profile.name");
	view_path(&text, record_text(rec->planned, "profile.source"));
	page_fact(p, "", buf_text(&text));
	show_text(p, "", rec->planned, "profile.digest");
	show_text(p, "mode", rec->planned, "mode");
	show_text(p, "policy", rec->planned, "policy.decision");
	if (json_array_size(record_get(rec->planned, "policy.rules")) > 0) {
		show_strings(p, "rules", record_get(rec->planned, "policy.rules"));
	}
	if (json_array_size(degraded) > 0) {
		auto_buf names = BUF_INIT;

		for (size_t i = 0; i < json_array_size(degraded); i++) {
			const char *name = json_string_value(json_array_get(degraded, i));

			buf_puts(&names, i > 0 ? ", " : "");
			view_text(&names, name != NULL ? name : "?");
		}
		buf_puts(&names, ": not enforced on this host, as the profile allows");
		page_fact_color(p, "degraded", VIEW_YELLOW, buf_text(&names));
	} else if (rec->outcome != NULL) {
		page_fact(p, "degraded", "none: every layer was enforced");
	}
	if (json_array_size(labels) > 0) {
		show_strings(p, "labels", labels);
	}
	if (json_object_size(attestation) > 0) {
		show_object(p, "attested", attestation);
	} else if (rec->outcome != NULL) {
		page_fact_color(p, "attested", VIEW_YELLOW,
				"nothing: the sandbox was not complete");
	}
	show_text(p, "plan", rec->planned, "plan_digest");
	show_text(p, "request", rec->planned, "request_digest");
}
