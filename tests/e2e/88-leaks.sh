#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A leased value that a tool writes out: a mark in its place, or the end of the call, and the record says so.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

VALUE='p1anted-Value/+=x-0123'
CONFIG=$T/home/.config/airlock
mkdir -p "$T/profiles" "$CONFIG/bundles/acme"
printf '%s' "$VALUE" >"$T/value"
printf 'abc' >"$T/short"
chmod 600 "$T/value" "$T/short"
cat >"$CONFIG/bundles/acme/bundle.yaml" <<ITEMS
bundle: acme
owner: test
items:
  token: { source: file, path: $T/value, access: read }
  pin: { source: file, path: $T/short, access: read }
ITEMS
for leak in redact stop; do
	printf 'version: 1\nname: %s\ndescription: x\nextends: default\ncredentials: [token]\nleak: %s\n' "$leak" "$leak" >"$T/profiles/$leak.yaml"
done
sed 's/\[token\]/[token, pin]/; s/name: redact/name: both/' "$T/profiles/redact.yaml" >"$T/profiles/both.yaml"
chmod -R go-w "$CONFIG" "$T/profiles"
own "$T/home/.config" "$T/profiles" "$T/value" "$T/short"
L='cat /run/credentials/token'

# leaks: the rows of the last call.
leaks()
{
	record '.outcome.leaks[] | "\(.stream) \(.item) \(.form) \(.count) \(.offset)"' | tr '\n' '|'
}

# ---- redact ----------------------------------------------------------------------------------------------
while IFS='@' read -r form command want; do
	expect_run "$form: it runs" 0 -n -p "$T/profiles/redact.yaml" --bundle acme -- sh -c "$command"
	expect_eq "$form: a mark in its place" "$want" "$(cat "$OUT" "$ERR")"
	expect_eq "$form: and in what is stored" "$want" "$(as_id "$A" cat @last stdout; as_id "$A" cat @last stderr)"
	expect_eq "$form: the record says so" "$form" "$(record '.outcome.leaks[0].form')"
done <<ROWS
raw@printf 'a '; $L; printf ' b'@a [redacted:token] b
raw@printf 'a '; dd if=/run/credentials/token bs=1 2>/dev/null@a [redacted:token]
raw@$L >&2@[redacted:token]
base64@$L | base64@[redacted:token]w==
hex@$L | od -An -v -tx1 | tr -d ' \n'@[redacted:token]
reversed@$L | rev@[redacted:token]
ROWS
expect_run "twice, in both streams" 0 -p "$T/profiles/redact.yaml" --bundle acme -- sh -c "printf x; $L; $L; $L >&2"
expect_eq "each is counted, with the first one's place" "stdout token raw 2 1|stderr token raw 1 0|" "$(leaks)"
expect_verb "show" 0 show @last
expect_match "show: first of all" "leaked      token in stdout as raw, 2 times" "$OUT"
expect_run "what is none" 0 -p "$T/profiles/redact.yaml" --bundle acme -- sh -c "$L | cut -c 2- | tr a-z A-Z"
expect_eq "passes" "$(printf '%s' "$VALUE" | cut -c 2- | tr a-z A-Z)|" "$(tr '\n' '|' <"$OUT")"
expect_eq "and no row" "" "$(leaks)"
expect_run "a value that is too short" 0 -p "$T/profiles/both.yaml" --bundle acme -- cat /run/credentials/pin
expect_eq "is not looked for" "abc" "$(cat "$OUT")"
expect_eq "which the record says" "credential pin is too short to be looked for in what the tool writes" "$(record '.outcome.warnings[0]')"

expect_run "a file with it" 0 -p "$T/profiles/redact.yaml" -m propose --bundle acme -- sh -c "$L >kept; echo y >other"
expect_eq "is counted" "changes token null 1 null|" "$(leaks)"
expect_eq "and not stored" "" "$(grep -rlaF "$VALUE" "$AIRLOCK_STATE"/wf/*/pack-* "$AIRLOCK_STATE"/journal)"
as_id "$A" discard "$(record .planned.call)" >/dev/null 2>&1

printf '{"principal":"al","note":"use %s now"}' "$VALUE" >"$T/context"
own "$T/context"
expect_run "a context with it" 0 -p "$T/profiles/redact.yaml" --bundle acme --context "$T/context" -- true
expect_eq "is recorded with a mark" "use [redacted:token] now" "$(record .planned.context.note)"
expect_eq "and counted" "context token null 1 null|" "$(leaks)"

# ---- postconditions --------------------------------------------------------------------------------------
printf 'version: 1\nname: done\ndescription: x\nextends: default\ncredentials: [token]\ndone_when:\n  - { name: shows, profile: default, run: [grep, -r, key, conf] }\n' >"$T/profiles/done.yaml"
sed '/^credentials/d; s/name: done/name: plain/' "$T/profiles/done.yaml" >"$T/profiles/plain.yaml"
own "$T/profiles"
expect_run "a check reads what a call wrote that has the value" 0 -p "$T/profiles/done.yaml" --bundle acme --result "$T/done.json" -- sh -c "{ printf key=; $L; } >conf"
check=$(jq -r '.done_when[0].call' "$T/done.json")
expect_eq "it holds" "shows true" "$(jq -r '.done_when[0] | "\(.name) \(.held)"' "$T/done.json")"
expect_eq "nothing of its output is kept" "" "$(as_id "$A" cat "$check" stdout 2>/dev/null)"
expect_eq "nor stored" "" "$(grep -rlaF -e "$VALUE" -e "$(printf 'key=%s' "$VALUE" | base64 | cut -c1-24)" "$AIRLOCK_STATE")"
expect_run "control: a call without a lease" 0 -p "$T/profiles/plain.yaml" --result "$T/plain.json" -- sh -c 'echo key=x >conf2; cp conf2 conf'
check=$(jq -r '.done_when[0].call' "$T/plain.json")
expect_eq "control: has a check with output" "key=x" "$(as_id "$A" cat "$check" stdout)"
rm -f "$WS"/conf*

# ---- stop ------------------------------------------------------------------------------------------------
expect_run "stop: the call ends" 125 -p "$T/profiles/stop.yaml" --bundle acme --result "$T/r.json" -- sh -c "printf before; $L; sleep 100; printf after"
expect_eq "stop: with what was before it" "before" "$(cat "$OUT")"
expect_eq "stop: and a verdict of its own" "leak leak: token was written to stdout as raw" "$(record '"\(.outcome.verdict) \(.outcome.reason)"')"
expect_eq "stop: which the result has" "leak" "$(jq -r .verdict "$T/r.json")"
expect_run "stop: a change with it is held" 123 -p "$T/profiles/stop.yaml" --bundle acme -- sh -c "$L >kept"
expect_eq "stop: by its rule" "leak: token" "$(record '.outcome.changes.items[] | select(.path == "kept") | .hold')"
expect_run "control: without a lease nothing is looked for" 0 -- printf '%s' "$VALUE"
expect_eq "control: and it passes" "$VALUE null" "$(cat "$OUT") $(record .outcome.credentials)"
expect_eq "nothing of it anywhere but there" "" "$(as_id "$A" show @last --json >"$T/json"; find "$AIRLOCK_STATE" -type f -newer "$T/r.json" -name 'log.db' -exec grep -laF "$VALUE" {} +)"
