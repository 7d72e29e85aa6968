#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# rerun: of the credentials that a call had, those that only read are given again, and never one that it had not.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

CONFIG=$T/home/.config/airlock
mkdir -p "$T/profiles" "$CONFIG/bundles/acme"
printf 'the-value-of-it' >"$T/value"
chmod 600 "$T/value"
cat >"$CONFIG/bundles/acme/bundle.yaml" <<ITEMS
bundle: acme
owner: test
items:
  one: { source: file, path: $T/value, access: read, max_uses: 20 }
  two: { source: file, path: $T/value, access: read, max_uses: 20 }
  writes: { source: file, path: $T/value, access: write }
  more: { source: file, path: $T/value, access: write }
ITEMS
chmod -R go-w "$CONFIG"

# profile ITEMS: the profile p lists them.
profile()
{
	printf 'version: 1\nname: p\nextends: default\ncapture: { inputs: content }\n%s\n' "$1" >"$T/profiles/p.yaml"
	chmod go-w "$T/profiles/p.yaml"
	own "$T/profiles"
}

profile "credentials: [one, two, writes, more]"
own "$T/home/.config" "$T/value"
P=$T/profiles/p.yaml

# given [CALL]: what it was leased.
given()
{
	record '[.planned.credentials[].item] | join(" ")' "${1:-@last}"
}

# used ITEM: how often it was leased.
used()
{
	cat "$AIRLOCK_STATE/uses/acme/$1" 2>/dev/null || echo 0
}

# again: the last call once more; AGAIN is the second one's id, and OUT its answer.
again()
{
	as_id "$A" rerun --json "$(record .planned.call)" >"$OUT" 2>"$ERR"
	AGAIN=$(jq -r .again "$OUT")
}

look='ls "$CREDENTIALS_DIRECTORY" 2>/dev/null || echo nothing'

# ---- what is given again ---------------------------------------------------------------------------------
expect_run "a call with one that writes" 0 -n -p "$P" --bundle acme --grant writes -- sh -c "$look"
expect_eq "has it" "writes writes" "$(cat "$OUT") $(given)"
again
expect_eq "again it has none, though its profile lists some that read" "[] null nothing" \
	"$(record '"\(.planned.credentials) \(.outcome.credentials)"' "$AGAIN") $(as_id "$A" cat "$AGAIN" stdout)"
expect_eq "nor was one leased" "0 0" "$(used one) $(used two)"
expect_eq "it ran" "ok observe" "$(record '"\(.outcome.verdict) \(.planned.mode)"' "$AGAIN")"
expect_match "which is said" "1 of its 1 credentials is not given: their access is write, and the call observes" <(jq -r '.notes[]' "$OUT")
expect_no_match "and nothing else of them" "leased anew" <(jq -r '.notes[]' "$OUT")

expect_run "a call with some that write and one that reads" 0 -n -p "$P" --bundle acme --grant writes --grant two --grant more -- sh -c "$look"
expect_eq "has them" "writes two more" "$(given)"
again
expect_eq "again it has the one that reads" "two two" "$(given "$AGAIN") $(as_id "$A" cat "$AGAIN" stdout)"
expect_eq "and no other was leased" "0 2" "$(used one) $(used two)"
expect_match "which is said" "2 of its 3 credentials are not given: their access is write" <(jq -r '.notes[]' "$OUT")
expect_match "and that it is leased anew" "credentials are leased anew, with the values of today" <(jq -r '.notes[]' "$OUT")

expect_run "a call with all that its profile lists" 0 -n -p "$P" --bundle acme -- sh -c "$look"
again
expect_eq "again it has those that read" "one two" "$(given "$AGAIN")"
expect_run "control: whoever observes is given them unasked" 0 -n -m observe -p "$P" --bundle acme -- true
expect_eq "control: both" "one two" "$(given)"

profile ""
expect_run "a call of a profile that lists none" 0 -n -p "$P" -- sh -c "$look"
first=$(record .planned.call)
profile "credentials: [one, two, writes, more]"
as_id "$A" rerun --json "$first" >"$OUT" 2>"$ERR"
expect_eq "is given none when it lists some" "ok []" "$(record '"\(.outcome.verdict) \(.planned.credentials)"' "$(jq -r .again "$OUT")")"

# A call that was refused has had nothing, and has no input either.
chmod 644 "$T/value"
expect_run "a call whose lease is refused" 125 -n -p "$P" --bundle acme --grant one -- true
chmod 600 "$T/value"
before=$(used one)
expect_verb "cannot be run again" 125 rerun @last
expect_eq "nor is it leased anything" "$before" "$(used one)"

# ---- what stands for another call, by hand -----------------------------------------------------------------
mkdir "$T/input"
own "$T/input"
expect_run "--input with a bundle" 0 -n --input "$T/input" -p "$P" --bundle acme -- sh -c "$look"
expect_eq "gives nothing that is not asked for" "nothing " "$(cat "$OUT") $(given)"
expect_run "and with --grant" 0 -n --input "$T/input" -p "$P" --bundle acme --grant two -- sh -c "$look"
expect_eq "that one" "two two" "$(cat "$OUT") $(given)"
expect_run "but none that writes" 125 -n --input "$T/input" -p "$P" --bundle acme --grant writes -- true
expect_match "which is said" "--grant writes: the call only observes, and its access is write" "$ERR"
