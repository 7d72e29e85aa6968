# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: the control groups: release_agent, cgroup.procs, memory.max; what /proc tells of them (attempts 34, 35)
# property: P7
# contained: no cgroup file system inside; the namespace hides the path
for_any
also open:/sys=ok open:/sys/fs/cgroup=ok # a read-only one
without_control "what is there differs from host to host"
attack() {
	act open:/sys/fs/cgroup open:/sys put:/sys/fs/cgroup/cgroup.procs,1 put:/sys/fs/cgroup/memory/release_agent,/x
}
held open:/sys/fs/cgroup=ENOENT open:/sys=ENOENT put:/sys/fs/cgroup/cgroup.procs,1=ENOENT \
	put:/sys/fs/cgroup/memory/release_agent,/x=ENOENT
attempt() {
	usual_attempt
	is_airlock || return 0
	launch /bin/cat /proc/self/cgroup /proc/1/cgroup
	expect "exit, and paths" "0 /" "$RC $(cut -d: -f3- <<<"$OUT" | sort -u)"
	expect "both are told" "$(wc -l </proc/self/cgroup)" "$(($(wc -l <<<"$OUT") / 2))"
}
