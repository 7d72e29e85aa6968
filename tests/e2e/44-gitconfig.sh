#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# .git/config: what git's ordinary work writes there is committed, and what git would run or follow is held, with the key.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

who=(-e GIT_AUTHOR_NAME=Ada -e GIT_AUTHOR_EMAIL=a@example.com -e GIT_COMMITTER_NAME=Ada -e GIT_COMMITTER_EMAIL=a@example.com)

# committed NAME ARG…: git does it, and it is in the workspace.
committed()
{
	local name=$1
	shift

	expect_run "$name" 0 "${who[@]}" -- git "$@"
	expect_eq "$name: committed" "ok committed" "$(record '.outcome | "\(.verdict) \(.settled)"')"
}

# held NAME WHY ARG…: git does it, it is held, .git/config alone is why, and the file is as it was.
held()
{
	local name=$1 why=$2 before
	shift 2

	before=$(sha256sum "$WS/.git/config" 2>&1)
	expect_run "$name" 123 "${who[@]}" -- "$@"
	expect_eq "$name: why" ".git/config: built-in: .git/config: $why" \
		"$(record '.outcome.changes.items[] | select(.hold != null) | "\(.path): \(.hold)"')"
	expect_eq "$name: .git/config is as it was" "$before" "$(sha256sum "$WS/.git/config" 2>&1)"
	expect_match "$name: the key is said" ".git/config is held for a person: built-in: .git/config: $why" "$ERR"
	as_id "$A" discard @last >/dev/null # else it lies below what comes next
}

config()
{
	as_id git -c safe.directory='*' -C "$WS" config --local --get-all "$1"
}

committed "init" init -q -b main
check "init: a repository, with its sample hooks" test -e "$WS/.git/hooks/pre-push.sample"
committed "commit" commit -q --allow-empty -m first
committed "checkout -b" checkout -q -b topic
committed "config user.name" config user.name "Ada L"
expect_eq "config user.name: it is there" "Ada L" "$(config user.name)"
committed "remote add" remote add origin https://example.com/a.git
committed "a branch of it" config branch.topic.remote origin
committed "a branch of it: merge" config branch.topic.merge refs/heads/topic
committed "gc" gc -q
committed "sparse-checkout of the main tree" config core.sparseCheckout false
held "core.fsmonitor" "core.fsmonitor: git runs it" git config core.fsmonitor "touch pwned"
held "core.hooksPath" "core.hookspath: git runs the hooks that are there" git config core.hooksPath .
held "alias" "alias.x: git runs it as a command of its own" git config alias.x '!touch pwned'
held "include" "include.path: brings another file's keys" git config include.path ../evil
held "remote set-url" "remote.origin.url: where git fetches from and pushes to" git remote set-url origin https://evil.example/a.git
held "remote rename" "branch.topic.remote: where git fetches from and pushes to" git remote rename origin other
held "remote remove" "remote.origin.url: where git fetches from and pushes to" git remote remove origin
held "a remote that runs a helper" "remote.e.url: where git fetches from and pushes to" git remote add e 'ext::sh -c touch% pwned'
held "a branch of another remote" "branch.topic.remote: where git fetches from and pushes to" git config branch.topic.remote /elsewhere
held "a branch of this repository" "branch.topic.remote: where git fetches from and pushes to" git config branch.topic.remote .
held "an unknown key" "new.key: not known to be harmless" git config new.key x
held "what git cannot read" "line 1 cannot be understood" sh -c 'echo "[core" >.git/config'
held "too much" "it is too large to be checked" sh -c 'head -c 1100000 /dev/zero | tr "\0" "\n" >>.git/config'
held "removed" "it was removed or replaced" rm .git/config
held "a link" "it was removed or replaced" ln -sf HEAD .git/config
held "mixed with harmless work" "core.pager: git runs it" sh -c 'git commit -q --allow-empty -m x && git config core.pager x'
expect_run "the mode alone" 0 -- chmod 600 .git/config
expect_eq "the mode alone: it is 600" 600 "$(stat -c %a "$WS/.git/config")"

# What a person put there stays, and does not stand in the way.
as_id git -c safe.directory='*' -C "$WS" config alias.mine '!true'
committed "beside a person's alias" config user.email a@example.com
expect_eq "beside a person's alias: both" "!true a@example.com" "$(config alias.mine) $(config user.email)"

# A repository that the tool makes is judged against nothing.
expect_run "a nested repository" 0 -- sh -c 'git init -q sub && git -C sub config user.name X'
expect_run "a nested repository that runs something" 123 -- sh -c 'git init -q sub2 && git -C sub2 config core.sshCommand x'
expect_eq "a nested repository that runs something: why" "sub2/.git/config: built-in: .git/config: core.sshcommand: git runs it" \
	"$(record '.outcome.changes.items[] | select(.hold != null) | "\(.path): \(.hold)"')"

# Git directories below .git: of modules, of worktrees, and of modules of those.
for path in modules/s/commondir modules/s/config modules/s/hooks/post-commit worktrees/w/modules/s/config worktrees/w/modules/s/hooks/x \
	worktrees/w/rebase-merge/git-rebase-todo modules/s/rebase-merge/git-rebase-todo worktrees/w/commondir sequencer/todo info/attributes; do
	expect_run "$path" 123 -- sh -c 'mkdir -p ".git/${1%/*}" && printf "[core]\n\tfsmonitor = x\n" >".git/$1"' sh "$path"
	expect_eq "$path: it alone is why" ".git/$path" "$(record '.outcome.changes.items[] | select(.hold != null and .kind != "create" or .size_after > 0) | .path')"
	check "$path: it is not there" test ! -e "$WS/.git/$path"
	as_id "$A" discard @last >/dev/null
done
for name in config feature/hooks rebase-merge; do
	committed "a branch $name" branch "$name"
done
