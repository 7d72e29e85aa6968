# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: the launcher starts with 0, 1 and 2 closed (attempt 14)
# property: P5
# contained: /dev/null stands there, no other file
without_control "the act is the launcher's own"
attempt() {
	act stdin descriptors append:out,x
	attack() { act stdin descriptors append:out,x; }
	(cd "$WORKSPACE" && as "$AIRLOCK" run -q -w "$WORKSPACE" -- ./attack stdin descriptors append:kept,x <&- >"$RESULT_DIR/out" 2>&-)
	expect exit 0 $?
	expect_lines $'stdin=null\ndescriptors=0 1 2\nappend:kept,x=ok' "$(cat "$RESULT_DIR/out")"
	(cd "$WORKSPACE" && as "$AIRLOCK" run -q -w "$WORKSPACE" -- ./attack append:kept,y <&- >&- 2>&-)
	expect "exit, all closed" 0 $?
	expect "workspace" xy "$(cat "$WORKSPACE/kept")"
}
