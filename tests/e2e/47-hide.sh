#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# filesystem.hide: what the tool meets there, what the record says and stores, and what is refused.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

mkdir -p "$T/profiles"

# profile HIDE [LINE…]: the profile of the runs below.
profile()
{
	{
		printf 'version: 1\nname: hide\nextends: default\nfilesystem: { hide: [%s] }\n' "$1"
		shift
		[ $# = 0 ] || printf '%s\n' "$@"
	} >"$T/profiles/hide.yaml"
	own "$T/profiles"
}
P=$T/profiles/hide.yaml

fill()
{
	new_ws
	mkdir -p "$WS/keys" "$WS/a/b"
	echo canary-file >"$WS/.token"
	echo canary-dir >"$WS/keys/one"
	echo canary-deep >"$WS/a/b/deep"
	echo plain >"$WS/a/b/plain"
	own "$WS"
}

fill
profile '.token, keys/, a//b/deep, later'
run_airlock -p "$P" -- sh -c 'cat .token; cat keys/one; ls keys; cat a/b/deep; cat a/b/plain; echo new >a/b/new'
expect_eq "what is beside it is there, what is hidden is not" "plain" "$(cat "$OUT")"
expect_match "a hidden file cannot be read" "cat: .token: Permission denied" "$ERR"
expect_match "a file of a hidden directory is not there" "cat: keys/one: No such file" "$ERR"
expect_match "nor one further down" "cat: a/b/deep: Permission denied" "$ERR"
expect_eq "what changed beside it is committed" "0 new create a/b/new" \
	"$RC $(cat "$WS/a/b/new") $(record '.outcome.changes.items[] | "\(.kind) \(.path)"')"
expect_eq "the record names what was hidden" '.token a/b/deep keys later' "$(record '.planned.hidden | join(" ")')"
as_id "$A" show @last >"$OUT"
expect_match "and show says it" "hidden      .token a/b/deep keys later" "$OUT"
expect_eq "no event: it is not there, that is all" '[]' "$(record '.outcome.denials | tojson')"
expect_eq "the files of the host are as they were" "canary-file canary-dir canary-deep" \
	"$(cat "$WS/.token" "$WS/keys/one" "$WS/a/b/deep" | tr '\n' ' ' | sed 's/ $//')"

run_airlock -p "$P" -- sh -c 'rm -rf a keys .token; mv a z; ls -A'
expect_eq "rm -rf takes all but what is hidden, and what holds it" ".token a keys z" \
	"$(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
expect_eq "nothing hidden is among the changes" "delete a/b/new delete a/b/plain" \
	"$(record '.outcome.changes.items[] | "\(.kind) \(.path)"' | grep -v 'create z' | tr '\n' ' ' | sed 's/ $//')"
expect_eq "and nothing of it is anywhere else" "" "$(grep -rl canary "$WS" | grep -v -e keys/one -e .token -e a/b/deep)"

fill
run_airlock -p "$P" -- sh -c 'echo mine >later; cat later'
expect_eq "a hidden name that is free is held when it is created" "123 mine held hidden: later" \
	"$RC $(cat "$OUT") $(record '.outcome | "\(.settled) \(.changes.items[0].hold)"')"
expect_eq "and not there" "no" "$([ -e "$WS/later" ] && echo yes || echo no)"

fill
run_airlock -p "$P" -m observe -- sh -c 'cat .token; echo x >later'
expect_eq "in observe as well" "0 discarded" "$RC $(record .outcome.settled)"
expect_match "nothing is read there" "Permission denied" "$ERR"

# Contents: digests of everything, bytes of nothing that is hidden.
fill
profile '.token, keys, a/b/deep' 'capture: { inputs: content }'
run_airlock -p "$P" -- true
as_id "$A" cat @last in:a/b/plain >"$OUT" 2>"$ERR"
expect_eq "positive control: content is captured" plain "$(cat "$OUT")"
for path in .token keys/one a/b/deep; do
	as_id "$A" cat @last "in:$path" >"$OUT" 2>"$ERR"
	RC=$?
	expect_eq "$path is not" "" "$(cat "$OUT")"
	check "$path: and cat fails" test "$RC" != 0
done
expect_eq "no pack holds it" "" "$(grep -rlE 'canary-(file|dir|deep)' "$AIRLOCK_STATE")"

# What cannot be hidden is refused before anything starts.
refused()
{
	local before
	before=$(journal_entries)
	run_airlock -p "$P" "${@:3}"
	expect_eq "$1: no call" "$before" "$(journal_entries)"
	expect_match "$1: why" "$2" "$ERR"
}

fill
ln -s .token "$WS/link"
ln -s a "$WS/way"
own "$WS"
profile link
refused "a link" "hide.yaml:4: filesystem.hide link: link is a link, which cannot be hidden: name what it leads to" -- true
profile way/b/deep
refused "a link on the way" "filesystem.hide way/b/deep: way is a link, which cannot be hidden" -- true
profile a/b
refused "the working directory" "the working directory $WS/a/b is hidden from the call" -C a/b -- true
printf '#!/bin/sh\n' >"$WS/a/b/run"
chmod +x "$WS/a/b/run"
own "$WS"
refused "a program" "./a/b/run: profile hide hides it (filesystem.hide, hide.yaml:4)" -- ./a/b/run
expect_eq "its exit" 126 "$RC"
profile 'a/b/deep, a/b, a'
run_airlock -p "$P" -- ls a
expect_eq "one in another is one" "0 " "$RC $(cat "$OUT")"
