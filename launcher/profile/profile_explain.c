/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile in sentences, by explain.def. Runs in airlock-cli, as the caller. Texts of files are
 * handed on as they are: who prints them escapes them. Pure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "profile_internal.h"

enum say_kind { SAY_VALUE, SAY_ENTRIES, SAY_ONE_WORD };

static const struct say {
	enum profile_key_id key;
	enum explain_topic topic;
	enum say_kind kind;
	uint64_t number; /* of SAY_ONE_WORD */
	const char *text, *empty;
} says[] = {
#define SAY(id, about, sentence, none) \
	{ KEY_##id, EXPLAIN_##about, SAY_VALUE, 0, (sentence), (none) },
#define SAY_LIST(id, about, sentence, none) \
	{ KEY_##id, EXPLAIN_##about, SAY_ENTRIES, 0, (sentence), (none) },
#define SAY_WORD(id, value, about, sentence) \
	{ KEY_##id, EXPLAIN_##about, SAY_ONE_WORD, (value), (sentence), NULL },
#include "explain.def"
};

static const char *const titles[] = {
#define TOPIC(id, title) title,
#include "explain.def"
};

struct page {
	struct profile_arena *arena;
	const struct profile_doc *doc;
	struct explain_page *out;
	size_t room;
};

const char *
explain_title(enum explain_topic topic)
{
	return titles[topic];
}

/* ---- places ---------------------------------------------------------------------------------- */

static void
put_place(struct buf *b, const struct profile_place *at)
{
	const char *path = at->source != NULL ? at->source->path : "";
	const char *slash = strrchr(path, '/');

	if (at->line == 0) {
		buf_puts(b, "built-in");
	} else {
		buf_printf(b, "%s:%u", slash != NULL ? slash + 1 : path, at->line);
	}
}

void
explain_place(const struct profile_loaded *l, enum profile_key_id key, const char *item,
	      struct buf *ret)
{
	const struct profile_value *v = &l->doc->values[key];

	for (size_t i = 0; item != NULL && i < v->count; i++) {
		if (strcmp(v->items[i].text, item) == 0) {
			put_place(ret, &v->items[i].at);
			return;
		}
	}
	put_place(ret, &v->at);
}

void
explain_without(const struct profile_loaded *l, enum profile_key_id key, struct buf *out)
{
	auto_arena a = { .chunks = NULL, .failed = false };
	struct profile_doc *doc = profile_arena_get(&a, 1, sizeof(*doc));

	if (doc != NULL) {
		*doc = *l->doc;
		profile_value_fallback(&a, profile_key(key), &doc->values[key]);
		profile_print_yaml(doc, false, out);
	}
	out->failed |= a.failed;
}

/* ---- sentences ------------------------------------------------------------------------------- */

static void
add_row(struct page *p, const struct say *say, const struct profile_place *at, const char *text,
	bool entry)
{
	auto_buf place = BUF_INIT;

	if (p->out->count == p->room) {
		p->arena->failed = true;
		return;
	}
	put_place(&place, at);
	p->out->rows[p->out->count++] = (struct explain_row){
		.topic = say->topic,
		.key = profile_key(say->key)->name,
		.text = profile_arena_text(p->arena, text, strlen(text)),
		.at = profile_arena_text(p->arena, buf_text(&place), place.len),
		.entry = entry,
	};
	p->arena->failed |= place.failed;
}

/* The value as it stands in a sentence; entries joined. */
static void
put_value(struct buf *b, const struct profile_key *key, const struct profile_value *v)
{
	if (profile_type_shape(key->type) == SHAPE_SCALAR) {
		if (v->text != NULL && v->text[0] != '\0') {
			buf_puts(b, v->text);
		} else if (key->type != TYPE_TEXT && key->type != TYPE_NAME &&
			   key->type != TYPE_PROFILE) {
			profile_value_print(b, key->type, v->number);
		}
		return;
	}
	for (size_t i = 0; i < v->count; i++) {
		buf_printf(b, "%s%s", i > 0 ? ", " : "", v->items[i].text);
	}
}

/* "%s" and "%%" of our own table. */
static void
put_sentence(struct buf *b, const char *text, const char *value)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (p[0] != '%') {
			buf_putc(b, *p);
		} else if (*++p == 's') {
			buf_puts(b, value);
		} else {
			buf_putc(b, '%');
		}
	}
}

static void
say_value(struct page *p, const struct say *say, const struct profile_value *v)
{
	auto_buf value = BUF_INIT, text = BUF_INIT;
	const char *sentence;

	put_value(&value, profile_key(say->key), v);
	sentence = value.len == 0 ? say->empty : say->text;
	if (sentence == NULL) {
		return;
	}
	put_sentence(&text, sentence, buf_text(&value));
	p->arena->failed |= text.failed || value.failed;
	add_row(p, say, &v->at, buf_text(&text), false);
}

static const char *
layer_sentence(const char *name)
{
	size_t count;
	const struct profile_bits *layers = profile_layers(&count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(layers[i].name, name) == 0) {
			return layers[i].sentence;
		}
	}
	return "";
}

static void
say_entries(struct page *p, const struct say *say, const struct profile_value *v)
{
	if (v->count == 0) {
		if (say->empty != NULL) {
			add_row(p, say, &v->at, say->empty, false);
		}
		return;
	}
	add_row(p, say, &v->at, say->text, false);
	for (size_t i = 0; i < v->count; i++) {
		const struct profile_item *item = &v->items[i];
		auto_buf text = BUF_INIT;

		buf_puts(&text, item->text);
		if (say->key == KEY_ALLOW_DEGRADED) {
			buf_printf(&text, ": %s", layer_sentence(item->text));
		} else if (item->value != NULL) {
			buf_printf(&text, "%s%s", item->check != NULL ? ": " : "=", item->value);
		}
		p->arena->failed |= text.failed;
		add_row(p, say, &item->at, buf_text(&text), true);
	}
}

static size_t
rows_needed(const struct profile_doc *doc)
{
	size_t count = ARRAY_LEN(says);

	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		count += says[i].kind == SAY_ENTRIES ? doc->values[says[i].key].count : 0;
	}
	return count;
}

int
explain_page(const struct profile_loaded *l, struct explain_page *ret)
{
	auto_arena a = { .chunks = NULL, .failed = false };
	struct explain_page out = { .count = 0 };
	struct page p = { .arena = &a, .doc = l->doc, .out = &out, .room = rows_needed(l->doc) };

	out.rows = profile_arena_get(&a, p.room, sizeof(*out.rows));
	for (size_t i = 0; out.rows != NULL && i < ARRAY_LEN(says); i++) {
		const struct profile_value *v = &l->doc->values[says[i].key];

		switch (says[i].kind) {
		case SAY_VALUE:
			say_value(&p, &says[i], v);
			break;
		case SAY_ENTRIES:
			say_entries(&p, &says[i], v);
			break;
		case SAY_ONE_WORD:
			if (v->number == says[i].number) {
				add_row(&p, &says[i], &v->at, says[i].text, false);
			}
			break;
		}
	}
	if (a.failed) {
		return -ENOMEM;
	}
	out.arena = take_ptr(a.chunks);
	*ret = out;
	return 0;
}

void
explain_page_finish(struct explain_page *p)
{
	struct profile_arena a = { .chunks = p->arena, .failed = false };

	profile_arena_finish(&a);
	*p = (struct explain_page){ .rows = NULL, .count = 0 };
}
