# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: openat2 is taken away by a filter around (attempt 11)
# property: P1
# contained: refused, and the message names it
without_control "the act is the host's"
attempt() {
	BEFORE=("$OUTER_FILTER" openat2=ENOSYS --)
	act list:.
	inside
	refused openat2
}
