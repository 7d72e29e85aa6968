# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # shared with lib.sh
# Sourced by tests/containment/run: the launcher under test, and what is held to be contained by it.
#
# launchers/NAME.sh is an adapter. It has
#   launcher_version          one line, or nothing where the launcher is not on this machine
#   launcher_command CMD…     sets CMD to what starts CMD as $IDENTITY in $WORKSPACE, which may be written; the system's
#                             programs can be read, and $READ where $READING is not empty; nothing else is asked for
#   LAUNCHER_LACKS            what it has not, so that cases that need it (`limited`) are not applicable
#   LAUNCHER_WRITES           directories of the host that it writes
#   LAUNCHER_IDENTITIES       whom it is tried as; root and plain where nothing is said
# airlock is held to each line that a case writes, and to its record. Another launcher may say no in its own words: of it
# only those cases are asked that are `for_any`, and it contains one when no act works that airlock does not let work.

launcher_load()
{
	LAUNCHER=$1 LAUNCHER_LACKS="" LAUNCHER_WRITES=() LAUNCHER_IDENTITIES=(root plain)
	unset -f launcher_run launcher_command
	# shellcheck disable=SC1090
	. "$here/launchers/$1.sh" || exit 125
}

is_airlock()
{
	[ "$LAUNCHER" = airlock ]
}

# ---- another launcher -----------------------------------------------------------------------------------

# It runs where only $T and what it needs can be written: what it lets through must not reach this host.
peer_run()
{
	local CMD=()

	launcher_command "$@" || return
	if [ "$LAUNCHER" = none ]; then
		ACT=("$@")
		control_run
		return
	fi
	(cd "$WORKSPACE" && guarded as "${BEFORE[@]}" timeout -k 2 40 "${CMD[@]}")
}

# The same, at a terminal of its caller's.
peer_on_terminal()
{
	local CMD=()

	launcher_command "$@" &&
		(cd "$WORKSPACE" && guarded as timeout -k 2 40 script -qec "${CMD[*]@Q}" /dev/null </dev/null)
}

# One that finds itself in a container, or cannot make namespaces, may start the program all the same, with no sandbox.
shares_processes()
{
	local out

	out=$(cd "$WORKSPACE" && peer_run /bin/readlink /proc/self/ns/pid </dev/null 2>&1)
	[[ $out == *"$(readlink /proc/self/ns/pid)"* ]]
}

# Prints why the launcher cannot be tried as this identity: it does not start what works outside, or it does nothing else.
peer_unfit()
{
	local out

	case_begin
	fresh smoke
	out=$(cd "$WORKSPACE" && peer_run ./attack stdin </dev/null 2>&1)
	if [[ $out != *stdin=* ]]; then
		printf '%s does not start a program as this identity: %s\n' "$LAUNCHER" "$(tail -n 1 <<<"$out" | cut -c1-160)"
	elif [ "$LAUNCHER" != none ] && shares_processes; then
		printf '%s starts programs among the processes of this host: nothing is tried on those\n' "$LAUNCHER"
	fi
}

# ---- judged -----------------------------------------------------------------------------------------------

# also PATTERN…: lines that are right as well, of a launcher that is not airlock.
also()
{
	ALSO+=("$@")
}

is_also()
{
	local pattern

	for pattern in "${ALSO[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $1 == $pattern ]] && return 0
	done
	return 1
}

# expect_held WANT: what the acts printed. Of another launcher: an act that airlock denies is denied by an error, whichever,
# or by its end.
expect_held()
{
	local line got

	if is_airlock; then
		expect_lines "$1" "$OUT"
		return
	fi
	if [ -z "$OUT" ]; then
		REFUSED=1
		return
	fi
	while IFS= read -r line; do
		[[ $line == *=ok ]] && continue
		got=$(grep -F -m 1 -e "${line%%=*}=" <<<"$OUT")
		[ "$got" = "$line" ] || [ -z "$got" ] || [[ $got =~ =(E[A-Z0-9]+|killed-[0-9]+)$ ]] || is_also "$got" ||
			fail "$got"
	done <<<"$1"
}
