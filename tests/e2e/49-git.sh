#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# git.identity: the real git, in a repository of the caller's.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

if ! command -v git >/dev/null; then
	skip "git" "git is not installed"
	exit
fi
as_id git init -q -b main "$WS"
echo one >"$WS/file"
own "$WS"

run_airlock -- git status --porcelain
expect_eq "git status takes the workspace for the caller's" "0 ?? file" "$RC $(cat "$OUT")"
run_airlock -- git config --global --list
expect_match "safe.directory is the workspace" "safe.directory=$WS" "$OUT"
if [ "$E2E_IDENTITY" = root ]; then
	skip "user.name of root" "root's own ~/.gitconfig is the machine's, not the test's"
	exit
fi

printf '[core]\n\tpager = false\n[user]\n\tname = Nora "N." Example\n\temail = nora@example.com\n' |
	sed 's/"N."/\\"N.\\"/' >"$T/home/.gitconfig"
own "$T/home"
run_airlock -- sh -c 'git add file && git commit -q -m first && git log --format="%an <%ae>"'
expect_eq "git commit knows who the caller is" '0 Nora "N." Example <nora@example.com>' "$RC $(cat "$OUT")"
expect_eq "and the commit is in the repository" 'Nora "N." Example' "$(as_id git -C "$WS" log --format=%an)"
run_airlock -- git config --global --list
expect_no_match "nothing else of the file crosses" "core.pager" "$OUT"
run_airlock -- sh -c 'git switch -q -c other && echo two >file && git commit -q -a -m second && git switch -q main &&
	echo x >beside && git add beside && git commit -q -m third && git rebase -q main other && git log --format=%s'
expect_eq "switch and rebase" "0 second third first" "$RC $(tr '\n' ' ' <"$OUT" | sed 's/ $//')"

printf '[user]\n\tname = Other\n\temail = o@x\n' >"$T/home/.gitconfig"
own "$T/home"
run_airlock -- git config user.name
expect_eq "a changed file is read again" "0 Other" "$RC $(cat "$OUT")"
printf 'version: 1\nname: none\nextends: default\ngit: { identity: false }\n' >"$T/none.yaml"
own "$T/none.yaml"
run_airlock -p "$T/none.yaml" -- git config user.name
expect_eq "who does not ask gets none" "1 " "$RC $(cat "$OUT")"

# Where git looks by no name of its own: a bare repository beside its worktrees, and hooks that the configuration names.
as_id sh -c "cd '$WS' && git clone -q --bare . .bare && mkdir tools && echo x >tools/pre-push && git config core.hooksPath tools"
check "a bare repository and a directory of hooks are there" test -e "$WS/.bare/HEAD"
for path in .bare/hooks/post-commit tools/post-commit; do
	run_airlock -- sh -c 'echo "#!/bin/sh" >"$1" && chmod +x "$1"' sh "$path"
	expect_eq "$path is held" "123 $path" "$RC $(record '.outcome.changes.items[] | select(.hold != null) | .path')"
	check "$path is not there" test ! -e "$WS/$path"
	as_id "$A" discard @last >/dev/null
done
# By whatever name the configuration calls the directory.
as_id ln -s "$WS" "$T/home/alias"
as_id ln -s tools "$WS/other"
for value in "other tools" "$T/home/alias/tools tools" "../${WS##*/}/tools tools" "$T/home/alias/later later"; do
	as_id git -C "$WS" config core.hooksPath "${value% *}"
	run_airlock -- sh -c 'mkdir -p later; echo x >later/post-merge; echo x >tools/post-merge'
	expect_eq "hooks by the name ${value% *}" "123 ${value#* }/post-merge" \
		"$RC $(record '.outcome.changes.items[] | select(.hold != null) | .path' | grep /)"
	as_id "$A" discard @last >/dev/null
done
# Of a bare repository something is deleted before the walk comes to its hooks.
as_id mkdir -p "$WS/.bare/branches"
run_airlock -- sh -c 'rmdir .bare/branches; echo x >.bare/hooks/post-update'
expect_eq "a hook behind what is deleted" "123 .bare/hooks/post-update" \
	"$RC $(record '.outcome.changes.items[] | select(.hold != null) | .path')"
as_id "$A" discard @last >/dev/null
# A hook that is a link into the work tree, as many are set up.
as_id git -C "$WS" config --unset core.hooksPath
as_id ln -s ../../tools/pre-commit "$WS/.git/hooks/pre-commit"
run_airlock -- sh -c 'echo x >tools/pre-commit; echo x >tools/another'
expect_eq "what a hook leads to" "123 tools/pre-commit" "$RC $(record '.outcome.changes.items[] | select(.hold != null) | .path')"
as_id "$A" discard @last >/dev/null
# Others who may write where git runs what is there.
as_id rm -rf "$WS/.git/hooks"
run_airlock -- sh -c 'mkdir .git/hooks; chmod 777 .git/hooks'
expect_eq "new hooks for all to write" "123 .git/hooks: built-in: .git/hooks: others could write it" \
	"$RC $(record '.outcome.changes.items[] | select(.hold != null) | "\(.path): \(.hold)"')"
as_id "$A" discard @last >/dev/null
as_id sh -c "git clone -q '$WS' ~/near && cd ~/near && mkdir tools && git config core.hooksPath '~/near/tools'"
as_id "$A" run -w "$T/home/near" -- sh -c 'echo "#!/bin/sh" >tools/post-merge' 2>/dev/null
RC=$?
expect_eq "hooks below ~" "123 tools/post-merge" "$RC $(record '.outcome.changes.items[] | select(.hold != null) | .path')"
as_id "$A" discard @last >/dev/null
