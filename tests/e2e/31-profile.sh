#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `airlock profile`: the verbs that list, check, show and compare profiles. No sandbox is started by them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# profile ARG…: as the identity. Sets RC; OUT and ERR are there afterwards.
profile()
{
	as_id "$A" profile "$@" >"$OUT" 2>"$ERR" </dev/null
	RC=$?
}

# put NAME TEXT: a profile of the identity's own
put()
{
	mkdir -p "$own_dir"
	printf '%s' "$2" >"$own_dir/$1.yaml"
	own "$T/home/.config"
}
own_dir=$T/home/.config/airlock/profiles

# ---- the verb itself --------------------------------------------------------------------------------------

profile
expect_eq "no verb is no success" 125 "$RC"
expect_match "and lists the verbs, on stderr" "list profiles and where they come from" "$ERR"
profile --help
expect_eq "--help is success" 0 "$RC"
expect_match "and lists them on stdout" "list profiles and where they come from" "$OUT"
profile lsit
expect_eq "a misspelt verb" "125 airlock: profile: no verb lsit; did you mean list?" "$RC $(cat "$ERR")"
profile frobnicate
expect_eq "an unknown verb" "125 airlock: profile: no verb frobnicate; airlock help profile lists them" "$RC $(cat "$ERR")"
profile list --all
expect_eq "an unknown option" \
	"125 airlock: profile list: there is no option --all; airlock help profile list lists the options" "$RC $(cat "$ERR")"
expect_out "help of one verb" "usage: airlock profile list [--json]" \
	bash -c '"$@" | head -n 1' - "${E2E_AS_ID[@]}" "$A" help profile list

# ---- list ---------------------------------------------------------------------------------------------------

shipped=$(cd "$(dirname "$A")/../profiles" && ls ./*.yaml | sed 's,^./,,; s,.yaml$,,' | tr '\n' ' ')
profile list --json
expect_eq "all shipped profiles are listed, and can be used" "$shipped" \
	"$(jq -r 'select(.where == "shipped" and .error == null and .hidden_by == null) | .name' "$OUT" | tr '\n' ' ')"
expect_eq "with their path" "$(cd "$(dirname "$A")/../profiles" && pwd)/strict.yaml" \
	"$(jq -r 'select(.name == "strict") | .path' "$OUT")"

put default 'version: 1
name: default
description: My own.
extends: default
'
put broken 'version: 1
name: broken
extends: default
limits: { wal: 1m }
'
profile list --json
expect_eq "an own profile hides a shipped one" "$own_dir/default.yaml" \
	"$(jq -r 'select(.name == "default" and .where == "shipped") | .hidden_by' "$OUT")"
expect_eq "one row each" "own My own. null
shipped Everyday tools on the workspace, without network. $own_dir/default.yaml" \
	"$(jq -r 'select(.name == "default") | "\(.where) \(.description) \(.hidden_by)"' "$OUT")"
expect_eq "a broken one has its error and no description" \
	"null $own_dir/broken.yaml:4:11: error: unknown key 'wal' in limits; did you mean 'wall'?" \
	"$(jq -r 'select(.name == "broken") | "\(.description) \(.error)"' "$OUT")"
profile list
expect_eq "the list for people" 0 "$RC"
expect_match "names what hides" "hidden by $own_dir/default.yaml" <(tr -s ' \n' ' ' <"$OUT")
expect_match "and what is broken" "broken own broken $own_dir/broken.yaml:4:11: error: unknown key 'wal'" \
	<(tr -s ' \n' ' ' <"$OUT")

# ---- check ----------------------------------------------------------------------------------------------------

profile check default "$own_dir/default.yaml"
expect_eq "right ones, by name and by path" "0 ok $own_dir/default.yaml
ok $own_dir/default.yaml" "$RC $(cat "$OUT" "$ERR")"
put wrong 'version: 1
name: wrong
extends: default
limits: { wal: 1m, memory: 12 }
mode: aply
'
profile check default wrong strict
expect_eq "a wrong one among right ones" 1 "$RC"
expect_eq "the right ones are said" 2 "$(grep -c '^ok /' "$OUT")"
expect_eq "all errors are told, each with line, column and caret" \
	"$own_dir/wrong.yaml:4:11: error: unknown key 'wal' in limits; did you mean 'wall'?
limits: { wal: 1m, memory: 12 }
          ^~~
$own_dir/wrong.yaml:4:28: error: limits.memory: wants a size with its unit, such as 512MiB or 2GiB, not '12'
limits: { wal: 1m, memory: 12 }
                           ^~
$own_dir/wrong.yaml:5:7: error: mode: wants observe or apply, not 'aply'; did you mean 'apply'?
mode: aply
      ^~~~" "$(cat "$ERR")"
profile check no-such
expect_eq "one that is not there" 1 "$RC"
expect_match "names what there is" "airlock: no profile 'no-such'" "$ERR"
profile check
expect_eq "nothing to check" "125 usage: airlock profile check FILE|NAME..." "$RC $(cat "$ERR")"
chmod 666 "$own_dir/default.yaml"
profile check default
expect_eq "one that others may write" 1 "$RC"
expect_match "says how to mend it" "run: chmod go-w $own_dir/default.yaml" "$ERR"
