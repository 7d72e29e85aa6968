/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The set of digests. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/store/digest_set.h"

Test(digest_set, grows_and_keeps_all)
{
	struct digest_set *set = digest_set_create(0);
	uint8_t digest[SHA256_SIZE];

	cr_assert_not_null(set);
	for (uint32_t i = 0; i < 5000; i++) {
		sha256_of(&i, sizeof(i), digest);
		cr_assert_eq(digest_set_has(set, digest), false, "%u", i);
		cr_assert_eq(digest_set_add(set, digest), 0);
		cr_assert_eq(digest_set_add(set, digest), 0);
		cr_assert_eq(digest_set_has(set, digest), true, "%u", i);
	}
	cr_expect_eq(digest_set_count(set), 5000u);
	for (uint32_t i = 0; i < 10000; i++) {
		sha256_of(&i, sizeof(i), digest);
		cr_assert_eq(digest_set_has(set, digest), i < 5000, "%u", i);
	}
	digest_set_destroy(set);
}

/* All start at the same slot, the last one of the table. */
Test(digest_set, collisions_wrap_around)
{
	struct digest_set *set = digest_set_create(10);
	uint8_t digest[SHA256_SIZE];

	cr_assert_not_null(set);
	memset(digest, 0xff, sizeof(digest));
	for (uint8_t i = 0; i < 30; i++) {
		digest[31] = i;
		cr_assert_eq(digest_set_has(set, digest), false);
		cr_assert_eq(digest_set_add(set, digest), 0);
	}
	for (uint8_t i = 0; i < 60; i++) {
		digest[31] = i;
		cr_expect_eq(digest_set_has(set, digest), i < 30, "%u", i);
	}
	cr_expect_eq(digest_set_count(set), 30u);
	digest_set_destroy(set);
}

Test(digest_set, zeros_are_nobody)
{
	struct digest_set *set = digest_set_create(1);
	static const uint8_t zeros[SHA256_SIZE];

	cr_assert_not_null(set);
	cr_expect_eq(digest_set_add(set, zeros), -EINVAL);
	cr_expect_eq(digest_set_has(set, zeros), false);
	cr_expect_eq(digest_set_count(set), 0u);
	digest_set_destroy(set);
}

Test(digest_set, impossible_size_is_refused)
{
	cr_expect_null(digest_set_create(SIZE_MAX));
	digest_set_destroy(NULL);
}
