#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# on_failure of a profile: what becomes of a workflow when a call of it failed.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/workflow.sh
. "$(dirname "$0")/workflow.sh"

uid=$(as_id id -u)

# profile NAME LINES
profile()
{
	printf 'version: 1\nname: %s\nextends: default\n%b' "$1" "$2" >"$T/$1.yaml"
	own "$T/$1.yaml"
}

profile go 'on_failure: { then: continue }\n'
profile ask 'on_failure:\n  then: ask\n'
profile stop 'on_failure: { then: stop }\nlimits: { wall: 200ms }\n'

# ---- continue --------------------------------------------------------------------------------------
begin goes
in_w "continue: a call fails" 3 -p "$T/go.yaml" -- sh -c 'exit 3'
in_w "continue: the next one runs" 0 -p "$T/go.yaml" -- true
expect_eq "continue: nothing moved" "active " "$(shown .state) $(moves)"

# ---- ask -------------------------------------------------------------------------------------------
begin asks
in_w "ask: one that succeeds" 0 -p "$T/ask.yaml" -- true
in_w "ask: one that cannot be started" 127 -p "$T/ask.yaml" -- /nowhere
in_w "ask: one that is told to do no such thing" 125 -p "$T/ask.yaml" --step none -- true
expect_eq "ask: nothing moved" "active " "$(shown .state) $(moves)"
mkfifo "$T/go"
own "$T/go"
exec 7<>"$T/go"
beside -W asks -p "$T/go.yaml" -- sh -c 'echo up; read -r go; echo "$go"' <&7
check "ask: another one runs" wait_for 20 bg_says up
in_w "ask: a call fails" 3 -p "$T/ask.yaml" --result "$T/result" -- sh -c 'exit 3'
failed=$(record .planned.call)
why="call $failed failed: exit 3 is not in the profile's success (on_failure.then: ask, ask.yaml:5)"
expect_eq "ask: it says so" "airlock: note: workflow asks is paused by on_failure.then: ask (ask.yaml:5)" "$(cat "$ERR")"
expect_eq "ask: the record, too" '["workflow asks is paused by on_failure.then: ask (ask.yaml:5)"]' "$(record .outcome.warnings | jq -c .)"
expect_eq "ask: its verdict is its own" "failed exit 3 is not in the profile's success" "$(jq -r '"\(.verdict) \(.reason)"' "$T/result")"
expect_eq "ask: paused" "paused $why" "$(shown '"\(.state) \(.reason)"')"
expect_eq "ask: once, by the call" "pause by call" "$(moves)"
in_w "ask: the next one is denied" 125 -p "$T/ask.yaml" -- true
expect_eq "ask: and why" "airlock: denied: workflow asks is paused: $why; \`airlock workflow resume asks\` lets it go on" "$(cat "$ERR")"
echo went >&7
wait "$PID"
expect_eq "ask: what runs is let be" "0 up went" "$? $(paste -sd' ' "$T/.bg.out")"
rm "$AIRLOCK_STATE/wf/$(cat "$AIRLOCK_STATE/names/asks")/ledger"
expect_verb "ask: the ledger is made again" 0 recover
expect_eq "ask: it still waits" "paused $why" "$(shown '"\(.state) \(.reason)"')"
expect_verb "ask: a person lets it go on" 0 workflow resume asks
in_w "ask: the next one runs" 0 -p "$T/ask.yaml" -- true
expect_eq "ask: the timeline" "-- made by uid $uid
CALL ok true
CALL ok sh -c 'echo up; read -r go; echo \"\$go\"'
CALL failed 3 sh -c 'exit 3'
-- paused by on_failure: call ID failed: exit 3 is not in the profile's success (on_failure.then: ask, ask.yaml:5)
CALL denied true
-- resumed by uid $uid
CALL ok true" "$(timeline | grep -v '^ ')"

# ---- stop ------------------------------------------------------------------------------------------
begin stops
start_airlock -W stops -p "$T/go.yaml" -- sh -c 'echo up; exec sleep 100'
check "stop: another one runs" wait_for 20 bg_says up
other=$(record .planned.call)
begin beside
(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" -W beside -p "$T/go.yaml" -- sh -c 'echo up; exec sleep 100') >"$T/.beside" 2>&1 &
beside=$!
check "stop: and one of another workflow" wait_for 20 grep -q up "$T/.beside"
W=stops
in_w "stop: a call takes too long" 124 -p "$T/stop.yaml" -- sleep 50
failed=$(record .planned.call)
wait "$PID"
expect_eq "stop: the other is ended" "125 interrupted ended by a call of its workflow that failed (on_failure.then: stop)" \
	"$? $(record '.outcome | "\(.verdict) \(.reason)"' "$other")"
expect_eq "stop: stopped, by the call" "stopped stop by call" "$(shown .state) $(moves)"
expect_match "stop: and why" "call $failed timeout: " <(shown .reason)
in_w "stop: the next one is denied" 125 -p "$T/stop.yaml" -- true
expect_match "stop: for good" "workflow stops is stopped: call $failed timeout: " "$ERR"
expect_verb "stop: nobody resumes it" 1 workflow resume stops
expect_eq "stop: of the other workflow nothing" "active running" \
	"$(W=beside && shown '"\(.state) \(.timeline[-1].state)"')"
kill -TERM "$beside"
wait "$beside"

# ---- what is no failure, and no workflow -------------------------------------------------------------
begin ended
start_airlock -W ended -p "$T/ask.yaml" -- sh -c 'echo up; exec sleep 100'
check "ended: one that runs" wait_for 20 bg_says up
expect_verb "ended: by a person" 0 kill "$(record .planned.call)"
wait "$PID"
expect_eq "ended: nothing moved" "interrupted active " "$(record .outcome.verdict) $(shown .state) $(moves)"
profile checks 'mode: propose\non_failure: { then: stop }\ndone_when: [{ name: there, run: [test, -e, there] }]\n'
in_w "a postcondition that holds" 0 -p "$T/checks.yaml" --result "$T/result" -- touch there
in_w "tried over it, by a person" 1 -p "$T/checks.yaml" -m observe --over "$(jq -r .call "$T/result")" -- false
expect_eq "nothing moved" "active " "$(shown .state) $(moves)"
in_w "a postcondition that does not hold" 123 -p "$T/checks.yaml" -- rm there
expect_eq "fails the call" "stopped stop by call" "$(shown .state) $(moves)"
expect_match "which says which" "failed: done_when there: exit 1, wanted 0" <(shown .reason)
expect_run "without a workflow" 3 -p "$T/stop.yaml" -- sh -c 'exit 3'
expect_eq "nothing comes of it" "" "$(cat "$ERR")"
expect_run "the next one runs" 0 -p "$T/stop.yaml" -- true
expect_verb "which explain says" 0 profile explain "$T/stop.yaml"
expect_match "in a sentence" "without -W nothing comes of it." <(tr -s '\n ' ' ' <"$OUT")

# ---- what cannot be noted ------------------------------------------------------------------------------
begin lost
ledger=$AIRLOCK_STATE/wf/$(cat "$AIRLOCK_STATE/names/lost")/ledger
beside -W lost -p "$T/ask.yaml" -- sh -c 'echo up; read -r go; exit 3' <&7
check "no ledger: one that runs" wait_for 20 bg_says up
rm "$ledger"
as_id mkdir "$ledger"
echo go >&7
wait "$PID"
expect_eq "no ledger: it ends as it did" 3 $?
expect_match "no ledger: what was to come of it is said" \
	"airlock: note: on_failure.then: ask could not be done: open the workflow's ledger: Is a directory" "$T/.bg.err"
expect_eq "no ledger: and recorded" "failed exit 3 is not in the profile's success; on_failure.then: ask could not be done: open the workflow's ledger: Is a directory" \
	"$(record '.outcome | "\(.verdict) \(.reason)"')"
rmdir "$ledger"

# ---- a child -------------------------------------------------------------------------------------------
printf 'version: 1\nname: wider\nextends: %s\non_failure: { then: continue }\n' "$T/ask.yaml" >"$T/wider.yaml"
own "$T/wider.yaml"
expect_run "a child only moves on" 125 -p "$T/wider.yaml" -- true
expect_match "with the place" "wider.yaml:4:21: error: on_failure.then: continue is wider than the parent's ask" "$ERR"

# ---- run again (86-on-failure-again.sh has the rest) ---------------------------------------------------
profile again 'retry: safe\non_failure: { retries: 1, backoff: 1ms }\n'
begin again
in_w "it is run again, and fails again" 3 -n -p "$T/again.yaml" -- sh -c 'echo out; exit 3'
expect_eq "two calls, and one output" "failed 1,failed 2 out" \
	"$(shown '[.timeline[] | select(.type == "call") | "\(.state) \(.attempt)"] | join(",")') $(cat "$OUT")"
if [ "$E2E_IDENTITY" = root ] && [ "$(id -u)" = 0 ]; then
	mkdir "$T/theirs" "$T/theirs-state"
	chown "$E2E_USER": "$T/theirs" "$T/theirs-state"
	chmod 700 "$T/theirs-state"
	as_id env AIRLOCK_STATE="$T/theirs-state" "$A" run -w "$T/theirs" -n -p "$T/again.yaml" -- sh -c 'exit 3' >"$OUT" 2>"$ERR"
	expect_eq "for another user it is not" 3 $?
	expect_match "and why" "it is not run again: airlock was called by root for another user's workspace" "$ERR"
fi
