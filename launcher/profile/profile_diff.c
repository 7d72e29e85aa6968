/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two effective profiles, key by key. What is narrower says profile_merge.c alone; here it is asked
 * in both directions. Runs in airlock-cli. No I/O.
 */
#include "profile_diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile_internal.h"

struct differ {
	struct profile_arena *arena;
	struct profile_changes out;
	size_t room;
	const struct profile_key *key;
	const struct profile_value *a, *b;
};

static const char *
place_text(struct profile_arena *arena, const struct profile_place *at)
{
	auto_buf text = BUF_INIT;

	if (at->line == 0) {
		return NULL;
	}
	buf_printf(&text, "%s:%u", at->source->path, at->line);
	return profile_arena_text(arena, buf_text(&text), text.len);
}

static void
add(struct differ *d, enum profile_effect effect, const char *before, const char *after,
    const struct profile_place *at)
{
	struct profile_change *row = &d->out.rows[d->out.count];

	/* Room for an entry of both lists and for the lists was made; see make_room. */
	if (d->out.count == d->room) {
		d->arena->failed = true;
		return;
	}
	row->effect = effect;
	row->key = d->key->name;
	row->before = before;
	row->after = after;
	row->at = place_text(d->arena, at);
	d->out.widens = d->out.widens || effect == PROFILE_GRANTS;
	d->out.count++;
}

/* "NAME" or "NAME=VALUE". */
static const char *
item_text(struct differ *d, const struct profile_item *item)
{
	auto_buf text = BUF_INIT;

	if (item->value == NULL) {
		return profile_arena_text(d->arena, item->text, strlen(item->text));
	}
	buf_printf(&text, "%s=%s", item->text, item->value);
	return profile_arena_text(d->arena, buf_text(&text), text.len);
}

static const char *
number_text(struct differ *d, uint64_t number)
{
	auto_buf text = BUF_INIT;

	profile_value_print(&text, d->key->type, number);
	return profile_arena_text(d->arena, buf_text(&text), text.len);
}

/* ---- by the rules ---------------------------------------------------------------------------- */

static void
diff_numbers(struct differ *d)
{
	bool narrower = profile_number_narrows(d->key, d->a->number, d->b->number);

	if (d->a->number != d->b->number) {
		add(d, narrower ? PROFILE_TAKES : PROFILE_GRANTS, number_text(d, d->a->number),
		    number_text(d, d->b->number), &d->b->at);
	}
}

static void
diff_texts(struct differ *d)
{
	if (strcmp(d->a->text, d->b->text) != 0) {
		add(d, PROFILE_CHANGES, d->a->text, d->b->text, &d->b->at);
	}
}

/* Lists whose entries allow something. */
static void
diff_lists(struct differ *d)
{
	if (!profile_list_narrows(d->key, d->a, d->b)) {
		add(d, PROFILE_GRANTS, NULL, "(any)", &d->b->at);
	}
	for (size_t i = 0; i < d->b->count; i++) {
		if (!profile_item_narrows(d->key, d->a, &d->b->items[i])) {
			add(d, PROFILE_GRANTS, NULL, item_text(d, &d->b->items[i]),
			    &d->b->items[i].at);
		}
	}
	if (!profile_list_narrows(d->key, d->b, d->a)) {
		add(d, PROFILE_TAKES, "(any)", NULL, &d->a->at);
	}
	for (size_t i = 0; i < d->a->count; i++) {
		if (!profile_item_narrows(d->key, d->b, &d->a->items[i])) {
			add(d, PROFILE_TAKES, item_text(d, &d->a->items[i]), NULL,
			    &d->a->items[i].at);
		}
	}
}

/*
 * Lists of names that a child cannot lose, or give a value that its rule does not allow; what an
 * entry more comes to is the caller's to say.
 */
static void
diff_names(struct differ *d, enum profile_effect added)
{
	for (size_t i = 0; i < d->a->count; i++) {
		const struct profile_item *before = &d->a->items[i];
		const struct profile_item *after = profile_item_find(d->b, before->text);

		if (after == NULL) {
			add(d, PROFILE_GRANTS, item_text(d, before), NULL, &before->at);
		} else if (!profile_item_narrows(d->key, d->a, after)) {
			add(d, PROFILE_GRANTS, item_text(d, before), item_text(d, after),
			    &after->at);
		} else if (!profile_item_narrows(d->key, d->b, before)) {
			add(d, PROFILE_TAKES, item_text(d, before), item_text(d, after),
			    &after->at);
		}
	}
	for (size_t i = 0; i < d->b->count; i++) {
		if (profile_item_find(d->a, d->b->items[i].text) == NULL) {
			add(d, added, NULL, item_text(d, &d->b->items[i]), &d->b->items[i].at);
		}
	}
}

static void
diff_key(struct differ *d)
{
	switch (d->key->narrow) {
	case NARROW_OWN:
		break;
	case NARROW_INHERIT:
		diff_texts(d);
		break;
	case NARROW_LOWER:
	case NARROW_RAISE:
		diff_numbers(d);
		break;
	case NARROW_OPEN:
	case NARROW_ONCE:
	case NARROW_SUBSET:
	case NARROW_WITHIN:
	case NARROW_PATTERN:
		diff_lists(d);
		break;
	case NARROW_GROW:
	case NARROW_BOUND:
		diff_names(d, PROFILE_TAKES);
		break;
	case NARROW_ADD:
		diff_names(d, PROFILE_CHANGES);
		break;
	case NARROW__COUNT:
		break;
	}
}

static bool
make_room(struct differ *d, const struct profile_doc *a, const struct profile_doc *b)
{
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		d->room += a->values[i].count + b->values[i].count + 2;
	}
	d->out.rows = profile_arena_get(d->arena, d->room, sizeof(*d->out.rows));
	return d->out.rows != NULL;
}

int
profile_diff(const struct profile_doc *a, const struct profile_doc *b, struct profile_changes *ret)
{
	auto_arena arena = { .chunks = NULL, .failed = false };
	struct differ d = { .arena = &arena };

	if (!make_room(&d, a, b)) {
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		d.key = profile_key((enum profile_key_id)i);
		d.a = &a->values[i];
		d.b = &b->values[i];
		diff_key(&d);
	}
	if (arena.failed) {
		return -ENOMEM;
	}
	d.out.arena = take_ptr(arena.chunks);
	*ret = d.out;
	return 0;
}

void
profile_changes_finish(struct profile_changes *c)
{
	struct profile_arena a = { .chunks = c->arena, .failed = false };

	profile_arena_finish(&a);
	*c = (struct profile_changes){ .count = 0 };
}
