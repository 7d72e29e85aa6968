#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pending: what waits for a person, why, and when it does not any more; what log, show and diff say then.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# What pending says, ages taken out.
pending_page()
{
	as_id "$A" pending 2>"$ERR" | sed -E 's/  [0-9a-z.]+ ago  /  AGE  /'
}

expect_out "no state yet" "" as_id "$A" pending
expect_match "and it is said" 'no call is recorded yet' <(as_id "$A" pending 2>&1)
expect_run "a call that is committed" 0 -- sh -c 'echo a >a'
expect_out "nothing waits" "nothing waits" as_id "$A" pending
expect_out "nothing waits, for a program" "" as_id "$A" pending --json

expect_run "a tool that fails" 3 -- sh -c 'echo b >b; rm a; exit 3'
failed=$(record .planned.call)
expect_run "a protected name" 123 -- sh -c 'echo "use flake" >.envrc'
protected=$(record .planned.call)
expect_run "mode propose" 0 -m propose -- sh -c 'echo c >c'
proposed=$(record .planned.call)
expect_eq "three sets wait" "${failed:0:13}  AGE  +1 -1  $WS
  sh -c 'echo b >b; rm a; exit 3'
  held, set aside: $(record .outcome.reason "$failed")

${protected:0:13}  AGE  +1  $WS
  sh -c 'echo \"use flake\" >.envrc'
  held, set aside: $(record .outcome.reason "$protected")

${proposed:0:13}  AGE  +1  $WS
  sh -c 'echo c >c'
  held, part of the draft, as the mode is propose

3 change sets wait: airlock diff CALL shows one, apply commits it, discard drops it" "$(pending_page)"
as_id "$A" pending --json >"$OUT"
expect_eq "--json" "$failed failed aside held $(record .outcome.changes.digest "$failed")
$protected ok aside held $(record .outcome.changes.digest "$protected")
$proposed ok draft held $(record .outcome.changes.digest "$proposed")" \
	"$(jq -r '"\(.call) \(.verdict) \(.layer) \(.settled) \(.digest)"' "$OUT")"
expect_eq "--json: the whole of one" '{"call":"'"$protected"'","changes":{"created":1,"deleted":0,"held":1,"modified":0}' \
	"$(sed -n 2p "$OUT" | grep -oE '^[^}]*\}')"
expect_eq "--json: where" "$WS local" "$(jq -r '"\(.workspace) \(.workflow_name)"' "$OUT" | sort -u)"

# ---- a call whose end nobody knows ---------------------------------------------------------------
start_airlock -- sleep 100
wait_for 10 sh -c "$(printf '%q ' "${E2E_AS_ID[@]}" "$A") log --verdict unknown --json | grep -q sleep"
unknown=$(record .planned.call)
expect_eq "one that runs waits for nobody" "$failed $protected $proposed" "$(as_id "$A" pending --json | jq -r .call | xargs)"
expect_eq "it runs: log and show say so" "running running: no outcome is recorded yet" \
	"$(as_id "$A" log --json | tail -n 1 | jq -r .state) $(as_id "$A" show "$unknown" | head -n 1)"
kill -KILL "$PID"
wait "$PID" 2>/dev/null
expect_eq "an unknown call: it stands behind the others" "${unknown:0:13}  AGE  $WS
  sleep 100
  unknown: it has no outcome, airlock was killed in it

3 change sets wait: airlock diff CALL shows one, apply commits it, discard drops it
1 call is unknown: airlock show CALL says what is recorded, airlock resolve CALL done|not-done|rerun decides" \
	"$(pending_page | tail -n 6)"
expect_eq "an unknown call: for a program" "$unknown unknown null null ask" \
	"$(as_id "$A" pending --json | tail -n 1 | jq -r '"\(.call) \(.verdict) \(.settled) \(.digest) \(.retry)"')"
expect_verb "resolve" 0 resolve "$unknown" "done" --reason "seen by hand"
expect_eq "one that is resolved waits no more" "$failed $protected $proposed" "$(as_id "$A" pending --json | jq -r .call | xargs)"
expect_eq "resolved: log, the record, and once only" "resolved done seen by hand" \
	"$(as_id "$A" log --json | tail -n 1 | jq -r .state) $(record '"\(.resolves[0].answer) \(.resolves[0].reason)"' "$unknown")"
expect_verb "resolved once" 1 resolve "$unknown" rerun

# ---- decided -------------------------------------------------------------------------------------
expect_verb "discard" 0 discard "$failed"
expect_eq "discarded: waits no more" "$protected $proposed" "$(as_id "$A" pending --json | jq -r .call | xargs)"
expect_match "discarded: log" '+1 -1 discarded' <(as_id "$A" log)
expect_eq "discarded: show, and by whom" "failed, exit 3; 2 changes were held, then discarded by uid $(as_id id -u)" \
	"$(as_id "$A" show "$failed" | head -n 2 | tr '\n' ' ' | sed -E 's/ *$//; s/ 20[0-9-]+ [0-9:]+//')"
expect_eq "discarded: the outcome's record stays" "held discard discarded" \
	"$(record '"\(.outcome.settled) \(.settles[0].action) \(.settles[0].settled)"' "$failed")"
expect_match "discarded: the set can be seen" "call $failed: failed, discarded" <(as_id "$A" diff "$failed")
expect_no_match "discarded: and not applied" 'airlock apply' <(as_id "$A" diff "$failed")

as_id "$A" diff "$protected" >"$OUT"
read -r -a line < <(grep '^airlock apply ' "$OUT")
expect_verb "what diff says to commit it" 0 "${line[@]:1}"
expect_eq "it is there" "use flake" "$(as_id cat "$WS/.envrc")"
expect_verb "and the next" 0 apply "$proposed"
expect_out "all is decided" "nothing waits" as_id "$A" pending
expect_verb "undo" 0 undo "$proposed"
expect_eq "undone: two entries, in order" "apply undo" "$(record '[.settles[].action] | join(" ")' "$proposed")"
expect_match "undone: log" '+1 undone' <(as_id "$A" log)
now='[inputs | select(.settled != "none" and .settled != null) | .settled] | join(" ")'
expect_eq "log --json says how each is settled now" "committed discarded committed undone" "$(as_id "$A" log --json | jq -nr "$now")"

expect_run "one more" 4 -- sh -c 'echo d >d; exit 4'
find "$AIRLOCK_STATE/wf" -maxdepth 3 -path "*/aside/*-$(record .planned.call)" -exec rm -r {} +
expect_match "its layer was taken away: said" "  held, but its layer is gone: it can be seen and discarded: exit 4" <(pending_page)
expect_match "its layer was taken away: diff says so too" "failed, held (its layer is gone)" <(as_id "$A" diff @last)
expect_verb "it can be discarded" 0 discard @last

# An entry that settles what it must not leaves everything as it was, and is told.
as_id python3 - "$AIRLOCK_STATE/journal/0001.log" "$proposed" <<'END'
import struct, sys, zlib
path, call = sys.argv[1:]
entry = ('{"call":"%s","record":{"action":"apply","actor":{"gid":7,"uid":1234},"call":"%s","changes":null,"reason":null,'
         '"settled":"gone","t":1795635600000,"v":1},"salt":"%032d","type":"settle"}' % (call, call, 7)).encode()
with open(path, "ab") as f:
    f.write(struct.pack("<II", len(entry), zlib.crc32(entry)) + entry)
END
expect_match "an unknown word: told" "1 damaged journal entry" <(as_id "$A" log 2>&1)
want="committed discarded committed undone discarded"
expect_eq "an unknown word: changes nothing" "$want" "$(as_id "$A" log --json 2>/dev/null | jq -nr "$now")"
rm -f "$AIRLOCK_STATE"/index.db*
expect_eq "an index made again says the same" "$want" "$(as_id "$A" log --json 2>/dev/null | jq -nr "$now")"

expect_rc "pending takes no operand" 125 as_id "$A" pending @last
