/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock creds list` and `show`: bundles and their items, as their manifests say. Runs in
 * airlock-cli as the caller. Opens no item: a value is nowhere in here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../base/units.h"
#include "cmd_creds.h"
#include "commands.h"
#include "view_format.h"

/* ---- JSON ------------------------------------------------------------------------------------ */

/* found: where it lies; error NULL: b is what was read. */
static int
put_json(const struct bundle_found *found, const struct bundle *b, const char *error,
	 struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_begin_object(&j);
	json_kv_str(&j, "bundle", found->name);
	json_kv_hex(&j, "digest", error == NULL ? b->digest : NULL, SHA256_SIZE);
	json_kv_bytes(&j, "error", error);
	json_kv_bool(&j, "hidden", found->is_hidden);
	json_key(&j, "items");
	json_begin_array(&j);
	for (size_t i = 0; error == NULL && i < b->item_count; i++) {
		bundle_put_item(&j, &b->items[i]);
	}
	json_end(&j);
	json_kv_str(&j, "owner", error == NULL ? text_or_null(b->owner) : NULL);
	json_kv_bytes(&j, "path", found->path);
	json_key(&j, "recipients");
	json_begin_array(&j);
	for (size_t i = 0; error == NULL && i < b->recipients.count; i++) {
		json_str(&j, b->recipients.items[i]);
	}
	json_end(&j);
	json_kv_str(&j, "where", found->is_system ? "system" : "own");
	json_end(&j);
	buf_putc(out, '\n');
	return json_error(&j);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void
put_how(const struct bundle_item *item, struct buf *out)
{
	buf_printf(out, "%s %s", bundle_delivery_word(item->deliver), item->deliver_name);
}

/* What is on the right of an item: its state, or why no call gets it, and what it is. */
static void
put_rest(const struct bundle_item *item, struct buf *out)
{
	const char *later = bundle_item_later(item);
	size_t before = out->len;

	creds_put_state(item, out);
	if (later != NULL) {
		buf_printf(out, "%s%s", out->len > before ? "; " : "", later);
	}
	if (item->about[0] != '\0') {
		buf_printf(out, "%s%s", out->len > before ? "; " : "", item->about);
	}
}

static void
put_items(const struct view *v, const struct bundle *b, struct buf *out)
{
	size_t name = 0, how = 0;

	for (size_t i = 0; i < b->item_count; i++) {
		auto_buf text = BUF_INIT;

		put_how(&b->items[i], &text);
		name = view_width(b->items[i].name) > name ? view_width(b->items[i].name) : name;
		how = text.len > how ? text.len : how;
	}
	for (size_t i = 0; i < b->item_count; i++) {
		const struct bundle_item *item = &b->items[i];
		auto_buf text = BUF_INIT, rest = BUF_INIT, line = BUF_INIT;

		put_how(item, &text);
		put_rest(item, &rest);
		buf_puts(&line, "  ");
		view_pad(&line, item->name, name + 2, false);
		view_pad(&line, bundle_source_word(item->source), 9, false);
		view_pad(&line, buf_text(&text), how + 2, false);
		view_pad(&line, bundle_access_word(item->access), 7, false);
		view_wrap(&line, buf_text(&rest), name + how + 22, v->columns);
		buf_puts(out, buf_text(&line));
	}
}

static void
put_text(const struct view *v, const struct bundle_found *found, const struct bundle *b,
	 const char *error, struct buf *out)
{
	auto_buf text = BUF_INIT;

	view_paint(v, out, VIEW_BOLD, found->name);
	buf_printf(out, "  %s  ", found->is_system ? "system" : "own");
	if (found->is_hidden) {
		buf_puts(out, "hidden by your own\n");
	} else if (error != NULL) {
		text_safe(&text, error, strlen(error), false);
		view_paint(v, out, VIEW_RED, "broken ");
		view_wrap(out, buf_text(&text), 2, v->columns);
	} else {
		view_count(out, b->item_count, "item", "items");
		if (text_or_null(b->owner) != NULL) {
			buf_printf(out, "  %s", b->owner);
		}
		buf_putc(out, '\n');
		put_items(v, b, out);
	}
}

/* ---- list ------------------------------------------------------------------------------------ */

/* One that is hidden is not opened: its name leads to the other one. */
static int
put_row(const struct creds *c, const struct bundle_found *found, const struct view *v, bool json,
	struct buf *out)
{
	auto_bundle_at at = BUNDLE_AT_INIT;
	auto_buf report = BUF_INIT;
	struct err err = ERR_INIT;
	int rc = 0;

	if (!found->is_hidden) {
		rc = bundle_open_read(&c->req, found->name, &at, &report, &err);
	} else {
		rc = err_set(&err, -EEXIST, "hidden by one of the caller's own");
	}
	if (!json) {
		put_text(v, found, &at.bundle, rc < 0 ? err.text : NULL, out);
		return 0;
	}
	return put_json(found, &at.bundle, rc < 0 ? err.text : NULL, out);
}

int
cmd_creds_list(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct bundle_listing list = { .count = 0 };
	auto_creds c = { .at = BUNDLE_AT_INIT };
	auto_buf out = BUF_INIT;
	bool json = false;
	struct view v;
	int rc = command_line_flag(&cl, 0, 0, &json);

	if (rc >= 0) {
		return rc;
	}
	creds_init(&c);
	view_init(&v, STDOUT_FILENO);
	rc = bundle_list(&c.req, &list, &c.err);
	for (size_t i = 0; rc == 0 && i < list.count; i++) {
		rc = put_row(&c, &list.rows[i], &v, json, &out);
	}
	bundle_listing_finish(&list);
	rc = rc < 0 ? rc : commands_write(&out);
	if (rc < 0 && c.err.code == 0) {
		err_sys(&c.err, rc, "list bundles");
	}
	return rc < 0 ? creds_fail(&c, EXIT_AIRLOCK) : 0;
}

/* ---- show ------------------------------------------------------------------------------------ */

static void
put_line(struct buf *out, const char *key, const char *value)
{
	view_pad(out, key, 13, false);
	buf_printf(out, "%s\n", value);
}

static void
put_head(const struct creds *c, struct buf *out)
{
	const struct bundle *b = &c->at.bundle;
	char digest[HEX_DIGEST_SIZE];
	auto_buf path = BUF_INIT;

	text_hex(b->digest, SHA256_SIZE, digest);
	text_safe(&path, c->at.path, strlen(c->at.path), false);
	put_line(out, "bundle", b->name);
	put_line(out, "path", buf_text(&path));
	put_line(out, "digest", digest);
	if (b->owner[0] != '\0') {
		put_line(out, "owner", b->owner);
	}
	for (size_t i = 0; i < b->recipients.count; i++) {
		put_line(out, i == 0 ? "recipients" : "", b->recipients.items[i]);
	}
}

static void
put_source(const struct bundle_item *item, struct buf *out)
{
	auto_buf text = BUF_INIT;

	buf_puts(&text, bundle_source_word(item->source));
	if (item->source == BUNDLE_SOURCE_SEALED) {
		buf_printf(&text, ", version %llu", (unsigned long long)item->version);
	} else if (item->source == BUNDLE_SOURCE_EXEC) {
		buf_printf(&text, ", %s of %s by", item->id, item->provider);
		for (size_t i = 0; i < item->command.count; i++) {
			buf_putc(&text, ' ');
			text_safe(&text, item->command.items[i], strlen(item->command.items[i]),
				  false);
		}
		buf_printf(&text, ", under profile %s%s", item->profile,
			   item->revocable ? ", revocable" : "");
	} else {
		buf_printf(&text, " %s%s%s", item->path, item->credential, item->handle);
	}
	put_line(out, "source", buf_text(&text));
}

static void
put_item(const struct bundle_item *item, struct buf *out)
{
	const char *later = bundle_item_later(item);
	auto_buf how = BUF_INIT, state = BUF_INIT, ttl = BUF_INIT, uses = BUF_INIT;

	put_line(out, "item", item->name);
	if (item->about[0] != '\0') {
		put_line(out, "about", item->about);
	}
	put_source(item, out);
	put_how(item, &how);
	put_line(out, "deliver", buf_text(&how));
	put_line(out, "access", bundle_access_word(item->access));
	creds_put_state(item, &state);
	put_line(out, "state", state.len > 0 ? buf_text(&state) : "valid, without end");
	if (item->ttl_ms > 0) {
		units_print_duration(&ttl, item->ttl_ms);
		put_line(out, "ttl", buf_text(&ttl));
	}
	if (item->max_uses > 0) {
		units_print_count(&uses, item->max_uses);
		put_line(out, "max_uses", buf_text(&uses));
	}
	if (later != NULL) {
		put_line(out, "no call yet", later);
	}
}

static int
show_item(struct creds *c, const char *name, bool json, struct buf *out)
{
	const struct bundle_item *item;
	struct json j;
	int rc = bundle_item_find(&c->at.bundle, name, &item, &c->err);

	if (rc < 0) {
		return rc;
	}
	if (!json) {
		put_head(c, out);
		put_item(item, out);
		return 0;
	}
	json_init(&j, out);
	bundle_put_item(&j, item);
	buf_putc(out, '\n');
	return json_error(&j);
}

static int
show_bundle(const struct creds *c, bool json, struct buf *out)
{
	const struct bundle_found found = { .name = c->at.bundle.name,
					    .path = c->at.path,
					    .is_system = c->at.is_system };
	struct view v;

	if (json) {
		return put_json(&found, &c->at.bundle, NULL, out);
	}
	view_init(&v, STDOUT_FILENO);
	put_head(c, out);
	put_items(&v, &c->at.bundle, out);
	return 0;
}

int
cmd_creds_show(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_creds c = { .at = BUNDLE_AT_INIT };
	auto_buf out = BUF_INIT;
	bool json = false;
	int rc = command_line_flag(&cl, 1, 2, &json);

	if (rc >= 0) {
		return rc;
	}
	creds_init(&c);
	rc = bundle_open_read(&c.req, cl.operand[0], &c.at, &c.report, &c.err);
	if (rc == 0) {
		rc = cl.operands > 1 ? show_item(&c, cl.operand[1], json, &out)
				     : show_bundle(&c, json, &out);
	}
	rc = rc < 0 ? rc : commands_write(&out);
	if (rc < 0 && c.err.code == 0) {
		err_sys(&c.err, rc, "show a bundle");
	}
	return rc < 0 ? creds_fail(&c, EXIT_AIRLOCK) : 0;
}
