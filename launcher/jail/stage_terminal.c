/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in PID 2, while it still may open what it likes. The terminal is made in the sandbox's own
 * devpts and known by descriptors from its first moment on: the master is checked by file system
 * and number, the other end comes out of the master (TIOCGPTPEER), so no /dev/pts/N is ever opened
 * by its name. The caller's terminal is not in reach here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../sys/sys.h"
#include "jail.h"

static int
open_master(struct jail *j)
{
	const int unlocked = 0;
	struct statfs fs;
	struct stat st;
	auto_fd master = jail_open_inside(j, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);

	if (master < 0) {
		return err_sys(&j->err, master, "open /dev/pts/ptmx");
	}
	if (fstatfs(master, &fs) < 0 || fstat(master, &st) < 0) {
		return err_sys(&j->err, -errno, "look at /dev/pts/ptmx");
	}
	if (fs.f_type != DEVPTS_SUPER_MAGIC || !S_ISCHR(st.st_mode) ||
	    st.st_rdev != makedev(5, 2)) {
		return err_set(&j->err, -ENXIO, "/dev/pts/ptmx is not what makes terminals");
	}
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0) {
		return err_sys(&j->err, -errno, "unlock the terminal");
	}
	return take_fd(&master);
}

static int
become_leader(struct jail *j, int terminal)
{
	if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0) < 0) {
		return err_sys(&j->err, -errno, "make it the tool's controlling terminal");
	}
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (dup2(terminal, fd) < 0) {
			return err_sys(&j->err, -errno, "make it the tool's descriptor %d", fd);
		}
	}
	return 0;
}

int
stage_terminal(struct jail *j)
{
	const uint8_t message = JAIL_TERMINAL;
	auto_fd master = -1;
	auto_fd terminal = -1;
	int rc;

	if ((j->plan->flags & PLAN_TERMINAL) == 0) {
		return 0;
	}
	master = open_master(j);
	if (master < 0) {
		return master;
	}
	terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal < 0) {
		return err_sys(&j->err, -errno, "open its other end");
	}
	rc = become_leader(j, terminal);
	if (rc < 0) {
		return rc;
	}
	rc = sys_send_message(j->channel, &message, 1, &master, 1);
	return rc < 0 ? err_sys(&j->err, rc, "hand it to the supervisor") : 0;
}
