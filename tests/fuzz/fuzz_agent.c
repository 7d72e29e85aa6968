/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for requests to the agent of a leased key. Run by the developer or CI; the bytes
 * are the tool's. Whatever is asked there is one answer, whose length is true; it signs for the
 * key's own blob and for nothing else.
 */
#include <openssl/evp.h>

#include "../../launcher/credd/agent.h"
#include "../../launcher/credd/ssh_wire.h"
#include "fuzz.h"

/* That of seeds: an Ed25519 key whose private half is 32 times the letter k. */
static void
make_key(struct ssh_key *ret)
{
	static const char head[] =
		"-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VwBCIEIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr\n"
		"-----END PRIVATE KEY-----\n";
	struct err err = ERR_INIT;

	require(ssh_key_open((const uint8_t *)head, sizeof(head) - 1, ret, &err) == 0, err.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct agent a = { .key = SSH_KEY_INIT, .comment = "deploy" };
	auto_buf out = BUF_INIT;
	size_t blob_len = 0;

	if (a.key.key == NULL) {
		make_key(&a.key);
	}
	a.uses = (struct uses){ .count = 0 };
	agent_answer(&a, data, size, &out);
	require(buf_error(&out) == 0 && out.len >= 5 && ssh_load_u32(out.data) == out.len - 4,
		"no answer, or a wrong length");
	require(a.uses.signatures + a.uses.refusals <= 1, "one request counts once");
	if (a.uses.signatures == 1) {
		struct rd r = { .p = data + 1, .left = size - 1 };
		const uint8_t *blob = ssh_get_string(&r, &blob_len);

		require(out.data[4] == 14 && size > 0 && data[0] == 13, "a signature unasked");
		require(blob != NULL && blob_len == a.key.blob.len &&
				memcmp(blob, a.key.blob.data, blob_len) == 0,
			"a signature for another key");
	} else {
		require(out.data[4] == 5 || (out.data[4] == 12 && size == 1 && data[0] == 11),
			"neither refused nor listed");
	}
	return 0;
}
