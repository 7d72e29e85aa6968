#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Nothing survives a call: whatever the tool starts, however the call, or airlock itself, ends. Who ends what is told
# apart by the record. The tool says through a fifo of its output when it has got somewhere: nothing here sleeps to wait.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
payload hog
cp "$E2E_PAYLOAD/hog" "$WS/hog"
own "$WS/hog"

# Processes that this machine has of the call: their command line holds a word that only this file uses.
alive()
{
	pgrep -f -- "$1" >/dev/null
}

none_alive()
{
	! alive "$1"
}

expect_dead()
{
	check "$1: dead" wait_for 5 none_alive "$2"
}

said()
{
	grep -q "$1" "$OUT"
}

# start ARG…: airlock in the background; LAUNCHER is its pid once the tool has said "up".
start()
{
	: >"$OUT" # what an earlier call said must not pass for this one's
	as_id env --default-signal=INT,QUIT "$A" run -w "$WS" "$@" >"$OUT" 2>"$ERR" &
	local job=$!
	LAUNCHER=
	wait_for 20 said up || return 1
	LAUNCHER=$(launcher_of "$job")
	JOB=$job
}

# setpriv, env and unshare exec, so the job is airlock; in between there may be a shell of ours.
launcher_of()
{
	local pid=$1 child

	while [ "$(cat "/proc/$pid/comm")" != airlock ]; do
		child=$(cut -d' ' -f1 "/proc/$pid/task/$pid/children")
		[ -n "$child" ] || break
		pid=$child
	done
	echo "$pid"
}

finish()
{
	wait "$JOB" 2>/dev/null
	RC=$?
}

ended()
{
	record '.outcome | "\(.verdict) \(.exit) \(.signal) \(.settled)"'
}

# ---- what a tool leaves --------------------------------------------------------------------------
before=$EPOCHREALTIME
expect_run "a sleeper in the background" 5 -- sh -c 'sleep 99.001 & exit 5'
check "a sleeper: the call does not wait for it" \
	test $((${EPOCHREALTIME/./} - ${before/./})) -lt 30000000
expect_dead "a sleeper" 'sleep 99\.001'
expect_run "a sleeper that holds the output" 0 -- sh -c 'sh -c "exec sleep 99.002" & echo out'
expect_eq "a sleeper that holds the output: all of it is there" "out" "$(cat "$OUT")"
expect_dead "a sleeper that holds the output" 'sleep 99\.002'
expect_run "setsid" 0 -- sh -c 'setsid sh -c "trap : TERM HUP; exec sleep 99.003" & :'
expect_dead "setsid" 'sleep 99\.003'
expect_run "nohup, ignoring SIGTERM" 0 -- sh -c 'trap "" TERM HUP; nohup sleep 99.004 >/dev/null 2>&1 & :'
expect_dead "nohup" 'sleep 99\.004'
expect_run "a daemon by the book" 0 -- ./hog daemon 99005
expect_dead "a daemon by the book" 'hog daemon 99005'
expect_run "3000 orphans: PID 1 reaps them all" 0 --limit pids=64 -- ./hog zombies 3000
expect_eq "3000 orphans: done" "zombies 3000 0" "$(cat "$OUT")"

# ---- what a tool does to itself ------------------------------------------------------------------
expect_run "kill -9 \$\$" 137 -- sh -c 'kill -9 $$'
expect_eq "kill -9 \$\$: ended" "signaled null 9 none" "$(ended)"
# shellcheck disable=SC2016 # the tool's shell expands it
expect_run "kill -1: everything but PID 1 and itself" 3 -- sh -c 'sleep 99.006 & kill -TERM -1; wait; exit 3'
expect_eq "kill -1: ended" "failed 3 null none" "$(ended)"
expect_dead "kill -1" 'sleep 99\.006'
expect_run "kill the process group" 143 -- sh -c 'trap - TERM; kill -TERM 0; sleep 99'
expect_eq "kill the process group: ended" "signaled null 15 none" "$(ended)"
expect_run "kill PID 1 does nothing" 4 -- sh -c 'kill -9 1; kill -TERM 1; exit 4'
expect_run "SIGSTOP itself: the wall ends it" 124 --limit wall=300ms -- sh -c 'kill -STOP $$; echo on'
expect_eq "SIGSTOP itself: ended" "timeout null null none" "$(ended)"
expect_run "ignores SIGTERM: the wall ends it" 124 --limit wall=300ms -- sh -c 'trap "" TERM; while :; do sleep 99.007; done'
expect_dead "ignores SIGTERM" 'sleep 99\.007'

# ---- signals to airlock --------------------------------------------------------------------------
trapper='trap "echo trapped >trace; echo trapped; exit 9" TERM INT; echo up; while :; do sleep 99.008 & wait; done'
for signal in TERM INT; do
	start -- sh -c "$trapper"
	kill -"$signal" "$LAUNCHER"
	finish
	expect_eq "SIG$signal: exit" "125" "$RC"
	expect_eq "SIG$signal: the tool's trap ran" "up trapped" "$(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
	expect_eq "SIG$signal: ended" "interrupted 9 null held" "$(ended)"
	expect_eq "SIG$signal: reason" "ended by signal $(kill -l "$signal")" "$(record '.outcome.reason')"
	check "SIG$signal: nothing was committed" test ! -e "$WS/trace"
	expect_dead "SIG$signal" 'sleep 99\.008'
done
start -- sh -c 'trap "" TERM; echo up; while :; do sleep 99.009; done'
before=$EPOCHREALTIME
kill -TERM "$LAUNCHER"
finish
took=$(((${EPOCHREALTIME/./} - ${before/./}) / 1000))
expect_eq "SIGTERM ignored: exit" "125" "$RC"
check "SIGTERM ignored: after a grace" test "$took" -ge 900
check "SIGTERM ignored: soon" test "$took" -lt 10000
expect_eq "SIGTERM ignored: ended" "interrupted null null none" "$(ended)"
expect_dead "SIGTERM ignored" 'sleep 99\.009'

# Signal after signal while what it changed is read: that is known all the same.
start -- sh -c 'for i in 1 2 3 4; do head -c 30000000 /dev/urandom >big$i; done; echo up; exec sleep 99.011'
while kill -TERM "$LAUNCHER" 2>/dev/null; do
	:
done
finish
expect_eq "SIGTERM again and again" "125 interrupted held 4" "$RC $(record '.outcome | "\(.verdict) \(.settled) \(.changes.items | length)"')"

start -- sh -c 'trap "echo first" TERM; echo up; while :; do sleep 99.010 & wait; done'
kill -TERM "$LAUNCHER"
check "second SIGTERM: the tool got the first" wait_for 10 said first
before=$EPOCHREALTIME
kill -TERM "$LAUNCHER"
finish
took=$(((${EPOCHREALTIME/./} - ${before/./}) / 1000))
expect_eq "second SIGTERM: exit" "125" "$RC"
expect_eq "second SIGTERM: ended" "interrupted null null none" "$(ended)"
expect_dead "second SIGTERM" 'sleep 99\.010'

start -- sh -c 'trap "echo usr1" USR1; echo up; while :; do sleep 0.05; done'
kill -USR1 "$LAUNCHER"
check "SIGUSR1 is the tool's, and ends nothing" wait_for 10 said usr1
kill -TERM "$LAUNCHER"
finish

# ---- SIGKILL of airlock --------------------------------------------------------------------------
start -- sh -c 'echo up; touch made; (setsid sleep 99.011 &); sleep 99.012'
call=$(as_id "$A" log --json -n 1 2>/dev/null | jq -r 'if type == "array" then .[-1].call else .call end' | tail -n 1)
kill -KILL "$LAUNCHER"
finish
expect_eq "SIGKILL: exit" "137" "$RC"
expect_dead "SIGKILL" 'sleep 99\.01[12]'
no_groups()
{
	[ -z "$(find /sys/fs/cgroup -type d -name "c-*-*-$LAUNCHER-*")" ]
}
[ "$(record '.planned.limits | length' "$call")" = 9 ] || not_ok "SIGKILL: the planned part is there" "$call"
check "SIGKILL: nothing was committed" test ! -e "$WS/made"
expect_run "SIGKILL: the next call works" 0 -- true
check "SIGKILL: no cgroup of it is left" wait_for 5 no_groups
expect_eq "SIGKILL: the killed call is unknown" "unknown" \
	"$(as_id "$A" log --json | jq -rs 'flatten | map(select(.call == "'"$call"'")) | .[0].verdict')"
expect_eq "SIGKILL: it has no outcome" "null" "$(record '.outcome' "$call")"
as_id "$A" show "$call" >"$OUT" 2>"$ERR"
expect_match "SIGKILL: show says so" "unknown" "$OUT"
