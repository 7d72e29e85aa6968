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

#define USERAUTH_REQUEST 50
#define FILE_MAGIC "SSHSIG"

/* How what is to be signed was read. What is of a form that verifiers know has to be named. */
enum reading { READ_NOT_THAT, READ_NAMED, READ_UNNAMED };

/* Of the tool's choice. False where the record has no room for it as it is. */
static bool
take_what(struct use *use, const uint8_t *text, size_t len)
{
	if (len >= USE_WHAT_SIZE || memchr(text, '\0', len) != NULL) {
		return false;
	}
	memcpy(use->what, text, len);
	return true;
}

/* RFC 4252, 7, and OpenSSH's PROTOCOL, "publickey-hostbound-v00@openssh.com". */
static enum reading
read_login(struct rd r, const struct buf *blob, struct use *ret)
{
	size_t len, user_len, host_len;
	const uint8_t *user, *key, *host = NULL;
	struct rd method;

	ssh_get_string(&r, &len); /* of the session */
	if (rd_u8(&r) != USERAUTH_REQUEST) {
		return READ_NOT_THAT;
	}
	user = ssh_get_string(&r, &user_len);
	ssh_get_string(&r, &len); /* the service */
	method = r;
	ret->has_host = ssh_get_text(&r, "publickey-hostbound-v00@openssh.com");
	if ((!ret->has_host && !ssh_get_text(&method, "publickey")) || rd_u8(&r) != 1) {
		return READ_UNNAMED;
	}
	ssh_get_string(&r, &len); /* the algorithm */
	key = ssh_get_string(&r, &len);
	if (ret->has_host) {
		host = ssh_get_string(&r, &host_len);
	}
	/* a certificate of the key is another one: it may let in where the key does not */
	if (r.bad || r.left != 0 || len != blob->len || memcmp(key, blob->data, len) != 0 ||
	    !take_what(ret, user, user_len)) {
		return READ_UNNAMED;
	}
	ret->kind = USE_LOGIN;
	if (host != NULL) {
		sha256_of(host, host_len, ret->host);
	}
	return READ_NAMED;
}

/* OpenSSH's PROTOCOL.sshsig. */
static enum reading
read_file(struct rd r, struct use *ret)
{
	const uint8_t *magic = rd_bytes(&r, sizeof(FILE_MAGIC) - 1);
	size_t len;
	const uint8_t *namespace = ssh_get_string(&r, &len);

	if (magic == NULL || memcmp(magic, FILE_MAGIC, sizeof(FILE_MAGIC) - 1) != 0) {
		return READ_NOT_THAT;
	}
	*ret = (struct use){ .kind = USE_FILE, .what = "" };
	return !r.bad && take_what(ret, namespace, len) ? READ_NAMED : READ_UNNAMED;
}

/* What the signature is good for: whoever verifies it reads the same bytes. False: unnamed. */
static bool
read_use(const uint8_t *data, size_t len, const struct buf *blob, struct use *ret)
{
	const struct rd r = { .p = data, .left = len };
	enum reading reading;

	*ret = (struct use){ .what = "" };
	reading = read_login(r, blob, ret);
	if (reading == READ_NOT_THAT) {
		reading = read_file(r, ret);
	}
	if (reading == READ_NOT_THAT) {
		*ret = (struct use){ .kind = USE_OTHER, .what = "" };
	}
	return reading != READ_UNNAMED;
}

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
	struct use use;

	if (r->bad || r->left != 0 || blob_len != a->key.blob.len ||
	    memcmp(blob, a->key.blob.data, blob_len) != 0 ||
	    a->uses.signatures >= AGENT_SIGNATURES_MAX) {
		return false;
	}
	/* what the record could not name is not done: somebody would hide it behind others */
	if (!read_use(data, len, &a->key.blob, &use) || !uses_have_room(&a->uses, &use)) {
		return false;
	}
	buf_u8(out, AGENT_SIGN_RESPONSE);
	if (ssh_key_sign(&a->key, flags, data, len, out) < 0) {
		return false;
	}
	uses_add(&a->uses, &use);
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
		a->uses.refusals += what != AGENT_EXTENSION;
		buf_reset(&body);
		buf_u8(&body, AGENT_FAILURE);
	}
	ssh_put_string(out, body.data, body.len);
}
