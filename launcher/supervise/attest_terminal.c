/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front, while PID 2 waits: what the kernel says of the tool's terminal. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../base/fdio.h"
#include "../base/json.h"
#include "../base/limits.h"
#include "attest.h"

/* Documentation/admin-guide/devices.txt: /dev/ptmx, and the other ends. */
#define MASTER makedev(5, 2)
#define PTS_MAJOR 136

/* proc_pid_stat(5), fields 6 and 7: the name may hold anything, its end is the last ')'. */
static int
read_session(pid_t pid, long *ret_session, long *ret_tty)
{
	auto_buf stat = BUF_INIT;
	const char *p;
	char *end;
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	rc = fdio_slurp_at(AT_FDCWD, path, CAP_PROC_FILE, &stat);
	p = rc < 0 ? NULL : strrchr(buf_text(&stat), ')');
	for (int field = 3; p != NULL && field <= 6; field++) {
		p = strchr(p + 1, ' ');
	}
	if (p == NULL) {
		return rc < 0 ? rc : -EBADMSG;
	}
	*ret_session = strtol(p, &end, 10);
	*ret_tty = strtol(end, NULL, 10);
	return 0;
}

int
attest_terminal(const struct attest_request *req, struct err *err)
{
	unsigned int number = 0;
	long session = 0, tty = 0;
	struct stat st;
	int rc;

	if ((req->plan->flags & PLAN_TERMINAL) == 0) {
		return 0;
	}
	if (fstat(req->terminal_fd, &st) < 0 || ioctl(req->terminal_fd, TIOCGPTN, &number) < 0) {
		return err_sys(err, -errno, "look at the tool's terminal");
	}
	if (!S_ISCHR(st.st_mode) || st.st_rdev != MASTER || st.st_dev != req->early.pts_device) {
		return err_set(err, -EPERM,
			       "the tool's terminal was not made in the sandbox's own devpts");
	}
	rc = read_session(req->tool_pid, &session, &tty);
	if (rc < 0) {
		return err_sys(err, rc, "read the session of the tool's process");
	}
	if (session != req->tool_pid || (dev_t)tty != makedev(PTS_MAJOR, number)) {
		return err_set(err, -EPERM,
			       "terminal %u is not the controlling terminal of the tool's process",
			       number);
	}
	return 0;
}

void
attest_terminal_json(const struct attest_request *req, struct json *j)
{
	struct winsize size = { 0 };

	if ((req->plan->flags & PLAN_TERMINAL) == 0 ||
	    ioctl(req->terminal_fd, TIOCGWINSZ, &size) < 0) {
		json_put_null(j);
		return;
	}
	json_begin_object(j);
	json_kv_uint(j, "columns", size.ws_col);
	json_kv_uint(j, "rows", size.ws_row);
	json_end(j);
}
