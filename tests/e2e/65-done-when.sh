#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# done_when: what must hold before a call's changes are kept. Each is tried in a call of its own, in observe, over the
# changes; one that does not hold makes the call failed and its changes held.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# profile NAME LINE…: a profile that may apply, with more lines.
profile()
{
	local name=$1
	shift

	mkdir -p "$T/profiles"
	printf '%s\n' "version: 1" "name: $name" "extends: default" \
		"$@" >"$T/profiles/$name.yaml"
	own "$T/profiles"
}

# layers: the names of what is kept, "draft/…" and "aside/…".
layers()
{
	as_id sh -c 'cd "$1"/wf && find . -mindepth 3 -maxdepth 3 \( -path "*/draft/*" -o -path "*/aside/*" \) -printf "%P\n"' \
		sh "$AIRLOCK_STATE" | sed 's|^[^/]*/||' | sort
}

export AIRLOCK_PROFILES=$T/profiles
profile checker
profile one 'done_when:' '  - { name: good, profile: checker, run: [grep, -q, good, a] }'
profile two 'extends: one' 'done_when:' '  - { name: small, run: [sh, -c, "test $(wc -c <a) -lt 20"], expect: { exit: 0 }, wall: 1m }'
sed -i '/^extends: default/d' "$T/profiles/two.yaml"
profile wanted-exit 'done_when:' '  - { name: no-draft, run: [grep, -q, DRAFT, a], expect: { exit: 1 } }'
profile writes 'done_when:' '  - { name: writes, run: [sh, -c, "echo bad >a; rm -f b; touch z"] }'
profile slow 'done_when:' '  - { name: slow, run: [sleep, "60"], wall: 300ms }' '  - { name: fast, run: ["true"] }'
profile absent 'done_when:' '  - { name: absent, profile: nobody, run: ["true"] }'

# ---- all hold -------------------------------------------------------------------------------------------

expect_run "holds: the tool's own exit" 0 -p one --result "$T/result" -- sh -c 'echo good >a'
expect_eq "holds: nothing on stderr" "" "$(cat "$ERR")"
expect_eq "holds: committed" "ok committed good" "$(jq -r '.verdict + " " + .settled' "$T/result") $(cat "$WS/a")"
check_call=$(jq -r '.done_when[0].call' "$T/result")
expect_eq "holds: the result has it" "[{\"call\":\"$check_call\",\"exit\":0,\"held\":true,\"name\":\"good\",\"verdict\":\"ok\"}]" \
	"$(jq -c .done_when "$T/result")"
expect_eq "holds: the record has it" "$(jq -c .done_when "$T/result")" "$(record '.outcome.done_when | tojson' "$(jq -r .call "$T/result")")"
expect_eq "holds: it is a call of its own, in observe, over this one" "$(jq -r .call "$T/result") observe checker grep" \
	"$(record '.planned | .over + " " + .mode + " " + .profile.name + " " + .argv[0]' "$check_call")"
expect_eq "holds: nothing stays set aside" "" "$(layers)"
expect_verb "holds: show has a line" 0 show "$(jq -r .call "$T/result")"
expect_match "holds: show has a line" "good holds: ok, exit 0, call ${check_call:0:13}" "$OUT"

# ---- one does not ---------------------------------------------------------------------------------------

expect_run "fails: 123" 123 -p two --result "$T/result" -- sh -c 'echo a bad and also a long line >a; echo new >b'
bad=$(jq -r .call "$T/result")
expect_eq "fails: held, set aside" "failed held aside 0" "$(jq -r '.verdict + " " + .settled + " " + .held_as + " " + (.exit | tostring)' "$T/result")"
expect_eq "fails: every one was tried" "good 1 false small 1 false" "$(jq -r '.done_when[] | .name + " " + (.exit | tostring) + " " + (.held | tostring)' "$T/result" | paste -sd' ')"
expect_eq "fails: the reason names the first and its call" \
	"done_when good: exit 1, wanted 0 (call $(jq -r '.done_when[0].call[:13]' "$T/result")); and 1 more" "$(jq -r .reason "$T/result")"
expect_match "fails: told" "held: 2 changes not committed: done_when good: exit 1, wanted 0" "$ERR"
expect_eq "fails: the workspace is as before" "good a" "$(cat "$WS/a") $(as_id ls "$WS")"
expect_match "fails: kept" "aside/" <(layers)
expect_verb "fails: show says why" 0 show "$bad"
expect_match "fails: show says why" "are held, as not all" "$OUT"
expect_verb "fails: pending has it" 0 pending
expect_match "fails: pending has it" "set aside: done_when good" "$OUT"
expect_verb "fails: a person may apply it all the same" 0 apply "$bad"
expect_eq "fails: a person may apply it all the same: it is there" new "$(cat "$WS/b")"
expect_eq "fails: nothing is left of it" "" "$(layers)"
expect_run "one of two" 123 -p two --result "$T/result" -- sh -c 'echo good, but too long a line >a'
expect_eq "one of two: which" "true false" "$(jq -r '.done_when[].held' "$T/result" | paste -sd' ')"
expect_verb "one of two: thrown away" 0 discard "$(jq -r .call "$T/result")"
expect_run "a tool that fails is not tried" 3 -p one --result "$T/result" -- sh -c 'echo good >a; exit 3'
expect_eq "a tool that fails is not tried" "held []" "$(jq -r '.settled + " " + (.done_when | tojson)' "$T/result")"
expect_verb "a tool that fails: thrown away" 0 discard "$(jq -r .call "$T/result")"

# ---- what a postcondition is ----------------------------------------------------------------------------

expect_run "another exit is wanted" 0 -p wanted-exit --result "$T/result" -- sh -c 'echo done >a'
expect_eq "another exit is wanted: it holds" "1 failed true" "$(jq -r '.done_when[0] | (.exit | tostring) + " " + .verdict + " " + (.held | tostring)' "$T/result")"
expect_run "another exit is wanted, and not had" 123 -p wanted-exit --result "$T/result" -- sh -c 'echo DRAFT >a'
expect_eq "another exit is wanted, and not had: why" "done_when no-draft: exit 0, wanted 1" "$(jq -r '.reason | split(" (")[0]' "$T/result")"
expect_verb "another exit is wanted: thrown away" 0 discard "$(jq -r .call "$T/result")"
expect_run "it changes nothing" 0 -p writes -- sh -c 'echo mine >a'
expect_eq "it changes nothing: only the call did" "mine a b" "$(cat "$WS/a") $(as_id ls "$WS" | paste -sd' ')"
expect_run "its wall ends it, and the next is tried" 123 -p slow --result "$T/result" -- sh -c 'echo x >a'
expect_eq "its wall ends it, and the next is tried: so it was" "timeout null false ok 0 true" \
	"$(jq -r '.done_when[] | .verdict + " " + (.exit | tostring) + " " + (.held | tostring)' "$T/result" | paste -sd' ')"
expect_match "its wall ends it: the reason" "done_when slow: timeout: " "$ERR"
expect_verb "its wall ends it: thrown away" 0 discard "$(jq -r .call "$T/result")"
expect_run "a profile that is not there" 123 -p absent --result "$T/result" -- sh -c 'echo x >a'
expect_eq "a profile that is not there: it did not run" "null launch_failed false" "$(jq -r '.done_when[0] | (.call | tostring) + " " + .verdict + " " + (.held | tostring)' "$T/result")"
expect_match "a profile that is not there: the reason" "done_when absent: it did not run: " "$ERR"
expect_verb "a profile that is not there: thrown away" 0 discard "$(jq -r .call "$T/result")"

# ---- modes ----------------------------------------------------------------------------------------------

expect_run "nothing changed: tried as well" 123 -p one --result "$T/result" -- true
expect_eq "nothing changed: failed, and nothing to hold" "failed none" "$(jq -r '.verdict + " " + .settled' "$T/result")"
expect_match "nothing changed: told" "airlock: failed: done_when good: exit 1, wanted 0" "$ERR"
expect_run "observe: tried as well" 0 -p one -m observe --result "$T/result" -- sh -c 'echo good >a'
expect_eq "observe: discarded" "ok discarded true" "$(jq -r '.verdict + " " + .settled + " " + (.done_when[0].held | tostring)' "$T/result")"
expect_run "observe: fails" 123 -p one -m observe --result "$T/result" -- sh -c 'echo bad >a'
expect_eq "observe: fails, discarded" "failed discarded" "$(jq -r '.verdict + " " + .settled' "$T/result")"
expect_eq "observe: nothing stays set aside" "" "$(layers)"
expect_run "propose: in the draft when it holds" 0 -p one -m propose --result "$T/result" -- sh -c 'echo good >a'
expect_eq "propose: in the draft when it holds" "ok held draft" "$(jq -r '.verdict + " " + .settled + " " + .held_as' "$T/result")"
first=$(jq -r .call "$T/result")
expect_eq "propose: and only there" "draft" "$(layers | cut -d/ -f1)"
expect_run "propose: aside when it does not" 123 -p one -m propose --result "$T/result" -- sh -c 'echo bad >a'
expect_eq "propose: aside when it does not" "failed held aside" "$(jq -r '.verdict + " " + .settled + " " + .held_as' "$T/result")"
expect_verb "propose: thrown away" 0 discard "$(jq -r .call "$T/result")"
expect_run "over a draft: it sees what lies below" 123 -p one --result "$T/result" -- sh -c 'echo more >b'
expect_eq "over a draft: it sees what lies below" "ok held draft $first" \
	"$(jq -r '.verdict + " " + .settled + " " + .held_as' "$T/result") $(record '.planned.draft[0]' "$(jq -r '.done_when[0].call' "$T/result")")"
expect_verb "over a draft: applied in order" 0 apply --workflow "$(jq -r .workflow "$T/result")"
expect_eq "over a draft: applied in order" "good more" "$(cat "$WS/a" "$WS/b" | paste -sd' ')"
expect_run "with --over none is tried" 123 -p two -- sh -c 'echo a bad and also a long line >a'
expect_run "with --over none is tried" 0 -p two --over @last --result "$T/result" -- cat a
expect_eq "with --over none is tried" "a bad and also a long line []" "$(cat "$OUT") $(jq -c .done_when "$T/result")"
expect_verb "with --over none is tried: thrown away" 0 discard "$(as_id "$A" pending --json | jq -rs '.[0].call // .[0][0].call')"

# ---- ended ----------------------------------------------------------------------------------------------

profile waits 'done_when:' '  - { name: waits, run: [sleep, "600"] }' '  - { name: next, run: ["true"] }'
start_airlock -p waits --result "$T/result" -- sh -c 'echo x >a'
runs() { pgrep -f "^sleep 600$" >/dev/null; }
check "a signal: the postcondition runs" wait_for 20 runs
kill -TERM "$PID"
wait "$PID"
expect_eq "a signal: 123" 123 $?
expect_eq "a signal: not done, and the rest is not tried" "failed held false null false null" \
	"$(jq -r '.verdict + " " + .settled' "$T/result") $(jq -r '.done_when[] | (.held | tostring) + " " + (if .verdict == "interrupted" then null else .verdict end | tostring)' "$T/result" | paste -sd' ')"
expect_match "a signal: why" "done_when waits: " "$T/.bg.err"
expect_eq "a signal: nobody is left" "" "$(pgrep -f '^sleep 600$')"
expect_verb "a signal: thrown away" 0 discard "$(jq -r .call "$T/result")"

# SIGUSR1 is for the tool, which is dead: the check goes on, and is not told.
profile gated 'done_when:' '  - { name: gated, run: [sh, -c, "sleep 0.5; sleep 0.5"] }'
half() { pgrep -f "^sleep 0[.]5$" >/dev/null; }
start_airlock -p gated --result "$T/result" -- sh -c 'echo usr1 >a'
check "SIGUSR1: the postcondition runs" wait_for 20 half
kill -USR1 "$PID"
wait "$PID"
expect_eq "SIGUSR1: 0" 0 $?
expect_eq "SIGUSR1: done" "ok committed true" "$(jq -r '"\(.verdict) \(.settled) \(.done_when[0].held)"' "$T/result")"

# A kill is of the call, whatever it is at: not of what it asks alone, and without a grace.
profile deaf 'done_when:' '  - { name: deaf, run: [sh, -c, "trap : TERM; sleep 600; sleep 600"] }' '  - { name: next, run: ["true"] }'
start_airlock -p deaf --result "$T/result" -- sh -c 'echo x >a'
check "a kill: the postcondition runs" wait_for 20 runs
expect_verb "a kill: of the call" 0 kill "$(call 2)"
wait "$PID"
expect_eq "a kill: 125" 125 $?
expect_eq "a kill: interrupted, and the rest is not tried" "interrupted held ended by airlock kill null" \
	"$(jq -r '.verdict + " " + .settled + " " + .reason + " " + (.done_when[1].verdict | tostring)' "$T/result")"
expect_match "a kill: and so it says" "airlock: interrupted: ended by airlock kill" "$T/.bg.err"
expect_eq "a kill: nobody is left" "" "$(pgrep -f '^sleep 600$')"
expect_verb "a kill: thrown away" 0 discard "$(jq -r .call "$T/result")"

# What a postcondition may use is the rest of what its call reserved.
profile long 'done_when:' '  - { name: one, run: [sleep, "600"] }' '  - { name: two, run: [sleep, "600"] }'
expect_verb "budget: a workflow with little time" 0 workflow new hasty --budget wall=2s
expect_run "budget: it does not hold" 123 -W hasty -p long --result "$T/result" -- sh -c 'echo x >a'
expect_eq "budget: the first ran out of it, the second was not let in" "timeout denied" \
	"$(jq -r '[.done_when[].verdict] | join(" ")' "$T/result")"
expect_eq "budget: the first had what was left" true \
	"$(record '.planned.limits.wall > 0 and .planned.limits.wall <= 2000' "$(jq -r '.done_when[0].call' "$T/result")")"
expect_eq "budget: the second says why" "call $(jq -r .call "$T/result") has no time left for a postcondition of what it reserved in the budget of workflow hasty" \
	"$(record .outcome.reason "$(jq -r '.done_when[1].call' "$T/result")")"
expect_verb "budget: thrown away" 0 discard "$(jq -r .call "$T/result")"

# ---- beside others --------------------------------------------------------------------------------------

new_ws
profile two-of-them 'done_when:' '  - { name: one, run: ["true"] }' '  - { name: two, run: ["true"] }'
mkfifo "$T/go"
own "$T/go"
exec 7<>"$T/go"
(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" -p two-of-them -- sh -c 'echo up; read -r line; echo mine >b' <"$T/go") >"$T/.up" 2>"$T/.bg.err" &
first=$!
check "beside a commit that waits: the call runs" wait_for 20 grep -q up "$T/.up"
start_airlock -- sh -c 'echo other >c; echo wrote'
check "beside a commit that waits: the other one has ended" wait_for 20 grep -q wrote "$T/.bg.out"
echo go >&7
exec 7>&-
wait "$first"
expect_eq "beside a commit that waits: its postconditions are tried" "0 mine" "$? $(cat "$WS/b" 2>/dev/null)"
wait "$PID"

if [ "$E2E_IDENTITY" = root ]; then
	mkdir "$T/theirs" "$T/their-state"
	chown "$E2E_USER": "$T/theirs" "$T/their-state"
	chmod 700 "$T/their-state"
	export AIRLOCK_STATE=$T/their-state
	as_id "$A" run -w "$T/theirs" -p one --result "$T/result" -- sh -c 'echo good >a' 2>"$ERR"
	expect_eq "root, a user's workspace: it holds, as the user" "0 true good $E2E_USER" \
		"$? $(jq -r '.done_when[0].held' "$T/result") $(cat "$T/theirs/a") $(stat -c %U "$T/theirs/a")"
	as_id "$A" run -w "$T/theirs" -p one --result "$T/result" -- sh -c 'echo bad >a' 2>"$ERR"
	expect_eq "root, a user's workspace: it does not" "123 false good" "$? $(jq -r '.done_when[0].held' "$T/result") $(cat "$T/theirs/a")"
fi
