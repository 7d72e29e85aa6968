# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a fork bomb, more threads than processes are allowed, and a storm of zombies for PID 1 (attempt 69)
# property: P7
# contained: EAGAIN; an event; the host is well; all are reaped
for_any
free forks:40=ok crowd:40=ok
rehearse() { act forks:40 crowd:40 zombies:400; }
limited --limit pids=24
attack() { act forks:40 crowd:4000 zombies:400; }
attempt() {
	inside
	expect_held $'forks:40=EAGAIN\ncrowd:4000=EAGAIN\nzombies:400=ok'
	is_airlock || return 0
	[ "$(record '.outcome.degraded | index("cgroup.pids") // index("cgroup")')" = null ] && event limit pids
	check_record
}
