# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a link in the workspace as the directory to start in, as the workspace, as the program (own)
# property: P3
# contained: refused: what it resolves to is not in the workspace; a program outside is not there
without_control "the act is against the launcher"
prepare() {
	as ln -s "$CANARY" "$WORKSPACE/out"
	as ln -s "$CANARY/tool" "$WORKSPACE/tool"
	as cp /bin/true "$CANARY/tool"
}
attempt() {
	OPTIONS=(-C out)
	launch ./attack list:.
	refused "not in the workspace"
	OPTIONS=()
	launch ./tool
	expect "program" 127 "$RC"
	launch ./attack list:out climb:"$CANARY/secret"
	expect_lines $'list:out=ENOENT\nclimb:CANARY/secret=ENOENT' "$OUT"
}
