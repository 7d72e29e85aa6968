#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A workflow with calls: where it stands, what is frozen and ended with it, a check that finishes it, and what the timeline
# makes of all that.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/workflow.sh
. "$(dirname "$0")/workflow.sh"

uid=$(as_id id -u)

# tool_state ARG: R, S or T of the process of the sandbox that has the argument
tool_state()
{
	local pid
	pid=$(pgrep -xf "sleep $1") || return 1
	sed -E 's/.*\) ([A-Z]) .*/\1/' "/proc/$pid/stat"
}

is_state()
{
	[ "$(tool_state "$1")" = "$2" ]
}

# is_shown STATE: of the call that runs
is_shown()
{
	[ "$(shown '[.timeline[] | select(.call == "'"$running"'")][0].state')" = "$1" ]
}

# ---- where it stands -------------------------------------------------------------------------------
new_ws ws
echo one >"$WS/a"
own "$WS"
W=triage
expect_verb "made" 0 workflow new triage --steps look,fix,report --budget calls=8,disk=100M --owner ada
in_w "a call" 0 --step look -k look-1 -- cat a
expect_eq "is of it" "triage $(cat "$AIRLOCK_STATE/names/triage")" "$(record '.planned | "\(.workflow_name) \(.workflow)"')"
in_w "a second one, which proposes" 0 --step fix -k fix-1 -m propose -- sh -c 'echo two >a'
held=$(record .planned.call)
in_w "a third sees that" 0 --step fix -m propose -- sh -c 'cat a; echo b >b'
expect_eq "it does" two "$(cat "$OUT")"
also=$(record .planned.call)
in_w "a fourth fails" 3 -- sh -c 'exit 3'
in_w "a step that is none" 125 --step fx -- true
expect_eq "where it stands" 'fix [["look","done",1],["fix","here",2],["report","ahead",0]]' \
	"$(shown '"\(.step) \([.steps[] | [.name, .state, .calls]])"')"
expect_eq "what was used, and is left" '{"left":4,"limit":8,"reserved":0,"used":4}' "$(shown .budget.calls)"
expect_eq "what was used without a bound" "[null,null,0]" "$(shown '.budget.wall_ms | [.left, .limit, .reserved]')"
check "is a number" test "$(shown .budget.cpu_ms.used)" -gt 0
expect_eq "the draft" "[[\"$held\",\"draft\",1],[\"$also\",\"draft\",1]]" \
	"$(shown '[.draft[] | [.call, .layer, .changes.modified + .changes.created]]')"
expect_eq "the calls" '[["call","look","look-1","ok","none",1,0],["call","fix","fix-1","ok","held",1,0],["call","fix",null,"ok","held",1,0],["call",null,null,"failed","none",1,3]]' \
	"$(shown '[.timeline[1:][] | [.type, .step, .key, .state, .settled, .attempt, .exit]]')"
expect_eq "for a person" "-- made by uid $uid: calls=8,disk=100MiB
CALL look look-1 ok cat a
CALL fix fix-1 ok, held ~1 sh -c 'echo two >a'
CALL fix - ok, held +1 sh -c 'cat a; echo b >b'
CALL - - failed 3 sh -c 'exit 3'
 exit 3 is not in the profile's success" "$(timeline)"
expect_verb "the same by id" 0 workflow show "$(shown .workflow)" --json
expect_eq "of a replay nothing is counted" "0 4" "$(as_id "$A" run -w "$WS" -p default -W triage --step look -k look-1 -- cat a >/dev/null
	echo "$? $(shown .budget.calls.used)")"
expect_verb "log by its name" 0 log --workflow triage --json
expect_eq "has its calls" 4 "$(wc -l <"$OUT")"

# ---- frozen, ended ---------------------------------------------------------------------------------
start_airlock -p default -W triage --step report -- sleep 6140
check "one that runs" wait_for 20 is_state 6140 S
running=$(shown '.timeline[-1].call')
expect_eq "is running" "running 1" "$(shown '"\(.timeline[-1].state) \(.budget.calls.reserved)"')"
expect_verb "not finished meanwhile" 1 workflow finish triage
expect_match "which is said" "1 call of workflow triage still runs: finish it when they have ended" "$ERR"
expect_verb "not forgotten meanwhile" 1 forget --workflow triage
expect_verb "paused" 0 workflow pause triage --reason "wait for Bob"
expect_eq "with it" "workflow triage is paused; 1 call frozen" "$(cat "$OUT")"
check "it is frozen" wait_for 10 is_state 6140 T
check "and shown so" wait_for 10 is_shown frozen
in_w "another is refused" 125 -- true
expect_match "and told why" "workflow triage is paused: wait for Bob; \`airlock workflow resume triage\` lets it go on" "$ERR"
expect_eq "and has a record" "denied none" "$(record '.outcome | "\(.verdict) \(.settled)"')"
expect_verb "resumed" 0 workflow resume triage
expect_eq "with it" "workflow triage goes on; 1 call thawed" "$(cat "$OUT")"
check "it is thawed" wait_for 10 is_state 6140 S
expect_verb "stopped" 0 workflow stop triage --reason "enough"
expect_eq "with it" "workflow triage is stopped; 1 call ended" "$(cat "$OUT")"
wait "$PID"
expect_eq "which is interrupted" 125 $?
expect_eq "and says by whom" "interrupted ended by airlock workflow" "$(record '.outcome | "\(.verdict) \(.reason)"' "$running")"
in_w "no more calls" 125 -- true
expect_match "which is told" "workflow triage is stopped: enough: it takes no more calls" "$ERR"
expect_eq "nothing is reserved" "0 5" "$(shown '.budget.calls | "\(.reserved) \(.used)"')"
expect_eq "all of that is in the timeline" "CALL look look-1 ok cat a
-- paused by uid $uid: wait for Bob
-- resumed by uid $uid
-- stopped by uid $uid: enough" "$(timeline | sed -n '2p; /^-- [prs]/p')"

# ---- budget, loop guard ----------------------------------------------------------------------------
W=few
expect_verb "one with little" 0 workflow new few --budget calls=2 --loop-guard 3
printf '%s\n' "version: 1" "name: asks" "extends: default" "done_when:" \
	"  - { name: there, profile: default, run: [grep, -q, good, asked] }" >"$T/asks.yaml"
own "$T/asks.yaml"
expect_run "one, with a postcondition" 0 -p "$T/asks.yaml" -W few -- sh -c 'echo good >asked'
expect_eq "which is part of it" "1 good" "$(shown .budget.calls.used) $(cat "$WS/asked")"
in_w "another" 0 -m propose -- sh -c 'echo 2 >held'
few=$(record .planned.call)
in_w "and no third" 125 -- echo 3
expect_match "which is told" "workflow few has no calls left in its budget of 2: 2 used, 0 reserved by calls that run; \`airlock workflow budget few --budget calls=...\` gives it more" "$ERR"
in_w "nor one over what is held" 125 -m observe --over "$few" -- cat held
expect_match "for the same reason" "workflow few has no calls left in its budget of 2" "$ERR"
expect_verb "more of it" 0 workflow budget few --budget calls=20
in_w "control: over what is held" 0 -m observe --over "$few" -- cat held
expect_eq "which is counted" 3 "$(shown .budget.calls.used)"
start_airlock -p default -W few -- sleep 6142
check "one runs on" wait_for 20 is_state 6142 S
running=$(shown '.timeline[-1].call')
for _ in 1 2 3; do
	run_airlock -p default -W few -- false
done
expect_eq "three equal ones pause it" "1 paused" "$RC $(shown .state)"
in_w "then none is let in" 125 -- echo 4
expect_eq "and it is said why" "paused by the loop guard: 3 equal requests in a row" \
	"$(timeline | sed -n 's/^-- paused/paused/p')"
expect_eq "what runs is not frozen by that" "S running" "$(tool_state 6142) $(shown '[.timeline[] | select(.call == "'"$running"'")][0].state')"
expect_verb "a person pauses it, too" 0 workflow pause few
expect_eq "and freezes what runs" "workflow few is paused; 1 call frozen" "$(cat "$OUT")"
check "it is frozen" wait_for 10 is_state 6142 T
check "and shown so" wait_for 10 is_shown frozen
expect_eq "the reason is still the guard's" "paused loop guard: 3 equal requests in a row" "$(shown '"\(.state) \(.reason)"')"
: >"$AIRLOCK_STATE/wf/$(shown .workflow)/ledger"
expect_eq "also in a ledger that is made again" "paused loop guard: 3 equal requests in a row" "$(shown '"\(.state) \(.reason)"')"
expect_verb "nothing is left to freeze" 1 workflow pause few
expect_eq "which is said" "airlock: workflow few is paused already" "$(cat "$ERR")"
expect_verb "resumed" 0 workflow resume few
expect_eq "with what was frozen" "workflow few goes on; 1 call thawed" "$(cat "$OUT")"
check "it is thawed" wait_for 10 is_state 6142 S
expect_verb "ended" 0 kill "$running"
wait "$PID"
in_w "it goes on" 0 -- true
expect_verb "a deadline" 0 workflow budget few --deadline 1ms
in_w "that has passed" 125 -- true
expect_match "which is told" "the deadline of workflow few has passed" "$ERR"

# ---- less of it, while calls run -------------------------------------------------------------------
# runs N: a call of $W in the background, whose tool is sleep N; sets running.
runs()
{
	start_airlock -p default -W "$W" -- sleep "$1"
	wait_for 20 is_state "$1" S || not_ok "$W: a call that runs" "$(cat "$T/.bg.err")"
	running=$(shown '.timeline[-1].call')
}

# last_call: the state of the newest one.
last_call()
{
	shown '[.timeline[] | select(.type == "call")][-1].state'
}

# ends NAME WANT: it does, by itself; WANT is exit, verdict and reason.
ends()
{
	wait "$PID"
	expect_eq "$1" "$2" "$? $(record '.outcome | "\(.verdict) \(.reason)"' "$running")"
}

W=less
expect_verb "one with time" 0 workflow new less --budget wall=2h --deadline 2h
runs 6150
expect_verb "more time" 0 workflow budget less --budget wall=3h --deadline 3h
expect_verb "and less, which is still more than a call may have" 0 workflow budget less --budget wall=1h
expect_verb "less than that" 0 workflow budget less --budget wall=9m
reserves()
{
	[ "$(shown .budget.wall_ms.reserved)" = "$1" ]
}
check "so it has reserved as much" wait_for 10 reserves 540000
expect_eq "also in its own file" "540000" "$(as_id "$A" ps --json | jq .reserved.wall_ms)"
expect_eq "and runs" "running S" "$(last_call) $(tool_state 6150)"
expect_verb "less than it ran" 0 workflow budget less --budget wall=1ms
ends "it ends" "124 timeout wall: the budget of its workflow is less by now"
expect_eq "and has given it back" "0" "$(shown .budget.wall_ms.reserved)"
expect_verb "no bound" 0 workflow budget less --budget wall=none
runs 6151
expect_verb "an earlier deadline" 0 workflow budget less --deadline 1ms
ends "ends a call, too" "124 timeout wall: the deadline of its workflow came"
expect_match "which the caller is told" "airlock: timeout: wall: the deadline of its workflow came" "$T/.bg.err"

# Two that had all of it: one is shortened, so that the other keeps its own.
W=two
expect_verb "one with time for two" 0 workflow new two --budget wall=20m
runs 6153
first=$PID
runs 6154
check "which they have" reserves 1200000
expect_verb "less of it" 0 workflow budget two --budget wall=12m
check "they have that" wait_for 10 reserves 720000
expect_eq "each its part" "[120000,600000]" "$(as_id "$A" ps --json | jq -sc 'map(.reserved.wall_ms) | sort')"
expect_eq "and both run" "S S" "$(tool_state 6153) $(tool_state 6154)"
expect_verb "both are ended" 0 workflow stop two
wait "$first" "$PID"

# A postcondition is part of its call: the deadline is its own, too.
W=after
printf '%s\n' "version: 1" "name: waits" "extends: default" "done_when:" \
	"  - { name: there, profile: default, run: [sleep, '6155'] }" >"$T/waits.yaml"
own "$T/waits.yaml"
expect_verb "one with a deadline" 0 workflow new after --deadline 1h
start_airlock -p "$T/waits.yaml" -W after -- true
check "its call is over, its postcondition runs" wait_for 20 is_state 6155 S
running=$(shown '[.timeline[] | select(.type == "call")][0].call')
expect_verb "an earlier one" 0 workflow budget after --deadline 1ms
wait "$PID"
expect_eq "ends it" "123 failed done_when there: timeout: wall: the deadline of its workflow came" \
	"$? $(record '.outcome | "\(.verdict) \(.reason)"' "$running" | sed 's/ (call .*)$//')"

W=less
# A deadline that comes while it is frozen ends it when it would go on.
has_passed()
{
	[ "$(date +%s%3N)" -gt "$(shown .deadline)" ]
}
expect_verb "a later one" 0 workflow budget less --deadline 1h
runs 6152
expect_verb "paused" 0 workflow pause less
check "it is frozen" wait_for 10 is_state 6152 T
expect_verb "an earlier deadline" 0 workflow budget less --deadline 1ms
check "has passed" wait_for 10 has_passed
expect_verb "a later one in time" 0 workflow budget less --deadline 1h
expect_verb "resumed" 0 workflow resume less
check "it goes on" wait_for 10 is_state 6152 S
expect_verb "paused again" 0 workflow pause less
check "it is frozen" wait_for 10 is_state 6152 T
expect_verb "an earlier deadline" 0 workflow budget less --deadline 1ms
check "has passed" wait_for 10 has_passed
expect_eq "it is frozen as before" "frozen T" "$(last_call) $(tool_state 6152)"
expect_verb "resumed" 0 workflow resume less
ends "it does not go on" "124 timeout wall: the deadline of its workflow came"
# ---- what it reserves cannot be written down ---------------------------------------------------------
# Whoever makes a lost ledger again adds up what running calls say that they reserved: one that cannot say it is not let in.
W=unsaid
expect_verb "unsaid: a workflow" 0 workflow new "$W" --budget calls=1
if as_id strace -o "$T/.trace" -e trace=pwrite64 -e inject=pwrite64:error=ENOSPC:when=2 \
	"$A" run -w "$WS" -p default -W "$W" --result "$T/unsaid.json" -- touch "$WS/unsaid" >"$OUT" 2>"$ERR"; then
	not_ok "unsaid: no call is let in" "it ran"
elif ! grep -q INJECTED "$T/.trace"; then
	skip "unsaid" "strace does not work here: $(head -n 1 "$ERR")"
else
	why="write down what the call reserves: No space left on device"
	expect_eq "unsaid: no call is let in" "denied $why" "$(jq -r '"\(.verdict) \(.reason)"' "$T/unsaid.json")"
	expect_eq "unsaid: the record says why" "denied $why" "$(record '.outcome | "\(.verdict) \(.reason)"')"
	check "unsaid: nothing ran" test ! -e "$WS/unsaid"
	expect_eq "unsaid: nothing is reserved or used" "0 0 1" "$(shown '.budget.calls | "\(.reserved) \(.used) \(.left)"')"
	in_w "unsaid: the next one is let in" 0 -- true
fi

# ---- a check over what is gone -----------------------------------------------------------------------
# Whoever commits to a workspace, or takes back, holds its gate while a call runs there, and comes
# before whoever asks later.
waits_at_gate()
{
	local gate times=0
	gate=$(printf '%s/cache/lock-%x-%x' "$AIRLOCK_STATE" "$(stat -c %d "$WS")" "$(stat -c %i "$WS")")
	while [ "$times" -lt 3 ]; do
		flock -n "$gate" true && return 1
		times=$((times + 1))
	done
}

# start_check: `finish --check` over the draft in the background, whose check runs until end_check.
start_check()
{
	as_id "$A" workflow finish shaken --check default -w "$WS" -- sh -c 'sleep 1000.6143; true' >"$T/.finish" 2>&1 &
	FINISH=$!
	check "$1: the check runs" wait_for 20 pgrep -xf "sleep 1000.6143"
}

end_check()
{
	pkill -xf "sleep 1000.6143"
	wait "$FINISH"
}

W=shaken
new_ws shaken
echo v1 >"$WS/file"
own "$WS"
expect_verb "one" 0 workflow new shaken
in_w "it commits" 0 -- touch made
# shellcheck disable=SC2034 # one of the rows has it
committed=$(record .planned.call)
in_w "it proposes" 0 -m propose -- sh -c 'echo v2 >file'
held=$(record .planned.call)
while IFS='|' read -r name said args; do
	start_check "$name"
	eval "as_id '$A' $args" >"$T/.meanwhile" 2>&1 &
	PID=$!
	check "$name: it waits" wait_for 20 waits_at_gate
	end_check
	expect_eq "$name: not finished" "1 active" "$? $(shown .state)"
	expect_match "$name: which is said" " checked what is not there any more: $said; check workflow shaken again" "$T/.finish"
	wait "$PID"
	expect_eq "$name: it was done" 0 $?
done <<'ROWS'
undo|its workspace was changed|undo "$committed"
a call of another workflow|its workspace was changed|run -q -w "$WS" -p default -- touch other
discard|its draft is another|discard "$held"
ROWS
in_w "it proposes again" 0 -m propose -- sh -c 'echo v2 >file'
in_w "and has something set aside" 1 -m propose -- sh -c 'echo v3 >file; exit 1'
aside=$(record .planned.call)
start_check control
expect_verb "control: what no call sees is discarded" 0 discard "$aside"
end_check
expect_eq "control: it is finished" "0 finished" "$? $(shown .state)"

# ---- finished by a check ----------------------------------------------------------------------------
W=fixed
new_ws fixed
echo broken >"$WS/file"
own "$WS"
expect_verb "another" 0 workflow new fixed --steps fix
expect_verb "nothing was called yet" 1 workflow finish fixed --check nosuch -w "$WS" -- true
in_w "it fixes something" 0 --step fix -m propose -- sh -c 'echo right >file'
expect_verb "a check that does not hold" 1 workflow finish fixed --check default -- grep -q wrong file
check=$(call 1)
expect_eq "is said with its call" "airlock: the check does not hold: call ${check:0:13}: failed with exit 1; workflow fixed is not finished" \
	"$(cat "$ERR")"
expect_eq "and it is not finished" active "$(shown .state)"
expect_verb "one that does, from anywhere" 0 workflow finish fixed --check default --reason "all green" -- grep right file
check=$(call 1)
tree=$(as_id "$A" export "$check" --mtree | sha)
expect_eq "is said" "right
workflow fixed is finished: call ${check:0:13} checked it over the tree $tree" "$(cat "$OUT")"
expect_eq "it ran in observe, over the draft" "observe fixed 1 $WS" \
	"$(record '.planned | "\(.mode) \(.workflow_name) \(.draft | length) \(.workspace.path)"' "$check")"
expect_eq "what it is finished by" "finished all green" "$(shown '"\(.state) \(.reason)"')"
expect_eq "which call, profile, tree" "$(record '.planned | [.call, .draft, .profile.name, .profile.digest] | tojson' "$check") $tree" \
	"$(shown '.check | "\([.call, .draft, .profile, .profile_digest] | tojson) \(.tree)"')"
as_id "$LOG" --wait
expect_eq "and the journal has it" "$check|$tree" "$(rows "SELECT json_extract(r, '\$.check.call'), json_extract(r, '\$.check.tree')
	FROM (SELECT CAST(record AS TEXT) AS r FROM event JOIN entry USING (n) WHERE action = 'finish' AND name = 'fixed')")"
in_w "no more calls" 125 -- true
expect_verb "not twice" 1 workflow finish fixed --check default -- true
expect_eq "which is said" "airlock: workflow fixed is finished already" "$(cat "$ERR")"
while IFS='|' read -r name rc holds same before; do
	eval "$before"
	expect_verb "verified, $name" "$rc" workflow verify fixed --json
	expect_eq "$name: holds, the same tree" "$check $tree $holds $same" \
		"$(jq -r '"\(.call) \(.tree_then) \(.holds) \(.same)"' "$OUT")"
done <<'ROWS'
the draft is held|0|true|true|:
the draft is applied|0|true|true|as_id "$A" apply --workflow fixed >/dev/null
another file is there|0|true|false|as_id touch "$WS/other"
it is broken again|1|false|false|as_id sh -c 'echo broken >"$1"' sh "$WS/file"
ROWS
expect_verb "and for a person" 1 workflow verify fixed
again=$(call 1)
expect_match "it is said" "the check of call ${check:0:13} does not hold any more: call ${again:0:13}: failed with exit 1" "$OUT"
expect_match "with the trees" "its tree is another: ${tree:0:12} then, " "$OUT"
expect_eq "that costs the workflow nothing" 3 "$(shown .budget.calls.used)"
id=$(shown .workflow)
expect_verb "forgotten" 0 forget --workflow fixed
check "its name, too" test ! -e "$AIRLOCK_STATE/names/fixed"
expect_eq "and all but the list of calls" calls "$(ls "$AIRLOCK_STATE/wf/$id")"
expect_verb "it is none any more" 1 workflow pause fixed
expect_eq "but known to have been" "forgotten fixed 0" "$(shown '"\(.state) \(.name) \([.timeline[] | select(.type == "call")] | length)"' "$id")"
expect_verb "for a person" 0 workflow show "$id"
expect_match "with who forgot it" "forgotten by uid $uid at 20" "$OUT"
expect_verb "the log verifies" 0 verify --store "$AIRLOCK_STATE" --key "@$AIRLOCK_STATE/log/vkey"
