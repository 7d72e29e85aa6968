# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by every file of tests/e2e (and tests/containment) as its first act. Such a file runs once per identity:
#   root    root itself, with a workspace that root owns
#   plain   a plain user with a workspace of its own
#   userns  that user as the root of its own `unshare -r`
# unless a comment "# identities: root plain" names fewer. It prints one line per case, "ok NAME",
# "not ok NAME: why" or "skip NAME: why". Started by hand, a file starts tests/e2e/run for itself.
#
# What a file finds:
#   $A          build/airlock (or a copy that the plain user can reach)
#   $LOG        build/airlock-log beside it
#   $T          a directory of this file and identity, removed afterwards; its owner is the identity
#   $WS         the workspace: a directory in $T
#   $E2E_IDENTITY, $E2E_USER (the plain user), $E2E_PAYLOAD (compiled payloads, readable by all)
#   HOME, AIRLOCK_STATE (in $T) are set for whoever acts; no XDG_* is
#   $E2E_HOME   where the tool's HOME is: $T/home; root's own is what passwd says, whatever HOME is
# and the functions below. The file itself runs as whoever runs the suite.
set -u
export LC_ALL=C

E2E_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ -z "${E2E_IDENTITY:-}" ]; then
	exec "$E2E_DIR/run" "$(cd "$(dirname "$0")" && pwd)/$(basename "$0")"
fi
export AIRLOCK_STATE=$T/state-$E2E_IDENTITY
RC=0
OUT=$T/.out
ERR=$T/.err
# shellcheck disable=SC2034 # for the files
LOG=$(dirname "$A")/airlock-log

# What makes a command the plain user's, or the identity's: prefixes that exec, so that a pid stays the command's.
E2E_BECOME=()
if [ "$(id -u)" = 0 ]; then
	E2E_BECOME=(setpriv --reuid="$E2E_USER" --regid="$(id -g "$E2E_USER")" --init-groups --)
fi
case $E2E_IDENTITY in
root)
	E2E_AS_USER=("${E2E_BECOME[@]}" env HOME="$E2E_USER_HOME" USER="$E2E_USER" LOGNAME="$E2E_USER")
	E2E_AS_ID=(env HOME="$T/home")
	E2E_HOME=$(getent passwd 0 | cut -d: -f6)
	;;
plain | userns)
	E2E_AS_USER=("${E2E_BECOME[@]}" env HOME="$T/home" USER="$E2E_USER" LOGNAME="$E2E_USER")
	E2E_AS_ID=("${E2E_AS_USER[@]}")
	# shellcheck disable=SC2034 # for the files
	E2E_HOME=$T/home
	[ "$E2E_IDENTITY" = plain ] || E2E_AS_ID+=(unshare -r)
	;;
esac

# as_user CMD…: as the plain user, whatever the identity is. CMD is a program, no function.
as_user()
{
	"${E2E_AS_USER[@]}" "$@"
}

# as_id CMD…: as the identity that this run of the file is about.
as_id()
{
	"${E2E_AS_ID[@]}" "$@"
}

# own PATH…: hands files that the test made to the identity.
own()
{
	if [ "$(id -u)" = 0 ] && [ "$E2E_IDENTITY" != root ]; then
		chown -hR "$E2E_USER": -- "$@"
	fi
}

# new_ws [NAME]: makes a fresh, empty workspace and sets WS.
new_ws()
{
	E2E_WS_COUNT=$((${E2E_WS_COUNT:-0} + 1))
	WS=$T/${1:-ws$E2E_WS_COUNT}
	mkdir -p "$WS"
	own "$WS"
}

# run_airlock ARG…: `airlock run -w $WS ARG…` as the identity. Sets RC; OUT and ERR are files with what it said.
run_airlock()
{
	as_id "$A" run -w "$WS" "$@" >"$OUT" 2>"$ERR"
	RC=$?
	return 0
}

# shellcheck disable=SC2034 # PID is for the caller
# start_airlock ARG…: the same in the background. Sets PID, airlock's own; what it says is in $T/.bg.out and $T/.bg.err.
start_airlock()
{
	: >"$T/.bg.out" # before whoever waits for a word in it looks: the child makes it empty when it gets there
	(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" "$@") >"$T/.bg.out" 2>"$T/.bg.err" &
	PID=$!
}

# tool_pid: the process, by its number here, that the tool of start_airlock's call runs in. It fails while there is none.
tool_pid()
{
	local jail tool

	jail=$(pgrep -P "$PID" -x airlock-jail) || return 1
	tool=$(pgrep -P "$jail") || return 1
	[ "$(cat "/proc/$tool/comm")" != airlock-jail ] && echo "$tool"
}

# listen_in_call PORT each|fd CMD ARG…: CMD, out here, serves 127.0.0.1:PORT of start_airlock's call
# (payload/netns_listen.c) until stop_listening; it succeeds when a client can connect. Not in a subshell (check): it sets
# LISTENER. What is said is in $T/.listen.out and $T/.listen.err.
listen_in_call()
{
	local tool

	payload netns_listen
	wait_for 20 tool_pid || return 1
	tool=$(tool_pid) || return 1
	: >"$T/.listen.out"
	"$E2E_PAYLOAD/netns_listen" "$tool" "$@" >"$T/.listen.out" 2>"$T/.listen.err" &
	LISTENER=$!
	wait_for 20 grep -qx listening "$T/.listen.out"
}

stop_listening()
{
	kill "$LISTENER"
	wait "$LISTENER" 2>/dev/null
}

# bg_says TEXT: what start_airlock's call wrote has it.
bg_says()
{
	grep -qF -- "$1" "$T/.bg.out"
}

ok()
{
	echo "ok $1"
}

# One line, whatever the reason holds.
not_ok()
{
	echo "not ok $1: $(printf '%s' "$2" | tr '\n' ' ' | cat -v | cut -c1-600)"
}

skip()
{
	echo "skip $1: $2"
}

# check NAME CMD…: ok when CMD succeeds; what it said is shown when it does not.
check()
{
	local name=$1 said rc
	shift

	said=$("$@" 2>&1)
	rc=$?
	if [ "$rc" = 0 ]; then
		ok "$name"
	else
		not_ok "$name" "'$*' gave $rc: $said"
	fi
}

expect_eq()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "wanted '$2', got '$3'"
	fi
}

# expect_rc NAME RC CMD…
expect_rc()
{
	local name=$1 want=$2 said rc
	shift 2

	said=$("$@" 2>&1)
	rc=$?
	if [ "$rc" = "$want" ]; then
		ok "$name"
	else
		not_ok "$name" "wanted exit $want, got $rc: $said"
	fi
}

# expect_out NAME WANT CMD…: CMD succeeds and its stdout, without newlines at the end, is WANT.
expect_out()
{
	local name=$1 want=$2 got rc
	shift 2

	got=$("$@" 2>"$ERR.expect")
	rc=$?
	if [ "$rc" = 0 ] && [ "$got" = "$want" ]; then
		ok "$name"
	else
		not_ok "$name" "wanted '$want', got '$got', exit $rc: $(cat "$ERR.expect")"
	fi
}

# expect_match NAME WANT FILE: a fixed string stands in FILE.
expect_match()
{
	if grep -qF -- "$2" "$3"; then
		ok "$1"
	else
		not_ok "$1" "wanted '$2' in: $(head -c 600 "$3")"
	fi
}

# expect_no_match NAME UNWANTED FILE
expect_no_match()
{
	if grep -qF -- "$2" "$3"; then
		not_ok "$1" "found '$2' in: $(head -c 600 "$3")"
	else
		ok "$1"
	fi
}

# expect_run NAME RC ARG…: run_airlock ARG… exits so. RC, OUT, ERR are there afterwards.
expect_run()
{
	local name=$1 want=$2
	shift 2

	run_airlock "$@"
	if [ "$RC" = "$want" ]; then
		ok "$name"
	else
		not_ok "$name" "wanted exit $want, got $RC: $(head -c 500 "$ERR")"
	fi
}

# in_w NAME RC ARG…: expect_run of a call of workflow $W.
in_w()
{
	local name=$1 want=$2
	shift 2

	expect_run "$name" "$want" -W "$W" "$@"
}

# expect_verb NAME RC VERB ARG…: another verb of airlock, as the identity, exits so. RC, OUT, ERR as above.
expect_verb()
{
	local name=$1 want=$2
	shift 2

	as_id "$A" "$@" >"$OUT" 2>"$ERR"
	RC=$?
	if [ "$RC" = "$want" ]; then
		ok "$name"
	else
		not_ok "$name" "wanted exit $want, got $RC: $(head -c 500 "$ERR")"
	fi
}

# record JQ [CALL]: jq -r on the records of a call, the last one when none is named.
record()
{
	as_id "$A" show "${2:-@last}" --json | jq -r "$1"
}

# call N: the id of the Nth newest call.
call()
{
	as_id "$A" log -n "$1" --json | head -n 1 | jq -r .call
}

# named NAME ARG…: a run that succeeds; CALL_IDS has its id under that name, and CALL_NAMES the name under the id.
declare -A CALL_IDS CALL_NAMES
named()
{
	local name=$1
	shift

	expect_run "$name runs" 0 "$@"
	CALL_IDS[$name]=$(record .planned.call)
	# shellcheck disable=SC2034 # for the files
	CALL_NAMES[${CALL_IDS[$name]}]=$name
}

# rows QUERY: what index.db has, as it is now: "$LOG" --wait, or a verb that reads, takes in what is new.
rows()
{
	as_id sqlite3 "file:$AIRLOCK_STATE/index.db?mode=ro" "$1"
}

# sha: the digest of standard input.
sha()
{
	sha256sum | cut -c 1-64
}

# journal_entries: how many entries the journal of this state holds; the caller compares two of them.
journal_entries()
{
	local n=0

	if [ -d "$AIRLOCK_STATE/journal" ]; then
		n=$(cat "$AIRLOCK_STATE"/journal/*.log 2>/dev/null | grep -aoE '"type":"call\.(planned|outcome)"' | wc -l)
	fi
	echo "$n"
}

# wait_for SECONDS CMD…: polls until CMD succeeds; fails when it does not in time.
wait_for()
{
	local end=$((SECONDS + $1))
	shift

	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# payload NAME [FLAG…]: compiles tests/e2e/payload/NAME.c (static) to $E2E_PAYLOAD/NAME, once per run of the suite.
payload()
{
	local name=$1
	shift

	if [ ! -x "$E2E_PAYLOAD/$name" ]; then
		"${CC:-gcc}" -std=gnu17 -O1 -Wall -Wextra -static -D_GNU_SOURCE "$@" \
			-o "$E2E_PAYLOAD/$name.part" "$E2E_DIR/payload/$name.c" &&
			chmod 755 "$E2E_PAYLOAD/$name.part" && mv "$E2E_PAYLOAD/$name.part" "$E2E_PAYLOAD/$name"
	fi
}

mkdir -p "$T/home"
own "$T/home"
new_ws ws
