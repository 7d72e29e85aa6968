/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks we use. Anybody may call. */
#ifndef AIRLOCK_BASE_CLOCK_H
#define AIRLOCK_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t
clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline uint64_t
clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline uint64_t
clock_realtime_ms(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000000u;
}

/* Waits until the clock of file times stands behind everything that was written so far. */
static inline uint64_t
clock_next_tick_ns(void)
{
	static const struct timespec nap = { .tv_nsec = 500000 };
	uint64_t from = clock_ns(CLOCK_REALTIME), now;

	/* a time may have been taken from the fine clock, too */
	while ((now = clock_ns(CLOCK_REALTIME_COARSE)) <= from) {
		nanosleep(&nap, NULL);
	}
	return now;
}

#endif
