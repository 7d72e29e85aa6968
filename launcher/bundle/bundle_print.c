/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest says of an item, as JSON. Runs in airlock-cli. Pure. */
#include <string.h>

#include "../base/text.h"
#include "bundle.h"
#include "bundle_time.h"

static void
put_text(struct json *j, const char *key, const char *text)
{
	json_kv_str(j, key, text_or_null(text));
}

static void
put_number(struct json *j, const char *key, uint64_t number)
{
	json_kv_known(j, key, number > 0, (int64_t)number);
}

static void
put_words(struct json *j, const char *key, const struct bundle_words *words)
{
	json_key(j, key);
	json_begin_array(j);
	for (size_t i = 0; i < words->count; i++) {
		json_str(j, words->items[i]);
	}
	json_end(j);
}

void
bundle_put_item(struct json *j, const struct bundle_item *item)
{
	char not_after[BUNDLE_TIME_SIZE] = "";

	if (item->not_after_ms > 0 && bundle_time_print(item->not_after_ms, not_after) < 0) {
		j->misuse = true;
	}
	json_begin_object(j);
	put_text(j, "about", item->about);
	json_kv_str(j, "access", bundle_access_word(item->access));
	if (item->source == BUNDLE_SOURCE_EXEC) {
		put_words(j, "command", &item->command);
	}
	put_text(j, "credential", item->credential);
	json_kv_str(j, "deliver", bundle_delivery_word(item->deliver));
	put_text(j, "handle", item->handle);
	put_text(j, "id", item->id);
	json_kv_str(j, "item", item->name);
	put_number(j, "max_uses", item->max_uses);
	json_kv_str(j, "name", item->deliver_name);
	put_text(j, "not_after", not_after);
	put_text(j, "path", item->path);
	put_text(j, "profile", item->profile);
	put_text(j, "provider", item->provider);
	if (item->source == BUNDLE_SOURCE_EXEC) {
		json_kv_bool(j, "revocable", item->revocable);
	}
	json_kv_bool(j, "revoked", item->revoked);
	json_kv_str(j, "source", bundle_source_word(item->source));
	put_number(j, "ttl_ms", item->ttl_ms);
	put_number(j, "version", item->version);
	json_end(j);
}
