# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to see and to signal processes of the host (attempt 39)
# property: P9
# contained: only the sandbox's own are there
for_any
without_control "process numbers differ"
attempt() {
	if ! is_airlock; then
		launch /bin/sh -c 'kill -0 '$$' 2>/dev/null && [ "$(cat /proc/'$$'/comm)" = "'"$(cat /proc/$$/comm)"'" ] && echo seen; echo signal=EPERM'
		[[ $OUT == *signal=* ]] || REFUSED=1
		[[ $OUT != *seen* ]] || fail "the kit's own process is seen"
		return
	fi
	# everybody is signalled only where nobody else is in sight
	launch /bin/sh -c 'set -- /proc/[0-9]*; echo $#; kill -0 '$$' && echo seen; [ $# = 2 ] || exit 4; kill -9 -1; exit 3'
	expect processes 2 "${OUT%%$'\n'*}"
	expect "the launcher's number" 2 "$OUT"
	expect "exit after kill -1" 3 "$RC"
}
