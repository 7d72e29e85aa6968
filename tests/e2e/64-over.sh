#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --over: a call runs over what is held, wherever that is kept, and settles nothing.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# said: what the command printed, in one line.
said()
{
	paste -sd' ' "$OUT"
}

echo one >"$WS/a"
own "$WS/a"
expect_run "nothing is held" 125 --over @last -- true
expect_match "nothing is held: it is told" "--over @last: no change set of this workspace is held today" "$ERR"

expect_run "a draft of two" 0 -m propose -- sh -c 'echo two >a; echo x >gone'
first=$(call 1)
expect_run "a draft of two: the second" 0 -m propose -- sh -c 'echo three >>a; rm gone'
second=$(call 1)
expect_run "one that fails is set aside" 3 -- sh -c 'echo aside >>a; exit 3'
aside=$(call 1)
expect_run "a third on the draft" 0 -m propose -- sh -c 'echo four >>a'
third=$(call 1)

expect_run "over the first alone" 0 --over "$first" -- sh -c 'cat a; ls; echo mine >a'
expect_eq "over the first alone: what it saw" "two a gone" "$(said)"
expect_eq "over the first alone: in observe" "observe discarded" "$(record '.planned.mode + " " + .outcome.settled')"
expect_eq "over the first alone: so says the record" "$first [\"$first\"]" \
	"$(record '.planned | .over + " " + (.draft | tojson)')"
expect_run "over the second: and what is below" 0 --over "${second:0:13}" -- sh -c 'cat a; ls'
expect_eq "over the second: what it saw" "two three a" "$(said)"
expect_run "over what was set aside: and the draft below" 0 --over "${aside//-/}" -- cat a
expect_eq "over what was set aside: what it saw" "two three aside" "$(said)"
expect_eq "over what was set aside: so says the record" "$aside [\"$first\",\"$second\",\"$aside\"]" \
	"$(record '.planned | .over + " " + (.draft | tojson)')"
expect_run "@last is the newest layer" 0 --over @last -m observe -- cat a
expect_eq "@last is the newest layer: what it saw" "two three four" "$(said)"
expect_verb "show says what lay below" 0 show @last
expect_match "show says what lay below" "${second:0:13}, ${third:0:13}" "$OUT"
expect_run "without it the draft is what it was" 0 -m observe -- cat a
expect_eq "without it the draft is what it was" "two three four" "$(said)"
expect_eq "without it the record says null" null "$(record '.planned | .over')"
expect_run "a plan over it" 0 --dry-run --over "$aside" -- true
expect_match "a plan over it names it" "over      held call $aside" "$OUT"
expect_eq "the workspace is as it was" "one a" "$(cat "$WS/a") $(as_id ls "$WS")"

expect_run "a mode that settles" 125 --over "$first" -m apply -- true
expect_match "a mode that settles: refused" "--over goes with -m observe alone" "$ERR"
expect_run "no id" 125 --over nobody -- true
expect_match "no id: what it wants" "--over nobody: wants a call's id" "$ERR"
expect_run "no such call" 125 --over 00000000-0000-7000-8000-000000000000 -- true
expect_match "no such call: it is told" "this workspace has no such held change set" "$ERR"
expect_run "several begin so" 125 --over "${first:0:6}" -- true
expect_match "several begin so: how many" "--over ${first:0:6}: 4 held change sets begin so" "$ERR"
mkfifo "$T/.go"
own "$T/.go"
(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" --over "$aside" -- sh -c 'echo up; read go; cat a' <"$T/.go" >"$T/.over" 2>&1) &
over=$!
exec 7>"$T/.go"
check "what a call runs over: it is up" wait_for 20 grep -q up "$T/.over"
expect_verb "what a call runs over: it cannot be discarded" 1 discard "$aside"
expect_match "what a call runs over: and why" "a call runs over it (--over)" "$ERR"
echo go >&7
exec 7>&-
wait "$over"
expect_eq "what a call runs over: it saw it to the end" "up two three aside" "$(paste -sd' ' "$T/.over")"

expect_run "what was discarded is gone" 0 --over "$third" -- true
expect_verb "what was discarded is gone" 0 discard "$third"
expect_run "what was discarded is gone: no more" 125 --over "$third" -- true

expect_verb "the draft is applied" 0 apply --workflow "$(record '.planned | .workflow' "$first")"
expect_run "over what was set aside, when the draft is applied" 0 --over "$aside" -- cat a
expect_eq "over what was set aside, when the draft is applied: what it saw" "two three aside" "$(said)"
