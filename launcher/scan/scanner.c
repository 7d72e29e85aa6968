/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the supervisor with the caller's authority, over values that the tool holds as well: they
 * are secret from everybody else. Makes the one mapping and marks what the search asks for.
 */
#include "scanner.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "scan_internal.h"

/* ---- the mapping ----------------------------------------------------------------------------- */

void *
scan_map(size_t *size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t whole = (*size + page - 1) / page * page;
	void *map = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED) {
		return NULL;
	}
	if (madvise(map, whole, MADV_DONTDUMP) < 0 || madvise(map, whole, MADV_WIPEONFORK) < 0) {
		const int code = errno;

		munmap(map, whole);
		errno = code;
		return NULL;
	}
	ignore_err(mlock(map, whole),
		   "RLIMIT_MEMLOCK may be small; then it is as safe as the rest");
	*size = whole;
	return map;
}

void
scan_unmap(void *map, size_t size)
{
	if (map != NULL) {
		explicit_bzero(map, size);
		munmap(map, size);
	}
}

/* ---- what is looked for ---------------------------------------------------------------------- */

static void
set_bit(uint8_t *bits, uint32_t at)
{
	bits[at / 8] |= (uint8_t)(1u << (at % 8));
}

/* What is marked: the first bytes of all texts that begin somewhere in a pattern. */
struct marking {
	struct scanner *scanner;
	struct scan_pattern *pattern;
	unsigned int want; /* bytes: GRAM, or 2 */
	bool breaks;	   /* with line breaks in them, one at most */
};

struct start {
	uint8_t text[GRAM];
	unsigned int len;
	bool broken;
};

static void
mark_start(const struct marking *m, const struct start *start)
{
	struct scanner *s = m->scanner;

	if (start->len == 2) {
		set_bit(m->pattern->firsts, start->text[0] | 0x20);
		set_bit(s->pairs, scan_pair(start->text));
		set_bit(s->firsts, start->text[0] | 0x20);
		return;
	}
	for (unsigned int map = 0; map < ARRAY_LEN(s->grams); map++) {
		set_bit(s->grams[map], scan_place(scan_gram(start->text), map));
	}
}

/* Behind `start` come the units from that one on, in all their ways. */
static void
mark_from(const struct marking *m, size_t unit, const struct start *start)
{
	struct scan_way ways[WAYS_MAX];
	unsigned int count;

	if (start->len == m->want) {
		mark_start(m, start);
		return;
	}
	if (unit >= m->pattern->units) {
		return; /* the match is over */
	}
	count = scan_ways(m->pattern, unit, m->breaks && !start->broken, ways);
	for (unsigned int i = 0; i < count; i++) {
		struct start longer = *start;

		longer.broken = start->broken || ways[i].breaks;
		for (unsigned int k = 0; k < ways[i].len && longer.len < m->want; k++) {
			longer.text[longer.len++] = ways[i].text[k];
		}
		mark_from(m, unit + ways[i].step, &longer);
	}
}

static size_t
shortest(const struct scan_way *ways, unsigned int count)
{
	size_t least = ways[0].len;

	for (unsigned int i = 1; i < count; i++) {
		least = ways[i].len < least ? ways[i].len : least;
	}
	return least;
}

/* The grams that begin in a way of a unit, in the first `span` bytes of it. */
static void
mark_way(const struct marking *m, const struct scan_way *way, size_t unit, size_t span)
{
	for (unsigned int from = 0; from < way->len && from < span; from++) {
		struct start start = { .broken = way->breaks };

		for (unsigned int k = from; k < way->len && start.len < GRAM; k++) {
			start.text[start.len++] = way->text[k];
		}
		mark_from(m, unit + way->step, &start);
	}
}

/* The grams that can begin less than `span` behind a match's start. */
static void
mark_grams(const struct marking *m, size_t span)
{
	size_t at = 0; /* at least so far behind the start does the unit begin */

	for (size_t unit = 0; unit < m->pattern->units && at < span;) {
		struct scan_way ways[WAYS_MAX];
		unsigned int count = scan_ways(m->pattern, unit, m->breaks, ways);

		for (unsigned int i = 0; i < count; i++) {
			mark_way(m, &ways[i], unit, span - at);
		}
		at += shortest(ways, count);
		unit += ways[0].step;
	}
}

/* The length of its shortest text without line breaks; counted as far as it matters. */
static size_t
least_text(const struct scan_pattern *p)
{
	size_t len = 0;

	for (size_t unit = 0; unit < p->units && len < LEAST_TEXT_MAX;) {
		struct scan_way ways[WAYS_MAX];
		unsigned int count = scan_ways(p, unit, false, ways);

		len += shortest(ways, count);
		unit += ways[0].step;
	}
	return len;
}

static void
mark_pattern(struct scanner *s, struct scan_pattern *p)
{
	const struct scan_shape *shape = &scan_shapes[p->shape];
	const size_t text_max = (size_t)p->len * shape->widest;
	struct marking m = { .scanner = s, .pattern = p, .want = 2, .breaks = shape->lines };
	/*
	 * With a break in the worst place, and for what stands between, one side of it still has a
	 * stride's worth of grams.
	 */
	const size_t twice = 2 * (s->stride + GRAM) - 3 + strlen(shape->between);
	size_t span = s->stride, reach = s->stride - 1;

	mark_from(&m, 0, &(struct start){ .len = 0 });
	if (shape->lines && least_text(p) >= twice) {
		/* one more: the last that is looked for has one behind it, too */
		span = twice - GRAM + 2;
		reach = span - 2 + BREAK_MAX;
	}
	m.want = GRAM;
	m.breaks = shape->lines && span == s->stride;
	mark_grams(&m, span);
	s->reach = reach > s->reach ? reach : s->reach;
	s->text_max = text_max > s->text_max ? text_max : s->text_max;
}

/* ---- its life -------------------------------------------------------------------------------- */

static int
check_values(const struct scan_value *values, size_t count, struct err *err)
{
	if (count > SCAN_VALUES_MAX) {
		return err_set(err, -E2BIG, "more than %u values to look for", SCAN_VALUES_MAX);
	}
	for (size_t i = 0; i < count; i++) {
		const size_t name = strnlen(values[i].item, SCAN_ITEM_MAX + 1);

		if (name == 0 || name > SCAN_ITEM_MAX) {
			return err_set(err, -EINVAL, "an item's name has %zu bytes", name);
		}
		if (values[i].len > SCAN_VALUE_MAX) {
			return err_set(err, -E2BIG, "%s: more than %u bytes", values[i].item,
				       SCAN_VALUE_MAX);
		}
	}
	return 0;
}

/* Without the newline at its end that a text file has. */
static size_t
looked_for(const struct scan_value *value)
{
	const uint8_t *bytes = value->bytes;
	size_t len = value->len;

	if (len > 0 && bytes[len - 1] == '\n') {
		len--;
		len -= len > 0 && bytes[len - 1] == '\r';
	}
	return len;
}

static size_t
add_value(struct scanner *s, const struct scan_value *value, uint8_t *room)
{
	const size_t len = looked_for(value);
	struct scan_item *item = &s->item[s->items];

	memcpy(item->name, value->item, strlen(value->item));
	item->covered = len >= SCAN_VALUE_MIN;
	memcpy(room, value->bytes, len);
	for (unsigned int shape = 0; item->covered && shape < scan_shape_count; shape++) {
		s->pattern[s->patterns++] = (struct scan_pattern){
			.value = room,
			.len = (uint32_t)len,
			.units = (uint32_t)scan_units(&scan_shapes[shape], len),
			.item = (uint8_t)s->items,
			.shape = (uint8_t)shape,
		};
	}
	s->items++;
	return len;
}

int
scanner_create(const struct scan_value *values, size_t count, struct scanner **ret, struct err *err)
{
	const size_t items_size = count * sizeof(struct scan_item);
	const size_t patterns_size = count * SHAPES_MAX * sizeof(struct scan_pattern);
	size_t size = sizeof(struct scanner) + items_size + patterns_size;
	struct scanner *s;
	uint8_t *room;
	int rc = check_values(values, count, err);

	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < count; i++) {
		size += values[i].len;
	}
	s = scan_map(&size);
	if (s == NULL) {
		return err_sys(err, -errno, "memory for the values to look for");
	}
	s->size = size;
	s->pattern = (struct scan_pattern *)(s + 1);
	s->item = (struct scan_item *)((uint8_t *)s->pattern + patterns_size);
	room = (uint8_t *)s->item + items_size;
	for (size_t i = 0; i < count; i++) {
		room += add_value(s, &values[i], room);
	}
	s->stride = STRIDE_MAX;
	for (unsigned int i = 0; i < s->patterns; i++) {
		const size_t stride = least_text(&s->pattern[i]) - GRAM + 1;

		s->stride = stride < s->stride ? stride : s->stride;
	}
	for (unsigned int i = 0; i < s->patterns; i++) {
		mark_pattern(s, &s->pattern[i]);
	}
	s->text_max += (s->text_max / LINE_MIN + 2) * BREAK_MAX;
	*ret = s;
	return 0;
}

void
scanner_destroy(struct scanner *s)
{
	if (s != NULL) {
		scan_unmap(s, s->size);
	}
}

bool
scanner_covers(const struct scanner *s, unsigned int item)
{
	return s->item[item].covered;
}

const char *
scanner_item(const struct scanner *s, unsigned int item)
{
	return s->item[item].name;
}
