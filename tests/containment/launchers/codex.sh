# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by launchers.sh
# Codex's sandbox by itself: workspace-write, no network.
LAUNCHER_LACKS="no limits"
LAUNCHER_WRITES=(/tmp)
LAUNCHER_IDENTITIES=(plain) # root keeps all its power in it, and the host would pay for that
launcher_version() { command -v codex >/dev/null && codex --version 2>/dev/null; }
launcher_command() {
	as mkdir -p "$T/codex"
	CMD=(env CODEX_HOME="$T/codex" TMPDIR="$T/codex" codex sandbox -c 'sandbox_mode="workspace-write"'
		-c sandbox_workspace_write.exclude_slash_tmp=true -- "$@")
}
