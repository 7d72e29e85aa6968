/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller; the word is the caller's. */
#include "view_when.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "../base/units.h"

#define MS_PER_SECOND 1000

/* A moment as it was written, and how exactly. */
struct stamp {
	struct tm tm;
	int ms;
	int step_s;    /* of what was named: 1; 60; 0: a day */
	bool is_exact; /* to the millisecond, even if that is 0 */
	bool is_utc;   /* an offset was given */
	int offset_s;  /* of that */
};

/* Exactly count digits; -1 when there are fewer. *p moves behind them. */
static int
digits(const char **p, size_t count)
{
	int value = 0;

	for (size_t i = 0; i < count; i++, (*p)++) {
		if (**p < '0' || **p > '9') {
			return -1;
		}
		value = value * 10 + (**p - '0');
	}
	return value;
}

static bool
take(const char **p, char c)
{
	if (**p != c) {
		return false;
	}
	(*p)++;
	return true;
}

static bool
read_date(const char **p, struct stamp *s)
{
	int year = digits(p, 4), month, day;

	if (year < 1970 || !take(p, '-')) {
		return false;
	}
	month = digits(p, 2);
	if (month < 1 || month > 12 || !take(p, '-')) {
		return false;
	}
	day = digits(p, 2);
	s->tm.tm_year = year - 1900;
	s->tm.tm_mon = month - 1;
	s->tm.tm_mday = day;
	return day >= 1 && day <= 31;
}

/* The fraction of a second, of which milliseconds count. */
static bool
read_fraction(const char **p, struct stamp *s)
{
	int scale = 100;

	if (**p < '0' || **p > '9') {
		return false;
	}
	s->is_exact = true;
	for (; **p >= '0' && **p <= '9'; (*p)++, scale /= 10) {
		s->ms += (**p - '0') * scale;
	}
	return true;
}

static bool
read_offset(const char **p, struct stamp *s)
{
	int sign = **p == '-' ? -1 : 1, hours, minutes;

	if (**p == '\0') {
		return true;
	}
	s->is_utc = true;
	if (take(p, 'Z') || take(p, 'z')) {
		return true;
	}
	if (!take(p, '+') && !take(p, '-')) {
		return false;
	}
	hours = digits(p, 2);
	minutes = take(p, ':') ? digits(p, 2) : -1;
	s->offset_s = sign * (hours * 60 + minutes) * 60;
	return hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59;
}

static bool
read_time(const char **p, struct stamp *s)
{
	int hour = digits(p, 2), minute, second = 0;

	minute = take(p, ':') ? digits(p, 2) : -1;
	s->step_s = 60;
	if (take(p, ':')) {
		second = digits(p, 2);
		s->step_s = 1;
		if (take(p, '.') && !read_fraction(p, s)) {
			return false;
		}
	}
	s->tm.tm_hour = hour;
	s->tm.tm_min = minute;
	s->tm.tm_sec = second;
	return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 &&
	       second <= 60 && read_offset(p, s);
}

/* The clock says which day it is where the person is. */
static bool
read_day_word(const char *text, uint64_t now_ms, struct stamp *s)
{
	const time_t now = (time_t)(now_ms / MS_PER_SECOND);
	bool is_yesterday = strcmp(text, "yesterday") == 0;
	struct tm tm;

	if ((!is_yesterday && strcmp(text, "today") != 0) || localtime_r(&now, &tm) == NULL) {
		return false;
	}
	s->tm.tm_year = tm.tm_year;
	s->tm.tm_mon = tm.tm_mon;
	s->tm.tm_mday = tm.tm_mday - (is_yesterday ? 1 : 0);
	return true;
}

static bool
read_stamp(const char *text, struct stamp *s)
{
	const char *p = text;

	if (!read_date(&p, s)) {
		return false;
	}
	if (*p == '\0') {
		return true;
	}
	return (take(&p, 'T') || take(&p, 't') || take(&p, ' ')) && read_time(&p, s) && *p == '\0';
}

/* Seconds; -1: there is no such day. */
static time_t
seconds_of(const struct stamp *s, bool is_end)
{
	struct tm tm = s->tm, same = s->tm;
	time_t day;

	/* the 31st of a short month is no day; a second that was left out moves nothing else */
	same.tm_hour = 12;
	day = timegm(&same);
	if (day == -1 || (s->tm.tm_mday > 0 && same.tm_mday != s->tm.tm_mday)) {
		return -1;
	}
	if (is_end && s->step_s == 0) {
		tm.tm_mday++; /* a day may have 23 hours */
	}
	tm.tm_isdst = -1;
	day = s->is_utc ? timegm(&tm) : mktime(&tm);
	return day == -1 ? day : day - s->offset_s;
}

int
when_read(const char *text, uint64_t now_ms, bool is_end, uint64_t *ret_ms)
{
	struct stamp s = { .ms = 0 };
	uint64_t age, ms;
	time_t at;

	if (units_duration(text, &age) == 0) {
		*ret_ms = age < now_ms ? now_ms - age : 0;
		return 0;
	}
	if (!read_day_word(text, now_ms, &s) && !read_stamp(text, &s)) {
		return -EINVAL;
	}
	at = seconds_of(&s, is_end);
	if (at < 0) {
		return -EINVAL;
	}
	ms = (uint64_t)at * MS_PER_SECOND + (uint64_t)s.ms;
	if (is_end && s.step_s > 0) {
		/* with a fraction it is one moment */
		ms += s.is_exact ? 1 : (uint64_t)s.step_s * MS_PER_SECOND;
	}
	*ret_ms = ms;
	return 0;
}
