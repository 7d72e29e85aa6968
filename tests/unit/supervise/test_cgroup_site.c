/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The bytes of a site. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/supervise/cgroup.h"
#include "../../../launcher/supervise/cgroup_internal.h"

static void
example(struct cgroup_site *site, struct buf *bytes)
{
	cr_assert_eq(cgroup_site_init(site), 0);
	site->version = CGROUP_V1;
	site->missing = DEGRADE_CGROUP_CPU;
	for (unsigned int c = CTL_MEMORY; c <= CTL_PIDS; c++) {
		free(site->parent[c]);
		site->parent[c] = strdup(c == CTL_MEMORY ? "/m/airlock" : "/p/x y/airlock");
	}
	cr_assert_eq(cgroup_site_because(site, "no %s", "cpu"), 0);
	cgroup_site_encode(site, bytes);
	cr_assert_eq(buf_error(bytes), 0);
}

Test(cgroup_site, round_trip)
{
	struct cgroup_site site, back;
	auto_buf bytes = BUF_INIT;

	example(&site, &bytes);
	cr_assert_eq(cgroup_site_decode(bytes.data, bytes.len, &back), 0);
	cr_expect_eq(back.version, CGROUP_V1);
	cr_expect_eq(back.missing, DEGRADE_CGROUP_CPU);
	cr_expect_str_eq(back.parent[CTL_MEMORY], "/m/airlock");
	cr_expect_str_eq(back.parent[CTL_PIDS], "/p/x y/airlock");
	cr_expect_str_eq(back.parent[CTL_CPU], "");
	cr_expect_str_eq(back.parent[CTL_CPUACCT], "");
	cr_expect_str_eq(back.parent[CTL_FREEZER], "");
	cr_expect_str_eq(back.why, "no cpu");
	cgroup_site_finish(&back);
	cgroup_site_finish(&site);
}

Test(cgroup_site, every_truncation_is_refused)
{
	struct cgroup_site site, back = { .missing = 99 };
	auto_buf bytes = BUF_INIT;

	example(&site, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		/* exactly len bytes, so that ASan sees a read behind them */
		auto_free uint8_t *cut = malloc(len != 0 ? len : 1);

		cr_assert_not_null(cut);
		memcpy(cut, bytes.data, len);
		cr_expect_eq(cgroup_site_decode(cut, len, &back), -EBADMSG, "length %zu", len);
	}
	buf_u8(&bytes, 0);
	cr_expect_eq(cgroup_site_decode(bytes.data, bytes.len, &back), -EBADMSG);
	cr_expect_eq(back.missing, 99);
	cgroup_site_finish(&site);
}

Test(cgroup_site, wrong_bytes_are_refused)
{
	/* offset in the bytes of example(): magic 4, version, hierarchy, missing 4, count, then the
	 * length of the first path 4 and its text */
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {
		{ 0, 'X' },   { 4, 2 },	   { 5, CGROUP_VERSION__COUNT },
		{ 6, 0x0c },  { 9, 1 },	   { 10, CTL__COUNT - 1 },
		{ 14, 0xff }, { 15, 'm' }, { 16, 0 },
	};
	struct cgroup_site site, back;
	auto_buf bytes = BUF_INIT;

	example(&site, &bytes);
	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t kept = bytes.data[rows[i].at];

		cr_assert_neq(kept, rows[i].value);
		bytes.data[rows[i].at] = rows[i].value;
		cr_expect_eq(cgroup_site_decode(bytes.data, bytes.len, &back), -EBADMSG, "row %u",
			     i);
		bytes.data[rows[i].at] = kept;
	}
	cr_assert_eq(cgroup_site_decode(bytes.data, bytes.len, &back), 0);
	cgroup_site_finish(&back);
	cgroup_site_finish(&site);
}

Test(cgroup_site, first_reason_wins)
{
	struct cgroup_site site;

	cr_assert_eq(cgroup_site_init(&site), 0);
	cr_expect_eq(site.missing, DEGRADE_CGROUP);
	cr_assert_eq(cgroup_site_because(&site, "first"), 0);
	cr_assert_eq(cgroup_site_because(&site, "second"), 0);
	cr_expect_str_eq(site.why, "first");
	cgroup_site_finish(&site);
	cgroup_site_finish(&site);
}
