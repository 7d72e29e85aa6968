# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: locks on the workspace itself, between a call and the host, and between two calls of a draft (own)
# property: P9
# contained: each has its own file
attempt() {
	local said pid
	coproc HOLD { cd "$WORKSPACE" && exec "$ATTACK" hold:attack,held; }
	pid=$HOLD_PID
	read -r said <&"${HOLD[0]}"
	read -r said <&"${HOLD[0]}"
	expect_lines lock:attack=EAGAIN "$(cd "$WORKSPACE" && as ./attack lock:attack)"
	launch ./attack lock:attack
	expect_lines lock:attack=ok "$OUT"
	hang_up "${HOLD[1]}"
	wait "$pid"
	coproc HOLD { cd "$WORKSPACE" && as "$AIRLOCK" run -q -m observe -- ./attack hold:attack,held; }
	pid=$HOLD_PID
	read -r said <&"${HOLD[0]}"
	expect "first call" hold:attack,held=ok "$said"
	expect_lines lock:attack=ok "$(cd "$WORKSPACE" && as ./attack lock:attack)"
	hang_up "${HOLD[1]}"
	wait "$pid"
}
