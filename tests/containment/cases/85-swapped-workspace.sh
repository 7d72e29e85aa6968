# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: the workspace is swapped with a link to the canary, again and again, while calls start (own)
# property: P3
# contained: a call runs on the workspace or is refused; the canary stays as it is and is not read
without_control "the swap is the attacker's, outside"
attempt() {
	local i pid
	as cp "$ATTACK" "$CANARY/attack"
	# bounded, also when the kit is stopped meanwhile
	as timeout 20 sh -c 'while [ ! -e "$1/stop" ]; do mv "$1/ws" "$1/w2"; ln -s "$1/canary" "$1/ws"; rm "$1/ws"; mv "$1/w2" "$1/ws"; done' - "$T/inside" \
		2>/dev/null &
	pid=$!
	for i in {1..12}; do
		OUT=$(cd / && as "$AIRLOCK" run -q -w "$T/inside/ws" -- ./attack append:made,x list:. </dev/null 2>&1)
		RC=$?
		case $RC in
		0 | 123 | 125 | 126 | 127) ;;
		*) fail "exit $RC: $OUT" ;;
		esac
	done
	as touch "$T/inside/stop"
	wait $pid || fail "the loop ended before: $?"
	as rm -f "$CANARY/attack" "$CANARY/made"
}
host_state() { cat "$CANARY/secret"; find "$CANARY" -name secret -printf '%m %s\n'; }
