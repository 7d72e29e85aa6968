# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2086
#
# Sourced by job.sh. A call is frozen by its group, so that no process of it sees a signal; the stop button ends
# it as it is.

sleeper='sleep 987653'

there()
{
	pgrep -xf "$sleeper" >/dev/null
}

gone()
{
	! there
}

# ps_of WHO JQ
ps_of()
{
	"as_$1" "$airlock" ps --json | jq -r "$2"
}

state_is()
{
	[ "$(ps_of "$1" .state)" = "$2" ]
}

# group_says LINE: in the events of the group that the sleeper is in
group_says()
{
	grep -qx "$1" "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pgrep -xf "$sleeper")/cgroup")/cgroup.events"
}

# frozen_call STARTER OWNER: whose airlock it is; whose call and state they are
frozen_call()
{
	local starter=$1 who=$2 home front

	home=$(eval echo "~$who")
	new_ws "$home/ws" "$who"
	"as_$starter" "$airlock" run -w "$home/ws" -- $sleeper &
	poll 60 there
	front=$(ps_of "$who" .pid)
	expect_eq "before" "$(ps_of "$who" .state)" running
	for _ in 1 2; do
		kill -41 "$front"
		poll 60 state_is "$who" frozen
		poll 60 group_says "frozen 1"
		expect_eq "stopped by a signal" "$(ps -o stat= -p "$(pgrep -xf "$sleeper")" | cut -c 1)" S
		/bin/kill -q 256 -41 "$front"
		poll 60 state_is "$who" running
		poll 60 group_says "frozen 0"
	done
	kill -41 "$front"
	poll 60 state_is "$who" frozen
	said "$who" "$airlock" stop --all
	expect_eq "exit code, stderr" "$rc|$err" "0|"
	gone
	wait
	expect_eq "record" "$(record "$who" '.outcome | [.verdict, .reason]')" '["interrupted","ended by airlock stop"]'
	said "$who" "$airlock" stop --release
	expect_eq "exit code, stderr" "$rc|$err" "0|"
	expect_no_traces
}

case_run frozen-call-root frozen_call root root
case_run frozen-call-dev frozen_call dev dev
case_run frozen-call-of-root-for-a-user frozen_call root dev
