/* SPDX-License-Identifier: Apache-2.0 */
/* `airlock diff --json`: the list as one object. Runs in airlock-cli as the caller; pure. */
#include <string.h>

#include "../base/json.h"
#include "view_diff.h"

/* As they stand in the list: sorted, names in vis octal. */
static void
put_attributes(struct json *j, const char *text)
{
	json_key(j, "xattrs");
	json_begin_array(j);
	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text + 1, " ");
		auto_buf one = BUF_INIT;

		buf_put(&one, text + 1, len);
		json_str(j, buf_text(&one));
		text += 1 + len;
	}
	json_end(j);
}

static void
put_item(struct json *j, const struct change *c)
{
	json_begin_object(j);
	json_kv_hex(j, "after", c->after_known ? c->after : NULL, SHA256_SIZE);
	json_kv_hex(j, "before", c->before_known ? c->before : NULL, SHA256_SIZE);
	json_kv_str(j, "hold", c->hold_rule);
	json_kv_str(j, "kind", changes_kind_word(c->kind));
	json_kv_uint(j, "mode_after", c->mode_after);
	json_kv_uint(j, "mode_before", c->mode_before);
	json_key(j, "path");
	json_path(j, c->path);
	json_kv_uint(j, "size_after", c->size_after);
	json_kv_uint(j, "size_before", c->size_before);
	json_kv_path(j, "target", c->link_after);
	put_attributes(j, c->xattrs_after);
	json_end(j);
}

int
diff_json(const struct change_list *list, const char *call, const char *state, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_begin_object(&j);
	json_kv_str(&j, "call", call);
	json_kv_hex(&j, "digest", list->set.count > 0 ? list->set.digest : NULL, SHA256_SIZE);
	json_key(&j, "items");
	json_begin_array(&j);
	for (size_t i = 0; i < list->set.count; i++) {
		put_item(&j, &list->set.items[i]);
	}
	json_end(&j);
	json_kv_str(&j, "settled", text_or_null(state));
	json_end(&j);
	buf_putc(out, '\n');
	return json_error(&j);
}
