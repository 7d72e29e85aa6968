# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: with a terminal of its own, to reach the caller's: by /dev/tty, by every name below /dev/pts, by one that it puts
# in another's place, by changing its size and its settings, by sequences (attempts 6, 33)
# property: P10
# contained: it has its own and no other; the caller's keeps its settings and shows what a screen needs
not_here() {
	command -v script >/dev/null || echo "no script(1)"
}
tty_state() {
	cat <<-'S'
		before=$(stty -g; stty size)
		"$@"
		[ "$before" = "$(stty -g; stty size)" ] && echo settings=kept
	S
}
attempt() {
	local out
	cat >"$WORKSPACE/reach.sh" <<-'S'
		echo names=$(ls /dev/pts | tr '\n' ' ')
		[ "$(stat -L -c %d:%i /dev/stdin)" = "$(stat -c %d:%i /dev/pts/0)" ] && echo own=pts/0
		ln -sf /dev/null /dev/pts/0 2>/dev/null || echo swap=refused
		mv /dev/pts/0 /dev/pts/7 2>/dev/null || echo move=refused
		rm -f /dev/pts/0 2>/dev/null || echo remove=refused
		mknod /dev/pts/9 c 136 9 2>/dev/null || echo make=refused
		mount --bind /dev/null /dev/pts/0 2>/dev/null || echo bind=refused
		stty -F /dev/tty rows 5 cols 5 -echo intr x
		echo size=$(stty size)
		printf '\033]0;evil\007\033]52;c;eA==\007\033[8;9;9t\033[31mred\033[0m\n'
	S
	as tee "$T/inside/state.sh" < <(tty_state) >/dev/null
	# script tells the end of its stdin with a key, which the tool's terminal shows as ^@
	out=$(as script -qec "cd $WORKSPACE && sh $T/inside/state.sh $AIRLOCK run -q -t -- sh reach.sh" /dev/null </dev/null | tr -d '\r' | sed 's/\^@//')
	expect_lines "names=0 ptmx
own=pts/0
swap=refused
move=refused
remove=refused
make=refused
bind=refused
size=5 5
"$'\e[31mred\e[0m'"
settings=kept" "$out"
	EVENTS=("syscall mount" "syscall mknodat")
	check_record
}
