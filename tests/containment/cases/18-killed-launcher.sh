# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: SIGKILL to the launcher at each step of the set-up (attempt 18)
# property: P6
# contained: no process is left; what was planned reads as unknown or is not there, never as finished
without_control "the act is the host's"
not_here() { command -v strace >/dev/null || echo "no strace"; }
attempt() {
	local step left before call
	before=$(airlock_left)
	for step in clone3:1 sendmsg:1 recvmsg:1 recvmsg:2 recvmsg:3 poll:1 poll:2; do
		call=$(record .call)
		(cd "$WORKSPACE" && exec 2>/dev/null && as strace -qq -o /dev/null -e "trace=${step%:*}" \
			-e "inject=${step%:*}:signal=KILL:when=${step#*:}" \
			"$AIRLOCK" run -q -- ./attack append:kept,x) >/dev/null 2>&1 </dev/null
		expect "killed at $step" 137 $?
		[ "$(record .call)" = "$call" ] || # planned, and nobody knows more
			expect "verdict after $step" unknown "$(record '.outcome.verdict // "unknown"')"
	done
	left=$(comm -13 <(echo "$before") <(airlock_left))
	for _ in {1..60}; do
		left=$(comm -12 <(echo "$left") <(airlock_left))
		[ -z "$left" ] && break
		sleep 0.05
	done
	expect "processes left" "" "$left"
	expect "nothing committed" no "$([ -e "$WORKSPACE/kept" ] && echo yes || echo no)"
	launch ./attack stdin
	expect "next call" "0 stdin=null" "$RC $OUT"
}
