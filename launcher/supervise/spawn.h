/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a jail: makes the two sockets, clones into fresh namespaces (and, on cgroup v2, into the
 * call's group), execs airlock-jail there, writes id maps where the jail may not. The plan follows,
 * so that it is made while the kernel makes the namespaces: a jail without one does nothing. Run by
 * the supervisor while it is single-threaded.
 */
#ifndef AIRLOCK_SUPERVISE_SPAWN_H
#define AIRLOCK_SUPERVISE_SPAWN_H

#include <sys/types.h>

#include "../base/err.h"
#include "../plan/plan.h"
#include "../plan/request.h"
#include "cgroup.h"

struct jail_handle {
	pid_t pid; /* PID 1 of the sandbox, as the host sees it; our child */
	int pidfd;
	int status_fd; /* socket to PID 1 */
	int tool_fd;   /* socket to PID 2 until exec */
	uint8_t plan_digest[32];
};

#define JAIL_HANDLE_INIT                                               \
	{                                                              \
		.pid = -1, .pidfd = -1, .status_fd = -1, .tool_fd = -1 \
	}

struct spawn_request {
	const struct identity *identity;
	int jail_exe_fd;  /* O_PATH of airlock-jail */
	const int *stdio; /* the tool's 0, 1, 2 */
	const struct cgroup *cgroup;
};

/*
 * On failure nothing runs. The caller keeps its fds. On success the child may still fail on its way
 * to exec: then JAIL_FAILED comes on status_fd.
 */
int
spawn_jail(const struct spawn_request *req, struct jail_handle *ret, struct err *err) must_check;
/*
 * Seals the plan and hands it over; jail->plan_digest is set. fds, borrowed: the detached mounts
 * that the plan's flags have (of the workspace, of the on-disk upper's parent, of the draft), then
 * the pipes of its credentials; -1 is left out.
 */
#define SPAWN_CLONES 3
#define SPAWN_FDS_MAX (SPAWN_CLONES + PLAN_CREDENTIALS_MAX)
int spawn_send_plan(struct jail_handle *jail, const struct plan *plan, const int *fds,
		    size_t count, struct err *err) must_check;
void jail_handle_finish(struct jail_handle *jail); /* closes; kills and reaps what still runs */

#endif
