/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files of this directory.
 *
 * A pattern is one value in one shape: a row of units, each with the few ways in which it can be
 * written. Nothing of it is spelled out beforehand; scan_ways says what may stand at a unit.
 *
 * The search looks at every STRIDE-th place of the text only. Whatever is matched, there is a gram
 * (four bytes, letters in lower case) at such a place within `reach` of its start, and all grams
 * that can be there are marked in two bitmaps. Where one is found, every start that it allows is
 * tried in full. The stride follows from the shortest pattern.
 *
 * A line break may come anywhere in some shapes, but once in LINE_MIN characters. Where the pattern
 * is long enough, one of two strides in a row has a gram without it: twice the reach. Where it is
 * not, the grams with a break in them are marked as well.
 */
#ifndef AIRLOCK_SCAN_INTERNAL_H
#define AIRLOCK_SCAN_INTERNAL_H

#include "scanner.h"

#define GRAM 4u
#define GRAM_BITS 17u
#define STRIDE_MAX 16u
#define LINE_MIN 40u
#define LEAST_TEXT_MAX ((size_t)64) /* how long a pattern is matters up to there */
#define BREAK_MAX 4u		    /* the longest line break: \r\n as a JSON string has it */
#define BETWEEN_MAX 2u
#define WAYS_MAX 16u
#define WAY_MAX 12u

struct scan_way {
	uint8_t text[WAY_MAX];
	uint8_t len;
	uint8_t step;	 /* units of the pattern that it is: the same for all ways of one */
	uint16_t either; /* bit i: text[i] is a letter that may be upper case as well */
	bool breaks;	 /* begins with a line break */
};

struct scan_pattern {
	const uint8_t *value; /* in the mapping */
	uint32_t len, units;
	uint8_t item, shape;
	uint8_t firsts[256 / 8]; /* the first bytes of its matches, in lower case */
};

/* What a form's spelling knows: fills ways, without separators and breaks; returns how many. */
typedef unsigned int scan_spell(const struct scan_pattern *p, size_t unit, struct scan_way *ways);

struct scan_shape {
	enum scan_form form;
	scan_spell *spell;
	uint8_t alignment;
	const char *between;
	bool lines;
	uint8_t widest;
};

#define SHAPES_MAX 16u
extern const struct scan_shape scan_shapes[];
extern const unsigned int scan_shape_count;

struct scan_item {
	char name[SCAN_ITEM_MAX + 1];
	bool covered;
};

struct scanner {
	size_t size;	 /* of the mapping, which begins here */
	size_t text_max; /* no match is longer */
	size_t stride;
	size_t reach; /* a match begins at most so far before a gram of it */
	unsigned int items, patterns;
	struct scan_item *item;
	struct scan_pattern *pattern;
	uint8_t grams[2][(1u << GRAM_BITS) / 8];
	uint8_t pairs[(1u << 16) / 8]; /* the first two bytes of a match, in lower case */
	uint8_t firsts[256 / 8];
};

/* How many units a value has in that shape. */
size_t scan_units(const struct scan_shape *shape, size_t len);
/* What may stand at that unit; with breaks: behind the end of a line, too, in shapes with lines. */
unsigned int
scan_ways(const struct scan_pattern *p, size_t unit, bool breaks, struct scan_way ways[WAYS_MAX]);

/* The text ends before it is clear whether it is a match. */
#define SCAN_MORE SIZE_MAX
/* The length of the match that begins there; 0: none. */
size_t scan_match_at(const struct scan_pattern *p, const uint8_t *text, size_t len);

struct scan_walk {
	const struct scanner *scanner;
	const uint8_t *text;
	size_t len;
	size_t end; /* only what begins before this */
	bool last;  /* nothing comes behind text */
	/* For each start in order the longest match. False: enough. */
	bool (*match)(void *arg, size_t at, size_t len, const struct scan_pattern *p);
	void *arg;
};

/* The first start that is not decided: end when all are, or where match() had enough. */
size_t scan_walk(const struct scan_walk *w);

/* A mapping for what must not stay behind; NULL with errno. Its size is rounded up to pages. */
void *scan_map(size_t *size);
void scan_unmap(void *map, size_t size);

/* Four bytes as the bitmaps take them: in lower case, and two places of them. */
__attribute__((always_inline)) static inline uint32_t
scan_gram(const uint8_t *text)
{
	uint32_t gram;

	__builtin_memcpy(&gram, text, sizeof(gram));
	return gram | 0x20202020u;
}

__attribute__((always_inline)) static inline uint32_t
scan_place(uint32_t gram, unsigned int map)
{
	return gram * (map == 0 ? 0x9e3779b1u : 0x85ebca6bu) >> (32 - GRAM_BITS);
}

static inline bool
scan_bit(const uint8_t *bits, uint32_t at)
{
	return (bits[at / 8] >> (at % 8) & 1) != 0;
}

static inline uint32_t
scan_pair(const uint8_t *text)
{
	return (uint32_t)(text[0] | 0x20) << 8 | (text[1] | 0x20);
}

#endif
