# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to leave something for the next call: /tmp, HOME, /dev/shm, /var/tmp, the set-up's directories (own)
# property: P9
# contained: the next call finds them empty
for_any
also "list:$IDENTITY_HOME="{,".bashrc .inputrc"} 'list:.=attack*'
free read:/dev/shm/airlock-left=ok
not_here() { is_airlock || [ "$(id -u)" = 0 ] || echo "who is not root has no guard: it would be left in his own home"; }
rehearse() { act append:/dev/shm/airlock-left,1 read:/dev/shm/airlock-left unlink:/dev/shm/airlock-left; }
options -m observe
attempt() {
	launch ./attack append:/tmp/x,1 append:/dev/shm/airlock-left,1 append:"$IDENTITY_HOME/x",1 append:/var/tmp/y,1 append:kept,1
	! is_airlock || expect_lines "append:/tmp/x,1=ok
append:/dev/shm/airlock-left,1=ok
append:$IDENTITY_HOME/x,1=ok
append:/var/tmp/y,1=ok
append:kept,1=ok" "$OUT"
	launch ./attack read:/tmp/x read:/tmp/y list:/dev/shm list:"$IDENTITY_HOME" list:.
	expect_held "read:/tmp/x=ENOENT
read:/tmp/y=ENOENT
list:/dev/shm=
list:$IDENTITY_HOME=.gitconfig
list:.=attack"
	as rm -f /dev/shm/airlock-left # of a launcher that has the host's
}
