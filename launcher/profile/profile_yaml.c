/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict YAML: bytes to a tree with a place at every node. Runs in airlock-cli, as the caller, and
 * is the only file that knows libfyaml. Trusts nothing in the bytes.
 *
 * The tree is made from events and not from libfyaml's documents: anchors, tags and aliases are
 * seen where they stand, nothing is resolved or expanded, and several errors can be told at once.
 */
#include "profile_yaml.h"

#include <libfyaml.h>
#include <stdio.h>
#include <string.h>

#include "../base/limits.h"
#include "../base/text.h"

struct builder {
	struct profile_arena *arena;
	const struct profile_source *source;
	struct profile_report *report;
	struct fy_parser *parser;
	struct profile_node *root;
	struct profile_node
		*open[PROFILE_NESTING_MAX]; /* the list or map that is being read, innermost last */
	unsigned int depth;
	unsigned int skip; /* nesting inside something that was refused */
	unsigned int documents, nodes;
	bool failed;
	const char *key; /* read, its value is next; NULL otherwise */
	bool key_bad;	 /* the key was refused: drop its value */
	struct profile_place key_at;
};

/* ---- before libfyaml sees the bytes ---------------------------------------------------------- */

static const char *
refused_char(uint32_t c, bool first)
{
	if (c == '\t') {
		return "tab; indent with spaces";
	}
	if (c == '\r') {
		return "carriage return; end lines with a newline only";
	}
	if (c == 0xfeff) {
		return first ? "byte order mark at the start" : "byte order mark";
	}
	/* NEL, LS and PS are line breaks to some readers of YAML and not to others. */
	if ((c < 0x20 && c != '\n') || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029) {
		return "control character";
	}
	return NULL;
}

/* One error per line, so that a file full of tabs does not hide the rest. */
static bool
check_bytes(const struct profile_source *source, struct profile_report *report)
{
	struct profile_place at = { source, 1, 1, 1 };
	unsigned int told_line = 0;
	size_t step;

	if (source->len > CAP_PROFILE_FILE) {
		at = (struct profile_place){ source, 0, 0, 0 };
		profile_report_at(report, &at, "larger than 1 MiB");
		return false;
	}
	for (size_t pos = 0; pos < source->len; pos += step) {
		uint32_t c = 0;
		const char *why;

		step = text_utf8(source->data + pos, source->len - pos, &c);
		why = step == 0 ? "byte that is not UTF-8" : refused_char(c, pos == 0);
		step = step == 0 ? 1 : step;
		if (why != NULL && told_line != at.line) {
			profile_report_at(report, &at, "%s", why);
			told_line = at.line;
		}
		at.column++;
		if (c == '\n') {
			at.line++;
			at.column = 1;
		}
	}
	return told_line == 0;
}

static const char *
kind_of(const struct profile_source *source)
{
	return source->what != NULL ? source->what : "profile";
}

/* ---- events to nodes ------------------------------------------------------------------------- */

static struct profile_place
place_of(const struct builder *b, struct fy_token *token, const struct fy_mark *fallback)
{
	const struct fy_mark *start = token != NULL ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *end = token != NULL ? fy_token_end_mark(token) : NULL;
	struct profile_place at = { b->source, 1, 1, 1 };

	start = start != NULL ? start : fallback;
	if (start != NULL) {
		at.line = (unsigned int)start->line + 1;
		at.column = (unsigned int)start->column + 1;
	}
	if (start != NULL && end != NULL && end->line == start->line &&
	    end->column > start->column) {
		at.width = (unsigned int)(end->column - start->column);
	}
	return at;
}

static void
refuse(struct builder *b, const struct profile_place *at, const char *what)
{
	profile_report_at(b->report, at, "%s", what);
	b->failed = true;
}

/* Tags and anchors stand before any kind of node. */
static void
check_properties(struct builder *b, struct fy_event *event)
{
	struct fy_token *anchor = fy_event_get_anchor_token(event);
	struct fy_token *tag = fy_event_get_tag_token(event);
	struct profile_place at;

	if (anchor != NULL && event->type != FYET_ALIAS) {
		at = place_of(b, anchor, NULL);
		/* The token is the name; the caret belongs under the '&'. */
		at.column -= at.column > 1 ? 1 : 0;
		at.width++;
		refuse(b, &at, "anchors are not allowed; write the value out");
	}
	if (tag != NULL) {
		at = place_of(b, tag, NULL);
		refuse(b, &at, "tags are not allowed; the key decides the type");
	}
}

static struct profile_node *
find_key(const struct profile_node *map, const char *key)
{
	for (struct profile_node *n = map->first; n != NULL; n = n->next) {
		if (strcmp(n->key, key) == 0) {
			return n;
		}
	}
	return NULL;
}

static void
add_node(struct builder *b, struct profile_node *node)
{
	struct profile_node *parent = b->depth > 0 ? b->open[b->depth - 1] : NULL;

	if (parent == NULL) {
		b->root = node;
		return;
	}
	if (parent->kind == NODE_MAP) {
		node->key = b->key;
		node->key_at = b->key_at;
		b->key = NULL;
	}
	if (parent->last != NULL) {
		parent->last->next = node;
	} else {
		parent->first = node;
	}
	parent->last = node;
}

static void
take_key(struct builder *b, const struct profile_place *at, const char *text)
{
	const struct profile_node *map = b->open[b->depth - 1];
	const struct profile_node *before = find_key(map, text);

	b->key = text;
	b->key_at = *at;
	if (strcmp(text, "<<") == 0) {
		refuse(b, at,
		       b->source->what == NULL ? "merge keys are not allowed; use extends"
					       : "merge keys are not allowed; write the keys out");
		b->key_bad = true;
	} else if (before != NULL) {
		profile_report_at(b->report, at, "duplicate key '%s'; the first is in line %u",
				  text, before->key_at.line);
		b->failed = true;
		b->key_bad = true;
	}
}

static bool
wants_key(const struct builder *b)
{
	return b->depth > 0 && b->open[b->depth - 1]->kind == NODE_MAP && b->key == NULL;
}

static void
on_scalar(struct builder *b, struct fy_event *event)
{
	struct fy_token *token = event->scalar.value;
	struct profile_place at = place_of(b, token, fy_event_start_mark(event));
	size_t len = 0;
	const char *text = fy_token_get_text(token, &len);
	struct profile_node *node;
	char *copy;

	text = text != NULL ? text : "";
	copy = profile_arena_text(b->arena, text, len);
	node = profile_arena_get(b->arena, 1, sizeof(*node));
	if (copy == NULL || node == NULL) {
		return;
	}
	if (memchr(text, 0, len) != NULL) {
		refuse(b, &at, "NUL in a text");
	}
	if (wants_key(b)) {
		take_key(b, &at, copy);
		return;
	}
	if (b->key_bad) {
		b->key_bad = false;
		b->key = NULL;
		return;
	}
	*node = (struct profile_node){ .kind = NODE_SCALAR, .at = at, .text = copy };
	node->empty = len == 0 && fy_token_scalar_style(token) == FYSS_PLAIN;
	add_node(b, node);
}

static void
on_start(struct builder *b, struct fy_event *event, enum profile_node_kind kind)
{
	struct fy_token *token = kind == NODE_MAP ? event->mapping_start.mapping_start
						  : event->sequence_start.sequence_start;
	struct profile_place at = place_of(b, token, fy_event_start_mark(event));
	struct profile_node *node;

	if (wants_key(b)) {
		refuse(b, &at, "a key must be a plain name");
		b->key = "";
		b->key_at = at;
		b->key_bad = true;
		b->skip = 1;
		return;
	}
	if (b->key_bad) {
		b->skip = 1;
		b->key_bad = false;
		b->key = NULL;
		return;
	}
	if (b->depth == PROFILE_NESTING_MAX) {
		refuse(b, &at, "nested too deeply");
		b->skip = 1;
		b->key = NULL;
		return;
	}
	node = profile_arena_get(b->arena, 1, sizeof(*node));
	if (node == NULL) {
		b->skip = 1;
		b->key = NULL;
		return;
	}
	*node = (struct profile_node){ .kind = kind, .at = at, .text = "" };
	add_node(b, node);
	b->open[b->depth++] = node;
}

static void
on_alias(struct builder *b, struct fy_event *event)
{
	struct profile_place at = place_of(b, event->alias.anchor, fy_event_start_mark(event));

	at.column -= at.column > 1 ? 1 : 0;
	at.width++;
	refuse(b, &at, "aliases are not allowed; write the value out");
	if (wants_key(b)) {
		b->key = "";
		b->key_bad = true;
	} else {
		b->key_bad = false;
		b->key = NULL;
	}
}

/* False: stop reading. */
static bool
on_document(struct builder *b, struct fy_event *event)
{
	struct profile_place at =
		place_of(b, event->document_start.document_start, fy_event_start_mark(event));

	b->documents++;
	if (b->documents > 1) {
		profile_report_at(b->report, &at, "a second document; a %s is one",
				  kind_of(b->source));
		b->failed = true;
		return false;
	}
	return true;
}

/* False: stop reading. */
static bool
on_event(struct builder *b, struct fy_event *event)
{
	bool starts = event->type == FYET_MAPPING_START || event->type == FYET_SEQUENCE_START;
	bool ends = event->type == FYET_MAPPING_END || event->type == FYET_SEQUENCE_END;

	if (++b->nodes > PROFILE_NODES_MAX) {
		struct profile_place at = place_of(b, NULL, fy_event_start_mark(event));

		refuse(b, &at, "too many keys and values");
		return false;
	}
	if (starts || event->type == FYET_SCALAR) {
		check_properties(b, event);
	}
	if (b->skip > 0) {
		b->skip += starts ? 1u : 0u;
		b->skip -= ends ? 1u : 0u;
		return true;
	}
	if (ends) {
		b->depth--;
		b->key = NULL;
		return true;
	}
	switch (event->type) {
	case FYET_DOCUMENT_START:
		return on_document(b, event);
	case FYET_SCALAR:
		on_scalar(b, event);
		return true;
	case FYET_ALIAS:
		on_alias(b, event);
		return true;
	case FYET_MAPPING_START:
		on_start(b, event, NODE_MAP);
		return true;
	case FYET_SEQUENCE_START:
		on_start(b, event, NODE_LIST);
		return true;
	case FYET_STREAM_END:
		return false;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_DOCUMENT_END:
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		break;
	}
	return true;
}

/* ---- libfyaml's own errors ------------------------------------------------------------------- */

static void
report_syntax(struct builder *b, struct fy_diag *diag)
{
	struct profile_place at = { b->source, 1, 1, 1 };
	const struct fy_diag_error *error;
	void *walk = NULL;

	/* The first names the place; those after it are its consequences. */
	error = fy_diag_errors_iterate(diag, &walk);
	if (error == NULL) {
		refuse(b, &at, "not YAML");
		return;
	}
	at.line = error->line > 0 ? (unsigned int)error->line : 1;
	at.column = error->column > 0 ? (unsigned int)error->column : 1;
	profile_report_at(b->report, &at, "not YAML: %s", error->msg);
	b->failed = true;
}

static void
drop_output(struct fy_diag *diag, void *user, const char *text, size_t len)
{
	(void)diag;
	(void)user;
	(void)text;
	(void)len;
}

static void
parse_events(struct builder *b, struct fy_diag *diag)
{
	bool more = true;

	while (more) {
		struct fy_event *event = fy_parser_parse(b->parser);

		if (event == NULL) {
			break;
		}
		more = on_event(b, event);
		fy_parser_event_free(b->parser, event);
	}
	if (fy_parser_get_stream_error(b->parser)) {
		report_syntax(b, diag);
	}
}

/*
 * A directive ("%YAML 1.1", "%TAG") changes how the rest is read. Comments and blank lines may
 * come before.
 */
static bool
check_directives(const struct profile_source *source, struct profile_report *report)
{
	struct profile_place at = { source, 1, 1, 1 };
	const uint8_t *p = source->data, *end = p + source->len;

	while (p < end) {
		const uint8_t *newline = memchr(p, '\n', (size_t)(end - p));

		if (*p == '%') {
			profile_report_at(report, &at, "directives are not allowed");
			return false;
		}
		if (*p != '#' && *p != '\n' && *p != ' ') {
			return true;
		}
		if (newline == NULL) {
			return true;
		}
		p = newline + 1;
		at.line++;
	}
	return true;
}

struct profile_node *
profile_yaml_parse(struct profile_arena *a, const struct profile_source *source,
		   struct profile_report *report)
{
	struct builder b = { .arena = a, .source = source, .report = report };
	struct profile_place whole = { source, 0, 0, 0 };
	struct fy_diag_cfg diag_cfg;
	struct fy_parse_cfg cfg = { .search_path = "",
				    .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG |
					     FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE };
	struct fy_diag *diag;

	if (!check_bytes(source, report) || !check_directives(source, report)) {
		return NULL;
	}
	fy_diag_cfg_default(&diag_cfg);
	diag_cfg.fp = NULL;
	diag_cfg.output_fn = drop_output;
	diag = fy_diag_create(&diag_cfg);
	if (diag == NULL) {
		profile_report_at(report, &whole, "no memory");
		return NULL;
	}
	fy_diag_set_collect_errors(diag, true);
	cfg.diag = diag;
	b.parser = fy_parser_create(&cfg);
	if (b.parser == NULL ||
	    fy_parser_set_string(b.parser, (const char *)source->data, source->len) != 0) {
		refuse(&b, &whole, "no memory");
	} else {
		parse_events(&b, diag);
	}
	fy_parser_destroy(b.parser);
	fy_diag_destroy(diag);
	if (a->failed) {
		refuse(&b, &whole, "no memory");
	}
	if (!b.failed && (b.root == NULL || (b.root->kind == NODE_SCALAR && b.root->empty))) {
		profile_report_at(report, &whole, "no %s in it; it begins with %s", kind_of(source),
				  source->begins != NULL ? source->begins
							 : "version: 1 and name: NAME");
		b.failed = true;
	}
	return b.failed ? NULL : b.root;
}
