# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a socket as the caller's stdin with a descriptor of the canary waiting on it; to send one of its own out (attempt 62)
# property: P5
# contained: the tool's stdin is a pipe of the launcher: ENOTSOCK
for_any
attempt() {
	expect_lines $'take=descriptor\ngive:0=ok' "$(as "$ATTACK" hand:"$CANARY" "$ATTACK" take give:0)"
	BEFORE=("$ATTACK" hand:"$CANARY")
	attack() { act take give:0 give:1 give:2 descriptors; }
	inside
	expect_held $'take=ENOTSOCK\ngive:0=ENOTSOCK\ngive:1=ENOTSOCK\ngive:2=ENOTSOCK\ndescriptors=0 1 2'
}
