#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root plain
# capture: what a profile keeps of streams, files and environment, and that what was not kept is said.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

profiles=$T/profiles
mkdir -p "$profiles"
cat >"$profiles/less.yaml" <<'Y'
version: 1
name: less
description: keeps little
extends: default
capture:
  file_size: 1KiB
  stdin: 0B
  stdout: 5B
  stderr: 0B
  environment: [KEPT, LC_*]
environment:
  accept: [KEPT, OTHER, LC_ALL]
Y
own "$profiles"
printf 'old small\n' >"$WS/small"
head -c 2000 /dev/zero | tr '\0' o >"$WS/large"
own "$WS/small" "$WS/large"
printf 'the password\n' | as_id "$A" run -p "$profiles/less.yaml" -w "$WS" -e KEPT=v1 -e OTHER=hidden-value -e LC_ALL=C -- \
	sh -c 'cat; printf 123456789; echo err >&2; echo new >small; head -c 3000 /dev/zero | tr "\0" n >large' >"$OUT" 2>"$ERR"
expect_eq "the tool ran" "0" "$?"
expect_eq "its output passed whole" "the password
123456789" "$(cat "$OUT")"
expect_eq "of stdin only the digest is kept" "13 0 null $(printf 'the password\n' | sha)" \
	"$(record '.outcome.stdin | "\(.bytes) \(.kept) \(.inline) \(.digest)"')"
expect_eq "of stdout the start, and the digest of all" "22 5 $(printf 'the password\n123456789' | sha)" \
	"$(record '.outcome.stdout | "\(.bytes) \(.kept) \(.digest)"')"
expect_eq "of stderr nothing" "4 0" "$(record '.outcome.stderr | "\(.bytes) \(.kept)"')"
expect_eq "the bounds stand in the record" '{"environment":["KEPT","LC_*"],"file_size":1024,"stderr":0,"stdin":0,"stdout":5}' \
	"$(record '.planned.capture_bounds | tojson' | jq -cS .)"
expect_eq "values of the variables that are named, no other" "KEPT=v1 LC_ALL=C" \
	"$(record '.planned.env_values | sort | join(" ")')"
expect_eq "their names all the same" "1" "$(record '.planned.env_names[]' | grep -cx OTHER)"
expect_eq "what was not to be kept is nowhere" "" "$(as_id grep -rlE 'hidden-value|the password' "$AIRLOCK_STATE")"
expect_eq "nor in base64" "" "$(as_id grep -rl "$(printf 'the password' | base64)" "$AIRLOCK_STATE")"

as_id "$A" cat @last stdout >"$OUT" 2>"$ERR"
expect_eq "cat gives what was kept" "the p" "$(cat "$OUT")"
expect_match "and says that it is not all" "the first 5 of 22 bytes" "$ERR"
expect_verb "cat of what was not kept" 1 cat @last stdin
expect_match "says why" "none was kept" "$ERR"
expect_verb "the small file is kept" 0 cat @last in:small
expect_eq "as it was" "old small" "$(cat "$OUT")"
expect_verb "the large one is not" 1 cat @last in:large
expect_match "only its digest" "the content was not captured" "$ERR"
expect_verb "show" 0 show @last
tr -s ' \n' ' ' <"$OUT" >"$OUT.one"
expect_match "says what was not kept of a stream" "nothing of it was kept but its digest" "$OUT.one"
expect_match "and of files" "contents of files above 1 KiB" "$OUT.one"
expect_match "which values were" "values LC_ALL=C KEPT=v1" "$OUT.one"
expect_match "and that others were not" "values of the other variables" "$OUT.one"
expect_verb "undo cannot give the large one back" 1 undo @last
expect_match "and names it" "large" "$ERR"

# ---- a child may keep more, not less, unless it is opened -------------------------------------------
cat >"$profiles/strict-log.yaml" <<'Y'
version: 1
name: strict-log
description: a floor
extends: default
capture: { stdout: 1MiB }
Y
printf 'version: 1\nname: child\ndescription: x\nextends: %s\ncapture: { stdout: 1B }\n' "$profiles/strict-log.yaml" >"$profiles/child.yaml"
own "$profiles"
expect_run "a child that keeps less is refused" 125 -p "$profiles/child.yaml" -- true
expect_match "with the place" "child.yaml:5:20: error: capture.stdout: 1B is wider than the parent's 1MiB" "$ERR"
