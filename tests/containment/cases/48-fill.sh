# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to fill the disk: bytes, inodes, holes, depth (attempt 48)
# property: P7
# contained: ENOSPC; the record says which limit
options -m observe --limit disk=8MiB --limit files=600 --limit memory=256MiB
without_control "filling a disk is what the case is against"
attack() { act inodes:.,2000 fill:big,64 fill:/tmp/big,64 fill:/dev/shm/big,64; }
held inodes:.,2000=ENOSPC fill:big,64=ENOSPC fill:/tmp/big,64=ENOSPC fill:/dev/shm/big,64=ENOSPC
attempt() {
	inside
	expect_lines "$(printf '%s\n' "${HELD[@]}")" "$OUT"
	expect "workspace" attack "$(ls -A "$WORKSPACE")"
	expect "event" yes "$(record '[.outcome.denials[].kind] | if index("limit") then "yes" else "no" end')"
}
