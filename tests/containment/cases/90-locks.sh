# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: two calls that share read paths: locks, watches, System V memory as a channel (own)
# property: P9
# contained: the second sees nothing of the first
attempt() {
	local said target
	for target in /usr/bin/true /etc/services; do
		[ -r $target ] || continue
		coproc HOLD { exec "$ATTACK" hold:$target,held; }
		read -r said <&"${HOLD[0]}"
		read -r said <&"${HOLD[0]}"
		expect "control: lock $target" "lock:$target=EAGAIN" "$(as "$ATTACK" lock:$target)"
		hang_up "${HOLD[1]}"
		wait ${HOLD_PID:+"$HOLD_PID"}
		coproc HOLD { cd "$WORKSPACE" && as "$AIRLOCK" run -q -- ./attack hold:$target,held; }
		read -r said <&"${HOLD[0]}"
		expect "first call" "hold:$target,held=ok" "$said"
		launch ./attack lock:$target
		expect "second call" "lock:$target=ok" "$OUT"
		hang_up "${HOLD[1]}"
		wait ${HOLD_PID:+"$HOLD_PID"}
	done
	coproc HOLD { cd "$WORKSPACE" && as "$AIRLOCK" run -q -- ./attack watch:/usr/bin; }
	read -r said <&"${HOLD[0]}"
	launch /bin/sh -c 'ls /usr/bin >/dev/null; cat /usr/bin/true >/dev/null'
	hang_up "${HOLD[1]}"
	read -r said <&"${HOLD[0]}"
	expect watch watch:/usr/bin=silence "$said"
	wait ${HOLD_PID:+"$HOLD_PID"}
	expect "control: shm" "shm:4711,x=ok
shm:4711=ok
shm-remove:4711=ok" "$(as "$ATTACK" shm:4711,x shm:4711 shm-remove:4711)"
	launch ./attack shm:4711,x
	launch ./attack shm:4711
	expect "shm of another call" "shm:4711=ENOENT" "$OUT"
}
