# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a caller that closes the pipe that the output goes to (own)
# property: P11
# contained: the tool gets no more than a closed pipe would give it, the record is whole
without_control "the act is the caller's"
attempt() {
	(cd "$WORKSPACE" && as "$AIRLOCK" run -q -- /bin/sh -c 'i=0; while [ $i -lt 2000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; i=$((i + 1)); done; echo x >made') \
		2>/dev/null </dev/null | head -c 1 >/dev/null
	[[ $(record .outcome.verdict) =~ ^(ok|signaled|exited|failed)$ ]] || fail "verdict $(record .outcome.verdict)"
	launch ./attack stdin
	expect "next call" "0 stdin=null" "$RC $OUT"
}
