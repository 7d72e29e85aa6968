#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# on_failure.retries of a profile: a call that failed is run again, and what is not. A tool counts its tries in a cache, which
# root's own calls cannot have.
# identities: plain userns
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/workflow.sh
. "$(dirname "$0")/workflow.sh"

# ---- run again -----------------------------------------------------------------------------------------
# again NAME LINES: a profile whose calls may run again; what a workflow's tool counts in ~/c no attempt takes back
again()
{
	printf 'version: 1\nname: %s\nextends: base\nmode: apply\nretry: safe\nallow_degraded: [cgroup, landlock]\n%b' "$1" \
		"filesystem: { read: [/usr, /bin, /lib, /lib64], cache: { c: { path: ~/c } } }\n$2" >"$T/$1.yaml"
	own "$T/$1.yaml"
}

# from N: succeeds from the Nth try on
from()
{
	echo 'echo >>~/c/n; n=$(wc -l <~/c/n); echo "out $n"; echo "err $n" >&2; : >by-$n; [ "$n" -ge '"$1"' ]'
}

# attempts: of the workflow's calls, oldest first: state, attempt, which one is tried again
attempts()
{
	local id ids i
	mapfile -t ids < <(shown '.timeline[] | select(.type == "call") | .call')
	for id in "${ids[@]}"; do
		for i in "${!ids[@]}"; do
			[ "$(record .planned.retry_of "$id")" != "${ids[i]}" ] || echo -n "again $((i + 1)): "
		done
		record '"\(.outcome.verdict) \(.planned.attempt)"' "$id"
	done | paste -sd, | sed 's/,/, /g'
}

again two 'on_failure: { retries: 2, backoff: 1ms, then: stop }\n'
again long 'on_failure: { retries: 16, backoff: 5m, then: ask }\n'

begin third
new_ws third
in_w "the third try succeeds" 0 -n -p "$T/two.yaml" --result "$T/result" -- sh -c "$(from 3)"
expect_eq "three calls, each of its own" "failed 1, again 1: failed 2, again 2: ok 3" "$(attempts)"
expect_eq "the output is the last one's" "out 3" "$(cat "$OUT")"
expect_eq "its errors, too, and a word of those before" "2 err 3" "$(grep -c 'note: call .*; attempt [23] begins in [12]ms$' "$ERR") $(grep -v note: "$ERR")"
expect_eq "the result as well" "$(shown '.timeline[-1].call') 3 ok committed" "$(jq -r '"\(.call) \(.attempt) \(.verdict) \(.settled)"' "$T/result")"
expect_eq "each began from what was there before" "by-3" "$(ls "$WS")"
expect_eq "the others' are set aside" "by-1 by-2" \
	"$(shown '.draft[] | select(.layer == "aside").call' | while read -r call; do record '.outcome.changes.items[].path' "$call"; done | sort | paste -sd' ')"
expect_eq "nothing follows" "active " "$(shown .state) $(moves)"
expect_match "which the timeline has" "ok, committed +1, attempt 3" <(timeline)

begin usr1
new_ws usr1
start_airlock -W "$W" -n -p "$T/two.yaml" -- \
	sh -c 'echo >>~/c/n; n=$(wc -l <~/c/n); trap "exit 1" USR1; [ "$n" -gt 1 ] || { sleep 100.86 & wait; }; [ "$n" = 3 ]'
check "a signal that is the tool's: the first try" wait_for 20 pgrep -xf 'sleep 100.86'
kill -USR1 "$PID"
wait "$PID"
expect_eq "a signal that is the tool's ends no series" "0 failed 1, again 1: failed 2, again 2: ok 3" "$? $(attempts)"

begin often
new_ws often
start_airlock -W "$W" -n -p "$T/two.yaml" -- sh -c 'sleep 0.387; exit 1'
check "more of them: the first try" wait_for 20 pgrep -xf 'sleep 0.387'
while kill -USR1 "$PID" 2>/dev/null; do
	:
done
wait "$PID"
# one may end a tool; between the tries it ends nothing
expect_eq "nor do a thousand" "0 3" "$(attempts | grep -c interrupted) $(attempts | tr , '\n' | grep -cE '(failed|signaled) [1-3]$')"

begin never
in_w "no try succeeds" 7 -n -p "$T/two.yaml" --result "$T/result" -- sh -c "$(from 9) || exit 7"
expect_eq "three calls" "failed 1, again 1: failed 2, again 2: failed 3" "$(attempts)"
expect_eq "the last one's output" "out 3" "$(cat "$OUT")"
expect_eq "and result" "3 failed 7" "$(jq -r '"\(.attempt) \(.verdict) \(.exit)"' "$T/result")"
expect_eq "then, once, by the last" "stopped stop by call true" \
	"$(shown .state) $(moves) $(shown '(.timeline[-2].call // .timeline[-1].call) as $c | .reason | contains($c)')"

begin first
in_w "the first try succeeds" 0 -n -p "$T/two.yaml" -- sh -c "$(from 1)"
expect_eq "one call" "ok 1" "$(attempts)"
expect_eq "its output" "out 1;err 1" "$(cat "$OUT");$(cat "$ERR")"
expect_run "without a workflow" 0 -p "$T/two.yaml" -- sh -c "$(from 2)" </dev/null
expect_eq "it runs again, too" "out 2 2" "$(cat "$OUT") $(record .planned.attempt)"

# ---- what is not run again -------------------------------------------------------------------------------
begin input
as_id "$A" run -w "$WS" -W input -p "$T/two.yaml" -- sh -c "$(from 2)" <"$T/two.yaml" >"$OUT" 2>"$ERR"
expect_eq "with standard input it is not run again" "1 failed 1" "$? $(attempts)"
expect_match "and why" "note: it is not run again: its standard input cannot be given twice (-n gives none)" "$ERR"
expect_eq "what follows, follows" "stop by call" "$(moves)"
begin unstarted
in_w "nor what could not be started" 127 -n -p "$T/two.yaml" -- /nowhere
expect_match "which is said once" "airlock: /nowhere" "$ERR"
expect_eq "and no more" 1 "$(wc -l <"$ERR")"

# ---- the budget, between two attempts ----------------------------------------------------------------------
W=budget
expect_verb "$W: made" 0 workflow new budget --budget calls=2
in_w "the budget runs out" 125 -n -p "$T/two.yaml" --result "$T/result" -- sh -c "$(from 3)"
expect_eq "each attempt is let in by itself" "failed 1, again 1: failed 2, again 2: denied 3" "$(attempts)"
expect_eq "the last one is the answer" "denied 3" "$(jq -r '"\(.verdict) \(.attempt)"' "$T/result")"
expect_match "which is said" "denied: workflow budget has no calls left in its budget of 2" "$ERR"
expect_eq "what follows the second, follows" "stopped stop by call" "$(shown .state) $(moves)"

# ---- while it waits ------------------------------------------------------------------------------------
waits()
{
	[ "$(as_id "$A" ps --json | jq -r 'select(.workflow == "'"$(cat "$AIRLOCK_STATE/names/$W")"'").call' | grep -vc "$(shown '.timeline[1].call')")" = 1 ]
}

# waiting NAME: a call whose second attempt waits; WAITING is that
waiting()
{
	begin "$1"
	beside -W "$1" -n -p "$T/long.yaml" --result "$T/result" -- sh -c "echo up; exit 7"
	check "$1: the second attempt waits" wait_for 20 waits
	WAITING=$(as_id "$A" ps --json | jq -r 'select(.workflow == "'"$(cat "$AIRLOCK_STATE/names/$W")"'").call')
}

# answered HOW: the first attempt's answer, and what follows its failure
answered()
{
	wait "$PID"
	expect_eq "$W: the first one is the answer" "7 up failed 1" "$? $(cat "$T/.bg.out") $(jq -r '"\(.verdict) \(.attempt)"' "$T/result")"
	expect_eq "$W: one call" "failed 1" "$(attempts)"
	expect_eq "$W: what follows, follows" "$1" "$(shown .state) $(moves)"
}

waiting killed
expect_verb "killed: by its id" 0 kill "$WAITING"
answered "paused pause by call"
expect_match "killed: which is said" "ended by airlock kill before anything ran" "$T/.bg.err"
waiting told
kill -TERM "$PID"
answered "paused pause by call"
waiting ends
expect_verb "ends: the workflow is stopped" 0 workflow stop ends
answered "stopped stop by person"
waiting all
expect_verb "all: everything is stopped" 0 stop --all
answered "paused pause by call"
expect_verb "all: released" 0 stop --release
waiting paused
expect_verb "paused: another budget wakes nobody" 0 workflow budget paused --budget calls=9
check "paused: it waits" waits
expect_verb "paused: by a person" 0 workflow pause paused
wait "$PID"
expect_eq "paused: it is not let in" "125 failed 1, again 1: denied 2" "$? $(attempts)"
expect_eq "paused: it waits" "paused budget by person, pause by person" "$(shown .state) $(moves)"
waiting dies
kill -KILL "$PID"
wait "$PID" 2>/dev/null
gone()
{
	[ -z "$(as_id "$A" ps --json | jq -r 'select(.call == "'"$WAITING"'" and .state != "lost").call')" ]
}
check "dies: nothing of it waits on" wait_for 20 gone

# ---- with a key ----------------------------------------------------------------------------------------
begin key
in_w "key: the second try succeeds" 0 -k one -n -p "$T/two.yaml" -- sh -c "$(from 2)"
expect_eq "key: two calls" "failed 1, again 1: ok 2" "$(attempts)"
expect_eq "key: it is the last one's" "$(shown '.timeline[-1].call')" \
	"$(cut -d' ' -f1 "$AIRLOCK_STATE/wf/$(cat "$AIRLOCK_STATE/names/key")/key-"*)"
in_w "key: sent again" 0 -k one -n -p "$T/two.yaml" --result "$T/result" -- sh -c "$(from 2)"
expect_eq "key: that one's answer" "out 2 true 2" "$(cat "$OUT") $(jq -r '"\(.replayed) \(.attempt)"' "$T/result")"
expect_eq "key: and nothing ran" "failed 1, again 1: ok 2" "$(attempts)"
in_w "key: another request" 125 -k one -n -p "$T/two.yaml" -- true
expect_match "key: is refused" "--key one was used by call" "$ERR"
