/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of term_filter.c. Run by anybody. */
#include "../../../launcher/supervise/term_filter.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../../../launcher/base/cleanup.h"

struct row {
	const char *what;
	const char *in;
	const char *out; /* of put and flush together */
};

#define SGR_60 "000000000000000000000000000000000000000000000000000000000000"

/* clang-format off */
static const struct row rows[] = {
	/* passes */
	{ "text", "hello \\ world~", "hello \\ world~" },
	{ "allowed controls", "a\nb\tc\rd\be", "a\nb\tc\rd\be" },
	{ "UTF-8 of 2, 3, 4 bytes", "\u00e9\u20ac\U0001f600", "\u00e9\u20ac\U0001f600" },
	{ "first and last of each length", "\u00a0\u07ff\u0800\uffff\U00010000", "\u00a0\u07ff\u0800\uffff\U00010000" },
	{ "joiners and variation selectors", "\u200d\ufe0f\u200c", "\u200d\ufe0f\u200c" },
	{ "private-use glyphs", "\ue0b0", "\ue0b0" },
	{ "SGR reset, short", "\033[m", "\033[m" },
	{ "SGR reset, zero", "\033[0m", "\033[0m" },
	{ "SGR colour, then reset", "\033[31mred\033[0m", "\033[31mred\033[0m" },
	{ "SGR with sub-parameters", "\033[4:3;38:2::255:0:0mx\033[0;0m", "\033[4:3;38:2::255:0:0mx\033[0;0m" },
	{ "SGR of 64 bytes", "\033[" SGR_60 "1m\033[m", "\033[" SGR_60 "1m\033[m" },
	/* colours left on are switched off at the end */
	{ "conceal left on", "\033[8m", "\033[8m\033[0m" },
	{ "reset, then bold left on", "\033[0;1mx", "\033[0;1mx\033[0m" },
	/* what acts on the terminal is shown */
	{ "SGR of 65 bytes", "\033[" SGR_60 "11m", "\\033[" SGR_60 "11m" },
	{ "CSI > m (xterm modifyOtherKeys)", "\033[>4;2m", "\\033[>4;2m" },
	{ "CSI ? m", "\033[?4m", "\\033[?4m" },
	{ "CSI < and = m", "\033[<1m\033[=1m", "\\033[<1m\\033[=1m" },
	{ "private marker after a digit", "\033[1?m", "\\033[1?m" },
	{ "intermediate before m", "\033[1 m", "\\033[1 m" },
	{ "cursor up", "\033[A", "\\033[A" },
	{ "erase display", "\033[2J", "\\033[2J" },
	{ "erase line", "\033[K", "\\033[K" },
	{ "alternate screen", "\033[?1049h", "\\033[?1049h" },
	{ "bracketed paste off", "\033[?2004l", "\\033[?2004l" },
	{ "device attributes", "\033[c\033[>c\033[0c", "\\033[c\\033[>c\\033[0c" },
	{ "status report", "\033[6n", "\\033[6n" },
	{ "window operation", "\033[21t", "\\033[21t" },
	{ "media copy", "\033[5i", "\\033[5i" },
	{ "repeat", "\033[999999b", "\\033[999999b" },
	{ "soft reset", "\033[!p", "\\033[!p" },
	{ "title", "\033]0;evil\007", "\\033]0;evil\\007" },
	{ "title, string terminator", "\033]2;evil\033\\", "\\033]2;evil\\033\\" },
	{ "OSC 8 link", "\033]8;;http://x/\033\\y\033]8;;\033\\", "\\033]8;;http://x/\\033\\y\\033]8;;\\033\\" },
	{ "OSC 52 clipboard", "\033]52;c;bHM=\007", "\\033]52;c;bHM=\\007" },
	{ "DCS", "\033P$q\"p\033\\", "\\033P$q\"p\\033\\" },
	{ "APC, PM, SOS", "\033_a\033\\\033^b\033\\\033Xc\033\\", "\\033_a\\033\\\\033^b\\033\\\\033Xc\\033\\" },
	{ "charset shifts", "\033(0\033)B\016\017\033n\033o", "\\033(0\\033)B\\016\\017\\033n\\033o" },
	{ "full reset, save, keypad", "\033c\0337\033=", "\\033c\\0337\\033=" },
	{ "linux console palette", "\033]P0ff0000", "\\033]P0ff0000" },
	{ "bell, VT, FF, NAK, DEL", "\007\013\014\025\177", "\\007\\013\\014\\025\\177" },
	{ "ESC ESC SGR", "\033\033[1m", "\\033\033[1m\033[0m" },
	{ "SGR cut by an SGR", "\033[3\033[1m", "\\033[3\033[1m\033[0m" },
	{ "SGR with a newline in it", "\033[3\n1m", "\\033[3\n1m" },
	{ "SGR with a C0 control in it", "\033[3\0161m", "\\033[3\\0161m" },
	{ "SGR with CAN in it", "\033[3\0301m", "\\033[3\\0301m" },
	{ "SGR with UTF-8 in it", "\033[3\u00e9m", "\\033[3\u00e9m" },
	{ "SGR with DEL in it", "\033[3\1771m", "\\033[3\\1771m" },
	/* C1 and other bytes that are not UTF-8 */
	{ "8-bit CSI, OSC, DCS, ST", "\2331mx\2350;a\234\220b", "\\2331mx\\2350;a\\234\\220b" },
	{ "C1 in UTF-8", "\302\233" "1m\302\235" "0;a\302\234", "\\302\\233" "1m\\302\\235" "0;a\\302\\234" },
	{ "all of C1 has an end", "\302\200\302\237\302\240", "\\302\\200\\302\\237\302\240" },
	{ "overlong ESC", "\300\233[1m", "\\300\\233[1m" },
	{ "overlong of 3 and 4", "\340\200\233\360\200\200\233", "\\340\\200\\233\\360\\200\\200\\233" },
	{ "surrogate, above the last", "\355\240\200\364\220\200\200", "\\355\\240\\200\\364\\220\\200\\200" },
	{ "lead without its rest, then ESC", "\342\202\033[1m\033[m", "\\342\\202\033[1m\033[m" },
	{ "lead without its rest, then text", "\360\237\230x", "\\360\\237\\230x" },
	{ "lead after lead", "\303\303\251", "\\303\303\251" },
	{ "bytes that never occur", "\376\377\365", "\\376\\377\\365" },
	/* CVE-2021-42574 and its like */
	{ "embedding, override, pop", "\u202a\u202e\u202c", "\\342\\200\\252\\342\\200\\256\\342\\200\\254" },
	{ "isolates", "\u2066\u2069", "\\342\\201\\246\\342\\201\\251" },
	{ "marks", "\u200e\u200f\u061c", "\\342\\200\\216\\342\\200\\217\\330\\234" },
	{ "separators", "\u2028\u2029", "\\342\\200\\250\\342\\200\\251" },
	{ "tags", "\U000e0041", "\\363\\240\\201\\201" },
	{ "byte order mark, annotation", "\ufeff\ufff9", "\\357\\273\\277\\357\\277\\271" },
	/* unfinished at the end */
	{ "ESC alone", "x\033", "x\\033" },
	{ "CSI without its end", "x\033[31", "x\\033[31" },
	{ "character without its end", "x\342\202", "x\\342\\202" },
};
/* clang-format on */

static void
filter(const void *in, size_t first, size_t len, struct buf *out)
{
	struct term_filter f;

	term_filter_init(&f);
	term_filter_put(&f, in, first, out);
	term_filter_put(&f, (const char *)in + first, len - first, out);
	term_filter_flush(&f, out);
	cr_assert_eq(buf_error(out), 0);
	cr_assert_eq(f.held_len, 0u);
}

Test(term_filter, every_row_cut_everywhere)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].in);

		for (size_t cut = 0; cut <= len; cut++) {
			auto_buf out = BUF_INIT;

			filter(rows[i].in, cut, len, &out);
			cr_assert_str_eq(buf_text(&out), rows[i].out, "%s, cut at %zu: %s",
					 rows[i].what, cut, buf_text(&out));
		}
	}
}

Test(term_filter, every_row_byte_by_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf out = BUF_INIT;
		struct term_filter f;

		term_filter_init(&f);
		for (const char *p = rows[i].in; *p != '\0'; p++) {
			term_filter_put(&f, p, 1, &out);
		}
		term_filter_flush(&f, &out);
		cr_assert_str_eq(buf_text(&out), rows[i].out, "%s", rows[i].what);
	}
}

Test(term_filter, nul_is_shown)
{
	auto_buf out = BUF_INIT;

	filter("a\0b", 1, 3, &out);
	cr_assert_str_eq(buf_text(&out), "a\\000b");
}

Test(term_filter, text_is_not_held_back)
{
	auto_buf out = BUF_INIT;
	struct term_filter f;

	term_filter_init(&f);
	term_filter_put(&f, "$ ", 2, &out);
	cr_assert_str_eq(buf_text(&out), "$ ");
	term_filter_put(&f, "\033[1", 3, &out);
	cr_assert_str_eq(buf_text(&out), "$ ");
	term_filter_put(&f, "m", 1, &out);
	cr_assert_str_eq(buf_text(&out), "$ \033[1m");
}

Test(term_filter, flush_leaves_it_as_new)
{
	auto_buf out = BUF_INIT;
	struct term_filter f;

	term_filter_init(&f);
	term_filter_put(&f, "\033[1m\033[", 6, &out);
	term_filter_flush(&f, &out);
	cr_assert_str_eq(buf_text(&out), "\033[1m\\033[\033[0m");
	buf_reset(&out);
	term_filter_flush(&f, &out);
	cr_assert_str_eq(buf_text(&out), "");
	term_filter_put(&f, "31m", 3, &out);
	cr_assert_str_eq(buf_text(&out), "31m");
}

/*
 * Bytes of s at p that may stand in filtered output, 0 when the first may not. Written apart from
 * the filter: the oracle of the loop below.
 */
static size_t
allowed_at(const uint8_t *p, size_t len)
{
	size_t n = 2;

	if (p[0] != 0x1b) {
		return p[0] >= 0x20 ? p[0] != 0x7f : p[0] != 0 && strchr("\b\t\n\r", p[0]) != NULL;
	}
	if (len < 3 || p[1] != '[') {
		return 0;
	}
	while (n < len && p[n] != 0 && strchr("0123456789:;", p[n]) != NULL) {
		n++;
	}
	return n < len && p[n] == 'm' ? n + 1 : 0;
}

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

Test(term_filter, random_bytes_never_act)
{
	static const char pieces[][8] = { "\033",     "\033[",	  "[",	      "m",	  "31;",
					  "\033]",    "\007",	  "\302\233", "\342\200", "\256",
					  "\360\237", "\230\200", "\303\251", "\033[1m",  "?" };
	uint64_t state = 20240229;

	for (int round = 0; round < 3000; round++) {
		auto_buf in = BUF_INIT;
		auto_buf whole = BUF_INIT;
		auto_buf cut = BUF_INIT;
		size_t count = next_random(&state) % 40;

		for (size_t i = 0; i < count; i++) {
			uint32_t r = next_random(&state);

			if (r % 3 == 0) {
				buf_u8(&in, (uint8_t)(r >> 8));
			} else {
				buf_puts(&in, pieces[(r >> 8) % ARRAY_LEN(pieces)]);
			}
		}
		if (in.len == 0) {
			continue;
		}
		filter(in.data, 0, in.len, &whole);
		filter(in.data, next_random(&state) % (in.len + 1), in.len, &cut);
		cr_assert_eq(whole.len, cut.len, "round %d", round);
		cr_assert_eq(memcmp(whole.data, cut.data, whole.len), 0, "round %d", round);
		for (size_t at = 0; at < whole.len;) {
			size_t n = allowed_at(whole.data + at, whole.len - at);

			cr_assert_neq(n, 0u, "round %d: byte %zu: %s", round, at, buf_text(&whole));
			at += n;
		}
	}
}
