/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much the state directory may hold, in `$STATE/quota`: "LIMIT USED\n", bytes. The front reads
 * it before a call; airlock-log and airlock-cli measure and write it, under flock(2) on the state
 * directory. Without the file there is no limit.
 */
#ifndef AIRLOCK_STORE_QUOTA_H
#define AIRLOCK_STORE_QUOTA_H

#include <stdint.h>

#include "store.h"

#define QUOTA_FILE "quota"
#define QUOTA_WARN_PERCENT 80u

struct quota {
	uint64_t limit_bytes; /* 0: none */
	uint64_t used_bytes;  /* when it was measured last */
};

/* No file is a limit of 0. -EBADMSG when what is there is damaged: err says what to do. */
int quota_read(const struct store *s, struct quota *ret, struct err *err) must_check;
/* A limit of 0 is none. What is used is for quota_update. */
int quota_set(const struct store *s, uint64_t limit_bytes, struct err *err) must_check;
/* -EDQUOT, with what to do, when the limit is reached; 0 without a limit. */
int quota_check(const struct store *s, const struct quota *q, struct err *err) must_check;
/* Percent of the limit, rounded down; 0 without one. */
unsigned int quota_percent(const struct quota *q);

/* What lies on the disk below name (in dir_fd), "." for all of it: what cannot be seen counts 0. */
uint64_t quota_measure(int dir_fd, const char *name);
/* Measures the state directory anew and stores it, where there is a limit. */
int quota_update(const struct store *s, struct err *err) must_check;

#endif
