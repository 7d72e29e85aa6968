# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to type into the caller's terminal: TIOCSTI and its relatives, also with dirt in the command's upper half, /dev/tty
# (attempts 32, 33)
# property: P10
# contained: no terminal inside, EPERM; nothing is typed
for_any
also TIOCSETD=ok # to the discipline that it has: only what types is an escape
not_here() {
	command -v script >/dev/null || echo "no script(1)"
	[ "$(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null || echo 1)" = 1 ] || echo "the kernel has no TIOCSTI"
}
attempt() {
	local out
	cat >"$T/inside/term.sh" <<-S
		cd "$WORKSPACE" && "\$@"
	S
	out=$(as script -qec "sh $T/inside/term.sh ./attack terminal" /dev/null </dev/null | tr -d '\r')
	expect_has "control: a terminal" "isatty=yes" "$out"
	expect_has "control: types" "TIOCSTI=ok" "$out"
	if ! is_airlock; then
		OUT=$(peer_on_terminal ./attack terminal | tr -d '\r')
		expect_held $'TIOCSTI=EPERM\nTIOCSTI-dirty=EPERM\nTIOCLINUX=EPERM\nTIOCSETD=EPERM'
		return
	fi
	out=$(as script -qec "sh $T/inside/term.sh $AIRLOCK run -q -- ./attack terminal" /dev/null </dev/null | tr -d '\r')
	expect_lines $'isatty=no\nTIOCSTI=EPERM\nTIOCSTI-dirty=EPERM\nTIOCLINUX=EPERM\nTIOCSETD=EPERM\ndev-tty=ENOENT' "$out"
	event syscall ioctl
	check_record
	out=$(as script -qec "sh $T/inside/term.sh $AIRLOCK run -q -t -- ./attack terminal" /dev/null </dev/null |
		tr -d '\r' | sed 's/\^@//') # script tells the end of its stdin with a key
	expect_lines $'isatty=yes\nTIOCSTI=EPERM\nTIOCSTI-dirty=EPERM\nTIOCLINUX=EPERM\nTIOCSETD=EPERM\ndev-tty=ok' "$out"
	check_record
	# shellcheck disable=SC2016
	out=$(as script -qec "sh $T/inside/term.sh $AIRLOCK run -q -- /bin/sh -c 'printf \"\\033]52;c;eA==\\007\\033[31mred\\n\"'" \
		/dev/null </dev/null)
	expect "clipboard sequence" 0 "$(grep -c $'\e]52' <<<"$out")"
	expect "colour passes" 1 "$(grep -c $'\e\[31m' <<<"$out")"
}
