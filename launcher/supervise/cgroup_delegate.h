/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root starts a call for the owner of a workspace: before it drops its ids it hands the owner a
 * parent for the calls' groups. The limits of the parent itself stay root's. Run by the front, as
 * root, before the drop.
 */
#ifndef AIRLOCK_SUPERVISE_CGROUP_DELEGATE_H
#define AIRLOCK_SUPERVISE_CGROUP_DELEGATE_H

#include <sys/types.h>

#include "cgroup.h"

/* Changes the site's parents to "<parent>/u<uid>", made and owned by uid:gid. */
int cgroup_delegate(struct cgroup_site *site, uid_t uid, gid_t gid, struct err *err) must_check;

#endif
