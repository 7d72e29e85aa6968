#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `workspace: snapshot`: a call works on a private copy of the workspace and holds no lock. Others commit meanwhile; what it
# changed itself is committed where the workspace is still as it was copied, and is a conflict where it is not.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

mkdir "$T/profiles"
printf 'version: 1\nname: copy\ndescription: x\nextends: default\nworkspace: snapshot\n' >"$T/profiles/copy.yaml"
printf 'version: 1\nname: small\ndescription: x\nextends: copy\nlimits:\n  disk: 64KiB\n' >"$T/profiles/small.yaml"
printf 'version: 1\nname: few\ndescription: x\nextends: copy\nlimits:\n  files: 16\n' >"$T/profiles/few.yaml"
memory_mib=$(($(awk '/^MemTotal:/ { print $2 }' /proc/meminfo) / 1024))
printf 'version: 1\nname: disk\ndescription: x\nextends: default\nworkspace: snapshot\nlimits:\n  disk: %sMiB\n' \
	$((memory_mib / 2 + 512)) >"$T/profiles/disk.yaml"
printf 'version: 1\nname: wide\ndescription: x\nextends: copy\nworkspace: shared\n' >"$T/profiles/wide.yaml"
own "$T/profiles"
export AIRLOCK_PROFILES=$T/profiles

fresh()
{
	new_ws
	as_id sh -c "cd '$WS' && echo a >a && mkdir -p d/e && echo f >d/e/f && echo g >d/g && ln -s a l && chmod 755 d/g"
}

# tree: names, types, modes, times and contents of the workspace, but for its root's own
tree()
{
	(cd "$WS" && find . -mindepth 1 -printf '%P %y %m %T@ %l\n' -type f -exec sha256sum {} \; | LC_ALL=C sort)
}

# up ARG…: a call that says "up", waits for a line, and goes on with its script. let_go ends the wait.
up()
{
	rm -f "$T/go"
	mkfifo "$T/go"
	exec 7<>"$T/go"
	: >"$T/up.out" # what an earlier call said must not pass for this one's
	(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" --result "$T/up.json" "$@" <"$T/go" >"$T/up.out" 2>"$T/up.err" 7>&-) &
	UP=$!
	wait_for 20 grep -q up "$T/up.out" || not_ok "the tool came up" "$(cat "$T/up.err")"
}

let_go()
{
	exec 7>&-
	wait "$UP"
	RC=$?
}

settled()
{
	jq -r '"\(.verdict) \(.settled) \(.reason)"' "$T/up.json"
}

copies()
{
	find "$AIRLOCK_STATE/scratch" -mindepth 1 -maxdepth 1 -name '*-workspace' | wc -l
}

no_copy()
{
	[ "$(copies)" = 0 ]
}

# ---- what the tool sees --------------------------------------------------------------------------
fresh
as_id touch -d 2001-02-03T04:05:06.789 "$WS/d/g" "$WS/d"
before=$(tree)
look='find . -mindepth 1 -printf "%P %y %m %T@ %l\n" -type f -exec sha256sum {} \; | LC_ALL=C sort'
expect_run "a call on a copy" 0 -p copy -m observe -- sh -c "$look"
expect_eq "sees the workspace as it is" "$before" "$(cat "$OUT")"
expect_eq "and where it is" "$WS" "$(as_id "$A" run -w "$WS" -p copy -m observe -- pwd)"
expect_eq "the record says that it was a copy" "true stable" \
	"$(record '"\(.planned.workspace.snapshot) \(if .outcome.in_tree.unstable then "unstable" else "stable" end)"')"
as_id "$A" show @last >"$OUT"
expect_match "so does show" "  workspace   $WS (a copy of it)" "$OUT"
run_airlock -m observe -- true
expect_eq "another call was not" false "$(record .planned.workspace.snapshot)"
check "the copy goes away" wait_for 10 no_copy

# ---- commit --------------------------------------------------------------------------------------
fresh
expect_run "changes of every kind" 0 -p copy -- \
	sh -c 'echo new >a; rm -r d/e; chmod 600 d/g; mkdir n; echo x >n/x; ln -sf d l'
expect_eq "are committed" "ok committed" "$(record '.outcome | "\(.verdict) \(.settled)"')"
expect_eq "and all of it is there" "a=new d/g:600 l>d n/x=x" \
	"a=$(cat "$WS/a") d/g:$(stat -c %a "$WS/d/g") l>$(readlink "$WS/l") n/x=$(cat "$WS/n/x")"
expect_eq "what was deleted is gone" "" "$(ls "$WS/d/e" 2>/dev/null)"
expect_run "a call that changes nothing" 0 -p copy -- true
expect_eq "has nothing to settle" "ok none" "$(record '.outcome | "\(.verdict) \(.settled)"')"

fresh
expect_run "with the upper directory on disk too" 0 -p disk -- sh -c 'echo new >a; rm d/g'
expect_eq "it is committed" "committed new e" "$(record .outcome.settled) $(cat "$WS/a") $(ls "$WS/d")"

# ---- beside others -------------------------------------------------------------------------------
fresh
up -p copy -- sh -c 'echo up; read go; cat a; echo mine >d/g'
expect_run "another call commits meanwhile" 0 -- sh -c 'echo other >a'
expect_eq "at once" other "$(cat "$WS/a")"
let_go
expect_eq "the first one has seen nothing of it" "up a" "$(paste -sd' ' "$T/up.out")"
expect_eq "and commits what the other did not touch" "0 ok committed null other mine" \
	"$RC $(settled) $(cat "$WS/a") $(cat "$WS/d/g")"
expect_eq "its input was stable" stable "$(jq -r .input "$T/up.json")"

fresh
up -p copy -- sh -c 'echo up; read go; echo mine >a; echo mine >d/g'
expect_run "another call commits to the same file" 0 -- sh -c 'echo other >d/g'
let_go
expect_eq "that is a conflict" "123 ok held conflict: d/g: it was changed since it was copied" "$RC $(settled)"
expect_eq "and nothing of it is there" "a other" "$(cat "$WS/a") $(cat "$WS/d/g")"

fresh
up -p copy -- sh -c 'echo up; read go; rm -r d'
expect_run "another call puts a file where this one deletes" 0 -- sh -c 'echo other >d/e/n'
let_go
expect_eq "that is one" "123 ok held conflict: d/e/n: it was changed since it was copied" "$RC $(settled)"
expect_eq "nothing was deleted" "f other" "$(cat "$WS/d/e/f") $(cat "$WS/d/e/n")"

fresh
up -p copy -- sh -c 'echo up; read go; echo mine >new'
as_id sh -c "echo editor >'$WS/new'"
let_go
expect_eq "a file that both made" "123 ok held conflict: new: it was changed since it was copied editor" "$RC $(settled) $(cat "$WS/new")"

# Where git looks may change meanwhile: what is a hook by then is nobody's to commit.
for mode in apply propose; do
	fresh
	as_id git -C "$WS" init -q
	up -p copy -m "$mode" -- sh -c 'echo up; read go; echo x >d/pre-commit; chmod +x d/pre-commit'
	as_id git -C "$WS" config core.hooksPath d
	let_go
	expect_eq "a hook since it was copied ($mode)" \
		"123 ok held d/pre-commit is held for a person: built-in: core.hooksPath: git runs these aside" \
		"$RC $(settled) $(jq -r .held_as "$T/up.json")"
	expect_eq "and the record marks it ($mode)" "d/pre-commit 1" \
		"$(record '.outcome.changes | "\(.items[] | select(.hold != null) | .path) \(.held)"')"
	check "it is not there ($mode)" test ! -e "$WS/d/pre-commit"
done

# The same bytes by both are no conflict of contents, but one of kinds: it is there already.
fresh
up -p copy -- sh -c 'echo up; read go; echo same >a'
as_id sh -c "echo same >'$WS/a'"
let_go
expect_eq "what both did alike" "123 ok held conflict: a: it was changed since it was copied same" "$RC $(settled) $(cat "$WS/a")"

# ---- held ----------------------------------------------------------------------------------------
# held: what `airlock pending` has of the workspace's draft, and of what is set aside
held()
{
	find "$AIRLOCK_STATE"/wf/*/"$1" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l
}
drafts=$(held draft) asides=$(held aside)
fresh
expect_run "a proposal" 0 -p copy -m propose -- sh -c 'echo mine >a'
expect_eq "is part of the draft" "held $((drafts + 1)) $asides" "$(record .outcome.settled) $(held draft) $(held aside)"
expect_run "a later call of the workflow sees it" 0 -p copy -m observe -- cat a
expect_eq "and shares the workspace" "mine the workflow has a draft: the call shares the workspace, as workspace: shared false" \
	"$(cat "$OUT") $(record '"\(.outcome.warnings[0]) \(.planned.workspace.snapshot)"')"
fresh
up -p copy -m propose -- sh -c 'echo up; read go; echo mine >a'
as_id sh -c "echo editor >'$WS/a'"
let_go
expect_eq "one that does not fit any more is set aside" \
	"123 ok held conflict: a: it was changed since it was copied $((drafts + 1)) $((asides + 1))" \
	"$RC $(settled) $(held draft) $(held aside)"

# ---- it waits for those that run, to commit ------------------------------------------------------
fresh
up -m observe -- sh -c 'echo up; read go'
(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" -p copy --result "$T/beside.json" -- sh -c 'echo copy >a' </dev/null >/dev/null 2>&1 7>&-) &
beside=$!
gate=$AIRLOCK_STATE/cache/lock-$(printf '%x-%x' "$(stat -c %d "$WS")" "$(stat -c %i "$WS")")
is_waited_for()
{
	! as_id flock -n -s "$gate" true
}
check "it waits for a call that shares the workspace" wait_for 10 is_waited_for
expect_eq "and has not committed" a "$(cat "$WS/a")"
let_go
wait "$beside"
expect_eq "then it commits" "0 committed null copy" "$? $(jq -r "\"\(.settled) \(.reason)\"" "$T/beside.json") $(cat "$WS/a")"

# ---- bounds --------------------------------------------------------------------------------------
fresh
as_id head -c 100000 /dev/zero >"$T/zeros"
as_id sh -c "tr '\0' x <'$T/zeros' >'$WS/big'"
expect_run "more than limits.disk" 125 -p small -m observe -- true
expect_match "is refused" \
	"airlock: the workspace's copy takes more than limits.disk (65536 bytes): raise that, or use workspace: shared" "$ERR"
as_id rm "$WS/big"
expect_run "less is not" 0 -p small -m observe -- true
as_id sh -c "cd '$WS' && touch 1 2 3 4 5 6 7 8 9 10 11 12"
expect_run "more than limits.files" 125 -p few -m observe -- true
expect_match "too" "airlock: the workspace's copy has more than limits.files (16 entries), or is deeper than 1024: raise that, or use workspace: shared" "$ERR"
check "nothing of them stays" wait_for 10 no_copy

# ---- the end -------------------------------------------------------------------------------------
fresh
up -p copy -m observe -- sh -c 'echo up; read go'
expect_eq "while it runs there is a copy" 1 "$(copies)"
kill -KILL "$UP"
let_go 2>/dev/null
run_airlock -m observe -- true
check "what a killed call left is swept" wait_for 10 no_copy

# ---- the profile ---------------------------------------------------------------------------------
expect_run "a child cannot go back to shared" 125 -p wide -- true
expect_match "it says so" "workspace: shared is wider than the parent's snapshot" "$ERR"
as_id "$A" profile explain copy >"$OUT"
expect_match "explain says what it means" "It works on a private copy of the workspace" "$OUT"

# ---- root ----------------------------------------------------------------------------------------
if [ "$E2E_IDENTITY" = root ]; then
	# In a user's workspace root becomes that user first; the copy is the user's.
	install -d -o "$E2E_USER" -m 700 "$T/state-owner"
	new_ws owners
	as_user true
	chown "$E2E_USER": "$WS"
	as_user sh -c "echo old >'$WS/f'"
	AIRLOCK_STATE=$T/state-owner
	expect_run "in a user's workspace" 0 -p copy -- sh -c 'echo new >f'
	expect_eq "it is committed, as the user's" "new $E2E_USER" "$(cat "$WS/f") $(stat -c %U "$WS/f")"
	check "and the copy goes" wait_for 10 no_copy
	AIRLOCK_STATE=$T/state-root

	new_ws mounted
	mkdir "$WS/m"
	unshare -m sh -c 'mount -t tmpfs none "$1/m" && echo above >"$1/m/above" && shift && exec "$@"' sh "$WS" \
		"$A" run -w "$WS" -p copy -m observe -- sh -c 'ls -A m | wc -l' >"$OUT" 2>"$ERR"
	expect_eq "a mount in the workspace is an empty directory" "0 0" "$? $(cat "$OUT")"
	expect_match "and it says so" "$WS/m is mounted inside the workspace: the call does not see it, but an empty directory" "$ERR"
fi
