# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: three thousand denied calls, each of another kind, to fill the record (own)
# property: P13
# contained: 256 kinds are kept, the rest is counted
without_control "the record is the launcher's"
attempt() {
	launch ./attack kinds:3000
	expect_lines "kinds:3000=3000 denied" "$OUT"
	expect "kinds kept" true "$(record '.outcome.denials | length <= 256 and length > 200')"
	expect "all counted" true "$(jq '[.outcome.denials[].count] | add >= 256' "$RESULT_DIR/record")"
}
