#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root plain
# A witness beside the log: it cosigns what only grows, verify counts it, and a log that was put back is known by it.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
LOG=$(dirname "$A")/airlock-log
WITNESS=$(dirname "$A")/airlock-witness
key=test.example/witnessed
policy=$AIRLOCK_STATE/log.policy

start_witness()
{
	: >"$T/said"
	"${E2E_AS_ID[@]}" "$WITNESS" serve --key "$T/w.key" --state "$T/w" --listen "unix:$T/w.sock" --log "@$T/vkey" >"$T/said" 2>&1 &
	witness=$!
	check "a witness listens" wait_for 20 grep -q '^listening' "$T/said"
}

stop_witness()
{
	kill "$witness"
	wait "$witness" 2>/dev/null
	return 0
}

verify()
{
	as_id "$A" verify --store "${2:-$AIRLOCK_STATE}" --key "@$T/vkey" --policy "${1:-$policy}" --json >"$OUT" 2>"$ERR"
	RC=$?
}

as_id mkdir -p "$T/w"
as_id "$A" key new --origin "$key" >"$T/vkey" 2>/dev/null
as_id "$WITNESS" new-key --key "$T/w.key" --name w.example/1 >"$T/w.vkey" 2>"$ERR"
expect_eq "a witness has a key" "w.example/1" "$(cut -d+ -f1 "$T/w.vkey")"
start_witness
printf 'log %s\nwitness W1 %s unix:%s\ngroup g all W1\nquorum g\n' "$(cat "$T/vkey")" "$(cat "$T/w.vkey")" "$T/w.sock" >"$T/policy"
as_id cp "$T/policy" "$policy"

run_airlock -- true
as_id "$LOG" --wait
expect_eq "the checkpoint has its line" "1" "$(as_id grep -c '^— w.example/1 ' "$AIRLOCK_STATE/log/checkpoint")"
verify
expect_eq "verify counts it" "0 5 5" "$RC $(jq -r 'select(.kind == "result") | "\(.entries) \(.witnessed)"' "$OUT")"
expect_eq "that it was added is an entry" "added W1" \
	"$(as_id sqlite3 "$AIRLOCK_STATE/index.db" "SELECT action || ' ' || name FROM event WHERE type = 'witness'")"
as_id "$A" receipt @last >"$T/receipt"
expect_verb "a receipt has it, too" 0 verify "$T/receipt" --key "@$T/vkey" --policy "$policy"
sed '/^— w.example/d' "$T/receipt" >"$T/receipt.bad"
expect_verb "one without is no quorum" 1 verify "$T/receipt.bad" --key "@$T/vkey" --policy "$policy"
expect_match "which it says" "no quorum of the trust file" "$ERR"

# ---- silent, and back -----------------------------------------------------------------------------
rm -rf "$T/older"
as_id cp -a "$AIRLOCK_STATE" "$T/older"
stop_witness
run_airlock -- true
as_id "$LOG" --wait
verify
expect_eq "without it the log goes on, and verify says since when" "0 8 5" \
	"$RC $(jq -r 'select(.kind == "result") | "\(.entries) \(.witnessed)"' "$OUT")"
expect_match "in words" "the 3 entries since are not witnessed" "$OUT"
start_witness
run_airlock -- true
as_id "$LOG" --wait
verify
expect_eq "it catches up" "0 11 11" "$RC $(jq -r 'select(.kind == "result") | "\(.entries) \(.witnessed)"' "$OUT")"
expect_eq "each change once" "added silent answers" \
	"$(as_id sqlite3 "$AIRLOCK_STATE/index.db" "SELECT action FROM event WHERE type = 'witness' ORDER BY n" | tr '\n' ' ' | sed 's/ $//')"

# ---- what it is for: root puts an older log back, whole -----------------------------------------------
as_id env AIRLOCK_STATE="$T/older" "$A" run -w "$WS" -- true >/dev/null 2>&1
as_id env AIRLOCK_STATE="$T/older" "$LOG" --wait --state "$T/older" 2>"$ERR"
expect_eq "a whole older directory goes on by itself; the witness has seen more" "1" "$?"
expect_match "which is said" "the witness W1 has seen 11 entries of this log" "$ERR"
as_id env AIRLOCK_STATE="$T/older" "$A" log >"$OUT" 2>"$ERR"
expect_match "by every verb that reads" "a restored backup" "$ERR"

# ---- a trust file that is none --------------------------------------------------------------------
printf 'quorum g\n' >"$T/bad"
verify "$T/bad"
expect_eq "a trust file that is none is refused" "125" "$RC"
expect_match "with its place" "$T/bad:1" "$ERR"
printf 'witness W2 %s\nquorum W2\n' "$(as_id "$WITNESS" new-key --key "$T/w2.key" --name w.example/2)" >"$T/other"
verify "$T/other"
expect_eq "a quorum that never signed" "1" "$RC"
expect_match "is missed" "no quorum of the trust file" "$OUT"
as_id rm "$policy"
run_airlock -- true
as_id "$LOG" --wait
expect_eq "a witness that is taken out of the file" "removed" \
	"$(as_id sqlite3 "$AIRLOCK_STATE/index.db" "SELECT action FROM event WHERE type = 'witness' ORDER BY n DESC LIMIT 1")"
stop_witness
