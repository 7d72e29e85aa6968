#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# git.worktree: a linked worktree as workspace, with the real git; and a .git that names what is not its own.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

if ! command -v git >/dev/null; then
	skip "git" "git is not installed"
	exit
fi
git_as() { as_id env HOME="$T/home" GIT_CONFIG_NOSYSTEM=1 git -c user.name=t -c user.email=t@example.com -c init.defaultBranch=main "$@"; }
tree_state() { find "$main" -printf '%P %y %m %s %T@ %l\n' | sort; }

main=$T/src/main
mkdir -p "$main"
echo one >"$main/file"
echo canary-in-the-ignored >"$main/.ignored"
own "$T/src"
git_as -C "$main" init -q
git_as -C "$main" add file
git_as -C "$main" commit -q -m first
git_as -C "$main" tag v1
git_as -C "$main" pack-refs --all
git_as -C "$main" worktree add -q "$T/src/tree" 2>"$ERR"
git_as -C "$main" worktree add -q "$T/src/sibling" 2>"$ERR"
git_as -C "$main" remote add origin https://user:canary-in-config@example.com/x.git
printf '#!/bin/sh\necho canary-in-hook\n' >"$main/.git/hooks/post-checkout"
echo "canary-in-fetch-head" >"$main/.git/FETCH_HEAD"
echo "canary-in-log" >>"$main/.git/logs/HEAD"
echo "canary-in-log" >>"$main/.git/worktrees/tree/logs/HEAD"
echo "# canary-in-config" >"$main/.git/worktrees/tree/config.worktree"
echo "/excluded" >>"$main/.git/info/exclude"
own "$T/src"
WS=$T/src/tree
printf 'ignored\n' >"$WS/excluded"
own "$WS"
before=$(tree_state)

run_airlock -- git status --porcelain --branch
expect_eq "git status: clean, and info/exclude counts" "0 ## tree" "$RC $(cat "$OUT")"
expect_eq "without a note" "" "$(cat "$ERR")"
expect_eq "the record says whose worktree it is" "$main/.git" "$(record .planned.worktree)"
as_id "$A" show @last >"$OUT" 2>&1
expect_match "airlock show, too" "worktree of $main/.git" "$OUT"
as_id "$A" run -w "$WS" --dry-run -- git status >"$OUT" 2>&1
expect_match "and --dry-run" "worktree  of $main/.git" "$OUT"
run_airlock -- sh -c 'echo two >>file && git diff --numstat && git log --format=%s main && git show --format=%s -s v1 && git blame -s file | cut -d")" -f2-'
expect_eq "diff, log, show of a packed tag, and blame" "0 1	0	file first first  one  two" "$RC $(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
expect_eq "the change is in the workspace" "two" "$(tail -n 1 "$WS/file")"
expect_run "fsck finds every object" 0 -- git fsck --no-dangling

for try in "git commit --allow-empty -m x" "git add file" "git switch -q -c other" "git branch other" "git reset -q --hard" \
	"git config a.b c" "git tag -d v1" "git worktree prune && git gc -q" "touch '$main/.git/hooks'" \
	"rm -rf '$main/.git/objects'" "chmod 777 '$main/.git/config'"; do
	run_airlock -- sh -c "$try"
	if [ "$RC" != 0 ] && grep -q "Read-only file system" "$ERR"; then
		ok "refused as read-only: ${try//"$T"/T}"
	else
		not_ok "refused as read-only: ${try//"$T"/T}" "exit $RC: $(cat "$ERR")"
	fi
done
run_airlock -- sh -c "mv '$main/.git' '$main/moved'; mkdir -p '$main/.git/hooks' && echo x >'$main/.git/hooks/pre-commit'"
expect_eq "the link to it is the call's own" "0" "$RC"
expect_eq "the repository is as it was" "$before" "$(tree_state)"

# Everything that is shown of it, by every name that it has.
expect_eq "the canaries are there, outside" 7 "$(grep -rl canary "$main" | wc -l)"
run_airlock -- sh -c "cat '$main/.git/config'; grep -rs canary /.airlock '$main' '$main/.git/'; find '$main/.git/' -mindepth 1 -maxdepth 1 -printf '%f\n' | sort"
expect_eq "no configuration, hook, reflog or file of the main tree" "0 [core] repositoryformatversion = 0 HEAD config info objects packed-refs refs worktrees" \
	"$RC $(sed 's/^[[:space:]]*//' "$OUT" | tr '\n' ' ' | sed 's/ $//')"
run_airlock -- sh -c "ls -A '$main' '$T/src' '$main/.git/worktrees' | sort"
expect_eq "and no other worktree" "0 $(printf '%s\n' "$main:" "$T/src:" "$main/.git/worktrees:" .git main tree tree | sort | tr '\n' ' ')" \
	"$RC $(sed '/^$/d' "$OUT" | tr '\n' ' ')"

as_id sh -c "cd '$WS' && exec '$A' profile explain default --path '$main/.git/objects'" >"$OUT" 2>&1
expect_match "profile explain --path names the key" "rule: git.worktree, default.yaml" "$OUT"
printf 'version: 1\nname: none\nextends: default\ngit: { worktree: false }\n' >"$T/none.yaml"
printf 'version: 1\nname: whole\nextends: default\nfilesystem: { read: [/usr, /bin, /lib, /lib64, "%s"] }\n' "$main" >"$T/whole.yaml"
own "$T/none.yaml" "$T/whole.yaml"
run_airlock -p "$T/none.yaml" -- git status
expect_eq "who does not ask is shown nothing" "128 null" "$RC $(record .planned.worktree)"
expect_match "and told the key" "airlock: note: the workspace is a linked git worktree, whose repository is not visible, so git will not work in this call: git.worktree: true in the profile shows its history" "$ERR"
run_airlock -p "$T/whole.yaml" -- sh -c "git status --porcelain -uno && cat '$main/.git/FETCH_HEAD'"
expect_eq "a profile that reads the repository shows all of it" "0  M file canary-in-fetch-head" "$RC $(tr '\n' ' ' <"$OUT" | sed 's/ $//')"

if [ "$(id -u)" = 0 ]; then
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs none "$1" && shift && exec "$@"' sh "$main/.git/objects/info" \
		"${E2E_AS_ID[@]}" "$A" run -w "$WS" -- true >"$OUT" 2>"$ERR"
	expect_eq "with a mount in it: it runs without" 0 $?
	expect_match "and says so" "so git will not work in this call: $main/.git has a mount in it" "$ERR"
else
	skip "a mount in the repository" "only root can mount there"
fi

# What a tool writes into .git: it is told why, and nothing of the place is there.
refused()
{
	local name=$1 why=$2 look=$3

	run_airlock -- sh -c "git log 2>/dev/null; cat '$look'; ls -A '$(dirname "$look")'; ls /.airlock"
	expect_eq "$name: nothing is shown" "2 null" "$RC $(cat "$OUT")$(record .planned.worktree)"
	expect_match "$name: the note says why" "so git will not work in this call: $why" "$ERR"
	expect_eq "$name: and so does the record" "$(sed -n 's/^airlock: note: //p' "$ERR")" "$(record '.outcome.warnings[0]')"
}
new_ws hostile
point() { echo "gitdir: $1" >"$WS/.git" && own "$WS/.git"; }
keys=$T/home/.ssh
mkdir -p "$keys/objects" "$keys/refs" "$keys/worktrees/one"
for f in HEAD id worktrees/one/HEAD; do echo canary >"$keys/$f"; done
echo "$WS/.git" >"$keys/worktrees/one/gitdir"
echo ../.. >"$keys/worktrees/one/commondir"
own "$T/home"
point "$keys/worktrees/one"
refused "a place of secrets that even points back" "$keys is a place that no call is shown" "$keys/id"
mkdir -p "$AIRLOCK_STATE/caches/planted"
cp -a "$keys" "$AIRLOCK_STATE/caches/planted/r"
echo "$WS/.git" >"$AIRLOCK_STATE/caches/planted/r/worktrees/one/gitdir"
ln -s "$AIRLOCK_STATE" "$T/state-link"
own "$AIRLOCK_STATE" "$T/state-link"
planted=$AIRLOCK_STATE/caches/planted/r
point "$planted/worktrees/one"
refused "one that a tool left in a cache" "$planted is a place that no call is shown" "$planted/id"
AIRLOCK_STATE=$T/state-link refused "and where the state directory is named by a link" "$planted is a place that no call is shown" "$planted/id"
AIRLOCK_STATE=$T/state-link as_id "$A" profile explain default -w "$WS" --path "$planted/objects" >"$OUT" 2>&1
expect_match "and profile explain says the same" "no: read $planted/objects (ENOENT)" "$OUT"
cp -a "$keys" "$T/odd"
point "$T/odd/worktrees/one"
run_airlock -- sh -c "ls -A '$T/odd/' && cat '$T/odd/worktrees/one/HEAD'"
expect_eq "the same elsewhere is one, which is the control" "0 HEAD canary config objects refs worktrees" "$RC $(sort "$OUT" | tr '\n' ' ' | sed 's/ $//')"
point "$keys"
refused "a directory of keys" "$keys is no directory of a linked worktree" "$keys/id"
point "$main/.git"
refused "another repository itself" "$main/.git is no directory of a linked worktree" "$main/.git/HEAD"
point "$main/.git/worktrees/sibling"
refused "a worktree of another workspace" "$main/.git has no worktree of that name at this workspace" "$main/.git/packed-refs"
ln -s "$T/odd" "$T/link"
point "$T/link/worktrees/one"
refused "through a link" "$T/link has a link in its path, which is not followed" "$T/link/HEAD"
point "../odd/worktrees/one"
refused "a relative path" "its .git names no absolute path" "$T/odd/HEAD"
point "$T/odd/worktrees/../worktrees/one"
refused "a path with dots" "its .git names no absolute path" "$T/odd/HEAD"
ln -sfn "$keys" "$T/odd/objects.link"
rmdir "$T/odd/objects" && mv "$T/odd/objects.link" "$T/odd/objects"
point "$T/odd/worktrees/one"
refused "with a link in it" "$T/odd/objects is no directory that can be read" "$T/odd/objects/id"
rm "$T/odd/objects" && mkdir "$T/odd/objects" && own "$T/odd"
chmod o+w "$T/odd"
refused "one that others write" "$T/odd is not the caller's alone to write" "$T/odd/HEAD"
chmod o-w "$T/odd"
if [ "$(id -u)" = 0 ]; then
	if [ "$E2E_IDENTITY" = root ]; then chown -R "$E2E_USER:" "$T/odd"; else chown -R 0:0 "$T/odd"; fi
	refused "another user's" "$T/odd is not the caller's alone to write" "$T/odd/HEAD"
else
	skip "another user's repository" "only root can make one"
fi
