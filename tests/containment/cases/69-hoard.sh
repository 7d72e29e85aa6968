# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to take all that one user may have of pipes and watches, so that the next call does not start (own)
# property: P15
# contained: the next call runs beside it
free hoard:60=ok
rehearse() { act hoard:60; }
attempt() {
	local said pid
	coproc HOARD { cd "$WORKSPACE" && as "$AIRLOCK" run -q -m observe -- ./attack hoard:400; }
	pid=$HOARD_PID
	read -r said <&"${HOARD[0]}"
	expect "first call" hoard:400=ok "$said"
	launch ./attack stdin
	expect "second call" "0 stdin=null" "$RC $OUT"
	[ "$RC" = 0 ] || fail "$ERR"
	hang_up "${HOARD[1]}"
	wait "$pid"
}
