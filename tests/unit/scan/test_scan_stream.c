/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of scan_stream.c: the same comes out however a stream is cut, no more is held than
 * must be, and a slow search finds the same. Run by anybody.
 */
#include "scan_world.h"

#include <errno.h>

/* ---- what is replaced ------------------------------------------------------------------------ */

Test(scan_stream, overlapping_and_touching)
{
	const struct scan_value values[] = { value_of("a", "abcabcabc"), value_of("b", "bcxyzxyz"),
					     value_of("c", "abcabcabcdef") };
	struct world w;

	begin(&w, values, 3);
	/* one over another, the same one over itself, and beside itself */
	expect_cut(&w, "_abcabcabcxyzxyz_", "_[redacted:a][redacted:b]_");
	expect_cut(&w, "_abcabcabcabc_", "_[redacted:a]_");
	expect_cut(&w, "_abcabcabcabcabcabc_", "_[redacted:a]_");
	expect_cut(&w, "_bcxyzxyzbcxyzxyz_", "_[redacted:b]_");
	expect_cut(&w, "_bcxyzxyz bcxyzxyz_", "_[redacted:b] [redacted:b]_");
	expect_cut(&w, "_bcxyzxyzabcabcabc_", "_[redacted:b][redacted:a]_");
	/* the longer one, and what only began like it */
	expect_cut(&w, "_abcabcabcdef_", "_[redacted:c]_");
	expect_cut(&w, "_abcabcabcdeg_", "_[redacted:a]deg_");
	expect_cut(&w, "abcabcabcde", "[redacted:a]de");
	expect_cut(&w, "abcabcab", "abcabcab");
	expect_cut(&w, "abcabcabc", "[redacted:a]");
	/* inside the end of one the other begins, behind text that was replaced already */
	expect_cut(&w, "abcabcabcabcabcabcdef!", "[redacted:a][redacted:c]!");
	end(&w);
}

Test(scan_stream, the_same_bytes_in_two_items)
{
	const struct scan_value values[] = { value_of("one", "same-value"),
					     value_of("two", "same-value") };
	struct world w;

	begin(&w, values, 2);
	expect_cut(&w, "(same-value)", "([redacted:one])");
	end(&w);
}

/* ---- what is held ---------------------------------------------------------------------------- */

static void
expect_held(struct world *w, const char *text, const char *passed)
{
	open_stream(w);
	cr_assert_eq(scan_stream_put(&w->stream, text, strlen(text)), 0);
	cr_assert_eq(w->out.len, strlen(passed), "%s: %s", text, buf_text(&w->out));
	cr_assert_eq(w->stream.held_len, strlen(text) - strlen(passed));
	cr_assert_eq(scan_stream_end(&w->stream), 0);
	cr_assert_str_eq(buf_text(&w->out), text);
	scan_stream_finish(&w->stream);
}

Test(scan_stream, only_a_beginning_is_held)
{
	const struct scan_value value = value_of("gh", "ghp_abcdefghijklmnop");
	struct world w;

	begin(&w, &value, 1);
	expect_held(&w, "$ ", "$ ");
	expect_held(&w, "a long line that ends with nothing of it.\n",
		    "a long line that ends with nothing of it.\n");
	expect_held(&w, "$ g", "$ ");
	expect_held(&w, "$ gh", "$ ");
	expect_held(&w, "$ ghp_abcdefghijklmno", "$ ");
	expect_held(&w, "$ ghp_abcdefghijklmn_", "$ ghp_abcdefghijklmn_");
	expect_held(&w, "$ ghp_ghp_a", "$ ghp_");
	expect_held(&w, "Z2hwX2FiY2RlZmdoaWp", "");
	end(&w);
}

/* What was held is not left behind in the mapping when it was passed on. */
Test(scan_stream, what_was_held_is_wiped)
{
	const struct scan_value value = value_of("gh", "ghp_abcdefghijklmnop");
	struct world w;

	begin(&w, &value, 1);
	open_stream(&w);
	cr_assert_eq(scan_stream_put(&w.stream, "ghp_abcdefghijklmno", 19), 0);
	cr_assert_eq(w.stream.held_len, 19u);
	cr_assert_eq(scan_stream_put(&w.stream, "p.", 2), 0);
	cr_assert_eq(w.stream.held_len, 0u);
	for (size_t i = 0; i < w.stream.held_room; i++) {
		cr_assert_eq(w.stream.held[i], 0);
	}
	scan_stream_finish(&w.stream);
	end(&w);
}

/* ---- how it ends ----------------------------------------------------------------------------- */

Test(scan_stream, stops_before_the_match)
{
	const struct scan_value value = value_of("gh", "ghp_abcdefghijklmnop");
	static const char text[] = "before ghp_abcdefghijklmnop after ghp_abcdefghijklmnop";
	struct world w;

	for (size_t cut = 1; cut < strlen(text); cut++) {
		begin(&w, &value, 1);
		w.stop_at = 1;
		open_stream(&w);
		cr_assert_eq(scan_stream_put(&w.stream, text, cut), 0);
		cr_assert_eq(scan_stream_put(&w.stream, text + cut, strlen(text) - cut), 0);
		cr_assert_eq(w.stream.stopped, true);
		cr_assert_eq(scan_stream_end(&w.stream), 0);
		cr_assert_str_eq(buf_text(&w.out), "before ");
		cr_assert_eq(w.count, 1u);
		cr_assert_eq(w.found[0].offset, 7u);
		cr_assert_eq(w.stream.held_len, 0u);
		scan_stream_finish(&w.stream);
		end(&w);
	}
}

Test(scan_stream, a_sink_that_fails_ends_it)
{
	const struct scan_value value = value_of("gh", "ghp_abcdefghijklmnop");
	static const char text[] = "x ghp_abcdefghijklmnop y ghp_abcdefghijklmnop";
	struct world w;

	begin(&w, &value, 1);
	w.put_error = -ENOSPC;
	open_stream(&w);
	cr_assert_eq(scan_stream_put(&w.stream, text, strlen(text)), -ENOSPC);
	cr_assert_eq(w.out.len, 2u);
	cr_assert_eq(w.count, 0u);
	w.put_error = 0;
	cr_assert_eq(scan_stream_put(&w.stream, text, strlen(text)), -ENOSPC);
	cr_assert_eq(scan_stream_end(&w.stream), -ENOSPC);
	cr_assert_eq(w.out.len, 2u);
	scan_stream_finish(&w.stream);
	end(&w);
}

Test(scan_stream, without_anybody_who_wants_the_bytes)
{
	const struct scan_value value = value_of("gh", "ghp_abcdefghijklmnop");
	const struct scan_sink sink = { .found = world_found, .arg = NULL };
	struct scan_sink counting = sink;
	struct world w;

	begin(&w, &value, 1);
	counting.arg = &w;
	cr_assert_eq(scan_stream_init(&w.stream, w.scanner, &counting), 0);
	cr_assert_eq(scan_stream_put(&w.stream, "__ghp_abcdefg", 13), 0);
	cr_assert_eq(scan_stream_put(&w.stream, "hijklmnop__", 11), 0);
	cr_assert_eq(scan_stream_end(&w.stream), 0);
	cr_assert_eq(w.count, 1u);
	cr_assert_eq(w.found[0].offset, 2u);
	scan_stream_finish(&w.stream);
	end(&w);
}

Test(scan_stream, one_that_was_not_made)
{
	struct scan_stream st = SCAN_STREAM_INIT;

	scan_stream_finish(&st);
	cr_assert_null(st.held);
}

/* ---- the largest ----------------------------------------------------------------------------- */

Test(scan_stream, the_largest_value_in_its_longest_form)
{
	static uint8_t bytes[SCAN_VALUE_MAX];
	const struct scan_value value = { "big", bytes, sizeof(bytes) };
	static const size_t pieces[] = { 65536, 4096, 60000 };
	auto_buf text = BUF_INIT;
	uint32_t seed = 77;
	struct world w;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)('a' + next_random(&seed) % 26);
	}
	buf_puts(&text, "<");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		buf_printf(&text, "\\u%04x", bytes[i]);
	}
	buf_puts(&text, ">");
	begin(&w, &value, 1);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		expect_out(&w, text.data, text.len, &pieces[i], 1, "<[redacted:big]>");
	}
	/* not the last character */
	text.data[text.len - 2] ^= 1;
	feed(&w, text.data, text.len, &pieces[0], 1);
	cr_assert_eq(w.count, 0u);
	cr_assert_eq(w.out.len, text.len);
	cr_assert_eq(memcmp(w.out.data, text.data, text.len), 0);
	end(&w);
}

/* ---- beside a search that tries everything --------------------------------------------------- */

/* What should come out: each place with each value and its reverse, by memcmp alone. */
static void
slow(const struct scan_value *values, size_t count, const uint8_t *text, size_t len,
     struct buf *out)
{
	size_t match_end = 0, passed = 0, last = SIZE_MAX;

	for (size_t at = 0; at < len; at++) {
		size_t longest = 0, item = 0;

		for (size_t i = 0; i < 2 * count; i++) {
			const struct scan_value *v = &values[i / 2];
			const uint8_t *bytes = v->bytes;
			bool same = v->len <= len - at;

			for (size_t k = 0; same && k < v->len; k++) {
				same = text[at + k] == bytes[i % 2 == 0 ? k : v->len - 1 - k];
			}
			if (same && v->len > longest) {
				longest = v->len;
				item = i / 2;
			}
		}
		if (longest == 0 || at + longest <= match_end) {
			continue;
		}
		if (at > passed) {
			buf_put(out, text + passed, at - passed);
		}
		if (at > match_end || item != last) {
			buf_printf(out, "[redacted:%s]", values[item].item);
		}
		last = item;
		match_end = passed = at + longest;
	}
	buf_put(out, text + passed, len - passed);
}

Test(scan_stream, as_a_search_that_tries_everything)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	uint32_t seed = 2024;
	unsigned int found = 0;

	for (int round = 0; round < 3000; round++) {
		const unsigned int letters = 1 + next_random(&seed) % 3;
		const size_t count = 1 + next_random(&seed) % 4;
		struct scan_value values[4];
		uint8_t bytes[4][24], text[300];
		const size_t len = next_random(&seed) % sizeof(text);
		size_t pieces[8];
		auto_buf want = BUF_INIT;
		struct world w;

		for (size_t i = 0; i < count; i++) {
			values[i] = (struct scan_value){ names[i], bytes[i],
							 6 + next_random(&seed) % 19 };
			for (size_t k = 0; k < values[i].len; k++) {
				bytes[i][k] = (uint8_t)('a' + next_random(&seed) % letters);
			}
		}
		for (size_t i = 0; i < len; i++) {
			text[i] = (uint8_t)('a' + next_random(&seed) % letters);
		}
		for (size_t i = 0; len > 24 && i < 6; i++) {
			const struct scan_value *v = &values[next_random(&seed) % count];

			memcpy(text + next_random(&seed) % (len - v->len), v->bytes, v->len);
		}
		for (size_t i = 0; i < 8; i++) {
			pieces[i] = 1 + next_random(&seed) % 40;
		}
		slow(values, count, text, len, &want);
		begin(&w, values, count);
		expect_out(&w, text, len, pieces, 8, buf_text(&want));
		found += w.count;
		end(&w);
	}
	cr_assert_gt(found, 3000u, "too few to say anything");
}
