/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value of a profile: text to a typed, normalised value, by the key's row. Runs in airlock-cli,
 * as the caller. Trusts nothing in the text. No I/O.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/units.h"
#include "profile_internal.h"
#include "vectors.h"

struct parse {
	struct profile_arena *arena;
	const struct profile_key *key;
	struct profile_report *report;
};

/* Reports and returns false, so that parsers end with it. */
#define REFUSE(c, at, ...) (profile_report_at((c)->report, (at), __VA_ARGS__), false)

static bool
refuse_form(const struct parse *c, const struct profile_node *node, const char *nearest)
{
	char hint[80];

	return REFUSE(c, &node->at, "%s: wants %s, not '%s'%s", c->key->name,
		      profile_type_what(c->key->type), node->text,
		      profile_hint(hint, sizeof(hint), nearest));
}

/* ---- numbers --------------------------------------------------------------------------------- */

int
profile_number_parse(enum profile_type type, const char *text, uint64_t *ret)
{
	switch (type) {
	case TYPE_SIZE:
		return units_size(text, ret);
	case TYPE_DURATION:
		return units_duration(text, ret);
	case TYPE_PERCENT:
		return units_percent(text, ret);
	case TYPE_COUNT:
	case TYPE_EXITS:
	case TYPE_VERSION:
		return units_count(text, ret);
	case TYPE_BOOL:
	case TYPE_BOUNDS:
	case TYPE_CACHES:
	case TYPE_CAPTURE:
	case TYPE_CHECKS:
	case TYPE_COMMANDS:
	case TYPE_EFFECTS:
	case TYPE_ENVS:
	case TYPE_ENVSET:
	case TYPE_GROUPS:
	case TYPE_HIDES:
	case TYPE_ITEMS:
	case TYPE_KEYS:
	case TYPE_LATER:
	case TYPE_LAYERS:
	case TYPE_MODE:
	case TYPE_NAME:
	case TYPE_OBSERVE:
	case TYPE_LEAK:
	case TYPE_ON_FAILURE:
	case TYPE_PROFILE:
	case TYPE_PROTECTS:
	case TYPE_READS:
	case TYPE_RETRY:
	case TYPE_TEXT:
	case TYPE_TOOLCHAINS:
	case TYPE_VECTORS:
	case TYPE_WORKSPACE:
	case TYPE_WRITES:
	case TYPE__COUNT:
		break;
	}
	return -EINVAL;
}

void
profile_value_print(struct buf *b, enum profile_type type, uint64_t number)
{
	size_t count;
	const char *const *words = profile_type_words(type, &count);

	if (words != NULL) {
		buf_puts(b, number < count ? words[number] : "?");
	} else if (type == TYPE_SIZE) {
		units_print_size(b, number);
	} else if (type == TYPE_DURATION) {
		units_print_duration(b, number);
	} else if (type == TYPE_PERCENT) {
		units_print_percent(b, number);
	} else {
		units_print_count(b, number);
	}
}

static bool
parse_number(const struct parse *c, const struct profile_node *node, uint64_t *ret)
{
	uint64_t v = 0;
	int rc = profile_number_parse(c->key->type, node->text, &v);
	auto_buf bound = BUF_INIT;

	if (rc == -ERANGE) {
		v = UINT64_MAX;
	} else if (rc < 0 || (c->key->type == TYPE_VERSION && v != c->key->least)) {
		return refuse_form(c, node, NULL);
	}
	if (v < c->key->least || v > c->key->most) {
		bool low = v < c->key->least;

		profile_value_print(&bound, c->key->type, low ? c->key->least : c->key->most);
		return REFUSE(c, &node->at, "%s: '%s' is %s, %s", c->key->name, node->text,
			      low ? "below the least" : "above the most", buf_text(&bound));
	}
	*ret = v;
	return true;
}

static bool
parse_exit(const struct parse *c, const struct profile_node *node, struct profile_item *item)
{
	char text[8];
	uint64_t v;

	if (profile_number_parse(TYPE_EXITS, node->text, &v) < 0 || v > 255) {
		return refuse_form(c, node, NULL);
	}
	/* One spelling per number: lists are compared by their texts. */
	snprintf(text, sizeof(text), "%u", (unsigned int)v);
	item->number = v;
	item->text = profile_arena_text(c->arena, text, strlen(text));
	return item->text != NULL;
}

static bool
parse_word(const struct parse *c, const struct profile_node *node, uint64_t *ret)
{
	size_t count;
	const char *const *words = profile_type_words(c->key->type, &count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], node->text) == 0) {
			*ret = i;
			return true;
		}
	}
	return refuse_form(c, node, profile_nearest(node->text, words, count));
}

/* ---- texts ----------------------------------------------------------------------------------- */

static bool
parse_text(const struct parse *c, const struct profile_node *node, const char **ret)
{
	size_t len = strlen(node->text);

	/* A folded text ends with its newline. */
	while (len > 0 && node->text[len - 1] == '\n') {
		len--;
	}
	if (memchr(node->text, '\n', len) != NULL) {
		return REFUSE(c, &node->at, "%s: more than one line", c->key->name);
	}
	if (len > c->key->most) {
		return REFUSE(c, &node->at, "%s: longer than %llu bytes", c->key->name,
			      (unsigned long long)c->key->most);
	}
	*ret = profile_arena_text(c->arena, node->text, len);
	return *ret != NULL;
}

bool
profile_name_is_right(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= 64 && name[0] != '.' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static bool
parse_name(const struct parse *c, const struct profile_node *node, const char **ret)
{
	if (!profile_name_is_right(node->text)) {
		return refuse_form(c, node, NULL);
	}
	*ret = node->text;
	return true;
}

static bool
parse_profile(const struct parse *c, const struct profile_node *node, const char **ret)
{
	if (strchr(node->text, '/') != NULL) {
		return profile_path_parse(c->arena, c->key, node, c->report, ret);
	}
	return parse_name(c, node, ret);
}

/* ---- names from other tables ----------------------------------------------------------------- */

static bool
env_is_right(const char *name, bool star)
{
	size_t len =
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

	if (len == 0 || len > 255 || (name[0] >= '0' && name[0] <= '9')) {
		return false;
	}
	return name[len] == '\0' || (star && strcmp(name + len, "*") == 0);
}

static bool
check_env(const struct parse *c, const struct profile_place *at, const char *name)
{
	const char *why;

	if (!env_is_right(name, c->key->type == TYPE_ENVS)) {
		return REFUSE(c, at, "%s: wants %s, not '%s'", c->key->name,
			      profile_type_what(c->key->type), name);
	}
	why = profile_env_refused(name);
	if (why != NULL) {
		return REFUSE(c, at, "%s: '%s' never crosses into a sandbox: %s", c->key->name,
			      name, why);
	}
	return true;
}

static bool
parse_group(const struct parse *c, const struct profile_node *node, struct profile_item *item)
{
	size_t count, open = 0;
	const struct profile_group *groups = profile_groups(&count);
	const char *names[32];

	for (size_t i = 0; i < count && open < ARRAY_LEN(names); i++) {
		if (!profile_group_is_open(&groups[i])) {
			continue;
		}
		names[open++] = groups[i].name;
		if (strcmp(node->text, groups[i].name) == 0) {
			item->text = groups[i].name;
			item->number = groups[i].bits;
			return true;
		}
	}
	return refuse_form(c, node, profile_nearest(node->text, names, open));
}

static bool
parse_key(const struct parse *c, const struct profile_node *node, struct profile_item *item)
{
	const struct profile_key *opened = profile_key_find(node->text);
	const char *names[KEY__COUNT];

	if (opened == NULL) {
		for (unsigned int i = 0; i < KEY__COUNT; i++) {
			names[i] = profile_key((enum profile_key_id)i)->name;
		}
		return refuse_form(c, node, profile_nearest(node->text, names, KEY__COUNT));
	}
	if (!profile_narrow_opens(opened->narrow)) {
		return REFUSE(c, &node->at, "%s: '%s' cannot be opened", c->key->name, node->text);
	}
	item->text = node->text;
	item->number = opened->id;
	return true;
}

/* A name of a table of bits. */
static bool
parse_bits(const struct parse *c, const struct profile_node *node, struct profile_item *item)
{
	size_t count;
	const struct profile_bits *rows = c->key->type == TYPE_LAYERS ? profile_layers(&count)
								      : profile_toolchains(&count);
	const char *names[PROFILE_BITS_MAX];

	for (size_t i = 0; i < count; i++) {
		names[i] = rows[i].name;
		if (strcmp(node->text, rows[i].name) == 0) {
			item->text = rows[i].name;
			item->number = rows[i].bits;
			return true;
		}
	}
	return refuse_form(c, node, profile_nearest(node->text, names, count));
}

static bool
check_vector(const struct parse *c, const struct profile_node *node)
{
	struct vector vector;
	char why[256];

	return vector_parse(node->text, &vector, why, sizeof(why)) == 0
		     ? true
		     : REFUSE(c, &node->at, "%s: %s", c->key->name, why);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static bool
parse_scalar(const struct parse *c, const struct profile_node *node, struct profile_value *ret)
{
	switch (c->key->type) {
	case TYPE_VERSION:
	case TYPE_COUNT:
	case TYPE_DURATION:
	case TYPE_PERCENT:
	case TYPE_SIZE:
		return parse_number(c, node, &ret->number);
	case TYPE_BOOL:
	case TYPE_CAPTURE:
	case TYPE_MODE:
	case TYPE_OBSERVE:
	case TYPE_LEAK:
	case TYPE_ON_FAILURE:
	case TYPE_RETRY:
	case TYPE_WORKSPACE:
		return parse_word(c, node, &ret->number);
	case TYPE_NAME:
		return parse_name(c, node, &ret->text);
	case TYPE_PROFILE:
		return parse_profile(c, node, &ret->text);
	case TYPE_TEXT:
		return parse_text(c, node, &ret->text);
	case TYPE_BOUNDS:
	case TYPE_CACHES:
	case TYPE_CHECKS:
	case TYPE_COMMANDS:
	case TYPE_EFFECTS:
	case TYPE_ENVS:
	case TYPE_ENVSET:
	case TYPE_EXITS:
	case TYPE_GROUPS:
	case TYPE_HIDES:
	case TYPE_ITEMS:
	case TYPE_KEYS:
	case TYPE_LATER:
	case TYPE_LAYERS:
	case TYPE_PROTECTS:
	case TYPE_READS:
	case TYPE_TOOLCHAINS:
	case TYPE_VECTORS:
	case TYPE_WRITES:
	case TYPE__COUNT:
		break;
	}
	return false;
}

/* The value is written anew, so that one bound has one spelling. */
static bool
parse_bound(const struct parse *c, const struct profile_node *node, struct profile_item *item)
{
	bool files = node->key != NULL && strcmp(node->key, "files") == 0;
	enum profile_type type = files ? TYPE_COUNT : TYPE_SIZE;
	auto_buf text = BUF_INIT;

	if (!files && (node->key == NULL || strcmp(node->key, "bytes") != 0)) {
		return REFUSE(c, node->key != NULL ? &node->key_at : &node->at,
			      "%s: wants %s, not '%s'", c->key->name,
			      profile_type_what(TYPE_BOUNDS),
			      node->key != NULL ? node->key : node->text);
	}
	if (profile_number_parse(type, node->text, &item->number) < 0) {
		return REFUSE(c, &node->at, "%s: %s wants %s, not '%s'", c->key->name, node->key,
			      profile_type_what(type), node->text);
	}
	profile_value_print(&text, type, item->number);
	item->text = node->key;
	item->at = node->key_at;
	item->value = profile_arena_text(c->arena, buf_text(&text), text.len);
	return item->value != NULL;
}

static bool
parse_item(const struct parse *c, const struct profile_node *node, struct profile_item *item)
{
	item->text = node->text;
	switch (c->key->type) {
	case TYPE_BOUNDS:
		return parse_bound(c, node, item);
	case TYPE_CACHES:
		return profile_cache_parse(c->arena, c->key, node, c->report, item);
	case TYPE_CHECKS:
		return profile_check_parse(c->arena, c->key, node, c->report, item);
	case TYPE_COMMANDS:
	case TYPE_HIDES:
	case TYPE_PROTECTS:
	case TYPE_READS:
	case TYPE_WRITES:
		return profile_path_parse(c->arena, c->key, node, c->report, &item->text);
	case TYPE_EFFECTS:
		return parse_word(c, node, &item->number);
	case TYPE_ENVS:
		return check_env(c, &node->at, node->text);
	case TYPE_EXITS:
		return parse_exit(c, node, item);
	case TYPE_GROUPS:
		return parse_group(c, node, item);
	case TYPE_ITEMS:
		return parse_name(c, node, &item->text);
	case TYPE_KEYS:
		return parse_key(c, node, item);
	case TYPE_LAYERS:
	case TYPE_TOOLCHAINS:
		return parse_bits(c, node, item);
	case TYPE_VECTORS:
		return check_vector(c, node);
	case TYPE_ENVSET:
		if (node->key == NULL) { /* an entry of a list */
			return refuse_form(c, node, NULL);
		}
		if (strchr(node->text, '\n') != NULL || strlen(node->text) > 4096) {
			return REFUSE(c, &node->at,
				      "%s: '%s' has a value of several lines or above 4 kB",
				      c->key->name, node->key);
		}
		item->text = node->key;
		item->value = node->text;
		item->at = node->key_at;
		return check_env(c, &node->key_at, node->key);
	case TYPE_BOOL:
	case TYPE_CAPTURE:
	case TYPE_COUNT:
	case TYPE_DURATION:
	case TYPE_LATER:
	case TYPE_MODE:
	case TYPE_NAME:
	case TYPE_OBSERVE:
	case TYPE_LEAK:
	case TYPE_ON_FAILURE:
	case TYPE_PERCENT:
	case TYPE_PROFILE:
	case TYPE_RETRY:
	case TYPE_SIZE:
	case TYPE_TEXT:
	case TYPE_VERSION:
	case TYPE_WORKSPACE:
	case TYPE__COUNT:
		break;
	}
	return false;
}

static bool
is_twice(const struct profile_value *list, const struct profile_item *item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].text, item->text) == 0) {
			return true;
		}
	}
	return false;
}

/* A grant that nothing here gives would be a promise: said, and not passed over. */
static bool
refuse_later(const struct parse *c, const struct profile_node *node)
{
	static const struct {
		enum profile_key_id key;
		const char *what;
	} features[] = {
		{ KEY_LABELS_ADDS, "labels" },
		{ KEY_NET_EGRESS, "egress" },
	};
	const char *what = "such feature";

	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		if (features[i].key == c->key->id) {
			what = features[i].what;
		}
	}
	return REFUSE(c, &node->at, "%s: this version has no %s yet, so nothing is %s; write []",
		      c->key->name, what, c->key->narrow == NARROW_GROW ? "asked for" : "granted");
}

/* The merge puts the parent's entries in its place. */
static bool
is_parent(const struct parse *c, const struct profile_node *node, struct profile_item *item)
{
	if (!profile_narrow_replaces(c->key->narrow) || strcmp(node->text, PROFILE_PARENT) != 0) {
		return false;
	}
	item->text = PROFILE_PARENT;
	return true;
}

/* One entry; what is a map below its name or place is read by its own parser. */
static bool
parse_entry(const struct parse *c, const struct profile_node *node, struct profile_item *item)
{
	bool nested = c->key->type == TYPE_CACHES || c->key->type == TYPE_CHECKS;

	if (nested) {
		return parse_item(c, node, item);
	}
	if (node->kind == NODE_SCALAR && node->empty && node->key != NULL) {
		return REFUSE(c, &node->key_at,
			      "%s: '%s' has no value; write \"\" for an empty one", c->key->name,
			      node->key);
	}
	if (node->kind != NODE_SCALAR || node->empty) {
		return REFUSE(c, &node->at, "%s: wants one value per entry", c->key->name);
	}
	return is_parent(c, node, item) || parse_item(c, node, item);
}

/* Reads on after a bad entry, so that all are told. */
static bool
parse_items(const struct parse *c, const struct profile_node *node, struct profile_value *ret)
{
	size_t count = 0;
	bool right = true;

	for (const struct profile_node *n = node->first; n != NULL; n = n->next) {
		count++;
	}
	if (c->key->type == TYPE_LATER) {
		return node->first == NULL || refuse_later(c, node->first);
	}
	if (count > c->key->most) {
		return REFUSE(c, &node->at, "%s: more than %llu entries", c->key->name,
			      (unsigned long long)c->key->most);
	}
	ret->items = profile_arena_get(c->arena, count + 1, sizeof(*ret->items));
	for (const struct profile_node *n = node->first; n != NULL && ret->items != NULL;
	     n = n->next) {
		struct profile_item item = { .at = n->at };

		if (!parse_entry(c, n, &item)) {
			right = false;
		} else if (is_twice(ret, &item)) {
			profile_report_at(c->report, &n->at, "%s: '%s' is listed twice",
					  c->key->name, item.text);
			right = false;
		} else {
			ret->items[ret->count++] = item;
		}
	}
	return right && ret->items != NULL;
}

bool
profile_value_parse(struct profile_arena *a, const struct profile_key *key,
		    const struct profile_node *node, struct profile_report *report,
		    struct profile_value *ret)
{
	static const char *const wanted[] = {
		[SHAPE_SCALAR] = "one value, not a list or a map",
		[SHAPE_LIST] = "a list, such as [a, b]",
		[SHAPE_MAP] = "a map, such as { NAME: value }",
	};
	const struct parse c = { a, key, report };
	enum profile_shape shape = profile_type_shape(key->type);
	struct profile_value v = { .set = true, .at = node->at, .text = "" };

	if (node->kind == NODE_SCALAR && node->empty) {
		return REFUSE(&c, &node->key_at, "%s: no value; write %s", key->name,
			      shape == SHAPE_SCALAR ? profile_type_what(key->type) : wanted[shape]);
	}
	if ((node->kind == NODE_SCALAR) != (shape == SHAPE_SCALAR) ||
	    (node->kind == NODE_LIST) != (shape == SHAPE_LIST)) {
		return REFUSE(&c, &node->at, "%s: wants %s", key->name, wanted[shape]);
	}
	if (shape == SHAPE_SCALAR ? !parse_scalar(&c, node, &v) : !parse_items(&c, node, &v)) {
		return false;
	}
	*ret = v;
	return true;
}

void
profile_value_fallback(struct profile_arena *a, const struct profile_key *key,
		       struct profile_value *ret)
{
	static const struct profile_source built_in = { .path = "built-in" };
	auto_buf text = BUF_INIT;
	struct profile_report report = { .out = &text };
	struct profile_node entry = { .kind = NODE_SCALAR, .text = key->fallback };
	struct profile_node list = { .kind = NODE_LIST, .text = "" };

	entry.at = (struct profile_place){ .source = &built_in, .width = 1 };
	list.at = entry.at;
	*ret = (struct profile_value){ .set = true, .at = entry.at, .text = "" };
	if (key->fallback[0] == '\0') {
		return;
	}
	if (profile_type_shape(key->type) == SHAPE_LIST) {
		list.first = &entry;
		ignore_err(profile_value_parse(a, key, &list, &report, ret),
			   "every default is tested");
	} else {
		ignore_err(profile_value_parse(a, key, &entry, &report, ret),
			   "every default is tested");
	}
}
