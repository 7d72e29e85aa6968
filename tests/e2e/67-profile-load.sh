#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The journal has the values of each profile under which calls ran, once, before the first of them.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# of_type TYPE: the records of entries of no call, one a line
of_type()
{
	as_id "$A" log -n 1 >/dev/null 2>&1
	rows "SELECT CAST(record AS TEXT) FROM entry WHERE type = '$1' ORDER BY n"
}

types()
{
	as_id "$A" log -n 1 >/dev/null 2>&1
	rows "SELECT type FROM entry WHERE type <> 'log.open' ORDER BY n" | paste -sd' '
}

new_ws
mkdir "$T/profiles"
P=$T/profiles/noted.yaml
printf 'version: 1\nname: noted\nextends: default\nlimits:\n  pids: 40\n' >"$P"
own "$T/profiles"
expect_run "a dry run" 0 -p "$P" --dry-run -- true
expect_eq "puts nothing into the journal" "" "$(types)"
expect_run "the first call" 0 -p "$P" -- true
first=$(record .planned.call)
expect_eq "has it before its own entry" "profile.load call.planned call.outcome" "$(types)"
expect_run "the second" 0 -p "$P" -- true
expect_eq "does not again" "profile.load call.planned call.outcome call.planned call.outcome" "$(types)"
digest=$(record .planned.profile.digest)
expect_eq "it is of that profile" "$digest noted $P $(as_id id -u)" \
	"$(of_type profile.load | jq -r '"\(.digest) \(.name) \(.source) \(.actor.uid)"')"
expect_eq "and so says the marker" "$digest" "$(ls "$AIRLOCK_STATE/profiles")"
as_id "$A" cat "$first" profile >"$T/profiles/values.yaml"
expect_match "the line that decided is said" "pids: 40                              # $P:5" "$T/profiles/values.yaml"
own "$T/profiles"
expect_eq "it can be read back, and means the same" "$digest" \
	"$(as_id "$A" profile show "$T/profiles/values.yaml" --json | jq -r .digest)"
expect_verb "show says where it is" 0 show "$first" -v
expect_match "by a command" "airlock cat ${first:0:13} profile: each with its file and line" "$OUT"

printf 'version: 1\nname: noted\nextends: default\nlimits:\n  pids: 39\n' >"$P"
expect_run "another value" 0 -p "$P" -- true
expect_eq "is another entry" "profile.load profile.load" "$(types | tr ' ' '\n' | grep profile | paste -sd' ')"
as_id "$A" cat @last profile >"$OUT"
expect_match "which has it" "pids: 39 " "$OUT"
as_id "$A" cat "$first" profile >"$OUT"
expect_match "and the first call has the first" "pids: 40 " "$OUT"
rm -r "$AIRLOCK_STATE/profiles"
expect_run "a marker that was removed" 0 -p "$P" -- true
expect_eq "costs an entry" 3 "$(of_type profile.load | wc -l)"

rm -r "$AIRLOCK_STATE/profiles"
touch "$AIRLOCK_STATE/profiles"
own "$AIRLOCK_STATE/profiles"
before=$(journal_entries)
run_airlock -p "$P" -- sh -c 'echo x >ran'
expect_eq "what cannot be noted does not run" "125 $before" "$RC $(journal_entries)"
expect_match "and why" "$AIRLOCK_STATE/profiles" "$ERR"
check "nothing ran" test ! -e "$WS/ran"
rm "$AIRLOCK_STATE/profiles"
expect_run "control" 0 -p "$P" -- true
