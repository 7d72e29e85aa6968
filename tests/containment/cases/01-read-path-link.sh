# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a link in the workspace steers where the set-up mounts or makes something (attempts 1, 2)
# property: P3
# contained: refused, nothing appears behind the link: one that root did not make is shown, never followed
without_control "the act is the launcher's own"
not_here() { [ "$IDENTITY" != root ] || echo "links that root made are followed on purpose"; }
prepare() {
	as ln -s "$CANARY" "$WORKSPACE/evil"
	as ln -s "/proc/self/root$CANARY" "$WORKSPACE/magic"
	as ln -s "/proc/1/root$CANARY" "$WORKSPACE/magic1"
	as tee "$WORKSPACE/../p.yaml" >/dev/null <<Y
version: 1
name: p
description: Reads below links that the workspace holds.
extends: default
filesystem:
  read: [/usr, /bin, /lib, /lib64, "$WORKSPACE/evil/dir", "$WORKSPACE/magic/dir", "$WORKSPACE/magic1/dir", "$WORKSPACE/evil/pwned"]
Y
}
options -p "$T/inside/p.yaml"
attempt() {
	act open:"$WORKSPACE/evil/dir"
	inside
	refused "$WORKSPACE/evil"
	expect "canary" "dir secret" "$(find "$CANARY" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ' | sed 's/ $//')"
}
