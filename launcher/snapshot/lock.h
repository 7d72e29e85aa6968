/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock of a workspace: shared while a call runs in it, exclusive to change it. Run by the front
 * and by the verbs that settle, as the workspace's owner. It is flock(2) on directories, so that
 * the kernel takes it away from whoever dies, and it needs no file that two users would share.
 * Nobody who can read the directory can be kept from locking it too: every wait is bounded, and who
 * waited in vain is told what for.
 *
 * A workspace may lie in another one. Directories above it that belong to the same owner are locked
 * with it, from the top down: shared only until the workspace is (a call), or exclusive with it (a
 * commit). A commit also asks each directory below that it touches whether a call runs there.
 */
#ifndef AIRLOCK_SNAPSHOT_LOCK_H
#define AIRLOCK_SNAPSHOT_LOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/cleanup.h"
#include "../base/err.h"

#define WORKSPACE_LOCK_RUN_MS 10000u   /* a call's wait for those who commit */
#define WORKSPACE_LOCK_COMMIT_MS 5000u /* a commit's wait for the calls that run */
#define WORKSPACE_LOCK_ABOVE_MAX 128u  /* directories above a workspace, of its owner */

struct change_set;

struct workspace_lock {
	int workspace_fd; /* borrowed; O_RDONLY, its open file description is what is locked */
	int state_fd;     /* borrowed; $STATE, for the gate: cache/lock-DEV-INO */
	int wake_fd;      /* borrowed; ends a wait early when it becomes readable; -1 for none */
	/*
	 * The gate is passed shared by a call that begins and held exclusively by a commit that
	 * waits: else new calls, each shared, would keep it waiting. One per user.
	 */
	int gate_fd;
	bool has_gate;
	int above[WORKSPACE_LOCK_ABOVE_MAX]; /* nearest first; open while they are locked */
	size_t above_count;
};

#define WORKSPACE_LOCK_INIT                                                                        \
	{                                                                                          \
		.workspace_fd = -1, .state_fd = -1, .wake_fd = -1, .gate_fd = -1                   \
	}

/*
 * For a call that begins; nothing of the workspace may have been read for it before. -EBUSY with
 * the reason after timeout_ms; then, as after every other failure, nothing is locked.
 */
int workspace_lock_shared(struct workspace_lock *l, unsigned int timeout_ms,
			  struct err *err) must_check;

/*
 * For a commit of touched, from nothing or from the shared lock, which is given up first: two who
 * want the same would wait for each other. Somebody else may have committed before it returns.
 * -EBUSY with the reason after timeout_ms.
 */
int workspace_lock_exclusive(struct workspace_lock *l, const struct change_set *touched,
			     unsigned int timeout_ms, struct err *err) must_check;

/* Both kinds, also where there is none. */
void workspace_lock_release(struct workspace_lock *l);

#endif
