/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. Memory of one call: aligned, zeroed, alive until the end, failure
 * remembered.
 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "../../../launcher/base/arena.h"

Test(arena, empty_finishes)
{
	struct arena a = ARENA_INIT;

	arena_finish(&a);
	cr_expect_null(a.newest);
	cr_expect_eq(arena_failed(&a), false);
}

Test(arena, sizes_around_a_block_are_zeroed_aligned_and_apart)
{
	/* a block holds 8192 bytes; larger ones get a block of their own */
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 4096, 8176, 8191, 8192, 8193, 100000, 1 };
	unsigned char *kept[sizeof(sizes) / sizeof(sizes[0])];
	struct arena a = ARENA_INIT;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		kept[i] = arena_alloc(&a, sizes[i]);
		cr_assert_not_null(kept[i]);
		cr_expect_eq((uintptr_t)kept[i] % _Alignof(max_align_t), 0u, "size %zu", sizes[i]);
		for (size_t at = 0; at < sizes[i]; at++) {
			cr_assert_eq(kept[i][at], 0, "size %zu, byte %zu", sizes[i], at);
		}
		memset(kept[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t at = 0; at < sizes[i]; at++) {
			cr_assert_eq(kept[i][at], i + 1, "size %zu, byte %zu", sizes[i], at);
		}
	}
	cr_expect_eq(arena_failed(&a), false);
	arena_finish(&a);
}

Test(arena, copy_adds_a_nul_and_keeps_inner_ones)
{
	struct arena a = ARENA_INIT;
	char *p = arena_copy(&a, "a\0bX", 3);

	cr_assert_not_null(p);
	cr_expect_eq(memcmp(p, "a\0b", 4), 0);
	p = arena_copy(&a, NULL, 0);
	cr_assert_not_null(p);
	cr_expect_str_eq(p, "");
	arena_finish(&a);
}

Test(arena, texts)
{
	struct arena a = ARENA_INIT;
	char source[] = "text";
	char *copy = arena_string(&a, source);

	source[0] = 'X';
	cr_expect_str_eq(copy, "text");
	cr_expect_str_eq(arena_string(&a, ""), "");
	cr_expect_str_eq(arena_printf(&a, "%s/%d", "dir", 42), "dir/42");
	cr_expect_str_eq(arena_printf(&a, "%s", ""), "");
	arena_finish(&a);
}

Test(arena, a_long_text_is_whole)
{
	struct arena a = ARENA_INIT;
	char *p = arena_printf(&a, "%0*d", 20000, 7);

	cr_assert_not_null(p);
	cr_expect_eq(strlen(p), 20000u);
	cr_expect_str_eq(p + 19998, "07");
	arena_finish(&a);
}

/* Sizes whose rounding or header would wrap around. */
Test(arena, a_wrapping_size_is_refused_and_remembered)
{
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16,
					SIZE_MAX - 31 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct arena a = ARENA_INIT;

		cr_expect_null(arena_alloc(&a, sizes[i]), "size %zx", sizes[i]);
		cr_expect_eq(arena_failed(&a), true, "size %zx", sizes[i]);
		cr_expect_not_null(arena_alloc(&a, 1));
		cr_expect_eq(arena_failed(&a), true, "a later success does not hide it");
		arena_finish(&a);
	}
}

Test(arena, a_copy_of_everything_is_refused_and_remembered)
{
	struct arena a = ARENA_INIT;

	cr_expect_null(arena_copy(&a, "x", SIZE_MAX));
	cr_expect_eq(arena_failed(&a), true);
	arena_finish(&a);
}
