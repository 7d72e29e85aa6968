#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whom a call was for: what a gateway says of it is kept word for word, found again, can be stopped, and lets nobody do
# more.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

text='{"principal":"alice","model":"m-1","mine":{"deep":[1,2.50,null],"é":"\u0041"}}'
object='{ "principal" : {"id":"bob","tenant":"t","channel":"c","sender":"s","owner":true} }'
printf '%s' "$text" >"$T/text.json"
printf '%s' "$object" >"$T/object.json"
own "$T/text.json" "$T/object.json"

expect_run "text: it runs" 0 --context "$T/text.json" --result "$T/r.json" -- true
alice=$(record .planned.call)
expect_eq "text: the result names it" alice "$(jq -r .principal "$T/r.json")"
expect_run "object: it runs" 0 --context "$T/object.json" --result "$T/r.json" -- true
bob=$(record .planned.call)
expect_eq "object: the result names its id" bob "$(jq -r .principal "$T/r.json")"
expect_run "none: it runs" 0 --result "$T/r.json" -- true
expect_eq "none: the result names nobody" null "$(jq -r .principal "$T/r.json")"

# Byte by byte, in the journal.
expect_eq "text: word for word" 1 "$(grep -acF "\"context\":$text," "$AIRLOCK_STATE/journal/0001.log")"
expect_eq "object: word for word" 1 "$(grep -acF "\"context\":$object," "$AIRLOCK_STATE/journal/0001.log")"

expect_out "log: alice's" "$alice" sh -c "$(printf '%q ' "${E2E_AS_ID[@]}" "$A") log --principal alice --json | jq -r .call"
expect_out "log: bob's" "$bob" sh -c "$(printf '%q ' "${E2E_AS_ID[@]}" "$A") log --principal bob --json | jq -r .call"

printf '{"trace":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}' >"$T/trace.json"
own "$T/trace.json"
expect_run "trace: it runs" 0 --context "$T/trace.json" -- true
expect_eq "trace: it is the record's" 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 "$(record .planned.trace)"

# It can be asked for nothing: the same words that a profile has are only words here.
printf '{"profile":"session","mode":"apply","limits":{"wall":"9h"},"network":{"allow":["*"]}}' >"$T/wide.json"
own "$T/wide.json"
expect_run "wide: it runs as without" 0 -m observe --context "$T/wide.json" -- sh -c 'touch made'
expect_eq "wide: the mode is the option's" "observe discarded $(record .planned.limits.wall "$bob")" \
	"$(record '"\(.planned.mode) \(.outcome.settled) \(.planned.limits.wall)"')"

# An answer is for whom it was given.
expect_run "key: alice's" 0 --context "$T/text.json" -k hers -- echo hers
expect_run "key: is answered to her" 0 --context "$T/text.json" -k hers -- echo hers
expect_run "key: and not to bob" 125 --context "$T/object.json" -k hers -- echo hers
expect_match "key: and why" "for another request: other user; a new request wants a new key" "$ERR"

expect_verb "stop: alice's calls" 0 stop --principal alice --reason "lost her token"
expect_run "stop: hers is refused" 125 --context "$T/text.json" -- true
expect_match "stop: and why" "lost her token" "$ERR"
expect_run "stop: what she was told before she is told again" 0 --context "$T/text.json" -k hers -- echo hers
expect_run "stop: bob's is not" 0 --context "$T/object.json" -- true
expect_run "stop: nobody's is not" 0 -- true
expect_verb "release" 0 stop --release --principal alice
expect_run "release: hers runs again" 0 --context "$T/text.json" -- true
