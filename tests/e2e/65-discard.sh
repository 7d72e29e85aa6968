#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root plain
# What can always be thrown away: what a call left that airlock was killed in, what cannot be read, what belongs to a
# workspace that is gone. And nobody settles what somebody else is settling.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# layers PLACE: how many change sets of the workflow are in draft or aside.
layers()
{
	find "$AIRLOCK_STATE/wf/$(record .planned.workflow)/$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | wc -l
}

draft()
{
	layers draft
}

settled()
{
	record '.settles[-1].settled // .outcome.settled'
}

new_ws
expect_run "a draft" 0 -m propose -- sh -c 'echo one >a'
first=$(call 1)
as_id strace -f -o "$T/.trace" -e trace=fsync -e inject=fsync:signal=SIGKILL:when=1 \
	"$A" run -w "$WS" -m propose -- sh -c 'echo two >b' >"$OUT" 2>"$ERR"
check "killed between layer and outcome: it was killed" grep -q 'killed by SIGKILL' "$T/.trace"
killed=$(call 1)
expect_eq "killed between layer and outcome: the layer is there" 2 "$(draft)"
expect_verb "killed between layer and outcome: it cannot be applied" 1 apply "$killed"
expect_match "killed between layer and outcome: and what can be done" "can only be discarded" "$ERR"
expect_run "killed between layer and outcome: no later call sees it" 1 -m propose -- cat b
expect_eq "killed between layer and outcome: it was set aside" "1 1" "$(draft) $(layers aside)"
expect_verb "killed between layer and outcome: it can be discarded" 0 discard "$killed"
expect_eq "killed between layer and outcome: and that is said" "discarded what call ${killed:0:13} left" "$(cat "$OUT")"
expect_eq "killed between layer and outcome: it is gone" "1 0" "$(draft) $(layers aside)"
expect_verb "killed between layer and outcome: once" 1 discard "$killed"
expect_match "killed between layer and outcome: there is no more" "left nothing to discard" "$ERR"

mv "$WS" "$WS.away"
expect_verb "the workspace is gone: nothing can be applied" 1 apply "$first"
expect_verb "the workspace is gone: a draft can be discarded" 0 discard "$first"
expect_eq "the workspace is gone: all of it" 0 "$(draft)"
expect_verb "the workspace is gone: and nothing waits" 0 pending
expect_eq "the workspace is gone: but what was killed" 0 "$(grep -c "${first:0:13}" "$OUT")"

new_ws
expect_run "what cannot be read" 123 -m propose -- \
	sh -c 'i=0; while [ $i -lt 1100 ]; do mkdir d && cd -P d || exit; i=$((i + 1)); done'
deep=$(call 1)
expect_eq "what cannot be read: is held without a list" "held null" \
	"$(record '.outcome | .settled + " " + (.changes.digest | tostring)')"
expect_verb "what cannot be read: can be discarded" 0 discard "$deep"
expect_eq "what cannot be read: and so says the record" discarded "$(settled)"

new_ws
expect_run "two at once" 0 -m propose -- sh -c 'echo one >a'
one=$(call 1)
workflow=$AIRLOCK_STATE/wf/$(record .planned.workflow)
exec 8<"$WS"
flock -s 8
as_id "$A" apply "$one" >"$T/.apply" 2>&1 8<&- &
PID=$!
check "two at once: one waits for the workspace" wait_for 5 grep -q "FLOCK.*:$(stat -c %i "$workflow") " /proc/locks
expect_verb "two at once: the other is refused" 1 discard "$one"
expect_match "two at once: and why" "another apply, discard or undo of its workflow is under way" "$ERR"
exec 8<&-
wait "$PID"
expect_eq "two at once: the first had its way" "applied 1 change of call ${one:0:13}" "$(cat "$T/.apply")"
expect_eq "two at once: and the record says so" committed "$(settled)"

expect_run "a call that changes nothing" 0 -- true
expect_verb "there is nothing to take back" 1 undo @last
expect_eq "and no reason is made up" " it has no change set that can be settled" "$(sed 's/.*://' "$ERR")"
