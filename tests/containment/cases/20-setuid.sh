# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: the launcher made setuid (attempt 20)
# property: P1
# contained: refused
without_control "the act is the administrator's"
not_here() {
	[ "$IDENTITY" = plain ] && [ "$(id -u)" = 0 ] || echo "needs another user's bit: tried as the plain user, by root"
	[[ ,$(findmnt -no OPTIONS -T "$T"), != *,nosuid,* ]] || echo "set-id bits mean nothing in ${T%/*}"
}
attempt() {
	local dir=$T/inside/setuid
	mkdir "$dir"
	cp "$AIRLOCK" "${AIRLOCK%/*}"/airlock-{jail,cli} "$dir/"
	chgrp "$PLAIN_GID" "$dir/airlock"
	chmod 4750 "$dir/airlock" # for the plain user and nobody else of this machine
	(cd "$WORKSPACE" && as "$dir/airlock" run -- ./attack stdin) >"$RESULT_DIR/out" 2>"$RESULT_DIR/err" </dev/null
	RC=$? OUT=$(cat "$RESULT_DIR/out") ERR=$(cat "$RESULT_DIR/err")
	rm -rf "${dir:?}"
	refused setuid
}
