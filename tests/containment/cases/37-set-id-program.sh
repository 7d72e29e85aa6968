# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a set-user-id and set-group-id program of root's, below a read path (own)
# property: P2
# contained: it runs with the tool's own ids
for_any
reading
not_here() { [ "$IDENTITY" = plain ] && [ "$(id -u)" = 0 ] || echo "needs root to make it for another user"; }
prepare() { install -o root -g root -m 6755 "$ATTACK" "$READ/suid"; }
rehearse() { act_command "$READ/suid" ids; }
free "ids=other other"
attack() { act_command "$READ/suid" ids; }
held "ids=own own"
