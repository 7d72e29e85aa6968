/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cache of filesystem.cache: the map below its name to a path and bits. Runs in airlock-cli, as
 * the caller. Trusts nothing in the text. No I/O.
 */
#include <string.h>

#include "profile_internal.h"

static const char *const parts[] = { "path", "scope", "exec" };

struct parse {
	struct profile_arena *arena;
	const struct profile_key *key;
	struct profile_report *report;
	const char *name;
};

/* Reports and returns false, so that parsers end with it. */
#define REFUSE(c, at, ...) (profile_report_at((c)->report, (at), __VA_ARGS__), false)

bool
profile_cache_narrows(const struct profile_item *parent, const struct profile_item *child)
{
	return strcmp(parent->path, child->path) == 0 &&
	       (parent->number & CACHE_USER) == (child->number & CACHE_USER) &&
	       (child->number & ~parent->number) == 0;
}

/* The bit stands for the second of two words. */
static bool
parse_word(const struct parse *c, const struct profile_node *node, const char *const words[2],
	   uint32_t bit, uint64_t *bits)
{
	char hint[80];

	for (unsigned int i = 0; i < 2; i++) {
		if (strcmp(node->text, words[i]) == 0) {
			*bits |= i > 0 ? bit : 0;
			return true;
		}
	}
	return REFUSE(c, &node->at, "%s: %s of '%s' is %s or %s, not '%s'%s", c->key->name,
		      node->key, c->name, words[0], words[1], node->text,
		      profile_hint(hint, sizeof(hint), profile_nearest(node->text, words, 2)));
}

static bool
parse_part(const struct parse *c, const struct profile_node *node, struct profile_item *item)
{
	const char *const scopes[] = { profile_cache_scope(0), profile_cache_scope(CACHE_USER) };
	size_t count;
	char hint[80];

	if (node->kind != NODE_SCALAR || node->empty) {
		return REFUSE(c, node->empty ? &node->key_at : &node->at,
			      "%s: %s of '%s' wants one value", c->key->name, node->key, c->name);
	}
	if (strcmp(node->key, "path") == 0) {
		return profile_path_parse(c->arena, c->key, node, c->report, &item->path);
	}
	if (strcmp(node->key, "scope") == 0) {
		return parse_word(c, node, scopes, CACHE_USER, &item->number);
	}
	if (strcmp(node->key, "exec") == 0) {
		return parse_word(c, node, profile_type_words(TYPE_BOOL, &count), CACHE_EXEC,
				  &item->number);
	}
	return REFUSE(c, &node->key_at, "%s: unknown key '%s' in %s%s", c->key->name, node->key,
		      c->name,
		      profile_hint(hint, sizeof(hint),
				   profile_nearest(node->key, parts, ARRAY_LEN(parts))));
}

bool
profile_cache_parse(struct profile_arena *a, const struct profile_key *key,
		    const struct profile_node *node, struct profile_report *report,
		    struct profile_item *ret)
{
	const struct parse c = { a, key, report, node->key };
	struct profile_item item = { .text = node->key, .at = node->key_at };
	auto_buf value = BUF_INIT;

	if (!profile_name_is_right(node->key)) {
		return REFUSE(&c, &node->key_at, "%s: wants %s, not '%s'", key->name,
			      profile_type_what(key->type), node->key);
	}
	if (node->kind != NODE_MAP) {
		return REFUSE(&c, node->empty ? &node->key_at : &node->at,
			      "%s: '%s' wants a map, such as { path: ~/.cache/%s }", key->name,
			      node->key, node->key);
	}
	for (const struct profile_node *n = node->first; n != NULL; n = n->next) {
		if (!parse_part(&c, n, &item)) {
			return false;
		}
	}
	if (item.path == NULL) {
		return REFUSE(&c, &node->key_at, "%s: '%s' has no path", key->name, node->key);
	}
	buf_printf(&value, "%s (%s%s)", item.path, profile_cache_scope((uint32_t)item.number),
		   (item.number & CACHE_EXEC) != 0 ? ", exec" : "");
	item.value = profile_arena_text(a, buf_text(&value), value.len);
	*ret = item;
	return item.value != NULL && !value.failed;
}
