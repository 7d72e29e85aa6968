# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to raise a limit, a priority, a policy, the choice of CPUs (attempt 75)
# property: P7
# contained: EPERM, EACCES for nice
for_any
also affinity=ok # fewer CPUs than it has: nothing is raised
control_in root
# CAP_SYS_RESOURCE, which root has not on every machine
[ $((0x$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status) >> 24 & 1)) = 0 ] || free rlimit-up=ok core-up=ok
free nice=ok ioprio-realtime=ok fifo=ok affinity=ok
attack() { act scheduling; }
held rlimit-up=EPERM core-up=EPERM nice=EACCES ioprio-realtime=EPERM fifo=EPERM affinity=EPERM
event syscall ioprio_set sched_setscheduler sched_setaffinity
