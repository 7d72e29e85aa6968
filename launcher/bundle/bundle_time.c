/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli and airlock-credd; the text is a file's or a person's. Pure. */
#include "bundle_time.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static int
digits(const char *p, size_t count)
{
	int value = 0;

	for (size_t i = 0; i < count; i++) {
		if (p[i] < '0' || p[i] > '9') {
			return -1;
		}
		value = value * 10 + (p[i] - '0');
	}
	return value;
}

int
bundle_time_parse(const char *text, uint64_t *ret_ms)
{
	static const char shape[] = "0000-00-00T00:00:00Z";
	struct tm tm = { .tm_isdst = 0 };
	char again[BUNDLE_TIME_SIZE];
	uint64_t ms;
	time_t at;

	if (strlen(text) != sizeof(shape) - 1) {
		return -EINVAL;
	}
	for (size_t i = 0; i < sizeof(shape) - 1; i++) {
		if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i]) {
			return -EINVAL;
		}
	}
	tm.tm_year = digits(text, 4) - 1900;
	tm.tm_mon = digits(text + 5, 2) - 1;
	tm.tm_mday = digits(text + 8, 2);
	tm.tm_hour = digits(text + 11, 2);
	tm.tm_min = digits(text + 14, 2);
	tm.tm_sec = digits(text + 17, 2);
	at = timegm(&tm);
	if (at <= 0) {
		return -EINVAL;
	}
	ms = (uint64_t)at * 1000u;
	/* the 31st of a short month is no day */
	if (bundle_time_print(ms, again) < 0 || strcmp(again, text) != 0) {
		return -EINVAL;
	}
	*ret_ms = ms;
	return 0;
}

int
bundle_time_print(uint64_t ms, char ret_text[BUNDLE_TIME_SIZE])
{
	const time_t at = (time_t)(ms / 1000u);
	struct tm tm;

	if (gmtime_r(&at, &tm) == NULL || tm.tm_year > 9999 - 1900 ||
	    strftime(ret_text, BUNDLE_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		return -EINVAL;
	}
	return 0;
}
