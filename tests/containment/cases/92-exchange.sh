# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to confuse the reader of changes with exchanged, renamed, replaced and hard-linked entries (own)
# property: P12
# contained: what is committed is what the tool saw
prepare() {
	as mkdir "$WORKSPACE/d"
	as sh -c 'echo one >"$1/one"; echo two >"$1/two"; echo in >"$1/d/in"; ln "$1/one" "$1/d/one-too"' - "$WORKSPACE"
}
free exchange:one,two=ok rename:two,e/two=ok
attack() {
	act exchange:one,two rename:d/in,in unlink:d/one-too rmdir:d append:d,now-a-file mkdir:e rename:two,e/two \
		link:e/two,e/three append:e/three,more symlink:e/two,two
}
held exchange:one,two=ok rename:d/in,in=ok unlink:d/one-too=ok rmdir:d=ok append:d,now-a-file=ok mkdir:e=ok \
	rename:two,e/two=ok link:e/two,e/three=ok append:e/three,more=ok symlink:e/two,two=ok
settled committed
attempt() {
	usual_attempt
	expect "one" two "$(cat "$WORKSPACE/one")"
	expect "in" in "$(cat "$WORKSPACE/in")"
	expect "d" now-a-file "$(cat "$WORKSPACE/d")"
	expect "e/two" $'one\nmore' "$(cat "$WORKSPACE/e/two")"
	expect "e/three" $'one\nmore' "$(cat "$WORKSPACE/e/three")"
	expect "two" e/two "$(readlink "$WORKSPACE/two")"
}
