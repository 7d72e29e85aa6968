# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: /dev/null as a channel between two calls: its times, its mode (own)
# property: P9
# contained: the device is the host's inode: EROFS
control_in root
prepare() { [ "$(id -u)" != 0 ] || { mknod "$CANARY/null" c 1 3 && chmod 666 "$CANARY/null"; }; }
rehearse() { act utimes:"$CANARY/null"; }
free utimes:CANARY/null=ok
attack() { act utimes:/dev/null utimes:/dev/urandom chmod:/dev/null setxattr:/dev/null,user.x,1; }
held utimes:/dev/null=EROFS utimes:/dev/urandom=EROFS chmod:/dev/null=EROFS setxattr:/dev/null,user.x,1=EROFS
