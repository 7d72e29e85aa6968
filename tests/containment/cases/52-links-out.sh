# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: links, set-id bits, FIFOs and hard links in the change set that point or act outside (own)
# property: P12
# contained: held; nothing of it reaches the workspace on the host
prepare() { :; }
attack() {
	act symlink:"$CANARY/secret",out symlink:../canary,up symlink:attack,fine setuid-bit:attack mkfifo:pipe \
		create:plain link:plain,twin
}
free symlink:attack,fine=ok setuid-bit:attack=ok mkfifo:pipe=ok
held symlink:CANARY/secret,out=ok symlink:../canary,up=ok symlink:attack,fine=ok setuid-bit:attack=ok mkfifo:pipe=ok \
	create:plain=ok link:plain,twin=ok
exit_code 123
settled held
attempt() {
	usual_attempt
	expect "workspace" attack "$(ls -A "$WORKSPACE")"
	expect "mode" 755 "$(stat -c %a "$WORKSPACE/attack")"
	expect "holds" "attack out pipe up" \
		"$(record '[.outcome.changes.items[] | select(.hold != null and .hold != "") | .path] | sort | join(" ")')"
}
