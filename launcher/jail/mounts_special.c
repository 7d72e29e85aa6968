/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in PID 1: /proc, devices, masks. Every special file is checked by type, number or file
 * system magic after it was opened, never trusted by name.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../sys/sys.h"
#include "jail.h"

/*
 * Bounds of this user namespace (user_namespaces(7), inotify(7)): no namespace below it, and few of
 * the inotify instances that all calls of one uid share.
 */
static int
bound_user_namespace(struct jail *j)
{
	static const struct {
		const char *path, *value;
	} bounds[] = {
		{ "sys/user/max_user_namespaces", "0" },
		{ "sys/user/max_inotify_instances", "32" },
		{ "sys/user/max_inotify_watches", "65536" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		auto_fd fd = openat(j->proc, bounds[i].path, O_WRONLY | O_CLOEXEC);
		int rc = fd < 0 ? -errno : fdio_write(fd, bounds[i].value, strlen(bounds[i].value));

		if (rc < 0) {
			return err_sys(&j->err, rc, "%s", bounds[i].path);
		}
	}
	return 0;
}

int
mount_proc(struct jail *j, const struct plan_mount *m)
{
	struct statfs fs_info;
	auto_fd fs = sys_fsopen("proc");
	auto_fd mount = -1;
	int rc = fs < 0 ? fs : sys_fsconfig_create(fs);

	if (rc == 0) {
		mount = sys_fsmount(fs, jail_mount_attrs(m));
		rc = mount < 0 ? mount : 0;
	}
	if (rc == -EPERM) {
		return err_set(
			&j->err, rc,
			"the kernel refuses a new /proc because the one outside is "
			"partly masked, as in a container without "
			"--security-opt systempaths=unconfined");
	}
	if (rc == 0) {
		rc = jail_attach(j, mount, m->target, 0555, 1);
	}
	if (rc < 0) {
		return rc;
	}
	j->proc = jail_open_inside(j, m->target, O_RDONLY | O_DIRECTORY);
	if (j->proc < 0 || fstatfs(j->proc, &fs_info) < 0 || fs_info.f_type != PROC_SUPER_MAGIC) {
		return err_set(&j->err, -ENXIO, "what was mounted is not a procfs");
	}
	return bound_user_namespace(j);
}

#define DEVICE_ATTRS (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

int
mount_node(struct jail *j, const struct plan_mount *m)
{
	struct stat st;
	auto_fd mount = -1;
	auto_fd fd = jail_open_host(j, m->source, O_PATH);
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0) {
		return fd < 0 ? fd : -errno;
	}
	if (!S_ISCHR(st.st_mode) || st.st_rdev != (dev_t)m->device) {
		return err_set(&j->err, -ENXIO, "not character device %u:%u",
			       major((dev_t)m->device), minor((dev_t)m->device));
	}
	/* Read-only is about the inode, which is the host's: its times would be a channel. A device
	 * stays writable. */
	mount = jail_clone(fd, DEVICE_ATTRS);
	rc = mount < 0 ? mount : jail_attach(j, mount, m->target, 0755, 0);
	if (rc == 0 && j->null < 0 && m->device == makedev(1, 3)) {
		j->null = jail_open_inside(j, m->target, O_PATH);
		rc = j->null < 0 ? j->null : 0;
	}
	return rc;
}

int
mount_pts(struct jail *j, const struct plan_mount *m)
{
	auto_fd fs = sys_fsopen("devpts");
	auto_fd mount = -1;
	int rc = fs < 0 ? fs : sys_fsconfig_flag(fs, "newinstance");

	if (rc == 0) {
		rc = sys_fsconfig_string(fs, "ptmxmode", "0666");
	}
	if (rc == 0) {
		rc = sys_fsconfig_string(fs, "mode", "0600");
	}
	if (rc == 0) {
		rc = sys_fsconfig_create(fs);
	}
	if (rc < 0) {
		return jail_context_error(j, fs, rc, "devpts");
	}
	mount = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	return mount < 0 ? mount : jail_attach(j, mount, m->target, 0755, 1);
}

int
mount_mask_file(struct jail *j, const struct plan_mount *m)
{
	auto_fd at = jail_open_inside(j, m->target, O_PATH);
	auto_fd mount = -1;

	if (at < 0 || j->null < 0) {
		return at < 0 ? at : -ENXIO;
	}
	mount = sys_open_tree(j->null, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	return mount < 0 ? mount : sys_move_mount(mount, at, "");
}

int
mount_mask_dir(struct jail *j, const struct plan_mount *m)
{
	auto_fd at = jail_open_inside(j, m->target, O_PATH | O_DIRECTORY);
	auto_fd fs = sys_fsopen("tmpfs");
	auto_fd mount = -1;
	int rc = at < 0 ? at : fs < 0 ? fs : sys_fsconfig_string(fs, "nr_inodes", "2");

	if (rc == 0) {
		rc = sys_fsconfig_string(fs, "mode", "0555");
	}
	if (rc == 0) {
		rc = sys_fsconfig_create(fs);
	}
	if (rc < 0) {
		return jail_context_error(j, fs, rc, "tmpfs");
	}
	mount = sys_fsmount(fs, jail_mount_attrs(m));
	return mount < 0 ? mount : sys_move_mount(mount, at, "");
}

/*
 * Not /dev/null: what is written there would vanish without a word. The file is the tool's own, so
 * its mode would not hold alone; the mount is read-only.
 */
int
mount_hidden(struct jail *j, const struct plan_mount *m)
{
	auto_fd at = jail_open_inside(j, m->target, O_PATH);
	auto_fd file = -1;
	auto_fd mount = -1;

	if (at < 0) {
		return at;
	}
	if (mknodat(j->scratch, "hidden", S_IFREG, 0) < 0 && errno != EEXIST) {
		return -errno;
	}
	file = openat(j->scratch, "hidden", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0) {
		return -errno;
	}
	mount = jail_clone(file, jail_mount_attrs(m));
	return mount < 0 ? mount : sys_move_mount(mount, at, "");
}

int
mount_bind(struct jail *j, const struct plan_mount *m)
{
	auto_fd fd = jail_open_host(j, m->source, O_PATH | O_DIRECTORY);
	auto_fd mount = -1;
	int rc = fd < 0 ? fd : jail_check_inode(j, fd, m);

	if (rc < 0) {
		return rc;
	}
	mount = jail_clone(fd, jail_mount_attrs(m));
	return mount < 0 ? mount : jail_attach(j, mount, m->target, 0755, 1);
}

int
mount_readonly(struct jail *j, const struct plan_mount *m)
{
	auto_fd at = jail_open_inside(j, m->target, O_PATH);
	auto_fd mount = at < 0 ? at : jail_clone(at, jail_mount_attrs(m));

	return mount < 0 ? mount : sys_move_mount(mount, at, "");
}
