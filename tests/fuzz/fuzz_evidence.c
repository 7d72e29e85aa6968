/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by a developer through tests/fuzz/run. What stands in a note, a receipt, a trust file and a
 * key is from anybody. What is read has one spelling: printed again it is the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../launcher/base/text.h"
#include "../../launcher/evidence/proof.h"
#include "../../launcher/evidence/tiles_internal.h"
#include "../../launcher/evidence/trust.h"
#include "../../launcher/witness/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect_same(const struct buf *out, const char *text, size_t len)
{
	if (buf_error(out) < 0 || out->len != len || memcmp(out->data, text, len) != 0) {
		fprintf(stderr, "printed again it is: %s\n", buf_text(out));
		abort();
	}
}

static void
try_note(const char *text, size_t len)
{
	struct err err = ERR_INIT;
	auto_buf out = BUF_INIT;
	struct checkpoint c;
	struct note n;

	if (note_parse(text, len, &n, &err) < 0 ||
	    checkpoint_parse(n.text, n.text_len, &c, &err) < 0) {
		return;
	}
	checkpoint_print(&c, &out);
	expect_same(&out, n.text, n.text_len);
}

static void
try_proof(const char *text, size_t len)
{
	auto_tlog_proof p = TLOG_PROOF_INIT;
	struct err err = ERR_INIT;
	auto_buf out = BUF_INIT;

	if (tlog_proof_parse(text, len, &p, &err) == 0) {
		tlog_proof_print(&p, &out);
		expect_same(&out, text, len);
	}
}

static void
try_trust(const char *text, size_t len)
{
	struct trust *t = calloc(1, sizeof(*t));
	bool nobody[TRUST_MAX] = { false };
	struct err err = ERR_INIT;

	if (t != NULL && trust_parse("fuzz", text, len, t, &err) == 0 && t->quorum >= 0 &&
	    trust_is_met(t, nobody)) {
		abort();
	}
	free(t);
}

static void
try_key(const char *text, size_t len)
{
	auto_free char *copy = strndup(text, len);
	struct err err = ERR_INIT;
	auto_buf out = BUF_INIT;
	struct note_key key, again;

	if (copy != NULL && note_key_parse(copy, &key, &err) == 0) {
		note_key_print(&key, &out);
		if (note_key_parse(buf_text(&out), &again, &err) < 0 ||
		    !note_key_equal(&key, &again)) {
			abort();
		}
	}
}

static void
try_signer(const char *text, size_t len)
{
	struct err err = ERR_INIT;
	auto_buf out = BUF_INIT;
	struct note_signer s;

	if (note_signer_parse(text, len, NOTE_ALGORITHM_ED25519, &s, &err) == 0) {
		if (note_signer_print(&s, &out, &err) < 0) {
			abort();
		}
		expect_same(&out, text, len);
		note_signer_finish(&s);
	}
}

/* What a witness is asked. */
static void
try_request(const char *text, size_t len)
{
	struct witness_request req;
	struct err err = ERR_INIT;
	auto_buf out = BUF_INIT;

	if (witness_request_parse(text, len, &req, &err) == 0) {
		buf_printf(&out, "old %llu\n", (unsigned long long)req.old_size);
		for (size_t i = 0; i < req.proof.count; i++) {
			text_base64(&out, req.proof.hash[i], SHA256_SIZE);
			buf_putc(&out, '\n');
		}
		buf_putc(&out, '\n');
		buf_put(&out, req.checkpoint, req.checkpoint_len);
		expect_same(&out, text, len);
	}
}

/* A bundle of as many entries as its first byte says. */
static void
try_bundle(const char *text, size_t len)
{
	size_t offset[TILE_WIDTH + 1];
	unsigned int width;

	if (len == 0) {
		return;
	}
	width = (unsigned char)text[0] + 1u;
	if (tile_entries((const uint8_t *)text + 1, len - 1, width, offset) == 0) {
		for (unsigned int i = 0; i < width; i++) {
			uint8_t leaf[SHA256_SIZE];

			merkle_leaf(text + 1 + offset[i], offset[i + 1] - 2 - offset[i], leaf);
		}
	}
}

/* The first byte says which reader. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const char *text, size_t len) = {
		try_note, try_proof, try_trust, try_key, try_signer, try_request, try_bundle,
	};

	if (size > 0) {
		tries[data[0] % ARRAY_LEN(tries)]((const char *)data + 1, size - 1);
	}
	return 0;
}
