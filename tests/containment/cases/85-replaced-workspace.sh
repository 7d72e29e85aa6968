# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: another directory in the workspace's place between a proposal and its apply (own)
# property: P12
# contained: nothing of the proposal is put there
without_control "the act is the host's"
attempt() {
	OPTIONS=(-m propose)
	launch ./attack append:made,x
	expect "held" "0 held" "$RC $(record .outcome.settled)"
	as mv "$WORKSPACE" "$WORKSPACE.old"
	as mkdir "$WORKSPACE"
	as "$AIRLOCK" apply @last >"$RESULT_DIR/out" 2>"$RESULT_DIR/err" </dev/null && fail "applied: $(cat "$RESULT_DIR/out")"
	expect "the other directory" "" "$(ls -A "$WORKSPACE")"
	expect "the workspace" attack "$(ls -A "$WORKSPACE.old")"
}
