#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The shipped profile git, with the real program: what is kept, and what is held because git would execute it later.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/shipped.sh
. "$(dirname "$0")/shipped.sh"

need git
make_canary
start_server
who=(-e GIT_AUTHOR_NAME=Ada -e GIT_AUTHOR_EMAIL=ada@example.com -e GIT_COMMITTER_NAME=Ada -e GIT_COMMITTER_EMAIL=ada@example.com)

# git_in RC NAME ARG…: git under its profile, with a name and an address.
git_in()
{
	local rc=$1 name=$2
	shift 2

	expect_run "$name" "$rc" -p git "${who[@]}" -- git "$@"
}

# repo CMD…: git outside, as the identity.
repo()
{
	as_id git -C "$WS" -c safe.directory='*' "$@"
}

expect_run "init -q" 0 -m observe -p git -- git init -q
expect_eq "init: a repository is made" "ok discarded" "$(record '.outcome | "\(.verdict) \(.settled)"')"
repo init -q -b main

printf 'one\n' >"$WS/file"
own "$WS"
git_in 0 "add" add file
git_in 0 "commit" commit -q -m first
expect_eq "commit: committed" "ok committed" "$(record '.outcome | "\(.verdict) \(.settled)"')"
expect_eq "commit: as seen outside" "Ada <ada@example.com> first" "$(repo log --format='%an <%ae> %s')"
git_in 0 "switch -c" switch -q -c topic
printf 'topic\n' >"$WS/topic"
own "$WS"
git_in 0 "add" add topic
git_in 0 "commit" commit -q -m topic
git_in 0 "switch back" switch -q main
check "switch: the other branch's file is gone" test ! -e "$WS/topic"
printf 'two\n' >>"$WS/file"
own "$WS"
git_in 0 "commit -a" commit -q -a -m second
git_in 0 "switch to the topic" switch -q topic
expect_eq "switch: the tree is the topic's" "one topic" "$(cat "$WS/file" "$WS/topic" | tr '\n' ' ' | sed 's/ $//')"
git_in 0 "rebase" rebase -q main
expect_eq "rebase: the history" "topic second first" "$(repo log --format=%s | tr '\n' ' ' | sed 's/ $//')"
expect_eq "rebase: the tree" "one two topic" "$(cat "$WS/file" "$WS/topic" | tr '\n' ' ' | sed 's/ $//')"
git_in 0 "merge" merge -q --no-ff -m merge main
git_in 0 "tag, stash, worktree-free life: tag" tag -a -m v1 v1
printf 'dirty\n' >>"$WS/file"
own "$WS"
git_in 0 "stash" stash -q
expect_eq "stash: the file is clean" "one two" "$(tr '\n' ' ' <"$WS/file" | sed 's/ $//')"
git_in 0 "stash pop" stash pop -q
expect_eq "stash pop: it is dirty again" "one two dirty" "$(tr '\n' ' ' <"$WS/file" | sed 's/ $//')"
git_in 0 "status" status --porcelain
expect_eq "status: its answer" " M file" "$(cat "$OUT")"
git_in 0 "checkout of a file" checkout -q file
git_in 0 "gc" gc -q
check "gc: packed" sh -c 'ls "$1"/.git/objects/pack/*.pack' - "$WS"
check "fsck outside finds it whole" repo fsck --strict
expect_run "log on no terminal has no pager" 0 -p git -- git log --oneline
expect_eq "log: four commits" 3 "$(wc -l <"$OUT")"

# ---- what git would execute later ------------------------------------------------------------------
for act in 'core.fsmonitor=touch pwned' 'core.sshCommand=touch pwned' 'alias.st=!touch pwned'; do
	git_in 123 "config ${act%%=*}" config "${act%%=*}" "${act#*=}"
	expect_match "config ${act%%=*}: is held" ".git/config is held for a person: built-in: .git/config: $(tr A-Z a-z <<<"${act%%=*}"): git runs it" "$ERR"
	expect_verb "config ${act%%=*}: is discarded" 0 discard @last
done
repo switch -q main
printf 'other\n' >"$WS/file"
own "$WS"
git_in 0 "a change that will conflict" commit -q -a -m other
repo switch -q topic
printf 'mine\n' >"$WS/file"
own "$WS"
git_in 0 "and another" commit -q -a -m mine
head=$(repo rev-parse HEAD)
git_in 1 "a rebase that stops" rebase -q main
expect_eq "a rebase that stops: is held whole" "failed held" "$(record '.outcome | "\(.verdict) \(.settled)"')"
expect_eq "a rebase that stops: the repository is as it was" "$head " "$(repo rev-parse HEAD) $(repo status --porcelain)"
printf '#!/bin/sh\ncat "%s"\n' "$CANARY" >"$T/hook"
install -m 755 "$T/hook" "$WS/.git/hooks/pre-commit"
own "$WS"
git_in 1 "a hook that is there runs inside" commit -q --allow-empty -m hooked
expect_match "a hook: and does not find a file in HOME" "$CANARY: No such file or directory" "$ERR"
rm "$WS/.git/hooks/pre-commit"

expect_only git sh -c 'git status'
expect_denied git "a file in HOME" 1 "Could not access '$CANARY'" git --no-pager diff --no-index /dev/null "$CANARY"
expect_denied git "a command of an alias" 1 "$CANARY: No such file or directory" git -c alias.x="!cat '$CANARY'" x
expect_run "the network" 128 -p git -- git ls-remote "http://127.0.0.1:$PORT/"
expect_match "the network: waits for egress" "Failed to connect to 127.0.0.1 port $PORT" "$ERR"
as_id git ls-remote "http://127.0.0.1:$PORT/" >"$T/.said" 2>&1
expect_no_match "the network: outside there is a server" "Failed to connect" "$T/.said"
