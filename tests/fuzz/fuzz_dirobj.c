/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the reader of directory objects, which come out of a store that anybody may
 * have changed. Run by a developer or CI. What it takes is exactly what the writer writes for it,
 * its names are in order, and each is found by its name.
 */
#include "../../launcher/snapshot/dirobj.h"
#include "fuzz.h"

/* The kind letter's own bits of st_mode; the writer takes them from there. */
static mode_t
mode_of(const struct dirobj_item *item)
{
	static const struct {
		char kind;
		mode_t bits;
	} kinds[] = { { 'f', 0100000 }, { 'd', 0040000 }, { 'l', 0120000 }, { 's', 0140000 },
		      { 'p', 0010000 }, { 'b', 0060000 }, { 'c', 0020000 }, { '?', 0 } };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].kind == item->kind) {
			require(dirobj_kind(kinds[i].bits) == item->kind, "another kind");
			return kinds[i].bits | item->mode;
		}
	}
	require(false, "a kind that is none");
	return 0;
}

static void
write_again(struct buf *again, const struct dirobj_item *item)
{
	auto_buf xattrs = BUF_INIT;
	struct dirobj_entry e = {
		.mode = mode_of(item),
		.uid = item->uid,
		.gid = item->gid,
		.size = item->size,
		.digest = item->has_digest ? item->digest : NULL,
		.target = buf_text(&item->target),
		.name = buf_text(&item->name),
	};

	/* The writer has them with the blank before the first. */
	buf_puts(&xattrs, item->xattrs_len > 0 ? " " : "");
	buf_put(&xattrs, item->xattrs, item->xattrs_len);
	e.xattrs = buf_text(&xattrs);
	dirobj_add(again, &e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = malloc(size + 1);
	auto_dirobj_reader reader = { .p = NULL };
	auto_dirobj_item item = DIROBJ_ITEM_INIT, found = DIROBJ_ITEM_INIT;
	auto_buf again = BUF_INIT, last = BUF_INIT;
	int rc;

	require(text != NULL, "no memory");
	memcpy(text, data, size);
	if (dirobj_open(&reader, text, size) < 0) {
		return 0;
	}
	dirobj_begin(&again);
	while ((rc = dirobj_next(&reader, &item)) == 1) {
		require(strlen(buf_text(&item.name)) == item.name.len, "a name with a NUL");
		require(last.len == 0 || strcmp(buf_text(&last), buf_text(&item.name)) < 0,
			"not in order");
		buf_reset(&last);
		buf_put(&last, item.name.data, item.name.len);
		write_again(&again, &item);
	}
	if (rc < 0) {
		return 0;
	}
	require_shown(again.len == size && memcmp(again.data, text, size) == 0, "another spelling",
		      &again);
	if (last.len > 0) {
		require(dirobj_find(text, size, buf_text(&last), &found) == 0 &&
				found.kind == item.kind && found.mode == item.mode,
			"not found by its name");
	}
	return 0;
}
