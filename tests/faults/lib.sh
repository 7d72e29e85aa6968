# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the files beside it, which say in $name what they are at.

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

# as_plain_user ARG…: root's own calls may write nothing outside a workspace: a plain user has copies of all that is needed.
# Where root runs the file this runs it again, with these arguments, the first being the build directory, and ends.
as_plain_user()
{
	local copies rc

	[ "$(id -u)" = 0 ] || return 0
	copies=$(mktemp -d "${TMPDIR:-/tmp}/airlock-faults-XXXXXX")
	mkdir -p "$copies/build/tests/faults"
	# shellcheck disable=SC2154 # build is the file's
	cp "$build"/airlock "$build"/airlock-* "$copies/build/"
	cp "$build/tests/faults/kill_at" "$copies/build/tests/faults/"
	cp -r "$build/../profiles" "$0" "$(dirname "$0")/lib.sh" "$copies/"
	chmod -R go+rX "$copies"
	setpriv --reuid=65534 --regid=65534 --clear-groups -- "$copies/$(basename "$0")" "$copies/build" "${@:2}"
	rc=$?
	rm -rf "$copies"
	exit "$rc"
}
