#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `airlock profile explain` and `airlock profile test`: what a profile says, without running anything.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# profile ARG…: as the identity. Sets RC; OUT and ERR are there afterwards.
profile()
{
	as_id "$A" profile "$@" >"$OUT" 2>"$ERR" </dev/null
	RC=$?
}

# put NAME TEXT: a profile of the identity's own
put()
{
	mkdir -p "$(dirname "$own_dir/$1")"
	printf '%s' "$2" >"$own_dir/$1.yaml"
	own "$T/home/.config"
}
own_dir=$T/home/.config/airlock/profiles

# answer NAME STATUS LINE ARG…: explain with those questions; the first line and the exit status.
answer()
{
	local name=$1 status=$2 line=$3

	shift 3
	profile explain "$@"
	expect_eq "$name" "$status $line" "$RC $(head -n 1 "$OUT")"
}

new_ws
line=$(grep -n -- '- /usr$' "$(dirname "$A")/../profiles/default.yaml" | cut -d: -f1)

# ---- the whole page ---------------------------------------------------------------------------------------

profile explain default
expect_eq "a page" 0 "$RC"
expect_match "what can be read, with its line" "    /usr (default.yaml:$line)" "$OUT"
expect_match "what ends it" "  After 10m it ends as timeout. (base.yaml:" "$OUT"
expect_match "what it may do without" "    landlock: the second layer" "$OUT"
profile explain default --json
expect_eq "as JSON" "default default.yaml:$line read" \
	"$(jq -r '"\(.name) \(.rows[] | select(.key == "filesystem.read" and .text == "/usr") | .at) read"' "$OUT")"
profile explain no-such
expect_eq "of no profile" 125 "$RC"

# ---- questions --------------------------------------------------------------------------------------------

answer "a path that is read" 0 "yes: read /usr/bin/env" default --path /usr/bin/env -w "$WS"
expect_match "names its rule" "rule: filesystem.read, default.yaml:$line" "$OUT"
answer "and is not written" 1 "no: write /usr/bin/env (EROFS)" default --path /usr/bin/env --access write -w "$WS"
answer "a secret of the host" 1 "no: read /etc/shadow (ENOENT)" default --path /etc/shadow -w "$WS"
expect_match "and how it could be read" 'add "/etc/shadow" to filesystem.read' "$OUT"
answer "what no profile may read" 1 "no: read /home (ENOENT)" default --path /home -w "$WS"
expect_match "says so" "no profile may read it: that is every home" "$OUT"
answer "a path in the workspace" 0 "yes: write $WS/new" default --path "$WS/new" --access write -w "$WS"
answer "a system call" 0 "yes: syscall openat" default --syscall openat -w "$WS"
expect_match "names its group" "granted by @files, which is part of @default" "$OUT"
answer "a call with arguments" 1 "no: syscall socket:AF_NETLINK,SOCK_RAW (EAFNOSUPPORT)" \
	default --syscall socket:AF_NETLINK,SOCK_RAW -w "$WS"
answer "a call that a group could grant" 1 "no: syscall ptrace (EPERM)" default --syscall ptrace -w "$WS"
expect_match "names that group" 'syscalls: { allow: ["@parent", "@debug"] }' "$OUT"
answer "a command" 0 "yes: command env" default --command env -w "$WS"
answer "no command" 1 "no: command no-such-program" default --command no-such-program -w "$WS"
answer "a variable" 0 "yes: environment LANG" default --env LANG -w "$WS"
answer "a variable that never crosses" 1 "no: environment LD_PRELOAD" default --env LD_PRELOAD -w "$WS"
answer "a limit" 1 "no: limit memory" default --limit memory=64GiB -w "$WS"
profile explain default --env LANG --env LD_PRELOAD --json -w "$WS"
expect_eq "two questions: one object each, and 1 when one is denied" "1 true false " \
	"$RC $(jq -r .allowed "$OUT" | tr '\n' ' ')"
profile explain default --syscall opnat -w "$WS"
expect_eq "a question that is none" \
	"125 airlock: profile explain: unknown system call 'opnat'; did you mean 'openat'?" "$RC $(cat "$ERR")"
profile explain default --path / --access lick -w "$WS"
expect_eq "an access that is none" "125 airlock: --access wants see, read, write or execute" "$RC $(cat "$ERR")"

# ---- asked by root for somebody else --------------------------------------------------------------------------------

if [ "$E2E_IDENTITY" = root ]; then
	mkdir "$T/theirs" "$T/state-theirs"
	told=$E2E_USER_HOME/.airlock-told
	echo told >"$told"
	chown "$E2E_USER": "$T/theirs" "$T/state-theirs" "$told"
	put told 'version: 1
name: told
extends: default
filesystem: { read: ["@parent", ~/.airlock-told] }
'
	as_id env AIRLOCK_STATE="$T/state-theirs" "$A" run -w "$T/theirs" -p "$own_dir/told.yaml" -n -- cat "$told" >"$OUT" 2>"$ERR"
	expect_eq "a call in a user's workspace has that user's HOME" "0 told" "$? $(cat "$OUT" "$ERR")"
	answer "and so has the answer" 0 "yes: read $told" "$own_dir/told.yaml" --path "$told" -w "$T/theirs"
	# shellcheck disable=SC2088 # airlock expands it
	answer "by both names" 0 "yes: read ~/.airlock-told" "$own_dir/told.yaml" --path '~/.airlock-told' -w "$T/theirs"
	answer "and in a workspace of root's it has not" 1 "no: read $told (ENOENT)" "$own_dir/told.yaml" --path "$told" -w "$WS"
	rm "$told"
fi

# What is said is what happens.
run_airlock -p default -- sh -c 'cat /etc/shadow; echo x >/usr/bin/new; echo y >kept' 2>/dev/null
expect_match "a hidden path is ENOENT in a call, too" "/etc/shadow: No such file" "$ERR"
expect_match "and a read-only one EROFS" "/usr/bin/new: Read-only file system" "$ERR"
expect_eq "and the workspace is written" y "$(cat "$WS/kept")"

# ---- the tests of a profile -------------------------------------------------------------------------------

if [ "$E2E_IDENTITY" = root ]; then
	export AIRLOCK_PROFILES=$own_dir # root's own directory is what its HOME says; ours is not there
fi
for name in "$(dirname "$A")"/../profiles/vectors/*.yaml; do
	name=$(basename "$name" .yaml)
	profile test "$name"
	expect_eq "the shipped tests of $name pass" "0 0 failed" "$RC $(tail -n 1 "$OUT" | grep -o '[0-9]* failed')"
done
put mine 'version: 1
name: mine
extends: default
tests:
  allow:
    - read /usr/bin/env
    - syscall ptrace
    - see /usr/bin/certainly-not-installed
    - write made/for/it.txt
  deny:
    - read /usr/bin/env
    - write /usr/bin/env -> EACCES
    - see ~/.ssh -> ENOENT
'
profile test mine
expect_eq "some pass, some fail, one cannot be told" "1 3 passed, 3 failed, 1 skipped" "$RC $(tail -n 1 "$OUT")"
expect_match "what was wanted and found" \
	"not ok mine.yaml:7 allow syscall ptrace: wanted it allowed, and it is denied: controls other" "$OUT"
expect_match "the rule that is in the way" "filesystem.read shows it, read-only (filesystem.read, default.yaml:$line)" "$OUT"
expect_match "another errno" "not ok mine.yaml:12 deny write /usr/bin/env -> EACCES: wanted EACCES, it gives EROFS" "$OUT"
expect_match "what the host lacks" "skip   mine.yaml:8 allow see /usr/bin/certainly" "$OUT"

# ---- the same in a real sandbox ---------------------------------------------------------------------------

profile test default --live
expect_eq "what default allows and denies is what a sandbox does" "0 0 failed" \
	"$RC $(tail -n 1 "$OUT" | grep -o '[0-9]* failed')"
expect_match "a denied call was made" "live deny syscall ptrace -> EPERM" "$OUT"
expect_no_match "and nothing is in the way of most" "not ok" "$OUT"
put live 'version: 1
name: live
extends: default
tool: { run: [/usr/bin/env] }
tests:
  allow:
    - execute /usr/bin/env
    - syscall getpid
    - syscall close:-1 -> EBADF
    - syscall pause
    - environment APP_MODE
    - environment LANG
    - write deep/in/it.txt
  deny:
    - syscall ptrace -> ENOSYS
    - see /etc/shadow -> ENOENT
    - write /usr/bin/env -> EROFS
    - environment LD_PRELOAD
    - environment SECRET_TOKEN
    - command sh
'
profile test live --live
expect_eq "a profile with its own entry commands" "1 23 passed, 2 failed, 1 skipped" "$RC $(tail -n 1 "$OUT")"
expect_match "a wrong errno is wrong twice" "live deny syscall ptrace -> ENOSYS: in the sandbox it gives EPERM" "$OUT"

put vectors/mine 'version: 1
name: mine
tests: { deny: [syscall ptarce] }
'
profile test mine
expect_eq "a wrong file beside it" \
	"125 $own_dir/vectors/mine.yaml:3:17: error: tests.deny: unknown system call 'ptarce'; did you mean 'ptrace'?" \
	"$RC $(head -n 1 "$ERR")"
