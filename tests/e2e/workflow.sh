# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh by files about workflow $W: what is said of it.

# shown JQ [W]: of `workflow show --json`
shown()
{
	as_id "$A" workflow show "${2:-$W}" --json | jq -cr "$1"
}

# timeline: the page's lines from there on, without times and ids
timeline()
{
	as_id "$A" workflow show "$W" | sed '1,/^TIMELINE/d' |
		sed -E 's/^[0-9:]{8}  //; s/^[0-9a-f-]{13,36}  /CALL  /; s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/ID/g; s/ +/ /g'
}

# moves: the entries about it since it was made
moves()
{
	shown '[.timeline[] | select(.type == "workflow" and .action != "new") | "\(.action) by \(.by)"] | join(", ")'
}

# begin NAME: makes one of that name, where calls are from here on
begin()
{
	W=$1
	expect_verb "$W: made" 0 workflow new "$W"
}

# shellcheck disable=SC2034 # PID is for the caller
# beside ARG…: start_airlock, of a call that reads what this reads
beside()
{
	: >"$T/.bg.out"
	(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" "$@") <&0 >"$T/.bg.out" 2>"$T/.bg.err" &
	PID=$!
}
