/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for what must not stay behind: never in swap (mlock(2)), in no dump (MADV_DONTDUMP), in no
 * child (MADV_DONTFORK), wiped at the end. Anybody may call; RLIMIT_MEMLOCK bounds it.
 */
#ifndef AIRLOCK_BASE_LOCKED_H
#define AIRLOCK_BASE_LOCKED_H

#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

struct locked {
	uint8_t *data; /* owned; zeroed pages */
	size_t size;   /* usable bytes, at least what was asked for */
};

#define LOCKED_INIT                     \
	{                               \
		.data = NULL, .size = 0 \
	}
#define auto_locked __attribute__((cleanup(locked_finish))) struct locked

/* 0; -ENOMEM and -EPERM where so much may not be locked: then there is no memory. */
int locked_init(struct locked *ret, size_t size) must_check;
void locked_finish(struct locked *l);

#endif
