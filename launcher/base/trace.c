/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front. */
#include "trace.h"

#include <stdio.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "clock.h"

#define STEPS_MAX 32

/*
 * The one exception to "no globals but the log level": a measurement of the process itself, written
 * by one thread.
 */
static struct {
	bool on;
	size_t count;
	uint64_t start_ns;
	struct {
		const char *name;
		uint64_t at_ns;
	} step[STEPS_MAX];
} trace;

void
trace_start(bool on)
{
	trace.on = on;
	trace.start_ns = trace.on ? clock_monotonic_ns() : 0;
}

void
trace_step(const char *name)
{
	if (trace.on && trace.count < STEPS_MAX) {
		trace.step[trace.count].name = name;
		trace.step[trace.count++].at_ns = clock_monotonic_ns();
	}
}

void
trace_print(void)
{
	uint64_t before = trace.start_ns;

	for (size_t i = 0; i < trace.count; i++) {
		dprintf(STDERR_FILENO, "airlock: trace %-20s %6llu us\n", trace.step[i].name,
			(unsigned long long)(trace.step[i].at_ns - before) / 1000);
		before = trace.step[i].at_ns;
	}
	if (trace.count > 0) {
		dprintf(STDERR_FILENO, "airlock: trace %-20s %6llu us\n", "all",
			(unsigned long long)(before - trace.start_ns) / 1000);
	}
}
