#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# log: which calls a filter lets through: time, touched paths, digests, principals; alone and together.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# The names of the calls that log lists with these filters.
listed()
{
	as_id "$A" log -n 0 --json "$@" 2>"$ERR" | jq -r .call | while read -r id; do echo "${CALL_NAMES[$id]:-?}"; done | xargs
}
new_ws
first=$WS
own "$first"
named one -- sh -c 'echo one; mkdir sub; echo a >sub/a; echo b >"b c"'
named many -- sh -c 'i=0; while [ $i -lt 1200 ]; do i=$((i + 1)); echo "content $i" >f$i; done; echo z >z'
printf '{"principal":"alice","model":"m"}' >"$T/context"
own "$T/context"
named alice --context "$T/context" -- sh -c 'cat sub/a; echo changed >sub/a'
named held -m propose -- sh -c 'rm f7; echo err >&2'
new_ws
second=$WS
named other -- sh -c 'read -r x; echo "$x" >a' < <(echo fed)

expect_eq "no filter" "one many alice held other" "$(listed)"

# ---- touched -------------------------------------------------------------------------------------
expect_eq "touched: a file" "one alice" "$(listed --touched "$first/sub/a")"
expect_eq "touched: a directory" "one alice" "$(listed --touched "$first/sub")"
expect_eq "touched: a name with a space" "one" "$(listed --touched "$first/b c")"
expect_eq "touched: the workspace" "one many alice held" "$(listed --touched "$first")"
expect_eq "touched: a directory of workspaces" "one many alice held other" "$(listed --touched "$T")"
expect_eq "touched: no part of a name" "" "$(listed --touched "$first/su")"
expect_eq "touched: what a held set deletes" "many held" "$(listed --touched "$first/f7")"
# the record lists the first 1000 in the order of the names: f999 is beyond them
expect_eq "touched: control: the record does not list it" 0 \
	"$(as_id "$A" show --json "${CALL_IDS[many]}" | jq '[.outcome.changes.items[] | select(.path == "f999")] | length')"
expect_eq "touched: beyond what the record lists" "many" "$(listed --touched "$first/f999")"
expect_eq "touched: nothing there, also beyond" "" "$(listed --touched "$first/f9999")"
expect_eq "touched: a name of one letter, beyond them" "many" "$(listed --touched "$first/z")"
expect_eq "touched: relative" "one alice" "$(cd "$first" && listed --touched sub)"
expect_eq "touched: relative, up" "other" "$(cd "$first/sub" && listed --touched "../../${second##*/}/a")"
ln -s "$first" "$T/link"
expect_eq "touched: through a link" "one alice" "$(listed --touched "$T/link/sub/a")"
expect_eq "touched: a file that is gone" "many held" "$(as_id rm "$first/f7"; listed --touched "$first/f7")"
expect_verb "touched: .. behind nothing" 125 log --touched "$first/none/../a"
expect_match "touched: .. behind nothing: why" '".." stands behind a directory that does not exist' "$ERR"

# ---- digests -------------------------------------------------------------------------------------
expect_eq "digest: stdout" "one" "$(listed --digest "$(echo one | sha)")"
expect_eq "digest: stderr" "held" "$(listed --digest "$(echo err | sha)")"
expect_eq "digest: stdin, and a file after" "other" "$(listed --digest "$(echo fed | sha)")"
expect_eq "digest: before, after, stdout" "one alice" "$(listed --digest "$(echo a | sha)")"
expect_eq "digest: the first digits" "one alice" "$(listed --digest "$(echo a | sha | cut -c 1-8)")"
expect_eq "digest: in capitals" "one alice" "$(listed --digest "$(echo a | sha | tr a-f A-F)")"
expect_eq "digest: beyond what the record lists" "many" "$(listed --digest "$(echo "content 999" | sha)")"
expect_eq "digest: the change set" "alice" "$(listed --digest "$(record .outcome.changes.digest "${CALL_IDS[alice]}")")"
expect_eq "digest: the tree" "alice" "$(listed --digest "$(record .outcome.in_tree.digest "${CALL_IDS[alice]}")")"
expect_eq "digest: the profile" "one many alice held other" "$(listed --digest "$(record .planned.profile.digest)")"
as_id "$A" export "${CALL_IDS[alice]}" --to "$T/export" >/dev/null 2>&1
expect_eq "digest: the outcome's record" "alice" "$(listed --digest "$(sha <"$T/export/record-outcome.json")")"
expect_eq "digest: the planned record" "alice" "$(listed --digest "$(sha <"$T/export/record-planned.json")")"
salt=$(cat "$AIRLOCK_STATE"/journal/*.log | grep -aoE '"salt":"[0-9a-f]{32}","type":"call.outcome"' | sed -n 3p | cut -c 9-40)
expect_eq "digest: the leaf of the log" "alice" \
	"$(listed --digest "$( (printf '%b' "$(sed 's/../\\x&/g' <<<"$salt")" && cat "$T/export/record-outcome.json") | sha)")"
expect_eq "digest: of nothing here" "" "$(listed --digest "$(echo nowhere | sha)")"
expect_eq "digest: a call's id is none" "" "$(listed --digest "$(tr -d - <<<"${CALL_IDS[alice]}" | cut -c 1-8)")"
expect_verb "digest: too short" 125 log --digest 1234567
expect_match "digest: too short: why" '1234567 is no digest: give a SHA-256 in hex, or its first 8 digits or more' "$ERR"

# ---- whom ----------------------------------------------------------------------------------------
uid=$(record .planned.actor.uid)
expect_eq "principal: of the context" "alice" "$(listed --principal alice)"
expect_eq "principal: a uid" "one many alice held other" "$(listed --principal "$uid")"
expect_eq "principal: another uid" "" "$(listed --principal 4000000)"
expect_eq "principal: a user" "one many alice held other" "$(listed --principal "$(as_id id -un)")"
expect_eq "principal: nobody known" "" "$(listed --principal bob)"

# ---- time ----------------------------------------------------------------------------------------
ms=$(record .planned.t0 "${CALL_IDS[alice]}")
moment=$(printf '%s.%03dZ' "$(date -u -d "@$((ms / 1000))" +%Y-%m-%dT%H:%M:%S)" "$((ms % 1000))")
expect_eq "since: the moment itself" "alice held other" "$(listed --since "$moment")"
expect_eq "until: the moment itself" "one many alice" "$(listed --until "$moment")"
expect_eq "since and until" "alice" "$(listed --since "$moment" --until "$moment")"
expect_eq "since: an age" "one many alice held other" "$(listed --since 1h)"
expect_eq "until: an age" "" "$(listed --until 1h)"
expect_eq "until: yesterday" "" "$(listed --until 1999-12-31)"
expect_eq "since: a day to come" "" "$(listed --since 2999-01-01)"
expect_verb "since: no moment" 125 log --since lately
expect_match "since: no moment: what is one" '--since lately: no moment; it takes an age (90m, 2h, 3d), a date' "$ERR"

# ---- together, and what is refused ---------------------------------------------------------------
expect_eq "together" "alice" "$(listed --touched "$first/sub" --principal alice --verdict ok --since 1h --profile default)"
expect_eq "together: one that does not match" "" "$(listed --touched "$first/f7" --principal alice)"
expect_eq "together with -n" "alice" "$(listed --touched "$first/sub" -n 1)"
expect_eq "together with -n: the newest" "alice held" "$(listed --touched "$first" -n 2)"
expect_eq "the table as well" "${CALL_IDS[one]:0:13} ${CALL_IDS[alice]:0:13}" \
	"$(as_id "$A" log --touched "$first/sub" | grep -oE '[0-9a-f]{8}-[0-9a-f]{4}' | xargs)"
expect_verb "verdict: misspelt" 125 log --verdict faild
expect_match "verdict: the nearest" '--verdict faild: there is no such verdict; did you mean failed?' "$ERR"
expect_verb "profile: misspelt" 0 log --profile defalt
expect_match "profile: the nearest" 'airlock: no call ran under a profile defalt; did you mean default?' "$ERR"
expect_verb "profile: one that exists" 0 log --profile default
expect_eq "profile: one that exists: nothing is said" "" "$(cat "$ERR")"
expect_verb "verdict: none near" 125 log --verdict purple
expect_match "verdict: all of them" 'there are ok, failed, signaled, timeout,' "$ERR"
expect_verb "an option: misspelt" 125 log --tuched x
expect_match "an option: the nearest" 'log: there is no option --tuched; did you mean --touched?' "$ERR"

# ---- a list that is not there --------------------------------------------------------------------
many=$(record .planned.workflow "${CALL_IDS[many]}")
rm -f "$AIRLOCK_STATE/wf/$many/pack-${CALL_IDS[many]}"-*.alp
expect_eq "a list that is gone: what the record lists is found" "many" "$(listed --touched "$first/f1")"
expect_eq "a list that is gone: the rest may be" "" "$(listed --touched "$first/f999")"
expect_match "a list that is gone: it is said" '1 more may match: the list of what they changed is not in the store' "$ERR"
