# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2086
#
# Sourced by job.sh. Nothing of a call is left when it is over, however it ended; what a SIGKILL of airlock
# leaves on disk goes with the next command. $sleeper is a command and its argument.

sleeper='sleep 987654'

sleepers()
{
	pgrep -xf "$sleeper" || true
}

no_sleepers()
{
	[ -z "$(sleepers)" ]
}

nothing_outlives_a_call()
{
	local who=$1 home pid
	home=$(eval echo "~$who")

	# What the same command leaves without airlock.
	"as_$who" sh -c "setsid $sleeper & exit 0"
	pid=$(sleepers)
	kill -KILL "$pid"
	poll 20 no_sleepers

	new_ws "$home/ws" "$who"
	said "$who" "$airlock" run -w "$home/ws" -- sh -c "setsid $sleeper & exit 0"
	expect_said 0 "" ""
	expect_eq "sleepers" "$(sleepers)" ""
	expect_no_traces
}

scratch_dirs()
{
	find "$1/.local/state/airlock/scratch" -mindepth 1 -maxdepth 1 | wc -l
}

no_scopes()
{
	[ -z "$(find /sys/fs/cgroup -name 'airlock-*.scope')" ]
}

# The only process of that command line is the one that we started.
front_of_sleeper()
{
	pgrep -xf "$airlock run -w $1 -- $sleeper"
}

killed_airlock()
{
	local who=$1 home pid
	home=$(eval echo "~$who")

	new_ws "$home/ws" "$who"
	"as_$who" "$airlock" run -w "$home/ws" -- $sleeper &
	poll 60 sleepers_exist
	expect_eq "scopes meanwhile" "$(find /sys/fs/cgroup -name 'airlock-*.scope' | wc -l)" 1
	pid=$(front_of_sleeper "$home/ws")
	kill -KILL "$pid"
	poll 20 no_sleepers
	poll 20 no_scopes
	wait
	# one where the upper is on disk, as on a kernel whose tmpfs cannot have it
	expect_eq "directories on disk" "$(scratch_dirs "$home")" "$((want_tmpfs_xattr != 0))"
	expect_eq "outcome of the killed call" "$(record "$who" .outcome)" null
	said "$who" "$airlock" run -w "$home/ws" -- true
	expect_said 0 "" ""
	expect_no_traces
	expect_eq "directories on disk afterwards" "$(scratch_dirs "$home")" 0
}

sleepers_exist()
{
	! no_sleepers
}

# SIGTERM goes to the tool; then the call is over.
terminated_airlock()
{
	local who=$1 home pid
	home=$(eval echo "~$who")

	new_ws "$home/ws" "$who"
	"as_$who" "$airlock" run -w "$home/ws" -- $sleeper &
	poll 60 sleepers_exist
	pid=$(front_of_sleeper "$home/ws")
	kill -TERM "$pid"
	poll 20 no_sleepers
	wait
	expect_eq "record" "$(record "$who" '.outcome | [.verdict, .settled]')" '["interrupted","none"]'
	expect_no_traces
}

for who in root dev; do
	case_run "nothing-outlives-a-call-$who" nothing_outlives_a_call "$who"
	case_run "killed-airlock-$who" killed_airlock "$who"
	case_run "terminated-airlock-$who" terminated_airlock "$who"
done
