/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli, as the caller, over a manifest that was read. Every edit is read again and
 * compared with what it was to become, so what an edit does not understand it cannot break. No I/O.
 */
#include "bundle_edit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../base/units.h"
#include "bundle_internal.h"
#include "bundle_time.h"

#define INDENT 2u /* of the first item */

struct edit {
	struct profile_arena arena;
	struct profile_source source;
	struct buf report_text;
	struct profile_report report;
	const struct profile_node *root;
};

static void
edit_finish(struct edit *e)
{
	profile_arena_finish(&e->arena);
	buf_finish(&e->report_text);
}

/* In place: the report points into *e. */
static int
edit_init(struct edit *e, const struct buf *bytes, struct err *err)
{
	memset(e, 0, sizeof(*e));
	e->source = (struct profile_source){ .path = BUNDLE_MANIFEST,
					     .data = (const uint8_t *)buf_text(bytes),
					     .len = bytes->len,
					     .what = "bundle",
					     .begins = BUNDLE_BEGINS };
	e->report.out = &e->report_text;
	e->root = profile_yaml_parse(&e->arena, &e->source, &e->report);
	return e->root == NULL ? err_set(err, -EINVAL, "%s", buf_text(&e->report_text)) : 0;
}

/* ---- places in the bytes --------------------------------------------------------------------- */

static size_t
line_start(const struct profile_source *s, unsigned int line)
{
	size_t pos = 0;

	while (line > 1 && pos < s->len) {
		const uint8_t *newline = memchr(s->data + pos, '\n', s->len - pos);

		pos = newline != NULL ? (size_t)(newline - s->data) + 1 : s->len;
		line--;
	}
	return pos;
}

static size_t
offset_of(const struct profile_place *at)
{
	const struct profile_source *s = at->source;
	size_t pos = line_start(s, at->line);

	for (unsigned int column = 1; column < at->column && pos < s->len; column++) {
		size_t step = text_utf8(s->data + pos, s->len - pos, NULL);

		pos += step > 0 ? step : 1;
	}
	return pos;
}

static void
put_spaces(struct buf *b, size_t count)
{
	buf_printf(b, "%*s", (int)count, "");
}

/* bytes with `with` in the place of [from, to). */
static void
splice(const struct profile_source *s, size_t from, size_t to, const struct buf *with,
       struct buf *ret)
{
	buf_put(ret, s->data, from);
	buf_put(ret, with->data, with->len);
	buf_put(ret, s->data + to, s->len - to);
}

/* ---- is it what it was to become ------------------------------------------------------------- */

/* One line per item; `instead` for the one of its name, which is behind the others if it is new. */
static int
put_bundle(const struct bundle *b, const struct bundle_item *instead, struct buf *ret)
{
	bool is_new = instead != NULL && bundle_item(b, instead->name) == NULL;
	int rc = 0;

	buf_printf(ret, "%s\n%s\n", b->name, b->owner);
	for (size_t i = 0; i < b->recipients.count; i++) {
		buf_printf(ret, "%s\n", b->recipients.items[i]);
	}
	for (size_t i = 0; rc == 0 && i < b->item_count + (is_new ? 1 : 0); i++) {
		const struct bundle_item *item = i < b->item_count ? &b->items[i] : instead;
		struct json j;

		if (instead != NULL && strcmp(item->name, instead->name) == 0) {
			item = instead;
		}
		json_init(&j, ret);
		bundle_put_item(&j, item);
		rc = json_error(&j);
		buf_putc(ret, '\n');
	}
	return rc < 0 ? rc : buf_error(ret);
}

static int
check(const struct bundle_at *at, const struct bundle_item *to, const struct buf *bytes,
      struct err *err)
{
	auto_buf wanted = BUF_INIT, got = BUF_INIT, report = BUF_INIT;
	struct bundle b = { .name = NULL };
	int rc = bundle_parse(BUNDLE_MANIFEST, at->bundle.name, bytes, &b, &report, err);

	if (rc < 0) {
		return rc;
	}
	rc = put_bundle(&at->bundle, to, &wanted);
	rc = rc < 0 ? rc : put_bundle(&b, NULL, &got);
	if (rc < 0) {
		err_sys(err, rc, "change %s/" BUNDLE_MANIFEST, at->path);
	} else if (strcmp(buf_text(&wanted), buf_text(&got)) != 0) {
		rc = err_set(err, -EINVAL, "otherwise than meant; change it by hand");
	}
	bundle_finish(&b);
	return rc;
}

/* rc: of what was tried before. */
static int
checked(const struct bundle_at *at, const struct bundle_item *to, int rc, struct buf *ret,
	struct err *err)
{
	if (rc == 0 && buf_error(ret) < 0) {
		rc = err_sys(err, -ENOMEM, "change a manifest");
	}
	rc = rc < 0 ? rc : check(at, to, ret, err);
	if (rc < 0) {
		err_prefix(err, "%s/" BUNDLE_MANIFEST " stays; with item %s changed it would read",
			   at->path, to->name);
	}
	return rc;
}

/* ---- a new item ------------------------------------------------------------------------------ */

static void
put_key(struct buf *b, size_t indent, const char *key, const char *value)
{
	put_spaces(b, indent);
	buf_printf(b, "%s: %s\n", key, value);
}

/* A text in double quotes is JSON's, and YAML's. */
static void
put_quoted(struct buf *b, size_t indent, const char *key, const char *text)
{
	auto_buf quoted = BUF_INIT;
	struct json j;

	json_init(&j, &quoted);
	json_str(&j, text);
	put_key(b, indent, key, buf_text(&quoted));
}

static void
put_number(struct buf *b, size_t indent, const char *key, uint64_t number)
{
	put_spaces(b, indent);
	buf_printf(b, "%s: %llu\n", key, (unsigned long long)number);
}

/* A sealed item: what is the default is left out. */
static void
put_block(struct buf *b, size_t indent, const struct bundle_item *item)
{
	char not_after[BUNDLE_TIME_SIZE] = "";
	size_t inner = indent + INDENT;
	auto_buf ttl = BUF_INIT;

	put_spaces(b, indent);
	buf_printf(b, "%s:\n", item->name);
	if (item->about[0] != '\0') {
		put_quoted(b, inner, "about", item->about);
	}
	put_key(b, inner, "source", bundle_source_word(item->source));
	put_number(b, inner, "version", item->version);
	put_key(b, inner, "deliver", bundle_delivery_word(item->deliver));
	if (item->deliver_name[0] != '\0') {
		put_quoted(b, inner, "name", item->deliver_name);
	}
	put_key(b, inner, "access", bundle_access_word(item->access));
	if (item->not_after_ms > 0 && bundle_time_print(item->not_after_ms, not_after) == 0) {
		put_key(b, inner, "not_after", not_after);
	}
	if (item->ttl_ms > 0) {
		units_print_duration(&ttl, item->ttl_ms);
		put_key(b, inner, "ttl", buf_text(&ttl));
	}
	if (item->max_uses > 0) {
		put_number(b, inner, "max_uses", item->max_uses);
	}
}

/* Where the items end: before the next key of the top and the comments above it, or at the end. */
static size_t
items_end(const struct profile_source *s, const struct profile_node *items)
{
	size_t pos, before;

	if (items == NULL || items->next == NULL) {
		return s->len;
	}
	pos = line_start(s, items->next->key_at.line);
	while (pos > 0) {
		for (before = pos - 1; before > 0 && s->data[before - 1] != '\n'; before--) {
		}
		if (s->data[before] != '#' && s->data[before] != '\n') {
			break;
		}
		pos = before;
	}
	return pos;
}

/* "items: {}" becomes "items:". */
static void
open_braces(const struct profile_source *s, const struct profile_node *items, struct buf *ret)
{
	size_t from = offset_of(&items->at), to = from;

	if (items->kind == NODE_MAP && items->first == NULL && s->data[from] == '{') {
		const uint8_t *brace = memchr(s->data + from, '}', s->len - from);

		to = brace != NULL ? (size_t)(brace - s->data) + 1 : from;
	}
	splice(s, from, to, &(struct buf)BUF_INIT, ret);
}

static void
add(const struct profile_source *s, const struct profile_node *items,
    const struct bundle_item *item, struct buf *ret)
{
	size_t end = items_end(s, items), indent = INDENT;
	auto_buf block = BUF_INIT;

	if (end > 0 && s->data[end - 1] != '\n') {
		buf_putc(&block, '\n');
	}
	if (items == NULL) {
		buf_puts(&block, "items:\n");
	} else if (items->first != NULL) {
		indent = items->first->key_at.column - 1;
	}
	put_block(&block, indent, item);
	splice(s, end, end, &block, ret);
}

/* The name as the reader would have it where none is given. */
static int
complete(const struct bundle_at *at, const struct buf *bytes, struct bundle_item *to,
	 struct bundle *parsed, struct err *err)
{
	auto_buf report = BUF_INIT;
	int rc = bundle_parse(BUNDLE_MANIFEST, at->bundle.name, bytes, parsed, &report, err);
	const struct bundle_item *there = rc < 0 ? NULL : bundle_item(parsed, to->name);

	if (there != NULL && to->deliver_name[0] == '\0') {
		to->deliver_name = there->deliver_name;
	}
	return rc;
}

int
bundle_edit_add(const struct bundle_at *at, const struct bundle_item *item, struct buf *ret,
		struct err *err)
{
	auto_buf opened = BUF_INIT;
	struct bundle_item to = *item;
	struct bundle parsed = { .name = NULL };
	struct edit e;
	int rc;

	if (bundle_item(&at->bundle, item->name) != NULL) {
		return err_set(err, -EEXIST,
			       "bundle %s has an item %s; airlock creds rotate gives it another "
			       "value",
			       at->bundle.name, item->name);
	}
	rc = edit_init(&e, &at->manifest, err);
	if (rc == 0 && bundle_node(e.root, "items") != NULL) {
		open_braces(&e.source, bundle_node(e.root, "items"), &opened);
		edit_finish(&e);
		rc = edit_init(&e, &opened, err);
	}
	if (rc == 0) {
		add(&e.source, bundle_node(e.root, "items"), item, ret);
		rc = complete(at, ret, &to, &parsed, err);
	}
	edit_finish(&e);
	rc = checked(at, &to, rc, ret, err);
	bundle_finish(&parsed);
	return rc;
}

/* ---- one that is there ----------------------------------------------------------------------- */

/*
 * In *bytes: the value of a key of the item in place, where it is there as it is read; else a key
 * before the item's first.
 */
static int
set_key(struct buf *bytes, const char *item, const char *key, const char *value, struct err *err)
{
	struct edit e;
	const struct profile_node *node, *map = NULL;
	struct buf changed = BUF_INIT;
	auto_buf with = BUF_INIT;
	size_t from, len = 0;
	int rc = edit_init(&e, bytes, err);

	node = rc < 0 ? NULL : bundle_node(e.root, "items");
	map = node != NULL ? bundle_node(node, item) : NULL;
	if (map == NULL || map->first == NULL) {
		edit_finish(&e);
		return rc < 0 ? rc : err_set(err, -ENOENT, "no item %s", item);
	}
	node = bundle_node(map, key);
	if (node != NULL) {
		from = offset_of(&node->at);
		len = strlen(node->text);
		len = len <= e.source.len - from ? len : 0;
		buf_puts(&with, value);
	} else if (e.source.data[offset_of(&map->at)] == '{') {
		from = offset_of(&map->first->key_at);
		buf_printf(&with, "%s: %s, ", key, value);
	} else {
		from = line_start(&e.source, map->first->key_at.line);
		put_key(&with, map->first->key_at.column - 1, key, value);
	}
	splice(&e.source, from, from + len, &with, &changed);
	edit_finish(&e);
	buf_finish(bytes);
	*bytes = changed;
	return buf_error(bytes) < 0 ? err_sys(err, -ENOMEM, "change a manifest") : 0;
}

int
bundle_edit_item(const struct bundle_at *at, const struct bundle_item *to, struct buf *ret,
		 struct err *err)
{
	const struct bundle_item *now = bundle_item(&at->bundle, to->name);
	char version[24], not_after[BUNDLE_TIME_SIZE] = "";
	int rc = 0;

	snprintf(version, sizeof(version), "%llu", (unsigned long long)to->version);
	if (now == NULL ||
	    (to->not_after_ms > 0 && bundle_time_print(to->not_after_ms, not_after) < 0)) {
		return err_set(err, -EINVAL, "no such change of item %s", to->name);
	}
	buf_put(ret, at->manifest.data, at->manifest.len);
	if (to->version != now->version) {
		rc = set_key(ret, to->name, "version", version, err);
	}
	if (rc == 0 && to->not_after_ms != now->not_after_ms) {
		rc = set_key(ret, to->name, "not_after", not_after, err);
	}
	if (rc == 0 && to->revoked != now->revoked) {
		rc = set_key(ret, to->name, "revoked", to->revoked ? "true" : "false", err);
	}
	return checked(at, to, rc, ret, err);
}
