#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# rerun: a recorded call again on its recorded input: what is the same, what is not, and what nobody can repeat.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

mkdir "$T/profiles"
printf 'version: 1\nname: keep\nextends: default\ncapture: { inputs: content }\nenvironment: { accept: [FLAVOUR] }\n' >"$T/profiles/keep.yaml"
own "$T/profiles"
P=$T/profiles/keep.yaml

# again WHAT: what rerun --json says of the first call, through jq.
again()
{
	as_id "$A" rerun --json "$first" >"$T/.again" 2>"$ERR"
	jq -r "$1" "$T/.again"
}

# The answers in the order verdict exit stdout stderr changes.
answers()
{
	again '[.compared.verdict, .compared.exit, .compared.stdout, .compared.stderr, .compared.changes] | map(.answer) | join(" ")'
}

# keep ARG…: a run that keeps its input; first is its id.
keep()
{
	run_airlock -p "$P" "$@"
	first=$(record .planned.call)
}
same="same same same same same"

# ---- the same input ------------------------------------------------------------------------------
new_ws
as_id sh -c 'cd "$1" && printf "a\nb\n" >f && mkdir -p sub/deep && ln -s ../f sub/l && echo x >sub/deep/x && chmod 750 sub &&
	chmod 604 f && printf "\001\002" >"b c" && : >empty && mkdir none' sh "$WS"
keep -C sub -- sh -c 'cat; find .. -printf "%p %m %s %l\n" | sort; cat l deep/x; echo err >&2; echo more >>l; rm deep/x; exit 3' \
	< <(printf 'from\nstdin')
expect_eq "the first call" "3 failed" "$RC $(record .outcome.verdict)"
out=$(sha256sum <"$OUT")
as_id sh -c 'cd "$1" && rm -rf sub f && echo other >f && mkdir sub' sh "$WS"
before=$(as_id find "$WS" -printf '%p %i %T@\n' | sort)
expect_eq "all is the same, whatever the workspace has now" "$same" "$(answers)"
expect_rc "exit" 0 as_id "$A" rerun "$first"
expect_eq "the workspace is not touched" "$before" "$(as_id find "$WS" -printf '%p %i %T@\n' | sort)"
second=$(again .again)
expect_eq "it is a call of its own, of the first" "$first observe discarded" \
	"$(record '"\(.planned.context.rerun_of) \(.planned.mode) \(.outcome.settled)"' "$second")"
expect_eq "its output is the first one's" "$out" "$(as_id "$A" cat "$second" stdout --raw | sha256sum)"
expect_eq "its tree is the first one's" "$(record .outcome.in_tree.digest)" "$(record .outcome.in_tree.digest "$second")"
expect_match "its record says what it ran on" "$AIRLOCK_STATE/scratch/" <(record .planned.input "$second")
expect_eq "an ordinary call has no such input" null "$(record .planned.input "$first")"
expect_match "show says it" 'in its place' <(as_id "$A" show "$second" | tr -s ' \n' ' ')
expect_eq "nothing is left" "" "$(ls -A "$AIRLOCK_STATE/scratch" 2>/dev/null)"
expect_match "what cannot be the same is said" 'times of files are not recorded' <(again '.notes[]')
as_id "$A" rerun "$first" >"$OUT"
expect_eq "the page" "  call        $first
  verdict     same: failed
  exit        same: 3
  stderr      same: 4 B, sha256 $(echo err | sha256sum | cut -c 1-12)
  changes     same: ~1 -1" "$(grep -E '^  (call|verdict|exit|stderr|changes) ' "$OUT")"
expect_eq "80 columns" "" "$(awk 'length > 80' "$OUT")"

keep -- sh -c 'printf "#!/bin/sh\necho script; ls\n" >script; chmod 755 script; echo more'
keep -- ./script
as_id rm "$WS/script"
expect_eq "a program that only the input has" "$same" "$(answers)"

# ---- what is not the same ------------------------------------------------------------------------
new_ws
keep -- sh -c 'echo one; cat /proc/sys/kernel/random/uuid; cat /proc/sys/kernel/random/uuid >u; echo same >v'
expect_eq "a tool that is not the same twice" "same same different same different" "$(answers)"
expect_rc "exit" 1 as_id "$A" rerun "$first"
differs=$(again .compared.stdout.first)
expect_eq "the first line that differs" \
	"line 2: \"$(as_id "$A" cat "$first" stdout | sed -n 2p)\" then, \"$(as_id "$A" cat "$(jq -r .again "$T/.again")" stdout | sed -n 2p)\" now" "$differs"
expect_match "the first path that differs" 'u: create to 100644' <(again .compared.changes.first)
keep -- sh -c 'echo $$ >/dev/null; kill -SEGV $$'
expect_eq "a signal" "$same SIGSEGV" "$(answers) $(jq -r .compared.exit.now "$T/.again")"

# ---- contents that are not there -----------------------------------------------------------------
new_ws
as_id sh -c 'cd "$1" && echo token >.netrc && echo plain >f' sh "$WS"
keep -- sh -c 'wc -c .netrc; cat f'
expect_eq "a name that is never stored" "$same" "$(answers)"
expect_match "it is said" 'are zeros now: .netrc' <(again '.notes[]')
expect_match "and that the input is not the same" 'the input is not quite the same' <(again '.notes[]')
keep -- cat .netrc
expect_eq "who reads it sees the difference" "different" "$(again .compared.stdout.answer)"
as_id sh -c 'echo nobody kept this >"$1/f"' sh "$WS"
expect_run "a profile that keeps only what is touched" 0 -- cat f
expect_rc "is refused" 125 as_id "$A" rerun @last
expect_match "with what to set" 'f was in the input and its content was not captured: `capture: { inputs: content }` in profile default' \
	<(as_id "$A" rerun @last 2>&1)
keep -- cat f
workflow=$(record .planned.workflow)
rm -f "$AIRLOCK_STATE/wf/$workflow"/pack-*.alp
expect_rc "objects that are gone" 125 as_id "$A" rerun "$first"
expect_match "which" 'not in the store' <(as_id "$A" rerun "$first" 2>&1)

# ---- variables, limits, the profile --------------------------------------------------------------
new_ws
as_id sh -c 'echo x >"$1/f"' sh "$WS"
FLAVOUR=sweet LANG=C keep -e FLAVOUR --limit pids=40 -- sh -c 'echo "$FLAVOUR" "$LANG"'
expect_eq "the same variables" "$same" "$(FLAVOUR=sweet LANG=C answers)"
expect_match "are named" "taken from today's environment: " <(jq -r '.notes[]' "$T/.again")
expect_match "with those that were handed in" "FLAVOUR" <(jq -r '.notes[]' "$T/.again")
expect_eq "the same limit" 40 "$(record .planned.limits.pids "$(jq -r .again "$T/.again")")"
expect_eq "another value" "different" "$(FLAVOUR=sour LANG=C again .compared.stdout.answer)"
expect_match "one that is not set" 'not set today: FLAVOUR' <(env -u FLAVOUR true; unset FLAVOUR; again '.notes[]')
unset FLAVOUR
keep -- sh -c 'echo "${COLORTERM-none}"'
names=$(record '.planned.env_names | length')
expect_eq "no more variables than it had" "$names" "$(EXTRA=1 again .again >/dev/null; record '.planned.env_names | length' "$(jq -r .again "$T/.again")")"
sed -i 's/^name: keep/&\nlimits: { pids: 100 }/' "$P"
expect_match "a profile that says something else" 'the profile says something else now' <(again '.notes[]')
mv "$P" "$P.gone"
expect_rc "a profile that is gone" 125 as_id "$A" rerun "$first"
expect_match "is named" 'the profile of the call: ' <(as_id "$A" rerun "$first" 2>&1)
mv "$P.gone" "$P"

# ---- what the profile keeps ----------------------------------------------------------------------
new_ws
as_id sh -c 'echo x >"$1/f"; head -c 3000 /dev/zero >"$1/large"' sh "$WS"
sed 's/^capture:.*/capture: { inputs: content, file_size: 2KiB, stdin: 4B, environment: [FLAVOUR, LANG] }/; s/^name: .*/name: less/' \
	"$P" >"$T/profiles/less.yaml"
own "$T/profiles"
FLAVOUR=sweet LANG=C run_airlock -p "$T/profiles/less.yaml" -e FLAVOUR -- sh -c 'rm large; echo "$FLAVOUR" "$LANG"'
first=$(record .planned.call)
expect_rc "a file that is larger than what is kept" 125 as_id "$A" rerun "$first"
expect_match "which, and why" "large was in the input and its content is not in the store: it is larger than the profile's capture.file_size" \
	<(as_id "$A" rerun "$first" 2>&1)
expect_match "diff says why as well" "it is larger than the profile's capture.file_size" <(as_id "$A" diff "$first")
FLAVOUR=sweet LANG=C run_airlock -p "$T/profiles/less.yaml" -e FLAVOUR -- sh -c 'echo "$FLAVOUR" "$LANG"'
first=$(record .planned.call)
expect_eq "a value that is recorded is given again" "$same" "$(FLAVOUR=sour LANG=POSIX answers)"
expect_no_match "and is not today's" 'FLAVOUR' <(jq -r '.notes[]' "$T/.again")
run_airlock -p "$T/profiles/less.yaml" -- cat < <(echo longer than that)
expect_match "input that was not kept" 'stdin: 17 bytes passed and 4 were kept' <(as_id "$A" rerun @last 2>&1)

# ---- over what was held --------------------------------------------------------------------------
new_ws
as_id sh -c 'echo base >"$1/f"' sh "$WS"
keep -m propose -- sh -c 'echo held >>f; echo new >g; mkdir d; echo deep >d/e'
keep -m propose -- sh -c 'cat f g d/e; echo second >>g'
expect_eq "the second saw the first" "base held new deep" "$(xargs <"$OUT")"
expect_eq "over a draft" "$same" "$(answers)"
expect_match "it is said" 'the change sets that the call ran over are part of the input now' <(jq -r '.notes[]' "$T/.again")

# ---- ended in the middle -------------------------------------------------------------------------
# The second call takes its time, as its variable says; who compares it is killed.
slow()
{
	pgrep -f -- '^sleep 998\.76'
}
not_slow()
{
	! slow
}
for signal in TERM KILL; do
	new_ws
	as_id sh -c 'echo in >"$1/f"' sh "$WS"
	FLAVOUR='' keep -e FLAVOUR -- sh -c '[ -z "$FLAVOUR" ] || sleep 998.76; cat f'
	(FLAVOUR=slow exec "${E2E_AS_ID[@]}" "$A" rerun "$first" >"$OUT" 2>"$ERR") &
	again=$!
	check "$signal: it runs" wait_for 20 slow
	kill -$signal "$again"
	wait "$again" 2>/dev/null
	check "$signal: what it started ends" wait_for 20 not_slow
	expect_rc "$signal: and is recorded" 0 wait_for 20 sh -c "$(printf '%q ' "${E2E_AS_ID[@]}" "$A") show @last --json |
		jq -e 'select(.planned.call != \"$first\") | .outcome.verdict == \"interrupted\"'"
done

# ---- one that is not let in ----------------------------------------------------------------------
new_ws
keep -- true
expect_verb "all calls are stopped" 0 stop --all --reason 'a drill'
expect_verb "no call is let in: exit" 125 rerun "$first"
expect_match "and why" 'airlock did not run it: denied: stopped by ' "$ERR"
expect_verb "released" 0 stop --release

# ---- what cannot be run again --------------------------------------------------------------------
expect_rc "no such call" 125 as_id "$A" rerun 01234567
start_airlock -p "$P" -- sleep 100
wait_for 10 sh -c "$(printf '%q ' "${E2E_AS_ID[@]}" "$A") log --verdict unknown --json | grep -q sleep"
expect_match "a call without an outcome" 'has no outcome: there is nothing that it could be compared with' <(as_id "$A" rerun @last 2>&1)
kill -TERM "$PID"
wait "$PID"
new_ws
keep -- true
rmdir "$WS"
expect_match "a workspace that is gone" "airlock did not run it: workspace $WS: No such file" <(as_id "$A" rerun "$first" 2>&1)
expect_eq "nothing is left of any of them" "" "$(ls -A "$AIRLOCK_STATE/scratch" 2>/dev/null)"
