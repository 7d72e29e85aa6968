# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a ring that makes system calls past the filter (attempt 25)
# property: P14
# contained: ENOSYS
for_any
free io_uring=ok
attack() { act io_uring; }
held io_uring=ENOSYS
