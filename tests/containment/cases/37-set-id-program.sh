# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a set-user-id program of root's and a set-group-id program of root's group, below a read path (own)
# property: P2
# contained: it runs with the tool's own ids
for_any
reading
not_here() { [ "$IDENTITY" = plain ] && [ "$(id -u)" = 0 ] || echo "needs root to make it for another user"; }
# for nobody of this machine but the plain user: the program takes orders
prepare() {
	install -o root -g "$PLAIN_GID" -m 4750 "$ATTACK" "$READ/suid"
	install -o "$PLAIN_UID" -g root -m 2750 "$ATTACK" "$READ/sgid"
}
attack() { act_command sh -c '"$1/suid" ids:user; "$1/sgid" ids:group' - "$READ"; }
free "ids:user=other own" "ids:group=own other"
held "ids:user=own own" "ids:group=own own"
