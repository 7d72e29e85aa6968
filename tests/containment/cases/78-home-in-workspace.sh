# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: HOME, and so state, cache and profiles, in the workspace that the tool writes (own)
# property: P4
# contained: refused, the message names the directory
not_here() { [ "$IDENTITY" != root ] || echo "the state of root is not in HOME"; }
without_control "the act is the caller's"
attempt() {
	BEFORE=(env -u AIRLOCK_STATE "HOME=$WORKSPACE")
	launch ./attack stdin
	refused "$WORKSPACE"
	expect "workspace" attack "$(ls -A "$WORKSPACE" | grep -v '^\.')"
}
