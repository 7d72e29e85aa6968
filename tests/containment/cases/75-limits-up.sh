# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to raise a limit, a priority, a policy, the choice of CPUs (attempt 75)
# property: P7
# contained: EPERM, EACCES for nice
for_any
control_in root
free core-up=ok nice=ok ioprio-realtime=ok fifo=ok affinity=ok
attack() { act scheduling; }
held rlimit-up=EPERM core-up=EPERM nice=EACCES ioprio-realtime=EPERM fifo=EPERM affinity=EPERM
event syscall ioprio_set sched_setscheduler sched_setaffinity
