# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a workspace that already carries overlay marks and whiteout devices (own)
# property: P12
# contained: the tool sees no file of elsewhere; what it leaves alone stays as it was on the host
prepare() {
	as mkdir "$WORKSPACE/dir"
	as touch "$WORKSPACE/dir/in" "$WORKSPACE/empty"
	as "$ATTACK" "setxattr:$WORKSPACE/dir,user.overlay.opaque,y" "setxattr:$WORKSPACE/dir,user.overlay.redirect,$CANARY" \
		"setxattr:$WORKSPACE/empty,user.overlay.metacopy," "setxattr:$WORKSPACE/empty,user.overlay.redirect,/dir/in" >/dev/null
	[ "$IDENTITY" != root ] || mknod "$WORKSPACE/white" c 0 0
}
without_control "the marks mean nothing without an overlay"
attempt() {
	local before
	before=$(cd "$WORKSPACE" && find . \( -type d -printf '%P %y\n' -o -printf '%P %y %s\n' \) | sort)
	attack() { act list:dir read:empty append:new,x list:.; }
	inside
	[[ $OUT == *canary* || $OUT == *secret* ]] && fail "outside is seen: $OUT"
	expect "new file" 1 "$(grep -c append:new,x=ok <<<"$OUT")"
	case $(record .outcome.settled) in
	committed) expect "host" "$before" "$(cd "$WORKSPACE" && find . -not -name new \( -type d -printf '%P %y\n' -o -printf '%P %y %s\n' \) | sort)" ;;
	held) expect "host" "$before" "$(cd "$WORKSPACE" && find . \( -type d -printf '%P %y\n' -o -printf '%P %y %s\n' \) | sort)" ;;
	*) fail "settled: $(record .outcome.settled), exit $RC, $ERR" ;;
	esac
}
