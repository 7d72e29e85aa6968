/* SPDX-License-Identifier: Apache-2.0 */
/* Of spool.c and its test only. */
#ifndef AIRLOCK_SUPERVISE_SPOOL_INTERNAL_H
#define AIRLOCK_SUPERVISE_SPOOL_INTERNAL_H

#include "../base/cleanup.h"

/*
 * For file systems without O_TMPFILE (overlayfs before Linux 6.3, some network ones): a file with a
 * name that nobody can have guessed, unlinked before the first byte is written. The fd or -errno.
 */
int spool_open_named(int dir_fd) must_check;

#endif
