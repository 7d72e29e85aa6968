#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Change sets: what a tool does to the workspace, what is committed of it, what is held and why, what the record says.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# What the workspace holds: type, mode, size of files, name, target, in order.
tree()
{
	(cd "$WS" && find . -mindepth 1 -printf '%y%m %P %l\n' | sed 's/ $//' | LC_ALL=C sort -k2)
}

# The change list of the last call: kind and path.
changes()
{
	record '.outcome.changes.items[] | "\(.kind) \(.path)"'
}

settled()
{
	record '.outcome | "\(.verdict) \(.settled) \(.changes | "\(.created) \(.modified) \(.deleted) \(.held)")"'
}

# expect_held NAME WHY ARG…: the tool succeeds, its changes are held for WHY, and the workspace is as it was.
expect_held()
{
	local name=$1 why=$2 before
	shift 2

	before=$(tree)
	expect_run "$name: exit" 123 "$@"
	expect_eq "$name: verdict" "ok held" "$(record '.outcome | "\(.verdict) \(.settled)"')"
	expect_eq "$name: why" "$why" "$(record '.outcome.changes.items[] | select(.hold != null) | "\(.path): \(.hold)"')"
	expect_eq "$name: nothing at all is committed" "$before" "$(tree)"
	check "$name: one line says how to see it" grep -qE '^airlock: held: .*; airlock show [0-9a-f]{8}-[0-9a-f]{4}$' "$ERR"
	as_id "$A" discard @last >/dev/null # else it lies below what comes next
}

# ---- kinds ---------------------------------------------------------------------------------------
expect_run "create" 0 -- sh -c 'umask 022; echo a >a; mkdir -p d/e/f; echo b >d/e/f/b; ln -s a l; ln -s nowhere d/dangling; : >empty; mkdir hollow; chmod 755 a'
expect_eq "create: the tree" "f755 a
d755 d
l777 d/dangling nowhere
d755 d/e
d755 d/e/f
f644 d/e/f/b
f644 empty
d755 hollow
l777 l a" "$(tree)"
expect_eq "create: settled" "ok committed 9 0 0 0" "$(settled)"
expect_eq "create: content" "a b" "$(cat "$WS/a") $(cat "$WS/d/e/f/b")"
expect_eq "create: who owns it" "$(stat -c %u:%g "$WS")" "$(stat -c %u:%g "$WS/a" "$WS/d/e" "$WS/l" | sort -u)"
expect_eq "create: the digest of a" "$(printf 'a\n' | sha256sum | cut -d' ' -f1)" \
	"$(record '.outcome.changes.items[] | select(.path == "a") | .after')"
before=$(record '.outcome.changes.items[] | select(.path == "a") | .after')

expect_run "modify, mode, delete" 0 -- sh -c 'echo more >>a; chmod 600 d/e/f/b; rm empty; rmdir hollow; ln -sfn b l'
expect_eq "modify, mode, delete: changes" "modify a
mode d/e/f/b
delete empty
delete hollow
modify l" "$(changes | sed 's/^replace l$/modify l/')"
expect_eq "modify: content" "a more" "$(tr '\n' ' ' <"$WS/a" | sed 's/ $//')"
expect_eq "modify: before is after of the call before" "$before" \
	"$(record '.outcome.changes.items[] | select(.path == "a") | .before')"
expect_eq "mode: 600" "600" "$(stat -c %a "$WS/d/e/f/b")"
expect_eq "link: to b" "b" "$(readlink "$WS/l")"
expect_eq "delete: gone" "a
d
d/dangling
d/e
d/e/f
d/e/f/b
l" "$(cd "$WS" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort)"
expect_out "pre-image: in:a" "a" as_id "$A" cat @last in:a
expect_out "post-image: out:a" "a
more" as_id "$A" cat @last out:a
check "export" as_id "$A" export @last --to "$T/export"
check "export: the pre-image is in it" grep -rqx a "$T/export"

expect_run "directory to file, file to directory" 0 -- sh -c 'rm -r d; echo file >d; rm a; mkdir a; echo in >a/in'
expect_eq "directory to file: both" "file in" "$(cat "$WS/d") $(cat "$WS/a/in")"
expect_run "a directory is deleted and made again" 0 -- sh -c 'mkdir x; echo 1 >x/one; echo 2 >x/two'
expect_run "a directory is deleted and made again: opaque" 0 -- sh -c 'rm -r x; mkdir x; echo 3 >x/three'
expect_eq "opaque: only the new is there" "three" "$(ls "$WS/x")"
expect_run "rename" 0 -- sh -c 'mv x/three x/four; mkdir new; mv new renamed; echo y >renamed/y'
expect_eq "rename: four" "3" "$(cat "$WS/x/four")"
expect_eq "rename: a file of before" "four" "$(ls "$WS/x")"
expect_run "rename of a directory of before: mv copies" 0 -- mv x z
expect_eq "rename of a directory: z" "3" "$(cat "$WS/z/four")"
check "rename of a directory: x is gone" test ! -e "$WS/x"
expect_run "nothing changed" 0 -- sh -c 'echo tmp >tmp; rm tmp'
expect_eq "nothing changed: none" "ok none 0 0 0 0" "$(settled)"

# ---- names and modes -----------------------------------------------------------------------------
new_ws names
expect_run "names: newline, 0xff, blanks, dashes, long" 0 -- sh -c '
	echo 1 >"$(printf "new\nline")"; echo 2 >"$(printf "ff\377")"; echo 3 >" "; echo 4 >-rf; echo 5 >"\\"; echo 6 >"$(printf "esc\033[31m")"
	echo 7 >"$(printf "%0255d" 0)"'
expect_eq "names: 1 to 7" "1 2 3 4 5 6 7" "$(cat "$WS"/* | sort | tr '\n' ' ' | sed 's/ $//')"
expect_eq "names: in the record" 'new\012line ff\377' \
	"$(record '[.outcome.changes.items[].path | select(startswith("new") or startswith("ff"))] | sort | reverse | join(" ")')"
expect_out "names: cat by the name of the record" "1" as_id "$A" cat @last 'out:new\012line'
for verb in show log; do
	as_id "$A" $verb ${verb/log/-n5} >"$OUT" 2>&1 || as_id "$A" show @last >"$OUT" 2>&1
	check "names: $verb shows no control byte" bash -c '! LC_ALL=C grep -qP "[\x00-\x08\x0b-\x1f\x7f]" "$1"' - "$OUT"
done
rm -rf "${WS:?}"/*
expect_run "mode 000" 0 -- sh -c 'echo s >secret; chmod 000 secret; mkdir dark; echo d >dark/d; chmod 000 dark'
expect_eq "mode 000: kept" "0 0" "$(stat -c %a "$WS/secret" "$WS/dark" | tr '\n' ' ' | sed 's/ $//')"
expect_eq "mode 000: content" "s" "$(as_id sh -c "chmod 400 '$WS/secret'; cat '$WS/secret'")"
expect_eq "mode 000: below" "d" "$(as_id sh -c "chmod 700 '$WS/dark'; cat '$WS/dark/d'")"

# ---- never committed -----------------------------------------------------------------------------
new_ws held
as_id sh -c "echo keep >'$WS/keep'; echo one >'$WS/h1'; ln '$WS/h1' '$WS/h2'"
expect_held "setuid" "suid: setuid bit" -- sh -c 'echo x >suid; chmod 4755 suid; echo more >>keep'
expect_held "setgid" "sgid: setgid bit" -- sh -c 'echo x >sgid; chmod 2755 sgid'
expect_held "link out of the workspace" "out: link out of the workspace" -- ln -s /etc/passwd out
expect_held "link up and out" "d/out: link out of the workspace" -- sh -c 'mkdir d; ln -s ../../x d/out'
expect_run "a link that stays inside is no matter" 0 -- sh -c 'mkdir in; ln -s ../keep in/l'
expect_run "a hard link is broken" 0 -- sh -c 'echo two >>h1'
expect_eq "a hard link is broken: h2 is old, and it is told" "one 1" \
	"$(cat "$WS/h2") $(record '.outcome.changes.links_broken')"
for name in .git/hooks/pre-commit .envrc .vscode/tasks.json .npmrc sub/dir/.mcp.json .ENVRC .github/workflows/x.yml; do
	before=$(tree)
	expect_run "protected: $name" 123 -- sh -c 'echo more >>keep; mkdir -p "$(dirname "$1")"; echo x >"$1"' - "$name"
	expect_eq "protected: $name: nothing at all" "$before keep" "$(tree) $(cat "$WS/keep")"
	expect_eq "protected: $name: held, and which" "held $name" \
		"$(record '.outcome | .settled + " " + ([.changes.items[] | select(.hold != null and (.path | test("[.]"))) | .path] | last)')"
	as_id "$A" discard @last >/dev/null
done
as_id mkdir -p "$WS/.git/hooks"
expect_run "protected: a sample hook is not" 0 -- sh -c 'echo x >.git/hooks/pre-push.sample'
before=$(tree)
run_airlock -- sh -c 'mkfifo pipe; echo new >beside'
case $RC in
0) expect_eq "fifo: never committed" "false" "$([ -e "$WS/pipe" ] && echo true || echo false)" ;;
123) expect_eq "fifo: held, nothing is committed" "$before" "$(tree)" ;;
*) not_ok "fifo" "exit $RC: $(cat "$ERR")" ;;
esac
as_id "$A" discard @last >/dev/null
expect_run "device: mknod is refused" 0 -- sh -c '! mknod dev c 1 3 2>/dev/null'
check "device: none" test ! -e "$WS/dev"

# ---- attributes that are not kept ----------------------------------------------------------------
# set_acl FILE: one entry more than the mode says.
cat >"$WS/set_acl" <<'EOF'
import os, struct, sys
def entry(tag, perm, who=0xffffffff):
    return struct.pack("<HHI", tag, perm, who)
os.setxattr(sys.argv[1], "system.posix_acl_access", struct.pack("<I", 2) + entry(1, 6) + entry(2, 4, os.getuid()) +
            entry(4, 4) + entry(16, 4) + entry(32, 4))
EOF
own "$WS"
expect_run "lost: an ACL" 0 -- sh -c 'echo x >acl; python3 set_acl acl; echo y >plain'
expect_eq "lost: counted" 1 "$(record .outcome.changes.lost)"
expect_eq "lost: and named" "attributes of 1 entry are not kept by a commit: system.posix_acl_access of acl" \
	"$(record '.outcome.warnings[]')"
expect_run "lost: of an old file, in its place" 0 -- sh -c 'python3 set_acl plain; echo z >third'
expect_eq "lost: of an old file: named" "1 attributes of 1 entry are not kept by a commit: system.posix_acl_access of plain" \
	"$(record '.outcome | "\(.changes.lost) \(.warnings[])"')"
expect_run "lost: nothing" 0 -- sh -c 'echo more >>acl'
expect_eq "lost: nothing: said" "0 0" "$(record '.outcome | "\(.changes.lost) \(.warnings | length)"')"
rm -f "$WS/set_acl" "$WS/acl" "$WS/plain" "$WS/third"

# ---- watched -------------------------------------------------------------------------------------
expect_run "watched" 0 -v --result "$T/result" -- sh -c 'echo x >beside; echo "be kind" >AGENTS.md; mkdir -p doc; echo y >doc/Claude.MD'
expect_eq "watched: committed" "ok committed 4 0 0 0 2" "$(settled) $(record '.outcome.changes.watched')"
expect_eq "watched: which, and why" "AGENTS.md: built-in: agents.md: instructions of an agent
doc/Claude.MD: built-in: claude.md: instructions of an agent" \
	"$(record '.outcome.changes.items[] | select(.watched != null) | "\(.path): \(.watched)"')"
expect_match "watched: the note names the first" ", watched: AGENTS.md and 1 more" "$ERR"
expect_eq "watched: the result counts them" 2 "$(jq .changes.watched "$T/result")"
as_id "$A" show @last 2>&1 | tr -s " \n" " " >"$OUT"
expect_match "watched: show names the rule" "watched: built-in: agents.md: instructions of an agent" "$OUT"
expect_run "watched: not when nothing of it changed" 0 -- sh -c 'cat AGENTS.md; echo z >>beside'
expect_eq "watched: not when nothing of it changed: none" 0 "$(record '.outcome.changes.watched')"
expect_run "watched: in a held directory it is held" 123 -- sh -c 'mkdir .claude; echo x >.claude/CLAUDE.md'
expect_eq "watched: in a held directory it is held: not both" 0 "$(record '.outcome.changes.watched')"
as_id "$A" discard @last >/dev/null

# ---- profiles ------------------------------------------------------------------------------------
mkdir "$T/profiles"
printf 'version: 1\nname: deploy\ndescription: x\nextends: default\nfilesystem: { protect: [deploy/] }\n' >"$T/profiles/deploy.yaml"
printf 'version: 1\nname: refuse\ndescription: x\nextends: default\nmode: observe\nobserve_writes: refuse\n' >"$T/profiles/refuse.yaml"
own "$T/profiles"
expect_run "protect: elsewhere" 0 -p "$T/profiles/deploy.yaml" -- sh -c 'echo x >deployment'
before=$(tree)
expect_run "protect: deploy/" 123 -p "$T/profiles/deploy.yaml" -- sh -c 'mkdir deploy; echo x >deploy/x'
expect_eq "protect: nothing" "$before" "$(tree)"
check "protect: the profile is named" grep -q 'profile: deploy' "$ERR"
as_id "$A" discard @last >/dev/null

# A change set that is larger than the profile expects, by either measure, and one that is just not.
printf 'version: 1\nname: few\ndescription: x\nextends: default\nfilesystem:\n  hold_above: { files: 3, bytes: 10B }\n' \
	>"$T/profiles/few.yaml"
printf 'version: 1\nname: wider\ndescription: x\nextends: %s\nfilesystem: { hold_above: { files: 4 } }\n' "$T/profiles/few.yaml" \
	>"$T/profiles/wider.yaml"
printf 'version: 1\nname: fewer\ndescription: x\nextends: %s\nfilesystem: { hold_above: { files: 2 } }\n' "$T/profiles/few.yaml" \
	>"$T/profiles/fewer.yaml"
own "$T/profiles"
expect_run "hold_above: just not" 0 -p "$T/profiles/few.yaml" -- sh -c 'mkdir few; printf 12345 >few/a; printf 12345 >few/b'
expect_eq "hold_above: just not: committed" "ok committed 3 0 0 0" "$(settled)"
before=$(tree)
expect_run "hold_above: files" 123 -p "$T/profiles/few.yaml" -- sh -c 'rm -r few; : >c'
expect_eq "hold_above: files: held" "ok held 1 0 3 0" "$(settled)"
expect_match "hold_above: files: why" "4 changes, more than files: 3 of filesystem.hold_above (few.yaml:6)" "$ERR"
as_id "$A" discard @last >/dev/null
expect_run "hold_above: bytes" 123 -p "$T/profiles/few.yaml" -- sh -c 'printf 12345678901 >c'
expect_match "hold_above: bytes: why" "11B in what was changed, more than bytes: 10B of filesystem.hold_above (few.yaml:6)" "$ERR"
as_id "$A" discard @last >/dev/null
expect_eq "hold_above: nothing at all" "$before" "$(tree)"
expect_run "hold_above: observe discards" 0 -m observe -p "$T/profiles/few.yaml" -- sh -c 'printf 12345678901 >c'
expect_run "hold_above: a child lowers it" 123 -p "$T/profiles/fewer.yaml" -- sh -c ': >c; : >d; : >e'
expect_match "hold_above: a child lowers it: by the child's line" "3 changes, more than files: 2 of filesystem.hold_above (fewer.yaml:5)" "$ERR"
as_id "$A" discard @last >/dev/null
expect_run "hold_above: a child cannot raise it" 125 -p "$T/profiles/wider.yaml" -- true
expect_match "hold_above: a child cannot raise it: why" "filesystem.hold_above: 'files' is more than the parent allows" "$ERR"

# ---- modes ---------------------------------------------------------------------------------------
before=$(tree)
expect_run "observe: the tool sees its own writes" 0 -m observe -- sh -c 'echo seen >seen; rm keep; cat seen; ls keep 2>/dev/null; :'
expect_eq "observe: it saw them" "seen" "$(cat "$OUT")"
expect_eq "observe: nothing is there after" "$before" "$(tree)"
expect_eq "observe: discarded, and listed" "ok discarded 1 0 1 0 create seen delete keep" \
	"$(settled) $(changes | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')"
expect_run "observe: refuse" 0 -p "$T/profiles/refuse.yaml" -- sh -c 'echo x 2>/dev/null >x; touch y 2>&1; cat keep; echo t >/tmp/t && cat /tmp/t'
expect_eq "observe: refuse: EROFS, and it reads" "touch: cannot touch 'y': Read-only file system keep t" \
	"$(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
before=$(tree)
expect_run "failed: exit" 7 -- sh -c 'echo half >half; exit 7'
expect_eq "failed: held" "failed held 1 0 0 0" "$(settled)"
expect_eq "failed: nothing is there" "$before" "$(tree)"
as_id "$A" show @last 2>&1 | tr -s ' \n' ' ' >"$OUT"
expect_match "failed: show says that it is held" "nothing was committed: 1 change is held" "$OUT"
expect_match "failed: show names the file" "half" "$OUT"
expect_out "failed: its content can be read" "half" as_id "$A" cat @last out:half

# ---- one after the other -------------------------------------------------------------------------
new_ws row
as_id sh -c "cd '$WS' && : >lines && for i in \$(seq 50); do '$A' run -w '$WS' -- sh -c 'echo line >>lines' || exit 1; done" >"$OUT" 2>&1
expect_eq "50 calls in a row do not conflict" "0 50" "$? $(wc -l <"$WS/lines")$(cat "$OUT")"
