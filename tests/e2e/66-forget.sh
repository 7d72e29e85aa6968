#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `airlock forget`, `airlock gc` and the quota: what goes, what stays, what keeps something, and what is said of what went.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

secret=c0ffee5ec2e7c0ffee

workflow()
{
	record .planned.workflow
}

# index QUESTION: of the rows that there are
index()
{
	as_id "$LOG" --wait
	rows "$1"
}

leaves()
{
	index 'SELECT n, type, call, hex(digest) FROM entry ORDER BY n'
}

rebuilt()
{
	as_id "$LOG" --rebuild
	rows .dump
}

holds_secret()
{
	grep -raoF "$secret" "$AIRLOCK_STATE" | cut -d: -f1 | sort -u | sed "s|$AIRLOCK_STATE/||" | cut -d/ -f1 | sort -u |
		paste -sd' '
}

# ---- forget ---------------------------------------------------------------------------------------
new_ws kept
expect_run "another workflow" 0 -- sh -c 'head -c 9000 /dev/zero | tr "\0" k; echo kept >file'
kept=$(record .planned.call)
new_ws gone
expect_run "a call with what must go" 0 -- sh -c "head -c 9000 /dev/zero | tr '\\0' x; echo $secret; echo $secret >$secret"
gone=$(record .planned.call) id=$(workflow)
expect_run "a second one, short" 0 --key "k-$secret" -- echo "$secret"
second=$(record .planned.call)
expect_verb "taken back" 0 undo "$gone"
before=$(leaves)
expect_eq "control: it is in journal, index and packs" "index.db journal wf" \
	"$(holds_secret | tr ' ' '\n' | grep -v '^index.db-\|^cache' | paste -sd' ')"

run_airlock -m propose -- sh -c 'echo held >held'
held=$(record .planned.call)
expect_verb "not while something is held" 1 forget --workflow "$id"
expect_match "and which is said" "1 change set waits for a decision (${held:0:13}): apply or discard it first" "$ERR"
expect_verb "discarded" 0 discard "$held"
start_airlock -- sh -c 'echo begun; exec sleep 60'
check "a call of it runs" wait_for 10 grep -q begun "$T/.bg.out"
expect_verb "not while a call of it runs" 1 forget --workflow "$id"
expect_match "and that is said" "workflow $id: a call of it runs: try again when that has ended" "$ERR"
kill "$PID"
wait "$PID"
before=$(leaves)
rm -f "$WS/$secret"
expect_verb "several are called so" 1 forget --workflow local
expect_match "and they are named" "several workflows are called so" "$ERR"
expect_verb "which does not matter, there is none" 1 forget --workflow ffffffff
expect_match "and that is said" "no such workflow is recorded" "$ERR"
expect_verb "which is missing" 125 forget

expect_verb "three characters are no name" 1 forget --workflow "${id:0:3}"
expect_match "of any workflow" "no such workflow is recorded" "$ERR"
expect_verb "forgotten" 0 forget --workflow "${id:0:8}" --reason "asked for it"
expect_match "what went is said" "forgot workflow $id: 10 records, " "$OUT"
expect_verb "what went is signed for" 0 verify --store "$AIRLOCK_STATE" --key "@$AIRLOCK_STATE/log/vkey"
expect_eq "nothing of it is anywhere" "" "$(holds_secret | tr ' ' '\n' | grep -v '^cache' | paste -sd' ')"
expect_eq "the list of calls is there" calls "$(find "$AIRLOCK_STATE/wf/$id" -mindepth 1 -printf '%P\n')"
expect_eq "every leaf is as before, and one more" "$before" "$(leaves | head -n -1)"
expect_eq "which is the gc entry" "gc|forget|$id|asked for it" \
	"$(index "SELECT type, action, workflow, reason FROM event WHERE type = 'gc'")"
expect_eq "its calls have no rows" "0 0 0 0 4" "$(index "SELECT
	(SELECT count(*) FROM call WHERE workflow = '$id'), (SELECT count(*) FROM change WHERE call = '$gone'),
	(SELECT count(*) FROM settle WHERE call = '$gone'), (SELECT count(*) FROM damaged),
	(SELECT count(*) FROM forgotten)" | tr '|' ' ')"
all=$(index .dump)
expect_eq "made again the index has the same rows" "$(sha256sum <<<"$all")" "$(rebuilt | sha256sum)"
who="was forgotten by uid $(as_id id -u) at 20"
for verb in show diff "cat stdout" undo apply discard "export --to $T/none"; do
	read -r name rest <<<"$verb"
	# shellcheck disable=SC2086 # words
	expect_verb "$name of a forgotten call" 1 $name "$second" $rest
	expect_match "$name says who forgot it" "$second $who" "$ERR"
	expect_match "$name says why" "(asked for it): its records and objects are gone" "$ERR"
done
expect_verb "log has the others" 0 log -n 0 --json
expect_eq "and none of it" "$kept" "$(jq -r .call "$OUT")"
expect_verb "log of the workflow" 0 log --workflow "$id"
expect_match "says who forgot it" "workflow $id was forgotten by uid" "$ERR"
expect_verb "the log verifies" 0 verify --store "$AIRLOCK_STATE" --key "@$AIRLOCK_STATE/log/vkey"
expect_match "and says what is not there" "workflow $id: records and objects were forgotten" "$OUT"
expect_verb "the other workflow is whole" 0 cat "$kept" stdout
expect_eq "to the last byte" 9000 "$(wc -c <"$OUT")"
expect_verb "once more" 0 forget --workflow "$id"
expect_eq "there is nothing" "nothing is left of workflow $id" "$(cat "$OUT")"
expect_run "a new call of the same workflow" 0 --key "k-$secret" -- echo again
expect_eq "is of it" "$id 5" "$(record '.planned | "\(.workflow) \(.seq)"')"

# ---- gc -------------------------------------------------------------------------------------------
new_ws collected
expect_run "a call to collect" 0 -- sh -c 'head -c 9000 /dev/zero | tr "\0" c; echo two >file'
call=$(record .planned.call) id=$(workflow)
new_ws waits
expect_run "one whose change is held" 0 -m propose -- sh -c 'head -c 9000 /dev/zero | tr "\0" h; echo two >file'
waits=$(record .planned.call) waiting=$(workflow)
# what crashes leave
old=01935c8e-1f2a-7b3c-9d4e-af5061728394
touch "$AIRLOCK_STATE/journal/.new-$old"
mkdir -p "$AIRLOCK_STATE/scratch/$old/upper" "$AIRLOCK_STATE/wf/$id/draft/.new-0000000009-$old/upper"
cp "$AIRLOCK_STATE/wf/$id/pack-$call-01.alp" "$AIRLOCK_STATE/wf/$id/pack-$old-01.alp"
own "$AIRLOCK_STATE"
leave=$(printf '%s\n' "journal/.new-$old" "scratch/$old" "wf/$id/draft/.new-0000000009-$old" "wf/$id/pack-$old-01.alp")
as_id "$LOG" --wait # or it signs in the middle
all=$(find "$AIRLOCK_STATE" ! -path '*/index.db*' ! -type d | sort)
expect_verb "an age that is none" 125 gc --older-than 90
expect_verb "a dry run" 0 gc --dry-run --older-than 0s
expect_match "names what would go" "workflow $id, last used 20" "$OUT"
expect_match "and what is kept" "kept: workflow $waiting: 1 change set waits for a decision (${waits:0:13})" "$OUT"
expect_eq "and what crashes left" "$leave" "$(grep -A4 '^left by crashes' "$OUT" | tail -n +2)"
expect_eq "and changes nothing" "$all" "$(find "$AIRLOCK_STATE" ! -path '*/index.db*' ! -type d | sort)"
expect_verb "what is young stays" 0 gc --older-than 1h
# shellcheck disable=SC2086 # names without spaces
expect_eq "control: what crashes left goes" "" "$(cd "$AIRLOCK_STATE" && ls -d $leave 2>/dev/null)"
check "and the pack of the call does not" test -f "$AIRLOCK_STATE/wf/$id/pack-$call-01.alp"
expect_eq "and that is in the log" "gc|NULL|left by a crash|4" \
	"$(index "SELECT action, ifnull(workflow, 'NULL'), reason, json_extract(CAST(record AS TEXT), '\$.objects')
		FROM event JOIN entry USING (n) ORDER BY n DESC LIMIT 1")"
expect_verb "control: it can be read" 0 cat "$call" stdout
expect_verb "old" 0 gc --older-than 0s
expect_verb "what went is signed for" 0 verify --store "$AIRLOCK_STATE" --key "@$AIRLOCK_STATE/log/vkey"
expect_eq "its packs went" "calls ledger" "$(find "$AIRLOCK_STATE/wf/$id" -mindepth 1 -printf '%P\n' | sort | xargs)"
check "those of what is held did not" test -f "$AIRLOCK_STATE/wf/$waiting/pack-$waits-01.alp"
expect_eq "an entry for each" "gc|$id" "$(index "SELECT action, workflow FROM event WHERE workflow = '$id'")"
expect_verb "the record stays" 0 show "$call"
expect_verb "its stream does not" 1 cat "$call" stdout
expect_match "and who removed it is said" "; gc removed the objects of its workflow, by uid $(as_id id -u) at 20" "$ERR"
expect_verb "nor its change set" 1 diff "$call"
expect_match "which says the same" "; gc removed the objects of its workflow, by uid" "$ERR"
expect_verb "so it is not taken back" 1 undo "$call"
expect_match "and says why not" "; gc removed the objects of its workflow, by uid" "$ERR"
expect_verb "and is exported without" 1 export "$call" --to "$T/home/exported"
expect_match "and says so" "not in the store; gc removed the objects of its workflow" "$ERR"
expect_verb "what is held can be applied" 0 apply "$waits"
expect_verb "once more" 0 gc --older-than 0s --dry-run
expect_eq "there is no more" 0 "$(grep -c "$id" "$OUT")"

# ---- quota ----------------------------------------------------------------------------------------
expect_verb "a quota that is none" 125 gc --quota much
expect_verb "a quota" 0 gc --quota 1G
expect_match "and how much of it" " of 1 GiB" "$OUT"
expect_run "below it" 0 -v -- true
expect_no_match "nothing is said" quota "$ERR"
expect_verb "doctor says it" 0 doctor
expect_match "with what is used" "free, quota 1 GiB, 0 % used" "$OUT"
used=$(cut -d' ' -f2 "$AIRLOCK_STATE/quota")
as_id sh -c 'echo "$1 $2" >"$3"' sh $((used * 100 / 89)) "$used" "$AIRLOCK_STATE/quota"
expect_run "at 89 percent" 0 -v -- true
expect_match "a person is told" "the state directory uses 89 % of its quota" "$ERR"
as_id "$LOG" --wait
expect_run "without a terminal" 0 -- true
expect_eq "nobody is" "" "$(cat "$ERR")"
as_id sh -c 'echo "4096 4096" >"$1"' sh "$AIRLOCK_STATE/quota"
before=$(journal_entries)
run_airlock -- sh -c 'echo x >ran'
expect_eq "above it" "125 no" "$RC $(test -e "$WS/ran" && echo ran || echo no)"
expect_match "and what to do is said" "has reached its quota of 4KiB (4096 bytes are used): make room with \`airlock gc" "$ERR"
expect_eq "nothing is recorded" "$before" "$(journal_entries)"
as_id sh -c 'echo much >"$1"' sh "$AIRLOCK_STATE/quota"
expect_run "one that is damaged" 125 -- true
expect_match "and what to do" "quota is damaged: set it again, \`airlock gc --quota 20G\`, or to none" "$ERR"
expect_verb "set to none" 0 gc --quota none
expect_run "control" 0 -- true
