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
$own_dir/wrong.yaml:5:7: error: mode: wants observe, propose or apply, not 'aply'; did you mean 'apply'?
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
chmod 644 "$own_dir/default.yaml"

# ---- show -----------------------------------------------------------------------------------------------------

put shown 'version: 1
name: shown
description: To be shown.
extends: strict
environment: { pass: [LANG] }
limits: { wall: 90s }
'
profile show shown
expect_eq "the file, below its path" "# $own_dir/shown.yaml
$(cat "$own_dir/shown.yaml")" "$(cat "$OUT")"

profile show shown --effective
strict=$(dirname "$(dirname "$A")")/profiles/strict.yaml
expect_eq "effective values name the files they come from" "# effective values of $own_dir/shown.yaml
# over $strict
# over ${strict%strict.yaml}base.yaml" "$(head -n 3 "$OUT")"
expect_match "with the child's value" "  wall: 90s" "$OUT"
expect_match "and the parent's" "  memory: 512MiB" "$OUT"
mkdir -p "$T/again"
cp "$OUT" "$T/again/shown.yaml"
own "$T/again"
profile check "$T/again/shown.yaml"
expect_eq "they are a profile" 0 "$RC"
profile show shown --json
digest=$(jq -r .digest "$OUT")
expect_eq "json: the files" "$own_dir/shown.yaml strict.yaml base.yaml" \
	"$(jq -r '.files[0], (.files[1:][] | sub(".*/"; ""))' "$OUT" | tr '\n' ' ' | sed 's/ $//')"
expect_eq "json: values" "90000 536870912" "$(jq -r '.profile.limits | "\(.wall) \(.memory)"' "$OUT")"
expect_eq "json: places only when asked for" null "$(jq -c .origins "$OUT")"
profile show "$T/again/shown.yaml" --json
expect_eq "that means the same" "$digest" "$(jq -r .digest "$OUT")"

put cached 'version: 1
name: cached
extends: base
filesystem: { cache: { a: { path: ~/.cache/a }, b: { path: "/srv/b, c}", scope: user, exec: true } } }
'
profile show cached --json
digest=$(jq -r .digest "$OUT")
profile show cached --effective
cp "$OUT" "$T/again/cached.yaml"
own "$T/again"
profile show "$T/again/cached.yaml" --json
expect_eq "so it is with caches" "0 $digest" "$RC $(jq -r .digest "$OUT")"

put finished 'version: 1
name: finished
extends: base
done_when:
- { name: a, profile: ~/p.yaml, run: [make, "a, b", -k], expect: { exit: 2 }, wall: 60s }
- { name: b, run: ["true"] }
'
profile show finished --json
digest=$(jq -r .digest "$OUT")
profile show finished --effective
expect_match "a postcondition in a line" '  - { name: a, profile: "~/p.yaml", run: [make, "a, b", "-k"], expect: { exit: 2 }, wall: 1m }' "$OUT"
cp "$OUT" "$T/again/finished.yaml"
own "$T/again"
profile show "$T/again/finished.yaml" --json
expect_eq "so it is with postconditions" "0 $digest" "$RC $(jq -r .digest "$OUT")"

profile show shown --origin
expect_match "each value has its place" "  wall: 90s                             # $own_dir/shown.yaml:6" "$OUT"
line=$(grep -n '  memory: 512MiB' "$strict" | cut -d: -f1)
expect_match "and so has a parent's" "  memory: 512MiB                        # $strict:$line" "$OUT"
profile show shown --json --origin
expect_eq "also in json" "$own_dir/shown.yaml:6" \
	"$(jq -r '.origins[] | select(.key == "limits.wall") | .at' "$OUT")"
put quick 'version: 1
name: quick
extends: default
'
export AIRLOCK_PROFILES=$own_dir
profile show quick --json
digest=$(jq -r .digest "$OUT")
expect_run "a call under a profile" 0 -p quick -- true
expect_eq "has the digest that show tells" "$digest" "$(record .planned.profile.digest)"
unset AIRLOCK_PROFILES
profile show wrong
expect_eq "a wrong one is not shown, but told" "125 $own_dir/wrong.yaml:4:11: error: unknown key 'wal' in limits; did you mean 'wall'?" \
	"$RC $(head -n 1 "$ERR")"
profile show
expect_eq "show wants one" 125 "$RC"

# ---- new ------------------------------------------------------------------------------------------------------

profile new fresh --from strict
expect_eq "a new profile" "0 wrote $own_dir/fresh.yaml" "$RC $(head -n 1 "$OUT")"
expect_eq "is the caller's and nobody else writes it" 644 "$(stat -c %a "$own_dir/fresh.yaml")"
profile check fresh
expect_eq "is right as it is" "0 ok $own_dir/fresh.yaml" "$RC $(cat "$OUT")"
profile show strict --json
jq -S 'del(.profile.name, .profile.description) | .profile' "$OUT" >"$T/strict.json"
profile show fresh --json
expect_eq "and grants what its parent does" "$(cat "$T/strict.json")" \
	"$(jq -S 'del(.profile.name, .profile.description) | .profile' "$OUT")"
sed -E 's/^#([^#])/\1/' "$own_dir/fresh.yaml" >"$T/fresh" && cat "$T/fresh" >"$own_dir/fresh.yaml"
profile check fresh
expect_eq "also with every value taken in" "0 ok $own_dir/fresh.yaml" "$RC $(cat "$OUT" "$ERR")"
expect_match "which are there" "  memory: 512MiB" "$own_dir/fresh.yaml"
profile new fresh
expect_eq "nothing is written over" "125 airlock: $own_dir/fresh.yaml is there already; edit it, or take another name" \
	"$RC $(cat "$ERR")"
profile new other --from no-such
expect_eq "an unknown parent" 125 "$RC"
expect_eq "writes nothing" absent "$([ -e "$own_dir/other.yaml" ] && echo there || echo absent)"
profile new Wrong/name
expect_match "a name that is none" "airlock: 'Wrong/name' is no name of a profile" "$ERR"
mkdir -p "$T/first"
cp "$own_dir/default.yaml" "$T/first/other.yaml"
sed -i 's/^name: .*/name: other/' "$T/first/other.yaml"
own "$T/first"
AIRLOCK_PROFILES=$T/first profile new other
expect_eq "one that another would hide" "125 airlock: $T/first/other.yaml comes before it; take another name, or change AIRLOCK_PROFILES" \
	"$RC $(cat "$ERR")"
expect_eq "is not left behind" absent "$([ -e "$own_dir/other.yaml" ] && echo there || echo absent)"

# ---- schema ---------------------------------------------------------------------------------------------------

profile schema
expect_eq "the schema" "0 https://json-schema.org/draft/2020-12/schema" "$RC $(jq -r '."$schema"' "$OUT")"
cp "$OUT" "$T/schema.json"
if python3 -c 'import jsonschema, yaml' 2>/dev/null; then
	expect_out "takes every shipped profile, and what was printed and written above" "" \
		python3 "$E2E_DIR/payload/schema.py" "$T/schema.json" "${strict%/*}"/*.yaml "$T/again/shown.yaml" "$T/again/cached.yaml" "$T/again/finished.yaml" "$own_dir/fresh.yaml"
	cat >"$T/bad.yaml" <<-'BAD'
		version: 2
		name: Upper
		limts: {}
		mode: aply
		network: { egress: [x] }
		filesystem: { read: [relative, /a/../b], protect: [/etc], cache: { a: { path: x }, b: { path: ~/b, scope: all }, c: {} } }
		limits: { memory: 12, pids: 2, cpu: 100 }
		syscalls: { allow: ["@nothing"] }
		open: [name]
		success: [256]
		tool: { run: /bin/sh }
		done_when: [{ name: T, run: [], wall: 5 }, { run: [x], expect: { exit: 256 } }]
	BAD
	expect_eq "and refuses what airlock refuses" \
		"done_when.0.name done_when.0.run done_when.0.wall done_when.1 done_when.1.expect.exit filesystem.cache.a.path filesystem.cache.b.scope filesystem.cache.c filesystem.protect.0 filesystem.read.0 filesystem.read.1 limits.cpu limits.memory limits.pids mode name network.egress open.0 success.0 syscalls.allow.0 tool.run version" \
		"$(python3 "$E2E_DIR/payload/schema.py" "$T/schema.json" "$T/bad.yaml" | awk '{ print $2 }' | grep -v '^Additional$' | sort -u | tr '\n' ' ' | sed 's/ $//')"
	expect_eq "unknown keys among them" 1 "$(python3 "$E2E_DIR/payload/schema.py" "$T/schema.json" "$T/bad.yaml" | grep -c limts)"
else
	skip "the schema against a validator" "python3 has no jsonschema or no yaml (python3-jsonschema, python3-yaml)"
fi

# ---- diff -----------------------------------------------------------------------------------------------------

put one 'version: 1
name: one
extends: strict
owners: { incidents: soc@example.com }
limits: { wall: 60s }
filesystem: { read: [/usr, /lib, /lib64], protect: [deploy] }
'
put two 'version: 1
name: two
extends: one
owners: { incidents: somebody@example.com }
limits: { wall: 30s }
'
profile diff one two
expect_eq "a child is not wider than its parent" 0 "$RC"
expect_eq "what it takes away, and what is neither" "two takes away:
  limits.wall         30s, was 1m
                      $own_dir/two.yaml:5
two changes, neither more nor less:
  owners.incidents    somebody@example.com, was soc@example.com
                      $own_dir/two.yaml:4
two grants nothing that is not granted by one" "$(cat "$OUT")"
profile diff two one
expect_eq "the other way it widens" "1 one grants" "$RC $(head -n 1 "$OUT" | cut -d' ' -f1-2)"
expect_match "and says so" "one widens two" "$OUT"
profile diff one one
expect_eq "the same" "0 one grants nothing that is not granted by one" "$RC $(cat "$OUT")"
put three 'version: 1
name: three
extends: strict
limits: { wall: 30s }
filesystem: { read: [/usr, /bin, /lib, /lib64] }
'
profile diff one three --json
expect_eq "neither is narrower: that widens too" 1 "$RC"
expect_eq "as JSON" '{"effect":"grants","key":"filesystem.read","before":null,"after":"/bin","at":"three.yaml:5"}
{"effect":"grants","key":"filesystem.protect","before":"deploy","after":null,"at":"one.yaml:6"}
{"effect":"takes","key":"limits.wall","before":"1m","after":"30s","at":"three.yaml:4"}' \
	"$(jq -c '.changes[] | select(.effect != "changes") | { effect, key, before, after, at: (.at | sub(".*/"; "")) }' "$OUT")"
expect_eq "with both digests" "$(as_id "$A" profile show one --json | jq -r .digest) $(as_id "$A" profile show three --json | jq -r .digest) true" \
	"$(jq -r '"\(.a.digest) \(.b.digest) \(.widens)"' "$OUT")"
profile diff one wrong
expect_eq "one that is wrong is no answer" 125 "$RC"
profile diff one
expect_eq "diff wants two" "125 usage: airlock profile diff A B [--json]" "$RC $(cat "$ERR")"

# ---- drop-ins -------------------------------------------------------------------------------------------------

export AIRLOCK_PROFILES=$own_dir
rm "$own_dir/default.yaml"
put dropped 'version: 1
name: dropped
extends: default
open: [limits.wall]
'
# dropin NAME TEXT: into the directory beside that profile
dropin()
{
	mkdir -p "$own_dir/dropped.yaml.d"
	printf '%s' "$2" >"$own_dir/dropped.yaml.d/$1.yaml"
	own "$own_dir"
}
says()
{
	run_airlock -p dropped -- sh -c 'echo "<$SITE>"'
	cat "$OUT"
}
expect_eq "a call without drop-ins" "<>" "$(says)"
dropin 20-b 'environment: { set: { SITE: b } }
'
expect_eq "a directory of drop-ins that appears is seen by the next call" "<b>" "$(says)"
expect_eq "and by the one after it" "<b>" "$(says)"
dropin 10-a 'limits: { wall: 30m }
'
run_airlock -p dropped --dry-run -- true
profile show dropped --origin
expect_match "one more, which widens what is open" \
	"  wall: 30m                             # $own_dir/dropped.yaml.d/10-a.yaml:1" "$OUT"
expect_match "names of drop-ins stand above the values" "# with $own_dir/dropped.yaml.d/20-b.yaml" "$OUT"
profile show dropped
expect_match "and above the file" "# with $own_dir/dropped.yaml.d/20-b.yaml" "$OUT"
profile list --json
expect_eq "the list counts them" 2 "$(jq -r 'select(.name == "dropped") | .dropins' "$OUT")"
profile list
expect_match "for people as well" "(2 drop-ins)" "$OUT"
dropin 20-b 'environment: { set: { SITE: c } }
'
expect_eq "one that changes is seen" "<c>" "$(says)"
dropin 30-c 'limits: { memory: 4TiB }
'
says >/dev/null
expect_eq "one that widens what is not open ends the launch" 125 "$RC"
expect_match "at its place" "$own_dir/dropped.yaml.d/30-c.yaml:1:19: error: limits.memory: 4TiB is wider" "$ERR"
rm "$own_dir/dropped.yaml.d/30-c.yaml" "$own_dir/dropped.yaml.d/20-b.yaml"
expect_eq "one that goes is seen" "<>" "$(says)"
chmod 777 "$own_dir/dropped.yaml.d"
says >/dev/null
expect_eq "a directory that others may write ends the launch" 125 "$RC"
expect_match "and says how to mend it" "run: chmod go-w $own_dir/dropped.yaml.d" "$ERR"
rm -r "$own_dir/dropped.yaml.d"

# What the tool can write may be no part of its rules: a drop-in, a parent.
mkdir "$WS/rules"
printf 'environment: { set: { SITE: ws } }\n' >"$WS/rules/10.yaml"
printf 'version: 1\nname: parent\nextends: default\n' >"$WS/rules/parent.yml"
own "$WS"
ln -s "$WS/rules" "$own_dir/dropped.yaml.d"
says >/dev/null
expect_eq "drop-ins in the workspace are refused" "125 airlock: profile $WS/rules/10.yaml lies in the workspace: a tool could write the rules of the next call; keep it elsewhere" \
	"$RC $(cat "$ERR")"
rm "$own_dir/dropped.yaml.d"
expect_eq "positive control: without them it runs" "<>" "$(says)"
put kid "version: 1
name: kid
extends: $WS/rules/parent.yml
"
run_airlock -p kid -- true
expect_eq "a parent in the workspace is refused" "125 airlock: profile $WS/rules/parent.yml lies in the workspace: a tool could write the rules of the next call; keep it elsewhere" \
	"$RC $(cat "$ERR")"
unset AIRLOCK_PROFILES

# ---- names that others chose --------------------------------------------------------------------------------

mkdir -p "$T/chosen"
printf 'version: 1\n' >"$T/chosen/"$'\e]0;owned\a.yaml'
own "$T/chosen"
as_id env AIRLOCK_PROFILES="$T/chosen" "$A" profile show nosuch >"$OUT" 2>"$ERR"
expect_match "a name on disk that acts on a terminal is shown" '(there are: \033]0;owned\007, base, ' "$ERR"
expect_eq "and does not reach it" 0 "$(grep -c $'\e' "$ERR")"
profile check ./$'\e[8mgone.yaml'
expect_match "nor does a file's that cannot be read" '\033[8mgone.yaml: No such file' "$ERR"
