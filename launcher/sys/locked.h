/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for what must not stay behind: never in swap, in no dump, in no child (MADV_DONTFORK),
 * wiped at the end. Of memfd_secret(2) where the kernel gives it: then not even root reads it
 * through /proc; else by mlock(2) and MADV_DONTDUMP. Anybody may call; RLIMIT_MEMLOCK bounds it.
 */
#ifndef AIRLOCK_SYS_LOCKED_H
#define AIRLOCK_SYS_LOCKED_H

#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"

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
/*
 * The same with a descriptor that another process maps by locked_map: its memory is locked as long
 * as one of them has it. -errno as above.
 */
int locked_share(struct locked *ret, size_t size, int *ret_fd) must_check;
/* What a descriptor of locked_share has: locked_finish wipes it for all. The descriptor stays. */
int locked_map(int fd, struct locked *ret) must_check;

#endif
