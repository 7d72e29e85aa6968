# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: every mount call, old and new, and taking a mask off /proc (attempt 22)
# property: P14
# contained: EPERM, masks in place
for_any
control_in userns
free mount-tmpfs=ok chroot=ok open_tree=ok fsopen=ok fsconfig=EINVAL fsmount=EBADF
attack() { act mounts fsopen-proc put:/proc/sys/kernel/hostname,escaped; }
held mount-tmpfs=EPERM mount-bind=EPERM mount-proc=EPERM umount2=EPERM umount-proc-sys=EPERM pivot_root=EPERM \
	chroot=EPERM open_tree=EPERM move_mount=EPERM fsopen=EPERM fsconfig=EPERM fsmount=EPERM fspick=EPERM \
	mount_setattr=EPERM open_tree_attr=EPERM fsopen-proc=EPERM put:/proc/sys/kernel/hostname,escaped=EACCES
event syscall mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr \
	open_tree_attr
