/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest of a bundle: bytes to a tree (profile_yaml.h), tree to a frozen struct bundle, by
 * bundle_keys.def. Runs in airlock-cli, as the caller. Trusts nothing in the bytes. No I/O.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../base/limits.h"
#include "../base/nearest.h"
#include "bundle_internal.h"
#include "bundle_values.h"

enum place { TOP, ITEM };

/* Bits of the sources that a key is for. */
enum {
	FOR_ANY = (1 << BUNDLE_SOURCE__COUNT) - 1,
	FOR_SEALED = 1 << BUNDLE_SOURCE_SEALED,
	FOR_FILE = 1 << BUNDLE_SOURCE_FILE,
	FOR_FD = 1 << BUNDLE_SOURCE_FD,
	FOR_SYSTEMD = 1 << BUNDLE_SOURCE_SYSTEMD,
	FOR_EXEC = 1 << BUNDLE_SOURCE_EXEC,
};

struct key {
	enum bundle_key_id id;
	const char *name;
	enum place place;
	enum bundle_type type;
	uint32_t sources;
	bool is_needed;
};

/* By their ids. */
static const struct key keys[] = {
#define KEY(id, name, place, type, source, is_needed, sentence) \
	{ BUNDLE_KEY_##id, name, place, BUNDLE_TYPE_##type, FOR_##source, is_needed },
#include "bundle_keys.def"
#undef KEY
};

struct reader {
	struct profile_arena *arena;
	struct profile_report *report;
	struct bundle *bundle;
	const char *directory; /* the name that the bundle must have */
};

/* ---- keys ------------------------------------------------------------------------------------ */

static const struct key *
find_key(enum place place, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (keys[i].place == place && strcmp(keys[i].name, name) == 0) {
			return &keys[i];
		}
	}
	return NULL;
}

/* item: its name; NULL at the top. */
static void
unknown_key(const struct reader *r, enum place place, const char *item,
	    const struct profile_node *node)
{
	const char *names[ARRAY_LEN(keys)];
	size_t count = 0;
	char hint[96];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (keys[i].place == place) {
			names[count++] = keys[i].name;
		}
	}
	profile_hint(hint, sizeof(hint), nearest_name(node->key, names, count));
	profile_report_at(r->report, &node->key_at, "unknown key '%s'%s%s%s", node->key,
			  item != NULL ? " in item " : "", item != NULL ? item : "", hint);
}

/* Where the value of a key goes, in the bundle or in the item. The items are read on their own. */
static const size_t fields[] = {
	[BUNDLE_KEY_BUNDLE] = offsetof(struct bundle, name),
	[BUNDLE_KEY_OWNER] = offsetof(struct bundle, owner),
	[BUNDLE_KEY_RECIPIENTS] = offsetof(struct bundle, recipients),
	[BUNDLE_KEY_ABOUT] = offsetof(struct bundle_item, about),
	[BUNDLE_KEY_SOURCE] = offsetof(struct bundle_item, source),
	[BUNDLE_KEY_VERSION] = offsetof(struct bundle_item, version),
	[BUNDLE_KEY_PATH] = offsetof(struct bundle_item, path),
	[BUNDLE_KEY_CREDENTIAL] = offsetof(struct bundle_item, credential),
	[BUNDLE_KEY_HANDLE] = offsetof(struct bundle_item, handle),
	[BUNDLE_KEY_COMMAND] = offsetof(struct bundle_item, command),
	[BUNDLE_KEY_PROVIDER] = offsetof(struct bundle_item, provider),
	[BUNDLE_KEY_ID] = offsetof(struct bundle_item, id),
	[BUNDLE_KEY_PROFILE] = offsetof(struct bundle_item, profile),
	[BUNDLE_KEY_REVOCABLE] = offsetof(struct bundle_item, revocable),
	[BUNDLE_KEY_DELIVER] = offsetof(struct bundle_item, deliver),
	[BUNDLE_KEY_NAME] = offsetof(struct bundle_item, deliver_name),
	[BUNDLE_KEY_ACCESS] = offsetof(struct bundle_item, access),
	[BUNDLE_KEY_NOT_AFTER] = offsetof(struct bundle_item, not_after_ms),
	[BUNDLE_KEY_TTL] = offsetof(struct bundle_item, ttl_ms),
	[BUNDLE_KEY_MAX_USES] = offsetof(struct bundle_item, max_uses),
	[BUNDLE_KEY_REVOKED] = offsetof(struct bundle_item, revoked),
};

_Static_assert(ARRAY_LEN(fields) == BUNDLE_KEY__COUNT, "one field per key");

/* item: NULL at the top. */
static bool
read_value(const struct reader *r, const struct key *key, struct bundle_item *item,
	   const struct profile_node *node)
{
	const struct bundle_values v = { r->arena, r->report, item != NULL ? item->name : NULL,
					 key->name };
	uint8_t *owner = item != NULL ? (uint8_t *)item : (uint8_t *)r->bundle;

	return bundle_value(&v, key->type, node, owner + fields[key->id]);
}

/* ---- one item -------------------------------------------------------------------------------- */

/* Without a name and a source an item has no further errors: what is right depends on them. */
static bool
read_source(const struct reader *r, const struct profile_node *node, struct bundle_item *item)
{
	const struct profile_node *source = bundle_node(node, "source");

	if (!bundle_name_is_right(node->key)) {
		profile_report_at(r->report, &node->key_at, BUNDLE_NO_NAME, node->key, "an item",
				  BUNDLE_NAME_MAX);
		return false;
	}
	if (node->kind != NODE_MAP) {
		profile_report_at(r->report, node->empty ? &node->key_at : &node->at,
				  "item %s wants keys below it, such as source: sealed", node->key);
		return false;
	}
	if (source == NULL) {
		profile_report_at(r->report, &node->key_at,
				  "item %s has no source; write source: sealed, file, fd, systemd "
				  "or exec",
				  node->key);
		return false;
	}
	return read_value(r, &keys[BUNDLE_KEY_SOURCE], item, source);
}

static void
read_key(const struct reader *r, const struct profile_node *node, struct bundle_item *item)
{
	const struct key *key = find_key(ITEM, node->key);
	char owner[16] = "another";

	if (key == NULL) {
		unknown_key(r, ITEM, item->name, node);
		return;
	}
	if ((key->sources & 1u << item->source) == 0) {
		for (unsigned int i = 0; i < BUNDLE_SOURCE__COUNT; i++) {
			if (key->sources == 1u << i) {
				snprintf(owner, sizeof(owner), "%s",
					 bundle_source_word((enum bundle_source)i));
			}
		}
		profile_report_at(r->report, &node->key_at,
				  "%s.%s is for source: %s, and this is source: %s", item->name,
				  key->name, owner, bundle_source_word(item->source));
		return;
	}
	if (key->id != BUNDLE_KEY_SOURCE && !read_value(r, key, item, node)) {
		return;
	}
	if (key->id == BUNDLE_KEY_VERSION && item->version == 0) {
		profile_report_at(r->report, &node->at, "%s.version: versions begin with 1",
				  item->name);
	}
	if (key->id == BUNDLE_KEY_MAX_USES && item->max_uses == 0) {
		profile_report_at(r->report, &node->at,
				  "%s.max_uses: 0 would let no call have it: airlock creds revoke "
				  "does; without the key there is no bound",
				  item->name);
	}
}

static void
check_needed(const struct reader *r, const struct profile_node *node,
	     const struct bundle_item *item)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (keys[i].place == ITEM && keys[i].is_needed &&
		    (keys[i].sources & 1u << item->source) != 0 &&
		    bundle_node(node, keys[i].name) == NULL) {
			profile_report_at(r->report, &node->key_at,
					  "item %s has no %s, which source: %s needs", item->name,
					  keys[i].name, bundle_source_word(item->source));
		}
	}
}

static void
read_item(const struct reader *r, const struct profile_node *node, struct bundle_item *item)
{
	const struct profile_node *name = NULL;
	unsigned int before = r->report->count;

	*item = (struct bundle_item){ .name = node->key,
				      .about = "",
				      BUNDLE_ITEM_UNSAID,
				      .access = BUNDLE_WRITE,
				      .line = node->key_at.line };
	if (!read_source(r, node, item)) {
		return;
	}
	for (const struct profile_node *n = node->first; n != NULL; n = n->next) {
		read_key(r, n, item);
	}
	check_needed(r, node, item);
	if (r->report->count == before) {
		name = bundle_node(node, "name");
		bundle_value_name(r->arena, r->report, item,
				  name != NULL ? &name->at : &node->key_at);
	}
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void
read_items(const struct reader *r, const struct profile_node *node)
{
	size_t count = 0;

	if (node->kind == NODE_SCALAR && node->empty) {
		return;
	}
	if (node->kind != NODE_MAP) {
		profile_report_at(r->report, &node->at,
				  "items: wants names of items below it, such as gh:");
		return;
	}
	for (const struct profile_node *n = node->first; n != NULL; n = n->next) {
		if (++count > BUNDLE_ITEMS_MAX) {
			profile_report_at(r->report, &n->key_at, "items: more than %u",
					  BUNDLE_ITEMS_MAX);
			return;
		}
	}
	r->bundle->items = profile_arena_get(r->arena, count + 1, sizeof(*r->bundle->items));
	if (r->bundle->items == NULL) {
		return;
	}
	for (const struct profile_node *n = node->first; n != NULL; n = n->next) {
		read_item(r, n, &r->bundle->items[r->bundle->item_count]);
		r->bundle->item_count++;
	}
}

static void
check_name(const struct reader *r, const struct profile_node *root)
{
	const struct profile_node *node = bundle_node(root, "bundle");

	if (node == NULL) {
		profile_report_at(r->report, &root->at, "bundle is missing; write bundle: %s",
				  r->directory);
	} else if (r->bundle->name[0] != '\0' && strcmp(r->bundle->name, r->directory) != 0) {
		profile_report_at(r->report, &node->at,
				  "bundle: '%s' is not the name of the directory, '%s'",
				  r->bundle->name, r->directory);
	}
}

/* Who encrypts needs to know to whom. Not asked for where something else is wrong. */
static void
check_recipients(const struct reader *r, const struct profile_node *root)
{
	for (size_t i = 0; i < r->bundle->item_count; i++) {
		if (r->bundle->items[i].source == BUNDLE_SOURCE_SEALED &&
		    r->bundle->recipients.count == 0) {
			profile_report_at(r->report, &root->at,
					  "recipients is missing, and item %s is sealed; write "
					  "recipients: [age1...] with the public key of who opens "
					  "it (age-keygen -y FILE)",
					  r->bundle->items[i].name);
			return;
		}
	}
}

static void
read_bundle(const struct reader *r, const struct profile_node *root)
{
	if (root->kind != NODE_MAP) {
		profile_report_at(r->report, &root->at,
				  "a bundle is a map of keys, such as bundle: %s", r->directory);
		return;
	}
	for (const struct profile_node *n = root->first; n != NULL; n = n->next) {
		const struct key *key = find_key(TOP, n->key);

		if (key == NULL) {
			unknown_key(r, TOP, NULL, n);
		} else if (key->id == BUNDLE_KEY_ITEMS) {
			read_items(r, n);
		} else {
			/* reported where it is wrong */
			ignore_err(read_value(r, key, NULL, n), "it is in the report");
		}
	}
	check_name(r, root);
	if (r->report->count == 0) {
		check_recipients(r, root);
	}
}

const struct profile_node *
bundle_node(const struct profile_node *map, const char *key)
{
	const struct profile_node *first = map->kind == NODE_MAP ? map->first : NULL;

	for (const struct profile_node *n = first; n != NULL; n = n->next) {
		if (strcmp(n->key, key) == 0) {
			return n;
		}
	}
	return NULL;
}

void
bundle_finish(struct bundle *b)
{
	struct profile_arena a = { .chunks = b->arena, .failed = false };

	profile_arena_finish(&a);
	*b = (struct bundle){ .name = NULL };
}

int
bundle_parse(const char *path, const char *name, const struct buf *bytes, struct bundle *ret,
	     struct buf *report, struct err *err)
{
	auto_arena arena = { .chunks = NULL, .failed = false };
	struct profile_source *source = profile_arena_get(&arena, 1, sizeof(*source));
	struct profile_report out = { .out = report };
	struct bundle b = { .name = "", .owner = "" };
	const struct reader r = { &arena, &out, &b, name };
	const struct profile_node *root;
	size_t from = report->len;

	if (source == NULL) {
		return err_sys(err, -ENOMEM, "%s", path);
	}
	*source = (struct profile_source){ .path = path,
					   .data = (const uint8_t *)buf_text(bytes),
					   .len = bytes->len,
					   .what = "bundle",
					   .begins = BUNDLE_BEGINS };
	root = profile_yaml_parse(&arena, source, &out);
	if (root != NULL) {
		read_bundle(&r, root);
	}
	if (arena.failed || buf_error(report) < 0) {
		return err_sys(err, -ENOMEM, "%s", path);
	}
	if (out.count > 0) {
		const char *text = buf_text(report) + from;

		return err_set(err, -EINVAL, "%.*s", (int)strcspn(text, "\n"), text);
	}
	sha256_of(bytes->data, bytes->len, b.digest);
	b.arena = take_ptr(arena.chunks);
	*ret = b;
	return 0;
}
