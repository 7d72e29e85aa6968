# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a caller that ignores SIGCHLD, blocks signals, has 8 descriptors and a deep nice value (attempt 17)
# property: P15
# contained: the right status, and nothing of it reaches the tool
without_control "the act is the caller's"
attempt() {
	attack() { act inherited; }
	BEFORE=(sh -c 'trap "" CHLD TERM HUP INT PIPE; exec "$@"' -)
	inside
	expect output "inherited=0 ignored, 0 blocked" "$OUT"
	expect exit 0 "$RC"
	launch /bin/sh -c 'exit 7'
	expect "exit of the tool" 7 "$RC"
	BEFORE=(sh -c 'ulimit -n 8; exec "$@"' -)
	inside
	if [ "$RC" = 125 ]; then
		expect_has "message" "airlock: " "$ERR" # whichever of its files came ninth
	else
		expect "output, 8 descriptors" "inherited=0 ignored, 0 blocked" "$OUT"
	fi
}
