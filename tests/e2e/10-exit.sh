#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Exit statuses: what the caller of `airlock run` sees of how its tool ended.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

expect_run "true is 0" 0 -- true
expect_eq "and says nothing" "" "$(cat "$OUT" "$ERR")"
expect_run "7 is 7" 7 -- sh -c 'exit 7'
expect_eq "verdict failed" "failed 7 null" "$(record '.outcome | "\(.verdict) \(.exit) \(.signal)"')"
expect_run "255 is 255" 255 -- sh -c 'exit 255'
expect_run "125 of the tool is 125" 125 -- sh -c 'exit 125'
expect_eq "and its verdict says whose it is" "failed" "$(record .outcome.verdict)"

for signal in TERM:143 KILL:137 SEGV:139 ABRT:134 HUP:129; do
	expect_run "a tool that dies of ${signal%:*}" "${signal#*:}" -- sh -c "kill -${signal%:*} \$\$"
done
expect_eq "verdict signaled" "signaled null 1" "$(record '.outcome | "\(.verdict) \(.exit) \(.signal)"')"

# 126, 127: no sandbox is started
before=$(journal_entries)
expect_run "not found is 127" 127 -- no-such-command-here
expect_eq "and one line says so" "airlock: no-such-command-here: command not found" "$(cat "$ERR")"
expect_run "a path that is not there is 127" 127 -- ./nothing
mkdir -p "$T/hostbin"
printf '#!/bin/sh\necho hi\n' >"$T/hostbin/only-on-the-host"
chmod -R 755 "$T/hostbin"
PATH=$T/hostbin:$PATH run_airlock -- only-on-the-host
expect_eq "what only the host has is 127" 127 "$RC"
expect_match "and the message says where" "only-on-the-host: the host has it at $T/hostbin/only-on-the-host" "$ERR"
expect_run "the same by its path" 127 -- "$T/hostbin/only-on-the-host"
expect_match "says where, too" "the host has it at $T/hostbin/only-on-the-host" "$ERR"
echo data >"$WS/plain-file"
mkdir "$WS/dir"
own "$WS"
expect_run "not executable is 126" 126 -- ./plain-file
expect_eq "in one line" "airlock: ./plain-file: not executable" "$(cat "$ERR")"
expect_run "a directory is 126" 126 -- ./dir
expect_eq "none of them has a record" "$before" "$(journal_entries)"

# what only exec can see has a record
printf '#!/no/such/interpreter\n' >"$WS/bad-script"
printf '\177ELFnot really a program' >"$WS/bad-elf"
chmod 755 "$WS/bad-script" "$WS/bad-elf"
own "$WS"
expect_run "a script whose interpreter is not there is 127" 127 -- ./bad-script
expect_eq "and says why" "airlock: ./bad-script: its interpreter ('#!' line) is /no/such/interpreter, which this host does not have: install it on the host, or correct the name" \
	"$(cat "$ERR")"
expect_run "a broken program is 126" 126 -- ./bad-elf
expect_eq "verdict launch_failed" "launch_failed" "$(record .outcome.verdict)"
printf '#!/bin/sh\necho from the workspace\n' >"$WS/script"
chmod 755 "$WS/script"
own "$WS"
expect_run "a script of the workspace runs" 0 -- ./script
expect_eq "and speaks" "from the workspace" "$(cat "$OUT")"

# 123: a protected path holds everything
new_ws
expect_run "a protected path is 123" 123 -- sh -c 'mkdir -p .git/hooks; echo evil >.git/hooks/pre-commit; echo x >other'
expect_eq "nothing of it is committed" "" "$(ls -A "$WS")"
expect_match "and one line says so" "airlock: held: " "$ERR"
expect_eq "settled held" "ok held" "$(record '.outcome | "\(.verdict) \(.settled)"')"
expect_run "positive control: the other file alone is committed" 0 -- sh -c 'echo x >other'
expect_eq "and is there" "x" "$(cat "$WS/other")"

# 124: wall
new_ws
started=$SECONDS
expect_run "the wall clock is 124" 124 --limit wall=300ms -- sleep 30
expect_eq "in time" yes "$([ $((SECONDS - started)) -lt 5 ] && echo yes)"
expect_eq "verdict timeout" "timeout" "$(record .outcome.verdict)"
expect_match "and one line says so" "airlock: timeout: " "$ERR"

# nothing of a call outlives it
expect_run "a background process does not keep the call" 0 -- sh -c 'sleep 98765 & exit 0'
expect_eq "and is dead" "" "$(pgrep -f '^sleep 98765$')"

# --dry-run shows the plan and does nothing
new_ws
before=$(journal_entries)
expect_run "--dry-run" 0 --dry-run -- sh -c 'echo x >f'
expect_match "names the program" "program   /usr/bin/sh" "$OUT"
expect_match "and the workspace" "$WS (writable)" "$OUT"
expect_eq "runs nothing, records nothing" " $before" "$(ls -A "$WS") $(journal_entries)"
