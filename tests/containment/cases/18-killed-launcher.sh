# tries: SIGKILL to the launcher at each step of the set-up (attempt 18)
# property: P6
# contained: no process is left; what was planned reads as unknown or is not there, never as finished
without_control "the act is the host's"
not_here() { command -v strace >/dev/null || echo "no strace"; }
attempt() {
	local step left before
	before=$(airlock_left)
	for step in clone3:1 sendmsg:1 recvmsg:1 recvmsg:2 recvmsg:3 poll:1 poll:2; do
		(cd "$WORKSPACE" && exec 2>/dev/null && as strace -qq -o /dev/null -e "trace=${step%:*}" \
			-e "inject=${step%:*}:signal=KILL:when=${step#*:}" \
			"$AIRLOCK" run -q -- ./attack append:kept,x) >/dev/null 2>&1 </dev/null
		expect "killed at $step" 137 $?
		expect "verdict after $step" unknown "$(record '.outcome.verdict // "unknown"')"
	done
	for _ in {1..50}; do
		left=$(airlock_left)
		[ "$left" = "$before" ] && break
		sleep 0.05
	done
	expect "processes left" "$before" "$left"
	expect "nothing committed" no "$([ -e "$WORKSPACE/kept" ] && echo yes || echo no)"
	launch ./attack stdin
	expect "next call" "0 stdin=null" "$RC $OUT"
}
