#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `airlock doctor`: what it says is missing is missing, what it says can run runs. Each refusal of an outer filter is
# put to both: doctor names the layer, and a call under the same filter does not start.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

payload outer_filter
filter=$E2E_PAYLOAD/outer_filter

# doctor ARG…: in the workspace, as the identity. Sets RC; OUT and ERR are there afterwards.
doctor()
{
	(cd "$WS" && as_id "${under[@]}" "$A" doctor "$@") >"$OUT" 2>"$ERR" </dev/null
	RC=$?
}

# layer NAME FIELD: of the JSON in OUT
layer()
{
	jq -r --arg name "$1" --arg field "$2" '.layers[] | select(.layer == $name) | .[$field]' "$OUT"
}

under=()
doctor --json
can=$(jq -r .can_run "$OUT")
expect_eq "json names the profile" default "$(jq -r .profile "$OUT")"
expect_eq "json has every layer of the table" "$(grep -c '^LAYER(' "$E2E_DIR/../../launcher/cli/doctor.def")" \
	"$(jq '.layers | length' "$OUT")"
expect_eq "json has these keys and no other" detail,fix,layer,status \
	"$(jq -r '[.layers[] | keys[]] | unique | join(",")' "$OUT")"
expect_eq "json has these statuses and no other" true \
	"$(jq '[.layers[].status] - ["ok", "degraded", "missing", "info"] == []' "$OUT")"
expect_eq "what is not ok has a fix, what is ok has none" true \
	"$(jq '[.layers[] | (.fix != "") == (.status == "missing" or .status == "degraded")] | all' "$OUT")"
expect_eq "can_run is that nothing is missing" "$can" "$(jq '[.layers[] | .status != "missing"] | all' "$OUT")"
expect_eq "exit says the same" "$([ "$can" = true ] && echo 0 || echo 1)" "$RC"

run_airlock -- true
expect_eq "a call does what doctor said" "$can" "$([ "$RC" = 0 ] && echo true || echo false)"

doctor
expect_match "the last line is the verdict" "profile default can" <(tail -n 3 "$OUT")
expect_no_match "no colour but on a terminal" $'\033' "$OUT"
expect_eq "nothing on stderr" "" "$(cat "$ERR")"

# Without the program of sealed credentials calls run, as most have none.
doctor --json
expect_eq "age is there" "ok /usr/bin/age, /usr/bin/age-keygen" "$(layer age status) $(layer age detail)"
if [ "$E2E_IDENTITY" = root ]; then
	under=(unshare -m sh -c 'mount --bind /dev/null /usr/bin/age && exec "$@"' sh)
	doctor --json
	expect_eq "age is not there: what to do, and it is not missing" \
		"info /usr/bin/age: Permission denied; sealed credentials cannot be made or opened: apt-get install age" \
		"$(layer age status) $(layer age detail)"
	under=()
fi

# A profile that allows nothing to be missing: each degradable layer that is not ok is missing then.
doctor --json -p strict
expect_eq "strict allows nothing to be missing" 0 "$(jq '[.layers[] | select(.status == "degraded")] | length' "$OUT")"

doctor -p no-such-profile
expect_eq "an unknown profile cannot run" 1 "$RC"
expect_match "and the reason is the profile" "missing   profile" "$OUT"
for wrong in --no-such-option operand -p; do
	doctor "$wrong"
	expect_eq "bad usage, $wrong" 125 "$RC"
done

# refused RULE LAYER WORDS [EXIT]: under that filter LAYER is not ok with these words in its detail or fix, and a call
# gives EXIT (125).
refused()
{
	under=("$filter" "$1" --)
	doctor --json
	expect_eq "$1: cannot run" 1 "$RC"
	expect_eq "$1: $2 is what is missing" missing "$(layer "$2" status)"
	expect_match "$1: $3" "$3" <(layer "$2" detail; layer "$2" fix)
	expect_eq "$1: what came before is not blamed" "" \
		"$(jq -r --arg name "$2" '[.layers[].layer] as $all | ($all | index($name)) as $at |
			.layers[:$at][] | select(.status == "missing") | .layer' "$OUT")"
	as_id "${under[@]}" "$A" run -w "$WS" -- true >"$OUT" 2>"$ERR" </dev/null
	expect_eq "$1: a call does not start" "${4:-125}" "$?"
}

if [ "$can" = true ]; then
	refused openat2=ENOSYS openat2 RestrictSUIDSGID
	refused openat2=KILL openat2 "killed by SIGSYS" 159 # the launcher itself makes the call
	refused clone3=ENOSYS clone3 "Function not implemented"
	refused 'clone3=EPERM' clone3 "Operation not permitted"
	refused fsopen=EPERM mounts "fsopen"
	refused move_mount=ENOSYS mounts "move_mount"
	refused pivot_root=EPERM mounts "pivot_root"
	refused sethostname=EPERM user-namespaces "max_user_namespaces="
	refused acct=NOTIFY notify "listens already"
	# In a container the launch names the flags that help, and doctor the same ones.
	for call in clone3=ENOSYS clone3=EPERM sethostname=EPERM fsopen=EPERM; do
		under=(env container=oci "$filter" "$call" --)
		as_id "${under[@]}" "$A" run -w "$WS" -- true >"$OUT" 2>"$ERR" </dev/null
		expect_eq "$call in a container: a call does not start" 125 "$?"
		flags="run --security-opt seccomp=airlock-seccomp.json --security-opt "
		expect_match "$call in a container: the flags are named" "$flags" "$ERR"
		doctor --json
		expect_match "$call in a container: doctor names them" "$flags" \
			<(jq -r '.layers[] | select(.status == "missing") | .fix' "$OUT")
	done
	under=("$filter" landlock_create_ruleset=ENOSYS --)
	doctor --json
	expect_eq "no Landlock: default does without" 0 "$RC"
	expect_eq "no Landlock: degraded" degraded "$(layer landlock status)"
	as_id "${under[@]}" "$A" run -w "$WS" -- true >"$OUT" 2>"$ERR" </dev/null
	expect_eq "no Landlock: and a call runs" 0 "$?"
	doctor --json -p strict
	expect_eq "no Landlock: strict does not" 1 "$RC"
	expect_eq "no Landlock: missing" missing "$(layer landlock status)"
	under=()
else
	skip "outer filters" "nothing runs here: $(jq -r '[.layers[] | select(.status == "missing") | .layer] | join(", ")' "$OUT")"
fi

# limited FLAGS WORDS: under that ulimit doctor names the limit, and a call does not start.
limited()
{
	local -a flags

	read -ra flags <<<"$1"
	(cd "$WS" && as_id bash -c 'ulimit "$2" "$3" "$4" && exec "$1" doctor --json' sh "$A" "${flags[@]}") >"$OUT" 2>"$ERR"
	expect_eq "ulimit $1: cannot run" 1 "$?"
	expect_eq "ulimit $1: the limits are what is missing" missing "$(layer rlimits status)"
	expect_match "ulimit $1: $2" "$2" <(layer rlimits detail; layer rlimits fix)
	(cd "$WS" && as_id bash -c 'ulimit "$2" "$3" "$4" && exec "$1" run -- true' sh "$A" "${flags[@]}") >"$OUT" 2>"$ERR"
	expect_eq "ulimit $1: a call does not start" 125 "$?"
}

limited "-HS -n 20" "ulimit -n 1024"
# Without a core limit of 1 to be had, the coredump filter alone stands: no reason to refuse.
(cd "$WS" && as_id bash -c 'ulimit -HS -c 0 && exec "$1" run -- grep -i core /proc/self/limits' sh "$A") >"$OUT" 2>"$ERR"
expect_eq "ulimit -c 0: a call starts" "0 0" "$(awk '{print $5, $6}' "$OUT")"
(cd "$WS" && as_id bash -c 'trap "" CHLD; exec "$1" doctor --json' sh "$A") >"$OUT" 2>"$ERR"
expect_eq "a caller that ignores SIGCHLD changes nothing" "$can" "$(jq -r .can_run "$OUT")"

# Where there is no user namespace to be had, the switch that forbids it is named. In a namespace of our own that
# switch is ours to turn.
if [ "$E2E_IDENTITY" = plain ]; then
	as_id unshare -r sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; cd "$2" && exec "$1" doctor' \
		sh "$A" "$WS" >"$OUT" 2>"$ERR"
	expect_eq "max_user_namespaces=0: cannot run" 1 "$?"
	expect_match "max_user_namespaces=0: the command that helps" "sudo sysctl -w user.max_user_namespaces=" "$OUT"
	expect_match "max_user_namespaces=0: what was not tried says so" "not tried: needs user-namespaces" "$OUT"
fi

# The host's root with no other id: there is none for the tool.
if [ "$E2E_IDENTITY" = root ]; then
	(cd "$WS" && as_id unshare -r "$A" doctor --json) >"$OUT" 2>"$ERR"
	expect_eq "root alone: cannot run" 1 "$?"
	expect_eq "root alone: for want of an identity" missing "$(layer identity status)"
	as_id unshare -m sh -c 'mount --bind /dev/null /proc/keys && cd "$2" && exec "$1" doctor --json' \
		sh "$A" "$WS" >"$OUT" 2>"$ERR"
	expect_eq "a masked /proc: cannot run" 1 "$?"
	expect_eq "a masked /proc: a new one cannot be made" missing "$(layer new-proc status)"
	expect_match "a masked /proc: docker's option is named" "systempaths=unconfined" <(layer new-proc fix)
fi
