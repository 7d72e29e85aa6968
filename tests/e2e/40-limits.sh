#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Limits: what each does to a tool that wants more, and what the record says of it. A tool that stays within is the
# positive control of each. Root has cgroups; where an identity has none, what bounds it instead.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
payload hog
cp "$E2E_PAYLOAD/hog" "$WS/hog"
own "$WS/hog"

# The end of the last call: verdict, exit, signal, settled.
ended()
{
	record '.outcome | "\(.verdict) \(.exit) \(.signal) \(.settled)"'
}

# expect_end NAME RC END REASON ARG…: how a call ends, in the exit status and in the record.
expect_end()
{
	local name=$1 rc=$2 end=$3 reason=$4
	shift 4

	run_airlock "$@"
	expect_eq "$name: exit" "$rc" "$RC"
	expect_eq "$name: ended" "$end" "$(ended)"
	expect_eq "$name: reason" "$reason" "$(record '.outcome.reason')"
}

# expect_oom NAME REASON ARG…: the kernel's kill of the tool itself may be seen before or after ours of the group.
expect_oom()
{
	local name=$1 reason=$2
	shift 2

	run_airlock "$@"
	expect_eq "$name: exit" 137 "$RC"
	expect_eq "$name: ended" "oom null none $reason" \
		"$(record '.outcome | "\(.verdict) \(.exit) \(.settled) \(.reason)"')"
}

# Which limits the record has events of.
events()
{
	record '[.outcome.denials[] | select(.kind == "limit") | .what] | join(",")'
}

# ---- layers -------------------------------------------------------------------------------------
run_airlock -- true
degraded=$(record '.outcome.degraded | map(select(startswith("cgroup"))) | join(" ")')
if [ "$degraded" = "" ]; then
	cgroups=yes
	expect_eq "default: the cgroup's values were read back" "2147483648 + 1073741824, 512, 400000, 0" "$(record \
		'.outcome.attestation.cgroup | "\(.memory_max - 1073741824) + 1073741824, \(.pids_max), \(.cpu_quota_us), \(.swap_max)"')"
	expect_run "strict: starts" 0 -p strict -- true
	expect_eq "strict: nothing is degraded" "0" "$(record '.outcome.degraded | length')"
else
	cgroups=no
	expect_eq "default: the record names what is missing" "cgroup.cpu cgroup.memory cgroup.pids" "$degraded"
	entries=$(journal_entries)
	expect_run "strict: does not start without a cgroup" 125 -p strict -- touch canary
	expect_match "strict: names the layer" "layer cgroup.memory is missing here and profile strict" "$ERR"
	expect_match "strict: names the fix" "list cgroup in allow_degraded" "$ERR"
	expect_eq "strict: one line" "1" "$(wc -l <"$ERR")"
	expect_eq "strict: no record" "$entries" "$(journal_entries)"
	check "strict: the tool did not run" test ! -e "$WS/canary"
fi
[ "$E2E_IDENTITY" != root ] || expect_eq "root has cgroups" yes "$cgroups"

# ---- memory -------------------------------------------------------------------------------------
small=(--limit memory=48MiB --limit disk=16MiB)
expect_run "memory: within" 0 "${small[@]}" -- ./hog malloc 20
expect_eq "memory: within: all of it" "malloc 20 0" "$(cat "$OUT")"
if [ $cgroups = yes ]; then
	full='memory: the call reached limits.memory'
	expect_oom "memory: malloc" "$full" "${small[@]}" -- ./hog malloc 400
	expect_eq "memory: malloc: peak is memory + disk" "67108864" "$(record '.outcome.usage.memory_peak')"
	# a group of cgroup v1 is not killed as one: the supervisor does it, when it has heard
	expect_oom "memory: a child's malloc ends the call" "$full" \
		"${small[@]}" -- sh -c './hog malloc 400; sleep 20; echo survived'
	expect_eq "memory: nothing ran on" "" "$(cat "$OUT")"
	run_airlock "${small[@]}" -- ./hog memfd 400
	expect_eq "memory: memfd: exit" "137" "$RC"
else
	expect_run "memory: RLIMIT_DATA: malloc fails, the tool goes on" 0 "${small[@]}" -- ./hog malloc 400
	expect_match "memory: RLIMIT_DATA: ENOMEM" " ENOMEM" "$OUT"
	expect_eq "memory: RLIMIT_DATA: below the limit" "true" \
		"$(awk '{ print (($2 > 40 && $2 < 48) ? "true" : $0) }' "$OUT")"
	expect_end "memory: the watch" 137 "oom null null none" \
		"memory: more than limits.memory was in use (advisory: there is no memory cgroup here)" \
		"${small[@]}" --limit wall=20s -- ./hog mapped 200
	expect_eq "memory: the watch: before the wall" "true" "$(record '.outcome.usage.wall_ms < 10000')"
fi
expect_run "memory: more than the host has is refused" 125 --limit memory=512TiB -- true

# ---- pids ---------------------------------------------------------------------------------------
expect_run "pids: within" 0 --limit pids=40 -- ./hog fork 30
expect_eq "pids: within: all of them" "fork 30 0" "$(cat "$OUT")"
expect_eq "pids: within: no event" "" "$(events)"
expect_run "pids: fork" 0 --limit pids=40 -- ./hog fork 400
expect_eq "pids: fork: EAGAIN" "fork 38 EAGAIN" "$(cat "$OUT")"
[ $cgroups = no ] || expect_eq "pids: fork: event" "pids" "$(events)"
[ $cgroups = no ] || expect_eq "pids: fork: peak" "40" "$(record '.outcome.usage.pids_peak')"
expect_run "pids: 100000 threads" 0 --limit pids=100 -- ./hog threads 100000
expect_eq "pids: 100000 threads: EAGAIN" "thread 98 EAGAIN" "$(cat "$OUT")"
expect_end "pids: fork bomb" 124 "timeout null null none" "wall: the call ran for limits.wall" \
	--limit pids=64 --limit cpu=100% --limit wall=1s -- ./hog bomb
expect_out "pids: fork bomb: the host is well" "well" as_id sh -c 'echo well'

# ---- cpu, cpu_time, wall -------------------------------------------------------------------------
if [ $cgroups = yes ]; then
	run_airlock --limit cpu=25% -- ./hog spin 1000
	expect_eq "cpu: 25% of a second" "ok 0 null none true" \
		"$(ended) $(record '.outcome.usage | .cpu_ms > 100 and .cpu_ms < 450 and .wall_ms > 900')"
else
	expect_eq "cpu: the record says that it is not limited" "cgroup.cpu" \
		"$(record '.outcome.degraded[] | select(. == "cgroup.cpu")')"
fi
expect_end "cpu_time: many short ones" 125 "limit null null none" \
	"cpu_time: the call used more than limits.cpu_time" \
	--limit cpu_time=1s --limit wall=20s -- ./hog children 200
# the kernel's SIGXCPU or the watch, whichever is first
expect_run "cpu_time: one process" 125 --limit cpu_time=1s --limit wall=20s -- ./hog spin 19000
expect_eq "cpu_time: one process: verdict" "limit true none" "$(record \
	'.outcome | "\(.verdict) \(.reason | startswith("cpu_time: the call used ")) \(.settled)"')"
expect_end "wall" 124 "timeout null null held" "wall: the call ran for limits.wall" \
	--limit wall=300ms -- sh -c 'echo half >half; sleep 60'
expect_eq "wall: in time" "true" "$(record '.outcome.usage.wall_ms | . >= 300 and . < 2000')"
check "wall: nothing was committed" test ! -e "$WS/half"

# ---- disk, files ---------------------------------------------------------------------------------
for where in . /tmp ~ /dev/shm; do
	[ "$where" = ~ ] && where="\$HOME"
	run_airlock --limit disk=8MiB -- sh -c "dd if=/dev/zero of=$where/big bs=1M count=100 2>&1 |
		grep -o 'No space left on device'; wc -c <$where/big; rm $where/big; echo on >on; cat on; rm on"
	expect_eq "disk: $where: ENOSPC, the tool goes on" "0: No space left on device 8388608 on" \
		"$RC: $(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
done
expect_run "disk: 10 GB" 0 --limit disk=8MiB -- sh -c 'dd if=/dev/zero of=big bs=1M count=10000 2>/dev/null; :'
expect_eq "disk: 10 GB: event" "disk" "$(events)"
expect_eq "disk: 10 GB: used" "8388608" "$(record '.outcome.usage.disk_bytes')"
expect_eq "disk: 10 GB: what fitted was committed" "8388608" "$(stat -c %s "$WS/big")"
rm "$WS/big"
expect_run "disk: a sparse file of 1 EiB is held" 123 -- ./hog sparse
expect_eq "disk: sparse: it can be made" "ftruncate 60 0" "$(cat "$OUT")"
expect_eq "disk: sparse: why" "ok 0 null held the change set cannot be read: change set: sparse: more bytes than a call may leave" \
	"$(ended) $(record '.outcome.reason')"
check "disk: sparse: not committed" test ! -e "$WS/sparse"
expect_run "disk: files" 0 --limit files=50 -- ./hog files 1000
expect_eq "disk: files: ENOSPC" "create ENOSPC true" \
	"$(awk '{ print $1, $3, ($2 >= 50 && $2 <= 66 ? "true" : $2) }' "$OUT")"
expect_eq "disk: files: event" "files" "$(events)"
expect_eq "disk: files: what fitted was committed" "$(awk '{ print $2 }' "$OUT")" "$(find "$WS" -name 'f*' | wc -l)"
rm "$WS"/f*

# ---- output, open_files --------------------------------------------------------------------------
expect_run "output: within" 0 --limit output=10000B -- ./hog output 10000
expect_eq "output: within: all" "10000" "$(wc -c <"$OUT")"
expect_run "output: one byte more" 125 --limit output=10000B -- ./hog output 10001
expect_eq "output: one byte more: verdict" "limit none output: the call wrote more than limits.output" \
	"$(record '.outcome | "\(.verdict) \(.settled) \(.reason)"')"
expect_eq "output: what was let through" "10000" "$(wc -c <"$OUT")"
expect_end "output: without end" 125 "limit null null none" "output: the call wrote more than limits.output" \
	--limit output=10000B -- yes
expect_eq "output: captured" "10000 10000" "$(record '.outcome.stdout | "\(.bytes) \(.kept)"')"
expect_eq "output: the captured bytes" "10000" "$(as_id "$A" cat @last stdout | wc -c)"
expect_run "open_files" 0 --limit open_files=32 -- ./hog fds 100
expect_eq "open_files: EMFILE" "open 32 EMFILE" "$(cat "$OUT")"
expect_run "rlimits: cannot be raised" 0 -- ./hog rlimit
expect_eq "rlimits: errnos; no core, no piped core" "setrlimit -1 EPERM setpriority -1 EACCES core 1 0" \
	"$(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
# The queue is the user's, and who sends airlock a signal with a value needs room in it.
expect_run "rlimits: signals" 0 -- ./hog signals
expect_eq "rlimits: signals: EAGAIN" "sigqueue 4096 EAGAIN" "$(cat "$OUT")"
as_id "$A" workflow new signals --budget wall=10m >/dev/null
start_airlock -W signals -- ./hog signals 60
check "rlimits: signals: the queue is full" wait_for 20 bg_says EAGAIN
expect_verb "rlimits: signals: a lowered budget" 0 workflow budget signals --budget wall=1s
wait "$PID"
expect_eq "rlimits: signals: a lowered budget arrives" "124 0" "$? $(grep -c 'cannot be reached' "$ERR")"
# How many descriptors are on their way in sockets is counted for the user: one call must not keep the others from starting.
start_airlock -- ./hog inflight 60 </dev/null
check "open_files: on their way" wait_for 20 bg_says ETOOMANYREFS
busy=$PID
full=$WS
new_ws
expect_run "open_files: on their way: another call starts" 0 -n -- echo ran
expect_eq "open_files: on their way: another call runs" ran "$(cat "$OUT")"
kill "$busy"
wait "$busy" 2>/dev/null
WS=$full

# ---- the parent of the groups is taken away between two calls ------------------------------------
# In a cgroup of the test's own: others' calls have their groups in ours.
gone=/sys/fs/cgroup/memory$(awk -F: '$2 == "memory" { print $3 }' /proc/self/cgroup)/e2e-gone-$$
in_gone()
{
	as_id sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' - "$gone" "$A" run -w "$WS" "$@" >"$OUT" 2>"$ERR"
	RC=$?
}
if [ "$E2E_IDENTITY" = root ] && mkdir "$gone" 2>/dev/null; then
	in_gone -- true
	expect_eq "parent: the first call" 0 "$RC"
	check "parent: is there" test -d "$gone/airlock"
	# the call's own group is taken away behind its answer
	check "parent: is taken away" wait_for 5 rmdir "$gone/airlock"
	in_gone -- true
	expect_eq "parent: the next call finds it anew" "0 " "$RC $(cat "$ERR")"
	expect_eq "parent: and is limited" 3221225472 "$(record '.outcome.attestation.cgroup.memory_max')"
	check "parent: is removed" wait_for 5 rmdir "$gone/airlock"
	check "parent: the test's own too" wait_for 5 rmdir "$gone"
elif [ "$E2E_IDENTITY" = root ]; then
	skip "the parent of the groups is taken away" "the memory controller is not on cgroup v1 here"
fi
