# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: the time of the last access of a read path's file, as a channel to another call and to the host (own)
# property: P9
# contained: reading changes it for nobody
for_any
reading
prepare() { as touch -a -d 2000-01-01 "$READ/file"; }
rehearse() { act read:"$READ/file" atime:"$READ/file"; }
free read:READ/file=ok atime:READ/file=new
attempt() {
	launch ./attack read:"$READ/file"
	expect_held read:READ/file=ok
	launch ./attack atime:"$READ/file"
	expect_held atime:READ/file=old
	expect "on the host" 2000 "$(date -d "@$(stat -c %X "$READ/file")" +%Y)"
}
host_state() { cat "$CANARY/secret"; } # reading is what the case is about
