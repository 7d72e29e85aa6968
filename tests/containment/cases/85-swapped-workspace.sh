# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: the workspace is swapped with a link to the canary, again and again, while calls start (own)
# property: P3
# contained: a call sees and changes one directory, whole, or is refused. A plain user's -w through a link is what the link
# says, as in any program; root, who may not be the one that put the link there, is refused and never sees the canary
without_control "the swap is the attacker's, outside"
# called: one call, from elsewhere. Sets RC, OUT, ERR; adds an x to what should stand in either directory's file.
called() {
	(cd / && as "$AIRLOCK" run -q -w "$T/inside/ws" -- ./attack append:made,x list:.) \
		>"$RESULT_DIR/out" 2>"$RESULT_DIR/err" </dev/null
	RC=$? OUT=$(cat "$RESULT_DIR/out") ERR=$(cat "$RESULT_DIR/err")
	case "$RC $OUT" in
	$'0 append:made,x=ok\nlist:.=attack made mine') mine+=x ;;
	$'0 append:made,x=ok\nlist:.=attack dir made secret') theirs+=x ;;
	# the workspace's own times are changed by the swap: nothing of that call is committed
	$'123 append:made,x=ok\nlist:.=attack made mine') as "$AIRLOCK" discard @last >"$RESULT_DIR/out" 2>&1 || fail "discard: $(cat "$RESULT_DIR/out")" ;;
	"125 " | "126 " | "127 ") ;;
	*) fail "exit $RC: $OUT $ERR" ;;
	esac
}
attempt() {
	local pid mine="" theirs="" follows=""
	[ "$IDENTITY" != plain ] || follows=x
	as cp "$ATTACK" "$CANARY/attack"
	as touch "$WORKSPACE/mine"
	called
	expect "where nothing is swapped" x "$mine"
	as mv "$WORKSPACE" "$T/inside/w2"
	as ln -s "$CANARY" "$WORKSPACE"
	called
	expect "where it is a link" "$follows" "$theirs"
	[ -n "$follows" ] || expect_has "where it is a link" "there is a link in this path" "$ERR"
	as rm "$WORKSPACE"
	as mv "$T/inside/w2" "$WORKSPACE"
	# bounded, also when the kit is stopped meanwhile
	as timeout 20 sh -c 'while [ ! -e "$1/stop" ]; do mv "$1/ws" "$1/w2"; ln -s "$1/canary" "$1/ws"; rm "$1/ws"; mv "$1/w2" "$1/ws"; done' - "$T/inside" \
		2>/dev/null &
	pid=$!
	for _ in {1..12}; do
		called
	done
	as touch "$T/inside/stop"
	wait $pid || fail "it was not swapped any more: $?"
	[ -n "$follows" ] || expect "calls on the canary" "" "$theirs"
	expect "names in the workspace" "attack made mine" "$(ls "$WORKSPACE" | paste -sd ' ')"
	expect "names in the canary" "attack dir ${theirs:+made }secret" "$(ls "$CANARY" | paste -sd ' ')"
	expect "written in the workspace" "$mine" "$(cat "$WORKSPACE/made")"
	expect "written in the canary" "$theirs" "$(cat "$CANARY/made" 2>/dev/null)"
	as rm -f "$CANARY/attack" "$CANARY/made"
}
host_state() { cat "$CANARY/secret"; find "$CANARY" -name secret -printf '%m %s\n'; }
