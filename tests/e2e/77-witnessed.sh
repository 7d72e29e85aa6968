#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root plain
# A witness beside the log: it cosigns what only grows, verify counts it, and a log that was put back is known by it.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
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
	"$(rows "SELECT action || ' ' || name FROM event WHERE type = 'witness'")"
as_id "$A" receipt @last >"$T/receipt"
expect_verb "a receipt has it, too" 0 verify "$T/receipt" --key "@$T/vkey" --policy "$policy"
sed '/^— w.example/d' "$T/receipt" >"$T/receipt.bad"
expect_verb "one without is no quorum" 1 verify "$T/receipt.bad" --key "@$T/vkey" --policy "$policy"
expect_match "which it says" "no quorum of the trust file" "$ERR"

expect_verb "a witness is no log" 125 verify "$T/receipt" --key "@$T/w.vkey"
expect_match "and that is said" "it is the key of a witness" "$ERR"
as_id env AIRLOCK_STATE="$T/third" "$A" key new --origin test.example/third >"$T/third.vkey" 2>/dev/null
{ echo "log $(cat "$T/third.vkey")" && sed 1d "$T/policy"; } >"$T/another"
expect_verb "a trust file of another log does not do" 1 verify "$T/receipt" --key "@$T/vkey" --policy "$T/another"
expect_match "for a receipt" "the trust file does not name this log" "$ERR"
verify "$T/another"
expect_eq "nor for a store" "1" "$RC"
printf 'log %s\nquorum none\n' "$(cat "$T/third.vkey")" >"$T/another"
verify "$T/another"
expect_eq "also where no witness is asked for" "1" "$RC"
expect_match "as it says" "the trust file does not name this log" "$OUT"

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
	"$(rows "SELECT action FROM event WHERE type = 'witness' ORDER BY n" | tr '\n' ' ' | sed 's/ $//')"

# ---- what it is for: root puts an older log back, whole -----------------------------------------------
as_id env AIRLOCK_STATE="$T/older" "$A" run -w "$WS" -- true >/dev/null 2>&1
as_id env AIRLOCK_STATE="$T/older" "$LOG" --wait --state "$T/older" 2>"$ERR"
expect_eq "a whole older directory goes on by itself; the witness has seen more" "1" "$?"
expect_match "which is said" "the witness W1 has seen 11 entries of this log" "$ERR"
as_id env AIRLOCK_STATE="$T/older" "$A" log >"$OUT" 2>"$ERR"
expect_match "by every verb that reads" "a restored backup" "$ERR"

# ---- witnesses that are hostile -----------------------------------------------------------------------
# One in front of the good one: it adds a line of the log's own key that is wrong, or says that it has seen more.
cat >"$T/hostile.py" <<'EOF'
import http.server, re, socket, socketserver, sys
place, real, mode = sys.argv[1:]

class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer, kind, status = b"999999\n", "text/x.tlog.size", 409
        if mode == "line":
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(real)
                s.sendall(b"POST /add-checkpoint HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                head, answer = b"".join(iter(lambda: s.recv(65536), b"")).split(b"\r\n\r\n", 1)
            status, kind = int(head.split()[1]), re.search(b"Content-Type: ([^\r]*)", head)[1].decode()
            if status == 200:
                own = [x for x in body.decode().splitlines() if x.startswith("\u2014 test.example/witnessed ")][-1]
                answer += (own[:-8] + "AAAAAA==\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

socketserver.UnixStreamServer(place, Handler).serve_forever()
EOF
start_hostile()
{
	"${E2E_AS_ID[@]}" python3 "$T/hostile.py" "$T/h$1.sock" "$T/w.sock" "$1" >/dev/null 2>&1 &
	hostile+=($!)
	check "a hostile one listens" wait_for 20 test -S "$T/h$1.sock"
}
hostile=()
own "$T/hostile.py"
start_hostile line
start_hostile size
# a witness chooses its name: this one took the good one's
as_id "$WITNESS" new-key --key "$T/w3.key" --name w.example/1 >"$T/w3.vkey"
printf 'log %s\nwitness W0 %s unix:%s\nwitness W1 %s unix:%s\ngroup g all W1\nquorum g\n' "$(cat "$T/vkey")" \
	"$(cat "$T/w3.vkey")" "$T/hsize.sock" "$(cat "$T/w.vkey")" "$T/hline.sock" >"$T/policy"
as_id cp "$T/policy" "$policy"
run_airlock -- true
as_id "$LOG" --wait 2>"$ERR"
expect_match "one that has seen more is told" "the witness W0 has seen 999999 entries of this log" "$ERR"
expect_eq "and the next one signs nevertheless" "1" "$(as_id grep -c '^— w.example/1 ' "$AIRLOCK_STATE/log/checkpoint")"
expect_eq "nothing but its line is taken from it" "2" "$(as_id grep -c '^— ' "$AIRLOCK_STATE/log/checkpoint")"
verify
expect_eq "so all of it verifies" "0" "$RC"
kill "${hostile[@]}"
wait "${hostile[@]}" 2>/dev/null
"${E2E_AS_ID[@]}" "$WITNESS" serve --key "$T/w3.key" --state "$T/w3" --listen "unix:$T/w3.sock" --log "@$T/vkey" >/dev/null 2>&1 &
third=$!
check "it becomes an honest one" wait_for 20 test -S "$T/w3.sock"
sed "s|$T/hsize.sock|$T/w3.sock|; s|$T/hline.sock|$T/w.sock|; s/all W1/all W0 W1/" "$T/policy" >"$T/policy.2"
as_id cp "$T/policy.2" "$policy"
run_airlock -- true
as_id "$LOG" --wait
verify
expect_eq "two of one name are two" "0 all" "$RC $(jq -r 'select(.kind == "result") | if .entries == .witnessed then "all" else . end' "$OUT")"
kill "$third"
wait "$third" 2>/dev/null

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
	"$(rows "SELECT action FROM event WHERE type = 'witness' ORDER BY n DESC LIMIT 1")"
stop_witness
