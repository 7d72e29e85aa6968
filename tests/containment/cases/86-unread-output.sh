# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: output that nobody reads: the launcher is blocked, and the tool past its time (own)
# property: P7
# contained: timeout at limits.wall, and a record
without_control "without a sandbox it would wait for ever"
attempt() {
	mkfifo "$RESULT_DIR/unread"
	exec 7<>"$RESULT_DIR/unread"
	(cd "$WORKSPACE" && as "$AIRLOCK" run -q -m observe --limit wall=1s -- ./attack talk:4096 sleep) >"$RESULT_DIR/unread" 2>/dev/null </dev/null
	expect "exit" 124 $?
	exec 7<&-
	rm "$RESULT_DIR/unread"
	expect "verdict" timeout "$(record .outcome.verdict)"
}
