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
	cr_expect_eq(a.uses.signatures + a.uses.refusals, 0u);
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
	cr_expect_eq(a.uses.signatures, 1u);
	cr_expect_eq(a.uses.refusals, 0u);
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
	cr_expect_eq(a.uses.signatures, 0u);
	cr_expect_eq(a.uses.refusals, 2 * 255 - 2u, "all but the extensions");
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
	cr_expect_eq(a.uses.signatures, 0u);
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
	cr_expect_eq(a.uses.signatures, 0u);
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
	cr_expect_eq(a.uses.signatures, (uint64_t)AGENT_SIGNATURES_MAX);
	cr_expect_eq(a.uses.refusals, 1u);
	ssh_key_close(&a.key);
}

/* ---- what it signed for ---------------------------------------------------------------------- */

static void
put_login(const struct agent *a, const char *method, struct buf *data)
{
	ssh_put_text(data, "session");
	buf_u8(data, 50);
	ssh_put_text(data, "git");
	ssh_put_text(data, "ssh-connection");
	ssh_put_text(data, method);
	buf_u8(data, 1);
	ssh_put_text(data, "ssh-ed25519");
	ssh_put_string(data, a->key.blob.data, a->key.blob.len);
}

/* How many rows signing `data` makes: 0 where it is refused. */
static size_t
ask_for(struct agent *a, const void *data, size_t len)
{
	auto_buf request = BUF_INIT, out = BUF_INIT;

	a->uses = (struct uses){ .count = 0 };
	buf_u8(&request, 13);
	ssh_put_string(&request, a->key.blob.data, a->key.blob.len);
	ssh_put_string(&request, data, len);
	ssh_put_u32(&request, 0);
	agent_answer(a, request.data, request.len, &out);
	cr_expect_eq(out.data[SSH_U32_SIZE], a->uses.count == 1 ? 14 : 5);
	cr_expect_eq(a->uses.signatures, a->uses.count);
	cr_expect_eq(a->uses.refusals, 1 - a->uses.count);
	return a->uses.count;
}

/* The row that signing `data` makes. */
static struct use
use_of(struct agent *a, const void *data, size_t len)
{
	cr_assert_eq(ask_for(a, data, len), 1u);
	return a->uses.rows[0];
}

Test(agent, tells_what_a_signature_is_for)
{
	auto_buf data = BUF_INIT, other = BUF_INIT;
	uint8_t host[SHA256_SIZE];
	struct agent a;
	struct use use;

	make_agent(&a);
	put_login(&a, "publickey", &data);
	use = use_of(&a, data.data, data.len);
	cr_expect_eq(use.kind, USE_LOGIN);
	cr_expect_str_eq(use.what, "git");
	cr_expect_not(use.has_host);
	for (size_t len = 0; len < data.len; len++) {
		/* behind the session and the byte that says so, it is a login or it is nothing */
		cr_expect_eq(ask_for(&a, data.data, len), len < 12 ? 1u : 0u, "%zu bytes", len);
		cr_expect(a.uses.count == 0 || a.uses.rows[0].kind == USE_OTHER);
	}
	buf_u8(&data, 0);
	cr_expect_eq(ask_for(&a, data.data, data.len), 0u, "one byte more");

	put_login(&a, "publickey-hostbound-v00@openssh.com", &other);
	cr_expect_eq(ask_for(&a, other.data, other.len), 0u, "no key of a server");
	ssh_put_text(&other, "its key");
	use = use_of(&a, other.data, other.len);
	cr_expect_eq(use.kind, USE_LOGIN);
	cr_expect_str_eq(use.what, "git");
	cr_assert(use.has_host);
	sha256_of("its key", 7, host);
	cr_expect_eq(memcmp(use.host, host, sizeof(host)), 0);
	other.data[other.len - 12] ^= 1; /* of our own key */
	cr_expect_eq(ask_for(&a, other.data, other.len), 0u, "the login of another key");

	use = use_of(&a, "SSHSIG\0\0\0\3git\0\0\0\0", 17);
	cr_expect_eq(use.kind, USE_FILE);
	cr_expect_str_eq(use.what, "git");
	cr_expect_not(use.has_host);
	cr_expect_eq(ask_for(&a, "SSHSIG\0\0\0\4git", 13), 0u, "half a name");
	cr_expect_eq(ask_for(&a, "SSHSIG\0\0\0\5git\0x", 15), 0u, "which reads as git");
	cr_expect_eq(use_of(&a, "SSHSI", 5).kind, USE_OTHER);
	ssh_key_close(&a.key);
}

/* Twenty that differ behind what the record has room for would be one row. */
Test(agent, what_has_a_name_too_long_is_not_signed)
{
	char name[USE_WHAT_SIZE];
	struct agent a;

	make_agent(&a);
	memset(name, 'n', sizeof(name));
	for (size_t len = sizeof(name) - 1; len <= sizeof(name); len++) {
		auto_buf data = BUF_INIT;

		buf_put(&data, "SSHSIG", 6);
		ssh_put_string(&data, name, len);
		cr_expect_eq(ask_for(&a, data.data, data.len), len < sizeof(name) ? 1u : 0u);
		cr_expect(len == sizeof(name) || strlen(a.uses.rows[0].what) == len);
	}
	ssh_key_close(&a.key);
}
