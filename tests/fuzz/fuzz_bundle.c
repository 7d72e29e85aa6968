/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the manifest of a bundle. Run by the developer or CI; the bytes are
 * anybody's. What is taken must keep the promises of struct bundle; what is refused must have a
 * report that a terminal can show.
 */
#include "../../launcher/base/text.h"
#include "../../launcher/bundle/bundle_edit.h"
#include "fuzz.h"

const char *__lsan_default_suppressions(void);

/* 0.7.12 forgets a buffer of its own at some syntax errors; airlock-cli ends after one file. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so\n";
}

static void
check_item(const struct bundle_item *item)
{
	auto_buf text = BUF_INIT;
	struct json j;

	json_init(&j, &text);
	bundle_put_item(&j, item);
	require_shown(json_error(&j) == 0, "an item that is no JSON", &text);
	require_shown(json_check_object(buf_text(&text), text.len) == 0, "no JSON", &text);
	require_shown(bundle_name_is_right(item->name), "a name that is none", &text);
	require_shown(item->deliver_name[0] != '\0' && strchr(item->deliver_name, '/') == NULL,
		      "no name to deliver it by", &text);
	require_shown(item->source != BUNDLE_SOURCE_SEALED || item->version > 0, "no version",
		      &text);
	require_shown(item->source != BUNDLE_SOURCE_FILE || item->path[0] == '/', "no path", &text);
	require_shown(item->source != BUNDLE_SOURCE_EXEC || item->command.items[0][0] == '/',
		      "no command", &text);
}

/* What an edit gives was read again by it; here it must be a JSON of its own and have grown. */
static void
check_edits(struct bundle *b, const struct buf *bytes)
{
	static const struct bundle_item added = { .name = "fuzz-new",
						  .about = "a \"b\": #c",
						  .source = BUNDLE_SOURCE_SEALED,
						  .version = 1,
						  BUNDLE_ITEM_UNSAID,
						  .ttl_ms = 60000,
						  .access = BUNDLE_READ };
	struct bundle_at at = { .bundle = *b, .path = "/b", .dir_fd = -1, .manifest = *bytes };
	auto_buf out = BUF_INIT;
	struct err err = ERR_INIT;

	if (b->recipients.count > 0 && bundle_edit_add(&at, &added, &out, &err) == 0) {
		require_shown(out.len > bytes->len - 2, "nothing was added", &out);
	}
	for (size_t i = 0; i < b->item_count; i++) {
		struct bundle_item to = b->items[i];

		buf_reset(&out);
		to.revoked = true;
		to.not_after_ms = 1798761600000;
		to.version += to.source == BUNDLE_SOURCE_SEALED ? 1 : 0;
		ignore_err(bundle_edit_item(&at, &to, &out, &err), "a manifest that stays is fine");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf bytes = BUF_INIT, report = BUF_INIT, safe = BUF_INIT;
	struct err err = ERR_INIT;
	struct bundle b;

	buf_put(&bytes, data, size);
	if (bundle_parse("m.yaml", "acme", &bytes, &b, &report, &err) == 0) {
		require_shown(report.len == 0 && strcmp(b.name, "acme") == 0, "another bundle",
			      &report);
		for (size_t i = 0; i < b.item_count; i++) {
			check_item(&b.items[i]);
			require_shown(bundle_item(&b, b.items[i].name) == &b.items[i],
				      "found twice", NULL);
		}
		check_edits(&b, &bytes);
		bundle_finish(&b);
		return 0;
	}
	require_shown(report.len > 0 && err.text[0] != '\0', "an error without words", &report);
	text_safe(&safe, report.data, report.len, true);
	require_shown(safe.len == report.len && memcmp(safe.data, report.data, safe.len) == 0,
		      "the report has bytes that no terminal should get", &safe);
	return 0;
}
