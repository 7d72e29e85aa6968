/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_pair.c: small files of two numbers. The spellings are test_store_covered.c's and
 * test_quota.c's.
 */
#include "../../../launcher/store/store_internal.h"
#include "store_temp.h"

Test(store_pair, what_was_written_is_read)
{
	static const uint64_t rows[][2] = { { 0, 0 }, { 1, 10 }, { UINT64_MAX, UINT64_MAX } };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	uint64_t pair[2] = { 7, 7 };

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_expect_eq(store_read_pair(&s, "pair", pair), -ENOENT);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(store_write_pair(&s, "pair", rows[i]), 0);
		cr_assert_eq(store_read_pair(&s, "pair", pair), 0, "row %zu", i);
		cr_expect_eq(pair[0], rows[i][0]);
		cr_expect_eq(pair[1], rows[i][1]);
	}
	cr_expect(!temp_exists(&t, "pair.new"));
}

Test(store_pair, what_a_crash_left_half_written_is_written_over)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	const uint64_t wanted[2] = { 3, 4 };
	uint64_t pair[2] = { 0 };

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	temp_write(&t, "pair.new", "18446744073709551615 184467", 27);
	cr_assert_eq(store_write_pair(&s, "pair", wanted), 0);
	cr_assert_eq(store_read_pair(&s, "pair", pair), 0);
	cr_expect_eq(pair[1], 4u);
}
