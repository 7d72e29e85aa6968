/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child over its parent: a child narrows, unless the parent opens the key. Runs in airlock-cli,
 * as the caller. Trusts nothing in either file. No I/O.
 */
#include <string.h>

#include "profile_internal.h"

struct merge {
	struct profile_arena *arena;
	struct profile_report *report;
	const struct profile_key *key;
	const struct profile_value *parent, *child;
};

const struct profile_item *
profile_item_find(const struct profile_value *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].text, text) == 0) {
			return &list->items[i];
		}
	}
	return NULL;
}

static bool
is_listed(const struct profile_value *list, const char *text)
{
	return profile_item_find(list, text) != NULL;
}

/* Equal to an entry of the list or below one. */
static bool
is_within(const struct profile_value *list, const char *path)
{
	for (size_t i = 0; i < list->count; i++) {
		size_t len = strlen(list->items[i].text);

		if (strncmp(list->items[i].text, path, len) == 0 &&
		    (path[len] == '\0' || path[len] == '/')) {
			return true;
		}
	}
	return false;
}

/* LC_* covers LC_ALL, LC_* and LC_C*. */
static bool
is_covered(const struct profile_value *list, const char *pattern)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *p = list->items[i].text;
		size_t len = strlen(p);

		if (strcmp(p, pattern) == 0 ||
		    (p[len - 1] == '*' && strncmp(p, pattern, len - 1) == 0)) {
			return true;
		}
	}
	return false;
}

/* Names can cover each other: cgroup is all of cgroup.memory, cgroup.pids, cgroup.cpu. */
static bool
are_bits_listed(const struct profile_value *list, uint64_t bits)
{
	for (size_t i = 0; i < list->count; i++) {
		bits &= ~list->items[i].number;
	}
	return bits == 0;
}

/* "(FILE:LINE:COL)"; a default has no line. */
static const char *
place_text(struct buf *b, const struct profile_place *at)
{
	if (at->line == 0) {
		buf_puts(b, "(the default)");
	} else {
		buf_printf(b, "(%s:%u:%u)", at->source->path, at->line, at->column);
	}
	return buf_text(b);
}

static void
note_parent(const struct merge *m, const struct profile_place *at)
{
	if (at->line > 0 && profile_narrow_opens(m->key->narrow)) {
		profile_report_note(m->report, at, "the parent's value; it could say open: [%s]",
				    m->key->name);
	} else if (at->line > 0) {
		profile_report_note(m->report, at, "the parent's value");
	}
}

static void
widens(const struct merge *m, const struct profile_item *item)
{
	auto_buf place = BUF_INIT;

	profile_report_at(m->report, &item->at, "%s: '%s' is more than the parent allows %s",
			  m->key->name, item->text, place_text(&place, &m->parent->at));
	/* Nobody opens `open` itself. */
	if (m->key->narrow != NARROW_OPEN) {
		note_parent(m, &m->parent->at);
	}
}

bool
profile_item_narrows(const struct profile_key *key, const struct profile_value *parent,
		     const struct profile_item *item)
{
	const struct profile_item *before;

	switch (key->narrow) {
	case NARROW_ONCE:
		return parent->count == 0 || is_listed(parent, item->text);
	case NARROW_OPEN:
		return is_listed(parent, item->text);
	case NARROW_SUBSET:
		before = profile_item_find(parent, item->text);
		if (key->type == TYPE_CACHES) {
			return before != NULL && profile_cache_narrows(before, item);
		}
		return key->type == TYPE_LAYERS || key->type == TYPE_GROUPS ||
				       key->type == TYPE_TOOLCHAINS
			     ? are_bits_listed(parent, item->number)
			     : before != NULL;
	case NARROW_WITHIN:
		return is_within(parent, item->text);
	case NARROW_PATTERN:
		return is_covered(parent, item->text);
	case NARROW_ADD:
	case NARROW_GROW:
		before = profile_item_find(parent, item->text);
		return before == NULL || item->value == NULL ||
		       strcmp(before->value, item->value) == 0;
	case NARROW_BOUND:
		before = profile_item_find(parent, item->text);
		return before == NULL || item->number <= before->number;
	case NARROW_OWN:
	case NARROW_INHERIT:
	case NARROW_LOWER:
	case NARROW_RAISE:
	case NARROW__COUNT:
		break;
	}
	return true;
}

bool
profile_list_narrows(const struct profile_key *key, const struct profile_value *parent,
		     const struct profile_value *child)
{
	return key->narrow != NARROW_ONCE || child->count > 0 || parent->count == 0;
}

bool
profile_number_narrows(const struct profile_key *key, uint64_t parent, uint64_t child)
{
	return key->narrow == NARROW_LOWER ? child <= parent
	     : key->narrow == NARROW_RAISE ? child >= parent
					   : true;
}

static void
check_list(const struct merge *m)
{
	auto_buf place = BUF_INIT;

	for (size_t i = 0; i < m->child->count; i++) {
		if (!profile_item_narrows(m->key, m->parent, &m->child->items[i])) {
			widens(m, &m->child->items[i]);
		}
	}
	if (!profile_list_narrows(m->key, m->parent, m->child)) {
		profile_report_at(
			m->report, &m->child->at,
			"%s: an empty list means any program, more than the parent allows %s",
			m->key->name, place_text(&place, &m->parent->at));
		note_parent(m, &m->parent->at);
	}
}

static void
check_number(const struct merge *m)
{
	auto_buf child = BUF_INIT, parent = BUF_INIT, place = BUF_INIT;

	if (profile_number_narrows(m->key, m->parent->number, m->child->number)) {
		return;
	}
	profile_value_print(&child, m->key->type, m->child->number);
	profile_value_print(&parent, m->key->type, m->parent->number);
	profile_report_at(m->report, &m->child->at, "%s: %s is wider than the parent's %s %s",
			  m->key->name, buf_text(&child), buf_text(&parent),
			  place_text(&place, &m->parent->at));
	note_parent(m, &m->parent->at);
}

static void
check_most(const struct merge *m, const struct profile_value *v, const struct profile_place *at)
{
	if (v->count > m->key->most) {
		profile_report_at(m->report, at,
				  "%s: more than %llu entries with those of the parent",
				  m->key->name, (unsigned long long)m->key->most);
	}
}

/* The parent's entries and the child's; of two with one name the child's. */
static void
join(const struct merge *m, struct profile_value *ret)
{
	struct profile_value v = { .set = true, .at = m->child->at, .text = "" };

	v.items = profile_arena_get(m->arena, m->parent->count + m->child->count + 1,
				    sizeof(*v.items));
	if (v.items == NULL) {
		return;
	}
	for (size_t i = 0; i < m->parent->count; i++) {
		if (!is_listed(m->child, m->parent->items[i].text)) {
			v.items[v.count++] = m->parent->items[i];
		}
	}
	for (size_t i = 0; i < m->child->count; i++) {
		v.items[v.count++] = m->child->items[i];
	}
	check_most(m, &v, &m->child->at);
	*ret = v;
}

static void
check_added(const struct merge *m)
{
	for (size_t i = 0; i < m->child->count; i++) {
		const struct profile_item *item = &m->child->items[i];
		const struct profile_item *before = profile_item_find(m->parent, item->text);

		if (before != NULL && !profile_item_narrows(m->key, m->parent, item)) {
			auto_buf place = BUF_INIT;

			profile_report_at(m->report, &item->at,
					  "%s: the parent sets '%s' to another value %s",
					  m->key->name, item->text,
					  place_text(&place, &before->at));
			note_parent(m, &before->at);
		}
	}
}

/* Both have a value and the key is not open. */
static void
check_narrows(const struct merge *m)
{
	switch (m->key->narrow) {
	case NARROW_LOWER:
	case NARROW_RAISE:
		check_number(m);
		break;
	case NARROW_ADD:
	case NARROW_GROW:
		check_added(m);
		break;
	case NARROW_OPEN:
	case NARROW_ONCE:
	case NARROW_SUBSET:
	case NARROW_WITHIN:
	case NARROW_PATTERN:
	case NARROW_BOUND:
		check_list(m);
		break;
	case NARROW_OWN:
	case NARROW_INHERIT:
	case NARROW__COUNT:
		break;
	}
}

/* The child's list with its parent's entries where it names them; those it lists itself go last. */
static void
expand(const struct merge *m, struct profile_value *ret)
{
	const struct profile_item *wanted = profile_item_find(m->child, PROFILE_PARENT);
	struct profile_value v = *m->child;
	size_t from_parent = m->parent != NULL ? m->parent->count : 0;

	if (wanted == NULL) {
		return;
	}
	if (m->parent == NULL) {
		profile_report_at(m->report, &wanted->at,
				  "%s: '%s' without a parent; extends names one", m->key->name,
				  PROFILE_PARENT);
	}
	v.items = profile_arena_get(m->arena, from_parent + m->child->count + 1, sizeof(*v.items));
	v.count = 0;
	for (size_t i = 0; i < from_parent && v.items != NULL; i++) {
		if (!is_listed(m->child, m->parent->items[i].text)) {
			v.items[v.count++] = m->parent->items[i];
		}
	}
	for (size_t i = 0; i < m->child->count && v.items != NULL; i++) {
		if (&m->child->items[i] != wanted) {
			v.items[v.count++] = m->child->items[i];
		}
	}
	check_most(m, &v, &wanted->at);
	*ret = v;
}

void
profile_merge(struct profile_arena *a, const struct profile_doc *parent,
	      const struct profile_doc *child, struct profile_report *report,
	      struct profile_doc *ret)
{
	*ret = *child;
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		ret->may_widen[i] =
			parent == NULL || is_listed(&parent->values[KEY_OPEN],
						    profile_key((enum profile_key_id)i)->name);
	}
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		struct merge m = { .arena = a, .report = report };

		m.key = profile_key((enum profile_key_id)i);
		m.parent = parent != NULL ? &parent->values[i] : NULL;
		m.child = &child->values[i];
		if (profile_narrow_replaces(m.key->narrow)) {
			expand(&m, &ret->values[i]);
			m.child = &ret->values[i];
		}
		if (parent == NULL) {
			continue;
		}
		/*
		 * `open` says what one's own children may do: it is never inherited, only
		 * limited.
		 */
		if (m.key->narrow == NARROW_OWN ||
		    (!m.child->set && m.key->narrow == NARROW_OPEN)) {
			continue;
		}
		if (!m.child->set) {
			ret->values[i] = *m.parent;
			continue;
		}
		if (!ret->may_widen[i]) {
			check_narrows(&m);
		}
		if (m.key->narrow == NARROW_GROW || m.key->narrow == NARROW_ADD ||
		    m.key->narrow == NARROW_BOUND) {
			join(&m, &ret->values[i]);
		}
	}
}

/* What a key grants must be among the effects, which are what a policy goes by. */
static void
check_effects(const struct profile_doc *doc, struct profile_report *report)
{
	const struct profile_value *write = &doc->values[KEY_FS_WRITE];

	if (write->count > 0 && !is_listed(&doc->values[KEY_EFFECTS], "write-external")) {
		profile_report_at(report, &write->items[0].at,
				  "filesystem.write: needs write-external in effects; add it "
				  "there, or leave this out");
	}
}

/* A tool that must not run twice is not run again because it failed. */
static void
check_retries(const struct profile_doc *doc, struct profile_report *report)
{
	const struct profile_value *retries = &doc->values[KEY_ON_FAILURE_RETRIES];
	const struct profile_value *retry = &doc->values[KEY_RETRY];
	auto_buf place = BUF_INIT;

	if (retries->number > 0 && retry->number != RETRY_SAFE) {
		profile_report_at(report, &retries->at,
				  "on_failure.retries: needs retry: safe, and it is ask %s; say "
				  "safe there if the tool may run twice, or write 0 here",
				  place_text(&place, &retry->at));
	}
}

void
profile_complete(struct profile_arena *a, struct profile_doc *doc, struct profile_report *report)
{
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const struct profile_key *key = profile_key((enum profile_key_id)i);

		if (doc->values[i].set) {
			continue;
		}
		if (key->fallback != NULL) {
			profile_value_fallback(a, key, &doc->values[i]);
		} else {
			profile_report_at(report, &doc->values[KEY_NAME].at,
					  "%s is not set; set it, or write extends: base",
					  key->name);
		}
	}
	check_effects(doc, report);
	check_retries(doc, report);
}
