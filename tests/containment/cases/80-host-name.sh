# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: who the host is: its name, its machine id, what it booted with (own)
# property: P9
# contained: another name; ENOENT
for_any
attack() { act open:/etc/machine-id open:/var/lib/dbus/machine-id open:/sys/class/dmi open:/boot open:/etc/fstab; }
attempt() {
	expect_has "control" "=ok" "$(as "$ATTACK" open:/etc/machine-id open:/etc/fstab)"
	inside
	expect_held $'open:/etc/machine-id=ENOENT\nopen:/var/lib/dbus/machine-id=ENOENT
open:/sys/class/dmi=ENOENT\nopen:/boot=ENOENT\nopen:/etc/fstab=ENOENT'
	is_airlock || return 0
	launch /bin/uname -n
	[ "$OUT" != "$(uname -n)" ] || fail "the host's name is seen"
}
