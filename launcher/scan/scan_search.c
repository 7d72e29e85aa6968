/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the supervisor with the caller's authority, over bytes that the tool chose. What it costs
 * is the walk over the places where nothing is: a load, a multiplication and a test for every
 * stride. A tool can make it cost more by printing what looks like a value, and slows down itself.
 */
#include "scan_internal.h"

/* ---- one match ------------------------------------------------------------------------------- */

static bool
same_text(const struct scan_way *way, const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const uint8_t c = (way->either >> i & 1) != 0 ? text[i] | 0x20 : text[i];

		if (c != way->text[i]) {
			return false;
		}
	}
	return true;
}

/* The way in which the text goes on; NULL: none. *ret_more: one could, if there were more text. */
static const struct scan_way *
pick_way(const struct scan_way *ways, unsigned int count, const uint8_t *text, size_t len,
	 bool *ret_more)
{
	*ret_more = false;
	for (unsigned int i = 0; i < count; i++) {
		const bool whole = ways[i].len <= len;

		if (same_text(&ways[i], text, whole ? ways[i].len : len)) {
			if (whole) {
				return &ways[i];
			}
			*ret_more = true;
		}
	}
	return NULL;
}

/* Saves most of the ways: a line may end here. */
static bool
near_break(const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len && i < 1 + BETWEEN_MAX; i++) {
		if (text[i] == '\n' || text[i] == '\r' || text[i] == '\\') {
			return true;
		}
	}
	return false;
}

size_t
scan_match_at(const struct scan_pattern *p, const uint8_t *text, size_t len)
{
	const bool lines = scan_shapes[p->shape].lines;
	size_t at = 0, line = LINE_MIN;

	for (size_t unit = 0; unit < p->units;) {
		struct scan_way ways[WAYS_MAX];
		const struct scan_way *way;
		bool breaks, more;

		if (at == len) {
			return SCAN_MORE;
		}
		breaks = lines && line >= LINE_MIN && near_break(text + at, len - at);
		way = pick_way(ways, scan_ways(p, unit, breaks, ways), text + at, len - at, &more);
		if (way == NULL) {
			return more ? SCAN_MORE : 0;
		}
		at += way->len;
		line = way->breaks ? 0 : line + way->len;
		unit += way->step;
	}
	return at;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static bool
may_begin(const struct scan_walk *w, size_t at)
{
	if (at + 1 == w->len) {
		return scan_bit(w->scanner->firsts, w->text[at] | 0x20);
	}
	return scan_bit(w->scanner->pairs, scan_pair(w->text + at));
}

/* The longest match that begins there, 0, or SCAN_MORE when there may be a longer one. */
static size_t
longest_at(const struct scan_walk *w, size_t at, const struct scan_pattern **ret)
{
	size_t longest = 0;

	for (unsigned int i = 0; i < w->scanner->patterns; i++) {
		const struct scan_pattern *p = &w->scanner->pattern[i];
		size_t len;

		if (!scan_bit(p->firsts, w->text[at] | 0x20)) {
			continue;
		}
		len = scan_match_at(p, w->text + at, w->len - at);
		if (len == SCAN_MORE && !w->last) {
			return SCAN_MORE;
		}
		if (len != SCAN_MORE && len > longest) {
			longest = len;
			*ret = p;
		}
	}
	return longest;
}

/* Tries every start from `from` on and before `to`; the first that is not decided, or `to`. */
static size_t
try_starts(const struct scan_walk *w, size_t from, size_t to)
{
	for (size_t at = from; at < to; at++) {
		const struct scan_pattern *p = NULL;
		size_t len = may_begin(w, at) ? longest_at(w, at, &p) : 0;

		if (len == SCAN_MORE || (len > 0 && !w->match(w->arg, at, len, p))) {
			return at;
		}
	}
	return to;
}

/*
 * 1 or 0: a number, so that several are put together without a jump for each. Inlined, and so are
 * the four below, also where the compiler is told to make little code: that halves the time.
 */
__attribute__((always_inline)) static inline unsigned int
may_hit(const uint8_t *grams, const uint8_t *text)
{
	const uint32_t place = scan_place(scan_gram(text), 0);

	return grams[place / 8] >> (place % 8) & 1u;
}

static bool
is_gram(const struct scanner *s, const uint8_t *text)
{
	return may_hit(s->grams[0], text) != 0 &&
	       scan_bit(s->grams[1], scan_place(scan_gram(text), 1));
}

/*
 * A gram that is of a match has one beside it: before it, or behind it where it is the first one,
 * or the first in a line. That tells most of those that are there by chance.
 */
static bool
is_hit(const struct scanner *s, const uint8_t *text, size_t at, size_t end)
{
	return is_gram(s, text + at) && (at + 1 >= end || is_gram(s, text + at + 1) ||
					 (at > 0 && is_gram(s, text + at - 1)));
}

/* The next place in steps of the stride that has a gram; `end` or more when there is none. */
static size_t
next_hit(const struct scanner *s, const uint8_t *text, size_t at, size_t end)
{
	const uint8_t *grams = s->grams[0];
	const size_t one = s->stride, two = 2 * one, three = 3 * one, four = 4 * one;

	while (at < end) {
		for (; at + three < end; at += four) {
			const uint8_t *t = text + at;

			if ((may_hit(grams, t) | may_hit(grams, t + one) | may_hit(grams, t + two) |
			     may_hit(grams, t + three)) != 0) {
				break;
			}
		}
		for (unsigned int i = 0; i < 4 && at < end; i++, at += one) {
			if (is_hit(s, text, at, end)) {
				return at;
			}
		}
	}
	return at;
}

static size_t
back(size_t from, size_t by)
{
	return from > by ? from - by : 0;
}

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
scan_walk(const struct scan_walk *w)
{
	const struct scanner *s = w->scanner;
	/* a gram has room before this, and is of a match that is asked for */
	const size_t end = smaller(back(w->len, GRAM - 1), w->end + s->reach);
	size_t next = 0; /* all starts before it are decided */
	size_t at = s->stride - 1;

	if (s->patterns == 0) {
		return w->end;
	}
	for (at = next_hit(s, w->text, at, end); at < end;
	     at = next_hit(s, w->text, at + s->stride, end)) {
		const size_t to = smaller(at + 1, w->end);

		next = larger(next, back(at, s->reach));
		if (next < to) {
			next = try_starts(w, next, to);
			if (next < to) {
				return next;
			}
		}
	}
	if (!w->last) { /* what begins here may have no gram yet */
		next = larger(next, back(w->len, s->reach + GRAM));
		return next < w->end ? try_starts(w, next, w->end) : w->end;
	}
	return w->end;
}

struct search {
	const struct scanner *scanner;
	scan_found *found;
	void *arg;
	size_t match_end;
};

static bool
on_match(void *arg, size_t at, size_t len, const struct scan_pattern *p)
{
	struct search *search = arg;
	const struct scan_match match = {
		.item = p->item, .form = scan_shapes[p->shape].form, .offset = at, .len = len
	};

	if (at + len <= search->match_end) {
		return true;
	}
	search->match_end = at + len;
	return search->found(search->arg, &match);
}

bool
scanner_search(const struct scanner *s, const void *bytes, size_t len, scan_found *found, void *arg)
{
	struct search search = { .scanner = s, .found = found, .arg = arg };
	const struct scan_walk walk = { .scanner = s,
					.text = bytes,
					.len = len,
					.end = len,
					.last = true,
					.match = on_match,
					.arg = &search };

	return scan_walk(&walk) == len;
}
