/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id maps that are written from outside the sandbox. Root only. A detached clone of the workspace
 * leaves the mounts inside it behind; with an identity of the range it is idmapped, so that root's
 * files show as the powerless id's.
 */
#ifndef AIRLOCK_SUPERVISE_IDMAP_H
#define AIRLOCK_SUPERVISE_IDMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/cleanup.h"
#include "../base/err.h"

/*
 * One id of a process in a new user namespace; name: "uid_map" or "gid_map" (user_namespaces(7)).
 */
int idmap_write(pid_t pid, const char *name, uint32_t inside, uint32_t outside) must_check;

/*
 * Returns the mount's descriptor, or -errno (-EINVAL from a file system that refuses idmaps, named
 * in err).
 */
int idmap_clone(int workspace_fd, const char *workspace, bool idmapped, uint32_t uid_outside,
		uint32_t gid_outside, struct err *err) must_check;

#endif
