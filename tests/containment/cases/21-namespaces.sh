# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: new namespaces by unshare, clone and clone3, and setns into every namespace file (attempt 21)
# property: P14
# contained: EPERM; clone3 ENOSYS, so that threads still start
for_any
control_in userns
free unshare-user=ok clone-user=ok clone3-user=ok unshare-mount=ok setns-net=ok threads=ok
attack() { act namespaces threads; }
held unshare-user=EPERM unshare-mount=EPERM unshare-pid=EPERM unshare-net=EPERM unshare-ipc=EPERM unshare-uts=EPERM \
	unshare-cgroup=EPERM unshare-time=EPERM unshare-user-dirty=EPERM clone-user=EPERM clone-user-mount=EPERM \
	clone3-user=ENOSYS setns-none=EPERM setns-user=EPERM setns-mnt=EPERM setns-pid=EPERM setns-net=EPERM setns-ipc=EPERM \
	setns-uts=EPERM setns-cgroup=EPERM threads=ok
event syscall unshare clone setns
