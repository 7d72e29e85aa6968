#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# COMMAND, its links, the '#!' line, the program for env, the loader: all must be visible inside, else 127 with what it
# is, where the host has it and what to write where.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
payload hog

shipped=$(dirname "$A")/../profiles

# program FILE TEXT…: a script.
program()
{
	local file=$1
	shift

	mkdir -p "$(dirname "$file")"
	printf '%s\n' "$@" >"$file"
	chmod 755 "$file"
	own "$file"
}

# add PATH: the remedy under `default`.
add()
{
	printf '%s' "add \"$1\" to filesystem.read in a profile of your own: \`extends: default\` and \`filesystem: { read: [\"@parent\", \"$1\"] }\`; see \`airlock profile explain default --path $1\`"
}

# refused NAME RC LINE ARG…: the exit and the one line on stderr; nothing ran, nothing is recorded.
refused()
{
	local name=$1 rc=$2 line=$3 entries
	shift 3

	entries=$(journal_entries)
	run_airlock "$@"
	expect_eq "$name" "$rc airlock: $line" "$RC $(cat "$ERR")"
	expect_eq "$name: no record" "$entries" "$(journal_entries)"
}

# a directory of the host that no profile shows
bin=$T/bin
program "$bin/tool" '#!/bin/sh' 'echo tool'
program "$bin/interp" '#!/bin/sh' 'echo "interp ${1##*/}"'
cp "$E2E_PAYLOAD/hog" "$bin/loader"
chmod 755 "$bin/loader"
own "$bin"

# ---- the command --------------------------------------------------------------------------------
refused "a path that is hidden" 127 "$bin/tool: the host has it at $bin/tool, but profile default does not show it: $(add "$bin/tool")" \
	-- "$bin/tool"
as_id env PATH="$PATH:$bin" "$A" run -w "$WS" -- tool >"$OUT" 2>"$ERR"
RC=$?
expect_eq "a name that is hidden" "127 airlock: tool: the host has it at $bin/tool, but profile default does not show it: $(add "$bin/tool")" \
	"$RC $(cat "$ERR")"
program "$bin/a;id" '#!/bin/sh'
run_airlock -- "$bin/a;id"
expect_match "a command to paste has a name in quotes that a shell would read" "default --path '$bin/a;id'\`" "$ERR"
ln -s "$bin/tool" "$WS/linked"
refused "a link of the workspace to what is hidden" 127 \
	"./linked: the host has it at $bin/tool, but profile default does not show it: $(add "$bin/tool")" -- ./linked
ln -s ../bin/linked2 "$WS/linked1"
ln -s tool "$bin/linked2"
refused "the first hop that is hidden is named" 127 \
	"./linked1: the host has it at $bin/linked2, but profile default does not show it: $(add "$bin/linked2")" -- ./linked1
refused "what is nowhere" 127 "./nothing: command not found" -- ./nothing
refused "/tmp is the call's own" 127 "/tmp/airlock-no-such: command not found" -- /tmp/airlock-no-such
mkdir "$WS/opt"
program "$WS/opt/beside" '#!/bin/sh' 'echo beside'
own "$WS/opt"
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
as_id env PATH="$PATH:$WS/opt" "$A" run -w "$WS" -- beside >"$OUT" 2>"$ERR"
RC=$?
expect_eq "visible, and in no directory of PATH" \
	"127 airlock: beside: it is at $WS/opt/beside, but PATH of the call is $path: give that path, or set PATH in a profile of your own: \`extends: default\` and \`environment: { set: { PATH: \"$path:$WS/opt\" } }\`" \
	"$RC $(cat "$ERR")"
expect_run "that path runs" 0 -- "$WS/opt/beside"

# ---- the '#!' line ------------------------------------------------------------------------------
program "$WS/script" "#!$bin/interp"
refused "an interpreter that is hidden" 127 \
	"./script: its interpreter ('#!' line) is $bin/interp: the host has it, but profile default does not show it: $(add "$bin/interp")" \
	-- ./script
program "$WS/nested" "#!$WS/script"
refused "and one behind another" 127 \
	"./nested: the interpreter ('#!' line) of $WS/script is $bin/interp: the host has it, but profile default does not show it: $(add "$bin/interp")" \
	-- ./nested
program "$WS/none" '#!/no/such/interpreter'
refused "one that the host lacks" 127 \
	"./none: its interpreter ('#!' line) is /no/such/interpreter, which this host does not have: install it on the host, or correct the name" \
	-- ./none
program "$WS/crlf" $'#!/bin/sh\r' 'echo x'
run_airlock -- ./crlf
expect_eq "a line end of another system can be seen" \
	"127 airlock: ./crlf: its interpreter ('#!' line) is /bin/sh\015, which this host does not have: install it on the host, or correct the name" \
	"$RC $(cat "$ERR")"
echo text >"$WS/plain"
own "$WS/plain"
program "$WS/by-text" "#!$WS/plain"
refused "one that is no program" 126 "./by-text: its interpreter ('#!' line) is $WS/plain, which is not executable" -- ./by-text
mkdir "$WS/rel"
program "$WS/rel/i" '#!/bin/sh' 'echo relative'
program "$WS/by-rel" '#!rel/i'
expect_run "a relative one is looked for where the call starts" 0 -- ./by-rel
refused "and only there" 127 \
	"../by-rel: its interpreter ('#!' line) is $WS/rel/rel/i, which this host does not have: install it on the host, or correct the name" \
	-C "$WS/rel" -- ../by-rel

# The kernel's own limit, from both sides: what we let pass runs, what we refuse would not.
program "$WS/n1" '#!/bin/echo deep'
for i in 2 3 4 5 6; do
	program "$WS/n$i" "#!$WS/n$((i - 1))"
done
run_airlock -- ./n5
expect_eq "five scripts in a row run" "0 deep" "$RC $(cut -d' ' -f1 "$OUT")"
refused "six do not" 126 "./n6: more scripts in a row are each other's interpreter than the kernel follows" -- ./n6
as_id "$WS/n6" >"$OUT" 2>&1
expect_eq "nor on the host" 126 $?

# ---- env ----------------------------------------------------------------------------------------
program "$WS/by-env" '#!/usr/bin/env sh' 'echo by env'
expect_run "env and a name in PATH" 0 -- ./by-env
expect_eq "runs" "by env" "$(cat "$OUT")"
program "$WS/by-env-s" '#!/usr/bin/env -S sh -e' 'echo by env'
expect_run "env -S" 0 -- ./by-env-s
program "$WS/no-env" '#!/usr/bin/env no-such-interpreter'
refused "env and a name that is nowhere" 127 \
	"./no-env: its program for env ('#!' line) is no-such-interpreter, which is in no directory of PATH ($path): install it on the host, or correct the name" \
	-- ./no-env
program "$WS/env-hidden" '#!/usr/bin/env interp'
as_id env PATH="$PATH:$bin" "$A" run -w "$WS" -- ./env-hidden >"$OUT" 2>"$ERR"
RC=$?
expect_eq "env and a name that is hidden" \
	"127 airlock: ./env-hidden: its program for env ('#!' line) is $bin/interp: the host has it, but profile default does not show it: $(add "$bin/interp")" \
	"$RC $(cat "$ERR")"
program "$WS/env-path" '#!/usr/bin/env ./script'
refused "env and a path; the script behind it" 127 \
	"./env-path: the interpreter ('#!' line) of $WS/./script is $bin/interp: the host has it, but profile default does not show it: $(add "$bin/interp")" \
	-- ./env-path

# ---- the loader ---------------------------------------------------------------------------------
if command -v gcc >/dev/null && gcc -o "$WS/elf" -Wl,--dynamic-linker="$bin/loader" -x c - <<<'int main(void) { return 0; }' 2>"$ERR"; then
	own "$WS/elf"
	refused "a loader that is hidden" 127 \
		"./elf: its loader is $bin/loader: the host has it, but profile default does not show it: $(add "$bin/loader")" -- ./elf
	gcc -o "$WS/elf" -Wl,--dynamic-linker=/lib/ld-none.so -x c - <<<'int main(void) { return 0; }'
	refused "a loader that the host lacks" 127 \
		"./elf: its loader is /lib/ld-none.so, which this host does not have: install it on the host, or correct the name" -- ./elf
	gcc -o "$WS/elf" -x c - <<<'int main(void) { return 7; }'
	run_airlock -- ./elf
	expect_eq "the host's own" 7 "$RC"
else
	skip "loaders" "no compiler"
fi

# ---- tool.run -----------------------------------------------------------------------------------
program "$WS/opt/head" '#!/bin/sh' 'echo the other'
printf 'version: 1\nname: one\nextends: default\ntool: { run: [%s] }\nenvironment: { set: { PATH: "%s:/usr/bin:/bin" } }\n' \
	/usr/bin/head "$WS/opt" >"$T/one.yaml"
own "$T/one.yaml"
run_airlock -p "$T/one.yaml" -- head -n1 /usr/lib/os-release
expect_eq "a name is the first in PATH that may be the command" "0 $(head -n1 /usr/lib/os-release)" "$RC $(cat "$OUT")"
expect_match "profile explain says the same" "/usr/bin/head: tool.run names it" \
	<(as_id "$A" profile explain "$T/one.yaml" -w "$WS" --command head)
run_airlock -p "$T/one.yaml" -- "$WS/opt/head"
expect_eq "a path is that path" "125 airlock: $WS/opt/head: profile one runs only what tool.run names (one.yaml:4)" "$RC $(cat "$ERR")"
run_airlock -p "$T/one.yaml" -- beside
expect_eq "and where no other is, the first one is named" \
	"125 airlock: $WS/opt/beside: profile one runs only what tool.run names (one.yaml:4)" "$RC $(cat "$ERR")"
run_airlock -p "$T/one.yaml" -- sh
expect_eq "also when it has another name" "125 airlock: /usr/bin/sh: profile one runs only what tool.run names (one.yaml:4)" "$RC $(cat "$ERR")"

# ---- filesystem.hide ----------------------------------------------------------------------------
printf 'version: 1\nname: hide\nextends: default\nfilesystem: { hide: [rel/i] }\n' >"$T/hide.yaml"
own "$T/hide.yaml"
refused "an interpreter that the profile hides" 126 \
	"./by-rel: its interpreter ('#!' line) is $WS/rel/i: profile hide hides it (filesystem.hide, hide.yaml:4)" -p "$T/hide.yaml" -- ./by-rel

# ---- the remedy, done ---------------------------------------------------------------------------
{
	printf 'version: 1\nname: mine\nextends: default\nfilesystem:\n  read:\n    - "%s"\n' "$bin/interp"
	sed -n '/^  read:/,/^[a-z]/s/^    - /    - /p' "$shipped/default.yaml"
} >"$T/mine.yaml"
own "$T/mine.yaml"
run_airlock -p "$T/mine.yaml" -- ./script
expect_eq "the remedy, done: a single file that is a program" "0 interp script" "$RC $(cat "$OUT")"
run_airlock -p "$T/mine.yaml" -- "$bin/tool"
expect_eq "under one's own profile the file is named" \
	"127 airlock: $bin/tool: the host has it at $bin/tool, but profile mine does not show it: add \"$bin/tool\" to filesystem.read in $T/mine.yaml: \`filesystem: { read: [..., \"$bin/tool\"] }\`; see \`airlock profile explain mine --path $bin/tool\`" \
	"$RC $(cat "$ERR")"
