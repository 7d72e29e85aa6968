#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The workspace is changed from outside while a tool runs: what was touched by both is a conflict and nothing at all is
# committed; what was not is no matter. The tool says "up" and waits for a line on its input; in between the test acts.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

said()
{
	grep -q "$1" "$OUT"
}

# meanwhile TOOL ACT: runs the script TOOL in the workspace; ACT is run from outside as the identity after "up".
meanwhile()
{
	rm -f "$T/.go"
	mkfifo "$T/.go"
	: >"$OUT" # what an earlier call said must not pass for this one's
	as_id "$A" run -w "$WS" -- sh -c "$1" <"$T/.go" >"$OUT" 2>"$ERR" &
	local job=$!
	exec 7>"$T/.go"
	if wait_for 20 said up; then
		as_id sh -c "cd '$WS' && $2"
	else
		not_ok "the tool came up" "$(cat "$ERR")"
	fi
	echo go >&7
	exec 7>&-
	wait "$job"
	RC=$?
}

# A workspace that the conflicts start from; older than the call by a write of its own.
fresh()
{
	new_ws
	as_id sh -c "cd '$WS' && echo a >a && echo b >b && mkdir -p d/e && echo f >d/e/f && ln -s a l"
}

content()
{
	(cd "$WS" && find . -mindepth 1 \( -type f -printf '%P=' -exec cat {} \; \) -o \( ! -type d -printf '%P>%l\n' \) | LC_ALL=C sort |
		tr '\n' ' ' | sed 's/ $//')
}

# expect_conflict NAME WHO TOOL ACT AFTER: exit 123, nothing of the tool's is there, what was done from outside is.
# WHO is the first touched path in order that does not hold: a change of a directory's entries counts for all in it.
expect_conflict()
{
	local name=$1 who=$2 tool=$3 act=$4 after=$5

	fresh
	case $tool in
	*"echo up"*) ;;
	*) tool="echo up; read go; $tool" ;;
	esac
	meanwhile "$tool" "$act"
	expect_eq "$name: exit" 123 "$RC"
	expect_eq "$name: verdict" "ok held" "$(record '.outcome | "\(.verdict) \(.settled)"')"
	expect_match "$name: the reason names it" "conflict: $who: " "$ERR"
	expect_eq "$name: the workspace is as it was made from outside" "$after" "$(content)"
	expect_eq "$name: no staging is left" "" "$(find "$WS" -name '.airlock*')"
}

# ---- positive control ----------------------------------------------------------------------------
fresh
meanwhile 'echo up; read go; echo tool >>a' 'echo outside >>d/e/f'
expect_eq "another file in another directory: exit" 0 "$RC"
expect_eq "another file in another directory: both are there" "a=a tool b=b d/e/f=f l>a outside" \
	"$(content | tr ' ' '\n' | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//; s/^a=a \(.*\) outside tool$/a=a tool \1 outside/')"
expect_eq "another file: the input was unstable" "true" "$(record '.outcome.in_tree.unstable | . != null')"

# ---- conflicts -----------------------------------------------------------------------------------
expect_conflict "modified by both" a 'echo tool >>a; echo n >n' 'echo outside >a' \
	"a=outside b=b d/e/f=f l>a"
expect_conflict "modified here, deleted there" a 'echo tool >>a; echo n >n' 'rm a' \
	"b=b d/e/f=f l>a"
expect_conflict "deleted here, modified there" a 'rm a; echo n >n' 'echo outside >a' \
	"a=outside b=b d/e/f=f l>a"
expect_conflict "created by both" b 'echo tool >n; echo tool >>b' 'echo outside >n' \
	"a=a b=b d/e/f=f l>a n=outside"
expect_conflict "replaced by a link there" a 'echo tool >>a; echo up; read go' 'ln -sf b a' \
	"a>b b=b d/e/f=f l>a"
expect_conflict "same content, new file, old times" a 'echo tool >>a' 'cp -p a t && mv t a' \
	"a=a b=b d/e/f=f l>a"
expect_conflict "mode there" a 'echo tool >>a' 'chmod 600 a' \
	"a=a b=b d/e/f=f l>a"
expect_conflict "deleted tree here, a file put into it there" d/e 'rm -r d' 'echo outside >d/e/new' \
	"a=a b=b d/e/f=f d/e/new=outside l>a"

# ---- a directory becomes a link ------------------------------------------------------------------
as_id mkdir "$T/outside" "$T/outside/e"
as_id sh -c "echo precious >'$T/outside/e/f'"
expect_conflict "a directory replaced by a link out" d 'echo tool >d/e/f; echo x >d/e/x; echo up; read go' \
	"mv d d.old && ln -s '$T/outside' d" "a=a b=b d.old/e/f=f d>$T/outside l>a"
expect_eq "a directory replaced by a link out: outside is as it was" "f precious" \
	"$(ls "$T/outside/e") $(cat "$T/outside/e/f")"
expect_conflict "a directory replaced by a link inside" d/e 'echo tool >d/e/f; echo up; read go' \
	"mv d/e g && ln -s ../g d/e" "a=a b=b d/e>../g g/f=f l>a"

# ---- many at once --------------------------------------------------------------------------------
# Calls beside each other on one workspace: each file is made by one of them, all are there, and none is torn.
new_ws many
for i in 1 2 3 4; do
	as_id mkdir "$WS/$i"
done
jobs=()
for i in 1 2 3 4; do
	as_id "$A" run -w "$WS" -- sh -c 'for n in 1 2 3 4 5; do echo "$1" >"$1/$n"; done' - "$i" >"$T/.many$i" 2>&1 &
	jobs+=($!)
done
statuses=
for job in "${jobs[@]}"; do
	wait "$job"
	statuses="$statuses $?"
done
expect_eq "beside each other in different directories: all are committed" " 0 0 0 0 20" \
	"$statuses $(find "$WS" -type f | wc -l)$(cat "$T"/.many?)"


new_ws
as_id sh -c 'echo a >"$1/$(printf "x\nairlock: committed\033[1m")"' sh "$WS"
meanwhile 'echo up; read go; for f in *; do echo tool >"$f"; done' 'for f in *; do echo mine >"$f"; done'
expect_eq "a name is no line of its own: exit" 123 "$RC"
expect_eq "a name is no line of its own" 1 "$(wc -l <"$ERR")"
expect_match "a name is no line of its own: but is named" 'conflict: x\012airlock: committed\033[1m: ' "$ERR"

# ---- immutable and append-only -------------------------------------------------------------------
# A rename out of an append-only directory is refused, also the one that would put back what was done: nothing is begun.
# fixed NAME WHAT FLAG PATH: a held change set meets a flag that was set on PATH since.
fixed()
{
	local before

	new_ws
	as_id sh -c "cd '$WS' && mkdir d && echo old >a && echo old >d/old && echo old >z"
	run_airlock -m propose -- sh -c 'echo new >a; echo new >d/new; echo new >new; echo new >z'
	before=$(tree)
	if ! chattr "$3" "$WS/$4" 2>/dev/null; then
		skip "$1" "chattr $3 is refused here"
		return
	fi
	expect_verb "$1: apply" 1 apply @last
	expect_match "$1: says what" "commit: $2: it cannot be changed: immutable or append-only" "$ERR"
	expect_eq "$1: nothing is begun" "$before" "$(tree)"
	expect_verb "$1: nothing to recover" 0 recover
	expect_eq "$1: and that is said" "nothing to recover" "$(cat "$OUT")"
	chattr -i -a "$WS/$4"
	expect_verb "$1: without the flag" 0 apply @last
	expect_eq "$1: all is there" "a=new d>new=new,old=old new=new z=new" \
		"a=$(cat "$WS/a") d>new=$(cat "$WS/d/new"),old=$(cat "$WS/d/old") new=$(cat "$WS/new") z=$(cat "$WS/z")"
}
tree()
{
	as_id sh -c "cd '$WS' && find . | sort && cat a d/old z" | paste -sd' '
}
fixed "an append-only workspace" . +a .
fixed "an append-only directory" d +a d
fixed "an immutable directory" d +i d
fixed "an immutable file" z +i z
fixed "an append-only file" z +a z
