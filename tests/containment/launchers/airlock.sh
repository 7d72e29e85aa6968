# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by launchers.sh
# airlock itself, as anybody starts it: the profile `default`.
LAUNCHER_IDENTITIES=(root plain userns)
launcher_version() { "$AIRLOCK" --version | head -1; }
launcher_run() {
	(
		[ -z "${WORLD_CLOSED:-}" ] || [ -n "$STDIN" ] || exec <&-
		cd "$WORKSPACE" && as "${BEFORE[@]}" "$AIRLOCK" run -w "$WORKSPACE" "${OPTIONS[@]}" -- "$@"
	)
}
