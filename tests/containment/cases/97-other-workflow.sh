# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: what one workflow left in its draft, seen by a call of another on the same workspace (own)
# property: P9
# contained: each sees its own draft and no other's
without_control "drafts are the launcher's"
attempt() {
	as "$AIRLOCK" workflow new one >/dev/null && as "$AIRLOCK" workflow new two >/dev/null || fail "no workflow"
	OPTIONS=(-W one -m propose)
	launch ./attack append:left,x
	expect "held" "0 held" "$RC $(record .outcome.settled)"
	launch ./attack read:left
	expect_lines read:left=ok "$OUT"
	OPTIONS=(-W two -m propose)
	launch ./attack read:left list:.
	expect_lines $'read:left=ENOENT\nlist:.=attack' "$OUT"
	expect "workspace" attack "$(ls -A "$WORKSPACE")"
}
