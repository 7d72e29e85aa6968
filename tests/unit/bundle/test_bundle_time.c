/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. One spelling per moment. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../../../launcher/bundle/bundle_time.h"

static const struct {
	const char *text;
	uint64_t ms; /* 0: refused */
} rows[] = {
	{ "1970-01-01T00:00:01Z", 1000 },
	{ "2027-01-01T00:00:00Z", 1798761600000 },
	{ "2028-02-29T23:59:59Z", 1835481599000 },
	{ "9999-12-31T23:59:59Z", 253402300799000 },
	{ "1970-01-01T00:00:00Z", 0 },
	{ "2027-02-29T00:00:00Z", 0 },
	{ "2027-13-01T00:00:00Z", 0 },
	{ "2027-01-01T24:00:00Z", 0 },
	{ "2027-01-01T00:00:60Z", 0 },
	{ "2027-01-01 00:00:00Z", 0 },
	{ "2027-01-01T00:00:00", 0 },
	{ "2027-01-01T00:00:00+00:00", 0 },
	{ "2027-01-01T00:00:00z", 0 },
	{ "", 0 },
};

Test(bundle_time, rows)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char again[BUNDLE_TIME_SIZE];
		uint64_t ms = 7;

		cr_expect_eq(bundle_time_parse(rows[i].text, &ms), rows[i].ms > 0 ? 0 : -EINVAL,
			     "%s", rows[i].text);
		cr_expect_eq(ms, rows[i].ms > 0 ? rows[i].ms : 7, "%s", rows[i].text);
		if (rows[i].ms > 0) {
			cr_assert_eq(bundle_time_print(ms + 999, again), 0);
			cr_expect_str_eq(again, rows[i].text);
		}
	}
}

Test(bundle_time, behind_the_year_9999)
{
	char text[BUNDLE_TIME_SIZE];

	cr_expect_eq(bundle_time_print(253402300800000, text), -EINVAL);
	cr_expect_eq(bundle_time_print(UINT64_MAX, text), -EINVAL);
}
