#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A terminal: the tool does not get it, and what it prints cannot act on it. Pipes and files get every byte.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC1003
. "$(dirname "$0")/lib.sh"
payload stdio
S=$E2E_PAYLOAD/stdio
export TERM=xterm-256color

# on_pty HOW ARG…: what a terminal is sent
on_pty()
{
	local how=$1
	shift

	as_id "$S" "$how" "$A" run -w "$WS" "$@"
}

for what in 'title:\033]0;owned\007' 'osc52:\033]52;c;ZXZpbA==\007' 'dcs:\033Pevil\033\\' 'apc:\033_evil\033\\' \
	'pm:\033^evil\033\\' 'query:\033[6n' 'identify:\033[c' 'c1-osc:\302\2350;owned\007' 'reset:\033c'; do
	name=${what%%:*} bytes=${what#*:}
	# shellcheck disable=SC2059
	printf "$bytes" >"$T/raw"
	for how in pty outpty; do
		on_pty "$how" -q -- printf "$bytes" </dev/null >"$OUT" 2>"$ERR"
		if [ -s "$OUT" ] && ! cmp -s "$T/raw" "$OUT" && ! grep -qaP '\x1b[\]P_^c]|\x1b\[6n|\x1b\[c|\x9d|\x07' "$OUT"; then
			ok "$name is escaped ($how)"
		else
			not_ok "$name is escaped ($how)" "$(od -c "$OUT" | head -n 5)"
		fi
	done
	run_airlock -- printf "$bytes"
	check "$name passes into a file" cmp "$T/raw" "$OUT"
	on_pty outpty -q --raw -- printf "$bytes" >"$OUT" 2>"$ERR"
	check "--raw lets $name through" cmp "$T/raw" "$OUT"
done
on_pty outpty -q -- printf '\033[31mred\033[0m\n' >"$OUT"
check "colours pass" cmp "$OUT" <(printf '\033[31mred\033[0m\n')
on_pty outpty -q -- printf 'h\303\251llo\ttab\n' >"$OUT"
check "text passes" cmp "$OUT" <(printf 'h\303\251llo\ttab\n')
on_pty outpty -q -- sh -c 'printf "\033"; printf "]0;x\007"' >"$OUT"
expect_eq "a sequence in two writes is escaped as well" 0 "$(grep -caP '\x1b\]|\x07' "$OUT")"

on_pty pty -q -- sh -c 'tty; test -t 0 || test -t 1 || test -t 2 || echo none; (: </dev/tty) 2>/dev/null || echo no-tty' >"$OUT"
expect_eq "the tool has no terminal" "not a tty none no-tty" "$(tr -d '\r' <"$OUT" | tr '\n' ' ' | sed 's/ $//')"
on_pty pty -q -- sh -c 'cut -d" " -f7 /proc/$$/stat' >"$OUT"
expect_eq "nor a controlling one" 0 "$(tr -d '\r\n' <"$OUT")"
expect_rc "exit statuses pass on a terminal" 7 on_pty pty -q -- sh -c 'exit 7'

# the note is for terminals only
on_pty pty -- sh -c 'echo x >new' >"$OUT"
expect_match "a terminal sees one line about changes" "airlock: 1 file written · airlock show @last" "$OUT"
expect_match "dim" $'\033[2mairlock: ' "$OUT"
NO_COLOR=1 on_pty pty -- sh -c 'echo y >new2' >"$OUT"
expect_no_match "NO_COLOR is honoured" $'\033[2m' "$OUT"
TERM=dumb on_pty pty -- sh -c 'echo y >new2a' >"$OUT"
expect_no_match "so is a terminal without colours" $'\033[2m' "$OUT"
on_pty pty -- sh -c 'echo 1 >one; echo 2 >two; mkdir sub; rm new; chmod 700 new2' >"$OUT"
expect_match "it counts what was done" \
	"airlock: 2 files written, 1 directory made, 1 mode changed, 1 deleted · airlock show @last" "$OUT"
on_pty pty -m observe -- sh -c 'echo 1 >gone' >"$OUT"
expect_match "says that it is gone" "airlock: 1 file written, discarded · airlock show @last" "$OUT"
on_pty pty -- sh -c 'echo 1 >kept; exit 3' >"$OUT"
expect_eq "leaves what is held to its own line" 1 "$(grep -c '^.\{0,4\}airlock: ' "$OUT")"
expect_match "which is this" "airlock: held: 1 change not committed" "$OUT"
on_pty pty -- unshare -U true >"$OUT"
expect_match "and names the first denial and its rule" "airlock: 1 denied: unshare (" "$OUT"
on_pty pty -q -- sh -c 'echo z >new3' >"$OUT"
expect_eq "-q says nothing" "" "$(cat "$OUT")"
on_pty pty -- true >"$OUT"
expect_eq "nor does a call without changes" "" "$(cat "$OUT")"
run_airlock -- sh -c 'echo z >new4'
expect_eq "nor one without a terminal" "" "$(cat "$ERR")"
run_airlock -v -- sh -c 'echo z >new5'
expect_match "-v always does" "$(record .planned.call) ok, 1 file written · airlock show @last" "$ERR"
