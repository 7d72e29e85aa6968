/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A detached clone of the workspace, made outside the sandbox. Root only. Mounts inside the
 * workspace are left behind; with an identity of the range the clone is idmapped, so that root's
 * files show as the powerless id's.
 */
#ifndef AIRLOCK_SUPERVISE_IDMAP_H
#define AIRLOCK_SUPERVISE_IDMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/err.h"

/*
 * Returns the mount's descriptor, or -errno (-EINVAL from a file system that refuses idmaps, named
 * in err).
 */
int idmap_clone(int workspace_fd, const char *workspace, bool idmapped, uint32_t uid_outside,
		uint32_t gid_outside, struct err *err) must_check;

#endif
