/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in PID 1. The namespaces exist since clone3; this stage gives them their ids, life and
 * bounds.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../sys/sys.h"
#include "jail.h"

static int
write_file(struct jail *j, const char *path, const char *text)
{
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : fdio_write(fd, text, strlen(text));

	return rc < 0 ? err_sys(&j->err, rc, "write %s", path) : 0;
}

/* user_namespaces(7): one id, ours, and setgroups denied; that much a plain user may do. */
static int
write_own_maps(struct jail *j)
{
	const struct plan *p = j->plan;
	char line[64];
	int rc = write_file(j, "/proc/self/setgroups", "deny");

	if (rc < 0) {
		return rc;
	}
	snprintf(line, sizeof(line), "%u %u 1", p->uid_inside, p->uid_outside);
	rc = write_file(j, "/proc/self/uid_map", line);
	if (rc < 0) {
		return rc;
	}
	snprintf(line, sizeof(line), "%u %u 1", p->gid_inside, p->gid_outside);
	return write_file(j, "/proc/self/gid_map", line);
}

static int
become_tool_ids(struct jail *j)
{
	const struct plan *p = j->plan;

	if ((p->flags & PLAN_DROP_GROUPS) != 0 && setgroups(0, NULL) < 0) {
		return err_sys(&j->err, -errno, "clear the supplementary groups");
	}
	if (setresgid(p->gid_inside, p->gid_inside, p->gid_inside) < 0) {
		return err_sys(&j->err, -errno, "become gid %u", p->gid_inside);
	}
	if (setresuid(p->uid_inside, p->uid_inside, p->uid_inside) < 0) {
		return err_sys(&j->err, -errno, "become uid %u", p->uid_inside);
	}
	return 0;
}

/*
 * prctl(2): the death signal comes when the *thread* that made us ends, and is cleared by
 * setresuid.
 */
static int
tie_life(struct jail *j)
{
	struct pollfd status = { .fd = JAIL_FD_STATUS, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
		return err_sys(&j->err, -errno, "PR_SET_PDEATHSIG");
	}
	if (poll(&status, 1, 0) < 0 || (status.revents & POLLHUP) != 0) {
		return err_set(&j->err, -ECONNRESET, "the supervisor is gone");
	}
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
		return err_sys(&j->err, -errno, "PR_SET_DUMPABLE");
	}
	return 0;
}

int
stage_namespaces(struct jail *j)
{
	/* Else the supervisor wrote them before it sent the plan. */
	int rc = (j->plan->flags & PLAN_MAP_SELF) != 0 ? write_own_maps(j) : 0;

	if (rc == 0) {
		rc = become_tool_ids(j);
	}
	if (rc == 0 && sethostname(j->plan->hostname, strlen(j->plan->hostname)) < 0) {
		rc = err_sys(&j->err, -errno, "sethostname");
	}
	return rc < 0 ? rc : tie_life(j);
}
