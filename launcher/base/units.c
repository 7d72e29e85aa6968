/* SPDX-License-Identifier: Apache-2.0 */
/* Runs everywhere, over text of any origin; no policy, no privileged call. */
#include "units.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* Descending; of equal factors the first is the one that is printed. */
/* clang-format off */
static const struct unit sizes[] = {
	{ "TiB", UINT64_C(1) << 40 },
	{ "T",   UINT64_C(1) << 40 },
	{ "GiB", UINT64_C(1) << 30 },
	{ "G",   UINT64_C(1) << 30 },
	{ "MiB", UINT64_C(1) << 20 },
	{ "M",   UINT64_C(1) << 20 },
	{ "KiB", UINT64_C(1) << 10 },
	{ "K",   UINT64_C(1) << 10 },
	{ "B",   1 },
};
static const struct unit durations[] = {
	{ "d",  UINT64_C(86400000) },
	{ "h",  UINT64_C(3600000) },
	{ "m",  UINT64_C(60000) },
	{ "s",  UINT64_C(1000) },
	{ "ms", 1 },
};
static const struct unit percents[] = {
	{ "%", 1 },
};
static const struct unit counts[] = {
	{ "", 1 },
};
/* clang-format on */

/* Decimal digits without sign or needless zero (010 would be 8 to some readers), then one unit. */
static int
parse(const char *text, const struct unit *units, size_t units_len, uint64_t *ret)
{
	const struct unit *unit = NULL;
	uint64_t v = 0;
	size_t digits = strspn(text, "0123456789");

	for (size_t i = 0; i < units_len && unit == NULL; i++) {
		if (strcmp(text + digits, units[i].name) == 0) {
			unit = &units[i];
		}
	}
	if (digits == 0 || unit == NULL || (digits > 1 && text[0] == '0')) {
		return -EINVAL;
	}
	for (size_t i = 0; i < digits; i++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text[i] - '0'), &v)) {
			return -ERANGE;
		}
	}
	if (__builtin_mul_overflow(v, unit->factor, &v)) {
		return -ERANGE;
	}
	*ret = v;
	return 0;
}

static void
print(struct buf *b, uint64_t v, const struct unit *units, size_t units_len)
{
	const struct unit *unit = &units[units_len - 1];

	for (size_t i = 0; i < units_len && v != 0; i++) {
		if (v % units[i].factor == 0) {
			unit = &units[i];
			break;
		}
	}
	buf_printf(b, "%llu%s", (unsigned long long)(v / unit->factor), unit->name);
}

int
units_size(const char *text, uint64_t *ret_bytes)
{
	return parse(text, sizes, ARRAY_LEN(sizes), ret_bytes);
}

int
units_duration(const char *text, uint64_t *ret_ms)
{
	return parse(text, durations, ARRAY_LEN(durations), ret_ms);
}

int
units_percent(const char *text, uint64_t *ret_percent)
{
	return parse(text, percents, ARRAY_LEN(percents), ret_percent);
}

int
units_count(const char *text, uint64_t *ret_count)
{
	return parse(text, counts, ARRAY_LEN(counts), ret_count);
}

void
units_print_size(struct buf *b, uint64_t bytes)
{
	print(b, bytes, sizes, ARRAY_LEN(sizes));
}

void
units_print_duration(struct buf *b, uint64_t ms)
{
	print(b, ms, durations, ARRAY_LEN(durations));
}

void
units_print_percent(struct buf *b, uint64_t percent)
{
	buf_printf(b, "%llu%%", (unsigned long long)percent);
}

void
units_print_count(struct buf *b, uint64_t count)
{
	buf_printf(b, "%llu", (unsigned long long)count);
}
