/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The three lines of a checkpoint, and no others. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/base/text.h"
#include "../../../launcher/evidence/note.h"
#include "note_golden.h"

#define HASH "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

static struct err err;

Test(checkpoint, reads_and_prints)
{
	struct checkpoint c;
	auto_buf out = BUF_INIT;
	char hex[HEX_DIGEST_SIZE];

	cr_assert_eq(checkpoint_parse(GOLDEN_TEXT, strlen(GOLDEN_TEXT), &c, &err), 0, "%s",
		     err.text);
	cr_expect_str_eq(c.origin, LOG_NAME);
	cr_expect_eq(c.size, 600);
	text_hex(c.root, sizeof(c.root), hex);
	cr_expect_str_eq(hex, GOLDEN_ROOT);
	checkpoint_print(&c, &out);
	cr_expect_str_eq(buf_text(&out), GOLDEN_TEXT);
}

Test(checkpoint, one_spelling)
{
	/* clang-format off */
	static const struct { const char *text, *says; } rows[] = {
		{ "", "first line" },
		{ "\n1\n" HASH "\n", "first line" },
		{ "a b\n1\n" HASH "\n", "first line" },
		{ "a\n", "second line" },
		{ "a\n\n" HASH "\n", "second line" },
		{ "a\n01\n" HASH "\n", "second line" },
		{ "a\n+1\n" HASH "\n", "second line" },
		{ "a\n-1\n" HASH "\n", "second line" },
		{ "a\n1 \n" HASH "\n", "second line" },
		{ "a\n18446744073709551616\n" HASH "\n", "second line" },
		{ "a\n1\n" HASH, "third line" },
		{ "a\n1\n\n", "third line" },
		{ "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", "third line" },
		{ "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n", "third line" },
		{ "a\n1\n" HASH "\nextension\n", "more than three lines" },
		{ "a\n1\n" HASH "\nx", "more than three lines" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct checkpoint c = { .size = 4711 };

		cr_expect_eq(checkpoint_parse(rows[i].text, strlen(rows[i].text), &c, &err),
			     -EBADMSG, "row %zu", i);
		cr_expect_not_null(strstr(err.text, rows[i].says), "row %zu: %s", i, err.text);
		cr_expect_eq(c.size, 4711);
	}
}

Test(checkpoint, the_ends_of_the_range)
{
	struct checkpoint c;

	cr_assert_eq(checkpoint_parse("a\n0\n" HASH "\n", 4 + 45, &c, &err), 0);
	cr_expect_eq(c.size, 0);
	cr_assert_eq(checkpoint_parse("a\n18446744073709551615\n" HASH "\n", 23 + 45, &c, &err), 0);
	cr_expect_eq(c.size, UINT64_MAX);
}
