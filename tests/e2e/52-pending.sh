#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pending: what waits for a person, why, and when it does not any more; what log, show and diff say then.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# settle CALL ACTION SETTLED: the journal entry that a verb which settles would append.
settle()
{
	as_id python3 - "$AIRLOCK_STATE/journal/0001.log" "$@" <<'END'
import struct, sys, zlib
path, call, action, settled = sys.argv[1:]
entry = ('{"call":"%s","record":{"action":"%s","actor":{"gid":7,"uid":1234},"call":"%s","changes":null,"reason":null,'
         '"settled":"%s","t":1795635600000,"v":1},"salt":"%032d","type":"settle"}' % (call, action, call, settled, 7)).encode()
with open(path, "ab") as f:
    f.write(struct.pack("<II", len(entry), zlib.crc32(entry)) + entry)
END
}

# What pending says, ages taken out.
pending_page()
{
	as_id "$A" pending 2>"$ERR" | sed -E 's/  [0-9a-z.]+ ago  /  AGE  /'
}

# Where layers lie is another file's matter: this one makes its own.
forget_layers()
{
	find "$AIRLOCK_STATE/wf" -mindepth 2 -maxdepth 2 -type d \( -name draft -o -name aside \) -exec rm -rf {} +
}

layer()
{
	as_id mkdir -p "$AIRLOCK_STATE/wf/$(record .planned.workflow "$2")/$1/$(printf '%010d' "$(record .planned.seq "$2")")-$2"
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
forget_layers
expect_eq "two sets wait" "${failed:0:13}  AGE  +1 -1  $WS
  sh -c 'echo b >b; rm a; exit 3'
  held: $(record .outcome.reason "$failed")

${protected:0:13}  AGE  +1  $WS
  sh -c 'echo \"use flake\" >.envrc'
  held: $(record .outcome.reason "$protected")

2 change sets wait: airlock diff CALL shows what it would change" "$(pending_page)"
layer aside "$failed"
layer draft "$protected"
expect_eq "where their layers are" "  held, set aside:
  held, part of the draft:" "$(pending_page | grep -o '^  held[^:]*:')"
as_id "$A" pending --json >"$OUT"
expect_eq "--json" "$failed failed aside held $(record .outcome.changes.digest "$failed")
$protected ok draft held $(record .outcome.changes.digest "$protected")" \
	"$(jq -r '"\(.call) \(.verdict) \(.layer) \(.settled) \(.digest)"' "$OUT")"
expect_eq "--json: the whole of one" '{"call":"'"$protected"'","changes":{"created":1,"deleted":0,"held":1,"modified":0}' \
	"$(tail -n 1 "$OUT" | grep -oE '^[^}]*\}')"
expect_eq "--json: where" "$WS local" "$(jq -r '"\(.workspace) \(.workflow_name)"' "$OUT" | sort -u)"

# ---- a call whose end nobody knows ---------------------------------------------------------------
start_airlock -- sleep 100
wait_for 10 sh -c "$(printf '%q ' "${E2E_AS_ID[@]}" "$A") log --verdict unknown --json | grep -q sleep"
unknown=$(record .planned.call)
forget_layers
expect_eq "an unknown call: it stands behind the others" "${unknown:0:13}  AGE  $WS
  sleep 100
  unknown: it has no outcome; it still runs, or airlock was killed in it

2 change sets wait: airlock diff CALL shows what it would change
1 call is unknown: airlock show CALL says what is recorded" "$(pending_page | tail -n 6)"
expect_eq "an unknown call: for a program" "$unknown unknown null null" \
	"$(as_id "$A" pending --json | tail -n 1 | jq -r '"\(.call) \(.verdict) \(.settled) \(.digest)"')"
kill -TERM "$PID"
wait "$PID"
expect_eq "one that ended waits no more" "$failed $protected" "$(as_id "$A" pending --json | jq -r .call | xargs)"

# ---- decided -------------------------------------------------------------------------------------
settle "$failed" discard discarded
expect_eq "discarded: waits no more" "$protected" "$(as_id "$A" pending --json | jq -r .call)"
expect_match "discarded: log" '+1 -1 discarded' <(as_id "$A" log)
expect_eq "discarded: show" "failed, exit 3; 2 changes were held, then discarded 2026-11-25 19:40 by uid 1234" \
	"$(as_id env TZ=UTC "$A" show "$failed" | head -n 2 | tr '\n' ' ' | sed 's/ *$//')"
expect_eq "discarded: the outcome's record stays" "held discard discarded" \
	"$(record '"\(.outcome.settled) \(.settles[0].action) \(.settles[0].settled)"' "$failed")"
expect_match "discarded: the set can be seen" 'failed, discarded' <(as_id "$A" diff "$failed")
settle "$protected" apply committed
expect_out "all is decided" "nothing waits" as_id "$A" pending
settle "$protected" undo undone
expect_eq "undone: two entries, in order" "apply undo" "$(record '[.settles[].action] | join(" ")' "$protected")"
expect_match "undone: log" '+1 undone' <(as_id "$A" log)
expect_eq "log --json says how it is settled now" "discarded undone" \
	"$(as_id "$A" log --json | jq -r "select(.call == \"$failed\" or .call == \"$protected\") | .settled" | xargs)"

# An entry that settles what it must not leaves everything as it was, and is told.
settle "$failed" apply gone
expect_match "an unknown word: told" "1 damaged journal entry" <(as_id "$A" log 2>&1)
expect_eq "an unknown word: changes nothing" discarded "$(as_id "$A" log --json 2>/dev/null | jq -r "select(.call == \"$failed\") | .settled")"
rm -f "$AIRLOCK_STATE"/index.db*
expect_eq "an index made again says the same" "discarded undone" \
	"$(as_id "$A" log --json 2>/dev/null | jq -r "select(.call == \"$failed\" or .call == \"$protected\") | .settled" | xargs)"

expect_rc "pending takes no operand" 125 as_id "$A" pending @last
