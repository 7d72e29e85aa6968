#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root plain
# Calls that are ended when their tool is dead already, while what they changed is read: none of it is committed.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# tool_ended: the call of start_airlock has had its sandbox, and has it no more
tool_ended()
{
	bg_says up && ! pgrep -P "$PID" -x airlock-jail
}

# late NAME ARG…: such a call; its change set, 15 GiB of nothing, takes its time to be read
late()
{
	local name=$1
	shift

	start_airlock --result "$T/$name.json" "$@" -- sh -c 'truncate -s 15G big; echo x >y; echo up'
	check "$name: its tool has ended" wait_for 30 tool_ended
}

# expect_aside NAME BY
expect_aside()
{
	wait "$PID"
	expect_eq "$1: exit" 125 $?
	expect_eq "$1: said" "interrupted ended by $2 held" "$(jq -r '"\(.verdict) \(.reason) \(.settled)"' "$T/$1.json")"
	expect_eq "$1: nothing is committed" "" "$(ls -A "$WS")"
	expect_eq "$1: it is kept" aside "$(record .outcome.held_as "$(jq -r .call "$T/$1.json")")"
}

late kill
expect_verb "kill: it ends" 0 kill "$(as_id "$A" ps --json | jq -r .call)"
expect_aside kill "airlock kill"
late term
kill -TERM "$PID"
expect_aside term "signal 15"
late propose -m propose
kill -TERM "$PID"
expect_aside propose "signal 15"
late stop
expect_verb "stop: it ends" 0 stop --all
expect_aside stop "airlock stop"
expect_verb "stop: released" 0 stop --release

# What the tool takes away is not read without end either.
as_id truncate -s 8T "$WS/big"
expect_run "terabytes of holes go" 0 --limit wall=2s -- rm big
expect_eq "they went" " null" "$(ls -A "$WS") $(record '.outcome.changes.items[] | select(.path == "big") | .before')"
