# tries: to raise a limit, a priority, a policy, the choice of CPUs (attempt 75)
# property: P7
# contained: EPERM, EACCES for nice
control_in root
free rlimit-up=ok core-up=ok nice=ok ioprio-realtime=ok fifo=ok affinity=ok
attack() { act scheduling; }
held rlimit-up=EPERM core-up=EPERM nice=EACCES ioprio-realtime=EPERM fifo=EPERM affinity=EPERM
event syscall ioprio_set sched_setscheduler sched_setaffinity
