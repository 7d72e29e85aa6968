# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to get further than the directory that the profile lets the tool write on the host (own)
# property: P3
# contained: that directory and nothing beside it (which is the own /tmp of the call); no device is made
not_here() {
	[ "$IDENTITY" != root ] || echo "a call of root's is refused there: tests/e2e/48-write.sh"
}
prepare() {
	as sh -c 'mkdir -p "$1" && cp "$2/attack" "$1/run" && ln -s "$3/secret" "$1/to-secret"' - \
		"$WORKSPACE/../out" "$WORKSPACE" "$CANARY"
	as tee "$WORKSPACE/../p.yaml" >/dev/null <<-Y
		version: 1
		name: p
		description: Writes one directory of the host.
		extends: base
		mode: apply
		effects: [read, write-workspace, write-external]
		filesystem: { read: [/usr, /bin, /lib, /lib64], write: ["$WORKSPACE/../out"] }
		allow_degraded: [cgroup, landlock]
	Y
	as sed -i "s|$WORKSPACE/../out|${WORKSPACE%/*}/out|" "$WORKSPACE/../p.yaml"
}
options -p "$T/inside/p.yaml"
free create:../out/made=ok read:../out/to-secret=ok read:../canary/secret=ok
rehearse() { act create:../out/made read:../out/to-secret read:../canary/secret; }
attack() {
	act create:../out/made write:../out/made read:../out/to-secret read:../out/../canary/secret read:"$CANARY/secret" \
		create:../beside mkdevice:../out/null link:../out/made,made rename:../out,../moved rmdir:../out \
		climb:"$CANARY/secret" exchange:../out/made,made
}
held create:../out/made=ok write:../out/made=ok read:../out/to-secret=ENOENT read:../out/../canary/secret=ENOENT \
	read:CANARY/secret=ENOENT create:../beside=ok mkdevice:../out/null=EPERM link:../out/made,made=EXDEV \
	rename:../out,../moved=EBUSY rmdir:../out=EBUSY climb:CANARY/secret=ENOENT exchange:../out/made,made=EXDEV
event syscall mknodat
attempt() {
	usual_attempt
	expect "beside it" "" "$(ls -A "$WORKSPACE/.." | grep -vxE 'canary|out|p.yaml|read|ws')"
	expect "in it" "made run to-secret" "$(ls -A "$WORKSPACE/../out" | tr '\n' ' ' | sed 's/ $//')"
}
