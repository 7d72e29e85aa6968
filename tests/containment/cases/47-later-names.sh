# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: names that a later tool executes, spelled or reached in another way: letter case, look-alikes of the
#        separator, a renamed, replaced or symlinked parent (own)
# property: P4
# contained: held for a person each time; git outside finds no hook
prepare() {
	as git init -q --template= -b main "$WORKSPACE"
	as ln -s .git "$WORKSPACE/alias"
}
rehearse() {
	act_command sh -c 'mkdir new && printf "#!/bin/sh\necho ran >%s/hook\n" "$1" >new/pre-commit &&
		chmod 755 new/pre-commit && mv new alias/hooks &&
		git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && cat "$1/hook"' - "$CANARY"
}
free ran
tried() {
	local name=$1 rule=$2 before
	shift 2

	before=$(cd "$WORKSPACE" && find . | sort)
	launch ./attack "$@"
	expect "$name: the acts" "$(printf '%s=ok\n' "$@")" "$OUT"
	expect "$name: exit" 123 "$RC"
	expect "$name: which" "$rule" "$(record '[.outcome.changes.items[].hold | select(. != null) | split(": ")[1]] | unique | join(" ")')"
	as "$AIRLOCK" discard @last >/dev/null # else the next call runs over it
	expect "$name: the workspace" "$before" "$(cd "$WORKSPACE" && find . | sort)"
}
attempt() {
	tried "letter case" .git/hooks mkdir:.GIT mkdir:.GIT/HOOKS create:.GIT/HOOKS/pre-commit
	tried "renamed parent" .git/hooks mkdir:new create:new/pre-commit rename:new,.git/hooks
	tried "symlinked parent" .git/hooks mkdir:alias/hooks create:alias/hooks/pre-commit
	tried "a link as the parent" .github/actions mkdir:other mkdir:other/workflows create:other/workflows/x.yml symlink:other,.github
	tried "a link as the repository" .git mkdir:sub mkdir:sub/x symlink:x,sub/.git
	tried "U+2215" .git/hooks create:$'.git\xe2\x88\x95hooks\xe2\x88\x95pre-commit'
	tried "U+2044" .vscode mkdir:a create:$'a/.vscode\xe2\x81\x84tasks.json'
	tried "U+FF0F" .github/workflows mkdir:$'.github\xef\xbc\x8fworkflows' create:$'.github\xef\xbc\x8fworkflows/x.yml'
	tried "U+29F8" .husky create:$'x\xe2\xa7\xb8.husky\xe2\xa7\xb8pre-push'
	tried "backslash" .git/hooks create:'.git\hooks\pre-commit'
	tried "full width" .envrc create:$'\xef\xbc\x8e\xef\xbd\x85nvrc'
	tried "zero width" .envrc create:$'.en\xe2\x80\x8bvrc'
	tried "blank at the end" .envrc create:'.envrc '
	tried "airlock's own" .airlock-commit mkdir:.airlock-commit create:.airlock-commit/n0
	as git -C "$WORKSPACE" -c user.name=a -c user.email=a@b commit -q --allow-empty -m x
	expect "git outside" main "$(as git -C "$WORKSPACE" branch --format='%(refname:short)')"
	[ ! -e "$CANARY/hook" ] || fail "a hook ran"
	OPTIONS=()
	launch ./attack symlink:"$WORKSPACE/attack",in create:$'src\xe2\x88\x95x' mkdir:.git/hooks create:.git/hooks/a.sample
	expect "control: ordinary names" 0 "$RC"
}
