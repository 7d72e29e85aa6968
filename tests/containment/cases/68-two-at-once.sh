# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: two calls at once on one workspace, each writing one file (attempt 68)
# property: P12
# contained: each is committed whole, or held as a conflict; a call sees its own writes at every look
without_control "two writers without a sandbox see each other: that is the point"
attempt() {
	local a b
	cat >"$T/inside/two" <<-'S'
		echo "$1" >"mine-$1"
		i=0; while [ $i -lt 40 ]; do cat "mine-$1"; sleep 0.01; i=$((i + 1)); done | sort -u
	S
	as cp "$T/inside/two" "$WORKSPACE/two.sh"
	(cd "$WORKSPACE" && as "$AIRLOCK" run -q -- sh two.sh a >"$T/inside/a" 2>"$T/inside/ea"; echo $? >"$T/inside/ra") &
	(cd "$WORKSPACE" && as "$AIRLOCK" run -q -- sh two.sh b >"$T/inside/b" 2>"$T/inside/eb"; echo $? >"$T/inside/rb")
	wait
	a=$(cat "$T/inside/a") b=$(cat "$T/inside/b")
	expect "a sees" a "$a"
	expect "b sees" b "$b"
	for x in a b; do
		case $(cat "$T/inside/r$x") in
		0) expect "$x committed" $x "$(cat "$WORKSPACE/mine-$x" 2>&1)" ;;
		123) expect "$x held" no "$([ -e "$WORKSPACE/mine-$x" ] && echo yes || echo no)" ;;
		*) fail "exit of $x: $(cat "$T/inside/r$x"): $(cat "$T/inside/e$x")" ;;
		esac
	done
}
