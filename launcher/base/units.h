/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quantities as people write them, and back. Units are explicit: a bare number is an error where a
 * unit exists. Overflow is -ERANGE, anything else wrong -EINVAL. Anybody may call.
 */
#ifndef AIRLOCK_BASE_UNITS_H
#define AIRLOCK_BASE_UNITS_H

#include <stdint.h>

#include "buf.h"
#include "cleanup.h"

/* 512B 64KiB 2GiB; also K M G T as KiB … */
int units_size(const char *text, uint64_t *ret_bytes) must_check;
/* 500ms 30s 10m 2h 1d */
int units_duration(const char *text, uint64_t *ret_ms) must_check;
/* 200% */
int units_percent(const char *text, uint64_t *ret_percent) must_check;
/* 512 */
int units_count(const char *text, uint64_t *ret_count) must_check;
/* Exact: in the largest unit that divides. */
void units_print_size(struct buf *b, uint64_t bytes);
void units_print_duration(struct buf *b, uint64_t ms);
void units_print_percent(struct buf *b, uint64_t percent);
void units_print_count(struct buf *b, uint64_t count);

#endif
