# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by settle, record and power_record, which say in $name what they are at.

# make_top: sets top, a directory in memory where that has attributes (Linux 6.6): the syncs would be most of the time.
make_top()
{
	local place

	for place in /dev/shm "${TMPDIR:-/tmp}"; do
		top=$(mktemp -d "$place/airlock-faults-XXXXXX") || continue
		setfattr -n user.a -v 1 "$top" 2>/dev/null && break
		rmdir "$top"
	done
}

# die WHY…: one line, and the end.
die()
{
	# shellcheck disable=SC2154 # name is the file's
	echo "not ok $name: $*" | tr '\n' ' '
	echo
	exit 1
}

# witness_profile FILE OUT: a profile whose tool can leave a word in OUT that it ran.
witness_profile()
{
	cat >"$1" <<END
version: 1
name: witness
extends: base
mode: apply
effects: [read, write-workspace, write-external]
filesystem: { read: [/usr, /bin, /lib, /lib64], write: [$2] }
allow_degraded: [cgroup, landlock]
END
}
