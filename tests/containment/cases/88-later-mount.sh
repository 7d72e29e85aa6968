# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a mount that somebody makes below a read path while the call runs (own)
# property: P3
# contained: it does not come in: the tool sees what was there
reading
not_here() { [ "$IDENTITY" = root ] || echo "mounts are root's"; }
attempt() {
	local said pid
	launch ./attack list:"$READ/dir" # makes the profile's file be read once
	coproc WAIT { cd "$WORKSPACE" && as "$AIRLOCK" run -q "${OPTIONS[@]}" -- ./attack await list:"$READ/dir" read:"$READ/dir/new"; }
	pid=$WAIT_PID
	exec 6<&"${WAIT[0]}"
	read -r said <&6
	expect "first call" waiting "$said"
	mount -t tmpfs airlock-later "$READ/dir" && echo x >"$READ/dir/new"
	expect_lines "read:$READ/dir/new=ok" "$(as "$ATTACK" read:"$READ/dir/new")"
	hang_up "${WAIT[1]}"
	OUT=$(normalise <&6)
	exec 6<&-
	umount "$READ/dir"
	expect_lines $'await=ok\nlist:READ/dir=\nread:READ/dir/new=ENOENT' "$OUT"
	wait "$pid"
}
