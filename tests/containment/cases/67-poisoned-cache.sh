# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to leave in a cache what a call of another workflow, or of another profile, then takes (own)
# property: P9
# contained: what is planted is there for the same workflow and profile alone, and cannot be executed; nothing leads
#            from one cache to the next
# profile NAME: reads nothing but programs, and has a cache in the directory beside the workspace.
profile() {
	as tee "${WORKSPACE%/*}/$1.yaml" >/dev/null <<-Y
		version: 1
		name: p
		extends: base
		mode: apply
		effects: [read, write-workspace]
		filesystem: { read: [/usr, /bin, /lib, /lib64], cache: { c: { path: "${WORKSPACE%/*}/cache" } } }
		allow_degraded: [cgroup, landlock]
	Y
}
prepare() {
	as mkdir "${WORKSPACE%/*}/cache" "${WORKSPACE%/*}/other"
	as cp "$WORKSPACE/attack" "${WORKSPACE%/*}/other/attack"
	profile p
	profile q
}
options -p "$T/inside/p.yaml"
free create:../cache/made=ok put:../cache/made,x=ok read:../cache/made=ok
rehearse() { act create:../cache/made put:../cache/made,x read:../cache/made; }
attack() {
	act create:../cache/made put:../cache/made,x read:../cache/made setuid-bit:../cache/made \
		link:../cache/made,made rename:../cache,../moved rmdir:../cache \
		symlink:../..,../cache/up read:../cache/up/user read:"$T/state/caches" climb:"$CANARY/secret"
}
held create:../cache/made=ok put:../cache/made,x=ok read:../cache/made=ok setuid-bit:../cache/made=ok \
	link:../cache/made,made=EXDEV rename:../cache,../moved=EBUSY rmdir:../cache=EBUSY \
	symlink:../..,../cache/up=ok read:../cache/up/user=ENOENT read:TEMP/state/caches=ENOENT climb:CANARY/secret=ENOENT
again() {
	launch ./attack read:../cache/made
	expect "$1" "read:../cache/made=$2" "$OUT"
}
attempt() {
	if [ "$IDENTITY" = root ]; then
		inside
		refused "a cache cannot be given in a workspace of root's yet"
		return
	fi
	usual_attempt
	expect "beside the caches" "" "$(ls -A "$WORKSPACE/../cache")"
	again "the same workflow" ok
	OPTIONS=(-p "$T/inside/q.yaml")
	again "another profile of that name" ENOENT
	OPTIONS=(-p "$T/inside/p.yaml")
	WORKSPACE=$T/inside/other
	again "another workflow" ENOENT
}
