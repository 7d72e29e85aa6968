/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The new mount API, raw. Runs in the jail (its own mount namespace) and, for detached clones, the
 * front.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys.h"

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif

int
sys_open_tree(int dirfd, const char *path, unsigned int flags)
{
	long fd = syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

int
sys_move_mount(int from_fd, int to_dirfd, const char *to_path)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH;

	if (to_path[0] == '\0') {
		flags |= MOVE_MOUNT_T_EMPTY_PATH;
	}
	return syscall(SYS_move_mount, from_fd, "", to_dirfd, to_path, flags) < 0 ? -errno : 0;
}

int
sys_fsopen(const char *fs)
{
	long fd = syscall(SYS_fsopen, fs, FSOPEN_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

int
sys_fsconfig_string(int fs_fd, const char *key, const char *value)
{
	return syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_STRING, key, value, 0) < 0 ? -errno : 0;
}

int
sys_fsconfig_flag(int fs_fd, const char *key)
{
	return syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_FLAG, key, NULL, 0) < 0 ? -errno : 0;
}

int
sys_fsconfig_create(int fs_fd)
{
	return syscall(SYS_fsconfig, fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -errno : 0;
}

int
sys_fsmount(int fs_fd, unsigned int mount_attrs)
{
	long fd = syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, mount_attrs);

	return fd < 0 ? -errno : (int)fd;
}

void
sys_fscontext_message(int fs_fd, char *ret_text, size_t size)
{
	ssize_t n = read(fs_fd, ret_text, size - 1);

	ret_text[n > 0 ? n : 0] = '\0';
	for (char *p = ret_text; *p != '\0'; p++) {
		if (*p == '\n') {
			*p = '\0';
			break;
		}
	}
}

int
sys_mount_setattr(int fd, int recursive, uint64_t set, uint64_t clear, uint64_t propagation,
		  int userns_fd)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear, .propagation = propagation };
	unsigned int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	if (userns_fd >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns_fd;
	}
	return syscall(SYS_mount_setattr, fd, "", flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int
sys_pivot_root_here(void)
{
	return syscall(SYS_pivot_root, ".", ".") < 0 ? -errno : 0;
}

int
sys_umount_detach(const char *path)
{
	return syscall(SYS_umount2, path, MNT_DETACH) < 0 ? -errno : 0;
}
