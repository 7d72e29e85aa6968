/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The byte string and its bounded reader. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../launcher/base/buf.h"

Test(buf, empty)
{
	auto_buf b = BUF_INIT;

	cr_expect_str_eq(buf_text(&b), "");
	cr_expect_eq(buf_error(&b), 0);
	buf_put(&b, NULL, 0);
	cr_expect_eq(b.len, 0u);
	cr_expect_str_eq(buf_text(&b), "");
}

Test(buf, puts_in_order_and_terminates)
{
	auto_buf b = BUF_INIT;

	buf_puts(&b, "ab");
	buf_putc(&b, 'c');
	buf_put(&b, "\0d", 2);
	buf_printf(&b, "%s-%03d", "x", 7);
	cr_expect_eq(buf_error(&b), 0);
	cr_expect_eq(b.len, 10u);
	cr_expect_arr_eq(b.data, "abc\0dx-007", 11);
	buf_reset(&b);
	cr_expect_eq(b.len, 0u);
	cr_expect_str_eq(buf_text(&b), "");
}

Test(buf, grows_and_keeps_every_byte)
{
	auto_buf b = BUF_INIT;

	for (unsigned int i = 0; i < 100000; i++) {
		buf_u8(&b, (uint8_t)(i * 7));
	}
	cr_assert_eq(buf_error(&b), 0);
	cr_assert_eq(b.len, 100000u);
	for (unsigned int i = 0; i < 100000; i++) {
		cr_assert_eq(b.data[i], (uint8_t)(i * 7), "byte %u", i);
	}
	cr_expect_eq(b.data[100000], 0);
}

Test(buf, impossible_size_fails_and_stays_failed)
{
	auto_buf b = BUF_INIT;

	buf_puts(&b, "kept");
	buf_put(&b, "x", SIZE_MAX / 2);
	cr_expect_eq(buf_error(&b), -ENOMEM);
	buf_puts(&b, "ignored");
	cr_expect_str_eq(buf_text(&b), "kept");
	cr_expect_eq(buf_error(&b), -ENOMEM);
	buf_reset(&b);
	cr_expect_eq(buf_error(&b), 0);
}

#if SIZE_MAX > UINT32_MAX
Test(buf, blob_longer_than_its_length_field_fails)
{
	auto_buf b = BUF_INIT;

	buf_blob(&b, "x", (size_t)UINT32_MAX + 1);
	cr_expect_eq(buf_error(&b), -ENOMEM);
	cr_expect_eq(b.len, 0u);
}
#endif

Test(buf, integers_are_little_endian)
{
	auto_buf b = BUF_INIT;
	static const uint8_t want[] = { 0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f,
					0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08 };

	buf_u8(&b, 0x01);
	buf_u16(&b, 0x0203);
	buf_u32(&b, 0x04050607);
	buf_u64(&b, UINT64_C(0x08090a0b0c0d0e0f));
	cr_assert_eq(b.len, sizeof(want));
	cr_expect_arr_eq(b.data, want, sizeof(want));
}

Test(buf, reader_reads_what_was_put)
{
	auto_buf b = BUF_INIT;
	struct rd r;
	size_t len = 99;
	const uint8_t *blob;

	buf_u8(&b, 0xfe);
	buf_u16(&b, 0xfedc);
	buf_u32(&b, 0xfedcba98);
	buf_u64(&b, UINT64_C(0xfedcba9876543210));
	buf_str(&b, "text");
	buf_blob(&b, "a\0b", 3);
	buf_blob(&b, NULL, 0);
	r = (struct rd){ .p = b.data, .left = b.len };
	cr_expect_eq(rd_u8(&r), 0xfe);
	cr_expect_eq(rd_u16(&r), 0xfedc);
	cr_expect_eq(rd_u32(&r), 0xfedcba98u);
	cr_expect_eq(rd_u64(&r), UINT64_C(0xfedcba9876543210));
	cr_expect_str_eq(rd_str(&r), "text");
	blob = rd_blob(&r, &len);
	cr_assert_not_null(blob);
	cr_expect_eq(len, 3u);
	cr_expect_arr_eq(blob, "a\0b", 4);
	cr_expect_not_null(rd_blob(&r, &len));
	cr_expect_eq(len, 0u);
	cr_expect_eq(r.bad, false);
	cr_expect_eq(r.left, 0u);
	cr_expect_eq(rd_u8(&r), 0);
	cr_expect_eq(r.bad, true);
}

/* Every cut of a good encoding is bad, and never read past. */
Test(buf, reader_refuses_every_cut)
{
	auto_buf b = BUF_INIT;

	buf_u64(&b, 1);
	buf_str(&b, "text");
	for (size_t cut = 0; cut < b.len; cut++) {
		auto_free uint8_t *copy = malloc(cut + (cut == 0));
		struct rd r = { .p = copy, .left = cut };

		cr_assert_not_null(copy);
		memcpy(copy, b.data, cut);
		rd_u64(&r);
		cr_expect_str_eq(rd_str(&r), "", "cut at %zu", cut);
		cr_expect_eq(r.bad, true, "cut at %zu", cut);
	}
}

Test(buf, reader_refuses_bad_blobs)
{
	static const uint8_t no_nul[] = { 1, 0, 0, 0, 'x', 'y' };
	static const uint8_t inner_nul[] = { 3, 0, 0, 0, 'x', 0, 'y', 0 };
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 'x', 0 };
	struct rd r = { .p = no_nul, .left = sizeof(no_nul) };
	size_t len = 99;

	cr_expect_null(rd_blob(&r, &len));
	cr_expect_eq(len, 0u);
	cr_expect_eq(r.bad, true);
	r = (struct rd){ .p = inner_nul, .left = sizeof(inner_nul) };
	cr_expect_str_eq(rd_str(&r), "");
	cr_expect_eq(r.bad, true);
	r = (struct rd){ .p = inner_nul, .left = sizeof(inner_nul) };
	cr_expect_not_null(rd_blob(&r, &len));
	cr_expect_eq(len, 3u);
	r = (struct rd){ .p = huge, .left = sizeof(huge) };
	cr_expect_null(rd_blob(&r, &len));
	cr_expect_eq(r.bad, true);
}
