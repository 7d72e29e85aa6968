#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How a call stands is the same in each place that says so: log, show, workflow show, pending, ps.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# stays ARG…: a call of the workflow that stays; PID, CALL.
stays()
{
	start_airlock -W flow "$@" -- sh -c 'echo up; exec sleep 100'
	wait_for 20 bg_says up || not_ok "a call that stays" "$(cat "$T/.bg.err")"
	CALL=$(record .planned.call)
}

kill_front()
{
	kill -KILL "$PID"
	wait "$PID" 2>/dev/null
}

in_ps()
{
	as_id "$A" ps --json | jq -r --arg call "$1" 'select(.call == $call).state'
}

# states CALL: in log, log --json, the first word of show, workflow show --json, in pending, in ps.
states()
{
	echo "$(as_id "$A" log -n 0 | awk -v id="${1:0:13}" '$2 ~ "^" id { print $3 }')" \
		"$(as_id "$A" log -n 0 --json | jq -r --arg call "$1" 'select(.call == $call).state')" \
		"$(as_id "$A" show "$1" | sed -n '1s/[:,].*//p')" \
		"$(as_id "$A" workflow show flow --json | jq -r --arg call "$1" '.timeline[] | select(.type == "call" and .call == $call).state')" \
		"$(as_id "$A" pending --json | jq -r --arg call "$1" 'select(.call == $call).verdict')," \
		"$(in_ps "$1")"
}

is_frozen()
{
	[ "$(in_ps "$CALL")" = frozen ]
}

# timeline CALL: its lines of workflow show, from its state on.
timeline()
{
	as_id "$A" workflow show flow | sed -E -n "/^[0-9:]{8}  ${1:0:13}  /,/^[0-9:]{8}  /p" | sed 's/^ *//' |
		sed -E -n "1s/.*  ([a-z]+.*)  sh -c.*/\1/p; 2,\$ { /^[0-9:]{8}/!p }" | paste -sd ' '
}

# retry CALL: what show says that a retry gets.
retry()
{
	as_id "$A" show "$1" | sed -n '/^  retry /,/^  [a-z]\|^$/p' | sed -n '1s/^  retry *//p; 2s/^    *//p' | paste -sd ' '
}

printf 'version: 1\nname: safe\nextends: default\nretry: safe\n' >"$T/safe.yaml"
own "$T/safe.yaml"
new_ws flow
expect_verb "a workflow" 0 workflow new flow

stays -k ask
expect_eq "running" "running running running running , running" "$(states "$CALL")"
expect_verb "paused" 0 workflow pause flow
check "ps says so" wait_for 20 is_frozen
expect_eq "frozen" "frozen frozen frozen frozen , frozen" "$(states "$CALL")"
expect_verb "resumed" 0 workflow resume flow
kill_front
expect_eq "lost" "unknown unknown unknown unknown unknown, lost" "$(states "$CALL")"
expect_verb "recovered" 0 recover
expect_eq "unknown" "unknown unknown unknown unknown unknown, " "$(states "$CALL")"
expect_eq "unknown: what to do" "unknown airlock died in it: airlock show ${CALL:0:13}, then airlock resolve" \
	"$(timeline "$CALL")"
first=$CALL
expect_verb "to run again" 0 resolve "$first" rerun
expect_eq "resolved" "resolved resolved unknown resolved , " "$(states "$first")"
expect_eq "resolved: nothing to do" "resolved, said to be run again" "$(timeline "$first")"
expect_eq "resolved: what a retry gets" "a retry under its key ask runs, as attempt 2" "$(retry "$first")"

stays -k ask
expect_eq "attempt 2" "running running running running , running" "$(states "$CALL")"
expect_match "attempt 2: of what" "  key         ask, attempt 2, after call $first" <(as_id "$A" show "$CALL")
expect_eq "the first is as it was" "resolved resolved unknown resolved , " "$(states "$first")"
expect_eq "a retry is about the second" "its key was given to attempt 2, call ${CALL:0:13}: see there" \
	"$(retry "$first")"
kill_front
expect_verb "done" 0 resolve "$CALL" "done"
expect_eq "done: it is resolved" "resolved resolved unknown resolved , " "$(states "$CALL")"
expect_eq "done: nothing to do" "resolved, attempt 2, said to be done" "$(timeline "$CALL")"

# ---- retry: safe -------------------------------------------------------------------------------------
stays -k safe -p "$T/safe.yaml"
kill_front
first=$CALL
expect_eq "safe: unknown, nobody waits" "unknown unknown unknown unknown , lost" "$(states "$first")"
expect_eq "safe: what to do" "unknown airlock died in it: sent again under its key, it runs" "$(timeline "$first")"
expect_eq "safe: what a retry gets" "a retry under its key safe runs, as attempt 2" "$(retry "$first")"
stays -k safe -p "$T/safe.yaml"
expect_eq "safe: what to do about the first" unknown "$(timeline "$first")"
expect_eq "safe: a retry is about the second" "its key was given to attempt 2, call ${CALL:0:13}: see there" \
	"$(retry "$first")"
expect_verb "safe: the first is nobody's question" 1 resolve "$first" "done"
expect_match "safe: and why" "its key is that of call $CALL by now" "$ERR"
kill_front

# ---- with an outcome ---------------------------------------------------------------------------------
expect_run "ok" 0 -W flow -k out -- sh -c 'echo out'
CALL=$(record .planned.call)
expect_eq "ok: it is" "ok ok ok ok , " "$(states "$CALL")"
expect_run "replayed" 0 -W flow -k out -- sh -c 'echo out'
expect_eq "replayed: no other call" "$CALL ok ok ok ok , " "$(record .planned.call) $(states "$CALL")"
expect_verb "no call more" 0 workflow budget flow --budget calls=1
expect_run "denied" 125 -W flow -- true
CALL=$(record .planned.call)
expect_eq "denied: it is" "denied denied denied denied , " "$(states "$CALL")"
expect_eq "denied: its streams are empty" "0 $(sha </dev/null)" \
	"$(record '.outcome | .stdin, .stdout, .stderr | "\(.bytes) \(.digest)"' "$CALL" | sort -u)"
