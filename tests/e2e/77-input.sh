#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run --input: another directory's content at the workspace's place, and which directories may be it.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

new_ws
input=$T/input
mkdir -p "$input/sub"
echo other >"$input/f"
own "$input"
as_id sh -c 'echo mine >"$1/f"' sh "$WS"
expect_run "another directory's content" 0 --input "$input" -C sub -- sh -c 'pwd; cat ../f; echo x >../f'
expect_eq "at the workspace's place" "$WS/sub other" "$(xargs <"$OUT")"
expect_eq "neither is changed" "other mine" "$(cat "$input/f") $(cat "$WS/f")"
expect_eq "the record names it" "$input observe" "$(record '"\(.planned.input) \(.planned.mode)"')"
expect_run "its directories are those of -C" 125 --input "$input" -C none -- true
expect_match "and none else" "-C $WS/none, in the input $input: No such file" "$ERR"
expect_run "not above the workspace" 125 --input "$input" -C ../x -- true
printf '#!/bin/sh\necho script\n' >"$input/script"
chmod +x "$input/script"
own "$input/script"
expect_run "a program that only it has" 0 --input "$input" -- ./script
expect_run "and the plan of that" 0 --dry-run --input "$input" -- ./script
expect_match "names it" "program   $WS/./script" "$OUT"
expect_run "in no other mode" 125 --input "$input" -m apply -- true
expect_match "why" '--input goes with -m observe alone' "$ERR"
expect_run "not over what is held" 125 --input "$input" --over @last -- true
expect_run "not the state directory" 125 --input "$AIRLOCK_STATE" -- true
expect_match "why not" "--input $AIRLOCK_STATE: it lies in the state directory" "$ERR"
expect_run "not what holds it" 125 --input "$T" -- true
expect_run "not what is in it" 125 --input "$AIRLOCK_STATE/journal" -- true
if [ "$E2E_IDENTITY" = root ]; then
	install -d -o "$E2E_USER" "$T/theirs"
	theirs=$T/theirs
else
	theirs=/usr
fi
expect_run "not another's" 125 --input "$theirs" -- true
expect_match "whose it is" "--input $theirs: it belongs to uid" "$ERR"
expect_run "no file" 125 --input "$input/f" -- true
