/* SPDX-License-Identifier: Apache-2.0 */
/* Where a witness is reached: a unix socket or a port of this host, nothing else. */
#ifndef AIRLOCK_WITNESS_LISTEN_H
#define AIRLOCK_WITNESS_LISTEN_H

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"

/*
 * "unix:/path" or "127.0.0.1:PORT" (0: any). *ret_fd listens, does not block, is the caller's;
 * place gets the address as submit takes it. A socket that nobody listens on any more is replaced.
 * Who may connect to a unix socket, the directory that it is in says.
 */
int witness_listen(const char *address, int *ret_fd, struct buf *place, struct err *err) must_check;

#endif
