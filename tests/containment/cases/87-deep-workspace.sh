# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a workspace that is 1500 directories deep already (own)
# property: P15
# contained: the tool runs, or is refused with a message that says so; nothing hangs or crashes
without_control "the act is against the reader"
attempt() {
	(cd "$WORKSPACE" && as ./attack deep:1500 >/dev/null)
	launch ./attack stdin
	case $RC in
	0) expect "output" stdin=null "$OUT" ;;
	125) expect_has message deep "$ERR" ;;
	*) fail "exit $RC: $ERR" ;;
	esac
	expect "recorded" ok "$(record .outcome.verdict)"
}
