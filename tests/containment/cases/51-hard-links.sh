# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a workspace file that is the same inode as one outside: written, chmod'ed, given away (attempt 51)
# property: P12
# contained: the file outside keeps its bytes, mode and owner; the link is broken and reported
for_any
prepare() {
	as ln "$CANARY/secret" "$WORKSPACE/same"
	as ln "$READ/file" "$WORKSPACE/also"
}
free append:same,evil=ok chmod:also=ok
attack() { act append:same,evil chmod:also; }
held append:same,evil=ok chmod:also=ok
settled committed
attempt() {
	usual_attempt
	expect "canary" canary "$(cat "$CANARY/secret")"
	expect "mode outside" 644 "$(stat -c %a "$READ/file")"
	is_airlock || return 0
	expect "committed" $'canary\nevil' "$(cat "$WORKSPACE/same")"
	expect "links broken" true "$(record '.outcome.changes.links_broken >= 1')"
}
host_state() { cat "$CANARY/secret" "$READ/file"; stat -c '%a %u' "$CANARY/secret" "$READ/file"; }
