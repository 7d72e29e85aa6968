# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to have the kernel signal a process of the host, its group, or everybody (own)
# property: P9
# contained: ESRCH: these numbers are nobody in the sandbox
attempt() {
	local pid
	sleep 300 &
	pid=$!
	expect_lines "own:$pid=ok" "$("$ATTACK" "own:$pid")"
	attack() { act "own:$pid" "own:-$pid" "signal:$pid,15" "pidfd-kill:$pid" "signal:-$pid,15"; }
	inside
	OUT=${OUT//$pid/PID}
	expect_lines $'own:PID=ESRCH\nown:-PID=ESRCH\nsignal:PID,15=ESRCH\npidfd-kill:PID=ESRCH\nsignal:-PID,15=ESRCH' "$OUT"
	kill -0 $pid 2>/dev/null || fail "the process is gone"
	kill $pid
	check_record
}
