#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# diff: what a person sees of a change set before deciding, from the pack alone, with nothing left out in silence.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# diff_of ARG…: stdout without its head in $OUT, with it in $OUT.all, what it said in $ERR, its exit status in RC.
diff_of()
{
	as_id "$A" diff "$@" >"$OUT.all" 2>"$ERR"
	RC=$?
	sed '1,/^[0-9]* created, [0-9]* modified, [0-9]* deleted$/d' "$OUT.all" >"$OUT"
}

# expect_diff NAME WANT ARG…: exits 0, and what is below the head is exactly WANT.
expect_diff()
{
	local name=$1 want=$2
	shift 2

	diff_of "$@"
	expect_eq "$name: exit" 0 "$RC"
	expect_eq "$name" "$want" "$(cat "$OUT")"
}

sha_of()
{
	printf '%b' "$1" | sha
}

# The pack of a call: one is enough here.
pack_of()
{
	find "$AIRLOCK_STATE/wf" -name "pack-$1-01.alp"
}

# ---- every kind of change ------------------------------------------------------------------------
printf 'one\ntwo\nthree\n' >"$WS/a"
printf 'old\n' >"$WS/gone"
printf 'b\0in' >"$WS/bin"
printf 'KEY=first\n' >"$WS/.env"
ln -s a "$WS/lnk"
echo m >"$WS/mode"
mkdir "$WS/dir"
chmod 644 "$WS/a" "$WS/gone" "$WS/bin" "$WS/.env" "$WS/mode"
chmod 755 "$WS/dir"
own "$WS/a" "$WS/gone" "$WS/bin" "$WS/.env" "$WS/lnk" "$WS/mode" "$WS/dir"
expect_run "a tool that fails" 3 -- sh -c 'umask 022; sed -i s/two/TWO/ a; rm gone; printf "b\0im" >bin; echo KEY=2nd >.env
	ln -sfn dir lnk; ln -s a new; chmod 755 mode; mkdir -p d/e; printf "\033[31mred\033[0m\n\tt\r\n" >d/e/esc
	printf nonl >d/nonl; : >d/empty; mkdir -p .git/hooks; echo hi >.git/hooks/pre-commit; rmdir dir; echo now >dir; exit 3'
want="
modify .env (file, 0644)
  before 10 B, sha256 $(sha_of 'KEY=first\n')
  not shown: its name may stand for a secret, so it is never stored
  after  8 B, sha256 $(sha_of 'KEY=2nd\n')
  not shown: its name may stand for a secret, so it is never stored

create .git (directory, 0755)

create .git/hooks (directory, 0755)

create .git/hooks/pre-commit (file, 0644)
  HELD for a person: $(record '.outcome.changes.items[] | select(.hold != null) | .hold')
--- /dev/null
+++ b/.git/hooks/pre-commit
@@ -0,0 +1 @@
+hi

modify a (file, 0644)
--- a/a
+++ b/a
@@ -1,3 +1,3 @@
 one
-two
+TWO
 three

modify bin (file, 0644)
  before binary, 4 B, sha256 $(sha_of 'b\0in')
  after  binary, 4 B, sha256 $(sha_of 'b\0im')

create d (directory, 0755)

create d/e (directory, 0755)

create d/e/esc (file, 0644)
--- /dev/null
+++ b/d/e/esc
@@ -0,0 +1,2 @@
+\\033[31mred\\033[0m
+	t\\015

create d/empty (file, 0644)

create d/nonl (file, 0644)
--- /dev/null
+++ b/d/nonl
@@ -0,0 +1 @@
+nonl
\\ No newline at end of file

replace dir (directory, 0755 -> file, 0644)
--- /dev/null
+++ b/dir
@@ -0,0 +1 @@
+now

delete gone (file, 0644)
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-old

modify lnk (link)
  target a -> dir

mode mode (file, 0644 -> 0755)

create new (link)
  target a"
expect_diff "every kind" "$want" @last
call=$(record .planned.call)
digest=$(record .outcome.changes.digest)
expect_eq "the head" "call $call: failed, held (aside)
change set $digest
airlock apply --digest $digest ${call:0:13}
9 created, 6 modified, 1 deleted" "$(head -n 5 "$OUT.all" | grep -v '^command ')"
expect_diff "by a start of its id" "$want" "${call:0:13}"
expect_eq "the workspace is not read" 3 "$(wc -l <"$WS/a")"
echo changed >"$WS/a"
expect_diff "also when it changed" "$want" "$call"
expect_no_match "no byte of a secret" KEY= "$OUT"
check "no control byte at all" test "$(tr -d '[:print:]\n\t' <"$OUT.all" | wc -c)" = 0

expect_diff "--stat" " .env                  | not compared 10 B -> 8 B
 .git                  | directory, 0755
 .git/hooks            | directory, 0755
 .git/hooks/pre-commit | 1 +
 a                     | 2 +-
 bin                   | binary 4 B -> 4 B
 d                     | directory, 0755
 d/e                   | directory, 0755
 d/e/esc               | 2 ++
 d/empty               | 0
 d/nonl                | 1 +
 dir                   | 1 +
 gone                  | 1 -
 lnk                   | link
 mode                  | file, 0644 -> 0755
 new                   | link
 16 paths changed, 6 insertions(+), 2 deletions(-)" --stat @last

as_id "$A" diff --json @last >"$OUT"
expect_eq "--json: what is approved" "$digest" "$(jq -r .digest "$OUT")"
expect_eq "--json: the call, and its state" "$call held" "$(jq -r '"\(.call) \(.settled)"' "$OUT")"
expect_eq "--json: the record's items" "$(record '.outcome.changes.items' | jq -cS 'map(del(.watched))')" \
	"$(jq -cS '[.items[] | del(.target, .xattrs)]' "$OUT")"
expect_eq "--json: targets" "dir a" "$(jq -r '[.items[] | .target | values] | join(" ")' "$OUT")"
expect_eq "one line, sorted keys" 1 "$(wc -l <"$OUT")"

# ---- a terminal ----------------------------------------------------------------------------------
on_terminal()
{
	as_id env TERM=xterm "$@" script -qec "$A diff @last" /dev/null </dev/null | tr -d '\r'
}
on_terminal >"$OUT"
expect_match "coloured on a terminal" $'\033[32m+TWO\033[0m' "$OUT"
expect_match "but escaped" '+\033[31mred\033[0m' "$OUT"
expect_no_match "nothing of the tool's own colour" $'\033[31mred' "$OUT"
on_terminal NO_COLOR=1 >"$OUT"
expect_no_match "NO_COLOR" $'\033' "$OUT"
expect_match "NO_COLOR: the text" '+TWO' "$OUT"

# ---- names ---------------------------------------------------------------------------------------
new_ws
expect_run "names that a tool made up" 1 -- sh -c 'echo x >"$(printf "a\nb\033[2Jc\\\\d")"; ln -s "$(printf "t\033[2J")" l; exit 1'
diff_of @last
expect_match "a name is escaped" '+++ b/a\012b\033[2Jc\134d' "$OUT"
expect_match "a target too" '  target t\033[2J' "$OUT"
check "no control byte" test "$(tr -d '[:print:]\n' <"$OUT.all" | wc -c)" = 0

# ---- what is not shown ---------------------------------------------------------------------------
new_ws
head -c 9000000 /dev/zero | tr '\0' x >"$WS/large"
own "$WS/large"
expect_run "a file that is too large" 1 -- sh -c 'echo y >>large; exit 1'
diff_of @last
expect_eq "too large: exit" 0 "$RC"
expect_eq "too large: said of both sides" 2 "$(grep -cF 'not shown: it is too large to be compared here; airlock cat writes it' "$OUT")"
expect_match "too large: its digest" "sha256 $(sha256sum "$WS/large" | cut -d' ' -f1)" "$OUT"

mkdir "$T/profiles"
sed 's/^  inputs: .*/  inputs: digests/' "$E2E_DIR/../../profiles/base.yaml" >"$T/profiles/base.yaml"
own "$T/profiles"
new_ws
echo before >"$WS/f"
own "$WS/f"
expect_rc "capture.inputs: digests" 1 as_id env AIRLOCK_PROFILES="$T/profiles" "$A" run -w "$WS" -- sh -c 'echo after >f; exit 1'
diff_of @last
expect_eq "digests: exit" 0 "$RC"
expect_eq "digests: said of both sides" 2 "$(grep -cF 'not shown: the profile has capture.inputs: digests' "$OUT")"
expect_match "digests: what it would be" "after  6 B, sha256 $(sha_of 'after\n')" "$OUT"

# ---- all of a workflow ---------------------------------------------------------------------------
as_id "$A" diff --workflow local >"$OUT" 2>"$ERR"
expect_eq "--workflow: exit" 0 $?
expect_eq "--workflow: the held sets, oldest first" \
	"$(as_id "$A" log -n 0 --json | jq -r 'select(.settled == "held") | "call \(.call): \(.verdict), held (aside)"')" \
	"$(grep '^call ' "$OUT")"
expect_eq "--workflow: four of them" 4 "$(grep -c '^call ' "$OUT")"
expect_eq "--workflow --json: one object a line" 4 "$(as_id "$A" diff --workflow local --json | jq -r .digest | wc -l)"
expect_rc "--workflow: an unknown one has nothing" 0 as_id "$A" diff --workflow nobodys
expect_run "a call that succeeds" 0 -- sh -c 'echo ok >ok'
as_id "$A" diff --workflow local 2>/dev/null | grep -c '^call ' >"$OUT"
expect_eq "--workflow: what is committed is not in it" 4 "$(cat "$OUT")"
diff_of @last
expect_match "but it can be seen" '+ok' "$OUT"

# ---- what cannot be shown ------------------------------------------------------------------------
expect_run "a call that changes nothing" 0 -- true
expect_out "changed nothing" "call $(record .planned.call): ok, none
command true
it changed nothing in the workspace" as_id "$A" diff @last

new_ws
expect_run "content that one call stores" 0 -- sh -c 'echo first >f; echo stays >g'
first=$(record .planned.call)
expect_run "and another one changes" 1 -- sh -c 'echo second >f; echo more >>g; exit 1'
pack=$(pack_of "$first")
mv "$pack" "$T/away.alp"
diff_of @last
expect_eq "a missing pre-image: exit" 1 "$RC"
expect_match "a missing pre-image: which and why" \
	"NOT SHOWN: its object $(sha_of 'first\n') is in no pack of the workflow: removed, or not restored" "$OUT"
expect_match "the other file is named as well" "$(sha_of 'stays\n')" "$OUT"
expect_match "what comes is shown all the same" '+second' "$OUT"
expect_match "and it is said at the end" "airlock: $(record .planned.call): not all of the change set could be shown" "$ERR"
as_id "$A" diff --stat @last >"$OUT" 2>&1
expect_eq "--stat: exit" 1 $?
expect_match "--stat says it" ' f | NOT READ: its object' "$OUT"
mv "$T/away.alp" "$pack"
diff_of @last
expect_eq "put back: exit" 0 "$RC"
expect_match "put back: shown" '-first' "$OUT"

# One byte of a stored content. In place: another inode would have another owner.
edit_pack()
{
	sed "s/$1/$2/" "$pack" >"$T/edited"
	cat "$T/edited" >"$pack"
}
edit_pack first fIrst
diff_of @last
expect_eq "a damaged object: exit" 1 "$RC"
expect_match "a damaged object: said" "NOT SHOWN: " "$OUT"
expect_no_match "a damaged object: not shown" fIrst "$OUT"
edit_pack fIrst first

list=$(record .outcome.changes.object)
rm "$(pack_of "$(record .planned.call)")"
as_id "$A" diff @last >"$OUT" 2>"$ERR"
expect_eq "without the list: exit" 1 $?
expect_eq "without the list: nothing is shown" "" "$(cat "$OUT")"
expect_match "without the list: said" "the change list, object $list, is in no pack of the workflow: removed, or not restored" "$ERR"
as_id "$A" diff --workflow local >"$OUT" 2>"$ERR"
expect_eq "--workflow: exit 1 for the one" 1 $?
expect_eq "--workflow: the others are shown" 4 "$(grep -c '^call ' "$OUT")"

start_airlock -- sleep 100
wait_for 10 test "$(as_id "$A" log --verdict unknown --json | wc -l)" = 1
wait_for 10 sh -c "$(printf '%q ' "${E2E_AS_ID[@]}" "$A") log --verdict unknown --json | grep -q sleep"
as_id "$A" diff @last >"$OUT" 2>"$ERR"
expect_eq "a running call: exit" 1 $?
expect_match "a running call: said" "no change set is recorded: the call has no outcome; it still runs, or airlock was killed in it" "$ERR"
kill -TERM "$PID"
wait "$PID"

# ---- asked wrongly -------------------------------------------------------------------------------
expect_rc "no call" 125 as_id "$A" diff
expect_rc "two calls" 125 as_id "$A" diff @last @last
expect_rc "a call and a workflow" 125 as_id "$A" diff @last --workflow local
expect_rc "--stat and --json" 125 as_id "$A" diff @last --stat --json
expect_rc "no such call" 1 as_id "$A" diff ffffffff

# A list too long for the record: what is held or watched is named all the same, and marked.
expect_run "more that is held than the record names" 123 -- \
	sh -c 'for i in $(seq 1010); do mkdir "d$i" && : >"d$i/.envrc"; done; : >zs; : >zt; chmod 4755 zs zt'
as_id "$A" diff @last >"$OUT"
expect_eq "what is not marked is counted" "2 more of them are held, and not marked: the record names no more 1010" \
	"$(grep -a "not marked" "$OUT") $(grep -ac "HELD for a person: built-in" "$OUT")"
as_id "$A" discard @last >/dev/null
expect_run "many names before those that count" 123 -- sh -c 'mkdir "+many" && cd "+many" && seq 1000 | xargs touch && cd .. &&
	mkdir -p z/.git/hooks && echo x | tee AGENTS.md "+many/.envrc" >z/.git/hooks/post-commit'
expect_eq "the record names what is held and watched" "true 1000 +many/.envrc AGENTS.md z/.git/hooks/post-commit" \
	"$(record '.outcome.changes | "\(.truncated) \(.items | length) \([.items[] | select(.hold or .watched) | .path] | join(" "))"')"
as_id "$A" show @last >"$OUT" 2>&1
expect_eq "LOOK FIRST names them" 3 "$(sed -n '/^LOOK FIRST/,/^$/p' "$OUT" | grep -c 'envrc\|AGENTS.md\|post-commit')"
as_id "$A" diff @last >"$OUT" 2>&1
expect_eq "diff marks both" 2 "$(grep -c HELD "$OUT")"
as_id "$A" discard @last >/dev/null 2>&1
expect_run "more held than the record names" 123 -- sh -c 'mkdir h && cd h && seq 1010 | xargs mkdir && for d in *; do : >"$d/.envrc"; done'
as_id "$A" diff @last >"$OUT" 2>&1
expect_eq "more held than the record names: diff marks all" 1010 "$(grep -c HELD "$OUT")"
as_id "$A" show @last >"$OUT" 2>&1
expect_match "more held than the record names: how many" "10 that the record does not name" "$OUT"
