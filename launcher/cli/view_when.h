/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moments as a person names them. airlock-cli only; pure but for the local time zone. The word is
 * the caller's.
 */
#ifndef AIRLOCK_CLI_VIEW_WHEN_H
#define AIRLOCK_CLI_VIEW_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/cleanup.h"

/* What when_read takes, for a message. */
#define WHEN_FORMS                                                                            \
	"an age (90m, 2h, 3d), a date (2026-01-31), today, yesterday, or a date with a time " \
	"(2026-01-31T14:05:00Z, +02:00 in place of Z; without either it is local time)"

/*
 * In milliseconds since 1970. A date is a day, a time without seconds a minute: is_end false gives
 * its first moment, true the first one behind it. An age is that much before now_ms. -EINVAL.
 */
int when_read(const char *text, uint64_t now_ms, bool is_end, uint64_t *ret_ms) must_check;

#endif
