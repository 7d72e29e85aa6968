# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a caller who may write no file at all (RLIMIT_FSIZE 0) (own)
# property: P11
# contained: refused before anything runs, and no half of a record is left
without_control "the act is the caller's"
attempt() {
	BEFORE=(prlimit --fsize=0:0)
	launch ./attack append:made,x
	expect "exit" 125 "$RC"
	expect "output" "" "$OUT"
	expect "workspace" attack "$(ls -A "$WORKSPACE")"
	BEFORE=()
	launch ./attack stdin
	expect "next call" "0 stdin=null" "$RC $OUT"
	as "$AIRLOCK" key show 2>/dev/null | head -n 1 >"$RESULT_DIR/key"
	as "$AIRLOCK" verify --store "$T/state" --key "$(cat "$RESULT_DIR/key")" >"$RESULT_DIR/verify" 2>&1 || fail "$(cat "$RESULT_DIR/verify")"
}
