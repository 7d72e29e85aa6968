/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Trust files: the example of the specification, and each slip. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../../launcher/evidence/trust.h"
#include "note_golden.h"

static struct err err;
static struct trust t;

/* Keys that differ: {L}, {1} to {6} in a text become those of a log and of six witnesses. */
static void
expand(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++) {
		struct note_key key;
		struct note_signer s = { .seed = { 0 } };
		char pem[512];

		if (text[0] != '{') {
			buf_putc(out, *text);
			continue;
		}
		if (text[1] == 'L' || text[1] == 'W') {
			buf_puts(out, text[1] == 'L' ? LOG_VKEY : WITNESS_VKEY);
		} else {
			/* another seed each: one digit of the base64 */
			snprintf(pem, sizeof(pem), "name: w%c\n%s", text[1], KEY_PEM);
			*strstr(pem, "zwUD") = text[1];
			cr_assert_eq(note_signer_parse(pem, strlen(pem), NOTE_ALGORITHM_COSIGNATURE,
						       &s, &err),
				     0, "%s", err.text);
			key = s.key;
			note_key_print(&key, out);
		}
		text += 2;
	}
}

static int
parse(const char *text)
{
	auto_buf bytes = BUF_INIT;

	expand(text, &bytes);
	return trust_parse("trust", buf_text(&bytes), bytes.len, &t, &err);
}

/* Which witnesses signed, a bit each, the first defined lowest. */
static bool
met(unsigned int bits)
{
	bool signed_by[TRUST_MAX] = { false };

	for (unsigned int i = 0; i < 32; i++) {
		signed_by[i] = (bits >> i & 1) != 0;
	}
	return trust_is_met(&t, signed_by);
}

Test(trust, two_levels_of_groups)
{
	cr_assert_eq(parse("log {L}\n\n"
			   "witness X1 {1}\nwitness X2 {2} http://127.0.0.1:7/w\n"
			   "  witness\tX3   {3}  \n"
			   "group X-witnesses 2 X1 X2 X3\n"
			   "# two organizations\n\t# really\n"
			   "witness Y1 {4}\nwitness Y2 {5} unix:/run/w\nwitness Y3 {6}\n"
			   "group Y-witnesses any Y1 Y2 Y3\n"
			   "group X-and-Y all X-witnesses Y-witnesses\n"
			   "quorum X-and-Y\n"),
		     0, "%s", err.text);
	cr_expect_eq(t.logs, 1);
	cr_expect_str_eq(t.log[0].key.name, LOG_NAME);
	cr_expect_eq(t.witnesses, 6);
	cr_expect_eq(t.groups, 3);
	cr_expect_str_eq(t.witness[1].url, "http://127.0.0.1:7/w");
	cr_expect_str_eq(t.witness[2].url, "");
	cr_expect_str_eq(t.witness[4].url, "unix:/run/w");
	cr_expect_str_eq(t.witness[4].name, "Y2");
	cr_expect_str_eq(t.witness[4].key.name, "w5");
	for (unsigned int bits = 0; bits < 64; bits++) {
		cr_expect_eq(met(bits), __builtin_popcount(bits & 7) >= 2 && (bits & 070) != 0,
			     "%o", bits);
	}
}

Test(trust, quorums)
{
	cr_assert_eq(parse("quorum none\n"), 0);
	cr_expect_eq(t.quorum, -1);
	cr_expect(met(0));
	cr_assert_eq(parse("log {L}\nwitness a {1}\nwitness b {2}\nquorum b\n"), 0, "%s", err.text);
	cr_expect_not(met(1));
	cr_expect(met(2));
	cr_assert_eq(parse("witness a {1}\nwitness b {2}\ngroup g 1 a b\nquorum g\n"), 0);
	cr_expect_not(met(4));
	cr_expect(met(1));
}

Test(trust, each_slip_has_its_line)
{
	/* clang-format off */
	static const struct { const char *text, *says; } rows[] = {
		{ "", "trust: no line says \"quorum NAME\"" },
		{ "log {L}\n", "trust: no line says \"quorum NAME\"" },
		{ "quorum none", "trust:1: the last line is not ended" },
		{ "log\nquorum none\n", "trust:1: a log is: log KEY [URL]" },
		{ "log {L} u v\nquorum none\n", "trust:1: a log is: log KEY [URL]" },
		{ "\nlog {W}\nquorum none\n", "trust:2: " WITNESS_NAME " is the key of a witness; a log's" },
		{ "log {L}\nlog {L}\nquorum none\n", "trust:2: the public key is that of " LOG_NAME },
		{ "log x\nquorum none\n", "trust:1: not a verifier key" },
		{ "witness a\nquorum none\n", "trust:1: a witness is: witness NAME KEY [URL]" },
		{ "witness a {L}\nquorum a\n", "trust:1: " LOG_NAME " is the key of a log; a witness's" },
		{ "witness a {1}\nwitness b {1}\nquorum a\n", "trust:2: the public key is that of w1" },
		{ "witness a {1}\nwitness a {2}\nquorum a\n", "trust:2: a was defined before" },
		{ "witness none {1}\nquorum none\n", "trust:1: \"none\" is the quorum of nobody" },
		{ "group g any\nquorum g\n", "trust:1: a group is: " },
		{ "group g any a\nwitness a {1}\nquorum g\n", "trust:1: a is neither a witness nor a group" },
		{ "witness a {1}\ngroup g any g\nquorum g\n", "trust:2: g is neither a witness nor a group" },
		{ "witness a {1}\ngroup a any a\nquorum a\n", "trust:2: a was defined before" },
		{ "witness a {1}\ngroup g any a a\nquorum g\n", "trust:2: a is a member already" },
		{ "witness a {1}\ngroup g any a\ngroup h any a\nquorum h\n", "trust:3: a is a member already" },
		{ "witness a {1}\ngroup g 0 a\nquorum g\n", "trust:2: 0 of 1 members: say 1 to 1" },
		{ "witness a {1}\ngroup g 2 a\nquorum g\n", "trust:2: 2 of 1 members: say 1 to 1" },
		{ "witness a {1}\ngroup g 01 a\nquorum g\n", "trust:2: 01 is neither a number" },
		{ "witness a {1}\ngroup g ALL a\nquorum g\n", "trust:2: ALL is neither a number" },
		{ "witness a {1}\nquorum a\nquorum a\n", "trust:3: a second quorum" },
		{ "quorum a\nwitness a {1}\n", "trust:1: a is neither a witness nor a group" },
		{ "quorum\n", "trust:1: a quorum is: " },
		{ "witness a {1}\nquorum a b\n", "trust:2: a quorum is: " },
		{ "Quorum none\n", "trust:1: Quorum is unknown" },
		{ "quorum none\r\n", "trust:1: a control character" },
		{ "quorum none\n\x7f\n", "trust:2: a control character" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		t.logs = 4711;
		cr_expect_eq(parse(rows[i].text), -EINVAL, "row %zu", i);
		cr_expect_eq(strncmp(err.text, rows[i].says, strlen(rows[i].says)), 0,
			     "row %zu: %s", i, err.text);
		cr_expect_eq(t.logs, 4711);
	}
	cr_expect_eq(trust_parse("trust", "#\0\nquorum none\n", 15, &t, &err), -EINVAL);
}

Test(trust, bounds)
{
	auto_buf name = BUF_INIT, url = BUF_INIT, line = BUF_INIT, words = BUF_INIT;

	for (int i = 0; i < 129; i++) {
		buf_putc(&name, 'n');
	}
	buf_printf(&line, "witness %s {1}\nquorum none\n", buf_text(&name));
	cr_expect_eq(parse(buf_text(&line)), -EINVAL);
	cr_expect_not_null(strstr(err.text, "longer than 128 bytes"));
	for (int i = 0; i < 256; i++) {
		buf_putc(&url, 'u');
	}
	buf_reset(&line);
	buf_printf(&line, "log {L} %s\nquorum none\n", buf_text(&url));
	cr_expect_eq(parse(buf_text(&line)), -EINVAL);
	cr_expect_not_null(strstr(err.text, "longer than 255 bytes"));
	for (int i = 0; i < 68; i++) {
		buf_puts(&words, "a ");
	}
	buf_puts(&words, "\n");
	cr_expect_eq(parse(buf_text(&words)), -EINVAL);
	cr_expect_not_null(strstr(err.text, "more than 67 words"));
	buf_reset(&words);
	for (int i = 0; i < (17 << 10); i++) {
		buf_putc(&words, '#');
	}
	buf_puts(&words, "\n");
	cr_expect_eq(parse(buf_text(&words)), -EINVAL);
	cr_expect_not_null(strstr(err.text, "longer than 16 KiB"));
}
