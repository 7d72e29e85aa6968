/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by a developer through tests/fuzz/run. What stands in a note, a receipt, a trust file and a
 * key is from anybody. What is read has one spelling: printed again it is the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../launcher/evidence/proof.h"
#include "../../launcher/evidence/trust.h"

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

/* The first byte says which reader. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const char *text, size_t len) = { try_note, try_proof,
								       try_trust, try_key,
								       try_signer };

	if (size > 0) {
		tries[data[0] % ARRAY_LEN(tries)]((const char *)data + 1, size - 1);
	}
	return 0;
}
