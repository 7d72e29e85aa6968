# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: what /proc tells of the host and lets a program set (attempt 43, 19)
# property: P3
# contained: masked (empty), not permitted, or read-only
for_any
also 'list:/dev/pts=*' create:/dev/x=ok # in a /dev of its own
also 'cat:/proc/sys/user/max_user_namespaces=*' # it tells of the host what every program may know
control_in root
free read:/proc/kallsyms=ok write:/proc/sys/kernel/core_pattern=ok write:/proc/sys/kernel/hostname=ok
rehearse() { act read:/proc/kallsyms write:/proc/sys/kernel/core_pattern write:/proc/sys/kernel/hostname; }
attack() {
	act read:/proc/kallsyms read:/proc/timer_list read:/proc/keys read:/proc/kmsg read:/proc/slabinfo \
		write:/proc/sys/kernel/core_pattern write:/proc/sys/kernel/hostname write:/proc/sys/vm/drop_caches \
		write:/proc/sys/kernel/ns_last_pid write:/proc/sys/user/max_user_namespaces cat:/proc/sys/user/max_user_namespaces \
		write:/proc/irq/default_smp_affinity put:/proc/self/oom_score_adj,-1000 put:/proc/self/uid_map,x \
		put:/proc/self/setgroups,allow open:/sys/firmware open:/sys/kernel/debug open:/dev/mem open:/dev/kmsg open:/dev/fuse \
		open:/dev/net/tun open:/dev/kvm open:/dev/sda open:/dev/vda create:/proc/x create:/dev/x list:/dev/pts
}
held read:/proc/kallsyms=empty read:/proc/timer_list=empty read:/proc/keys=empty read:/proc/kmsg=empty \
	read:/proc/slabinfo=empty write:/proc/sys/kernel/core_pattern=EACCES write:/proc/sys/kernel/hostname=EACCES \
	write:/proc/sys/vm/drop_caches=EACCES write:/proc/sys/kernel/ns_last_pid=EROFS \
	write:/proc/sys/user/max_user_namespaces=EACCES cat:/proc/sys/user/max_user_namespaces=0 \
	write:/proc/irq/default_smp_affinity=EACCES put:/proc/self/oom_score_adj,-1000=EACCES put:/proc/self/uid_map,x=EPERM \
	put:/proc/self/setgroups,allow=EACCES open:/sys/firmware=ENOENT open:/sys/kernel/debug=ENOENT open:/dev/mem=ENOENT \
	open:/dev/kmsg=ENOENT open:/dev/fuse=ENOENT open:/dev/net/tun=ENOENT open:/dev/kvm=ENOENT open:/dev/sda=ENOENT \
	open:/dev/vda=ENOENT create:/proc/x=ENOENT create:/dev/x=EROFS list:/dev/pts=ptmx
