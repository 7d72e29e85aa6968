/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli, airlock-credd and the front. */
#include "lease.h"

#include <errno.h>

#include "../base/sha256.h"

#define LEASE_MAGIC 0x53454c41u /* "ALES" */

void
lease_encode(const struct lease *l, struct buf *out)
{
	buf_u32(out, LEASE_MAGIC);
	buf_str(out, l->bundle);
	buf_put(out, l->bundle_digest, SHA256_SIZE);
	buf_put(out, l->fingerprint_key, SHA256_SIZE);
	buf_u32(out, l->uid);
	buf_u32(out, (uint32_t)l->count);
	for (size_t i = 0; i < l->count; i++) {
		const struct lease_item *item = &l->items[i];

		buf_str(out, item->item);
		buf_str(out, item->source);
		buf_str(out, item->access);
		buf_str(out, item->name);
		buf_u8(out, (uint8_t)item->delivery);
		buf_u8(out, item->is_sealed);
		buf_u32(out, item->version);
		buf_u64(out, item->expires_ms);
		buf_str(out, item->ask);
		buf_u8(out, item->is_revocable);
		buf_u32(out, item->pid);
	}
	buf_u32(out, (uint32_t)l->left_out_count);
	for (size_t i = 0; i < l->left_out_count; i++) {
		buf_str(out, l->left_out[i]);
	}
}

int
lease_decode(const void *bytes, size_t len, struct lease *ret)
{
	struct rd r = { .p = bytes, .left = len };
	struct lease l = { .count = 0 };
	uint32_t count;

	if (rd_u32(&r) != LEASE_MAGIC) {
		return -EBADMSG;
	}
	l.bundle = rd_str(&r);
	l.bundle_digest = rd_bytes(&r, SHA256_SIZE);
	l.fingerprint_key = rd_bytes(&r, SHA256_SIZE);
	l.uid = rd_u32(&r);
	count = rd_u32(&r);
	for (; !r.bad && l.count < count && l.count < LEASE_ITEMS_MAX; l.count++) {
		struct lease_item *item = &l.items[l.count];
		uint8_t delivery;

		item->item = rd_str(&r);
		item->source = rd_str(&r);
		item->access = rd_str(&r);
		item->name = rd_str(&r);
		delivery = rd_u8(&r);
		item->delivery = delivery;
		item->is_sealed = rd_u8(&r) != 0;
		item->version = rd_u32(&r);
		item->expires_ms = rd_u64(&r);
		item->ask = rd_str(&r);
		item->is_revocable = rd_u8(&r) != 0;
		item->pid = rd_u32(&r);
		r.bad = r.bad || delivery >= DELIVERY__COUNT;
	}
	r.bad = r.bad || l.count != count;
	count = rd_u32(&r);
	for (; !r.bad && l.left_out_count < count && l.left_out_count < LEASE_ITEMS_MAX;) {
		l.left_out[l.left_out_count++] = rd_str(&r);
	}
	if (r.bad || r.left != 0 || l.left_out_count != count) {
		return -EBADMSG;
	}
	*ret = l;
	return 0;
}
