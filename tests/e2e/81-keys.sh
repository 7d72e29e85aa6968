#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Idempotency keys: the same request under the same key is answered, and not run, however often and by however many at
# once it is sent; another request under it is refused. What a key costs a workflow's budget. Loop guard.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# calls: how many calls the journal has.
calls()
{
	as_id "$A" log -n 0 --json | wc -l
}

# shellcheck disable=SC2016 # the tool's shell expands it
act='echo out; echo err >&2; echo x >>ran'

new_ws replay
run_airlock -k one --result "$T/first.json" -- sh -c "$act"
expect_eq "control: it runs" "0 out err x" "$RC $(cat "$OUT") $(cat "$ERR") $(cat "$WS/ran")"
expect_eq "attempt, replayed" "1 false null" "$(jq -r '"\(.attempt) \(.replayed) \(.resolved)"' "$T/first.json")"
before=$(calls)
run_airlock -k one --result "$T/again.json" -- sh -c "$act"
expect_eq "again: the same answer" "0 out err" "$RC $(cat "$OUT") $(cat "$ERR")"
expect_eq "again: nothing ran" "x $before" "$(cat "$WS/ran") $(calls)"
expect_eq "again: the result is the first one's" "" \
	"$(diff <(jq -S 'del(.replayed)' "$T/first.json") <(jq -S 'del(.replayed)' "$T/again.json"))"
expect_eq "again: and says that it is a replay" true "$(jq .replayed "$T/again.json")"
cp "$T/again.json" "$T/longer.json"
head -c 20000 /dev/zero >>"$T/longer.json"
own "$T/longer.json"
run_airlock -k one --result "$T/longer.json" -- sh -c "$act"
expect_eq "again: the result takes the place of what was in the file" "0 " \
	"$RC $(cmp "$T/again.json" "$T/longer.json" 2>&1)"
run_airlock -- sh -c "$act"
expect_eq "control: without a key it runs" "0 2" "$RC $(wc -l <"$WS/ran")"

# Another request: what differs is said, part by part.
differs()
{
	local name=$1 what=$2
	shift 2

	run_airlock "$@"
	expect_eq "other: $name" "125 airlock: --key one was used by call $(jq -r .call "$T/first.json") for another request: other $what; a new request wants a new key" \
		"$RC $(cat "$ERR")"
}
mkdir -p "$WS/sub"
own "$WS/sub"
differs command command -k one -- sh -c "$act" more
differs directory directory -k one -C "$WS/sub" -- sh -c "$act"
differs limits limits -k one --limit wall=59s -- sh -c "$act"
differs mode mode -k one -m observe -- sh -c "$act"
printf 'version: 1\nname: other\nextends: default\nenvironment: { accept: [WORD] }\n' >"$T/other.yaml"
own "$T/other.yaml"
differs profile profile -k one -p "$T/other.yaml" -- sh -c "$act"
differs environment "environment, profile" -k one -p "$T/other.yaml" -e WORD=x -- sh -c "$act"
expect_eq "other: nothing ran" 2 "$(wc -l <"$WS/ran")"
run_airlock -k two -- sh -c "$act"
expect_eq "control: another key runs" "0 3" "$RC $(wc -l <"$WS/ran")"

# What was read of standard input is part of the request.
new_ws stdin
run_airlock -k in -- cat <<<one
expect_eq "stdin: it runs" "0 one" "$RC $(cat "$OUT")"
run_airlock -k in -- cat <<<one
expect_eq "stdin: the same is answered" "0 one" "$RC $(cat "$OUT")"
run_airlock -k in -- cat <<<two
expect_eq "stdin: another is refused" "125 " "$RC $(cat "$OUT")"
expect_match "stdin: and why" "other stdin" "$ERR"
run_airlock -k in -- cat <<<$'one\nmore'
expect_eq "stdin: a longer one is refused" "125 " "$RC $(cat "$OUT")"

run_airlock -k none -n -- cat
expect_eq "stdin: none at all is an input" "0 " "$RC $(cat "$OUT")"
run_airlock -k none -- cat <<<something
expect_eq "stdin: something is another" 125 "$RC"
expect_run "stdin: none again is answered" 0 -k none -- cat </dev/null

# More of both than a pipe holds, and more input than the tool took.
head -c 300000 /dev/zero >"$T/zeros"
many='head -c 10 >/dev/null; head -c 400000 /dev/zero'
run_airlock -k many -- sh -c "$many" <"$T/zeros"
expect_eq "much: it runs" "0 400000" "$RC $(wc -c <"$OUT")"
run_airlock -k many -- sh -c "$many" < <(cat "$T/zeros")
expect_eq "much: all of it is answered" "0 400000" "$RC $(wc -c <"$OUT")"

# Its proof is the first call's.
expect_run "receipt: of the call" 0 -k proof --receipt "$T/one.proof" -- true
expect_run "receipt: of its replay" 0 -k proof --receipt "$T/two.proof" -- true
check "receipt: they are the same" cmp "$T/one.proof" "$T/two.proof"

# What a request names must be the same when it is sent again.
expect_run "over: not by @last" 125 -k over --over @last -- true
expect_match "over: and why" "with --key it wants the whole id of the call" "$ERR"

# A failure is an answer, too.
before=$(calls)
expect_run "failed: it runs" 3 -k bad -- sh -c 'echo no >&2; exit 3'
expect_run "failed: the same is answered" 3 -k bad -- sh -c 'echo no >&2; exit 3'
expect_eq "failed: with its words, and it ran once" "no 1" "$(cat "$ERR") $(($(calls) - before))"

# What ran nothing leaves its key free.
new_ws free
expect_run "free: a command that is not there" 127 -k free -- no-such-command
expect_run "free: the key takes another request" 0 -k free -- touch made
expect_eq "free: it ran" "made" "$(ls "$WS")"
expect_run "bad: --wait without a key" 125 --wait -- true
expect_match "bad: and why" "--wait goes with --key" "$ERR"

# While it runs.
new_ws wait
mkfifo "$T/go"
own "$T/go"
# shellcheck disable=SC2016
hold='read -r x; echo "$x"; echo x >>ran'
before=$(calls)
exec 8<>"$T/go"
(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" -k slow -- sh -c "$hold" <"$T/go") >"$T/.bg.out" 2>"$T/.bg.err" &
running=$!
more_calls()
{
	[ "$(calls)" -gt "$before" ]
}
wait_for 20 more_calls || not_ok "running: it started" "no record"
run_airlock -k slow -- sh -c "$hold" <<<word
expect_eq "running: in progress" 125 "$RC"
expect_match "running: and says so" "in progress: call " "$ERR"
(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" --wait -k slow -- sh -c "$hold" <<<word) >"$T/waiter.out" 2>"$T/waiter.err" &
waiter=$!
echo word >&8
exec 8>&-
wait "$running"
wait "$waiter"
expect_eq "waiting: the same answer" "0 word word" "$? $(cat "$T/.bg.out") $(cat "$T/waiter.out")"
expect_eq "waiting: it ran once" 1 "$(wc -l <"$WS/ran")"

# 64 at once.
new_ws many
before=$(calls)
for i in $(seq 64); do
	(exec "${E2E_AS_ID[@]}" "$A" run -q -w "$WS" --wait -k many -- sh -c 'echo ran >>ran; echo answer') >"$T/many.$i" 2>&1 &
done
wait
expect_eq "64 at once: exactly one runs" "1 1" "$(wc -l <"$WS/ran") $(($(calls) - before))"
expect_eq "64 at once: all have the answer" "64 answer" "$(sort "$T"/many.* | uniq -c | sed 's/^ *//')"

# Budgets bind calls that run at once, and a replay costs nothing.
new_ws budget
expect_verb "a workflow with a budget" 0 workflow new few --budget calls=3
for i in $(seq 8); do
	(exec "${E2E_AS_ID[@]}" "$A" run -q -w "$WS" -W few -k "few$i" -- echo "$i") >/dev/null 2>"$T/few.$i" &
done
wait
of_few()
{
	as_id "$A" log -n 0 --json --workflow few --verdict "$1" | wc -l
}
expect_eq "budget: three of eight ran" "3 5" "$(of_few ok) $(of_few denied)"
expect_eq "budget: the others say why" 5 "$(cat "$T"/few.* | grep -c 'denied: workflow few has no calls left in its budget of 3')"
refused=$(as_id "$A" log -n 1 --json --workflow few --verdict denied | jq -r .call)
expect_eq "budget: a refused call has a record" "denied null 125" "$(record '"\(.outcome.verdict) \(.outcome.exit) \(.outcome.status)"' "$refused")"
first=$(as_id "$A" log -n 1 --json --workflow few --verdict ok | jq -r .call)
first=$(record .planned.key "$first")
expect_run "budget: a replay is answered" 0 -W few -k "$first" -- echo "${first#few}"
expect_eq "budget: and makes no call" 8 "$(as_id "$A" log -n 0 --json --workflow few | wc -l)"
expect_verb "budget: more of it" 0 workflow budget few --budget calls=4
expect_run "budget: is used" 0 -W few -k "few-more" -- true
expect_run "budget: and ends" 125 -W few -k "few-end" -- true
expect_verb "a workflow with steps and one call" 0 workflow new steps --steps one,two --budget calls=1
expect_run "steps: the first" 0 -W steps --step one -- true
expect_run "steps: the second is refused" 125 -W steps --step two -- true
expect_eq "steps: what was refused is no progress" one "$(as_id "$A" workflow show steps --json | jq -r .step)"
expect_verb "a workflow with little time" 0 workflow new short --budget wall=300ms
expect_run "time: the rest bounds the call" 124 -W short -- sleep 30
expect_run "time: then there is none" 125 -W short -- true
expect_match "time: and why" "has no wall left in its budget of 300ms" "$ERR"
expect_verb "a workflow with a deadline" 0 workflow new late --deadline 200ms
run_airlock -W late -- sleep 30
case $RC in
124) ok "deadline: it bounds" ;;
*) expect_match "deadline: it is over" "the deadline of workflow late has passed" "$ERR" ;;
esac
expect_run "deadline: then it refuses" 125 -W late -- true

# An agent in a loop.
new_ws loop
expect_verb "a workflow with a guard" 0 workflow new loop --loop-guard 3
expect_run "loop: one" 0 -W loop -- true
expect_run "loop: two" 0 -W loop -- true
expect_run "loop: three" 0 -W loop -- true
expect_run "loop: then it is paused" 125 -W loop -- true
expect_match "loop: and why" "workflow loop is paused: loop guard: 3 equal requests in a row" "$ERR"
expect_run "loop: it stays so" 125 -W loop -- echo another
expect_verb "loop: a person lets it go on" 0 workflow resume loop
expect_run "loop: it goes on" 0 -W loop -- true
for n in 1 2 3 4; do
	run_airlock -W loop -- sh <<<"echo script $n"
	expect_eq "loop: another input is another request: $n" "0 script $n" "$RC $(cat "$OUT")"
done
for n in 1 2 3; do
	run_airlock -W loop -- sh <<<"echo the same"
	expect_eq "loop: the same input: $n" "0 the same" "$RC $(cat "$OUT")"
done
expect_run "loop: is the same request" 125 -W loop -- echo another
