# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by launchers.sh
# nsjail: once, all namespaces, its limits, the system, and the workspace for writing.
LAUNCHER_LACKS="no control group in this row"
launcher_version() { command -v nsjail >/dev/null && echo nsjail; }
launcher_command() {
	CMD=(nsjail -Mo -q --disable_rlimits --cwd "$WORKSPACE" -E PATH=/usr/bin:/bin -R /usr -R /lib -R /lib64 -R /bin
		-T /tmp -R /dev/null -R /dev/urandom -R /dev/zero -B "$WORKSPACE")
	[ -z "$READING" ] || CMD+=(-R "$READ")
	CMD+=(-- "$@")
}
