/* SPDX-License-Identifier: Apache-2.0 */
/* quota.c: the limit of a state directory. Run by `make unit`. */
#include "../../../launcher/store/quota.h"
#include "store_temp.h"

static struct store
open_state(const struct temp *t)
{
	struct store s = STORE_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t->state, &s, &err), 0, "%s", err.text);
	return s;
}

Test(quota, without_a_file_there_is_no_limit)
{
	auto_temp t = temp_make();
	auto_store s = open_state(&t);
	struct quota q = { 7, 7 };
	struct err err = ERR_INIT;

	cr_assert_eq(quota_read(&s, &q, &err), 0, "%s", err.text);
	cr_expect_eq(q.limit_bytes, 0u);
	cr_expect_eq(quota_percent(&q), 0u);
	cr_expect_eq(quota_check(&s, &q, &err), 0);
	cr_assert_eq(quota_update(&s, &err), 0, "%s", err.text);
	cr_expect(!temp_exists(&t, "quota"));
}

Test(quota, the_limit_is_reached_or_not)
{
	static const struct {
		uint64_t limit, used;
		unsigned int percent;
		int code;
	} rows[] = {
		{ 100, 0, 0, 0 },
		{ 100, 79, 79, 0 },
		{ 100, 99, 99, 0 },
		{ 100, 100, 100, -EDQUOT },
		{ 100, 250, 250, -EDQUOT },
		{ 1000, 999, 99, 0 },
		{ UINT64_MAX, UINT64_MAX - 1, 99, 0 },
	};
	struct store s = STORE_INIT;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct quota q = { rows[i].limit, rows[i].used };

		cr_expect_eq(quota_percent(&q), rows[i].percent, "row %zu", i);
		cr_expect_eq(quota_check(&s, &q, &err), rows[i].code, "row %zu", i);
	}
	cr_expect_not_null(strstr(err.text, "`airlock gc --older-than 30d`"));
}

Test(quota, what_is_damaged_is_refused)
{
	static const char *const rows[] = { "",		"1024",	   "1024 1",	      "0 0\n",
					    "1024 x\n", "1K 10\n", "1024 1\n1024 1\n" };
	auto_temp t = temp_make();
	auto_store s = open_state(&t);
	struct quota q;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		temp_write(&t, "quota", rows[i], strlen(rows[i]));
		cr_expect_eq(quota_read(&s, &q, &err), -EBADMSG, "row %zu", i);
		cr_expect_eq(quota_update(&s, &err), -EBADMSG, "row %zu", i);
	}
	temp_write(&t, "quota", "1024 1\n", 7);
	cr_expect_eq(quota_read(&s, &q, &err), 0, "%s", err.text);
	cr_expect_eq(q.limit_bytes, 1024u);
	cr_expect_eq(q.used_bytes, 1u);
}

Test(quota, it_is_set_measured_and_taken_off)
{
	auto_temp t = temp_make();
	auto_store s = open_state(&t);
	static uint8_t data[65536];
	struct quota q, later;
	struct err err = ERR_INIT;

	memset(data, 'x', sizeof(data));
	cr_assert_eq(quota_set(&s, 1u << 30, &err), 0, "%s", err.text);
	cr_assert_eq(quota_read(&s, &q, &err), 0, "%s", err.text);
	cr_expect_eq(q.limit_bytes, 1u << 30);
	cr_expect_gt(q.used_bytes, 0u);
	temp_write(&t, "wf/more", data, sizeof(data));
	cr_assert_eq(quota_update(&s, &err), 0, "%s", err.text);
	cr_assert_eq(quota_read(&s, &later, &err), 0, "%s", err.text);
	cr_expect_eq(later.limit_bytes, 1u << 30);
	cr_expect_geq(later.used_bytes, q.used_bytes + sizeof(data));
	cr_assert_eq(quota_set(&s, 0, &err), 0, "%s", err.text);
	cr_expect(!temp_exists(&t, "quota"));
	cr_expect(!temp_exists(&t, "quota.new"));
}
