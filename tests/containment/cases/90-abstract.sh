# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: an abstract socket of one call, reached from another while both run; and from the host (own)
# property: P9
# contained: ECONNREFUSED from either
attempt() {
	local first pid
	coproc SERVE { cd "$WORKSPACE" && as "$AIRLOCK" run -q -- ./attack serve:@airlock-between; }
	pid=$SERVE_PID
	read -r first <&"${SERVE[0]}"
	expect_like "first call" '[0-9]+' "$first"
	launch ./attack unix:@airlock-between
	expect_lines unix:@airlock-between=ECONNREFUSED "$OUT"
	expect_lines unix:@airlock-between=ECONNREFUSED "$(as "$ATTACK" unix:@airlock-between)"
	hang_up "${SERVE[1]}"
	wait "$pid"
	coproc SERVE { exec "$ATTACK" serve:@airlock-between; }
	read -r first <&"${SERVE[0]}"
	expect_lines unix:@airlock-between=ok "$(as "$ATTACK" unix:@airlock-between)"
	hang_up "${SERVE[1]}"
}
