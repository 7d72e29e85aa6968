/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of term_screen.c: what passes, what does not, and what is switched back. */
#include "../../../launcher/supervise/term_screen.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../../../launcher/base/cleanup.h"

struct row {
	const char *what;
	const char *in;
	const char *out; /* of put and flush together */
};

#define FFFD "\357\277\275"

/* clang-format off */
static const struct row rows[] = {
	/* passes as it is, and leaves nothing switched */
	{ "text", "hello \\ world~", "hello \\ world~" },
	{ "controls that write", "a\nb\tc\rd\be\007", "a\nb\tc\rd\be\007" },
	{ "UTF-8", "\u00e9\u20ac\U0001f600\u200d", "\u00e9\u20ac\U0001f600\u200d" },
	{ "colours", "\033[31mx\033[4:3;38:2::1:2:3my\033[0m", "\033[31mx\033[4:3;38:2::1:2:3my\033[0m" },
	{ "movement", "\033[A\033[2B\033[3C\033[4D\033[5;6H\033[7;8f\033[9G\033[1d\033[E\033[F", "\033[A\033[2B\033[3C\033[4D\033[5;6H\033[7;8f\033[9G\033[1d\033[E\033[F" },
	{ "erasing", "\033[J\033[1J\033[2J\033[K\033[1K\033[2K\033[3X", "\033[J\033[1J\033[2J\033[K\033[1K\033[2K\033[3X" },
	{ "inserting and deleting", "\033[2@\033[2P\033[2L\033[2M\033[4h\033[4l", "\033[2@\033[2P\033[2L\033[2M\033[4h\033[4l" },
	{ "scrolling", "\033[2S\033[2T\033M\033D\033E", "\033[2S\033[2T\033M\033D\033E" },
	{ "tabs", "\033[2I\033[2Z", "\033[2I\033[2Z" },
	{ "repeat", "x\033[9b\033[1000b", "x\033[9b\033[1000b" },
	{ "saving the cursor", "\0337\033[s", "\0337\033[s" },
	{ "the screen of vim", "\033[?1049h\033[?1h\033=\033[?2004h\033[?25l\033[?25h\033[?2004l\033[?1l\033>\033[?1049l",
	  "\033[?1049h\033[?1h\033=\033[?2004h\033[?25l\033[?25h\033[?2004l\033[?1l\033>\033[?1049l\033(B\017\033[0m" },
	{ "several modes at once", "\033[?1000;1006h\033[?1000;1006l", "\033[?1000;1006h\033[?1000;1006l" },
	{ "region, put back", "\033[2;20r\033[r", "\033[2;20r\033[r" },
	{ "line drawing", "\033(0lqk\033(B\033)0\016x\017", "\033(0lqk\033(B\033)0\016x\017" },
	{ "cursor shape", "\033[5 q\033[0 q\033[ q", "\033[5 q\033[0 q\033[ q" },
	/* switched back at the end */
	{ "colour left on", "\033[8mx", "\033[8mx\033[0m" },
	{ "the other screen, hidden cursor, mouse", "\033[?1049;25;1003h\033[?25l", "\033[?1049;25;1003h\033[?25l\033[?25h\033[?1003l\033[?1049l\033(B\017\033[0m" },
	{ "a cursor that was saved in another style", "\033(0\033[8m\0337\033(B\033[0m\0338", "\033(0\033[8m\0337\033(B\033[0m\0338\033(B\017\033[0m" },
	{ "the same by CSI", "\033[7m\033[s\033[m\033[u", "\033[7m\033[s\033[m\033[u\033(B\017\033[0m" },
	{ "the same by the other screen", "\033[7m\033[?1049h\033[m", "\033[7m\033[?1049h\033[m\033[?1049l\033(B\017\033[0m" },
	{ "the same, left", "\033[7m\033[?47h\033[m\033[?47l", "\033[7m\033[?47h\033[m\033[?47l\033(B\017\033[0m" },
	{ "wrapping off", "\033[?7l", "\033[?7l\033[?7h" },
	{ "region", "\033[2;20r", "\033[2;20r\0337\033[r\0338" },
	{ "inserting, keypad, drawing, shift, shape", "\033[4h\033=\033(0\016\033[2 q", "\033[4h\033=\033(0\016\033[2 q\033[4l\033>\033(B\017\033[0 q" },
	/* dropped */
	{ "title", "a\033]0;evil\007b", "ab" },
	{ "title, string terminator", "a\033]2;evil\033\\b", "ab" },
	{ "clipboard", "a\033]52;c;bHM=\007b", "ab" },
	{ "link", "\033]8;;http://x/\033\\y\033]8;;\033\\", "y" },
	{ "colour query", "\033]11;?\007x", "x" },
	{ "DCS with a bell in it", "a\033P$q\007\"p\033\\b", "ab" },
	{ "terminfo query", "a\033P+q436f\033\\b", "ab" },
	{ "APC, PM, SOS", "a\033_a\033\\b\033^b\033\\c\033Xc\033\\d", "abcd" },
	{ "string that a sequence cuts", "a\033]0;evil\033[1mb\033[m", "a\033[1mb\033[m" },
	{ "string that CAN, SUB cut", "a\033]0;evil\030b\033P0\032c", "abc" },
	{ "string without its end", "a\033]0;evil", "a" },
	{ "device queries", "\033[c\033[>c\033[=c\033[0c\033[5n\033[6n\033[?6n\033[x\033[>q\033Z\005", "" },
	{ "mode queries", "\033[?25$p\033[4$p\033[?u\033[?996n", "" },
	{ "window operations", "\033[t\033[21t\033[8;1;1t\033[22;0;0t", "" },
	{ "the scroll-back", "\033[3J\033[2J", "\033[2J" },
	{ "selective erasing", "\033[?2J\033[?K", "" },
	{ "media copy", "\033[5i\033[?4i", "" },
	{ "keyboard protocols", "\033[>4;2m\033[>1u\033[=1u\033[?4m", "" },
	{ "tab stops", "\033H\033[g\033[3g", "" },
	{ "origin mode", "\033[?6h\033[?6l", "" },
	{ "a repeat for seconds", "x\033[1001b", "x" },
	{ "resets", "\033c\033[!p", "" },
	{ "other private modes", "\033[?3h\033[?69h\033[?1001h\033[?1048h\033[?2027h\033[?h", "" },
	{ "a good mode beside a bad one", "\033[?25;3l", "" },
	{ "other modes", "\033[20h\033[2h\033[34h\033[h", "" },
	{ "saving modes", "\033[?1049s\033[?1049r", "" },
	{ "margins", "\033[1;2s", "" },
	{ "highlight tracking", "\033[1;2;3;4;5T", "" },
	{ "rectangles", "\033[1;1;2;2$z\033[1;1;1;1;1;1;1;1$v", "" },
	{ "shape that is none", "\033[7 q\033[1;2 q", "" },
	{ "lights", "\0331q\033[1q", "q" },
	{ "other character sets", "\033(A\033*0\033%G\033%@\033n\033o\033N\033O", "" },
	{ "numbers too great, too many", "\033[65536A\033[1;2;3H\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1H", "" },
	{ "a mark in the wrong place", "\033[1?25h\033[1<A\033[1 A", "" },
	{ "too long", "\033[0000000000000000000000000000000000000000000000000000000000000001mx", "x" },
	{ "linux palette", "\033]P0ff0000\033\\x", "x" },
	{ "other controls", "a\013\014\025\177b", "ab" },
	{ "cut by a control", "\033[3\n1m", "\n1m" },
	{ "cut by another", "\033[3\033[1m\033[m", "\033[1m\033[m" },
	{ "cut by UTF-8", "\033[3\u00e9m", "\u00e9m" },
	{ "ESC ESC", "\033\033[1m\033[m", "\033[1m\033[m" },
	/* bytes that are no text */
	{ "8-bit controls", "\2331mx\2350;a\234", FFFD "1mx" FFFD "0;a" FFFD },
	{ "the same in UTF-8", "\302\233" "1m\302\235" "0;a", "1m0;a" },
	{ "overlong ESC", "\300\233[1m", FFFD FFFD "[1m" },
	{ "overlong of 3", "\340\200\233x", FFFD "x" },
	{ "lead without its rest", "\342\202\033[1m\033[m\360\237\230x", FFFD "\033[1m\033[m" FFFD "x" },
	{ "reordering", "a\u202eb\u2066c\U000e0041\ufeff", "abc" },
	{ "unfinished at the end", "x\342\202", "x" },
};
/* clang-format on */

static void
filter(const char *in, size_t first, size_t len, struct buf *out)
{
	struct term_screen s = { .state = SCREEN_GROUND };

	term_screen_put(&s, in, first, out);
	term_screen_put(&s, in + first, len - first, out);
	term_screen_flush(&s, out);
	cr_assert_eq(buf_error(out), 0);
	cr_assert_eq(s.state, SCREEN_GROUND);
	cr_assert_eq(s.switched, 0u);
}

Test(term_screen, every_row_cut_everywhere)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].in);

		for (size_t cut = 0; cut <= len; cut++) {
			auto_buf out = BUF_INIT;

			filter(rows[i].in, cut, len, &out);
			cr_assert_str_eq(buf_text(&out), rows[i].out, "%s, cut at %zu",
					 rows[i].what, cut);
		}
	}
}

/*
 * Whatever bytes come, what goes out passes once more as it is: no sequence of the terminal's can
 * be put together from pieces that passed.
 */
Test(term_screen, what_passed_passes_again)
{
	static const char letters[] = "\033\033\033[]P?;:012345 hlmqrJKcntu\\\007\n\016xA"
				      "\302\233\342\200\256";
	uint32_t seed = 7;

	for (int round = 0; round < 20000; round++) {
		auto_buf once = BUF_INIT, twice = BUF_INIT;
		struct term_screen s = { .state = SCREEN_GROUND }, t = { .state = SCREEN_GROUND };
		char in[48];

		for (size_t i = 0; i < sizeof(in); i++) {
			seed = seed * 1664525u + 1013904223u;
			in[i] = letters[(seed >> 16) % (sizeof(letters) - 1)];
		}
		term_screen_put(&s, in, sizeof(in), &once);
		term_screen_put(&t, once.data, once.len, &twice);
		cr_assert_eq(once.len, twice.len, "round %d", round);
		cr_assert_eq(t.state, SCREEN_GROUND);
		cr_assert_eq(once.len == 0 || memcmp(once.data, twice.data, once.len) == 0, 1);
	}
}

Test(term_screen, away_and_back)
{
	static const char screen[] = "\033[?1049h\033[?25l\033=\033[31m\033[2;9r";
	struct term_screen s = { .state = SCREEN_GROUND };
	auto_buf out = BUF_INIT, undo = BUF_INIT, redo = BUF_INIT;

	term_screen_put(&s, screen, strlen(screen), &out);
	term_screen_undo(&s, &undo);
	cr_expect_str_eq(buf_text(&undo),
			 "\0337\033[r\0338\033>\033[0m\033[?25h\033[?1049l"
			 "\033(B\017\033[0m");
	term_screen_redo(&s, &redo);
	cr_expect_str_eq(buf_text(&redo), "\033[?1049h\033[?25l\033=");
}

/* What was not shown may be the end of a sequence, or a switch that nobody else remembers. */
Test(term_screen, given_up)
{
	static const char screen[] = "\033[?1003h\033[?1003l\033[2;";
	struct term_screen s = { .state = SCREEN_GROUND };
	auto_buf out = BUF_INIT, undo = BUF_INIT;

	term_screen_put(&s, screen, strlen(screen), &out);
	term_screen_give_up(&s, &undo);
	cr_expect_eq(buf_text(&undo)[0], 030);
	cr_expect_not_null(strstr(buf_text(&undo), "\033[?1003l"));
	cr_expect_not_null(strstr(buf_text(&undo), "\033[?25h"));
	cr_expect_not_null(strstr(buf_text(&undo), "\033[?1049l\033(B\017\033[0m"));
	cr_expect_eq(s.state, SCREEN_GROUND);
	cr_expect_eq(s.switched, 0u);
}
