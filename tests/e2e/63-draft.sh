#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# propose: change sets are held as a draft that later calls run over; apply, discard and undo settle them. What a failed
# call left is set aside, where no later call sees it.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# tree: what is in the workspace: path, type and mode, content or target.
tree()
{
	as_id sh -c 'cd "$1" && find . -mindepth 1 -printf "%P %y%m %l\n" | sort && cat a d/x d/new 2>/dev/null' sh "$WS" |
		paste -sd'|'
}

workflow()
{
	record .planned.workflow
}

fresh()
{
	new_ws
	as_id sh -c "cd '$WS' && echo one >a && mkdir d && echo x >d/x && ln -s a l"
}

fresh
before=$(tree)
expect_run "propose: the tool's own exit" 0 -m propose -- sh -c 'echo two >a; echo new >d/new; rm l'
expect_eq "propose: nothing on stderr" "" "$(cat "$ERR")"
expect_eq "propose: the workspace is as before" "$before" "$(tree)"
expect_eq "propose: held, as the draft" "held draft" "$(record '.outcome | .settled + " " + .held_as')"
expect_run "edit, then test: the next call sees it" 0 -m propose -- sh -c 'cat a d/new; ls'
expect_eq "edit, then test: all of it" "two new a d" "$(paste -sd' ' "$OUT")"
expect_eq "edit, then test: and the record names what it ran over" "$(call 2)" "$(record '.planned.draft[0]')"
expect_run "a second one lies on top" 0 -m propose -- sh -c 'echo three >>a; rm d/x; rmdir e 2>/dev/null; mkdir -m 700 e'
second=$(call 1)
first=$(call 3)
expect_run "apply over a draft: held too" 123 -- sh -c 'echo four >>a'
expect_match "apply over a draft: and why" "it lies over 2 held change sets: apply the draft first" "$ERR"
third=$(call 1)
expect_run "observe sees the draft" 0 -m observe -- sh -c 'cat a; echo gone >z'
expect_eq "observe sees the draft: all of it" "two three four" "$(paste -sd' ' "$OUT")"
expect_run "a call that fails" 3 -m propose -- sh -c 'echo half >half; exit 3'
failed=$(call 1)
expect_eq "a call that fails is set aside" "held aside" "$(record '.outcome | .settled + " " + .held_as')"
expect_run "and no later call sees it" 1 -m observe -- test -e half

expect_verb "the second alone cannot be applied" 1 apply "$second"
expect_match "the second alone cannot be applied: what comes first" "(call ${first:0:13})" "$ERR"
expect_verb "nor can the first be discarded" 1 discard "$first"
expect_match "nor can the first be discarded: who ran over it" "call ${second:0:13}" "$ERR"
expect_verb "another digest than the approved" 1 apply --digest "$(printf '0%.0s' $(seq 64))" "$first"
expect_match "another digest than the approved: both are named" "and not what was approved" "$ERR"
expect_eq "nothing of that changed anything" "$before" "$(tree)"

digest=$(record .outcome.changes.digest "$first")
expect_verb "apply with the digest" 0 apply --digest "$digest" "$first"
expect_eq "apply with the digest: says how much" "applied 3 changes of call ${first:0:13}" "$(cat "$OUT")"
after_first=$(tree)
expect_eq "apply: the workspace has it" "a f644 |d d755 |d/new f644 |d/x f644 |two|x|new" "$after_first"
expect_verb "a second time" 1 apply "$first"
expect_match "a second time: it is told" "it is not held, but committed" "$ERR"
expect_verb "up to a call that is not of the draft" 1 apply --workflow "$(workflow)" --to "$failed"
expect_match "up to a call that is not of the draft: it is told" "--to ${failed:0:13}: it is not part of the draft" "$ERR"
expect_eq "up to a call that is not of the draft: nothing was applied" "$after_first" "$(tree)"
expect_verb "up to the second" 0 apply --workflow "$(workflow)" --to "$second"
expect_eq "up to the second: and no further" "applied 3 changes of call ${second:0:13}" "$(cat "$OUT")"
expect_verb "the rest of the draft" 0 apply --workflow "$(workflow)"
expect_eq "the rest of the draft: in order" "applied 1 change of call ${third:0:13}" "$(cat "$OUT")"
expect_eq "the rest of the draft: the workspace has it" "a f644 |d d755 |d/new f644 |e d700 |two|three|four|new" "$(tree)"
expect_verb "what was set aside, by name" 0 apply "$failed"
expect_eq "what was set aside is there" half "$(as_id cat "$WS/half")"

expect_verb "undo: not below a later change" 1 undo "$second"
expect_match "undo: not below a later change: the path" "  a" "$ERR"
expect_verb "undo: the newest" 0 undo "$failed"
expect_verb "undo: the one before" 0 undo "$third"
expect_verb "undo: and before" 0 undo "$second"
expect_eq "undo: as after the first" "$after_first" "$(tree)"
as_id touch -d @1 "$WS/d/new"
expect_verb "undo: all" 0 undo "$first"
expect_eq "undo: as at the beginning" "$before" "$(tree)"
expect_eq "undo: so says the record" "undo undone" "$(as_id "$A" show --json "$first" | jq -rs 'last | .settles[-1] | .action + " " + .settled')"

fresh
expect_run "conflict: a proposal" 0 -m propose -- sh -c 'echo two >a; echo more >d/new'
as_id sh -c "echo mine >'$WS/a'"
expect_verb "conflict: apply" 1 apply @last
expect_match "conflict: apply names the path" "  a" "$ERR"
expect_eq "conflict: nothing was changed" "mine" "$(as_id cat "$WS/a")"
expect_eq "conflict: not even beside it" "x" "$(as_id ls "$WS/d")"
expect_verb "conflict: discard" 0 discard @last
expect_run "conflict: the next call sees the workspace alone" 0 -- cat a
expect_eq "conflict: the next call sees the workspace alone" mine "$(cat "$OUT")"

fresh
as_id sh -c "cd '$WS' && mkdir -m 700 ro && echo in >ro/in && chmod 555 ro && touch -d @100 a && setfattr -n user.note -v old a 2>/dev/null"
before=$(tree)
times=$(as_id stat -c '%Y' "$WS/a")
expect_run "everything: a call that turns it all over" 0 -- sh -c '
	echo other >a; chmod 700 ro; rm ro/in; mkdir ro/in; echo deep >ro/in/deep; chmod 000 ro/in/deep; chmod 500 ro
	rm -r d; echo file >d; rm l; mkdir l; echo below >l/below; : >empty; ln -s nowhere dangling'
expect_eq "everything: is committed" committed "$(record .outcome.settled)"
expect_verb "everything: is taken back" 0 undo @last
expect_eq "everything: as before" "$before" "$(tree)"
expect_eq "everything: content in a closed directory" in "$(as_id cat "$WS/ro/in")"
expect_eq "everything: times of files too" "$times" "$(as_id stat -c '%Y' "$WS/a")"
expect_eq "everything: and attributes" old "$(as_id getfattr --only-values -n user.note "$WS/a" 2>/dev/null)"

fresh
as_id sh -c "echo token >'$WS/.env'"
expect_run "a secret is changed" 0 -- sh -c 'echo stolen >.env'
expect_verb "a secret is not given back" 1 undo @last
expect_match "a secret is not given back: which" "  .env" "$ERR"
expect_match "a secret is not given back: why" "was not kept" "$ERR"

# ---- as many as there may be ----------------------------------------------------------------------------
# As if so many calls had been held: copies of the one that was.
fresh
expect_run "a full draft: the first" 0 -m propose -- sh -c 'echo two >a'
full=$(call 1)
draft=$AIRLOCK_STATE/wf/$(workflow)/draft
kept=$(ls "$draft")
for number in $(seq 900 962); do
	as_id cp -a "$draft/$kept" "$draft/$(printf '%010d-0a%06d%s' "$number" "$number" "${kept:19}")"
done
expect_eq "a full draft" 64 "$(find "$draft" -mindepth 1 -maxdepth 1 | wc -l)"
expect_run "a full draft: can be seen" 0 -m observe -- cat a
expect_eq "a full draft: all of it" two "$(cat "$OUT")"
expect_run "a full draft: no call adds one" 125 -m propose -- sh -c 'echo more >b'
expect_match "a full draft: why" "the draft of this workflow has 64 change sets, and no call runs over more than 64, or adds one beyond" "$ERR"
as_id rm -rf "$draft/"0000000962-*
mkfifo "$T/go"
exec 7<>"$T/go"
(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" --result "$T/beside.json" -m propose -- sh -c 'echo up; read -r go; echo z >z' \
	<"$T/go" >"$T/beside.out" 2>/dev/null 7>&-) &
beside=$!
check "a full draft: two for the last place" wait_for 20 grep -q up "$T/beside.out"
expect_run "a full draft: the last" 0 -m propose -- sh -c 'echo more >b'
last=$(call 1)
exec 7>&-
wait "$beside"
expect_eq "a full draft: the other is set aside" "held aside calls beside this one made the draft as long as it may be: 64 change sets" \
	"$(jq -r '"\(.settled) \(.held_as) \(.reason)"' "$T/beside.json")"
expect_verb "a full draft: the other" 0 discard "$(jq -r .call "$T/beside.json")"
expect_eq "a full draft: again" 64 "$(find "$draft" -mindepth 1 -maxdepth 1 | wc -l)"
as_id rm -rf "$draft/"00000009[0-9][0-9]-*
expect_verb "a full draft: settled" 0 discard "$last"
expect_verb "a full draft: and the first" 0 discard "$full"

# ---- bits that no commit keeps --------------------------------------------------------------------------
# modes of some paths of the workspace
modes()
{
	(cd "$WS" && stat -c '%n=%a' "$@" | xargs)
}

fresh
expect_run "a set-id bit" 123 -- sh -c 'echo two >f; chmod 4755 f; chmod 2711 a'
expect_eq "a set-id bit: recorded" "f=4755" "$(record '.outcome.changes.items[] | select(.path == "f") | "f=" + (.mode_after % 4096 |
	[. / 512, . / 64 % 8, . / 8 % 8, . % 8] | map(floor | tostring) | join(""))')"
expect_verb "a set-id bit: a person applies it" 0 apply @last
expect_eq "a set-id bit: without the bit" "f=755 a=711" "$(modes f a)"
expect_verb "a set-id bit: and takes it back" 0 undo @last
expect_eq "a set-id bit: all of it" "a=644 no" "$(modes a) $([ -e "$WS/f" ] || echo no)"
expect_run "sticky, of a file" 0 -m propose -- sh -c 'echo two >f; chmod 1644 f'
expect_verb "sticky, of a file: applied" 0 apply @last
expect_eq "sticky, of a file: without" "f=644" "$(modes f)"
as_id sh -c "cd '$WS' && echo s >s && chmod 4755 s"
expect_run "a set-id bit is taken off" 0 -- chmod 755 s
expect_verb "a set-id bit is taken off: undone" 0 undo @last
expect_eq "a set-id bit is taken off: it does not come back" "s=755" "$(modes s)"

# ---- what a later call would run ------------------------------------------------------------------------
fresh
as_id git init -q "$WS"
expect_run "a hook is proposed" 123 -m propose -- sh -c 'echo two >a; printf "#!/bin/sh\ntouch pwned\n" >.git/hooks/pre-commit; chmod 755 .git/hooks/pre-commit'
expect_eq "a hook is proposed: set aside" "held aside" "$(record '.outcome | .settled + " " + .held_as')"
hook=$(call 1)
expect_run "a later call runs none" 0 -m observe -- sh -c 'cat a; ls .git/hooks/pre-commit pwned 2>/dev/null; :'
expect_eq "a later call runs none: it is not there" one "$(cat "$OUT")"
expect_verb "a hook that a person applies" 0 apply "$hook"
check "a hook that a person applies is there" test -x "$WS/.git/hooks/pre-commit"
