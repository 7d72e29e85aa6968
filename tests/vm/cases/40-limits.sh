# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016
#
# Sourced by job.sh. Limits on cgroup v2, and the disk limit where changes are kept on disk. Times are those of an
# emulated machine.

# limited WHO ARG…: `airlock run` in a fresh workspace.
limited()
{
	local who=$1 home
	shift

	home=$(eval echo "~$who")
	new_ws "$home/ws" "$who"
	said "$who" "$airlock" run -w "$home/ws" "$@"
}

ended()
{
	record "$1" '.outcome | [.verdict, .exit, .settled, .reason]'
}

limit_memory()
{
	local who=$1
	local small=(--limit memory=64MiB --limit disk=16MiB)

	limited "$who" "${small[@]}" -- sh -c 'head -c 32M /dev/zero | tail -c 32M | wc -c'
	expect_said 0 33554432 ""
	expect_cgroup "$who" 83886080
	limited "$who" "${small[@]}" -- sh -c 'echo x >f; tail /dev/zero; echo survived'
	expect_eq "exit code, stdout" "$rc|$out" "137|"
	expect_eq "ended" "$(ended "$who")" '["oom",null,"held","memory: the call reached limits.memory"]'
	expect_eq "kills were counted" "$(record "$who" '.outcome.cgroup_events.oom_kills >= 1')" true
	expect_eq "peak" "$(record "$who" '.outcome.usage.memory_peak')" 83886080
	expect_no_traces
}

limit_pids()
{
	local who=$1
	local forks='for (1 .. shift) {
		my $pid = fork;
		if (!defined $pid) { print "fork $_: ", $! + 0; exit }
		if (!$pid) { sleep 600; exit }
	} print "all"'

	limited "$who" --limit pids=20 -- perl -e "$forks" 18
	expect_said 0 all ""
	expect_eq "no event" "$(record "$who" .outcome.denials)" "[]"
	limited "$who" --limit pids=20 -- perl -e "$forks" 100
	expect_eq "exit code, stdout" "$rc|$out" "0|fork 19: 11"
	expect_cgroup "$who" 3221225472 20
	expect_eq "event" "$(record "$who" '.outcome.denials | map([.kind, .what, .rule])')" \
		'[["limit","pids","--limit pids=20"]]'
	expect_eq "peak" "$(record "$who" .outcome.usage.pids_peak)" 20
	expect_no_traces
}

limit_wall()
{
	local who=$1

	limited "$who" --limit wall=2s -- sh -c 'echo x >f; sleep 600'
	expect_eq "exit code" "$rc" 124
	expect_eq "ended" "$(ended "$who")" '["timeout",null,"held","wall: the call ran for limits.wall"]'
	expect_eq "time" "$(record "$who" '.outcome.usage.wall_ms | . >= 2000 and . < 30000')" true
	expect_no_traces
}

limit_cpu()
{
	local who=$1
	local spin='my $end = time + 5; 1 while time < $end'

	limited "$who" --limit cpu=50% -- perl -e "$spin"
	expect_said 0 "" ""
	expect_cgroup "$who" 3221225472 512 50000
	expect_eq "share" "$(record "$who" \
		'.outcome.usage | .cpu_ms < .wall_ms * 0.7')" true
	limited "$who" --limit cpu=400% -- perl -e "$spin"
	expect_said 0 "" ""
	expect_eq "share without" "$(record "$who" \
		'.outcome.usage | .cpu_ms > .wall_ms * 0.8')" true
	expect_no_traces
}

limit_cpu_time()
{
	local who=$1

	limited "$who" --limit cpu_time=2s -- sh -c 'while :; do :; done'
	expect_eq "exit code" "$rc" 125
	expect_eq "ended" "$(record "$who" '.outcome | [.verdict,
		(.reason | startswith("cpu_time: the call used"))]')" '["limit",true]'
	expect_no_traces
}

limit_disk()
{
	local who=$1 home
	home=$(eval echo "~$who")

	limited "$who" --limit disk=64MiB -- sh -c 'head -c 32M /dev/zero >big; wc -c <big'
	expect_said 0 33554432 ""
	expect_eq "used" "$(record "$who" '.outcome.usage.disk_bytes | . >= 33554432 and . < 34603008')" true
	limited "$who" --limit disk=64MiB --limit wall=3m -- \
		sh -c 'while :; do head -c 8M /dev/zero; sleep 0.1; done >big'
	expect_eq "exit code, stdout" "$rc|$out" "125|"
	expect_eq "verdict" "$(record "$who" '.outcome | [.verdict, .exit, .reason]')" \
		'["limit",null,"disk: the call wrote more than limits.disk"]'
	expect_eq "event" "$(record "$who" '.outcome.denials | map([.kind, .what, .rule])')" \
		'[["limit","disk","--limit disk=64MiB"]]'
	expect_eq "not committed" "$(ls "$home/ws")" ""
	# One file past the limit gets SIGXFSZ; several, written between two looks, are found at the end.
	limited "$who" --limit disk=64MiB -- sh -c 'exec head -c 100M /dev/zero >big'
	expect_eq "exit code" "$rc" 125
	# SIGXFSZ, unless who watches the disk looked between the limit and the 64 KiB above it
	expect_eq "one file: verdict" \
		"$(record "$who" '.outcome | [.verdict, (.signal == 25 or .signal == null), .reason]')" \
		'["limit",true,"disk: the call wrote more than limits.disk"]'
	limited "$who" --limit disk=64MiB -- \
		sh -c 'head -c 40M /dev/zero >a; head -c 40M /dev/zero >b; exit 0'
	expect_eq "exit code" "$rc" 125
	expect_eq "two files: verdict" "$(record "$who" '.outcome | [.verdict, .reason]')" \
		'["limit","disk: the call wrote more than limits.disk"]'
	expect_eq "not committed" "$(ls "$home/ws")" ""
	# The rest of the sandbox is in memory: there the tool is told.
	limited "$who" --limit disk=64MiB -- \
		perl -e 'open my $f, ">", "/tmp/big"; $f->autoflush; my $n = 0;
			$n++ while syswrite $f, "x" x 1048576; print $! + 0; exit !($n == 64)'
	expect_eq "exit code, stdout" "$rc|$out" "0|28"
	expect_no_traces
}

for who in root dev; do
	case_run "limit-memory-$who" limit_memory "$who"
	case_run "limit-pids-$who" limit_pids "$who"
	case_run "limit-wall-$who" limit_wall "$who"
	case_run "limit-cpu-$who" limit_cpu "$who"
	case_run "limit-cpu-time-$who" limit_cpu_time "$who"
	# of an upper on disk; a tmpfs says ENOSPC, as tests/e2e/40-limits has it
	[ "$want_tmpfs_xattr" = 0 ] || case_run "limit-disk-$who" limit_disk "$who"
done
