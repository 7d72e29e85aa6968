# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: what /proc/net tells of the host: interfaces, neighbours, connections, sockets by path (own)
# property: P9
# contained: lo alone, and no socket but its own
for_any
without_control "what is there differs from host to host"
attempt() {
	launch /bin/sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "; tail -n +2 /proc/net/unix | grep -c " "; tail -n +2 /proc/net/arp; tail -n +2 /proc/net/route; tail -n +2 /proc/net/tcp'
	if is_airlock; then
		expect exit 0 "$RC"
	elif [ -z "$OUT" ]; then
		REFUSED=1
		return
	fi
	expect_lines $'lo\n0' "$OUT"
	[ "$(tail -n +2 /proc/net/unix | grep -c ' ')" -gt 0 ] || fail "control: the host has no socket"
}
