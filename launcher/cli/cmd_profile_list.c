/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock profile list`: every profile that can be named, where it is, and what is wrong with it.
 * Runs in airlock-cli as the caller. Trusts no file: what is shown of one is escaped.
 */
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../base/text.h"
#include "cmd_profile.h"
#include "commands.h"
#include "view_format.h"

#define WHERE_WIDTH 9u /* "shipped", and space */

struct row {
	const struct profile_found *found;
	struct profile_loaded loaded; /* profile NULL: broken */
	struct err err;
};

/* One that is hidden is found by its path only. */
static void
read_row(const struct profile_found *found, const struct places *places, struct row *ret)
{
	const struct profile_request request =
		profile_request_of(found->hidden_by != NULL ? found->path : found->name,
				   places->shipped);
	auto_buf report = BUF_INIT;

	ret->found = found;
	ignore_err(profile_load(&request, &ret->loaded, &report, &ret->err),
		   "the row says what is wrong");
}

static void
put_text(struct buf *b, const char *text)
{
	text_safe(b, text, strlen(text), false);
}

static size_t
dropins_of(const struct profile_loaded *loaded)
{
	size_t count = 0;

	while (count + 1 < loaded->file_count && loaded->files[count + 1].is_dropin) {
		count++;
	}
	return count;
}

static void
print_row(const struct view *v, const struct row *row, size_t name_width)
{
	auto_buf out = BUF_INIT, name = BUF_INIT, text = BUF_INIT;
	bool broken = row->loaded.profile == NULL;
	size_t indent = name_width + WHERE_WIDTH;

	put_text(&name, row->found->name);
	view_pad(&out, buf_text(&name), name_width, false);
	view_pad(&out, profile_where_text(row->found->where), WHERE_WIDTH, false);
	if (broken) {
		put_text(&text, row->err.text);
		view_paint(v, &out, VIEW_RED, "broken ");
		view_wrap(&out, buf_text(&text), indent, v->columns);
	} else {
		put_text(&text, row->loaded.profile->description);
		if (dropins_of(&row->loaded) > 0) {
			buf_puts(&text, text.len > 0 ? " (" : "(");
			view_count(&text, dropins_of(&row->loaded), "drop-in", "drop-ins");
			buf_putc(&text, ')');
		}
		view_wrap(&out, buf_text(&text), indent, v->columns);
	}
	if (row->found->hidden_by != NULL) {
		auto_buf hidden = BUF_INIT;

		buf_puts(&hidden, "hidden by ");
		put_text(&hidden, row->found->hidden_by);
		buf_printf(&out, "%*s", (int)indent, "");
		view_wrap(&out, buf_text(&hidden), indent, v->columns);
	}
	fputs(buf_text(&out), stdout);
}

static int
print_json(const struct row *row, struct err *err)
{
	auto_buf out = BUF_INIT;
	struct json j;
	const struct profile *p = row->loaded.profile;

	json_init(&j, &out);
	json_begin_object(&j);
	json_kv_bytes(&j, "description", p != NULL ? p->description : NULL);
	json_kv_uint(&j, "dropins", dropins_of(&row->loaded));
	json_kv_bytes(&j, "error", p != NULL ? NULL : row->err.text);
	json_kv_bytes(&j, "hidden_by", row->found->hidden_by);
	json_kv_bytes(&j, "name", row->found->name);
	json_kv_bytes(&j, "path", row->found->path);
	json_kv_bytes(&j, "where", profile_where_text(row->found->where));
	json_end(&j);
	if (json_error(&j) < 0) {
		return err_set(err, json_error(&j), "the list cannot be written as JSON");
	}
	puts(buf_text(&out));
	return 0;
}

static int
print_list(const struct profile_listing *list, const struct places *places, bool json,
	   struct err *err)
{
	size_t name_width = 0;
	struct view v;
	int rc = 0;

	view_init(&v, STDOUT_FILENO);
	for (size_t i = 0; i < list->count; i++) {
		size_t width = view_width(list->rows[i].name) + 2;

		name_width = width > name_width ? width : name_width;
	}
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		struct row row = { .err = ERR_INIT };

		read_row(&list->rows[i], places, &row);
		if (json) {
			rc = print_json(&row, err);
		} else {
			print_row(&v, &row, name_width);
		}
		profile_loaded_finish(&row.loaded);
	}
	return rc;
}

int
cmd_profile_list(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_places places = { .shipped = NULL };
	struct profile_listing list = { .count = 0 };
	struct profile_request request;
	struct err err = ERR_INIT;
	bool json = false;
	int rc = command_line_flag(&cl, 0, 0, &json);

	if (rc >= 0) {
		return rc;
	}
	rc = places_find(&places, &err);
	if (rc == 0) {
		request = profile_request_of("", places.shipped);
		rc = profile_list(&request, &list, &err);
	}
	if (rc == 0) {
		rc = print_list(&list, &places, json, &err);
	}
	profile_listing_finish(&list);
	return rc < 0 ? commands_fail(EXIT_AIRLOCK, &err) : 0;
}
