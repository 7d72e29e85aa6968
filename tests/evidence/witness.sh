# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by tests/evidence/run: airlock-witness as its operator and its clients see it. $log is a log of $size entries;
# request-first asks for the checkpoint of about a third of it, request-next from there for the last.
# shellcheck disable=SC2154 # log, work, size: of tests/evidence/run

witness=build/airlock-witness
third=$(sed -n 2p "$log/checkpoint-old")
wit=$work/witness
mkdir "$wit"

# start [PREFIX…]: PREFIX runs it, as strace does; with none it is a verb of airlock's. A witness on $address, state in $wit/state; waits until it listens. Sets $pid and $url.
start() {
	rm -f "$wit/said"
	mkfifo "$wit/said"
	[ $# = 0 ] && set -- build/airlock witness || set -- "$@" "$witness"
	"$@" serve --key "$wit/key" --state "$wit/state" --listen "$address" --log "@$log/vkey" \
		>"$wit/said" 2>"$wit/errors" &
	pid=$!
	{ read -r _ url && read -r _ _; } <"$wit/said"
}

stop() {
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

# ask NAME REQUEST EXIT [STDOUT]: what submit says to a request.
ask() {
	local out status
	out=$("$witness" submit --url "$url" <"$2" 2>"$work/said")
	status=$?
	echo "exit $status, \"$out\"" >>"$work/said"
	[ "$status" = "$3" ] && { [ $# -lt 4 ] || [ "$out" = "$4" ]; }
	judge "evidence/witness-$1" $?
}

# status REQUEST: of HTTP, from curl, which is nobody of ours.
status() {
	curl -s -o "$wit/body" -w '%{http_code} %{content_type}' --unix-socket "${address#unix:}" \
		--data-binary @"$1" "http://witness/${2:-add-checkpoint}"
}

is() {
	echo "got \"$2\", not \"$3\"" >"$work/said"
	[ "$2" = "$3" ]
	judge "evidence/witness-$1" $?
}

# ---- the key ---------------------------------------------------------------------------------------------------

build/airlock witness new-key --key "$wit/key" --name witness.example.org/test >"$wit/vkey" 2>"$work/said"
judge evidence/witness-new-key $?
is key-mode "$(stat -c %a "$wit/key")" 600
cp "$wit/key" "$wit/key.kept"
"$witness" new-key --key "$wit/key" --name other >/dev/null 2>"$work/said"
is key-is-not-written-over "$? $(cmp "$wit/key" "$wit/key.kept" && echo same)" "1 same"
{
	sed -n '2,$p' "$wit/key" | openssl pkey -pubout -outform DER | tail -c 32
} >"$wit/pub" 2>"$work/said"
is key-is-openssls "$(base64 -w0 <"$wit/pub")" "$(cut -d+ -f3- "$wit/vkey" | base64 -d | tail -c 32 | base64 -w0)"
chmod 640 "$wit/key"
"$witness" serve --key "$wit/key" --state "$wit/state" --listen "unix:$wit/socket" --log "$(cat "$log/vkey")" 2>"$work/said"
is refuses-a-key-of-others "$? $(grep -c 'is not a file of its owner alone' "$work/said")" "1 1"
chmod 600 "$wit/key"
"$witness" serve --key "$wit/key" --state "$wit/state" --listen 0.0.0.0:0 --log "$(cat "$log/vkey")" 2>"$work/said"
is listens-on-this-host-only "$? $(grep -c 'put a proxy before it' "$work/said")" "1 1"
printf x | "$witness" submit --url http://192.0.2.1:80 2>"$work/said"
is asks-this-host-only "$? $(grep -c 'not unix:/PATH' "$work/said")" "1 1"

# ---- answers ---------------------------------------------------------------------------------------------------

address=unix:$wit/socket
start
ask conflict-from-nothing "$log/request-next" 4 0
sed '2s/^./-/' "$log/request-next" >"$wit/request-bad"
is malformed "$(status "$wit/request-bad")" "400 text/plain; charset=utf-8"
ask first "$log/request-first" 0
cp "$work/said" "$wit/first"
is old-conflict "$(status "$log/request-first") $(cat "$wit/body")" "409 text/x.tlog.size $third"
is fork "$(status "$log/request-fork")" "409 text/plain; charset=utf-8"
# A proof of which one hash is another one, still base64 of 32 bytes.
awk 'NR == 2 { c = substr($0, 1, 1); $0 = (c == "A" ? "B" : "A") substr($0, 2) } { print }' "$log/request-next" >"$wit/request-bad"
is bad-proof "$(status "$wit/request-bad")" "422 text/plain; charset=utf-8"
sed "1s/.*/old $((size + 1))/" "$log/request-again" >"$wit/request-bad"
is old-beyond "$(status "$wit/request-bad")" "400 text/plain; charset=utf-8"
is unknown-log "$(status "$work/other/request-first" | cut -d' ' -f1)" 403
sed "s,log.example.org/airlock/test,log.example.org/airlock/else," "$log/request-next" >"$wit/request-bad"
is unknown-origin "$(status "$wit/request-bad" | cut -d' ' -f1)" 404
is other-path "$(status "$log/request-next" checkpoint | cut -d' ' -f1)" 404
is other-method "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$wit/socket" http://witness/add-checkpoint)" 405
head -c 200000 /dev/zero >"$wit/large"
is too-large "$(status "$wit/large" | cut -d' ' -f1)" 413
"$witness" serve --key "$wit/key" --state "$wit/state" --listen "unix:$wit/socket2" --log "$(cat "$log/vkey")" 2>"$work/said"
is one-per-state "$? $(grep -c 'another airlock-witness is at work' "$work/said")" "1 1"
"$witness" serve --key "$wit/key" --state "$wit/state2" --listen "$address" --log "$(cat "$log/vkey")" 2>"$work/said"
is one-per-socket "$? $(grep -c 'somebody listens there already' "$work/said")" "1 1"

# Sixteen at once say that the old size is a third: exactly one is the first.
clients=()
for i in {1..16}; do
	"$witness" submit --url "$url" <"$log/request-next" >"$wit/out.$i" 2>/dev/null &
	clients+=($!)
done
exits=()
for client in "${clients[@]}"; do
	wait "$client"
	exits+=($?)
done
is one-of-sixteen "$(printf '%s\n' "${exits[@]}" | sort | uniq -c | tr -s ' ' | tr '\n' ',')" " 1 0, 15 4,"
is fifteen-are-told "$(cat "$wit"/out.* | grep -cx "$size")" 15
ask the-same-again "$log/request-again" 0

# The cosignature, by openssl: 8 bytes of time, then the signature over two lines more than the log signs.
"$witness" submit --url "$url" <"$log/request-again" 2>"$work/said" >"$wit/line"
awk '{ print $3 }' "$wit/line" | base64 -d >"$wit/bytes"
{
	echo cosignature/v1
	echo "time $((0x$(od -An -tx1 -j4 -N8 "$wit/bytes" | tr -d ' \n')))"
	sed '/^$/,$d' "$log/checkpoint"
} >"$wit/message"
tail -c 64 "$wit/bytes" >"$wit/sig"
{ printf '\060\052\060\005\006\003\053\145\160\003\041\000' && cat "$wit/pub"; } >"$wit/pub.der"
openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$wit/pub.der" -sigfile "$wit/sig" -in "$wit/message" >"$work/said" 2>&1
judge evidence/witness-cosignature-by-openssl $?
stop

address=127.0.0.1:0
start
ask over-loopback "$log/request-again" 0
is its-state-outlives-it "$(sed -n 2p "$wit/state"/[0-9a-f]*)" "$size"
stop

# ---- killed ------------------------------------------------------------------------------------------------------

# Before each call that stores or answers: what was stored stays so, what was not can be asked again, and a client that
# has an answer has one that is stored. A socket that a dead witness left is taken over.
address=unix:$wit/socket
# killed CALL NUMBER SIZE: the size that it must remember then.
killed() {
	rm -rf "$wit/state"
	# a shell between, since a killed child of ours is told of; what was not killed goes with it
	start bash -c 'trap "kill \$!" TERM; "$@" & wait $!; exit 0' - strace -I 1 -f -o "$wit/trace" -e trace="$1" \
		-e inject="$1":signal=KILL:when="$2" setpriv --pdeathsig KILL
	"$witness" submit --url "$url" <"$log/request-first" >"$wit/out" 2>/dev/null
	echo "submit: $?, $(cat "$wit/out")" >>"$wit/trace"
	stop
	start
	got=$(status "$log/request-next" | cut -d' ' -f1)
	[ "$got" = 200 ] && got=$third || got=$(cat "$wit/body")
	stop
	is "killed-before-$1-$2" "$got $(grep -c '+++ killed by SIGKILL' "$wit/trace") $(wc -c <"$wit/out")" "$3 1 0"
}

if strace -o /dev/null true 2>/dev/null; then
	killed fsync 1 0
	killed renameat 1 0
	killed fsync 2 "$third"
	killed sendto,sendmsg,sendfile 1 "$third"
else
	echo "skip evidence/witness-killed: strace may not trace here"
	skipped=$((skipped + 1))
fi
