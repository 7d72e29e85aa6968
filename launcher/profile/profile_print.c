/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Effective values to YAML and to the list of their places. Runs in airlock-cli. Trusts nothing in
 * the texts: what is not plain is quoted. No I/O.
 */
#include "profile_print.h"

#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../base/text.h"
#include "profile_internal.h"

#define ORIGIN_COLUMN 40u

struct printer {
	const struct profile_doc *doc;
	struct buf *out;
	size_t line; /* where the line that is being written begins in out */
	bool origins;
	const char *comment;   /* before every line: "" or "#" */
	const char *explained; /* the parent whose values a skeleton shows, NULL for none */
};

/* ---- scalars --------------------------------------------------------------------------------- */

/* Names and paths whose characters mean nothing to YAML where they stand. */
static bool
is_plain(const char *text)
{
#define FIRST "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._"
	return text[0] != '\0' && strchr(FIRST, text[0]) != NULL &&
	       text[strspn(text, FIRST "-+=%~")] == '\0';
#undef FIRST
}

static void
put_text(struct buf *out, const char *text)
{
	if (is_plain(text)) {
		buf_puts(out, text);
	} else {
		profile_put_quoted(out, text);
	}
}

/* As it would be written. */
static void
put_scalar(struct buf *out, const struct profile_key *key, const struct profile_value *v)
{
	if (key->type == TYPE_TEXT) {
		profile_put_quoted(out, v->text);
	} else if (profile_type_is_text(key->type)) {
		put_text(out, v->text);
	} else {
		profile_value_print(out, key->type, v->number);
	}
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void
begin_line(struct printer *p)
{
	p->line = p->out->len;
	buf_puts(p->out, p->comment);
}

static void
end_line(struct printer *p, const struct profile_place *at)
{
	size_t width = p->out->len - p->line;

	if (p->origins && at != NULL) {
		buf_printf(p->out, "%*s# ",
			   width < ORIGIN_COLUMN ? (int)(ORIGIN_COLUMN - width) : 1, "");
		if (at->line == 0) {
			buf_puts(p->out, "default");
		} else {
			text_safe(p->out, at->source->path, strlen(at->source->path), false);
			buf_printf(p->out, ":%u", at->line);
		}
	}
	buf_putc(p->out, '\n');
}

static void
put_item_value(struct buf *out, const struct profile_key *key, const struct profile_item *item)
{
	if (key->type == TYPE_BOUNDS) {
		put_text(out, item->value);
		return;
	}
	if (item->path == NULL) {
		profile_put_quoted(out, item->value);
		return;
	}
	buf_puts(out, "{ path: ");
	put_text(out, item->path);
	buf_printf(out, ", scope: %s, exec: %s }", profile_cache_scope((uint32_t)item->number),
		   (item->number & CACHE_EXEC) != 0 ? "true" : "false");
}

/* As it would be written, on one line. */
static void
put_check(struct buf *out, const struct profile_check *check)
{
	buf_puts(out, "{ name: ");
	put_text(out, check->name);
	if (check->profile != NULL) {
		buf_puts(out, ", profile: ");
		put_text(out, check->profile);
	}
	buf_puts(out, ", run: [");
	for (size_t i = 0; i < check->run.count; i++) {
		buf_puts(out, i > 0 ? ", " : "");
		put_text(out, check->run.items[i]);
	}
	buf_printf(out, "], expect: { exit: %u }", check->exit);
	if (check->wall_ms > 0) {
		buf_puts(out, ", wall: ");
		profile_value_print(out, TYPE_DURATION, check->wall_ms);
	}
	buf_puts(out, " }");
}

static void
put_items(struct printer *p, const struct profile_key *key, const char *indent)
{
	const struct profile_value *v = &p->doc->values[key->id];

	for (size_t i = 0; i < v->count; i++) {
		const struct profile_item *item = &v->items[i];

		begin_line(p);
		buf_printf(p->out, "%s  ", indent);
		if (item->check != NULL) {
			buf_puts(p->out, "- ");
			put_check(p->out, item->check);
		} else if (item->value != NULL) {
			put_text(p->out, item->text);
			buf_puts(p->out, ": ");
			put_item_value(p->out, key, item);
		} else {
			buf_puts(p->out, "- ");
			put_text(p->out, item->text);
		}
		end_line(p, &item->at);
	}
}

static void
put_key(struct printer *p, const struct profile_key *key)
{
	const struct profile_value *v = &p->doc->values[key->id];
	enum profile_shape shape = profile_type_shape(key->type);
	size_t section = profile_key_section(key->name);
	const char *indent = section > 0 ? "  " : "";

	begin_line(p);
	buf_printf(p->out, "%s%s:", indent, key->name + section + (section > 0 ? 1 : 0));
	if (shape == SHAPE_SCALAR) {
		buf_putc(p->out, ' ');
		put_scalar(p->out, key, v);
		end_line(p, &v->at);
	} else if (v->count == 0) {
		buf_puts(p->out, shape == SHAPE_MAP ? " {}" : " []");
		end_line(p, &v->at);
	} else {
		end_line(p, NULL);
		put_items(p, key, indent);
	}
}

/* What a skeleton says above a key. */
static void
explain(struct printer *p, const struct profile_key *key)
{
	bool opened = false;

	for (size_t i = 0; i < p->doc->values[KEY_OPEN].count; i++) {
		opened = opened || strcmp(p->doc->values[KEY_OPEN].items[i].text, key->name) == 0;
	}
	buf_printf(p->out, "## %s\n", key->sentence);
	if (opened) {
		buf_printf(p->out, "## Opened by %s: this profile may set it as it likes.\n",
			   p->explained);
	} else {
		buf_printf(p->out, "## %s\n", profile_narrow_sentence(key->narrow));
	}
}

static void
put_keys(struct printer *p, bool (*wants)(const struct profile_key *key))
{
	const struct profile_key *keys[KEY__COUNT], *before = NULL;

	profile_keys_by_section(keys);
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		bool same;

		if (!wants(keys[i])) {
			continue;
		}
		same = before != NULL && profile_key_is_beside(before, keys[i]);
		if (p->explained != NULL && !same) {
			buf_putc(p->out, '\n');
		}
		if (profile_key_section(keys[i]->name) > 0 && !same) {
			begin_line(p);
			buf_printf(p->out, "%.*s:", (int)profile_key_section(keys[i]->name),
				   keys[i]->name);
			end_line(p, NULL);
		}
		if (p->explained != NULL) {
			explain(p, keys[i]);
		}
		put_key(p, keys[i]);
		before = keys[i];
	}
}

/* ---- what is printed ------------------------------------------------------------------------- */

static bool
is_effective(const struct profile_key *key)
{
	return key->id != KEY_EXTENDS;
}

void
profile_print_yaml(const struct profile_doc *doc, bool origins, struct buf *out)
{
	struct printer p = { .doc = doc, .out = out, .origins = origins, .comment = "" };

	put_keys(&p, is_effective);
}

/* What this version cannot grant is no use to begin with. */
static bool
is_explained(const struct profile_key *key)
{
	return key->narrow != NARROW_OWN && key->narrow != NARROW_OPEN && key->type != TYPE_LATER;
}

void
profile_print_skeleton(const struct profile_doc *doc, const char *name, const char *parent,
		       struct buf *out)
{
	auto_buf quoted = BUF_INIT;
	struct printer p = { .doc = doc, .out = out, .comment = "#" };

	put_text(&quoted, parent);
	buf_printf(out,
		   "## What one tool may see, do and cost. The keys are explained in "
		   "airlock-profile(5).\n\n"
		   "version: 1\nname: %s\n"
		   "## What it is for, in one line.\ndescription: \"\"\n"
		   "extends: %s\n\n"
		   "## All below is as %s has it. To change a value take away the '#' before "
		   "it and before\n## the line that it belongs to.\n",
		   name, buf_text(&quoted), buf_text(&quoted));
	p.explained = buf_text(&quoted);
	put_keys(&p, is_explained);
}

/* ---- places ---------------------------------------------------------------------------------- */

static void
put_origin(struct json *j, const struct profile_key *key, const struct profile_place *at,
	   const char *value)
{
	json_begin_object(j);
	json_key(j, "at");
	if (at->line == 0) {
		json_put_null(j);
	} else {
		auto_buf text = BUF_INIT;

		buf_printf(&text, "%s:%u", at->source->path, at->line);
		json_bytes(j, buf_text(&text), text.len);
	}
	json_kv_str(j, "key", key->name);
	json_key(j, "value");
	json_bytes(j, value, strlen(value));
	json_end(j);
}

int
profile_print_origins(const struct profile_doc *doc, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_begin_array(&j);
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const struct profile_key *key = profile_key((enum profile_key_id)i);
		const struct profile_value *v = &doc->values[i];
		auto_buf text = BUF_INIT;

		if (!is_effective(key)) {
			continue;
		}
		if (profile_type_is_text(key->type)) {
			put_origin(&j, key, &v->at, v->text);
		} else if (profile_type_shape(key->type) == SHAPE_SCALAR) {
			profile_value_print(&text, key->type, v->number);
			put_origin(&j, key, &v->at, buf_text(&text));
		}
		for (size_t k = 0; k < v->count; k++) {
			put_origin(&j, key, &v->items[k].at, v->items[k].text);
		}
	}
	json_end(&j);
	return json_error(&j);
}
