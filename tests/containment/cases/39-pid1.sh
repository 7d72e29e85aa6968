# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: PID 1: its memory, environment, descriptors, root, program; to kill, stop, trace, limit or slow it (attempt 39)
# property: P2
# contained: EACCES, EPERM; the plan and the launcher's environment are out of reach
for_any
# whoever makes the tool the first process itself has none that could be attacked
attempt() {
	if ! is_airlock; then
		launch ./attack cat:/proc/1/comm
		if [[ $OUT == cat:/proc/1/comm=attack* ]]; then
			not_applicable "the tool itself is PID 1"
			return
		fi
	fi
	usual_attempt
}
# as the init of a namespace it takes no signal that it has no handler for; where a launcher makes no namespace, so does the
# host's, but for SIGTERM: 0 asks the same of the kernel
also signal:1,9=ok signal:1,19=ok signal:1,0=ok pidfd-kill:1=ok 'cat:/proc/1/*'
also nice-group:1=ESRCH # it leads no group
without_control "there is no PID 1 of one's own outside"
attack() {
	act read:/proc/1/environ read:/proc/1/mem open:/proc/1/fd readlink:/proc/1/root readlink:/proc/1/cwd \
		read:/proc/1/auxv read:/proc/1/stack open:/proc/1/map_files readlink:/proc/1/ns/mnt \
		open:/proc/1/root/etc/shadow put:/proc/1/oom_score_adj,-1000 put:/proc/1/uid_map,x \
		signal:1,9 signal:1,19 signal:1,0 pidfd-kill:1 trace:1 prlimit:1 slow:1 cat:/proc/1/comm cat:/proc/1/cmdline
}
# Landlock's scope for signals came with its ABI 6. Without, the kernel takes one, and ignores it as it does for any PID 1.
signals=$("$ATTACK" landlock) signals=${signals#*=}
[[ $signals =~ ^[0-9]+$ && $signals -ge 6 ]] && signals=EPERM || signals=ok
held read:/proc/1/environ=EACCES read:/proc/1/mem=EACCES open:/proc/1/fd=EACCES readlink:/proc/1/root=EACCES \
	readlink:/proc/1/cwd=EACCES read:/proc/1/auxv=EACCES read:/proc/1/stack=EACCES open:/proc/1/map_files=EACCES \
	readlink:/proc/1/ns/mnt=EACCES open:/proc/1/root/etc/shadow=EACCES put:/proc/1/oom_score_adj,-1000=EACCES \
	put:/proc/1/uid_map,x=EACCES signal:1,9=$signals signal:1,19=$signals signal:1,0=$signals pidfd-kill:1=$signals trace:1=EPERM \
	prlimit:1=EPERM policy:1=EPERM param:1=EPERM nice:1=EPERM ioprio:1=EPERM nice-group:1=EPERM join:1=EPERM cat:/proc/1/comm=airlock-jail cat:/proc/1/cmdline=airlock-jail
event syscall ptrace prlimit64 sched_setscheduler sched_setparam setpriority ioprio_set
