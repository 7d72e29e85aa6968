# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: descriptors 3 to 99 are open, among them the host's root and the canary (attempt 12)
# property: P5
# contained: the tool has 0, 1 and 2
for_any
without_control "the control is in the case: the same payload without the launcher"
attempt() {
	local i
	for i in {20..60}; do
		eval "exec $i</"
	done
	exec 61<"$CANARY" 62<"$CANARY/secret"
	expect "control" yes "$( (cd "$WORKSPACE" && as ./attack descriptors) | grep -q ' 61 62' && echo yes)"
	attack() { act descriptors list:/proc/self/fd read:/proc/self/fd/62 open:/proc/self/fd/61/secret; }
	inside
	for i in {20..62}; do
		eval "exec $i<&-"
	done
	expect_held $'descriptors=0 1 2\nlist:/proc/self/fd=0 1 2 3\nread:/proc/self/fd/62=ENOENT
open:/proc/self/fd/61/secret=ENOENT'
	check_record
}
