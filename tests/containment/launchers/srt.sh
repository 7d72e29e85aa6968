# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by launchers.sh
# sandbox-runtime (srt): no network, writing in the workspace alone; what the case calls secret denied by name, as its users do.
LAUNCHER_LACKS="no limits"
LAUNCHER_WRITES=(/tmp)
LAUNCHER_IDENTITIES=(plain) # root keeps all its power in it, and the host would pay for that
launcher_version() { command -v srt >/dev/null && echo "srt $(srt --version 2>/dev/null)"; }
launcher_command() {
	jq -n --arg ws "$WORKSPACE" --arg canary "$CANARY" '{network: {allowedDomains: [], deniedDomains: []},
		filesystem: {denyRead: [$canary, "/root", "~/.ssh"], allowWrite: [$ws], denyWrite: []}}' |
		as tee "$T/srt.json" >/dev/null
	CMD=(srt -s "$T/srt.json" "$@")
}
