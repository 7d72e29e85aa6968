/* SPDX-License-Identifier: Apache-2.0 */
/* view_when.c: moments as a person names them. Run by `make unit`. */
#include "../../../launcher/cli/view_when.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define NOW 1750000100500u /* 2025-06-15 15:08:20.500 UTC */
#define DAY 86400000u
#define MIDNIGHT 1749945600000u /* 2025-06-15 00:00 UTC */

struct row {
	const char *text;
	uint64_t begin, end; /* in ms; begin 0: it is none */
};

static void
expect_rows(const char *zone, const struct row *rows, size_t count)
{
	setenv("TZ", zone, 1);
	tzset();
	for (size_t i = 0; i < count; i++) {
		int code = rows[i].begin > 0 ? 0 : -EINVAL;
		uint64_t begin = 0, end = 0;

		cr_expect_eq(when_read(rows[i].text, NOW, false, &begin), code, "%s", rows[i].text);
		cr_expect_eq(when_read(rows[i].text, NOW, true, &end), code, "%s", rows[i].text);
		cr_expect_eq(begin, rows[i].begin, "%s: %llu", rows[i].text,
			     (unsigned long long)begin);
		cr_expect_eq(end, rows[i].end, "%s: %llu", rows[i].text, (unsigned long long)end);
	}
}

Test(view_when, what_is_a_moment)
{
	static const struct row rows[] = {
		{ "0s", NOW, NOW },
		{ "90m", NOW - 5400000, NOW - 5400000 },
		{ "2h", NOW - 7200000, NOW - 7200000 },
		{ "3d", NOW - 3 * DAY, NOW - 3 * DAY },
		{ "2025-06-15", MIDNIGHT, MIDNIGHT + DAY },
		{ "today", MIDNIGHT, MIDNIGHT + DAY },
		{ "yesterday", MIDNIGHT - DAY, MIDNIGHT },
		{ "2024-02-29", 1709164800000, 1709251200000 },
		{ "2025-06-15T15:08:20Z", 1750000100000, 1750000101000 },
		{ "2025-06-15t15:08:20z", 1750000100000, 1750000101000 },
		{ "2025-06-15 15:08:20", 1750000100000, 1750000101000 },
		{ "2025-06-15T15:08:20.5Z", NOW, NOW + 1 },
		{ "2025-06-15T15:08:20.500999Z", NOW, NOW + 1 },
		{ "2025-06-15T15:08:20.000Z", 1750000100000, 1750000100001 },
		{ "2025-06-15T15:08", 1750000080000, 1750000140000 },
		{ "2025-06-15T17:08:20+02:00", 1750000100000, 1750000101000 },
		{ "2025-06-15T09:38:20-05:30", 1750000100000, 1750000101000 },
		{ "2025-06-30T23:59:60Z", 1751328000000, 1751328001000 },
	};

	expect_rows("UTC", rows, ARRAY_LEN(rows));
}

Test(view_when, what_is_none)
{
	static const struct row rows[] = {
		{ "", 0, 0 },
		{ "now", 0, 0 },
		{ "2", 0, 0 },
		{ "2 h", 0, 0 },
		{ "-2h", 0, 0 },
		{ "99999999999999999999d", 0, 0 },
		{ "tomorrow", 0, 0 },
		{ "2025-6-15", 0, 0 },
		{ "2025-02-29", 0, 0 },
		{ "2025-06-31", 0, 0 },
		{ "2025-00-10", 0, 0 },
		{ "2025-13-10", 0, 0 },
		{ "2025-06-00", 0, 0 },
		{ "1969-12-31", 0, 0 },
		{ "20250615", 0, 0 },
		{ "2025-06-15T", 0, 0 },
		{ "2025-06-15Z", 0, 0 },
		{ "2025-06-15T15", 0, 0 },
		{ "2025-06-15T24:00", 0, 0 },
		{ "2025-06-15T15:60", 0, 0 },
		{ "2025-06-15T15:08:61", 0, 0 },
		{ "2025-06-15T15:08:20.", 0, 0 },
		{ "2025-06-15T15:08:20+2", 0, 0 },
		{ "2025-06-15T15:08:20+0200", 0, 0 },
		{ "2025-06-15T15:08:20Zz", 0, 0 },
		{ "2025-06-15T15:08:20 UTC", 0, 0 },
	};

	expect_rows("UTC", rows, ARRAY_LEN(rows));
}

Test(view_when, local_days)
{
	/* two hours ahead; the day on which clocks go forward has 23 hours */
	static const struct row rows[] = {
		{ "2025-06-15", MIDNIGHT - 7200000, MIDNIGHT - 7200000 + DAY },
		{ "2025-06-15 17:08:20", 1750000100000, 1750000101000 },
		{ "2025-06-15T15:08:20Z", 1750000100000, 1750000101000 },
		{ "2025-03-30", 1743289200000, 1743289200000 + DAY - 3600000 },
		{ "2025-10-26", 1761429600000, 1761429600000 + DAY + 3600000 },
		{ "today", MIDNIGHT - 7200000, MIDNIGHT - 7200000 + DAY },
	};

	expect_rows("CET-1CEST,M3.5.0,M10.5.0/3", rows, ARRAY_LEN(rows));
}
