/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What airlock-credd may do. Run by airlock-credd, single-threaded. A step that fails
 * ends the lease.
 */
#ifndef AIRLOCK_CREDD_CONFINE_H
#define AIRLOCK_CREDD_CONFINE_H

#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/err.h"

/* First of all: no core dump, nobody else's ptrace(2), and no life without the front. */
int confine_birth(struct err *err) must_check;
/* Then, once it has opened what the caller alone can: nobody else's id. 0: it stays who it is. */
int confine_identity(uint32_t uid, struct err *err) must_check;
/* Once all values are here: no file is opened any more, none that is open gets a byte, and of
 * system calls there are those of syscalls.def. */
int confine_credd(struct err *err) must_check;
#endif
