/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ends long reading early: somebody who does not want to wait, or the clock. What is read may
 * be a sparse file of terabytes, so whoever reads asks at each piece. Anybody may call.
 */
#ifndef AIRLOCK_BASE_UNTIL_H
#define AIRLOCK_BASE_UNTIL_H

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"

struct until {
	int stop_fd;	      /* readable: that is the end; -1: nobody */
	uint64_t deadline_ns; /* monotonic; 0: none */
};

/* 0: go on; -EINTR, -ETIME. NULL never ends. */
static inline int
until_check(const struct until *u)
{
	struct pollfd stop = { .fd = u != NULL ? u->stop_fd : -1, .events = POLLIN };

	if (u == NULL) {
		return 0;
	}
	if (stop.fd >= 0 && poll(&stop, 1, 0) > 0) {
		return -EINTR;
	}
	return u->deadline_ns != 0 && clock_monotonic_ns() >= u->deadline_ns ? -ETIME : 0;
}

#endif
