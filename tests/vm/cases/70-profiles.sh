# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# Sourced by job.sh. What profiles add to a sandbox, on this kernel: a terminal, directories written directly, hidden
# paths, toolchains, git. Mounts of these kinds meet an old kernel, and an upper on disk, nowhere else.

terminal()
{
	new_ws /home/dev/ws dev
	said "$1" "$airlock" run -w /home/dev/ws -t -- sh -c 'test -t 0 && stty size && echo x >f'
	expect_said 0 $'24 80\r' ""
	expect_eq "committed" "$(cat /home/dev/ws/f)" x
	expect_eq "recorded" "$(record dev '.outcome.attestation.terminal')" '{"columns":80,"rows":24}'
	expect_no_traces
}

# profile_of LINE…: a profile of dev's, /home/dev/p/own.yaml.
profile_of()
{
	mkdir -p /home/dev/p
	printf '%s\n' "version: 1" "name: own" "extends: base" "mode: apply" "environment: { set: { PATH: /usr/bin } }" \
		"$@" >/home/dev/p/own.yaml
	chown -R dev: /home/dev/p
}

written_directly()
{
	new_ws /home/dev/ws dev
	new_ws /home/dev/out dev
	profile_of "effects: [read, write-workspace, write-external]" \
		"filesystem: { read: [/usr, /bin, /lib, /lib64], write: [/home/dev/out] }"
	said "$1" "$airlock" run -w /home/dev/ws -p /home/dev/p/own.yaml -- \
		sh -c 'echo x >/home/dev/out/new; cp /bin/true /home/dev/out/t; /home/dev/out/t || echo $?'
	expect_eq "exit, what cannot be executed" "$rc $out" "0 126"
	expect_eq "written" "$(stat -c '%n %U' /home/dev/out/new)" "/home/dev/out/new dev"
	expect_eq "no part of the change set" "$(record dev '.outcome.changes.items')" "[]"
	expect_no_traces
}

hidden()
{
	new_ws /home/dev/ws dev
	as_dev sh -c 'cd ws && echo s >secret && mkdir keys && echo k >keys/k && echo o >open'
	profile_of "effects: [read, write-workspace]" \
		"filesystem: { read: [/usr, /bin, /lib, /lib64], hide: [secret, keys] }"
	said "$1" "$airlock" run -w /home/dev/ws -p /home/dev/p/own.yaml -- \
		sh -c 'cat secret; ls keys; rm -f secret; rm -r keys; cat open; echo more >>open'
	expect_eq "exit, what is seen" "$rc $out" "0 o"
	expect_eq "what was hidden is there" "$(cat /home/dev/ws/secret /home/dev/ws/keys/k)" $'s\nk'
	expect_eq "the rest is committed" "$(record dev '[.outcome.settled, .outcome.changes.items[].path]')" \
		'["committed","open"]'
	expect_no_traces
}

toolchain()
{
	local bin=/home/dev/.nvm/versions/node/v20.0.0/bin

	new_ws /home/dev/ws dev
	as_dev mkdir -p $bin /home/dev/.nvm/versions/node/v20.0.0/etc
	as_dev sh -c "echo '# nvm' >.nvm/nvm.sh; printf '#!/bin/sh\necho node; cat $bin/../etc/npmrc\n' >$bin/node
		chmod 755 $bin/node; echo token >$bin/../etc/npmrc"
	said "$1" env PATH="$bin:/usr/bin:/bin" "$airlock" run -w /home/dev/ws -- node
	expect_eq "it runs" "$out" node
	expect_eq "its credentials are not there" "$(printf '%s' "$err" | grep -c token || true)" 0
	expect_eq "recorded" "$(record dev '.planned.toolchains')" '["nvm"]'
	rm -r /home/dev/.nvm
	expect_no_traces
}

git_of_the_caller()
{
	new_ws /home/dev/ws dev
	as_dev sh -c 'git config --global user.name Dev && git config --global user.email dev@example.com &&
		git init -q -b main ws && cd ws && echo 1 >f && git add f && git commit -q -m one'
	said "$1" "$airlock" run -w /home/dev/ws -- sh -c 'echo 2 >>f && git commit -q -a -m two && git status --short'
	expect_said 0 "" ""
	expect_eq "committed by" "$(as_dev git -C ws log -1 --format='%s %an %ae')" "two Dev dev@example.com"
	rm /home/dev/.gitconfig
	expect_no_traces
}

# Questions to a profile, tried in a real sandbox of this kernel.
questions()
{
	said "$1" "$airlock" profile test default strict --live
	expect_eq "exit code, failures" "$rc $(printf '%s\n' "$out" | grep -c '^not ok' || true)" "0 0"
	expect_eq "tried" "$(printf '%s\n' "$out" | tail -n 1 | awk '{ print ($1 > 50) }')" 1
	expect_no_traces
}

for who in root dev; do
	case_run "terminal-$who" terminal "$who"
	case_run "written-directly-$who" written_directly "$who"
	case_run "hidden-$who" hidden "$who"
	case_run "toolchain-$who" toolchain "$who"
	case_run "git-of-the-caller-$who" git_of_the_caller "$who"
	case_run "questions-$who" questions "$who"
done
