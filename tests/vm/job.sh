#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Run in the guest by /usr/local/sbin/airlock-vm, as root, in a delegated
# cgroup, with the project at /job. First checks that the guest is what the
# other cases take for granted, with exact values; then runs every file of
# cases/ in order. One line per case, a summary last.
set -euo pipefail

here=/job/tests/vm
kernel=$(cat /job/kernel)

# shellcheck source=SCRIPTDIR/lib.sh
. "$here/lib.sh"

# How many cases may skip before the job fails. Raise it with a reason.
skip_limit=0

# What differs between the kernels of build.sh's table.
case $kernel in
6.1)
	want_landlock=2
	want_tmpfs_xattr=95 # EOPNOTSUPP: user.* on tmpfs came with 6.6
	;;
6.12)
	want_landlock=6
	want_tmpfs_xattr=0
	;;
*)
	echo "job.sh: nothing is known about kernel $kernel" >&2
	exit 1
	;;
esac

guest_kernel_release()
{
	local release
	release=$(uname -r)
	expect_eq "start of $release" "${release:0:$((${#kernel} + 1))}" \
		"$kernel."
}

guest_cgroup_v2()
{
	expect_eq "type of /sys/fs/cgroup" \
		"$(stat -f -c %T /sys/fs/cgroup)" cgroup2fs
	expect_eq "cgroup mounts" \
		"$(awk '$3 ~ /^cgroup/ { print $3, $2 }' /proc/mounts)" \
		"cgroup2 /sys/fs/cgroup"
	expect_eq "groups of PID 1" "$(cat /proc/1/cgroup)" "0::/init.scope"
}

guest_units()
{
	expect_eq "failed units" \
		"$(systemctl list-units --failed --no-legend --plain)" ""
	expect_eq "state of dev's manager" \
		"$(as_dev systemctl --user is-system-running)" running
}

guest_dev()
{
	expect_eq "uid" "$(as_dev id -u)" 1000
	expect_eq "groups" "$(as_dev id -G)" 1000
	expect_eq "home" "$(as_dev pwd)" /home/dev
	expect_eq "lingering" \
		"$(loginctl show-user dev --property=Linger)" Linger=yes
	# shellcheck disable=SC2016
	expect_eq "capabilities" \
		"$(as_dev awk '/^Cap(Eff|Prm|Inh|Amb)/ { print $2 }' \
			/proc/self/status | sort -u)" 0000000000000000
	expect_eq "uid map" \
		"$(as_dev unshare --user --map-root-user --map-auto \
			cat /proc/self/uid_map | awk '{ $1 = $1; print }')" \
		"0 1000 1
1 100000 65535"
}

# In a delegated scope of dev: the controllers are there, and they bite.
scope_controllers()
{
	group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
	echo "controllers: $(cat "$group/cgroup.controllers")"
	mkdir "$group/self" "$group/box"
	echo $$ >"$group/self/cgroup.procs"
	echo '+memory +pids' >"$group/cgroup.subtree_control"
	echo "enabled: $(cat "$group/cgroup.subtree_control")"

	echo 33554432 >"$group/box/memory.max"
	rc=0
	bash -c 'echo $$ >"$1"; exec tail /dev/zero' bash \
		"$group/box/cgroup.procs" || rc=$?
	echo "memory: $rc, $(grep '^oom_kill ' "$group/box/memory.events")"

	echo 1 >"$group/box/pids.max"
	rc=0
	bash -c 'echo $$ >"$1"; exec perl -e "fork // exit \$!"' bash \
		"$group/box/cgroup.procs" || rc=$?
	echo "pids: $rc, $(cat "$group/box/pids.events")"
}

guest_dev_scope()
{
	expect_eq "scope" "$(as_dev_scope_function scope_controllers)" \
		"controllers: cpuset cpu io memory pids
enabled: memory pids
memory: 137, oom_kill 1
pids: 11, max 1"
}

# errno of setxattr(PATH, "user.airlock", …), 0 if it works.
setxattr_errno()
{
	perl -e 'my ($path, $name, $value) = (@ARGV, "user.airlock", "x");
		print syscall(188, $path, $name, $value, 1, 0) ? $! + 0 : 0' \
		"$1"
}

guest_tmpfs_xattr()
{
	local dir=/tmp/tmpfs-xattr
	mkdir "$dir"
	expect_eq "type of the root disk" "$(stat -f -c %T "$dir")" ext2/ext3
	expect_eq "errno on ext4" "$(setxattr_errno "$dir")" 0
	mount -t tmpfs tmpfs "$dir"
	expect_eq "errno on tmpfs" "$(setxattr_errno "$dir")" \
		"$want_tmpfs_xattr"
	umount "$dir"
}

guest_landlock()
{
	# landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)
	expect_eq "ABI" "$(perl -e 'print syscall(444, 0, 0, 1)')" \
		"$want_landlock"
}

case_run guest-kernel-release guest_kernel_release
case_run guest-cgroup-v2 guest_cgroup_v2
case_run guest-units guest_units
case_run guest-dev guest_dev
case_run guest-dev-scope guest_dev_scope
case_run guest-tmpfs-xattr guest_tmpfs_xattr
case_run guest-landlock guest_landlock

shopt -s nullglob
for file in "$here"/cases/*.sh; do
	# shellcheck source=/dev/null
	. "$file"
done

summary "$skip_limit"
