# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to leave a process behind: own session, deaf, descriptors closed (attempts 69, 71)
# property: P6
# contained: it is dead when the call returns
for_any
control_in bare
options -m observe
attempt() {
	local pid start=$SECONDS
	(cd "$WORKSPACE" && as ./attack daemon:airlock-control-$$) >/dev/null
	for _ in {1..40}; do
		pid=$(pgrep -f "^airlock-control-$$ 300") && break
		sleep 0.05
	done
	[ -n "$pid" ] || fail "control: no process was left"
	[ -z "$pid" ] || kill -9 "$pid"
	launch ./attack daemon:airlock-survivor-$$
	if ! is_airlock; then
		for _ in {1..20}; do
			pkill -9 -f "^airlock-survivor-$$ 300" && fail "left" && break
			sleep 0.05
		done
		return
	fi
	expect "exit" 0 "$RC"
	expect "left" "" "$(pgrep -f "^airlock-survivor-$$ 300")"
	launch /bin/bash -c "exec -a airlock-survivor-$$ sleep 300 & exit 0" # holds stdout open
	expect "exit, output held open" 0 "$RC"
	expect "left, output held open" "" "$(pgrep -f "^airlock-survivor-$$ 300")"
	[ $((SECONDS - start)) -lt 8 ] || fail "the call waited for it"
}
