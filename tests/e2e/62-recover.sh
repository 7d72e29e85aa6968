#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root plain
# airlock is killed in the middle of a commit: the next command finishes it and the record says so; where somebody else
# changed a path meanwhile, all is taken back. strace kills; that every system call is a good place for it is shown by
# tests/faults.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# killed WHEN: a call that replaces a and makes b, killed at its WHENth rename into the workspace.
killed()
{
	new_ws
	as_id sh -c "cd '$WS' && echo old >a && echo old >c"
	as_id strace -f -o "$T/.trace" -e trace=renameat2 -e inject="renameat2:signal=SIGKILL:when=$1" \
		"$A" run -w "$WS" -- sh -c 'echo new >a; echo new >b; rm c' >"$OUT" 2>"$ERR"
	check "$2: it was killed" grep -q 'killed by SIGKILL' "$T/.trace"
}

state()
{
	as_id sh -c "cd '$WS' && cat a; cat b 2>/dev/null; ls -A" | paste -sd' '
}

settled()
{
	record .outcome.settled
}

killed 2 "in the middle"
expect_eq "in the middle: a part is there" "old .airlock-commit a" "$(state)"
expect_verb "in the middle: the next reader says what it did" 0 log
expect_match "in the middle: and for which call" " in $WS was cut short, and is finished now" "$ERR"
expect_eq "in the middle: entirely after" "new new a b" "$(state)"
expect_eq "in the middle: so says the record" committed "$(settled)"

killed 3 "a call comes next"
expect_run "a call comes next: it sees all" 0 -w "$WS" -- sh -c 'cat a b; ls -A'
expect_eq "a call comes next: entirely after" "new new a b" "$(paste -sd' ' "$OUT")"

killed 3 "somebody was there"
as_id sh -c "echo mine >'$WS/b'"
expect_verb "somebody was there: recover" 0 recover
expect_match "somebody was there: taken back" "is taken back: the workspace is as before" "$ERR"
expect_eq "somebody was there: before, and what is his" "old mine a b c" "$(state)"
expect_eq "somebody was there: so says the record" none "$(settled)"
expect_verb "nothing is left" 0 recover
expect_eq "nothing is left: and that is said" "nothing to recover" "$(cat "$OUT")"

# touched NAME WANT CMD: what CMD, run after the kill, did to what the commit had made stays, and the rest is taken back.
touched()
{
	local name=$1 want=$2

	new_ws
	as_id sh -c "cd '$WS' && echo old >a && echo old >c"
	as_id strace -f -o "$T/.trace" -e trace=renameat2 -e inject="renameat2:signal=SIGKILL:when=7" "$A" run -w "$WS" -- \
		sh -c 'echo new >a; echo new >b; mkdir d; echo new >d/x; mkdir e; echo new >z; rm c' >"$OUT" 2>"$ERR"
	check "$name: it was killed" grep -q '"n6", .*"z"' "$T/.trace"
	as_id sh -c "cd '$WS' && $3"
	expect_verb "$name: recover" 0 recover
	expect_match "$name: taken back" "is taken back: the workspace is as before" "$ERR"
	expect_eq "$name: what stands there" "$want" "$(as_id sh -c "cd '$WS' && grep -r . . | sort && ls -A" | paste -sd' ')"
	expect_run "$name: and calls run" 0 -- true
}
touched "removed meanwhile" "./a:old ./c:old a c" 'rm b'
touched "moved meanwhile" "./a:old ./b2:new ./c:old a b2 c" 'mv b b2'
touched "a directory removed meanwhile" "./a:old ./c:old a c" 'rm -r d'
touched "what was in it removed meanwhile" "./a:old ./c:old a c" 'rm d/x'
touched "written meanwhile" "./a:old ./b:mine ./b:new ./c:old ./z:his a b c z" 'echo mine >>b && echo his >z'
touched "made again meanwhile" "./a:old ./b:mine ./c:old ./z:his a b c z" 'rm b && echo mine >b && echo his >z'
touched "what was replaced written meanwhile" "./a:mine ./a:new ./c:old ./z:his a c z" 'echo mine >>a && echo his >z'

new_ws
as_id mkdir "$WS/.airlock-commit"
expect_run "another's half commit: no call starts" 125 -w "$WS" -- true
expect_match "another's half commit: and why" "is left of a commit that was cut short" "$ERR"
as_id rmdir "$WS/.airlock-commit"

killed 2 "what cannot be recovered"
mv "$WS" "$WS.away"
as_id mkdir "$AIRLOCK_STATE/commits/0"
away=$WS
expect_verb "what cannot be recovered: recover fails" 1 recover
expect_match "what cannot be recovered: a workspace is gone, and what to do" \
	"its workspace is to be moved back there, or, where it is gone for good, $AIRLOCK_STATE/commits/" "$ERR"
expect_match "what cannot be recovered: no journal, and what to do" \
	"$AIRLOCK_STATE/commits/0 cannot be read as a commit's journal" "$ERR"
kept()
{
	(cd "$AIRLOCK_STATE" && cat journal/* commits/01* | sha256sum)
}
before=$(kept)
for closed in '2>&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
	as_id sh -c "\"\$1\" recover >/dev/null $closed" sh "$A"
	expect_eq "what cannot be recovered: said to nobody ($closed) and to no file of the state" "$before" "$(kept)"
done
new_ws
expect_run "what cannot be recovered: a call elsewhere runs" 0 -- echo hi
mv "$away.away" "$away"
WS=$away
expect_verb "what cannot be recovered: the one does not keep the other" 1 recover
expect_eq "what cannot be recovered: entirely after" "new new a b" "$(state)"
as_id rmdir "$AIRLOCK_STATE/commits/0"
expect_verb "what cannot be recovered: nothing is left" 0 recover
