/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front as root, single-threaded. mount_setattr(2), "ID-mapped mounts". */
#include "idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../sys/sys.h"
#include "around.h"

int
idmap_write(pid_t pid, const char *name, uint32_t inside, uint32_t outside)
{
	char path[64], line[64];
	auto_fd fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	snprintf(line, sizeof(line), "%u %u 1", inside, outside);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fdio_write(fd, line, strlen(line));
}

/*
 * A user namespace is made by having a process in it. This child is the other one that does not
 * exec (the first is the jail's fork): it holds still, runs nothing, dies with the front, and is
 * killed before anybody's command exists.
 */
static int
user_namespace(uint32_t uid, uint32_t gid)
{
	char path[64];
	siginfo_t info;
	int pidfd = -1;
	auto_fd fd = -1;
	int rc, killed;
	pid_t parent = getpid();
	pid_t pid = sys_clone3(CLONE_NEWUSER, -1, &pidfd);

	if (pid == 0) {
		/* who is killed before the namespace was taken leaves nobody behind */
		while (sys_end_with_parent(parent, SIGKILL) == 0) {
			pause();
		}
		_exit(1);
	}
	if (pid < 0) {
		return pid;
	}
	rc = idmap_write(pid, "uid_map", 0, uid);
	if (rc == 0) {
		rc = idmap_write(pid, "gid_map", 0, gid);
	}
	if (rc == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		rc = fd < 0 ? -errno : 0;
	}
	killed = sys_pidfd_send_signal(pidfd, SIGKILL);
	if (killed == 0) {
		ignore_err(waitid(P_PID, (id_t)pid, &info, WEXITED), "it was killed just now");
	}
	close(pidfd);
	rc = rc < 0 ? rc : killed;
	return rc < 0 ? rc : take_fd(&fd);
}

int
idmap_clone(int workspace_fd, const char *workspace, bool idmapped, uint32_t uid_outside,
	    uint32_t gid_outside, struct err *err)
{
	auto_fd mount = sys_open_tree(workspace_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	auto_fd userns = -1;
	int rc;

	if (mount < 0) {
		err_sys(err, mount, "clone the workspace %s", workspace);
		return around_explain(err, mount);
	}
	if (!idmapped) {
		return take_fd(&mount);
	}
	userns = user_namespace(uid_outside, gid_outside);
	rc = userns < 0 ? userns : sys_mount_setattr(mount, 0, 0, 0, 0, userns);
	if (rc == -EINVAL) {
		return err_set(
			err, rc,
			"the file system of workspace %s refuses id-mapped mounts, which a "
			"workspace of root's needs: give the workspace to a plain user, or use "
			"another file system (ext4, xfs, btrfs, tmpfs)",
			workspace);
	}
	if (rc < 0) {
		err_sys(err, rc, "id-map the workspace %s", workspace);
		return around_explain(err, rc);
	}
	return take_fd(&mount);
}
