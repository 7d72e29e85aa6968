/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the reader of change lists, from which a commit and an undo follow. Run by
 * the developer or CI; the bytes are anybody's. What it takes for a list must be exactly what the
 * writer writes for it: one list, one digest. What it refuses must have words for a terminal.
 */
#include "../../launcher/base/text.h"
#include "../../launcher/snapshot/changes_internal.h"
#include "fuzz.h"

static void
check_words(const struct err *err)
{
	auto_buf safe = BUF_INIT;

	require(err->text[0] != '\0', "refused without words");
	text_safe(&safe, err->text, strlen(err->text), false);
	require(strcmp(buf_text(&safe), err->text) == 0, "words that no terminal should get");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf again = BUF_INIT;
	struct change_list list;
	struct err err = ERR_INIT;

	if (changes_list_read(data, size, &list, &err) < 0) {
		check_words(&err);
		return 0;
	}
	require(changes_list_write(&list.set, list.call, list.workspace_dev, list.workspace_ino,
				   &again) == 0,
		"not writable");
	require(again.len == size && memcmp(again.data, data, size) == 0, "another spelling");
	for (size_t i = 0; i < list.set.count; i++) {
		const char *path = list.set.items[i].path;

		require(changes_find(&list.set, path) == &list.set.items[i], "not in order");
	}
	changes_finish(&list.set);
	return 0;
}
