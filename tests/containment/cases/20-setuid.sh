# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: the launcher made setuid (attempt 20)
# property: P1
# contained: refused
without_control "the act is the administrator's"
not_here() {
	[ "$IDENTITY" = plain ] && [ "$(id -u)" = 0 ] || echo "needs another user's bit: tried as the plain user, by root"
}
attempt() {
	local dir
	dir=$(mktemp -d /var/tmp/airlock-setuid.XXXXXX)
	chmod 755 "$dir"
	cp "$AIRLOCK" "${AIRLOCK%/*}"/airlock-{jail,cli} "$dir/"
	chmod 4755 "$dir/airlock"
	(cd "$WORKSPACE" && as "$dir/airlock" run -- ./attack stdin) >"$RESULT_DIR/out" 2>"$RESULT_DIR/err" </dev/null
	RC=$? OUT=$(cat "$RESULT_DIR/out") ERR=$(cat "$RESULT_DIR/err")
	rm -rf "${dir:?}"
	refused setuid
}
