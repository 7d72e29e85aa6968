/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-credd. Each request stands for itself: there is no state but the counts. */
#include "agent.h"

#include <string.h>

#include "ssh_wire.h"

enum message {
	AGENT_FAILURE = 5,
	AGENT_REQUEST_IDENTITIES = 11,
	AGENT_IDENTITIES_ANSWER = 12,
	AGENT_SIGN_REQUEST = 13,
	AGENT_SIGN_RESPONSE = 14,
	AGENT_EXTENSION = 27,
};

static bool
list(const struct agent *a, const struct rd *r, struct buf *out)
{
	if (r->left != 0) {
		return false;
	}
	buf_u8(out, AGENT_IDENTITIES_ANSWER);
	ssh_put_u32(out, 1);
	ssh_put_string(out, a->key.blob.data, a->key.blob.len);
	ssh_put_text(out, a->comment);
	return true;
}

static bool
sign(struct agent *a, struct rd *r, struct buf *out)
{
	size_t blob_len, len;
	const uint8_t *blob = ssh_get_string(r, &blob_len), *data = ssh_get_string(r, &len);
	uint32_t flags = ssh_get_u32(r);

	if (r->bad || r->left != 0 || blob_len != a->key.blob.len ||
	    memcmp(blob, a->key.blob.data, blob_len) != 0 ||
	    a->signatures >= AGENT_SIGNATURES_MAX) {
		return false;
	}
	buf_u8(out, AGENT_SIGN_RESPONSE);
	if (ssh_key_sign(&a->key, flags, data, len, out) < 0) {
		return false;
	}
	a->signatures++;
	return true;
}

void
agent_answer(struct agent *a, const uint8_t *request, size_t len, struct buf *out)
{
	struct rd r = { .p = request, .left = len };
	const uint8_t what = rd_u8(&r);
	auto_buf body = BUF_INIT;
	bool done = !r.bad && ((what == AGENT_REQUEST_IDENTITIES && list(a, &r, &body)) ||
			       (what == AGENT_SIGN_REQUEST && sign(a, &r, &body)));

	if (!done) {
		a->refusals += what != AGENT_EXTENSION;
		buf_reset(&body);
		buf_u8(&body, AGENT_FAILURE);
	}
	ssh_put_string(out, body.data, body.len);
}
