/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../launcher/snapshot/changes_internal.h"

Test(changes_meta, round_trip)
{
	static const uint8_t want[] = "airlock-meta v1\n"
				      "\2\0\0\0"
				      "\5\0\0\0\0\0\0\0\3\0\0\0abc\0"
				      "\377\377\377\377\377\377\377\377\0\0\0\0";
	uint8_t attributes[] = { 'a', 'b', 'c' };
	struct change items[2] = {
		{ .lower_mtime_ns = 5,
		  .attributes_before = attributes,
		  .attributes_before_len = 3 },
		{ .lower_mtime_ns = -1 },
	};
	struct change_set set = { .items = items, .count = 2 };
	struct change_set read = { .items = calloc(2, sizeof(struct change)),
				   .count = 2,
				   .cap = 2 };
	auto_buf text = BUF_INIT;

	cr_assert_eq(changes_meta_write(&set, &text), 0);
	cr_assert_eq(text.len, sizeof(want)); /* the last NUL is the second blob's */
	cr_expect_arr_eq(text.data, want, sizeof(want));
	for (size_t len = 0; len < text.len; len++) {
		struct change one[2] = { { .path = NULL } };
		struct change_set cut = { .items = one, .count = 2 };

		cr_expect_eq(changes_meta_read(text.data, len, &cut), -EBADMSG, "%zu", len);
		free(one[0].attributes_before);
		free(one[1].attributes_before);
	}
	cr_assert_eq(changes_meta_read(text.data, text.len, &read), 0);
	cr_expect_eq(read.items[0].lower_mtime_ns, 5);
	cr_expect_eq(read.items[0].attributes_before_len, 3u);
	cr_expect_arr_eq(read.items[0].attributes_before, attributes, 3);
	cr_expect_eq(read.items[1].lower_mtime_ns, -1);
	cr_expect_null(read.items[1].attributes_before);
	/* of another set */
	read.count = 1;
	cr_expect_eq(changes_meta_read(text.data, text.len, &read), -EBADMSG);
	read.count = 2;
	changes_finish(&read);
}
