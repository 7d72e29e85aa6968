#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# blame: which call wrote which line, what came from elsewhere, and what nobody can say.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"


# What blame says of each line, one word a line: a name, "outside" or "unknown"; runs as "NAME*COUNT".
who()
{
	as_id "$A" blame --json "$@" 2>"$ERR" |
		jq -r '.parts[] | "\(if .source == "call" then .call else .source end)*\(.last - .first + 1)"' |
		while IFS='*' read -r id count; do echo "${CALL_NAMES[$id]:-$id}*$count"; done | xargs
}

# The same of a file that is one part.
whole()
{
	as_id "$A" blame --json "$1" 2>"$ERR" | jq -r '.parts[] | if .source == "call" then .call else .source end' |
		while read -r id; do echo "${CALL_NAMES[$id]:-$id}"; done | xargs
}

new_ws
expect_verb "no state yet" 1 blame "$WS/f"
printf 'one\ntwo\nthree\n' >"$WS/f"
own "$WS"
named first -- sh -c 'sed -i s/two/TWO/ f; echo four >>f'
expect_eq "a call, and what was there" "outside*1 first*1 outside*1 first*1" "$(who "$WS/f")"
as_id sh -c 'echo outside >>"$1"' sh "$WS/f"
printf '{"principal":"alice","model":"m-1","\\u001b[31m":"x"}' >"$T/context"
own "$T/context"
named second --context "$T/context" -- sh -c 'echo six >>f; echo new >g; sed -i 1d f'
expect_eq "between two calls, and a line that is gone" "first*1 outside*1 first*1 outside*1 second*1" "$(who "$WS/f")"
expect_eq "relative" "second*1" "$(cd "$WS" && who g)"
as_id sh -c 'echo last >>"$1"' sh "$WS/f"
expect_eq "after the last" "first*1 outside*1 first*1 outside*1 second*1 outside*1" "$(who "$WS/f")"
expect_eq "the outside steps are told apart" "0 2 4" \
	"$(as_id "$A" blame --json "$WS/f" | jq -r '.parts[] | select(.source == "outside") | .steps[]' | xargs)"
expect_eq "how each version came" "outside committed outside committed outside" \
	"$(as_id "$A" blame --json "$WS/f" | jq -r '.steps[].how' | xargs)"
expect_eq "for whom" "alice m-1 apply default" \
	"$(as_id "$A" blame --json "$WS/g" | jq -r '.calls[] | "\(.context.principal) \(.context.model) \(.mode) \(.profile.name)"')"
rule=$(as_id "$A" profile show default --origin | awk '$1 == "mode" || $1 == "mode:"' | grep -oE '[a-z]+\.yaml:[0-9]+')
expect_eq "the rule that allowed it" "$rule" "$(as_id "$A" blame --json "$WS/g" | jq -r '.calls[].rule')"

# ---- the page ------------------------------------------------------------------------------------
a=${CALL_IDS[first]:0:13} b=${CALL_IDS[second]:0:13}
user=$(as_id id -un)
uid=$(record .planned.actor.uid)
who="$user (uid $uid)"
expect_eq "the page" "$WS/f
  now         6 lines
  written by  2 calls; 3 lines not through airlock

$a 1  TWO
not airlock   2  three
$a 3  four
not airlock   4  outside
$b 5  six
not airlock   6  last

not through airlock
  line        2
  when        before $a, the first call that changed it

$a
  lines       1, 3
  for         $who
  when        TIME, committed when it ended
  profile     default; mode apply by $rule
  command     sh -c 'sed -i s/two/TWO/ f; echo four >>f'

not through airlock
  line        4
  when        between $a and $b

$b
  line        5
  for         $who, principal alice, model m-1
  when        TIME, committed when it ended
  profile     default; mode apply by $rule
  command     sh -c 'echo six >>f; echo new >g; sed -i 1d f'

not through airlock
  line        6
  when        after $b, the last call that changed it; the file says
              $(date -d "@$(stat -c %Y "$WS/f")" '+%Y-%m-%d %H:%M:%S %z')" \
	"$(as_id "$A" blame "$WS/f" | sed -E 's/  20[0-9-]+ [0-9:]+ [+-][0-9]+,/  TIME,/')"
expect_eq "its time for a program" "$(stat -c %Y "$WS/f")000" "$(as_id "$A" blame --json "$WS/f" | jq .mtime)"
as_id "$A" blame -v "$WS/f" >"$OUT"
expect_match "-v: the whole id" "${CALL_IDS[first]} 1  TWO" "$OUT"
expect_match "-v: the change set" "$(record .outcome.changes.digest "${CALL_IDS[second]}")" "$OUT"
expect_match "-v: the context, escaped" '\033[31m: x' "$OUT"
expect_eq "80 columns" "" "$(as_id "$A" blame "$WS/f" | awk 'length > 80')"

# ---- what a person decided -----------------------------------------------------------------------
expect_verb "undo" 1 undo "${CALL_IDS[second]}"
as_id sh -c 'sed -i "\$d" "$1"' sh "$WS/f"
expect_verb "undo, as it was left" 0 undo "${CALL_IDS[second]}"
expect_eq "an undo gives lines back" "outside*1 first*1 outside*1 first*1 outside*1" "$(who "$WS/f")"
expect_match "a file that an undo deleted" 'now         not there any more: deleted by an undo' <(as_id "$A" blame "$WS/g")
expect_match "and who took it back" "taken back by $who" <(as_id "$A" blame "$WS/g")
named held -m propose -- sh -c 'echo held >>f'
expect_eq "what is held is not there" "outside*1 first*1 outside*1 first*1 outside*1" "$(who "$WS/f")"
expect_match "but it is told of" '1 call more changed it without a commit: held, discarded or observed' <(as_id "$A" blame "$WS/f" | tr -s ' \n' ' ')
named only -m propose -- sh -c 'echo x >only'
expect_eq "a file that was only held" "now not there, and no call that is recorded here committed it besides 1 call more changed it without a commit: held, discarded or observed" \
	"$(as_id "$A" blame "$WS/only" | tail -n +2 | tr -s ' \n' ' ' | sed 's/^ //; s/ $//')"
expect_verb "its discard" 0 discard "${CALL_IDS[only]}"
expect_verb "apply" 0 apply "${CALL_IDS[held]}"
expect_eq "what was applied is" "outside*1 first*1 outside*1 first*1 outside*1 held*1" "$(who "$WS/f")"
expect_match "and by whom" "applied by $who" <(as_id "$A" blame "$WS/f")
expect_match "and the mode" "mode propose by $rule, which says apply, narrowed by -m" <(as_id "$A" blame "$WS/f" | tr -s ' \n' ' ')
expect_verb "undo the first" 1 undo "${CALL_IDS[first]}"

# ---- files that are no text, links, and files that are gone --------------------------------------
named makes -- sh -c 'head -c 5000 /dev/urandom >bin; ln -s f link; : >empty; mkdir d; echo x >d/x'
expect_eq "a binary file" "makes" "$(whole "$WS/bin")"
expect_eq "a link" "makes" "$(whole "$WS/link")"
expect_match "a link: where to" 'now         a symbolic link to f' <(as_id "$A" blame "$WS/link")
expect_eq "an empty file has no lines" "" "$(who "$WS/empty")"
expect_match "an empty file: who left it so" "${CALL_IDS[makes]:0:13}" <(as_id "$A" blame "$WS/empty")
as_id sh -c 'echo >>"$1"' sh "$WS/bin"
expect_eq "a binary file that something changed" "outside" "$(whole "$WS/bin")"
named moves -- sh -c 'mv d e; rm link'
expect_eq "a file that was moved" "moves*1" "$(who "$WS/e/x")"
expect_match "where it was" 'not there any more: deleted by a call' <(as_id "$A" blame "$WS/d/x")
expect_match "and by which" "${CALL_IDS[moves]:0:13}" <(as_id "$A" blame "$WS/d/x")
named link -- ln -s target was
named file -- sh -c 'rm was; printf target >was'
expect_eq "a target is no line" "file*1" "$(who "$WS/was")"
expect_verb "a directory" 1 blame "$WS/e"
expect_match "a directory: why not" 'is a directory: name a file of it' "$ERR"
expect_verb "no file, no call" 1 blame "$WS/never"
expect_match "no file, no call: why" 'never: no such file, and no call that is recorded here changed it' "$ERR"
as_id sh -c 'echo by hand >"$1"' sh "$WS/mine"
expect_eq "no call at all" "outside*1" "$(who "$WS/mine")"
expect_match "no call at all: it is said" 'no call that is recorded here changed the file' <(as_id "$A" blame "$WS/mine")
named odd -- sh -c 'printf "\033[31mred\n\tx\342\200\256y\n" >"a b"'
expect_eq "nothing of a line reaches a terminal" 0 "$(as_id "$A" blame "$WS/a b" | grep -c "$(printf '\033\|\342\200\256')")"
expect_match "it is escaped" "${CALL_IDS[odd]:0:13} 1  \\033[31mred" <(as_id "$A" blame "$WS/a b")

# ---- beyond what a record lists ------------------------------------------------------------------
named many -- sh -c 'i=0; while [ $i -lt 1100 ]; do i=$((i + 1)); echo $i >"n$i"; done'
expect_eq "a file that the record does not list" "many*1" "$(who "$WS/n999")"

# ---- what was not captured -----------------------------------------------------------------------
mkdir "$T/profiles"
sed 's/^  inputs: .*/  inputs: digests/' "$E2E_DIR/../../profiles/base.yaml" >"$T/profiles/base.yaml"
own "$T/profiles"
export AIRLOCK_PROFILES=$T/profiles
named blind -- sh -c 'echo blind >u'
expect_eq "a new file is known by its digest" "blind*1" "$(who "$WS/u")"
named blind2 -- sh -c 'echo as well >>u'
expect_eq "two in a row are not" "unknown*2" "$(who "$WS/u")"
as_id "$A" blame "$WS/u" >"$OUT"
expect_match "it is said" 'unknown (not captured)' "$OUT"
expect_match "which they can be" "one of      ${CALL_IDS[blind]:0:13}, or ${CALL_IDS[blind2]:0:13}" "$OUT"
expect_match "and why" 'because     the profile has capture.inputs: digests' "$OUT"
unset AIRLOCK_PROFILES
named seen -- sh -c 'echo seen >>u'
expect_eq "what comes after is" "unknown*2 seen*1" "$(who "$WS/u")"

# ---- a profile that is another today -------------------------------------------------------------
expect_match "its rule" "mode apply by $rule" <(as_id "$A" blame "$WS/f")
expect_match "a profile that says something else now" 'the profile says something else today, or is gone' \
	<(AIRLOCK_PROFILES=$T/profiles as_id "$A" blame "$WS/f" | tr -s ' \n' ' ')

# ---- what was forgotten --------------------------------------------------------------------------
new_ws
named gone -- sh -c 'echo gone >f'
expect_eq "before it is forgotten" "gone*1" "$(who "$WS/f")"
expect_verb "forget" 0 forget --workflow "$(record .planned.workflow)"
expect_eq "a call that was forgotten" "outside*1" "$(who "$WS/f")"
expect_match "it is said" '1 call of this store was forgotten: what was written then counts as not through airlock' \
	<(as_id "$A" blame "$WS/f" | tr -s ' \n' ' ')
expect_eq "for a program" 1 "$(as_id "$A" blame --json "$WS/f" | jq .forgotten)"
expect_eq "log --touched has none" "" "$(as_id "$A" log --json --touched "$WS/f")"
expect_eq "log --digest has none" "" "$(as_id "$A" log --json --digest "$(echo gone | sha256sum | cut -c 1-64)")"
expect_verb "rerun" 125 rerun "${CALL_IDS[gone]}"
expect_match "rerun: why not" 'was forgotten' "$ERR"
