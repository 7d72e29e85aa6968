/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of scan_spell.c: every form, as other programs write it, cut at every place; and what
 * is none. Run by anybody.
 */
#include "scan_world.h"

/* The texts were made by base64(1), xxd(1), od(1), Python's urllib and json, and node's. */
struct spelled {
	const char *value, *text;
	enum scan_form form;
	size_t offset, len; /* in text */
};

#define TOKEN "ghp_R0b/Y+z 9"

/* clang-format off */
static const struct spelled spelled[] = {
	{ TOKEN, "at " TOKEN " x", SCAN_RAW, 3, 13 },
	{ "-- KEY --\nMIIB\n-- END --\n", ">-- KEY --\r\nMIIB\r\n-- END --\r\n", SCAN_RAW, 1, 26 },
	{ TOKEN, "x 9 z+Y/b0R_phg.", SCAN_REVERSED, 2, 13 },
	{ "KEY\nMIIBabc", ">cbaBIIM\nYEK", SCAN_REVERSED, 1, 11 },
	{ "KEY\nMIIBabc", ">cbaBIIM\r\nYEK", SCAN_REVERSED, 1, 12 },
	/* base64 of the token behind nothing, one byte, two bytes, and with more behind it */
	{ TOKEN, "Z2hwX1IwYi9ZK3ogOQ==", SCAN_BASE64, 0, 17 },
	{ TOKEN, "eGdocF9SMGIvWSt6IDk=", SCAN_BASE64, 2, 16 },
	{ TOKEN, "eHhnaHBfUjBiL1kreiA5", SCAN_BASE64, 3, 17 },
	{ TOKEN, "Z2hwX1IwYi9ZK3ogOXh4", SCAN_BASE64, 0, 17 },
	/* a wrapped one */
	{ TOKEN, "Z2hwX1Iw\nYi9ZK3ogOQ==", SCAN_BASE64, 0, 18 },
	{ TOKEN, "Z2hwX1Iw\r\nYi9ZK3ogOQ==", SCAN_BASE64, 0, 19 },
	{ TOKEN, "\"Z2hwX1Iw\\nYi9ZK3ogOQ==\"", SCAN_BASE64, 1, 19 },
	{ TOKEN, "\"Z2hwX1Iw\\r\\nYi9ZK3ogOQ==\"", SCAN_BASE64, 1, 21 },
	/* both alphabets */
	{ "\xfb\xef\xbe\xfb\xef\xbe", "(++++++++)", SCAN_BASE64, 1, 8 },
	{ "\xfb\xef\xbe\xfb\xef\xbe", "(--------)", SCAN_BASE64, 1, 8 },
	{ "\xff\xff\xff\xff\xff\xff", "(////////)", SCAN_BASE64, 1, 8 },
	{ "\xff\xff\xff\xff\xff\xff", "(________)", SCAN_BASE64, 1, 8 },
	{ TOKEN, "6768705f5230622f592b7a2039", SCAN_HEX, 0, 26 },
	{ TOKEN, "6768705F5230622F592B7A2039", SCAN_HEX, 0, 26 },
	{ TOKEN, "6768705F5230622f592b7A2039", SCAN_HEX, 0, 26 },
	{ TOKEN, "6768705f5230\n622f592b7a2039", SCAN_HEX, 0, 27 },
	{ TOKEN, "67:68:70:5f:52:30:62:2f:59:2b:7a:20:39", SCAN_HEX, 0, 38 },
	{ TOKEN, "67:68:70:5F:52:\n30:62:2F:59:2B:7A:20:39", SCAN_HEX, 0, 39 },
	{ TOKEN, " 67 68 70 5f\n 52 30 62 2f 59 2b 7a 20 39", SCAN_HEX, 1, 39 },
	{ TOKEN, "\\x67\\x68\\x70\\x5f\\x52\\x30\\x62\\x2f\\x59\\x2b\\x7a\\x20\\x39", SCAN_HEX, 2, 50 },
	{ TOKEN, "?t=ghp_R0b%2FY%2Bz%209&", SCAN_URL, 3, 19 },
	{ TOKEN, "?t=ghp_R0b%2fY%2bz+9&", SCAN_URL, 3, 17 },
	{ TOKEN, "/ghp_R0b/Y%2Bz%209", SCAN_URL, 1, 17 },
	{ TOKEN, "%67%68%70%5F%52%30%62%2F%59%2B%7A%20%39", SCAN_URL, 0, 39 },
	{ TOKEN, "%67%68%70%5f%52%30%62%2f%59%2b%7a%20%39", SCAN_URL, 0, 39 },
	{ "100%25sure", "100%2525sure", SCAN_URL, 0, 12 },
	{ "p\xc3\xa4sswort", "p%C3%A4sswort", SCAN_URL, 0, 13 },
	{ TOKEN, "\"ghp_R0b\\/Y+z 9\"", SCAN_JSON, 1, 14 },
	{ TOKEN, "\"ghp_R0b/Y\\u002Bz 9\"", SCAN_JSON, 1, 18 },
	{ "a\"b\\c/d\x01\x1f\n\t\r\b\f", "a\\\"b\\\\c/d\\u0001\\u001F\\n\\t\\r\\b\\f", SCAN_JSON, 0, 31 },
	{ "<b>&'x'", "\\u003cb\\u003e\\u0026\\u0027x'", SCAN_JSON, 0, 27 },
	{ "p\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91q", "p\\u00e4\\u20AC\\ud83d\\uDD11q", SCAN_JSON, 0, 26 },
	{ "abc\xff" "def", "abc\\u00ffdef", SCAN_JSON, 0, 12 },
	{ "abc\xff" "def", "abc\\udcffdef", SCAN_JSON, 0, 12 },
	{ "secret", "\\u0073\\u0065\\u0063\\u0072\\u0065\\u0074", SCAN_JSON, 0, 36 },
	/* a text file's newline, and what a program makes of it */
	{ "hunter2pass\n", "hunter2pass\n", SCAN_RAW, 0, 11 },
	{ "hunter2pass\r\n", "hunter2pass", SCAN_RAW, 0, 11 },
	{ "hunter2pass\n", "aHVudGVyMnBhc3MK", SCAN_BASE64, 0, 14 },
};
/* clang-format on */

Test(scan_spell, every_form_however_it_is_cut)
{
	for (size_t i = 0; i < ARRAY_LEN(spelled); i++) {
		const struct spelled *s = &spelled[i];
		const struct scan_value value = value_of("gh", s->value);
		char want[200];
		struct world w;

		snprintf(want, sizeof(want), "%.*s[redacted:gh]%s", (int)s->offset, s->text,
			 s->text + s->offset + s->len);
		begin(&w, &value, 1);
		expect_cut(&w, s->text, want);
		cr_assert_eq(w.count, 1u, "%zu: %s", i, s->text);
		cr_assert_eq(w.found[0].form, s->form, "%zu: %s", i,
			     scan_form_word(w.found[0].form));
		cr_assert_eq(w.found[0].item, 0u);
		cr_assert_eq(w.found[0].offset, (uint64_t)s->offset);
		cr_assert_eq(w.found[0].len, (uint64_t)s->len);
		end(&w);
	}
}

Test(scan_spell, what_is_none)
{
	/* clang-format off */
	static const char *const texts[] = {
		"ghp_R0b/Y+z 8", "hp_R0b/Y+z 9", "ghp_R0b/Y+z", "GHP_R0B/Y+Z 9", "ghp_R0b/Y+z\n9",
		"8 z+Y/b0R_phg", "Z2hwX1IwYi9ZK3og", "z2hwX1IwYi9ZK3ogOQ==", "Z2hwX1Iw Yi9ZK3ogOQ==",
		"Z2hwX1Iw\n\nYi9ZK3ogOQ==", "Z2hwX1Iw\nYi9Z\nK3ogOQ==", "6768705f5230622f592b7a203",
		"6768705f5230622f592b7a2038", "67:68705f5230622f592b7a2039", "67 68 70:5f 52 30 62 2f 59 2b 7a 20 39",
		"ghp_R0b%2GY%2Bz%209", "ghp_R0b%252FY%2Bz%209", "ghp_R0b\\u002fY+z 8", "%67%68%70",
	};
	/* clang-format on */
	const struct scan_value value = value_of("gh", TOKEN);
	struct world w;

	begin(&w, &value, 1);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		expect_cut(&w, texts[i], texts[i]);
		cr_assert_eq(w.count, 0u, "%s", texts[i]);
	}
	end(&w);
}

/* Of what base64 shows of the bytes beside the value nothing is taken. */
Test(scan_spell, base64_of_every_length_at_every_alignment)
{
	static const char digits64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t seed = 1;

	for (size_t len = SCAN_VALUE_MIN; len < 80; len++) {
		uint8_t bytes[120];
		const struct scan_value value = { "k", bytes + 30, len };
		struct world w;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			bytes[i] = (uint8_t)next_random(&seed);
		}
		bytes[30 + len - 1] = 'x';
		begin(&w, &value, 1);
		for (size_t before = 27; before <= 30; before++) {
			const size_t first = 30 - before;
			char text[170] = "";
			size_t out = 0;

			for (size_t bit = first * 8; bit + 6 <= sizeof(bytes) * 8; bit += 6) {
				unsigned int two = (unsigned int)bytes[bit / 8] << 8;

				two |= bit / 8 + 1 < sizeof(bytes) ? bytes[bit / 8 + 1] : 0;
				text[out++] = digits64[two >> (10 - bit % 8) & 63];
			}
			feed(&w, text, out, &(size_t){ 7 }, 1);
			cr_assert_eq(w.count, 1u, "%zu bytes behind %zu", len, before);
			cr_assert_eq(w.found[0].form, SCAN_BASE64);
			cr_assert_eq(w.found[0].offset, (before * 8 + 5) / 6);
			cr_assert_eq(w.found[0].offset + w.found[0].len, (before + len) * 8 / 6);
		}
		end(&w);
	}
}

/* As base64(1) wraps at 76, PEM at 64, xxd -p at 60: the break may come anywhere in the value. */
Test(scan_spell, a_line_break_anywhere)
{
	static const size_t lengths[] = { 6, 8, 11, 16, 23, 40, 111, 700 };
	static const char *const breaks[] = { "\n", "\r\n", "\\n", "\\r\\n" };
	uint32_t seed = 5;

	for (size_t n = 0; n < ARRAY_LEN(lengths); n++) {
		uint8_t bytes[700];
		const struct scan_value value = { "k", bytes, lengths[n] };
		struct world w;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			bytes[i] = (uint8_t)next_random(&seed);
		}
		bytes[lengths[n] - 1] = '.';
		begin(&w, &value, 1);
		for (size_t first = 1; first < 60 && first < 2 * lengths[n]; first++) {
			auto_buf text = BUF_INIT;
			size_t column = 60 - first;

			for (size_t i = 0; i < 2 * lengths[n]; i++, column++) {
				unsigned int digit = bytes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15;

				if (column == 60) {
					buf_puts(&text, breaks[first % 4]);
					column = 0;
				}
				buf_putc(&text, "0123456789abcdef"[digit]);
			}
			/* where a byte is cut in two, that is no way to write it */
			feed(&w, text.data, text.len, &(size_t){ 4096 }, 1);
			cr_assert_eq(w.count, first % 2 == 0 ? 1u : 0u, "%zu bytes, break at %zu",
				     lengths[n], first);
		}
		end(&w);
	}
}

Test(scan_spell, every_form_has_a_word_and_a_shape)
{
	unsigned int seen = 0;

	for (unsigned int i = 0; i < scan_shape_count; i++) {
		seen |= 1u << scan_shapes[i].form;
		cr_assert_not_null(scan_shapes[i].spell);
		cr_assert_leq(strlen(scan_shapes[i].between), BETWEEN_MAX);
	}
	cr_assert_eq(seen, (1u << SCAN__COUNT) - 1);
	for (enum scan_form f = 0; f < SCAN__COUNT; f++) {
		cr_assert_gt(strlen(scan_form_word(f)), 2u);
	}
}
