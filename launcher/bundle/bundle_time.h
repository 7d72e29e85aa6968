/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moments in manifests and sealed files: UTC to the second, RFC 3339 with a Z and nothing else, so
 * that each has one spelling. Anybody may call. Pure.
 */
#ifndef AIRLOCK_BUNDLE_BUNDLE_TIME_H
#define AIRLOCK_BUNDLE_BUNDLE_TIME_H

#include <stdint.h>

#include "../base/cleanup.h"

#define BUNDLE_TIME_SIZE 21 /* 2027-01-01T00:00:00Z and the NUL */

/* Milliseconds since 1970, from 1970-01-01T00:00:01Z on. -EINVAL. */
int bundle_time_parse(const char *text, uint64_t *ret_ms) must_check;
/* -EINVAL behind the year 9999; parts of a second are cut off. */
int bundle_time_print(uint64_t ms, char ret_text[BUNDLE_TIME_SIZE]) must_check;

#endif
