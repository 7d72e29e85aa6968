/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call was denied: deduplicated, counted, bounded (CAP_DENIAL_EVENTS different ones; more
 * are counted in `dropped`). Filled by the supervisor, written into the record.
 */
#ifndef AIRLOCK_SUPERVISE_DENIALS_H
#define AIRLOCK_SUPERVISE_DENIALS_H

#include <stddef.h>
#include <stdint.h>

#include "../base/json.h"
#include "../base/limits.h"

struct denial {
	char kind[16]; /* syscall, limit, launch */
	char what[64];
	char rule[64];
	char hint[160];
	uint64_t count;
};

struct denials {
	struct denial items[CAP_DENIAL_EVENTS];
	size_t count;
	uint64_t dropped;
};

void denials_add(struct denials *d, const char *kind, const char *what, const char *rule,
		 const char *hint);
/* A JSON array, as the record wants it. */
void denials_write(const struct denials *d, struct json *j);
/* All counts together. */
uint64_t denials_total(const struct denials *d);

#endif
