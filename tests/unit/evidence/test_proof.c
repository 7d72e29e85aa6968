/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Receipts of a log of 600 entries, each bit flipped. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../../../launcher/evidence/proof.h"
#include "log_temp.h"
#include "note_golden.h"

#define FIRST "c2sp.org/tlog-proof@v1\n"
#define HASH "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

static struct err err;

static struct note_key
log_key(void)
{
	struct note_key key;

	cr_assert_eq(note_key_parse(LOG_VKEY, &key, &err), 0);
	return key;
}

/* The receipt of entry `index` of the golden log, printed. */
static void
make(uint64_t index, struct buf *out)
{
	auto_log_temp t = log_temp_make();
	auto_tiles tiles = NULL;
	auto_tlog_proof p = TLOG_PROOF_INIT;
	uint8_t root[SHA256_SIZE];

	cr_assert_eq(log_temp_grow(&t, 0, 600, root, &err), 0);
	cr_assert_eq(tiles_open(t.fd, 600, &tiles, &err), 0);
	cr_assert_eq(merkle_prove_inclusion(tiles_read, tiles, index, 600, &p.inclusion), 0);
	p.index = index;
	buf_printf(&p.extra, "entry %lu", index);
	buf_puts(&p.checkpoint, GOLDEN_NOTE);
	tlog_proof_print(&p, out);
}

Test(proof, a_receipt_holds)
{
	static const uint64_t rows[] = { 0, 1, 255, 256, 511, 512, 599 };
	struct note_key key = log_key();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf text = BUF_INIT, again = BUF_INIT;
		auto_tlog_proof p = TLOG_PROOF_INIT;
		struct checkpoint c;

		make(rows[i], &text);
		cr_assert_eq(tlog_proof_parse(buf_text(&text), text.len, &p, &err), 0, "%s",
			     err.text);
		cr_expect_eq(p.index, rows[i]);
		cr_assert_eq(tlog_proof_check(&p, &key, &c, &err), 0, "%s", err.text);
		cr_expect_eq(c.size, 600);
		cr_expect_str_eq(c.origin, LOG_NAME);
		tlog_proof_print(&p, &again);
		cr_expect_str_eq(buf_text(&again), buf_text(&text));
	}
}

/* Every bit of the file, but those of the witness's line, which this key is not asked about. */
Test(proof, every_flipped_bit_is_found)
{
	struct note_key key = log_key();
	auto_buf text = BUF_INIT;
	size_t end, good = 0;

	make(300, &text);
	end = text.len - strlen(GOLDEN_COSIGNATURE);
	for (size_t i = 0; i < end; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			auto_tlog_proof p = TLOG_PROOF_INIT;
			struct checkpoint c;

			text.data[i] = (uint8_t)(text.data[i] ^ (1 << bit));
			if (tlog_proof_parse(buf_text(&text), text.len, &p, &err) == 0 &&
			    tlog_proof_check(&p, &key, &c, &err) == 0) {
				good++;
			}
			text.data[i] = (uint8_t)(text.data[i] ^ (1 << bit));
		}
	}
	cr_expect_eq(good, 0);
}

Test(proof, says_what_does_not_hold)
{
	struct note_key key = log_key(), other = key;
	auto_buf text = BUF_INIT;
	auto_tlog_proof p = TLOG_PROOF_INIT;
	struct checkpoint c = { .size = 47 };

	make(7, &text);
	cr_assert_eq(tlog_proof_parse(buf_text(&text), text.len, &p, &err), 0);
	other.id[0] ^= 1;
	cr_expect_eq(tlog_proof_check(&p, &other, &c, &err), -ENOENT);
	cr_expect_str_eq(err.text, "the checkpoint is not signed by the key of " LOG_NAME);
	other = key;
	other.pub[0] ^= 1;
	cr_expect_eq(tlog_proof_check(&p, &other, &c, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "is wrong"));
	p.index = 8;
	cr_expect_eq(tlog_proof_check(&p, &key, &c, &err), -EBADMSG);
	cr_expect_str_eq(err.text,
			 "the entry is not at index 8 of the log that the checkpoint is of");
	p.index = 600;
	cr_expect_eq(tlog_proof_check(&p, &key, &c, &err), -EBADMSG);
	p.index = 7;
	buf_reset(&p.extra);
	cr_expect_eq(tlog_proof_check(&p, &key, &c, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "has no entry"));
	buf_reset(&p.checkpoint);
	buf_puts(&p.checkpoint, "x\n");
	cr_expect_eq(tlog_proof_check(&p, &key, &c, &err), -EBADMSG);
	cr_expect_eq(c.size, 47);
}

/* The key of one log signs a note that has another one's origin. */
Test(proof, the_origin_is_the_name_of_the_key)
{
	struct note_signer s = golden_signer("other", NOTE_ALGORITHM_ED25519);
	auto_tlog_proof p = TLOG_PROOF_INIT;
	struct checkpoint c;

	cr_assert_eq(note_sign(&s, GOLDEN_TEXT, strlen(GOLDEN_TEXT), &p.checkpoint, &err), 0);
	buf_puts(&p.extra, "entry 0");
	cr_expect_eq(tlog_proof_check(&p, &s.key, &c, &err), -EBADMSG);
	cr_expect_str_eq(err.text,
			 "the checkpoint is of the log " LOG_NAME ", and the key of other");
}

Test(proof, refuses_what_is_no_receipt)
{
	/* clang-format off */
	static const struct { const char *text, *says; } rows[] = {
		{ "", "line 1 is not" },
		{ "c2sp.org/tlog-proof@v1", "line 1 is not" },
		{ "c2sp.org/tlog-proof@v2\nindex 1\n\nx", "line 1 is not" },
		{ FIRST, "line 2 is not \"index \"" },
		{ FIRST "extra \nindex 1\n\nx", "line 2 is not \"index \"" },
		{ FIRST "extra AAA\nindex 1\n\nx", "line 2 is not base64" },
		{ FIRST "extra AA==\n", "line 3 is not \"index \"" },
		{ FIRST "index 01\n\nx", "line 2 is not \"index \"" },
		{ FIRST "index -1\n\nx", "line 2 is not \"index \"" },
		{ FIRST "index 18446744073709551616\n\nx", "line 2 is not \"index \"" },
		{ FIRST "index 1\nextra AA==\n\nx", "line 3 is neither a hash" },
		{ FIRST "index 1\n" HASH, "line 4 is missing" },
		{ FIRST "index 1\n" HASH "AA==\n\n", "line 4 is neither a hash" },
		{ FIRST "index 1\r\n\nx", "line 2 is not \"index \"" },
	};
	/* clang-format on */
	auto_buf many = BUF_INIT, large = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_tlog_proof p = TLOG_PROOF_INIT;

		cr_expect_eq(tlog_proof_parse(rows[i].text, strlen(rows[i].text), &p, &err),
			     -EBADMSG, "row %zu", i);
		cr_expect_not_null(strstr(err.text, rows[i].says), "row %zu: %s", i, err.text);
		cr_expect_null(p.extra.data);
	}
	buf_puts(&many, FIRST "index 1\n");
	for (int i = 0; i < 64; i++) {
		buf_puts(&many, HASH);
	}
	for (int i = 0; i < 2; i++) {
		auto_tlog_proof p = TLOG_PROOF_INIT;

		/* 64 hashes are one too many, 63 are not. */
		many.len = i == 0 ? many.len : many.len - strlen(HASH);
		if (i == 1) {
			buf_puts(&many, "\nx");
		}
		cr_expect_eq(tlog_proof_parse(buf_text(&many), many.len, &p, &err),
			     i == 0 ? -EBADMSG : 0);
	}
	for (size_t i = 0; i <= TLOG_PROOF_MAX; i++) {
		buf_putc(&large, 'x');
	}
	cr_expect_eq(tlog_proof_parse(buf_text(&large), large.len,
				      &(struct tlog_proof)TLOG_PROOF_INIT, &err),
		     -EBADMSG);
}
