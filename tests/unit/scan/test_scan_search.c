/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of scan_search.c: a whole buffer at once. Run by anybody. */
#include "scan_world.h"

#include <inttypes.h>

Test(scan_search, finds_all_in_order)
{
	const struct scan_value values[] = { value_of("a", "first-secret"),
					     value_of("b", "second-secret") };
	static const char text[] = "second-secret, terces-tsrif and Zmlyc3Qtc2VjcmV0";
	struct world w;

	begin(&w, values, 2);
	cr_assert_eq(scanner_search(w.scanner, text, strlen(text), world_found, &w), true);
	cr_assert_eq(w.count, 3u);
	cr_assert_eq(w.found[0].item, 1u);
	cr_assert_eq(w.found[0].form, SCAN_RAW);
	cr_assert_eq(w.found[0].offset, 0u);
	cr_assert_eq(w.found[0].len, 13u);
	cr_assert_eq(w.found[1].item, 0u);
	cr_assert_eq(w.found[1].form, SCAN_REVERSED);
	cr_assert_eq(w.found[1].offset, 15u);
	cr_assert_eq(w.found[2].item, 0u);
	cr_assert_eq(w.found[2].form, SCAN_BASE64);
	cr_assert_eq(w.found[2].offset, 32u);
	cr_assert_eq(w.found[2].len, 16u);
	end(&w);
}

Test(scan_search, ends_when_enough_was_found)
{
	const struct scan_value value = value_of("a", "first-secret");
	static const char text[] = "first-secret first-secret first-secret";
	struct world w;

	begin(&w, &value, 1);
	w.stop_at = 2;
	cr_assert_eq(scanner_search(w.scanner, text, strlen(text), world_found, &w), false);
	cr_assert_eq(w.count, 2u);
	end(&w);
}

Test(scan_search, nothing_in_nothing)
{
	const struct scan_value value = value_of("a", "first-secret");
	struct world w;

	begin(&w, &value, 1);
	cr_assert_eq(scanner_search(w.scanner, "", 0, world_found, &w), true);
	cr_assert_eq(scanner_search(w.scanner, "first-secre", 11, world_found, &w), true);
	cr_assert_eq(w.count, 0u);
	end(&w);
}

/* Two values begin alike, one is in the other: the longest at each place, none within another. */
Test(scan_search, the_longest_at_each_place)
{
	const struct scan_value values[] = { value_of("stem", "token-abc"),
					     value_of("long", "token-abcdef"),
					     value_of("inner", "abcdef") };
	static const char text[] = "token-abc token-abcdef token-abcdeg abcdef";
	struct world w;

	begin(&w, values, 3);
	cr_assert_eq(scanner_search(w.scanner, text, strlen(text), world_found, &w), true);
	cr_assert_eq(w.count, 4u);
	cr_assert_eq(w.found[0].item, 0u);
	cr_assert_eq(w.found[1].item, 1u);
	cr_assert_eq(w.found[1].offset, 10u);
	cr_assert_eq(w.found[2].item, 0u);
	cr_assert_eq(w.found[2].offset, 23u);
	cr_assert_eq(w.found[3].item, 2u);
	cr_assert_eq(w.found[3].offset, 36u);
	end(&w);
}

/* ---- beside a search that tries everything --------------------------------------------------- */

/* One of the ways in which that value can be written in that shape, a line break now and then. */
static void
write_value(struct buf *out, const struct scan_pattern *p, uint32_t *seed)
{
	const unsigned int often = 1 + next_random(seed) % 60;
	size_t line = LINE_MIN;

	for (size_t unit = 0; unit < p->units;) {
		struct scan_way ways[WAYS_MAX];
		const bool breaks = line >= LINE_MIN && next_random(seed) % often == 0;
		const unsigned int count = scan_ways(p, unit, breaks, ways);
		const struct scan_way *way = &ways[next_random(seed) % count];

		cr_assert_leq(count, WAYS_MAX);
		cr_assert_leq(way->len, WAY_MAX);
		for (unsigned int i = 0; i < way->len; i++) {
			const bool upper = (way->either >> i & 1) != 0 && next_random(seed) % 2;

			buf_putc(out, (char)(way->text[i] - (upper ? 0x20 : 0)));
		}
		line = way->breaks ? 0 : line + way->len;
		unit += way->step;
	}
}

/* Values in all shapes, whole, cut and spoiled, with something between them or nothing. */
static void
write_text(struct buf *out, const struct scanner *s, uint32_t *seed)
{
	static const char noise[] = "aA0-/\n\\%u :x=+";

	for (int i = 0; i < 12; i++) {
		const size_t before = out->len;

		write_value(out, &s->pattern[next_random(seed) % s->patterns], seed);
		if (next_random(seed) % 4 == 0) {
			out->len -= next_random(seed) % (out->len - before);
		} else if (next_random(seed) % 8 == 0) {
			out->data[before + next_random(seed) % (out->len - before)] ^= 1;
		}
		for (uint32_t k = next_random(seed) % 20; k > 0 && next_random(seed) % 3 != 0;
		     k--) {
			buf_putc(out, noise[next_random(seed) % (sizeof(noise) - 1)]);
		}
	}
}

/* The next match that is not in one before, from a place on; false when there is none. */
static bool
slow_next(const struct scanner *s, const struct buf *text, size_t *at, size_t *match_end,
	  struct scan_match *ret)
{
	for (; *at < text->len; ++*at) {
		size_t longest = 0;

		for (unsigned int i = 0; i < s->patterns; i++) {
			const size_t len =
				scan_match_at(&s->pattern[i], text->data + *at, text->len - *at);

			if (len != SCAN_MORE && len > longest) {
				longest = len;
				ret->item = s->pattern[i].item;
				ret->form = scan_shapes[s->pattern[i].shape].form;
			}
		}
		if (longest > 0 && *at + longest > *match_end) {
			ret->offset = *at;
			ret->len = longest;
			*match_end = *at + longest;
			++*at;
			return true;
		}
	}
	return false;
}

Test(scan_search, as_a_search_that_tries_everything)
{
	uint32_t seed = 4711;
	unsigned int found = 0;

	for (int round = 0; round < 400; round++) {
		const size_t count = 1 + next_random(&seed) % 3;
		const unsigned int base = next_random(&seed) % 3 * 64, span = 64 + round % 64;
		struct scan_value values[3];
		uint8_t bytes[3][90];
		size_t at = 0, match_end = 0;
		auto_buf text = BUF_INIT;
		auto_buf whole = BUF_INIT;
		struct scan_match want;
		struct world w;

		for (size_t i = 0; i < count; i++) {
			values[i] =
				(struct scan_value){ "v", bytes[i],
						     6 + next_random(&seed) % (round % 84 + 1) };
			for (size_t k = 0; k < values[i].len; k++) {
				bytes[i][k] = (uint8_t)(base + next_random(&seed) % span);
			}
			bytes[i][values[i].len - 1] |= 0x10; /* no newline */
		}
		begin(&w, values, count);
		write_text(&text, w.scanner, &seed);
		cr_assert_eq(scanner_search(w.scanner, text.data, text.len, world_found, &w), true);
		for (unsigned int i = 0; i < w.count; i++) {
			cr_assert(slow_next(w.scanner, &text, &at, &match_end, &want));
			cr_assert_eq(w.found[i].offset, want.offset, "round %d", round);
			cr_assert_eq(w.found[i].len, want.len);
			cr_assert_eq(w.found[i].item, want.item);
			cr_assert_eq(w.found[i].form, want.form);
		}
		cr_assert_eq(slow_next(w.scanner, &text, &at, &match_end, &want), false,
			     "round %d: missed at %" PRIu64, round, want.offset);
		found += w.count;
		/* and the same in a stream, in pieces */
		feed(&w, text.data, text.len, &(size_t){ text.len }, 1);
		buf_put(&whole, w.out.data, w.out.len);
		for (size_t piece = 1; piece < 64; piece = piece * 3 + 1) {
			expect_bytes(&w, &text, &piece, 1, &whole);
		}
		end(&w);
	}
	cr_assert_gt(found, 2000u, "too few to say anything");
}
