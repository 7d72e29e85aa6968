# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: SIGKILL to the launcher while the tool runs: the tool goes on alone (attempt 18)
# property: P6
# contained: the tool is dead within a second; the record reads unknown, nothing is committed
without_control "the act is the host's"
attempt() {
	local pid tool job left=1
	(cd "$WORKSPACE" && as "$AIRLOCK" run -q -- /bin/bash -c \
		"echo x >kept; exec -a airlock-orphan-$$ sleep 300") >/dev/null 2>&1 </dev/null &
	job=$!
	for _ in {1..100}; do
		tool=$(pgrep -f "^airlock-orphan-$$ 300") && break
		sleep 0.05
	done
	[ -n "$tool" ] || fail "the tool did not start"
	for pid in $(pgrep -x airlock); do
		# Others' airlocks end while this looks at them: their file is gone then, and that is no noise.
		if { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "airlock-orphan-$$"; then
			kill -9 "$pid" 2>/dev/null
		fi
	done
	wait $job 2>/dev/null
	for _ in {1..40}; do
		pgrep -f "^airlock-orphan-$$ 300" >/dev/null || { left=0 && break; }
		sleep 0.05
	done
	expect "tool is left" 0 $left
	expect "verdict" unknown "$(record '.outcome.verdict // "unknown"')"
	expect "workspace" attack "$(ls -A "$WORKSPACE")"
	launch ./attack stdin
	expect "next call" "0 stdin=null" "$RC $OUT"
}
