# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a socket of the host: abstract, in the workspace, under a read path, elsewhere; D-Bus (attempts 57, 58)
# property: P9
# contained: ECONNREFUSED where the name is visible, ENOENT where it is not
for_any
reading
attempt() {
	local first
	coproc SERVE { exec "$ATTACK" "serve:@airlock-attack,$WORKSPACE/s,$READ/s,$CANARY/s"; }
	read -r first <&"${SERVE[0]}"
	expect_like port '[0-9]+' "$first"
	attack() {
		act unix:@airlock-attack unix:"$WORKSPACE/s" unix:"$READ/s" unix:"$CANARY/s" unix:/run/dbus/system_bus_socket \
			unix:/run/systemd/private unix:/run/docker.sock unix:@/tmp/.X11-unix/X0 unix:/proc/1/root"$CANARY/s"
	}
	attack
	expect_lines "unix:@airlock-attack=ok
unix:$WORKSPACE/s=ok
unix:$READ/s=ok
unix:$CANARY/s=ok" "$( (cd "$WORKSPACE" && as "${ACT[@]}") | head -4)"
	inside
	hang_up "${SERVE[1]}"
	expect_held $'unix:@airlock-attack=ECONNREFUSED\nunix:WORKSPACE/s=ECONNREFUSED\nunix:READ/s=ECONNREFUSED
unix:CANARY/s=ENOENT\nunix:/run/dbus/system_bus_socket=ENOENT\nunix:/run/systemd/private=ENOENT
unix:/run/docker.sock=ENOENT\nunix:@/tmp/.X11-unix/X0=ECONNREFUSED\nunix:/proc/1/rootCANARY/s=EACCES'
	check_record
	as rm -f "$READ/s" "$CANARY/s"
}
host_state() { find "$CANARY" "$READ" -type f -printf '%P %s %m\n'; cat "$CANARY/secret"; }
