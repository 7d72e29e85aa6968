# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to see and to signal processes of the host (attempt 39)
# property: P9
# contained: only the sandbox's own are there
for_any
without_control "process numbers differ"
attempt() {
	local name see
	name=$(cat /proc/$$/comm)
	# by its name: to signal a process of root's is not permitted, whether it is seen or not
	see='[ "$(cat /proc/'$$'/comm 2>/dev/null)" = "'$name'" ] && echo seen'
	expect control seen "$(as sh -c "$see")"
	if ! is_airlock; then
		launch /bin/sh -c "$see; echo looked"
		[ -n "$OUT" ] || REFUSED=1
		[ -z "$OUT" ] || expect_lines looked "$OUT"
		return
	fi
	# everybody is signalled only where nobody else is in sight
	launch /bin/sh -c 'set -- /proc/[0-9]*; echo $#; '"$see"'
		[ $# = 2 ] || exit 4; kill -9 -1; exit 3'
	expect "processes, and nobody else" 2 "$OUT"
	expect "exit after kill -1" 3 "$RC"
}
