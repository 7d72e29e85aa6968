/* SPDX-License-Identifier: Apache-2.0 */
/* What keys were used for, counted and as bytes: run as the developer or CI. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/credd/uses.h"

Test(uses, the_same_is_counted_and_there_is_no_room_for_more)
{
	struct uses u = { .count = 0 };

	for (unsigned int i = 0; i < 3 * (USES_MAX + 2); i++) {
		struct use use = { .kind = USE_LOGIN, .what = "a" };

		use.what[0] = (char)('a' + i % (USES_MAX + 2));
		cr_expect_eq(uses_have_room(&u, &use), i % (USES_MAX + 2) < USES_MAX, "%u", i);
		uses_add(&u, &use);
	}
	cr_expect_eq(u.signatures, 3u * USES_MAX, "each is one of those that are named");
	cr_assert_eq(u.count, (size_t)USES_MAX);
	for (size_t i = 0; i < USES_MAX; i++) {
		cr_expect_eq(u.rows[i].count, 3u);
		cr_expect_eq(u.rows[i].what[0], (char)('a' + i));
	}
}

Test(uses, each_part_makes_a_difference)
{
	static const struct use different[] = {
		{ .kind = USE_LOGIN, .what = "git" },
		{ .kind = USE_FILE, .what = "git" },
		{ .kind = USE_LOGIN, .what = "gi" },
		{ .kind = USE_LOGIN, .what = "git", .has_host = true },
		{ .kind = USE_LOGIN, .what = "git", .has_host = true, .host = { 1 } },
	};
	struct uses u = { .count = 0 };

	for (size_t i = 0; i < 2 * ARRAY_LEN(different); i++) {
		uses_add(&u, &different[i % ARRAY_LEN(different)]);
	}
	cr_assert_eq(u.count, ARRAY_LEN(different));
	cr_expect_eq(u.rows[4].count, 2u);
	cr_expect_eq(u.rows[4].host[0], 1);
}

static struct uses
sample(void)
{
	struct uses u = { .refusals = 7 };
	struct use use = { .kind = USE_LOGIN, .has_host = true, .host = { 1, 2, 3 } };

	memset(use.what, 'x', USE_WHAT_SIZE - 1);
	uses_add(&u, &use);
	use = (struct use){ .kind = USE_OTHER, .what = "" };
	uses_add(&u, &use);
	return u;
}

Test(uses, what_is_said_is_heard)
{
	const struct uses want = sample();
	auto_buf bytes = BUF_INIT;
	struct uses got;
	struct rd r;

	uses_encode(&want, &bytes);
	buf_u8(&bytes, 9);
	r = (struct rd){ .p = bytes.data, .left = bytes.len };
	cr_assert_eq(uses_decode(&r, &got), 0);
	cr_expect_eq(r.left, 1u, "what follows is left");
	cr_expect_eq(got.signatures, 2u);
	cr_expect_eq(got.refusals, 7u);
	cr_assert_eq(got.count, 2u);
	cr_expect_eq(got.rows[0].kind, USE_LOGIN);
	cr_expect_str_eq(got.rows[0].what, want.rows[0].what);
	cr_expect_eq(got.rows[0].has_host, true);
	cr_expect_eq(memcmp(got.rows[0].host, want.rows[0].host, SHA256_SIZE), 0);
	cr_expect_eq(got.rows[0].count, 1u);
	cr_expect_eq(got.rows[1].kind, USE_OTHER);
	cr_expect_str_eq(got.rows[1].what, "");
	cr_expect_eq(got.rows[1].has_host, false);
}

Test(uses, a_part_of_it_is_none)
{
	const struct uses u = sample();
	auto_buf bytes = BUF_INIT;
	struct uses got;

	uses_encode(&u, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		struct rd r = { .p = bytes.data, .left = len };

		cr_expect_eq(uses_decode(&r, &got), -EBADMSG, "%zu bytes", len);
	}
}

Test(uses, a_kind_a_text_or_a_count_that_is_none)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t byte;
	} wrong[] = {
		{ "rows", 16, USES_MAX + 1 },
		{ "kind", 20, USE__COUNT },
		{ "length", 21, USE_WHAT_SIZE },
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const struct uses u = sample();
		auto_buf bytes = BUF_INIT;
		struct uses got;
		struct rd r;

		uses_encode(&u, &bytes);
		bytes.data[wrong[i].at] = wrong[i].byte;
		r = (struct rd){ .p = bytes.data, .left = bytes.len };
		cr_expect_eq(uses_decode(&r, &got), -EBADMSG, "%s", wrong[i].what);
	}
}
