/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-credd and the front. Pure. */
#include "uses.h"

#include <errno.h>
#include <string.h>

static bool
is_same(const struct use *a, const struct use *b)
{
	return a->kind == b->kind && strcmp(a->what, b->what) == 0 && a->has_host == b->has_host &&
	       (!a->has_host || memcmp(a->host, b->host, SHA256_SIZE) == 0);
}

/* Its row, or the one behind the last. */
static size_t
find(const struct uses *u, const struct use *use)
{
	size_t i = 0;

	while (i < u->count && !is_same(&u->rows[i], use)) {
		i++;
	}
	return i;
}

bool
uses_have_room(const struct uses *u, const struct use *use)
{
	return find(u, use) < USES_MAX;
}

void
uses_add(struct uses *u, const struct use *use)
{
	size_t i = find(u, use);

	if (i == USES_MAX) {
		return;
	}
	u->signatures++;
	if (i == u->count) {
		u->rows[i] = *use;
		u->rows[i].count = 0;
		u->count++;
	}
	u->rows[i].count++;
}

void
uses_encode(const struct uses *u, struct buf *out)
{
	buf_u64(out, u->signatures);
	buf_u64(out, u->refusals);
	buf_u32(out, (uint32_t)u->count);
	for (size_t i = 0; i < u->count; i++) {
		const struct use *row = &u->rows[i];

		buf_u8(out, (uint8_t)row->kind);
		buf_str(out, row->what);
		buf_u8(out, row->has_host);
		buf_put(out, row->host, SHA256_SIZE);
		buf_u64(out, row->count);
	}
}

int
uses_decode(struct rd *r, struct uses *ret)
{
	struct uses u = { .count = 0 };
	uint32_t count;

	u.signatures = rd_u64(r);
	u.refusals = rd_u64(r);
	count = rd_u32(r);
	for (; !r->bad && u.count < count && u.count < USES_MAX; u.count++) {
		struct use *row = &u.rows[u.count];
		uint8_t kind = rd_u8(r);
		const char *what = rd_str(r);
		size_t len = strlen(what);
		const uint8_t *host;

		row->has_host = rd_u8(r) != 0;
		host = rd_bytes(r, SHA256_SIZE);
		row->count = rd_u64(r);
		if (host == NULL || kind >= USE__COUNT || len >= USE_WHAT_SIZE) {
			return -EBADMSG;
		}
		row->kind = kind;
		memcpy(row->what, what, len + 1);
		memcpy(row->host, host, SHA256_SIZE);
	}
	if (r->bad || u.count != count) {
		return -EBADMSG;
	}
	*ret = u;
	return 0;
}
