/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Quantities as people write them. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../../../launcher/base/units.h"

#define KEPT 4711u

struct row {
	int (*parse)(const char *text, uint64_t *ret);
	const char *text;
	int result;
	uint64_t value; /* KEPT where the call fails */
};

/* clang-format off */
static const struct row rows[] = {
	{ units_size, "0B", 0, 0 },
	{ units_size, "512B", 0, 512 },
	{ units_size, "1K", 0, 1024 },
	{ units_size, "64KiB", 0, 65536 },
	{ units_size, "3M", 0, 3145728 },
	{ units_size, "16MiB", 0, 16777216 },
	{ units_size, "2G", 0, 2147483648 },
	{ units_size, "2GiB", 0, 2147483648 },
	{ units_size, "1T", 0, UINT64_C(1) << 40 },
	{ units_size, "1TiB", 0, UINT64_C(1) << 40 },
	{ units_size, "18446744073709551615B", 0, UINT64_MAX },
	{ units_size, "18446744073709551616B", -ERANGE, KEPT },
	{ units_size, "16777216TiB", -ERANGE, KEPT },
	{ units_size, "16777215TiB", 0, UINT64_C(16777215) << 40 },
	{ units_size, "512", -EINVAL, KEPT },
	{ units_size, "", -EINVAL, KEPT },
	{ units_size, "KiB", -EINVAL, KEPT },
	{ units_size, "1KB", -EINVAL, KEPT },
	{ units_size, "1kib", -EINVAL, KEPT },
	{ units_size, "1.5GiB", -EINVAL, KEPT },
	{ units_size, "-1B", -EINVAL, KEPT },
	{ units_size, "+1B", -EINVAL, KEPT },
	{ units_size, " 1B", -EINVAL, KEPT },
	{ units_size, "1B ", -EINVAL, KEPT },
	{ units_size, "1 B", -EINVAL, KEPT },
	{ units_size, "010B", -EINVAL, KEPT },
	{ units_size, "0x10B", -EINVAL, KEPT },
	{ units_duration, "0ms", 0, 0 },
	{ units_duration, "500ms", 0, 500 },
	{ units_duration, "30s", 0, 30000 },
	{ units_duration, "10m", 0, 600000 },
	{ units_duration, "2h", 0, 7200000 },
	{ units_duration, "1d", 0, 86400000 },
	{ units_duration, "30", -EINVAL, KEPT },
	{ units_duration, "1w", -EINVAL, KEPT },
	{ units_duration, "1h30m", -EINVAL, KEPT },
	{ units_duration, "213503982335d", -ERANGE, KEPT },
	{ units_percent, "200%", 0, 200 },
	{ units_percent, "0%", 0, 0 },
	{ units_percent, "200", -EINVAL, KEPT },
	{ units_percent, "%", -EINVAL, KEPT },
	{ units_percent, "200%%", -EINVAL, KEPT },
	{ units_count, "512", 0, 512 },
	{ units_count, "0", 0, 0 },
	{ units_count, "512B", -EINVAL, KEPT },
	{ units_count, "", -EINVAL, KEPT },
	{ units_count, "1e3", -EINVAL, KEPT },
	{ units_count, "99999999999999999999", -ERANGE, KEPT },
};
/* clang-format on */

Test(units, parse_rows)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t v = KEPT;

		cr_expect_eq(rows[i].parse(rows[i].text, &v), rows[i].result, "\"%s\"",
			     rows[i].text);
		cr_expect_eq(v, rows[i].value, "\"%s\"", rows[i].text);
	}
}

Test(units, print_is_exact_and_reads_back)
{
	/* clang-format off */
	static const struct {
		void (*print)(struct buf *b, uint64_t v);
		uint64_t value;
		const char *text;
	} shown[] = {
		{ units_print_size, 0, "0B" },
		{ units_print_size, 1, "1B" },
		{ units_print_size, 1023, "1023B" },
		{ units_print_size, 1024, "1KiB" },
		{ units_print_size, 1536, "1536B" },
		{ units_print_size, 2560 * 1024, "2560KiB" },
		{ units_print_size, UINT64_C(2) << 30, "2GiB" },
		{ units_print_size, UINT64_C(3) << 40, "3TiB" },
		{ units_print_size, UINT64_MAX, "18446744073709551615B" },
		{ units_print_duration, 0, "0ms" },
		{ units_print_duration, 500, "500ms" },
		{ units_print_duration, 90000, "90s" },
		{ units_print_duration, 600000, "10m" },
		{ units_print_duration, 86400000, "1d" },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		auto_buf b = BUF_INIT;
		uint64_t back = KEPT;
		int r;

		shown[i].print(&b, shown[i].value);
		cr_expect_str_eq(buf_text(&b), shown[i].text);
		r = shown[i].print == units_print_size ? units_size(buf_text(&b), &back) :
							 units_duration(buf_text(&b), &back);
		cr_expect_eq(r, 0, "%s", shown[i].text);
		cr_expect_eq(back, shown[i].value, "%s", shown[i].text);
	}
}
