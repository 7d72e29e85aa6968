/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an undo needs besides the list and the contents. Written by the front as the workspace's
 * owner, read by airlock-cli from the store. Pure.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "changes_internal.h"

#define MAGIC "airlock-meta v1\n"

int
changes_meta_write(const struct change_set *cs, struct buf *out)
{
	buf_reset(out);
	buf_puts(out, MAGIC);
	buf_u32(out, (uint32_t)cs->count);
	for (size_t i = 0; i < cs->count; i++) {
		const struct change *c = &cs->items[i];

		buf_u64(out, (uint64_t)c->lower_mtime_ns);
		buf_blob(out, c->attributes_before, c->attributes_before_len);
	}
	return buf_error(out);
}

static int
read_one(struct rd *in, struct change *c)
{
	size_t len = 0;
	const uint8_t *attributes;

	c->lower_mtime_ns = (int64_t)rd_u64(in);
	attributes = rd_blob(in, &len);
	if (attributes == NULL || c->attributes_before != NULL) {
		return -EBADMSG;
	}
	if (len > 0) {
		c->attributes_before = malloc(len);
		if (c->attributes_before == NULL) {
			return -ENOMEM;
		}
		memcpy(c->attributes_before, attributes, len);
		c->attributes_before_len = len;
	}
	return 0;
}

int
changes_meta_read(const void *text, size_t len, struct change_set *set)
{
	struct rd in = { .p = text, .left = len };
	const uint8_t *magic = rd_bytes(&in, strlen(MAGIC));
	int r = 0;

	if (magic == NULL || memcmp(magic, MAGIC, strlen(MAGIC)) != 0 ||
	    rd_u32(&in) != set->count) {
		return -EBADMSG;
	}
	for (size_t i = 0; r == 0 && i < set->count; i++) {
		r = read_one(&in, &set->items[i]);
	}
	return r == 0 && (in.bad || in.left != 0) ? -EBADMSG : r;
}
