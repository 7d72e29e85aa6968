/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for what stands between a tool and a person's terminal. Run by a developer or
 * CI; the bytes are the tool's. In one piece or in many, the same comes out. What comes out holds
 * no control but those that are allowed, only whole characters of UTF-8, none that reorders or
 * hides text, and no sequence but of the allowed forms.
 */
#include "../../launcher/base/text.h"
#include "../../launcher/supervise/term_filter.h"
#include "../../launcher/supervise/term_screen.h"
#include "fuzz.h"

/* U+0080 to U+009F, and what Unicode's Bidi_Control and the tags are. */
static bool
is_hiding(uint32_t c)
{
	return (c >= 0x80 && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

/* The bytes of a CSI sequence behind its ESC '[', or 0; *ret_final is its last one. */
static size_t
csi_len(const uint8_t *p, size_t left, char *ret_final)
{
	size_t n = 0;

	while (n < left && p[n] >= 0x20 && p[n] <= 0x3f) {
		n++;
	}
	if (n == left || p[n] < 0x40 || p[n] > 0x7e) {
		return 0;
	}
	*ret_final = (char)p[n];
	return n + 1;
}

/* The sequence at p, an ESC: how long it is. */
static size_t
check_sequence(const uint8_t *p, size_t left, bool is_screen)
{
	char final = '\0';
	size_t n;

	require(left >= 2, "an ESC at the end");
	if (p[1] != '[') {
		require(is_screen, "an ESC without '['");
		if (p[1] == '(' || p[1] == ')') {
			require(left >= 3, "half a sequence");
			return 3;
		}
		require(strchr("78=>MDE", p[1]) != NULL, "a sequence that is not allowed");
		return 2;
	}
	n = csi_len(p + 2, left - 2, &final);
	require(n > 0, "no end of a sequence");
	require(n <= 66, "a long sequence");
	if (!is_screen) {
		require(final == 'm' && strspn((const char *)p + 2, "0123456789;:") == n - 1,
			"not a colour");
		return n + 2;
	}
	require(strchr("cntx", final) == NULL, "a query, or an operation on the window");
	require(final != 'J' || memchr(p + 2, '3', n) == NULL, "the scroll-back is erased");
	return n + 2;
}

static void
check_output(const struct buf *out, const char *controls, bool is_screen)
{
	const uint8_t *p = out->data;

	for (size_t left = out->len, n; left > 0; p += n, left -= n) {
		uint32_t c = 0;

		n = 1;
		if (*p == 0x1b) {
			require(controls != NULL, "an ESC in a text");
			n = check_sequence(p, left, is_screen);
			continue;
		}
		if (*p < 0x20 || *p == 0x7f) {
			require(controls != NULL && *p != 0 && strchr(controls, *p) != NULL,
				"a control");
			continue;
		}
		n = text_utf8(p, left, &c);
		require(n > 0, "no UTF-8");
		require(!is_hiding(c), "it reorders or hides text");
	}
}

static void
same(const struct buf *a, const struct buf *b)
{
	require(buf_error(a) == 0 && a->len == b->len &&
			(a->len == 0 || memcmp(a->data, b->data, a->len) == 0),
		"in pieces it is another text");
}

static void
try_filter(const uint8_t *text, size_t len, size_t step)
{
	auto_buf whole = BUF_INIT, pieces = BUF_INIT;
	struct term_filter f, g;

	term_filter_init(&f);
	term_filter_init(&g);
	term_filter_put(&f, text, len, &whole);
	term_filter_flush(&f, &whole);
	for (size_t at = 0; at < len; at += step) {
		term_filter_put(&g, text + at, step < len - at ? step : len - at, &pieces);
	}
	term_filter_flush(&g, &pieces);
	same(&whole, &pieces);
	check_output(&whole, "\n\t\r\b", false);
}

static void
try_screen(const uint8_t *text, size_t len, size_t step)
{
	auto_buf whole = BUF_INIT, pieces = BUF_INIT, undone = BUF_INIT, given_up = BUF_INIT;
	struct term_screen s = { .state = SCREEN_GROUND }, t = { .state = SCREEN_GROUND }, u;

	term_screen_put(&s, text, len, &whole);
	for (size_t at = 0; at < len; at += step) {
		term_screen_put(&t, text + at, step < len - at ? step : len - at, &pieces);
	}
	term_screen_undo(&s, &undone);
	term_screen_redo(&s, &undone);
	u = s;
	term_screen_give_up(&u, &given_up);
	term_screen_flush(&s, &whole);
	term_screen_flush(&t, &pieces);
	same(&whole, &pieces);
	check_output(&whole, "\n\t\r\b\a\016\017", true);
	check_output(&undone, "\n\t\r\b\a\016\017", true);
	require(buf_error(&given_up) == 0, "no memory");
}

static void
try_text(const uint8_t *text, size_t len)
{
	auto_buf once = BUF_INIT, line = BUF_INIT, name = BUF_INIT, back = BUF_INIT;

	text_safe(&once, text, len, false);
	check_output(&once, NULL, false);
	text_safe(&line, text, len, true);
	check_output(&line, "\n\t", false);
	text_vis(&name, text, len);
	check_output(&name, NULL, false);
	require(text_unvis_strict(buf_text(&name), &back) == 0 && back.len == len &&
			(len == 0 || memcmp(back.data, text, len) == 0),
		"another name comes back");
}

/* The first byte: how long the pieces are. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0) {
		size_t step = 1 + data[0] % 17u;

		try_filter(data + 1, size - 1, step);
		try_screen(data + 1, size - 1, step);
		try_text(data + 1, size - 1);
	}
	return 0;
}
