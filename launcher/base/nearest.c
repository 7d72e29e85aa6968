/* SPDX-License-Identifier: Apache-2.0 */
/* Edit distance between short words. Leaf code; anybody runs it, on any text. */
#include "nearest.h"

#include <string.h>

#define WORD_MAX 48u /* longer words have no near name */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Insertions, deletions, replacements and swaps of neighbours between two words of at most
 * WORD_MAX.
 */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++) {
		rows[0][j] = j;
	}
	for (size_t i = 1; i <= a_len; i++) {
		size_t *now = rows[i % 3], *one = rows[(i + 2) % 3], *two = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;

			now[j] = least(least(one[j], now[j - 1]) + 1, one[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
				now[j] = least(now[j], two[j - 2] + 1);
			}
		}
	}
	return rows[a_len % 3][b_len];
}

const char *
nearest_name(const char *word, const char *const *names, size_t count)
{
	size_t word_len = strlen(word), best_cost = WORD_MAX;
	const char *best = NULL;

	if (word_len == 0 || word_len > WORD_MAX) {
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(names[i]), cost, allowed;

		if (len == 0 || len > WORD_MAX) {
			continue;
		}
		cost = distance(word, word_len, names[i], len);
		allowed = (len > word_len ? len : word_len) / 3;
		allowed = allowed == 0 ? 1 : allowed;
		if (cost <= allowed && cost < best_cost && cost < len) {
			best_cost = cost;
			best = names[i];
		}
	}
	return best;
}
