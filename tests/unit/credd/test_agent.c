/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI, with ssh-keygen. One request after the other, right and wrong. */
#include "keys.h"

#include "../../../launcher/credd/agent.h"
#include "../../../launcher/credd/ssh_wire.h"

#define FAILURE "\0\0\0\1\5"
#define FAILURE_LEN 5u

static void
make_agent(struct agent *a)
{
	struct err err = ERR_INIT;
	auto_keys k;

	keys_init(&k);
	*a = (struct agent){ .key = SSH_KEY_INIT, .comment = "deploy" };
	cr_assert_eq(keys_open(&k, "ssh-keygen -q -N '' -t ed25519 -f key", &a->key, &err), 0, "%s",
		     err.text);
}

static void
request_to_sign(const struct agent *a, uint32_t flags, struct buf *ret)
{
	buf_u8(ret, 13);
	ssh_put_string(ret, a->key.blob.data, a->key.blob.len);
	ssh_put_text(ret, "some data");
	ssh_put_u32(ret, flags);
}

static void
expect_refused(struct agent *a, const void *request, size_t len, const char *what)
{
	auto_buf out = BUF_INIT;

	agent_answer(a, request, len, &out);
	cr_assert_eq(out.len, FAILURE_LEN, "%s", what);
	cr_expect_eq(memcmp(out.data, FAILURE, FAILURE_LEN), 0, "%s", what);
}

Test(agent, lists_its_key)
{
	auto_buf out = BUF_INIT, want = BUF_INIT, body = BUF_INIT;
	struct agent a;

	make_agent(&a);
	agent_answer(&a, (const uint8_t *)"\x0b", 1, &out);
	buf_u8(&body, 12);
	ssh_put_u32(&body, 1);
	ssh_put_string(&body, a.key.blob.data, a.key.blob.len);
	ssh_put_text(&body, "deploy");
	ssh_put_string(&want, body.data, body.len);
	cr_assert_eq(out.len, want.len);
	cr_expect_eq(memcmp(out.data, want.data, want.len), 0);
	cr_expect_eq(a.signatures + a.refusals, 0u);
	ssh_key_close(&a.key);
}

Test(agent, signs_with_its_key)
{
	auto_buf out = BUF_INIT, request = BUF_INIT;
	struct agent a;

	make_agent(&a);
	request_to_sign(&a, 0, &request);
	agent_answer(&a, request.data, request.len, &out);
	cr_assert_eq(out.len, 4 + 1 + 4 + (4 + 11 + 4 + 64u));
	cr_expect_eq(
		memcmp(out.data, "\0\0\0\x58\x0e\0\0\0\x53\0\0\0\x0bssh-ed25519\0\0\0\x40", 28), 0);
	cr_expect_eq(a.signatures, 1u);
	cr_expect_eq(a.refusals, 0u);
	ssh_key_close(&a.key);
}

Test(agent, every_other_request_is_refused)
{
	auto_buf request = BUF_INIT;
	struct agent a;

	make_agent(&a);
	for (unsigned int what = 0; what < 256; what++) {
		const uint8_t byte = (uint8_t)what;

		if (what != 11) {
			expect_refused(&a, &byte, 1, "a request without a body");
		}
		buf_reset(&request);
		request_to_sign(&a, 0, &request);
		request.data[0] = byte;
		if (what != 13) {
			expect_refused(&a, request.data, request.len, "another request");
		}
	}
	cr_expect_eq(a.signatures, 0u);
	cr_expect_eq(a.refusals, 2 * 255 - 2u, "all but the extensions");
	ssh_key_close(&a.key);
}

Test(agent, a_request_that_is_not_whole)
{
	auto_buf request = BUF_INIT;
	struct agent a;

	make_agent(&a);
	request_to_sign(&a, 0, &request);
	expect_refused(&a, "", 0, "none");
	for (size_t len = 1; len < request.len; len++) {
		expect_refused(&a, request.data, len, "a part");
	}
	buf_u8(&request, 0);
	expect_refused(&a, request.data, request.len, "one byte more");
	cr_expect_eq(a.signatures, 0u);
	ssh_key_close(&a.key);
}

Test(agent, another_key_and_other_flags)
{
	auto_buf request = BUF_INIT;
	struct agent a;

	make_agent(&a);
	request_to_sign(&a, 0, &request);
	for (size_t i = 0; i < a.key.blob.len; i++) {
		request.data[5 + i] ^= 1;
		expect_refused(&a, request.data, request.len, "a key that is not this one");
		request.data[5 + i] ^= 1;
	}
	buf_reset(&request);
	request_to_sign(&a, SSH_KEY_RSA_SHA2_512, &request);
	expect_refused(&a, request.data, request.len, "a hash that the key does not have");
	cr_expect_eq(a.signatures, 0u);
	ssh_key_close(&a.key);
}

Test(agent, no_more_signatures_than_that)
{
	auto_buf request = BUF_INIT;
	struct agent a;

	make_agent(&a);
	request_to_sign(&a, 0, &request);
	for (size_t i = 0; i < AGENT_SIGNATURES_MAX; i++) {
		auto_buf out = BUF_INIT;

		agent_answer(&a, request.data, request.len, &out);
		cr_assert_eq(out.data[4], 14u);
	}
	expect_refused(&a, request.data, request.len, "one more");
	cr_expect_eq(a.signatures, (uint64_t)AGENT_SIGNATURES_MAX);
	cr_expect_eq(a.refusals, 1u);
	ssh_key_close(&a.key);
}
