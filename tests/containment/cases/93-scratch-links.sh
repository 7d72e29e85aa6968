# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to leave /tmp, HOME and /dev/shm for the tmpfs below them, by links, renames and climbing (own)
# property: P4
# contained: EXDEV between them; above each is the sandbox's root
without_control "the layout is the sandbox's"
attack() {
	act append:/tmp/a,x link:/tmp/a,/dev/shm/a rename:/tmp/a,/dev/shm/a list:/tmp/.. mkdir:/tmp/d \
		rename:/tmp/d,"$IDENTITY_HOME/d" list:/tmp/../upper list:/upper list:/work list:/.airlock-setup
}
attempt() {
	inside
	expect_lines "append:/tmp/a,x=ok
link:/tmp/a,/dev/shm/a=EXDEV
rename:/tmp/a,/dev/shm/a=EXDEV
mkdir:/tmp/d=ok
rename:/tmp/d,$IDENTITY_HOME/d=EXDEV
list:/tmp/../upper=ENOENT
list:/upper=ENOENT
list:/work=ENOENT
list:/.airlock-setup=ENOENT" "$(grep -v '^list:/tmp/..=' <<<"$OUT")"
}
