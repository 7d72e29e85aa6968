#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `airlock workflow`: made once, listed, shown, paused, resumed, stopped, given more, finished by a check, forgotten; each
# refusal says from which state.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

uid=$(as_id id -u)

# shown NAME JQ: of `workflow show --json`
shown()
{
	as_id "$A" workflow show "$1" --json | jq -cr "$2"
}

# events NAME: what happened besides its calls
events()
{
	shown "$1" '[.timeline[] | select(.type == "workflow") | .action] | join(" ")'
}

# timeline NAME: the page's lines from there on, without times and ids
timeline()
{
	as_id "$A" workflow show "$1" | sed '1,/^TIMELINE/d' | sed -E 's/^[0-9:]{8}  //; s/^[0-9a-f-]{13,36}  /CALL  /'
}

# ---- made ------------------------------------------------------------------------------------------
expect_verb "before there is anything" 0 workflow list
expect_eq "there is none" "" "$(cat "$OUT")"
expect_verb "one is made" 0 workflow new triage --owner "Ada L." --steps look,fix,report --budget calls=10,wall=2h \
	--deadline 2100-01-01T00:00:00Z --label team:core --label batch/7 --loop-guard 4
id=$(sed -nE 's/^workflow triage is ([0-9a-f-]{36})$/\1/p' "$OUT")
check "and its id said" test -n "$id"
expect_eq "its definition is as documented" "v 1
id $id
name triage
created N
owner Ada\\040L.
step look
step fix
step report
label team:core
label batch/7
calls 10
wall 7200000
deadline 4102444800000
guard 4" "$(sed -E 's/^created [0-9]+$/created N/' "$AIRLOCK_STATE/wf/$id/definition")"
expect_eq "its name is the id's" "$id" "$(cat "$AIRLOCK_STATE/names/triage")"
expect_eq "private to its owner" "600 600 600" \
	"$(stat -c %a "$AIRLOCK_STATE/wf/$id/definition" "$AIRLOCK_STATE/wf/$id/ledger" "$AIRLOCK_STATE/names/triage" | paste -sd' ')"
as_id "$LOG" --wait
expect_eq "the journal says so" "new|person|triage|Ada L.|[\"look\",\"fix\",\"report\"]|10|4|$id|$uid" \
	"$(rows "SELECT action, json_extract(r, '\$.by'), name, json_extract(r, '\$.owner'), json_extract(r, '\$.steps'),
		json_extract(r, '\$.budget.calls'), json_extract(r, '\$.guard'), workflow, uid
		FROM (SELECT *, CAST(record AS TEXT) AS r FROM event JOIN entry USING (n)) WHERE type = 'workflow'")"
expect_verb "not twice" 1 workflow new triage
expect_match "which is said" "there is a workflow triage already: \`airlock workflow show triage\` tells of it" "$ERR"
expect_eq "one entry is there" new "$(events triage)"
expect_verb "another, of nothing but a name" 0 workflow new x.new
expect_verb "a third" 0 workflow new x
expect_verb "listed" 0 workflow list --json
expect_eq "oldest first" "triage x.new x" "$(jq -r .name "$OUT" | paste -sd' ')"
expect_eq "whole" \
	'{"budget":{"calls":{"left":10,"limit":10,"reserved":0,"used":0},"cpu_ms":{"left":null,"limit":null,"reserved":0,"used":0},"disk_bytes":{"left":null,"limit":null,"reserved":0,"used":0},"wall_ms":{"left":7200000,"limit":7200000,"reserved":0,"used":0}},"bundle":null,"created":true,"deadline":4102444800000,"guard":4,"labels":[{"call":null,"label":"team:core"},{"call":null,"label":"batch/7"}],"name":"triage","owner":"Ada L.","reason":null,"since":true,"state":"active","step":null,"steps":[{"name":"look","state":"ahead"},{"name":"fix","state":"ahead"},{"name":"report","state":"ahead"}],"workflow":"'"$id"'"}' \
	"$(head -n 1 "$OUT" | jq -c '.created = (.created > 0) | .since = (.since > 0)')"
expect_eq "of the last all is null" '[null,10,[],null,null,[]]' \
	"$(tail -n 1 "$OUT" | jq -c '[.deadline, .guard, .labels, .owner, .reason, .steps]')"
expect_verb "listed for a person" 0 workflow list
expect_eq "a line each" "triage active - 0/3 0/10 Ada L.;x.new active 0;x active 0" \
	"$(sed -E 's/ [0-9]{2}:[0-9]{2}:[0-9]{2} / /; s/ +/ /g; s/ $//' "$OUT" | paste -sd';')"

for i in 1 2 3 4 5 6 7 8; do
	as_id "$A" workflow new race >"$T/.race$i" 2>&1 &
	makers[i]=$!
done
made=0
for i in 1 2 3 4 5 6 7 8; do
	wait "${makers[i]}" && made=$((made + 1))
done
expect_eq "of eight at once one makes it" "1 7" \
	"$made $(cat "$T"/.race? | grep -c 'there is a workflow race already')"
expect_eq "and says so once" new "$(events race)"

while IFS='|' read -r name words said; do
	# shellcheck disable=SC2086 # words
	expect_verb "$name" 125 workflow new $words
	expect_match "$name: that is said" "$said" "$ERR"
done <<'ROWS'
no name|--owner me|usage: airlock workflow new NAME
a name with a slash|a/b|a/b: no name of a workflow
local|local|local: no name of a workflow
a bound of nothing|n --budget fuel=3|--budget: nothing is bound by fuel
a bound of no amount|n --budget wall=3|3: no amount
a slip|n --budget call=3|did you mean calls?
no calls at all|n --budget calls=0|would let no call in
a deadline that has passed|n --deadline 2020-01-01|a deadline lies ahead
a step twice|n --steps a,b,a|a: that step is there twice
a label with a comma|n --label a,b|a,b: no label
a guard of one|n --loop-guard 1|1: no loop guard
ROWS
expect_eq "none of them was made" "race triage x x.new" \
	"$(as_id "$A" workflow list --json | jq -r .name | LC_ALL=C sort | paste -sd' ')"

# ---- a maker that died --------------------------------------------------------------------------------
# between the name and the entry: what is in the files is there, the journal knows nothing
home_state=$AIRLOCK_STATE
export AIRLOCK_STATE=$T/state-died
mkdir -m 700 "$AIRLOCK_STATE"
cp -a "$home_state/wf" "$home_state/names" "$AIRLOCK_STATE/"
own "$AIRLOCK_STATE"
expect_verb "the name is taken" 1 workflow new triage
expect_eq "and the journal has it then" "new" "$(events triage)"
expect_verb "once more" 1 workflow new triage
expect_eq "once" "new" "$(events triage)"
# `recover` does the same
rm -rf "${AIRLOCK_STATE:?}"
mkdir -m 700 "$AIRLOCK_STATE"
cp -a "$home_state/wf" "$home_state/names" "$AIRLOCK_STATE/"
own "$AIRLOCK_STATE"
expect_verb "recovered" 0 recover
expect_eq "each is said" "4" "$(grep -c 'the journal has it now' "$ERR")"
expect_eq "and the journal has it" "new new" "$(events triage) $(events x)"
expect_verb "again" 0 recover
expect_eq "there is nothing to do" "nothing to recover" "$(cat "$OUT")"
# before the name: nobody has it
export AIRLOCK_STATE=$T/state-unnamed
mkdir -m 700 "$AIRLOCK_STATE"
cp -a "$home_state/wf" "$AIRLOCK_STATE/"
own "$AIRLOCK_STATE"
expect_verb "control: there is a journal" 0 workflow new other
expect_verb "without a name there is none" 1 workflow show triage
expect_match "and how to make one is said" "there is no workflow triage: \`airlock workflow new triage\` makes it" "$ERR"
expect_verb "so it can be made" 0 workflow new triage
check "with another id" test "$(cat "$AIRLOCK_STATE/names/triage")" != "$id"
export AIRLOCK_STATE=$home_state

# ---- from state to state -------------------------------------------------------------------------------
expect_verb "paused" 0 workflow pause triage --reason "tea first"
expect_eq "that is said" "workflow triage is paused" "$(cat "$OUT")"
expect_eq "and known" "paused tea first" "$(shown triage '"\(.state) \(.reason)"')"
expect_verb "already" 1 workflow pause triage
expect_eq "which is said" "airlock: workflow triage is paused already" "$(cat "$ERR")"
expect_verb "not finished from there" 1 workflow finish triage
expect_eq "which is said" "airlock: workflow triage is paused: it cannot be finished" "$(cat "$ERR")"
expect_verb "by its id" 0 workflow resume "$id"
expect_eq "it goes on" "workflow triage goes on" "$(cat "$OUT")"
expect_eq "without a reason" "active null" "$(shown triage '"\(.state) \(.reason)"')"
expect_verb "more of it" 0 workflow budget triage --budget calls=12,disk=1G,wall=none --deadline none
expect_eq "is said" "workflow triage:
  calls: 0 of 12 used, 0 reserved, 12 left
  wall: 0ms used, 0ms reserved, no bound
  cpu: 0ms used, 0ms reserved, no bound
  disk: 0B of 1GiB used, 0B reserved, 1GiB left" "$(cat "$OUT")"
expect_eq "and known" '[12,null,null,1073741824,null]' \
	"$(shown triage '[.budget[] | .limit] as [$c, $p, $d, $w] | [$c, $p, $w, $d, .deadline]')"
expect_verb "nothing to set" 125 workflow budget triage
expect_verb "stopped" 0 workflow stop x --reason "enough"
expect_eq "that is said" "workflow x is stopped" "$(cat "$OUT")"
while IFS='|' read -r verb said; do
	# shellcheck disable=SC2086 # words
	expect_verb "stopped, it cannot be: $verb" 1 workflow $verb
	expect_eq "$verb: and why" "airlock: workflow x is stopped$said" "$(cat "$ERR")"
done <<'ROWS'
resume x|: it cannot be resumed
pause x|: it cannot be paused
finish x|: it cannot be finished
stop x| already
budget x --budget calls=1|: it takes no more calls
ROWS
expect_verb "finished by word" 0 workflow finish x.new --reason "I looked"
expect_eq "that is said" "workflow x.new is finished, by word: no check was run" "$(cat "$OUT")"
expect_verb "there is no check to run again" 125 workflow verify x.new
expect_eq "which is said" "airlock: workflow x.new was finished by word, without a check: there is nothing to check again" \
	"$(cat "$ERR")"
expect_verb "nor of one that is not finished" 125 workflow verify triage
expect_verb "a check is two things" 125 workflow finish triage --check default
expect_eq "the timeline has all of it" "-- made by uid $uid: calls=10,wall=2h, deadline 2100-01-01 00:00:00 +0000
-- paused by uid $uid: tea first
-- resumed by uid $uid
-- budget set by uid $uid: calls=12,disk=1GiB" "$(TZ=UTC timeline triage)"
expect_eq "of the others, too" "-- made by uid $uid
-- stopped by uid $uid: enough;-- made by uid $uid
-- finished by uid $uid: I looked" "$(timeline x);$(timeline x.new)"
expect_verb "for a person" 0 workflow show triage
expect_eq "the facts above it" "workflow triage, $id
owner Ada L.
steps look: not begun, 0 calls
fix: not begun, 0 calls
report: not begun, 0 calls
budget calls: 0 of 12 used, 0 reserved, 12 left
wall: 0ms used, 0ms reserved, no bound
cpu: 0ms used, 0ms reserved, no bound
disk: 0B of 1GiB used, 0B reserved, 1GiB left
loop guard 4 equal requests, or denials, in a row pause it
labels team:core, batch/7" \
	"$(sed -E '/^$/,$d; s/^ +//; s/ +/ /g; /^(made|state) /d' "$OUT")"
for verb in show pause resume stop finish verify "budget --budget calls=1"; do
	read -r name rest <<<"$verb"
	# shellcheck disable=SC2086 # words
	expect_verb "$name of none" "$([ "$name" = verify ] && echo 125 || echo 1)" workflow $name nobody $rest
	expect_match "$name: which is said" "there is no workflow nobody: " "$ERR"
done

# ---- a ledger that is lost, and all but the journal --------------------------------------------------
said=$(shown triage '[.state, .budget, .deadline, .guard, .step]')
: >"$AIRLOCK_STATE/wf/$id/ledger"
check "control: it is empty" test ! -s "$AIRLOCK_STATE/wf/$id/ledger"
expect_eq "who looks makes it again" "$said" "$(shown triage '[.state, .budget, .deadline, .guard, .step]')"
check "and it is there" test -s "$AIRLOCK_STATE/wf/$id/ledger"
all=$(as_id "$A" workflow list --json)
definition=$(cat "$AIRLOCK_STATE/wf/$id/definition")
rm -r "$AIRLOCK_STATE/names" "$AIRLOCK_STATE"/wf/*/definition "$AIRLOCK_STATE"/wf/*/ledger
expect_verb "all of it is recovered" 0 recover
expect_eq "the list is as before" "$(jq -c 'del(.created, .since)' <<<"$all")" \
	"$(as_id "$A" workflow list --json | jq -c 'del(.created, .since)')"
expect_eq "and what was made" "$(grep -v ^created <<<"$definition")" \
	"$(grep -v ^created "$AIRLOCK_STATE/wf/$id/definition")"

# ---- by name -------------------------------------------------------------------------------------------
for verb in log diff apply discard undo; do
	expect_verb "$verb knows one without calls" 0 "$verb" --workflow triage
done
expect_verb "forgotten" 0 forget --workflow race --reason "a race"
race=$(sed -nE 's/^workflow race is ([0-9a-f-]+)$/\1/p' "$T"/.race?)
expect_match "which is said" "forgot workflow $race: 0 records, 0 objects" "$OUT"
expect_eq "nothing is there" "no no" "$(test -e "$AIRLOCK_STATE/names/race" && echo name || echo no) $(
	test -e "$AIRLOCK_STATE/wf/$race" && echo wf || echo no)"
expect_eq "but the journal knows it" "forgotten race new" "$(shown "$race" '"\(.state) \(.name) \(.timeline[0].action)"')"
expect_verb "the name is free" 0 workflow new race
check "for another" test "$(cat "$AIRLOCK_STATE/names/race")" != "$race"
# what a maker left that died before the name was there, an hour ago and more; and what is like it, but has its name
for ghost in 01935c8e-1f2a-7b3c-9d4e-af5061728394 01935c8e-1f2a-7b3c-9d4e-af5061728395; do
	mkdir -m 700 "$AIRLOCK_STATE/wf/$ghost"
	printf 'v 1\nid %s\nname ghost\n' "$ghost" >"$AIRLOCK_STATE/wf/$ghost/definition"
done
printf %s "$ghost" >"$AIRLOCK_STATE/names/ghost"
own "$AIRLOCK_STATE/wf" "$AIRLOCK_STATE/names"
expect_verb "gc leaves them alone" 0 gc --older-than 0s
expect_eq "and takes what has no name" "wf/01935c8e-1f2a-7b3c-9d4e-af5061728394" "$(sed -n '/^left by crashes/{n;p}' "$OUT")"
expect_eq "which is gone, the other not" "no definition" \
	"$(test -e "$AIRLOCK_STATE/wf/01935c8e-1f2a-7b3c-9d4e-af5061728394" || echo no) $(ls "$AIRLOCK_STATE/wf/$ghost")"
rm -r "$AIRLOCK_STATE/wf/$ghost" "$AIRLOCK_STATE/names/ghost"
expect_eq "all are there" "race triage x x.new" \
	"$(as_id "$A" workflow list --json | jq -r .name | LC_ALL=C sort | paste -sd' ')"
expect_verb "the log verifies" 0 verify --store "$AIRLOCK_STATE" --key "@$AIRLOCK_STATE/log/vkey"
