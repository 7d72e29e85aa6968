# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: each powerful system call that no tool needs (attempt 29); arguments that do nothing without a sandbox
# property: P14
# contained: EPERM and an event each
for_any
control_in root
free userfaultfd=EINVAL keyctl=ok kcmp=ESRCH acct=ENOENT swapon=ENOENT ptrace=ESRCH syslog=ok pidfd_getfd=EBADF \
	open_by_handle_at=EINVAL reboot=EINVAL sethostname=EINVAL clock_settime=EINVAL setgroups=EINVAL
attack() { act denied; }
calls=(bpf perf_event_open userfaultfd keyctl add_key request_key kexec_load kexec_file_load finit_module ptrace
	process_vm_readv process_vm_writev pidfd_getfd kcmp acct swapon swapoff quotactl syslog open_by_handle_at
	fanotify_init reboot sethostname setdomainname clock_settime clock_adjtime settimeofday setgroups mbind
	migrate_pages move_pages set_mempolicy sched_setattr personality iopl ioperm modify_ldt)
for i in "${calls[@]}"; do
	held "$i=EPERM"
done
event syscall "${calls[@]}"
