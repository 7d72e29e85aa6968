# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a file opened by handle, past every path (own)
# property: P14
# contained: EPERM and an event
for_any
control_in root
free handle:/dev/shm/airlock-attack=ok unlink:/dev/shm/airlock-attack=ok
attack() { act append:/dev/shm/airlock-attack,x handle:/dev/shm/airlock-attack unlink:/dev/shm/airlock-attack; }
held append:/dev/shm/airlock-attack,x=ok handle:/dev/shm/airlock-attack=EPERM unlink:/dev/shm/airlock-attack=ok
event syscall open_by_handle_at
