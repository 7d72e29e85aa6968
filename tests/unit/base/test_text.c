/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Bytes as text, and back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../launcher/base/text.h"

Test(text, hex_both_ways)
{
	static const uint8_t data[] = { 0x00, 0x0f, 0xa5, 0xff };
	uint8_t back[4] = { 9, 9, 9, 9 };
	char hex[9];

	text_hex(data, sizeof(data), hex);
	cr_expect_str_eq(hex, "000fa5ff");
	cr_expect_eq(text_unhex(hex, back, 4), 0);
	cr_expect_arr_eq(back, data, 4);
	text_hex(data, 0, hex);
	cr_expect_str_eq(hex, "");
	cr_expect_eq(text_unhex("", back, 0), 0);
}

Test(text, unhex_refuses_and_leaves_the_output)
{
	static const char *const rows[] = { "",         "0",        "000fa5f", "000fa5ff0",
					    "000fa5fg", "000FA5FF", " 00fa5ff" };
	uint8_t back[4] = { 9, 9, 9, 9 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(text_unhex(rows[i], back, 4), -EINVAL, "\"%s\"", rows[i]);
	}
	cr_expect_arr_eq(back, "\x09\x09\x09\x09", 4);
}

Test(text, base64_rfc_4648_vectors)
{
	/* clang-format off */
	static const struct { const char *plain, *coded; } rows[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf coded = BUF_INIT;
		auto_buf plain = BUF_INIT;

		text_base64(&coded, (const uint8_t *)rows[i].plain, strlen(rows[i].plain));
		cr_expect_str_eq(buf_text(&coded), rows[i].coded);
		cr_expect_eq(text_unbase64(rows[i].coded, &plain), 0, "%s", rows[i].coded);
		cr_expect_str_eq(buf_text(&plain), rows[i].plain);
	}
}

Test(text, base64_every_byte_comes_back)
{
	uint8_t data[256 * 3];

	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)(i * 85 + i / 256);
	}
	for (size_t len = sizeof(data) - 3; len <= sizeof(data); len++) {
		auto_buf coded = BUF_INIT;
		auto_buf plain = BUF_INIT;

		text_base64(&coded, data, len);
		cr_assert_eq(text_unbase64(buf_text(&coded), &plain), 0);
		cr_assert_eq(plain.len, len);
		cr_expect_arr_eq(plain.data, data, len);
	}
}

Test(text, unbase64_refuses_and_leaves_the_output)
{
	static const char *const rows[] = { "Z",    "Zg",   "Zg=",  "Zg==Zg==",      "Zh==",
					    "Zm9=", "Z===", "====", "Zm8=\n",        "Zm 8",
					    "Zm-_", "=Zg=", "Zg=a", "Zm9v\xc3\xa9==" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		buf_puts(&b, "kept");
		cr_expect_eq(text_unbase64(rows[i], &b), -EINVAL, "\"%s\"", rows[i]);
		cr_expect_str_eq(buf_text(&b), "kept", "\"%s\"", rows[i]);
	}
}

Test(text, uuid7_layout)
{
	uint8_t uuid[16];
	char text[UUID_TEXT_SIZE];

	for (unsigned int i = 0; i < 200; i++) {
		cr_assert_eq(text_uuid7(UINT64_C(0x017f22e279b0), uuid), 0);
		text_uuid_print(uuid, text);
		cr_assert_eq(strlen(text), (size_t)UUID_TEXT_SIZE - 1);
		cr_assert_eq(strncmp(text, "017f22e2-79b0-7", 15), 0, "%s", text);
		cr_assert_eq(uuid[8] & 0xc0, 0x80, "%s", text);
	}
}

Test(text, uuid7_order_and_chance)
{
	uint8_t before[16] = { 0 };

	for (uint64_t ms = 1; ms < 2000; ms += 13) {
		uint8_t uuid[16], twin[16];

		cr_assert_eq(text_uuid7(ms << 20, uuid), 0);
		cr_assert_eq(text_uuid7(ms << 20, twin), 0);
		cr_assert_gt(memcmp(uuid, before, 16), 0);
		cr_assert_eq(memcmp(uuid, twin, 6), 0);
		cr_assert_neq(memcmp(uuid, twin, 16), 0);
		memcpy(before, uuid, 16);
	}
}

Test(text, uuid_both_ways)
{
	static const char good[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
	static const char *const bad[] = {
		"",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
		"017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
		"017f22e279b0-7cc3-98c4-dc0c0c07398f-",
		"017f22e2.79b0-7cc3-98c4-dc0c0c07398f",
		"{17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
	};
	uint8_t uuid[16];
	char text[UUID_TEXT_SIZE];

	cr_assert_eq(text_uuid_parse(good, uuid), 0);
	cr_expect_arr_eq(uuid, "\x01\x7f\x22\xe2\x79\xb0\x7c\xc3\x98\xc4\xdc\x0c\x0c\x07\x39\x8f",
			 16);
	text_uuid_print(uuid, text);
	cr_expect_str_eq(text, good);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cr_expect_eq(text_uuid_parse(bad[i], uuid), -EINVAL, "\"%s\"", bad[i]);
	}
	cr_expect_eq(uuid[0], 0x01);
}

Test(text, vis_rows)
{
	/* clang-format off */
	static const struct { const char *raw; size_t len; const char *text; } rows[] = {
		{ "", 0, "" },
		{ "plain-name.c", 12, "plain-name.c" },
		{ "a b", 3, "a\\040b" },
		{ "a\\b", 3, "a\\134b" },
		{ "a\nb", 3, "a\\012b" },
		{ "\x7f\x80\xff", 3, "\\177\\200\\377" },
		{ "\xc3\xa9!", 3, "\\303\\251!" },
		{ "\0", 1, "\\000" },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		text_vis(&b, rows[i].raw, rows[i].len);
		cr_expect_str_eq(buf_text(&b), rows[i].text, "row %zu", i);
	}
}

Test(text, vis_every_byte_comes_back)
{
	auto_buf vis = BUF_INIT;
	auto_buf back = BUF_INIT;
	auto_buf strict = BUF_INIT;
	uint8_t all[256];

	for (unsigned int v = 0; v < 256; v++) {
		all[v] = (uint8_t)v;
	}
	text_vis(&vis, all, sizeof(all));
	cr_assert_eq(text_unvis(buf_text(&vis), &back), 0);
	cr_assert_eq(back.len, 256u);
	cr_expect_arr_eq(back.data, all, 256);
	cr_assert_eq(text_unvis_strict(buf_text(&vis), &strict), 0);
	cr_assert_eq(strict.len, 256u);
	cr_expect_arr_eq(strict.data, all, 256);
}

Test(text, unvis_refuses_bad_escapes)
{
	static const char *const rows[] = { "\\",    "\\0",   "\\04", "\\400", "\\08a",
					    "\\048", "\\x41", "\\n",  "ok\\" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		buf_puts(&b, "kept");
		cr_expect_eq(text_unvis(rows[i], &b), -EINVAL, "%s", rows[i]);
		cr_expect_eq(text_unvis_strict(rows[i], &b), -EINVAL, "%s", rows[i]);
		cr_expect_str_eq(buf_text(&b), "kept", "%s", rows[i]);
	}
}

Test(text, a_line_and_what_it_says)
{
	auto_buf b = BUF_INIT;
	char said[6] = "as is";

	text_vis_line(&b, "who", "a b\n");
	text_vis_line(&b, "why", "");
	cr_expect_str_eq(buf_text(&b), "who a\\040b\\012\nwhy \n");
	text_unvis_cut("\\0", said, sizeof(said));
	cr_expect_str_eq(said, "as is");
	text_unvis_cut("a\\040b\\012", said, sizeof(said));
	cr_expect_str_eq(said, "a b\n");
	text_unvis_cut("a\\040bcdef", said, sizeof(said));
	cr_expect_str_eq(said, "a bcd");
	text_unvis_cut("", said, sizeof(said));
	cr_expect_str_eq(said, "");
}

Test(text, only_the_strict_one_wants_the_canonical_spelling)
{
	/* clang-format off */
	static const struct { const char *text, *raw; } rows[] = {
		{ "a b", "a b" },
		{ "\\141", "a" },
		{ "a\nb", "a\nb" },
		{ "\xc3\xa9", "\xc3\xa9" },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		cr_expect_eq(text_unvis_strict(rows[i].text, &b), -EINVAL, "row %zu", i);
		cr_expect_eq(text_unvis(rows[i].text, &b), 0, "row %zu", i);
		cr_expect_str_eq(buf_text(&b), rows[i].raw, "row %zu", i);
	}
}

Test(text, utf8_rows)
{
	/* clang-format off */
	static const struct { const char *bytes; size_t len, n; uint32_t c; } rows[] = {
		{ "a", 1, 1, 'a' },
		{ "\0", 1, 1, 0 },
		{ "\x7f", 1, 1, 0x7f },
		{ "\xc2\x80", 2, 2, 0x80 },
		{ "\xdf\xbf", 2, 2, 0x7ff },
		{ "\xe0\xa0\x80", 3, 3, 0x800 },
		{ "\xed\x9f\xbf", 3, 3, 0xd7ff },
		{ "\xee\x80\x80", 3, 3, 0xe000 },
		{ "\xef\xbf\xbf", 3, 3, 0xffff },
		{ "\xf0\x90\x80\x80", 4, 4, 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
		{ "", 0, 0, 1 },
		{ "\x80", 1, 0, 1 },
		{ "\xc0\x80", 2, 0, 1 },
		{ "\xc1\xbf", 2, 0, 1 },
		{ "\xe0\x9f\xbf", 3, 0, 1 },
		{ "\xf0\x8f\xbf\xbf", 4, 0, 1 },
		{ "\xed\xa0\x80", 3, 0, 1 },
		{ "\xed\xbf\xbf", 3, 0, 1 },
		{ "\xf4\x90\x80\x80", 4, 0, 1 },
		{ "\xf5\x80\x80\x80", 4, 0, 1 },
		{ "\xff", 1, 0, 1 },
		{ "\xc3", 1, 0, 1 },
		{ "\xe2\x82", 2, 0, 1 },
		{ "\xf0\x9f\x98", 3, 0, 1 },
		{ "\xc3" "a", 2, 0, 1 },
		{ "\xe2\x82" "a", 3, 0, 1 },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free uint8_t *exact = malloc(rows[i].len + (rows[i].len == 0));
		uint32_t c = 1;

		cr_assert_not_null(exact);
		memcpy(exact, rows[i].bytes, rows[i].len);
		cr_expect_eq(text_utf8(exact, rows[i].len, &c), rows[i].n, "row %zu", i);
		cr_expect_eq(c, rows[i].c, "row %zu", i);
		cr_expect_eq(text_utf8(exact, rows[i].len, NULL), rows[i].n, "row %zu", i);
	}
}

Test(text, numbers_rows)
{
	/* clang-format off */
	static const struct {
		const char *in; char between; size_t count; uint64_t out[3]; const char *rest;
	} rows[] = {
		{ "0 1000 65536\n", ' ', 3, { 0, 1000, 65536 }, "\n" },
		{ "         0       1000          1\n 1", ' ', 3, { 0, 1000, 1 }, "\n 1" },
		{ "\n1\t2\n3", ' ', 3, { 1, 2, 3 }, "" },
		{ "6.1.0-50-amd64", '.', 2, { 6, 1 }, ".0-50-amd64" },
		{ "100000+256", '+', 2, { 100000, 256 }, "" },
		{ "18446744073709551615", ' ', 1, { UINT64_MAX }, "" },
		{ "007", ' ', 1, { 7 }, "" },
		{ "", ' ', 0, { 0 }, "" },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t out[3] = { 0 };
		const char *rest = text_numbers(rows[i].in, rows[i].between, out, rows[i].count);

		cr_expect_str_eq(rest != NULL ? rest : "(none)", rows[i].rest, "%s", rows[i].in);
		cr_expect_arr_eq(out, rows[i].out, sizeof(out), "%s", rows[i].in);
	}
}

Test(text, numbers_refuses_and_leaves_the_output)
{
	/* clang-format off */
	static const struct { const char *in; char between; size_t count; } rows[] = {
		{ "", ' ', 1 },
		{ "1 2", ' ', 3 },
		{ "1 2 x", ' ', 3 },
		{ "-1", ' ', 1 },
		{ "+1", ' ', 1 },
		{ "0x10 1", ' ', 2 },
		{ "6", '.', 2 },
		{ "6-1", '.', 2 },
		{ "6 .1", '.', 2 },
		{ "18446744073709551616", ' ', 1 },
		{ "1 2 3 4 5", ' ', TEXT_NUMBERS_MAX + 1 },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t out[TEXT_NUMBERS_MAX + 1] = { 9, 9, 9, 9, 9 };
		static const uint64_t before[TEXT_NUMBERS_MAX + 1] = { 9, 9, 9, 9, 9 };

		cr_expect_eq(text_numbers(rows[i].in, rows[i].between, out, rows[i].count), NULL,
			     "%s", rows[i].in);
		cr_expect_arr_eq(out, before, sizeof(out), "%s", rows[i].in);
	}
}

Test(text, safe_rows)
{
	/* clang-format off */
	static const struct { const char *what, *in, *out; } rows[] = {
		{ "plain", "plain text, with \\ and \"", "plain text, with \\ and \"" },
		{ "letters", "\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80",
		  "\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80" },
		{ "ansi", "\x1b[31mred\x1b[0m", "\\033[31mred\\033[0m" },
		{ "osc", "\x1b]0;title\x07", "\\033]0;title\\007" },
		{ "delete", "\x7f", "\\177" },
		{ "c1 as utf-8", "\xc2\x9b" "31m", "\\302\\23331m" },
		{ "c1 raw", "\x9b" "31m", "\\23331m" },
		{ "carriage return", "safe\rrm", "safe\\015rm" },
		{ "bidi override", "\xe2\x80\xae" "exe.txt", "\\342\\200\\256exe.txt" },
		{ "bidi isolate", "\xe2\x81\xa6x\xe2\x81\xa9", "\\342\\201\\246x\\342\\201\\251" },
		{ "arabic letter mark", "\xd8\x9c", "\\330\\234" },
		{ "zero width space", "a\xe2\x80\x8b" "b", "a\\342\\200\\213b" },
		{ "line separator", "\xe2\x80\xa8", "\\342\\200\\250" },
		{ "byte order mark", "\xef\xbb\xbf", "\\357\\273\\277" },
		{ "soft hyphen", "\xc2\xad", "\\302\\255" },
		{ "variation selector", "\xef\xb8\x8f", "\\357\\270\\217" },
		{ "tag letter", "\xf3\xa0\x81\x81", "\\363\\240\\201\\201" },
		{ "private use", "\xee\x80\x80", "\\356\\200\\200" },
		{ "noncharacter", "\xef\xbf\xbf", "\\357\\277\\277" },
		{ "replacement character", "\xef\xbf\xbd", "\xef\xbf\xbd" },
		{ "invalid", "a\xff\xc3" "b", "a\\377\\303b" },
		{ "surrogate", "\xed\xa0\x80", "\\355\\240\\200" },
		{ "no-break space", "\xc2\xa0", "\xc2\xa0" },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		text_safe(&b, rows[i].in, strlen(rows[i].in), false);
		cr_expect_str_eq(buf_text(&b), rows[i].out, "%s", rows[i].what);
	}
}

Test(text, safe_newlines_only_when_asked)
{
	auto_buf kept = BUF_INIT;
	auto_buf escaped = BUF_INIT;

	text_safe(&kept, "a\n\tb\r\0", 6, true);
	cr_expect_str_eq(buf_text(&kept), "a\n\tb\\015\\000");
	text_safe(&escaped, "a\n\tb", 4, false);
	cr_expect_str_eq(buf_text(&escaped), "a\\012\\011b");
}

Test(text, a_word_for_a_shell)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "/usr/bin/g++-12", "/usr/bin/g++-12" },
		{ "/tmp/x;touch y", "'/tmp/x;touch y'" },
		{ "a'$(id)`id`", "'a'\\''$(id)`id`'" },
		{ "~", "'~'" },
		{ "", "''" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;

		text_shell(&b, rows[i].in);
		cr_expect_str_eq(buf_text(&b), rows[i].out);
	}
}
