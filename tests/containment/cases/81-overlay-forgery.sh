# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: whiteouts, opaque marks, redirects and metacopy made by the tool, to fool the reader of the changes (own)
# property: P12
# contained: EPERM for devices; the attributes are data of the tool's and are never committed, nothing is hidden or deleted
prepare() {
	as mkdir "$WORKSPACE/dir" "$WORKSPACE/other"
	as touch "$WORKSPACE/dir/in" "$WORKSPACE/victim" "$WORKSPACE/other/in"
}
free rename-whiteout:dir/in,dir/moved=EINVAL setxattr:dir,user.overlay.opaque,y=ok
FREE=()
without_control "tmpfs, ext4 and others differ in what they take without privilege"
attack() {
	act mkwhiteout:victim2 mkdevice:blk rename-whiteout:dir/in,dir/moved append:marker,x
	for x in opaque,y redirect,/etc "whiteout," "metacopy," origin,x impure,y; do
		ACT+=("setxattr:dir,user.overlay.$x" "setxattr:victim,user.overlay.$x")
	done
	ACT+=(chmod:dir chmod:victim list:dir list:.)
}
attempt() {
	inside
	expect "devices" $'mkwhiteout:victim2=EPERM\nmkdevice:blk=EPERM\nrename-whiteout:dir/in,dir/moved=EPERM\nappend:marker,x=ok' \
		"$(head -4 <<<"$OUT")"
	expect "seen inside" $'list:dir=in\nlist:.=attack dir marker other victim' "$(tail -2 <<<"$OUT")"
	event syscall mknod mknodat renameat2
	EVENTS=()
	expect "events" "syscall renameat2" "$(record '.outcome.denials[] | "\(.kind) \(.what)"' | grep -v mknod)"
	expect "settled" committed "$(record .outcome.settled)"
	expect "changes" "marker victim" "$(record '[.outcome.changes.items[] | select(.kind != "mode" or .path == "victim") | .path] | sort | join(" ")')"
	expect "nothing deleted" 0 "$(record .outcome.changes.deleted)"
	expect "workspace" "attack dir dir/in marker other other/in victim" \
		"$(cd "$WORKSPACE" && find . -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ' | sed 's/ $//')"
	expect "marks on the host" "" "$(for f in dir victim; do for x in opaque redirect whiteout metacopy origin; do
		as "$ATTACK" "getxattr:$WORKSPACE/$f,user.overlay.$x" | grep -v =ENODATA; done; done)"
	launch ./attack list:dir list:.
	expect "next call" $'list:dir=in\nlist:.=attack dir marker other victim' "$OUT"
}
