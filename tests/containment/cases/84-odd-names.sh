# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: workspaces and files with ':' ',' '\' newlines, quotes, 255 bytes, bytes that are no UTF-8 (own)
# property: P12
# contained: the right directory is mounted, and only that; the record names it escaped
without_control "names are the caller's"
attempt() {
	local name long
	long=$(printf 'n%.0s' {1..255})
	for name in 'a:b' 'a,b' 'a\b' $'a\nb' 'a"b' 'lowerdir=x' '..a' 'a b ' "$long" $'a\xff' '-w' '%s' $'\e[31m'; do
		as mkdir "$T/inside/$name"
		as cp "$ATTACK" "$T/inside/$name/attack"
		OUT=$(as "$AIRLOCK" run -q -w "$T/inside/$name" -- /bin/sh -c 'ls -A && printf x >"./$1"' - "$name" </dev/null 2>&1)
		expect "inside $name" attack "$OUT"
		expect "committed in $name" x "$(cat "$T/inside/$name/$name" 2>&1)"
		expect "one line in log" 1 "$(as "$AIRLOCK" log 2>&1 | tail -n +1 | grep -c "$(as "$AIRLOCK" show @last --json | jq -r '.call[0:13]')")"
	done
	expect "no escape in log" 0 "$(as "$AIRLOCK" log 2>&1 | grep -c $'\e')"
}
