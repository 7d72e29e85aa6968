/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in PID 1, while PID 2 confines itself. The namespace is empty but for a loopback interface
 * that is down.
 */
#include "../sys/sys.h"
#include "jail.h"

int
stage_network(struct jail *j)
{
	int rc = 0;

	if ((j->plan->flags & PLAN_LOOPBACK) != 0) {
		rc = sys_loopback_up();
	}
	return rc < 0 ? err_sys(&j->err, rc, "bring lo up") : 0;
}
