#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever descriptors and signal settings the caller has: inside there are 0, 1 and 2, and defaults.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
payload stdio
S=$E2E_PAYLOAD/stdio

# the shell waits, with no descriptor of its own making
list='ls /proc/$$/fd; :'
as_id "$S" stray sh -c 'test -d /proc/self/fd/3/usr && cd /proc/$$/fd && echo [0-9] [1-9][0-9] | wc -w' >"$OUT"
expect_eq "positive control: the caller has 100 of them" 100 "$(cat "$OUT")"
as_id "$S" stray "$A" run -w "$WS" -- sh -c "$list" >"$OUT" 2>"$ERR"
expect_eq "stray descriptors 3 to 99 are gone" "0 1 2 " "$(tr "\n" " " <"$OUT")"
run_airlock -- sh -c "$list" 7<"$T" 255>"$T/x"
expect_eq "so are single ones" "0 1 2 " "$(tr "\n" " " <"$OUT")"
as_id "$A" run -w "$WS" --result-fd 5 -- sh -c "$list" 5>"$T/result" >"$OUT"
expect_eq "the result's descriptor too" "0 1 2 " "$(tr "\n" " " <"$OUT")"
expect_eq "and the result arrives" ok "$(jq -r .verdict "$T/result")"
as_id "$A" run -w "$WS" -- sh -c "$list" <&- >"$OUT" 2>&-
expect_eq "closed ones are open inside" "0 1 2 " "$(tr "\n" " " <"$OUT")"
# PID 1 of the sandbox must not hold a way out either
run_airlock -- sh -c 'ls -l /proc/1/fd 2>&1; ls /proc/1/root 2>&1; cat /proc/1/environ 2>&1; true'
expect_eq "PID 1 shows nothing" 3 "$(grep -c 'Permission denied' "$OUT")"

(
	trap '' PIPE HUP INT TERM USR1
	umask 077
	run_airlock -- sh -c 'grep -E "^Sig(Blk|Ign|Cgt)" /proc/self/status | tr -d "\t" | tr "\n" " "; umask; touch f'
	cat "$OUT" >"$T/signals"
)
expect_match "no signal is blocked or ignored inside" "SigBlk:0000000000000000 SigIgn:0000000000000000" "$T/signals"
expect_eq "the umask is 022" "0022" "$(sed 's/.* //' "$T/signals")"
expect_eq "and what is committed has the tool's mode" 644 "$(stat -c %a "$WS/f")"
(
	ulimit -c 0
	ulimit -n 256
	ulimit -s 4096
	ulimit -t 1000
	run_airlock -- sh -c 'echo $(ulimit -H -c) $(ulimit -H -n) $(ulimit -H -s) $(ulimit -H -t)'
	cat "$OUT" "$ERR" >"$T/limits"
)
expect_eq "a caller's lower hard limits hold inside" "0 256 4096 1000" "$(cat "$T/limits")"
run_airlock -- sh -c 'ps -o pid=,ppid= -p $$ 2>/dev/null | tr -s " "; ls -d /proc/[0-9]* | wc -l'
expect_eq "the tool is PID 2, alone with PID 1" " 2 1" "$(head -n 1 "$OUT")"
