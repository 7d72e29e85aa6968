# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a socket as the caller's stdin with a descriptor of the canary waiting on it (attempt 62)
# property: P5
# contained: the tool's stdin is a pipe of the launcher: ENOTSOCK
for_any
attempt() {
	expect control take=descriptor "$(as "$ATTACK" hand:"$CANARY" "$ATTACK" take)"
	BEFORE=("$ATTACK" hand:"$CANARY")
	attack() { act take descriptors; }
	inside
	expect_held $'take=ENOTSOCK\ndescriptors=0 1 2'
}
