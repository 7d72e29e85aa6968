#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sixteen calls at once in one workspace, half apply, half observe. A commit changes f and g of one directory to the same
# word. The observing tool hashes everything twice and compares f with g: it must see one tree, before or after of each commit.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

calls=(1 2 3 4 5 6 7 8)
tree='(find . -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum | cut -c1-64)'
pairs='for d in [1-8]; do cmp -s $d/f $d/g || echo "torn: $d"; done'
# What an observing tool says: the first hash, a word, whether the second is the same.
twice="a=\$$tree; $pairs; echo \$a; read go; b=\$$tree; $pairs; [ \$a = \$b ] && echo same || echo differs"

fill()
{
	for i in "${calls[@]}"; do
		mkdir "$WS/$i"
		echo old >"$WS/$i/f"
		echo old >"$WS/$i/g"
		for n in 1 2 3 4 5 6 7 8 9 10; do
			echo "$i $n" >"$WS/$i/$n"
		done
	done
	own "$WS"
}

# words: what f and g of each directory hold, in order
words()
{
	(cd "$WS" && cat [1-8]/f [1-8]/g | tr '\n' ' ')
}

# start NAME IN ARG…; the writing ends of fifos on 7 and 8 are not the call's
start()
{
	local name=$1 in=$2
	shift 2

	(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" "$@" <"$in" >"$T/$name.out" 2>"$T/$name.err" 7>&- 8>&-) &
	JOBS[$name]=$!
}

# ends NAME: sets ENDS to the exit statuses of NAME1 to NAME8, and SAYS to what they said, each thing once
ends()
{
	local i

	ENDS=''
	for i in "${calls[@]}"; do
		wait "${JOBS[$1$i]}"
		ENDS="$ENDS$? "
	done
	SAYS=$(cat "$T/$1"[1-8].out "$T/$1"[1-8].err | LC_ALL=C sort | uniq -c | awk '{ print $1 "x", $2, $3, $4 }' | sed 's/ *$//' | paste -sd,)
}

declare -A JOBS

# ---- the tool notices ----------------------------------------------------------------------------
# Outside of airlock a change between the two looks is seen, and so is a torn pair.
new_ws control
fill
mkfifo "$T/control.go"
(cd "$WS" && exec sh -c "$twice" <"$T/control.go" >"$T/control.out") &
control=$!
exec 7>"$T/control.go"
wait_for 20 test -s "$T/control.out"
echo new >"$WS/3/f"
echo go >&7
exec 7>&-
wait "$control"
expect_eq "control: a tool outside sees a change, and half of it" "torn: 3 differs" "$(tail -n +2 "$T/control.out" | tr '\n' ' ' | sed 's/ $//')"

# ---- in step -------------------------------------------------------------------------------------
# All that observe are between their two looks when all that apply are done and want to commit.
new_ws step
fill
old=$(cd "$WS" && eval "echo \$$tree")
mkfifo "$T/step.go" "$T/write.go"
exec 7<>"$T/step.go" 8<>"$T/write.go"
for i in "${calls[@]}"; do
	start "look$i" "$T/step.go" -m observe -- sh -c "$twice"
done
for i in "${calls[@]}"; do
	wait_for 60 test -s "$T/look$i.out" || not_ok "look $i came up" "$(cat "$T/look$i.err")"
done
for i in "${calls[@]}"; do
	start "write$i" "$T/write.go" -- sh -c 'echo up; read go; echo "new$1" >$1/f; echo "new$1" >$1/g; echo wrote' - "$i"
done
for i in "${calls[@]}"; do
	wait_for 60 test -s "$T/write$i.out" || not_ok "write $i came up" "$(cat "$T/write$i.err")"
done
exec 8>&- # the end of their input is the sign to go on
for i in "${calls[@]}"; do
	wait_for 60 grep -q wrote "$T/write$i.out" || not_ok "write $i was through" "$(cat "$T/write$i.err")"
done
expect_eq "nobody commits while others look" "old old old old old old old old old old old old old old old old " "$(words)"
exec 7>&-
ends look
expect_eq "those that look end well" "0 0 0 0 0 0 0 0 " "$ENDS"
expect_eq "each saw the tree from before, twice" "8x $old,8x same" "$SAYS"
ends write
expect_eq "those that write are committed" "0 0 0 0 0 0 0 0 8x up,8x wrote" "$ENDS$SAYS"
expect_eq "all of it is there" "new1 new2 new3 new4 new5 new6 new7 new8 new1 new2 new3 new4 new5 new6 new7 new8 " "$(words)"

# ---- as they come --------------------------------------------------------------------------------
# Nobody waits for anybody but in airlock. A tree is one that was there between two commits: f and g agree everywhere.
new_ws free
fill
for round in 1 2 3; do
	for i in "${calls[@]}"; do
		start "write$i" /dev/null -- sh -c 'echo "$2-$1" >$1/f; echo "$2-$1" >$1/g' - "$i" "$round"
		start "look$i" /dev/null -m observe -- sh -c "($twice) | tail -n +2"
	done
	ends look
	expect_eq "round $round: each saw one tree" "0 0 0 0 0 0 0 0 8x same" "$ENDS$SAYS"
	ends write
	expect_eq "round $round: those that write are committed" "0 0 0 0 0 0 0 0 " "$ENDS$SAYS"
	expect_eq "round $round: all of it is there" "$(printf "$round-%d " "${calls[@]}" "${calls[@]}")" "$(words)"
done
expect_eq "no staging is left" "" "$(find "$WS" -name '.airlock*')"
