#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The front is killed at every point of a call: what its key gets then, by the profile's retry and by what a person said.
# Ledgers, keys, names that are lost or of another boot come back from the journal, and answer as before.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# calls: how many calls the journal has.
calls()
{
	as_id "$A" log -n 0 --json | wc -l
}

# state [CALL]: how log has it; the last one.
state()
{
	as_id "$A" log -n 0 --json | jq -rs --arg call "${1:-}" 'map(select($call == "" or .call == $call)) | last | .state'
}

# in_running N: whether so many calls have their file there.
in_running()
{
	[ "$(find "$AIRLOCK_STATE/running" -type f ! -name '.*' | wc -l)" = "$1" ]
}

kill_front()
{
	kill -KILL "$PID"
	wait "$PID" 2>/dev/null
}

# killed ARG…: a call whose tool says "started" and stays; its front is killed then. Sets CALL.
killed()
{
	start_airlock "$@"
	wait_for 20 bg_says started || not_ok "a call to kill" "$(cat "$T/.bg.err")"
	CALL=$(record .planned.call)
	kill_front
}

stay='echo started; exec sleep 100'
again='[ -e over ] && { echo ran; exit 0; }; echo started; exec sleep 100'
printf 'version: 1\nname: safe\nextends: tool\ntool: { run: [/bin/sh] }\nretry: safe\n' >"$T/safe.yaml"
own "$T/safe.yaml"

# ---- before anything is recorded: nothing ran, the key is free -------------------------------------------------
new_ws early
expect_run "a call, so that there is a state directory" 0 -- true
before=$(calls)
exec 9<"$WS"
flock -x 9
start_airlock -k early -- sh -c 'echo ran'
wait_for 20 in_running 1 || not_ok "early: it was let in" "nothing in running/"
kill_front
exec 9<&-
expect_eq "early: no record" "$before" "$(calls)"
check "early: its file is left" in_running 1
run_airlock -k early --result "$T/early.json" -- sh -c 'echo ran'
expect_eq "early: the same request runs, as the first attempt" "0 ran 1 false" \
	"$RC $(cat "$OUT") $(jq -r '"\(.attempt) \(.replayed)"' "$T/early.json")"
check "early: the next call took the file away" in_running 0

# ---- while the tool runs, retry: ask ---------------------------------------------------------------------------
new_ws ask
killed -k one -- sh -c "$stay"
expect_eq "ask: unknown, and it waits for a person" "unknown $CALL" \
	"$(state "$CALL") $(as_id "$A" pending --json | jq -r .call)"
expect_match "ask: show has what there is to decide by" "  retry       a retry under its key one is refused, as its profile says" \
	<(as_id "$A" show "$CALL")
expect_verb "ask: recover" 0 recover
expect_match "ask: recover tells of it" \
	"call $CALL of workflow local was cut short: nobody knows whether it did its work, and its profile says retry: ask" "$ERR"
expect_verb "ask: recover again" 0 recover
expect_eq "ask: there is nothing more to do" "nothing to recover" "$(cat "$OUT")"
before=$(calls)
run_airlock -k one --result "$T/ask.json" -- sh -c "$stay"
expect_eq "ask: the same request is refused" "125  null" "$RC $(cat "$OUT") $(jq -r .call "$T/ask.json")"
expect_match "ask: and why" "airlock resolve $CALL done|not-done|rerun" "$ERR"
run_airlock -k one -- sh -c "$stay" other
expect_match "ask: another request is refused as one" "for another request: other command" "$ERR"

expect_verb "done: a person says so" 0 resolve "$CALL" "done" --reason "seen in the mail log"
expect_match "done: what a retry gets" "a retry under its key one is answered as done, and runs nothing" "$OUT"
run_airlock -k one --result "$T/done.json" -- sh -c "$stay"
expect_eq "done: answered as done" "0   ok done true $CALL" \
	"$RC $(cat "$OUT" "$ERR")  $(jq -r '"\(.verdict) \(.resolved) \(.replayed) \(.call)"' "$T/done.json")"
expect_eq "done: log and show say it" "resolved done seen in the mail log" \
	"$(state "$CALL") $(record '.resolves[0] | "\(.answer) \(.reason)"' "$CALL")"
expect_verb "done: once" 1 resolve "$CALL" rerun

killed -k two -- sh -c "$stay"
expect_verb "not-done: a person says so" 0 resolve "$CALL" not-done
run_airlock -k two --result "$T/not-done.json" -- sh -c "$stay"
expect_eq "not-done: answered as interrupted" "125  interrupted not-done" \
	"$RC $(cat "$OUT") $(jq -r '"\(.verdict) \(.resolved)"' "$T/not-done.json")"
expect_match "not-done: and why" "interrupted: uid $(as_id id -u) said of call $CALL that its work is not done" "$ERR"
expect_eq "nothing of all that ran" "$((before + 1))" "$(calls)"

new_ws rerun
killed -k three -- sh -c "$again"
expect_verb "rerun: a person says so" 0 resolve "$CALL" rerun
as_id touch "$WS/over"
run_airlock -k three --result "$T/rerun.json" -- sh -c "$again"
expect_eq "rerun: it runs, as the second attempt" "0 ran 2 false" \
	"$RC $(cat "$OUT") $(jq -r '"\(.attempt) \(.replayed)"' "$T/rerun.json")"
expect_eq "rerun: of the first" "$CALL" "$(record .planned.retry_of)"
before=$(calls)
run_airlock -k three --result "$T/rerun.json" -- sh -c "$again"
expect_eq "rerun: and then it is answered" "0 ran 2 true $before" \
	"$RC $(cat "$OUT") $(jq -r '"\(.attempt) \(.replayed)"' "$T/rerun.json") $(calls)"

# ---- while the tool runs, retry: safe --------------------------------------------------------------------------
new_ws safe
killed -p "$T/safe.yaml" -k safe -- sh -c "$again"
first=$CALL
expect_eq "safe: unknown, and nobody has to decide" "unknown " "$(state "$first") $(as_id "$A" pending --json | jq -r .call)"
killed -p "$T/safe.yaml" -k safe -- sh -c "$again"
expect_eq "safe: killed twice" "2 $first" "$(record '"\(.planned.attempt) \(.planned.retry_of)"')"
as_id touch "$WS/over"
run_airlock -p "$T/safe.yaml" -k safe --result "$T/safe.json" -- sh -c "$again"
expect_eq "safe: the same request runs, as the third attempt" "0 ran 3 false" \
	"$RC $(cat "$OUT") $(jq -r '"\(.attempt) \(.replayed)"' "$T/safe.json")"
expect_eq "safe: of the second" "$CALL" "$(record .planned.retry_of)"
before=$(calls)
run_airlock -p "$T/safe.yaml" -k safe -- sh -c "$again"
expect_eq "safe: then it is answered" "0 ran $before" "$RC $(cat "$OUT") $(calls)"

# ---- after the tool, before its changes are committed ----------------------------------------------------------
new_ws late
exec 9<"$WS"
flock -s 9
start_airlock -k late -- sh -c 'echo changed >file; echo started'
wait_for 20 bg_says started || not_ok "late: it started" "$(cat "$T/.bg.err")"
kill_front
exec 9<&-
CALL=$(record .planned.call)
expect_eq "late: unknown, and the workspace is as before" "unknown " "$(state "$CALL") $(ls "$WS")"
expect_run "late: the same request is refused" 125 -k late -- sh -c 'echo changed >file; echo started'
expect_verb "late: a person has a look" 0 resolve "$CALL" rerun
expect_run "late: it runs again" 0 -k late -- sh -c 'echo changed >file; echo started'
expect_eq "late: and is committed" changed "$(cat "$WS/file")"

# ---- a workflow's budget ---------------------------------------------------------------------------------------
new_ws budget
expect_verb "a workflow" 0 workflow new cut --budget calls=3
killed -W cut -k a -- sh -c "$stay"
expect_run "budget: another call is let in" 0 -W cut -k b -- sh -c 'echo b'
expect_run "budget: and a third" 0 -W cut -k c -- sh -c 'echo c'
expect_run "budget: what nobody knows the end of counts" 125 -W cut -k d -- sh -c 'echo d'
expect_match "budget: and why" "workflow cut has no calls left in its budget of 3" "$ERR"

# budget NAME JQ
budget()
{
	as_id "$A" workflow show "$1" --json | jq -cr ".budget | $2"
}

# It reserved all that there is of time; from when it is found on it counts as long as it can have run.
expect_verb "a workflow with less time than one call may take" 0 workflow new timed --budget wall=5m,cpu=1h,disk=3G
killed -W timed -p default -- sh -c "$stay"
expect_eq "lost: what it reserved is all that there is" "[300000,300000,0]" "$(budget timed '.wall_ms | [.limit, .reserved, .left]')"
expect_run "lost: another call is let in" 0 -W timed -p default -- sh -c 'echo b'
found=$(record .lost "$CALL")
expect_eq "lost: the journal says what it used at most" "1 true true 1073741824" "$(jq -r --argjson t0 "$(record .planned.t0 "$CALL")" \
	--argjson cpus "$(getconf _NPROCESSORS_CONF)" \
	'"\(.used.calls) \(.used.wall_ms == .t - $t0) \(.used.cpu_ms == ([.used.wall_ms * $cpus, 600000] | min)) \(.used.disk_bytes)"' <<<"$found")"
check "lost: and that is less than it reserved" test "$(jq .used.wall_ms <<<"$found")" -lt 300000
after=$(record .outcome.usage)
counted=$(jq -nc --argjson lost "$(jq .used <<<"$found")" --argjson after "$after" \
	'[2, $lost.wall_ms + $after.wall_ms, $lost.cpu_ms + $after.cpu_ms, $lost.disk_bytes + $after.disk_bytes]')
used='[.calls.used, .wall_ms.used, .cpu_ms.used, .disk_bytes.used]'
expect_eq "lost: the ledger counts that" "$counted" "$(budget timed "$used")"
expect_match "lost: show has when it was found" "  found       without its airlock " <(as_id "$A" show "$CALL")
expect_eq "lost: it is unknown as ever" unknown "$(state "$CALL")"
expect_verb "lost: a person decides" 0 resolve "$CALL" "done"
expect_eq "lost: which changes no number" "resolved $counted" "$(state "$CALL") $(budget timed "$used")"
as_id dd if=/dev/zero of="$AIRLOCK_STATE/wf/$(as_id "$A" workflow show timed --json | jq -r .workflow)/ledger" bs=1 count=1 conv=notrunc 2>/dev/null
expect_verb "lost: the ledger is made again" 0 recover
expect_eq "lost: with the same numbers" "$counted" "$(budget timed "$used")"
as_id "$LOG" --wait
expect_eq "lost: one entry says so" 1 "$(rows "SELECT count(*) FROM entry WHERE type = 'lost' AND call = '$CALL'")"

# ---- files that follow the journal -----------------------------------------------------------------------------
id=$(as_id "$A" workflow show cut --json | jq -r .workflow)
wf=$AIRLOCK_STATE/wf/$id

# answers: what each key gets, and what is left.
answers()
{
	local key

	for key in a b c; do
		run_airlock -W cut -k "$key" -- sh -c "$([ "$key" = a ] && echo "$stay" || echo "echo $key")"
		echo "$key $RC [$(cat "$OUT")]"
	done
	run_airlock -W cut -k e -- true
	echo "e $RC $(grep -o 'no calls left in its budget of 3: 3 used' "$ERR")"
}
before=$(calls)
want=$(answers)
expect_eq "control: each key has its answer" "a 125 []
b 0 [b]
c 0 [c]
e 125 no calls left in its budget of 3: 3 used" "$want"

rm "$wf/ledger" "$wf"/key-*
expect_eq "ledger and keys lost: the same answers" "$want" "$(answers)"

# Of another boot: its id stands behind the header, under the CRC.
other_boot()
{
	as_id python3 - "$wf/ledger" <<'END'
import sys, zlib
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
data[12:28] = bytes(16)
data[8:12] = zlib.crc32(bytes(data[12:])).to_bytes(4, "little")
open(path, "r+b").write(data)
END
}
other_boot
for key in "$wf"/key-*; do
	as_id cp /dev/null "$key"
done
expect_eq "of another boot, keys torn: the same answers" "$want" "$(answers)"
other_boot
rm "$wf/definition" "$AIRLOCK_STATE/names/cut"
expect_run "its name is lost: it cannot be named" 125 -W cut -k b -- sh -c 'echo b'
expect_verb "recover makes all of it again" 0 recover
expect_match "and tells of it" "workflow cut: its definition and its name are made again from the journal" "$ERR"
expect_eq "name, definition and ledger made again: the same answers" "$want" "$(answers)"
expect_eq "none of that ran anything" "$before" "$(as_id "$A" log -n 0 --json | jq -s 'map(select(.verdict != "denied")) | length + 1')"
expect_eq "the journal is whole" 0 "$(as_id sqlite3 "$AIRLOCK_STATE/index.db" 'SELECT count(*) FROM damaged' 2>/dev/null || echo 0)"

# ---- the journal is damaged ------------------------------------------------------------------------------------
# flip TEXT: one bit of the last such text in the journal, whose entries are then to be taken in anew.
flip()
{
	as_id python3 - "$AIRLOCK_STATE/journal/0001.log" "$1" <<'END'
import sys
with open(sys.argv[1], "r+b") as file:
    data = file.read()
    at = data.rindex(sys.argv[2].encode()) + 3
    file.seek(at)
    file.write(bytes([data[at] ^ 1]))
END
	rm -f "$AIRLOCK_STATE"/index.db*
}

# What stopped a workflow is one flipped bit: nobody may take it for one that was never stopped.
expect_verb "a workflow" 0 workflow new flipped --budget calls=3
wf=$AIRLOCK_STATE/wf/$(cat "$AIRLOCK_STATE/names/flipped")
expect_run "which takes calls" 0 -W flipped -- true
expect_verb "until it is stopped" 0 workflow stop flipped --reason enough-is-enough
other_boot
expect_verb "control: its ledger is made again" 0 recover
expect_run "it takes none" 125 -W flipped -- true
expect_match "because it is stopped" "workflow flipped is stopped: enough-is-enough" "$ERR"
as_id "$LOG" --wait
flip '"reason":"enough-is-enough"'
other_boot
expect_verb "that entry is damaged: recover" 0 recover
paused="workflow flipped is paused: 1 damaged journal entry: what is known of it may not be all"
expect_match "says so" "$paused; look (airlock workflow show flipped) and decide: airlock workflow resume|stop flipped" "$ERR"
expect_run "no call is let in" 125 -W flipped -- touch ran
expect_match "for that reason" "$paused; \`airlock workflow resume flipped\` lets it go on" "$ERR"
check "and nothing ran" test ! -e "$WS/ran"
expect_verb "a person has looked" 0 workflow resume flipped
expect_run "it goes on" 0 -W flipped -- touch ran
other_boot
expect_run "made again over the same damage: it still does" 0 -W flipped -- true
expect_run "and its budget is what it was" 125 -W flipped -- true
expect_match "with all that was used" "no calls left in its budget of 3: 3 used" "$ERR"

# How it was made is damaged, too, and its ledger is lost: its definition is there.
expect_verb "another workflow" 0 workflow new unmade --budget calls=2
wf=$AIRLOCK_STATE/wf/$(cat "$AIRLOCK_STATE/names/unmade")
expect_run "and a call behind its entry" 0 -W unmade -- true
as_id "$LOG" --wait
flip '"name":"unmade"'
rm -f "$wf/ledger"
expect_run "no call is let in there, either" 125 -W unmade -- true
expect_match "for that reason, too" "workflow unmade is paused: 2 damaged journal entries" "$ERR"
expect_verb "a person resumes it" 0 workflow resume unmade
rm -f "$wf/ledger"
expect_run "it takes the call that is left" 0 -W unmade -- true
expect_run "and no other" 125 -W unmade -- true
