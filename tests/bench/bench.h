/* SPDX-License-Identifier: Apache-2.0 */
/* What every bench does: look at the clock, and take the middle of many times. */
#ifndef AIRLOCK_TESTS_BENCH_H
#define AIRLOCK_TESTS_BENCH_H

#include <stdlib.h>
#include <time.h>

static inline double
bench_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* For qsort, of doubles. */
static inline int
bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Sorts the values. */
static inline double
bench_median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), bench_compare);
	return values[count / 2];
}

#endif
