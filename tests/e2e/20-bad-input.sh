#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What was not asked rightly: one line that names the thing, exit 125, no sandbox, no record, and a result JSON
# without a call.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# bad NAME FRAGMENT ARG…: refused with 125 and one line with FRAGMENT in it; nothing was started or written down
bad()
{
	local name=$1 fragment=$2 before why=
	shift 2

	before=$(journal_entries)
	rm -f "$T/result"
	run_airlock --result "$T/result" "$@"
	[ "$RC" = 125 ] || why="exit $RC; "
	[ "$(wc -l <"$ERR")" = 1 ] || why="$why$(wc -l <"$ERR") lines; "
	[ "$(head -c 9 "$ERR")" = "airlock: " ] || why="${why}not airlock's; "
	grep -qF -- "$fragment" "$ERR" || why="${why}wanted '$fragment'; "
	[ ! -s "$OUT" ] || why="${why}something on stdout; "
	[ "$(journal_entries)" = "$before" ] || why="${why}a record; "
	[ "$(jq -c '[.call, .record, .verdict, .exit, .settled]' "$T/result" 2>&1)" = '[null,null,"launch_failed",null,"none"]' ] ||
		[ "$(jq -c '[.call, .record, .verdict, .exit, .settled]' "$T/result" 2>&1)" = '[null,null,"denied",null,"none"]' ] ||
		why="${why}result $(head -c 200 "$T/result" 2>&1); "
	if [ -z "$why" ]; then
		ok "$name"
	else
		not_ok "$name" "$why$(head -c 400 "$ERR")"
	fi
}

run_airlock -k used -- sh -c 'echo x >f'
expect_eq "positive control: a good call has a record" "0 2" "$RC $(journal_entries)"

# ---- options ----------------------------------------------------------------------------------------------

bad "unknown long option" "unknown option --frobnicate" --frobnicate -- true
bad "unknown short option" "unknown option -Z" -Z -- true
bad "a misspelt option names the nearest" "unknown option --workspce; did you mean --workspace?" --workspce "$WS" -- true
bad "unknown among joined flags" "unknown option -Z" -nqZ -- true
bad "a workflow that nobody made" "there is no workflow task: \`airlock workflow new task\` makes it" -W task -- true
bad "no name of a workflow" "no name of a workflow: 1 to 64 letters, digits" -W ../up -- true
bad "a step without a workflow" "--step goes with a workflow that has steps" --step x -- true
bad "an unknown mode" "-m propos: unknown mode (observe, propose, apply)" -m propos -- true
bad "an option without its value" "-m wants MODE" -m
bad "a long one without" "--limit wants KEY=VALUE" --limit
bad "a flag with a value" "--raw takes no value" --raw=yes -- true
bad "no command" "no command"
bad "nothing behind --" "no command" --
bad "an empty command" "the command is an empty string" -- ""

# ---- limits and profile -----------------------------------------------------------------------------------

bad "unknown limit" "--limit colour=1: unknown limit (cpu, cpu_time, disk, " --limit colour=1 -- true
bad "a misspelt limit names the nearest" "--limit memroy=1GiB: unknown limit; did you mean 'memory'?" --limit memroy=1GiB -- true
bad "a limit without a value" "--limit memory: wants a value like memory=" --limit memory -- true
bad "a limit with a bad unit" "--limit memory=1Q: wants a value like" --limit memory=1Q -- true
bad "a limit of nothing" "--limit wall=0: wants a value like" --limit wall=0 -- true
bad "a limit below none" "--limit pids=-1: wants a value like" --limit pids=-1 -- true
bad "a limit above the profile's" "--limit memory=100GiB: above what profile default allows" --limit memory=100GiB -- true
bad "a memory limit below what the reader takes" "memory" --limit memory=1 -- true
bad "unknown profile" "no profile 'no-such-profile' (there are: base, default, ffmpeg, git, " -p no-such-profile -- true
bad "a misspelt profile names the nearest" "no profile 'defalt'; did you mean 'default'?" -p defalt -- true
bad "an empty profile name" "-p: an empty profile name" -p "" -- true
bad "a profile's path that is not there" "/no/such.yaml: No such file or directory" -p /no/such.yaml -- true
mkdir -p "$T/profiles"
printf 'version: 1\nname: huge\nextends: default\nlimits: { memory: 900TiB }\n' >"$T/profiles/huge.yaml"
printf 'version: 1\nname: broken\nextends: default\nfrobnicate: yes\n' >"$T/profiles/broken.yaml"
printf 'version: 1\nname: observer\nextends: default\nmode: observe\n' >"$T/profiles/observer.yaml"
own "$T/profiles"
bad "a memory limit above the host's" "limits.memory is 989560464998400 bytes but this host has " -p "$T/profiles/huge.yaml" -- true
before=$(journal_entries)
run_airlock --result "$T/result" -p "$T/profiles/broken.yaml" -- true
expect_eq "an unknown key in a profile" "125 null $before" "$RC $(jq .call "$T/result") $(journal_entries)"
expect_eq "says where, once, with the line and a caret" "$T/profiles/broken.yaml:4:1: error: unknown key 'frobnicate'
frobnicate: yes
^~~~~~~~~~" "$(cat "$ERR")"
while IFS='|' read -r key value what; do
	printf 'version: 1\nname: later\nextends: base\n%s: %s\n' "$key" "$value" >"$T/profiles/later.yaml"
	own "$T/profiles/later.yaml"
	run_airlock -p "$T/profiles/later.yaml" -- true
	expect_eq "$key: no call" "125 $before" "$RC $(journal_entries)"
	expect_match "$key is refused, not passed over" "this version has no $what yet, so nothing is" "$ERR"
done <<'END'
network|{ egress: [{ host: example.com }] }|egress
labels|{ adds: [untrusted] }|labels
END
bad "options only narrow" "-m apply: profile observer says observe, and options only narrow" -p "$T/profiles/observer.yaml" -m apply -- true

# ---- environment ------------------------------------------------------------------------------------------

bad "-e of a name that is not accepted" "-e: profile default does not accept SECRET_TOKEN" -e SECRET_TOKEN=x -- true
for name in LD_PRELOAD LD_AUDIT PYTHONPATH NODE_OPTIONS BASH_ENV PERL5LIB RUBYOPT GIT_SSH_COMMAND; do
	bad "-e $name never" "-e: $name never crosses into a sandbox" -e "$name=x" -- true
done
bad "-e of what is not set" "-e: APP_NOT_SET is not set in airlock's environment" -e APP_NOT_SET -- true
bad "-e of a bad name" "not the name of a variable" -e "A B=x" -- true
bad "-e of nothing" "not the name of a variable" -e "=x" -- true
bad "--env-file that is not there" "--env-file $T/none" --env-file "$T/none" -- true
echo "CI" >"$T/env"
bad "--env-file with a bare name" "a line without '='" --env-file "$T/env" -- true
printf 'CI=a\0b\n' >"$T/env"
bad "--env-file with a NUL" "a NUL byte" --env-file "$T/env" -- true
echo "LD_PRELOAD=/x" >"$T/env"
bad "--env-file with a loader's name" "--env-file: LD_PRELOAD never crosses" --env-file "$T/env" -- true

# ---- key, context, result ---------------------------------------------------------------------------------

bad "a used key" "used" -k used -- true
check "and names the call" grep -qE '[0-9a-f]{8}-[0-9a-f]{4}|show [0-9a-f]{8}' "$ERR"
bad "an empty key" "--key: between 1 and 128 bytes" -k "" -- true
bad "a long key" "--key: between 1 and 128 bytes" -k "$(printf 'k%.0s' {1..129})" -- true
bad "a key with a newline" "--key: control characters" -k $'a\nb' -- true
run_airlock -k "$(printf 'k%.0s' {1..128})" -- true
expect_eq "positive control: 128 bytes are a key" 0 "$RC"
echo '[1]' >"$T/context"
bad "a context that is no object" "--context $T/context: not one JSON object" --context "$T/context" -- true
echo '{"a":1} {}' >"$T/context"
bad "two objects" "not one JSON object" --context "$T/context" -- true
printf '{"a":"\377"}' >"$T/context"
bad "a context that is not UTF-8" "not one JSON object" --context "$T/context" -- true
printf '{"a":"%s"}' "$(head -c 70000 /dev/zero | tr '\0' x)" >"$T/context"
bad "a context above 64 KiB" "more than 65536 bytes" --context "$T/context" -- true
bad "a context that is not there" "--context $T/none" --context "$T/none" -- true
echo '{"principal":{"id":"p-1"},"a":[1,2.50,null,"é"]}' >"$T/context"
run_airlock --context "$T/context" -- true
expect_eq "positive control: a context is recorded" '{"principal":{"id":"p-1"},"a":[1,2.5,null,"é"]}' "$(record '.planned.context | tojson' | jq -c .)"
bad "a result descriptor that is not open" "--result-fd 77: not an open descriptor" --result-fd 77 -- true
bad "a result descriptor that is no number" "--result-fd out: not an open descriptor" --result-fd out -- true
before=$(journal_entries)
run_airlock --result "$T/no/such/dir/result" -- true
expect_eq "a result that cannot be written is found before the tool runs" "125 $before airlock: --result $T/no/such/dir/result: No such file or directory" "$RC $(journal_entries) $(cat "$ERR")"
run_airlock --result "$T/result" --no-such-option -- true
expect_eq "--result before the bad option" null "$(jq -c .call "$T/result")"
# ---- 126, 127, too much ------------------------------------------------------------------------------------

rm -f "$T/result"
run_airlock --result "$T/result" -- no-such-command
expect_eq "127 has no call" "127 null" "$RC $(jq -c .call "$T/result")"
rm -f "$T/result"
run_airlock --result "$T/result" -- ./f
expect_eq "126 has no call" "126 null" "$RC $(jq -c .call "$T/result")"
before=$(journal_entries)
chunk=$(head -c 100000 /dev/zero | tr '\0' x)
args=()
for _ in {1..21}; do
	args+=("$chunk")
done
(
	ulimit -s unlimited
	run_airlock -- true "${args[@]}"
	echo "$RC" >"$T/rc"
)
expect_eq "2 MB of arguments" "125 1" "$(cat "$T/rc") $(wc -l <"$ERR")"
expect_match "says so" "argument" "$ERR"
expect_eq "and started nothing" "$before" "$(journal_entries)"

# ---- other verbs -------------------------------------------------------------------------------------------

expect_rc "an unknown verb" 125 as_id "$A" frobnicate
expect_rc "no verb is help, and not an error" 0 as_id "$A" help
expect_rc "an unknown option of a verb" 125 as_id "$A" log --frobnicate
expect_rc "a call that is not there" 1 as_id "$A" show 0123456789
expect_rc "show without a call" 125 as_id "$A" show
