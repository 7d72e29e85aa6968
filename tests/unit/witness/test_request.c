/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Bodies of add-checkpoint: the specification's example, each slip. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/base/text.h"
#include "../../../launcher/witness/request.h"

#define HASH "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"

static struct err err;
static struct witness_request req;

Test(request, the_example)
{
	static const char body[] =
		"old 20852014\n" HASH "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
		"5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
		"/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
		"\n"
		"example.com/behind-the-sofa\n";
	char hex[HEX_DIGEST_SIZE];

	cr_assert_eq(witness_request_parse(body, strlen(body), &req, &err), 0, "%s", err.text);
	cr_expect_eq(req.old_size, 20852014);
	cr_expect_eq(req.proof.count, 4);
	text_hex(req.proof.hash[0], SHA256_SIZE, hex);
	cr_expect_str_eq(hex, "3e544d0abc07a6a846aeea6e7b42fb8316e36cc88a03db5e9afb996430e991ac");
	cr_expect_eq(req.checkpoint_len, strlen("example.com/behind-the-sofa\n"));
	cr_expect_eq(strncmp(req.checkpoint, "example", 7), 0);
}

Test(request, the_ends_of_what_is_allowed)
{
	auto_buf body = BUF_INIT;

	cr_expect_eq(witness_request_parse("old 0\n\n", 7, &req, &err), 0);
	cr_expect_eq(req.proof.count, 0);
	cr_expect_eq(req.checkpoint_len, 0);
	buf_puts(&body, "old 18446744073709551615\n");
	for (int i = 0; i < 63; i++) {
		buf_puts(&body, HASH);
	}
	buf_puts(&body, "\n");
	cr_expect_eq(witness_request_parse(buf_text(&body), body.len, &req, &err), 0);
	cr_expect_eq(req.old_size, UINT64_MAX);
	cr_expect_eq(req.proof.count, 63);
	body.len--;
	buf_puts(&body, HASH "\n");
	cr_expect_eq(witness_request_parse(buf_text(&body), body.len, &req, &err), -EBADMSG);
	cr_expect_str_eq(err.text, "line 65 is the 64th hash: no proof has more than 63");
}

Test(request, each_slip_has_its_line)
{
	/* clang-format off */
	static const struct { const char *body, *says; } rows[] = {
		{ "", "line 1 is not" },
		{ "old 1", "line 1 is not" },
		{ "old \n\n", "line 1 is not" },
		{ "old  1\n\n", "line 1 is not" },
		{ "old 01\n\n", "line 1 is not" },
		{ "old -1\n\n", "line 1 is not" },
		{ "old 1 \n\n", "line 1 is not" },
		{ "old 18446744073709551616\n\n", "line 1 is not" },
		{ "new 1\n\n", "line 1 is not" },
		{ "old 1\r\n\r\n", "line 1 is not" },
		{ "old 1\n", "line 2 is missing" },
		{ "old 1\n" HASH, "line 3 is missing" },
		{ "old 1\nAA==\n\n", "line 2 is neither" },
		{ "old 1\n" HASH "x\n\n", "line 3 is neither" },
		{ "old 1\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkax=\n\n", "line 2 is neither" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		req.old_size = 4711;
		cr_expect_eq(witness_request_parse(rows[i].body, strlen(rows[i].body), &req, &err),
			     -EBADMSG, "row %zu", i);
		cr_expect_eq(strncmp(err.text, rows[i].says, strlen(rows[i].says)), 0,
			     "row %zu: %s", i, err.text);
		cr_expect_eq(req.old_size, 4711);
	}
}
