#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# -t: a terminal of the tool's own. payload/terminal.py plays the person and the shell.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
export TERM=xterm-256color
install -m 755 "$E2E_DIR/payload/terminal.py" "$T/terminal.py"

# person RC NAME STEP… -- ARG…: `airlock run -w WS ARG…` at a terminal; what it showed is in OUT
person()
{
	local want=$1 name=$2 steps=() rc
	shift 2

	while [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	shift
	as_id /usr/bin/python3 "$T/terminal.py" "${steps[@]}" -- "$A" run -w "$WS" "$@" >"$OUT" 2>"$ERR"
	rc=$?
	if [ "$rc" = "$want" ]; then
		ok "$name"
	else
		not_ok "$name" "wanted exit $want, got $rc: $(tail -c 400 "$OUT" "$ERR")"
	fi
}

shown()
{
	tr -d '\r' <"$OUT" | tr '\n' ' ' | sed 's/ $//'
}

# ---- what the tool has ---------------------------------------------------------------------------
person 0 "a terminal" -- -q -t -- sh -c 'tty; test -t 0 && test -t 1 && test -t 2 && echo all; echo direct >/dev/tty; stty size'
expect_eq "it is the first of its own, of the caller's size" "/dev/pts/0 all direct 30 100" "$(shown)"
person 0 "the session" -- -q -t -- sh -c 'read -r _ _ _ _ _ session tty _ </proc/self/stat; echo $(($$ == session)) $tty'
expect_eq "the tool leads it, and controls the terminal" "1 34816" "$(shown)"
person 0 "without -t" -- -q -- sh -c 'test -t 0 || test -t 1 || test -t 2 || echo none; ls /dev/tty 2>/dev/null || echo no-tty'
expect_eq "there is none" "none no-tty" "$(shown)"
person 0 "TERM" -- -q -t -- sh -c 'echo $TERM'
expect_eq "is the caller's" "xterm-256color" "$(shown)"
(
	unset TERM
	as_id "$A" run -w "$WS" -q -t -- sh -c 'echo $TERM' </dev/null | tr -d '\r' >"$OUT"
)
expect_eq "without one it is xterm" "xterm" "$(shown)"

# ---- the record ----------------------------------------------------------------------------------
person 3 "an exit status" 'see ?' raw 'type yes\r' -- -q -t -- sh -c 'printf "sure? "; read -r x; echo "got $x" >&2; exit 3'
expect_eq "typed, echoed, answered" "sure? yes got yes" "$(shown)"
expect_eq "the record says what it was" 'true {"columns":100,"rows":30} failed' \
	"$(record '"\(.planned.terminal) \(.outcome.attestation.terminal) \(.outcome.verdict)"')"
expect_eq "what was typed is kept" $'yes\r' "$(as_id "$A" cat @last stdin)"
expect_eq "and what was shown, in one stream" $'sure? yes\r\ngot yes\r|0' \
	"$(as_id "$A" cat @last stdout)|$(record .outcome.stderr.bytes)"
as_id "$A" show @last >"$OUT"
expect_match "show says so" "terminal    its own, 30 rows and 100 columns" "$OUT"
run_airlock -- true
expect_eq "a call without one" "false null" "$(record '"\(.planned.terminal) \(.outcome.attestation.terminal)"')"

# ---- keys are signals inside -----------------------------------------------------------------------
person 130 "Ctrl-C" 'see up' raw 'type \x03' cooked exited -- -q -t -- sh -c 'echo up; exec sleep 99.4701'
expect_eq "is the tool's own end" "signaled 2" "$(record '.outcome | "\(.verdict) \(.signal)"')"
person 5 "Ctrl-C that is caught" 'see up' raw 'type \x03' -- -q -t -- sh -c 'trap "echo caught; exit 5" INT; echo up; sleep 99.4702 & wait'
expect_match "reaches the handler" "caught" "$OUT"
person 131 "Ctrl-\\" 'see up' raw 'type \x1c' -- -q -t -- sh -c 'echo up; exec sleep 99.4703'
person 0 "Ctrl-D" 'see up' raw 'type half' 'type \x04\x04' 'see got half' -- -q -t -- sh -c 'echo up; read -r x; echo "got $x"'
person 0 "Ctrl-Z of a tool that nobody could continue" 'see up' raw 'type \x1a' 'type on\r' 'see got on' -- \
	-q -t -- sh -c 'echo up; read -r x; echo "got $x"'
# cat forks nothing: a shell in vfork is not stopped by a signal that stops its child
person 6 "a shell's own job control" 'see $ ' raw 'type cat /etc/hostname -\r' 'see -' 'see airlock' 'type \x1a' 'see Stopped' 'see $ ' \
	'type fg\r' 'see cat' 'type two\n' 'see two' 'see two' 'type \x03' 'see $ ' 'type exit 6\r' -- -q -t -- bash --norc
person 0 "the size follows" 'see up' raw 'size 40,120' 'see 40 120' 'type x\r' -- \
	-q -t -- sh -c 'trap "stty size" WINCH; echo up; while ! read -r x; do :; done'

# ---- a whole screen --------------------------------------------------------------------------------
# editor NAME STEP…: edits new.txt in the workspace; what reached the person's terminal is in OUT
editor()
{
	local name=$1
	shift

	if ! command -v "$name" >/dev/null; then
		skip "$name edits a file" "it is not installed"
		return
	fi
	as_id rm -f "$WS/new.txt"
	person 0 "$name edits a file" "$@" -- -q -t -- "$name" new.txt
	expect_eq "$name: it is committed" "$name was here" "$(cat "$WS/new.txt")"
	expect_match "$name: it had the other screen" $'\e[?1049h' "$OUT"
	expect_eq "$name: nothing but the screen was in its reach" 0 \
		"$(grep -caP '\x1b[\]P_^]|\x1b\[[?>=]?[0-9;]*[cntux]' "$OUT")"
}
editor vim.tiny raw 'see new.txt' 'type ivim.tiny was here\x1b:wq\r'
editor nano raw 'see new.txt' 'type nano was here\x0f\r' 'see 1 line' 'type \x18'
person 0 "what is left switched is switched back" -- -q -t -- printf '\033[?1049;1003h\033[?25l\033[31mred'
expect_eq "and nothing else" $'\e[?1049;1003h\e[?25l\e[31mred\e[0m\e[?25h\e[?1003l\e[?1049l\e(B\x0f\e[0m' "$(cat "$OUT")"
person 0 "while it is stopped, too" 'see on' raw 'signal TSTP' 'see \x1b[?25h\x1b[?1049l' stopped fg 'see \x1b[?1049h\x1b[?25l' 'type x\r' -- \
	-q -t -- sh -c 'printf "\033[?1049h\033[?25lon"; read -r x; while [ -z "$x" ]; do read -r x; done'
person 125 "and when a limit ends it" 'see y' cooked exited -- -q -t --limit output=64KiB -- sh -c 'printf "\033[?1049h"; yes'
expect_match "the screen is the caller's again" $'\e[?1049l' "$OUT"
person 0 "a title and a clipboard" -- -q -t -- printf '\033]0;owned\007\033]52;c;ZXZpbA==\007\033[6n\033[cnothing'
expect_eq "do not reach it" "nothing" "$(cat "$OUT")"
person 0 "--raw lets them through" -- -q -t --raw -- printf '\033]0;owned\007'
expect_eq "as they are" $'\e]0;owned\a' "$(cat "$OUT")"
as_id "$A" run -w "$WS" -t -- printf '\033]0;owned\007' >"$OUT" </dev/null
expect_eq "and so does a file" $'\e]0;owned\a' "$(cat "$OUT")"

# ---- ends, stops, the background -------------------------------------------------------------------
# terminal.py fails when the terminal is left raw
person 0 "stopped from outside" 'see $ ' raw 'type echo one\r' 'see one' 'signal TSTP' stopped cooked 'size 33,90' fg raw \
	'type stty size\r' 'see 33 90' 'type exit 0\r' -- -q -t -- bash --norc
person 0 "continued with the same size: drawn anew" 'see up' raw 'signal TSTP' stopped fg 'see again' 'type x\r' -- \
	-q -t -- sh -c 'trap "echo again" WINCH; echo up; while ! read -r x; do :; done'
person 0 "in the background it reads nothing" 'see up' raw 'signal TSTP' stopped 'type early\r' bg cooked 'signal TSTP' stopped \
	fg 'see got early' -- -q -t -- sh -c 'echo up; read -r x; echo "got $x"'
person 0 "started in the background" start-bg 'see up' cooked exited -- -q -t -- sh -c 'echo up'
for signal in TERM INT HUP; do
	person 125 "SIG$signal puts the terminal back" 'see up' raw "signal $signal" cooked exited -- \
		-q -t -- sh -c 'echo up; exec sleep 99.4705'
	expect_eq "SIG$signal: interrupted" "interrupted" "$(record .outcome.verdict)"
done
person 142 "so does a signal that nobody expects" 'see up' raw 'signal ALRM' cooked exited -- -q -t -- sh -c 'echo up; exec sleep 99.4706'
person 124 "so does the wall" 'see up' raw cooked exited -- -q -t --limit wall=500ms -- sh -c 'echo up; exec sleep 99.4707'
person 125 "so does the limit of output" 'see y' raw cooked exited -- -q -t --limit output=64KiB -- yes
person 129 "the terminal goes away" 'see up' raw hangup exited -- -q -t -- sh -c 'echo up; exec sleep 99.4708'
check "nothing is left of it" wait_for 5 sh -c '! pgrep -f "sleep 99[.]470" >/dev/null'

# ---- no command ------------------------------------------------------------------------------------
# root's is what passwd says, whatever SHELL is
shell=/bin/sh
[ "$E2E_IDENTITY" != root ] || shell=$(getent passwd 0 | cut -d: -f7)
SHELL=/bin/sh person 4 "no command: a shell" raw 'type echo $0-$((40+2)); exit 4\r' "see $shell-42" -- -q
expect_eq "which is recorded as what it is" "[\"$shell\"] true failed" \
	"$(record '"\(.planned.argv) \(.planned.terminal) \(.outcome.verdict)"')"
expect_eq "under session" "session failed" \
	"$(record '"\(.planned.profile.name) \(.outcome.verdict)"')"
SHELL=/bin/sh person 127 "no command: the last command is not there" raw 'type echo x >left; nowhere; exit\r' -- -q
expect_eq "its changes are committed all the same" "ok committed x" "$(record '.outcome | "\(.verdict) \(.settled)"') $(cat "$WS/left")"
rm -f "$WS/left"
SHELL=/bin/sh person 0 "-p is kept" raw 'type exit 0\r' -- -q -p default
expect_eq "with it" "default" "$(record '.planned.profile.name')"
SHELL=/nowhere/zsh person 0 "a shell that is not there" raw 'type exit 0\r' -- -q
expect_eq "is /bin/sh" "[\"$shell\"]" "$(record '.planned.argv | tojson')"
SHELL=/usr/sbin/nologin person 0 "one that is none" raw 'type exit 0\r' -- -q
expect_eq "is /bin/sh, too" "[\"$shell\"]" "$(record '.planned.argv | tojson')"
expect_eq "with -t and a pipe the commands come from there" "from $shell" \
	"$(echo 'echo from $0' | SHELL=/bin/sh as_id "$A" run -w "$WS" -q -t | grep -o 'from /[a-z/]*')"
run_airlock -q </dev/null
expect_eq "without a terminal it is an error" 125 "$RC"
expect_match "that says how" "usage: airlock run [options] -- COMMAND [ARG...]); at a terminal, or with -t, it would be a shell" "$ERR"

person 0 "a tool that closes it goes on" -- -q -t -- bash -c 'exec </dev/null >out.txt 2>&1; echo kept; exec 1>/dev/tty; echo back'
expect_eq "and may open it again" "back kept" "$(shown) $(cat "$WS/out.txt")"
as_id rm -f "$WS/out.txt"
as_id /usr/bin/python3 "$T/terminal.py" 'see up' raw 'type yes\r' -- setsid -w "$A" run -w "$WS" -q -t -- \
	sh -c 'echo up; read -r x; echo "got $x"' >"$OUT" 2>"$ERR"
expect_eq "a terminal of another session is read" "0 up yes got yes" "$? $(shown)"

# ---- no terminal outside ---------------------------------------------------------------------------
as_id "$A" run -w "$WS" -t -- sh -c 'test -t 0 && stty size' </dev/null >"$OUT" 2>"$ERR"
expect_eq "none outside: 24 rows, 80 columns" "0 24 80" "$? $(shown)"
expect_eq "bytes are typed and shown, their end is told" "abc3" \
	"$(printf abc | as_id "$A" run -w "$WS" -t -- sh -c 'cat | wc -c' | tr -d '\r')"
printf 'echo from $0\n' | as_id "$A" run -w "$WS" -t -- bash --norc >"$OUT" 2>"$ERR"
expect_eq "a shell takes them as commands, and ends" 0 "$?"
expect_match "having run them" "from bash" "$OUT"
expect_eq "an end is there for everybody who reads" "0a 0 0" \
	"$(printf 'a\n' | as_id "$A" run -w "$WS" -t --limit wall=20s -- sh -c 'cat >/dev/null; cat | wc -c; cat | wc -c; exit' >"$OUT" 2>&1
		echo $?"$(tr -d '\r' <"$OUT" | tr '\n' ' ' | sed 's/ $//')")"
as_id "$A" run -w "$WS" -t -- yes 2>"$ERR" </dev/null | head -n 1 >"$OUT"
expect_eq "a reader that went away: hung up" "129 y" "${PIPESTATUS[0]} $(shown)"
expect_eq "all that a tool wrote is there" "200000" \
	"$(as_id "$A" run -w "$WS" -t -- seq 1 200000 </dev/null | tr -d '\r' | tail -n 1)"
expect_eq "and every byte of it" "$(seq 1 200000 | sed 's/$/\r/' | sha256sum)" "$(as_id "$A" cat @last stdout | sha256sum)"

# ---- ignored signals stay ignored ------------------------------------------------------------------
as_id "$A" run -w "$WS" -- true # a store
(exec "${E2E_AS_ID[@]}" nohup "$A" run -w "$WS" -- sh -c 'echo up; exec sleep 99.4709') >"$OUT" 2>"$ERR" </dev/null &
job=$!
check "nohup: it is up" wait_for 20 grep -q up "$OUT"
kill -HUP "$job"
kill -TERM "$job"
wait "$job"
expect_eq "nohup: SIGHUP did not end it, SIGTERM did" "125 ended by signal 15" "$? $(record .outcome.reason)"
