/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. Notes that openssl signed, the examples of C2SP, and what is no
 * note.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/base/text.h"
#include "../../../launcher/evidence/note.h"
#include "note_golden.h"

static struct err err;
static struct note n;

static struct note_key
key_of(const char *vkey)
{
	struct note_key key;

	cr_assert_eq(note_key_parse(vkey, &key, &err), 0);
	return key;
}

Test(note, signs_as_openssl_does)
{
	struct note_signer log = golden_signer(LOG_NAME, 1),
			   witness = golden_signer(WITNESS_NAME, 4);
	auto_buf out = BUF_INIT;

	cr_assert_eq(note_sign(&log, GOLDEN_TEXT, strlen(GOLDEN_TEXT), &out, &err), 0);
	cr_assert_eq(
		note_cosign(&witness, GOLDEN_TEXT, strlen(GOLDEN_TEXT), GOLDEN_TIME, &out, &err),
		0);
	cr_expect_str_eq(buf_text(&out), GOLDEN_NOTE);
}

Test(note, opens_what_openssl_signed)
{
	struct note_key log = key_of(LOG_VKEY), witness = key_of(WITNESS_VKEY);
	uint64_t time = 4711;

	cr_assert_eq(note_parse(GOLDEN_NOTE, strlen(GOLDEN_NOTE), &n, &err), 0, "%s", err.text);
	cr_expect_eq(n.count, 2);
	cr_expect_eq(n.text_len, strlen(GOLDEN_TEXT));
	cr_expect_eq(note_check(&n, &log, &time), 0);
	cr_expect_eq(time, 0);
	cr_expect_eq(note_check(&n, &witness, &time), 0);
	cr_expect_eq(time, GOLDEN_TIME);
	cr_expect_eq(note_check(&n, &witness, NULL), 0);
}

/* Not one byte can change; a changed name or id is another key's signature. */
Test(note, every_flipped_bit_is_found)
{
	struct note_key log = key_of(LOG_VKEY), witness = key_of(WITNESS_VKEY);
	char bytes[] = GOLDEN_NOTE;
	size_t len = strlen(bytes), good = 0;

	for (size_t i = 0; i < len; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			bytes[i] = (char)(bytes[i] ^ (1 << bit));
			if (note_parse(bytes, len, &n, &err) == 0 &&
			    note_check(&n, &log, NULL) == 0 &&
			    note_check(&n, &witness, NULL) == 0) {
				good++;
			}
			bytes[i] = (char)(bytes[i] ^ (1 << bit));
		}
	}
	cr_expect_eq(good, 0);
	cr_assert_eq(note_parse(bytes, len, &n, &err), 0);
	cr_expect_eq(note_check(&n, &log, NULL), 0);
}

Test(note, the_examples_of_the_specification)
{
	static const char checkpoint[] =
		"example.com/behind-the-sofa\n"
		"20852163\n"
		"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
		"\n"
		"\xe2\x80\x94 example.com/behind-the-sofa "
		"Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q"
		"1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
		"\xe2\x80\x94 witness.example.com/w1 "
		"jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJs"
		"X3b2oyin1nPZqhf5nNo0xUe+mbIU"
		"BkBIfZ+qnA==\n";
	/* Empty lines in the text, UTF-8. */
	static const char poem[] =
		"Ognuno sta solo sul cuor della terra\n"
		"trafitto da un raggio di sole:\n"
		"\n"
		"ed \xc3\xa8 subito sera.\n"
		"\n"
		"\xe2\x80\x94 quasimodo.example/salvatore "
		"NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU"
		"0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
	static const uint8_t id[4] = { 0x8d, 0x66, 0xcf, 0x3f };

	cr_assert_eq(note_parse(checkpoint, strlen(checkpoint), &n, &err), 0, "%s", err.text);
	cr_expect_eq(n.count, 2);
	cr_expect_eq(n.signature[0].name_len, strlen("example.com/behind-the-sofa"));
	cr_expect_eq(n.signature[0].data_len, 64);
	cr_expect_eq(n.signature[1].data_len, 72);
	cr_expect_arr_eq(n.signature[1].id, id, sizeof(id));
	cr_assert_eq(note_parse(poem, strlen(poem), &n, &err), 0, "%s", err.text);
	cr_expect_eq(n.count, 1);
	cr_expect_eq(n.text_len, (size_t)(strstr(poem, "sera.\n") + 6 - poem));
}

Test(note, other_keys_are_no_matter)
{
	struct note_key log = key_of(LOG_VKEY), witness = key_of(WITNESS_VKEY), other = log;
	auto_buf bytes = BUF_INIT;

	other.id[0] ^= 1;
	cr_assert_eq(note_parse(GOLDEN_NOTE, strlen(GOLDEN_NOTE), &n, &err), 0);
	cr_expect_eq(note_check(&n, &other, NULL), -ENOENT);
	/* The right name and id, another key. */
	other = log;
	other.pub[0] ^= 1;
	cr_expect_eq(note_check(&n, &other, NULL), -EBADMSG);
	/* A signature that is longer than any of ours, of a name that we know. */
	buf_puts(&bytes, GOLDEN_NOTE "\xe2\x80\x94 " LOG_NAME " ");
	text_base64(&bytes, (const uint8_t *)GOLDEN_NOTE, 200);
	buf_puts(&bytes, "\n");
	cr_assert_eq(note_parse(buf_text(&bytes), bytes.len, &n, &err), 0);
	cr_expect_eq(n.signature[2].data_len, 0);
	cr_expect_eq(note_check(&n, &log, NULL), 0);
	cr_expect_eq(note_check(&n, &witness, NULL), 0);
}

Test(note, each_signature_of_the_key_must_be_good)
{
	struct note_key log = key_of(LOG_VKEY);
	char bytes[] = GOLDEN_NOTE GOLDEN_LINE;

	cr_assert_eq(note_parse(bytes, strlen(bytes), &n, &err), 0);
	cr_expect_eq(note_check(&n, &log, NULL), 0);
	bytes[strlen(bytes) - 20] = 'x';
	cr_assert_eq(note_parse(bytes, strlen(bytes), &n, &err), 0);
	cr_expect_eq(note_check(&n, &log, NULL), -EBADMSG);
}

Test(note, the_latest_cosignature_counts)
{
	struct note_signer witness = golden_signer(WITNESS_NAME, 4);
	auto_buf bytes = BUF_INIT;
	uint64_t time = 0;

	buf_puts(&bytes, GOLDEN_NOTE);
	cr_assert_eq(note_cosign(&witness, GOLDEN_TEXT, strlen(GOLDEN_TEXT), GOLDEN_TIME + 60,
				 &bytes, &err),
		     0);
	cr_assert_eq(note_cosign(&witness, GOLDEN_TEXT, strlen(GOLDEN_TEXT), 7, &bytes, &err), 0);
	cr_assert_eq(note_parse(buf_text(&bytes), bytes.len, &n, &err), 0);
	cr_expect_eq(note_check(&n, &witness.key, &time), 0);
	cr_expect_eq(time, GOLDEN_TIME + 60);
}

Test(note, only_the_latest_line_of_the_key_is_picked)
{
	struct note_signer witness = golden_signer(WITNESS_NAME, 4);
	struct note_key other = witness.key;
	auto_buf bytes = BUF_INIT, want = BUF_INIT, got = BUF_INIT;
	uint64_t time = 0;

	cr_assert_eq(note_cosign(&witness, GOLDEN_TEXT, strlen(GOLDEN_TEXT), GOLDEN_TIME + 60,
				 &want, &err),
		     0);
	buf_puts(&bytes, GOLDEN_NOTE);
	buf_put(&bytes, want.data, want.len);
	cr_assert_eq(note_cosign(&witness, GOLDEN_TEXT, strlen(GOLDEN_TEXT), 7, &bytes, &err), 0);
	cr_assert_eq(note_parse(buf_text(&bytes), bytes.len, &n, &err), 0);
	cr_expect_eq(note_pick(&n, &witness.key, &time, &got), 0);
	cr_expect_eq(time, GOLDEN_TIME + 60);
	cr_expect_str_eq(buf_text(&got), buf_text(&want));
	other.id[0] ^= 1;
	cr_expect_eq(note_pick(&n, &other, &time, &got), -ENOENT);
	cr_expect_eq(got.len, want.len);
}

Test(note, a_cosignature_is_no_signature_of_a_log)
{
	struct note_signer log = golden_signer(LOG_NAME, 1),
			   witness = golden_signer(WITNESS_NAME, 4);
	auto_buf out = BUF_INIT;

	cr_expect_eq(note_sign(&witness, GOLDEN_TEXT, strlen(GOLDEN_TEXT), &out, &err), -EINVAL);
	cr_expect_eq(note_cosign(&log, GOLDEN_TEXT, strlen(GOLDEN_TEXT), 1, &out, &err), -EINVAL);
	cr_expect_eq(
		note_cosign(&witness, GOLDEN_TEXT, strlen(GOLDEN_TEXT), UINT64_MAX, &out, &err),
		-EINVAL);
	cr_expect_eq(note_sign(&log, "no newline", 10, &out, &err), -EINVAL);
	cr_expect_eq(note_sign(&log, "a\tb\n", 4, &out, &err), -EINVAL);
	cr_expect_eq(note_sign(&log, "\xff\n", 2, &out, &err), -EINVAL);
	cr_expect_eq(note_sign(&log, "", 0, &out, &err), -EINVAL);
	cr_expect_eq(out.len, 0);
}

Test(note, refuses_what_is_no_note)
{
	/* clang-format off */
	static const struct { const char *text, *says; } rows[] = {
		{ "", "no empty line" },
		{ "\n\n" GOLDEN_LINE, "no empty line" },
		{ "text\n" GOLDEN_LINE, "no empty line" },
		{ "text\n\n", "no signature" },
		{ "text\n\nx\n", "a line of the signatures is none" },
		{ "text\n\n\xe2\x80\x94 name AAAAAAA=", "last line is not ended" },
		{ "text\n\n\xe2\x80\x94 name AAAAAA==\n", "a line of the signatures is none" }, /* 4 bytes */
		{ "text\n\n\xe2\x80\x94 name AAAAAAB=\n", "a line of the signatures is none" }, /* stray bits */
		{ "text\n\n\xe2\x80\x94 name\n", "a line of the signatures is none" },
		{ "text\n\n\xe2\x80\x94 na+me AAAAAAA=\n", "a line of the signatures is none" },
		{ "text\n\n\xe2\x80\x94  AAAAAAA=\n", "a line of the signatures is none" },
		{ "text\n\n\xe2\x80\x94 name AAAAAAA= \n", "a line of the signatures is none" },
		{ "text\n\n- name AAAAAAA=\n", "a line of the signatures is none" },
		{ "te\xffxt\n\n\xe2\x80\x94 name AAAAAAA=\n", "not UTF-8" },
		{ "te\rxt\n\n\xe2\x80\x94 name AAAAAAA=\n", "control characters" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(note_parse(rows[i].text, strlen(rows[i].text), &n, &err), -EBADMSG,
			     "row %zu", i);
		cr_expect_not_null(strstr(err.text, rows[i].says), "row %zu: %s", i, err.text);
	}
	cr_expect_eq(note_parse("t\n\n\xe2\x80\x94 name AAAAAAA=\n", 21, &n, &err), 0, "%s",
		     err.text);
	cr_expect_eq(note_parse("t\0\n\n\xe2\x80\x94 name AAAAAAA=\n", 22, &n, &err), -EBADMSG);
}

Test(note, bounds)
{
	auto_buf bytes = BUF_INIT, large = BUF_INIT;

	buf_puts(&bytes, "text\n\n");
	for (unsigned int i = 0; i < NOTE_SIGNATURES_MAX; i++) {
		buf_printf(&bytes, "\xe2\x80\x94 name%u AAAAAAA=\n", i);
	}
	cr_expect_eq(note_parse(buf_text(&bytes), bytes.len, &n, &err), 0);
	cr_expect_eq(n.count, NOTE_SIGNATURES_MAX);
	buf_puts(&bytes, "\xe2\x80\x94 name AAAAAAA=\n");
	cr_expect_eq(note_parse(buf_text(&bytes), bytes.len, &n, &err), -EBADMSG);
	for (size_t i = 0; i <= NOTE_MAX; i++) {
		buf_putc(&large, 'x');
	}
	buf_puts(&large, "\n\n" GOLDEN_LINE);
	cr_expect_eq(note_parse(buf_text(&large), large.len, &n, &err), -EBADMSG);
}
