/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-inspect as the tool; what it is given comes from the kernel and the sandbox. */
#include "report.h"

#include <string.h>

#include "../base/text.h"

#define TITLE_WIDTH 26u

void
report_init(struct report *r, struct buf *out, bool is_json)
{
	*r = (struct report){ .out = out, .is_json = is_json };
	json_init(&r->j, out);
	if (is_json) {
		json_begin_object(&r->j);
	}
}

int
report_finish(struct report *r)
{
	int rc = buf_error(r->out);

	if (r->is_json) {
		json_end(&r->j);
		buf_putc(r->out, '\n');
		rc = json_error(&r->j);
	}
	buf_finish(&r->title);
	buf_finish(&r->row);
	return rc;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void
indent(struct report *r, unsigned int depth)
{
	for (unsigned int i = 0; i < depth; i++) {
		buf_puts(r->out, "  ");
	}
}

static void
put_key(struct buf *b, const char *key)
{
	for (; *key != '\0'; key++) {
		if (*key == '_') {
			buf_putc(b, ' ');
		} else {
			buf_putc(b, *key);
		}
	}
}

static bool
in_row(const struct report *r)
{
	return r->depth > 0 && r->level[r->depth - 1].is_row;
}

static void
mark_items(struct report *r)
{
	if (r->depth > 0) {
		r->level[r->depth - 1].has_items = true;
	}
}

/* A word of the row, or a line of its own. */
static void
put_word(struct report *r, const char *key, const char *text, bool with_key)
{
	mark_items(r);
	if (in_row(r)) {
		buf_puts(&r->row, "  ");
		if (with_key) {
			put_key(&r->row, key);
			buf_putc(&r->row, ' ');
		}
		text_safe(&r->row, text, strlen(text), false);
		return;
	}
	indent(r, r->depth);
	put_key(r->out, key);
	buf_puts(r->out, ": ");
	text_safe(r->out, text, strlen(text), false);
	buf_putc(r->out, '\n');
}

static void
end_row(struct report *r)
{
	size_t width = r->title.len;

	indent(r, r->depth);
	buf_puts(r->out, buf_text(&r->title));
	if (r->title.len > 0 && r->row.len > 0) {
		for (; width < TITLE_WIDTH; width++) {
			buf_putc(r->out, ' ');
		}
	}
	buf_puts(r->out, buf_text(&r->row) + (r->title.len == 0 && r->row.len > 2 ? 2 : 0));
	buf_putc(r->out, '\n');
	buf_reset(&r->title);
	buf_reset(&r->row);
}

/* ---- both ------------------------------------------------------------------------------------ */

static void
begin(struct report *r, const char *key, bool is_list, bool is_row)
{
	if (r->is_json && key != NULL) {
		json_key(&r->j, key);
	}
	if (r->is_json && is_list) {
		json_begin_array(&r->j);
	} else if (r->is_json) {
		json_begin_object(&r->j);
	} else if (!is_row) {
		mark_items(r);
		indent(r, r->depth);
		put_key(r->out, key);
		buf_puts(r->out, r->depth > 0 ? ":\n" : "\n");
	}
	r->level[r->depth].is_list = is_list;
	r->level[r->depth].is_row = is_row;
	r->level[r->depth].has_items = false;
	r->depth++;
}

void
report_object(struct report *r, const char *key)
{
	begin(r, key, false, false);
}

void
report_list(struct report *r, const char *key)
{
	begin(r, key, true, false);
}

void
report_row(struct report *r)
{
	if (!r->is_json) {
		mark_items(r);
	}
	begin(r, NULL, false, true);
}

void
report_end(struct report *r)
{
	r->depth--;
	if (r->is_json) {
		json_end(&r->j);
	} else if (r->level[r->depth].is_row) {
		end_row(r);
	} else if (!r->level[r->depth].has_items) {
		indent(r, r->depth + 1);
		buf_puts(r->out, "none\n");
	}
}

void
report_item(struct report *r, const char *text)
{
	if (r->is_json) {
		json_bytes(&r->j, text, strlen(text));
		return;
	}
	mark_items(r);
	indent(r, r->depth);
	text_safe(r->out, text, strlen(text), false);
	buf_putc(r->out, '\n');
}

void
report_text(struct report *r, const char *key, const char *text)
{
	if (r->is_json) {
		json_kv_bytes(&r->j, key, text);
	} else if (text != NULL || !in_row(r)) {
		put_word(r, key, text != NULL ? text : "none", false);
	}
}

void
report_title(struct report *r, const char *key, const char *text)
{
	if (r->is_json) {
		json_kv_bytes(&r->j, key, text);
	} else {
		text_safe(&r->title, text, strlen(text), false);
	}
}

void
report_known(struct report *r, const char *key, bool is_known, uint64_t v, const char *instead)
{
	auto_buf text = BUF_INIT;

	if (r->is_json && is_known) {
		json_kv_uint(&r->j, key, v);
	} else if (r->is_json) {
		json_kv_str(&r->j, key, NULL);
	} else {
		buf_printf(&text, "%llu", (unsigned long long)v);
		put_word(r, key, is_known ? buf_text(&text) : instead, true);
	}
}

void
report_number(struct report *r, const char *key, uint64_t v)
{
	report_known(r, key, true, v, "");
}

void
report_flag(struct report *r, const char *key, bool v)
{
	if (r->is_json) {
		json_kv_bool(&r->j, key, v);
	} else if (!in_row(r)) {
		put_word(r, key, v ? "yes" : "no", false);
	} else if (v) {
		put_word(r, key, key, false);
	}
}

void
report_maybe(struct report *r, const char *key, bool is_known, bool v)
{
	if (is_known && (v || r->is_json || !in_row(r))) {
		report_flag(r, key, v);
	} else if (r->is_json) {
		json_kv_str(&r->j, key, NULL);
	} else if (!in_row(r)) {
		put_word(r, key, "not known", false);
	} else if (is_known) {
		put_word(r, "not", key, true);
	}
}

void
report_words(struct report *r, const char *key, const char *const *words, size_t count)
{
	auto_buf text = BUF_INIT;

	if (r->is_json) {
		report_list(r, key);
	}
	for (size_t i = 0; i < count; i++) {
		if (r->is_json) {
			report_item(r, words[i]);
		} else {
			buf_printf(&text, "%s%s", i > 0 ? ", " : "", words[i]);
		}
	}
	if (r->is_json) {
		report_end(r);
	} else {
		put_word(r, key, count > 0 ? buf_text(&text) : "none", false);
	}
}
