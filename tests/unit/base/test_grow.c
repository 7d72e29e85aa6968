/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`. */
#include "../../../launcher/base/grow.h"

#include <criterion/criterion.h>
#include <stdint.h>

Test(grow, by_doubling)
{
	size_t cap = 0, moved = 0;
	uint64_t *items = NULL;

	for (size_t i = 0; i < 1000; i++) {
		size_t before = cap;
		uint64_t *grown = grow_array(items, i, &cap, sizeof(*grown));

		cr_assert_not_null(grown);
		cr_assert_gt(cap, i);
		moved += cap != before;
		items = grown;
		items[i] = i;
	}
	for (size_t i = 0; i < 1000; i++) {
		cr_assert_eq(items[i], i);
	}
	cr_expect_eq(cap, 1024u);
	cr_expect_eq(moved, 7u);
	free(items);
}
