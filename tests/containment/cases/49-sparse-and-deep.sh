# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a hole of an exbibyte and 3000 directories one in another, against what reads the changes (attempt 48)
# property: P12
# contained: the call ends, its changes are held and nothing of them is committed
free sparse:hole=ok deep:3000=ok
attack() { act sparse:hole deep:3000; }
attempt() {
	local start=$SECONDS
	inside
	expect_lines $'sparse:hole=ok\ndeep:3000=ok' "$OUT"
	expect "workspace" attack "$(ls -A "$WORKSPACE")"
	expect settled held "$(record .outcome.settled)"
	expect "exit" 123 "$RC"
	[ $((SECONDS - start)) -lt 15 ] || fail "took $((SECONDS - start)) s"
}
