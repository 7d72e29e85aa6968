# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: what /proc/net tells of the host: interfaces, neighbours, connections, sockets by path (own)
# property: P9
# contained: lo alone, and no socket but its own
for_any
without_control "what is there differs from host to host"
attempt() {
	launch /bin/sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "; tail -n +2 /proc/net/unix | grep -c " "; tail -n +2 /proc/net/arp; tail -n +2 /proc/net/route; tail -n +2 /proc/net/tcp'
	[ -n "$OUT" ] || REFUSED=1
	[ "$OUT" = $'lo\n0' ] || [ -z "$OUT" ] || fail "$(tr '\n' ';' <<<"$OUT" | cut -c1-200)"
	[ "$(tail -n +2 /proc/net/unix | grep -c ' ')" -gt 0 ] || fail "control: the host has no socket"
}
