# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: the host's services, the local network, the cloud's metadata, the internet; TCP, UDP, v4, v6, mapped (attempt 55)
# property: P9
# contained: ECONNREFUSED on loopback, which is the sandbox's own; ENETUNREACH for the rest
for_any
also bind:80=ok # in a network of its own
prepare() { :; }
attempt() {
	local port
	coproc SERVE { exec "$ATTACK" serve:; }
	read -r port <&"${SERVE[0]}"
	expect_lines $'tcp:127.0.0.1:PORT=ok\nudp:127.0.0.1:PORT=ok\ntcp:[::1]:PORT=ok' \
		"$(as "$ATTACK" "tcp:127.0.0.1:$port" "udp:127.0.0.1:$port" "tcp:[::1]:$port" | sed "s/$port/PORT/")"
	attack() {
		act "tcp:127.0.0.1:$port" "udp:127.0.0.1:$port" "tcp:[::1]:$port" "tcp:[::ffff:127.0.0.1]:$port" bind:0 bind:80
		is_airlock || return # what lets more than this machine through would be let through to it
		ACT+=(tcp:169.254.169.254:80 tcp:192.0.2.1:443 udp:192.0.2.1:53 'tcp:[2001:db8::1]:443' 'udp:[2001:db8::1]:53' \
			tcp:10.0.0.1:22 udp:224.0.0.251:5353 tcp:0.0.0.0:"$port")
	}
	inside
	hang_up "${SERVE[1]}"
	OUT=${OUT//$port/PORT}
	expect_held $'tcp:127.0.0.1:PORT=ECONNREFUSED\nudp:127.0.0.1:PORT=ECONNREFUSED\ntcp:[::1]:PORT=ECONNREFUSED
tcp:[::ffff:127.0.0.1]:PORT=ECONNREFUSED\nbind:0=ok\nbind:80=EACCES\ntcp:169.254.169.254:80=ENETUNREACH\ntcp:192.0.2.1:443=ENETUNREACH
udp:192.0.2.1:53=ENETUNREACH\ntcp:[2001:db8::1]:443=ENETUNREACH\nudp:[2001:db8::1]:53=ENETUNREACH
tcp:10.0.0.1:22=ENETUNREACH\nudp:224.0.0.251:5353=ENETUNREACH\ntcp:0.0.0.0:PORT=ECONNREFUSED'
	check_record
}
