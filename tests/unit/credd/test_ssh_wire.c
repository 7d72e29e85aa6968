/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The examples are those of RFC 4251, 5. */
#include <criterion/criterion.h>
#include <string.h>

#include "../../../launcher/credd/ssh_wire.h"

Test(ssh_wire, numbers)
{
	auto_buf out = BUF_INIT;
	struct rd r;

	ssh_put_u32(&out, 699921578);
	cr_assert_eq(out.len, 4u);
	cr_expect_eq(memcmp(out.data, "\x29\xb7\xf4\xaa", 4), 0);
	r = (struct rd){ .p = out.data, .left = out.len };
	cr_expect_eq(ssh_get_u32(&r), 699921578u);
	cr_expect_not(r.bad);
	cr_expect_eq(ssh_get_u32(&r), 0u);
	cr_expect(r.bad);
}

Test(ssh_wire, strings)
{
	auto_buf out = BUF_INIT;
	size_t len;
	struct rd r, again;

	ssh_put_text(&out, "testing");
	ssh_put_string(&out, "", 0);
	cr_assert_eq(out.len, 15u);
	cr_expect_eq(memcmp(out.data, "\0\0\0\7testing\0\0\0\0", 15), 0);
	r = again = (struct rd){ .p = out.data, .left = out.len };
	cr_expect(ssh_get_text(&r, "testing"));
	cr_expect(ssh_get_text(&r, ""));
	cr_expect_not(ssh_get_text(&r, ""), "there is none");
	cr_expect(r.bad);
	cr_expect_not(ssh_get_text(&again, "testing!"));
	cr_expect_not(again.bad);
	cr_expect_not_null(ssh_get_string(&again, &len));
	cr_expect_eq(len, 0u);
}

Test(ssh_wire, a_string_that_is_cut_off_is_none)
{
	for (size_t left = 0; left < 11; left++) {
		struct rd r = { .p = (const uint8_t *)"\0\0\0\7testing", .left = left };
		size_t len = 7;

		cr_expect_null(ssh_get_string(&r, &len), "%zu bytes", left);
		cr_expect_eq(len, 0u);
		cr_expect(r.bad);
	}
}

Test(ssh_wire, a_length_of_four_gigabytes_is_none)
{
	struct rd r = { .p = (const uint8_t *)"\xff\xff\xff\xfftesting", .left = 11 };
	size_t len;

	cr_expect_null(ssh_get_string(&r, &len));
	cr_expect(r.bad);
}

Test(ssh_wire, numbers_of_any_size)
{
	static const struct {
		const char *magnitude;
		size_t len;
		const char *written;
		size_t written_len;
	} rows[] = {
		{ "", 0, "\0\0\0\0", 4 },
		{ "\x09\xa3\x78", 3, "\0\0\0\3\x09\xa3\x78", 7 },
		{ "\x80", 1, "\0\0\0\2\0\x80", 6 },
		{ "\x7f", 1, "\0\0\0\1\x7f", 5 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf out = BUF_INIT;

		ssh_put_mpint(&out, (const uint8_t *)rows[i].magnitude, rows[i].len);
		cr_assert_eq(out.len, rows[i].written_len, "row %zu", i);
		cr_expect_eq(memcmp(out.data, rows[i].written, out.len), 0, "row %zu", i);
	}
}
