#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Somebody who does not use airlock changes the workspace while a call runs, after its input was hashed: the record, the
# result and `airlock show` say that the input was unstable, and which paths. What the call touched too is a conflict.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# is_hashed PID: the thread that hashes the input, which was there before the tool, has ended.
is_hashed()
{
	[ "$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]
}

# edited ACT TOOL ARG…: a new workspace, in which TOOL runs; ACT is done from outside when it is up and all is hashed.
edited()
{
	local act=$1 tool=$2
	shift 2

	new_ws
	as_id sh -c "cd '$WS' && echo a >a && mkdir d && echo f >d/f && echo g >d/g"
	rm -f "$T/go"
	mkfifo "$T/go"
	exec 7<>"$T/go"
	: >"$OUT" # what an earlier call said must not pass for this one's
	(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" --result "$T/result" "$@" -- sh -c "echo up; read go; $tool" \
		<"$T/go" >"$OUT" 2>"$ERR" 7>&-) &
	local job=$!
	wait_for 20 grep -q up "$OUT" || not_ok "the tool came up" "$(cat "$ERR")"
	wait_for 20 is_hashed "$job" || not_ok "the input was hashed" "$(cat "$ERR")"
	as_id sh -c "cd '$WS' && $act"
	exec 7>&-
	wait "$job"
	RC=$?
}

# said: what the result says of the input, and the record
said()
{
	jq -r '"\(.input) [\(.input_changed | join(","))]"' "$T/result" | tr '\n' ' '
	record '.outcome.in_tree | "\(.unstable) [\(.changed | join(","))] \(.changed_count)"'
}

# What --input puts at the workspace's place is somebody's directory as well.
mkdir "$T/other"
own "$T/other"
edited "echo late >'$T/other/a'" 'cat a' --input "$T/other"
expect_eq "another input" "0 unstable [.,a] true [.,a] 2 late" "$RC $(said) $(tail -n 1 "$OUT")"

edited true 'cat a' -m observe
expect_eq "nobody changes anything" "0 stable [] false [] 0" "$RC $(said)"
as_id "$A" show @last >"$OUT"
expect_no_match "and nothing is shown of it" "unstable: something" "$OUT"

edited 'echo edited >d/f' 'cat d/g' -m observe
expect_eq "a file is written in place" "0 unstable [d/f] true [d/f] 1" "$RC $(said)"
as_id "$A" show @last >"$OUT"
expect_match "it is shown" "unstable: something else wrote to the workspace meanwhile: d/f" "$OUT"

edited 'rm d/g; mkdir n; echo x >n/x' 'exit 3'
expect_eq "whatever the tool's end" "3 unstable [.,d,n,n/x] true [.,d,n,n/x] 4" "$RC $(said)"

edited 'for i in 1 2 3 4 5 6 7 8 9 a b c; do echo x >d/$i; done' 'true' -m observe
expect_eq "ten are named, all are counted" \
	"0 unstable [d,d/1,d/2,d/3,d/4,d/5,d/6,d/7,d/8,d/9] true [d,d/1,d/2,d/3,d/4,d/5,d/6,d/7,d/8,d/9] 13" "$RC $(said)"
as_id "$A" show @last >"$OUT"
expect_match "so it is shown" "d/9 and 3 more" "$OUT"

# What the call does itself, and what becomes of it, is no such change.
edited true 'echo tool >d/f; rm d/g'
expect_eq "the tool's own changes do not count" "0 stable [] false [] 0" "$RC $(said)"
expect_eq "they were committed" "ok committed a tool" "$(record '.outcome | "\(.verdict) \(.settled)"') $(cat "$WS/a" "$WS/d/f" | paste -sd' ')"

# Another path than the tool's: committed. The same: a conflict.
edited 'echo edited >a' 'echo tool >d/f'
expect_eq "elsewhere" "0 unstable [a] true [a] 1 committed edited tool" \
	"$RC $(said) $(record .outcome.settled) $(cat "$WS/a" "$WS/d/f" | paste -sd' ')"
edited 'echo edited >d/f' 'echo tool >d/f'
expect_eq "the same file" "123 unstable [d/f] true [d/f] 1 held conflict: d/f: it was changed during the call edited" \
	"$RC $(said) $(record '.outcome | "\(.settled) \(.reason)"') $(cat "$WS/d/f")"

# What somebody outside calls a file is not what a terminal obeys.
edited "echo x >\"\$(printf 'esc\\033[1m')\"" 'true' -m observe
as_id "$A" show @last >"$OUT"
expect_match "a name is escaped" 'esc\033[1m' "$OUT"
