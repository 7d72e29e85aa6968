#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The tool's environment is made, not inherited.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# with VAR=VALUE… -- ARG…: run_airlock in an environment with these
with()
{
	local -a set=()

	while [ "$1" != -- ]; do
		set+=("$1")
		shift
	done
	shift
	as_id env "${set[@]}" "$A" run -w "$WS" "$@" >"$OUT" 2>"$ERR"
	RC=$?
}

with GITHUB_TOKEN=ghp_canary AWS_SECRET_ACCESS_KEY=canary LD_PRELOAD='' LD_LIBRARY_PATH=/tmp/canary PYTHONPATH=/tmp/canary \
	NODE_OPTIONS=--canary BASH_ENV=/tmp/canary SSH_AUTH_SOCK=/tmp/canary IFS=canary LANG=de_DE.UTF-8 LC_TIME=C.UTF-8 TERM=vt100 TZ=UTC \
	PATH="/canary:$PATH" -- -- env -0
expect_eq "starts with all that" 0 "$RC"
expect_no_match "nothing of the caller's secrets arrives" canary "$OUT"
tr '\0' '\n' <"$OUT" | cut -d= -f1 | sort | tr '\n' ' ' >"$T/names"
expect_eq "exactly these names" "HOME LANG LC_TIME LOGNAME PATH PWD SHELL TERM TZ USER " "$(sed 's/LC_ALL //' "$T/names")"
expect_match "LANG does" "LANG=de_DE.UTF-8" "$OUT"
expect_match "TERM does" "TERM=vt100" "$OUT"
expect_eq "names are in the record, values are not" "false" "$(record '.planned | tojson | contains("de_DE")')"
expect_eq "LANG is named" "true" "$(record '.planned.env_names | index("LANG") != null')"

# a poisoned loader: airlock itself is static, its helper must not care either
with LD_PRELOAD=/nonexistent/canary.so -- -- sh -c 'echo fine'
expect_eq "LD_PRELOAD of the caller" "0 fine" "$RC $(cat "$OUT")"

case $E2E_IDENTITY in
plain) user=$E2E_USER ;;
*) user=root ;;
esac
run_airlock -- sh -c 'echo "$HOME $USER $LOGNAME $PWD"'
expect_eq "HOME, USER, LOGNAME, PWD" "$E2E_HOME $user $user $WS" "$(cat "$OUT")"
run_airlock -- sh -c 'echo "$PATH"'
expect_eq "PATH is the profile's" "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$(cat "$OUT")"
run_airlock -- sh -c 'getent passwd "$(id -u)" | cut -d: -f1,6; touch ~/x && ls -A ~'
expect_eq "passwd inside agrees, HOME is private and writable" "$user:$E2E_HOME .gitconfig x" "$(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
expect_eq "and nothing reaches the real one" "no" "$([ -e "$E2E_HOME/x" ] && echo yes || echo no)"

# -e
with CI=yes -- -e CI -- sh -c 'echo "$CI"'
expect_eq "-e NAME takes the caller's value" "yes" "$(cat "$OUT")"
run_airlock -e CI=1 -e TEST_A=$'two\nlines =x' -e LANG=C -- sh -c 'echo "$CI $TEST_A $LANG"'
expect_eq "-e NAME=VALUE" "1 two
lines =x C" "$(cat "$OUT")"
run_airlock -e CI=1 -e CI=2 -- sh -c 'echo "$CI"'
expect_eq "the last one wins" 2 "$(cat "$OUT")"
run_airlock -e CI= -- sh -c 'echo "${CI-unset}|"'
expect_eq "an empty value is one" "|" "$(cat "$OUT")"
printf '# a comment\n\nCI=from-file\nTEST_B=a=b # not a comment\n' >"$T/env"
own "$T/env"
run_airlock --env-file "$T/env" -- sh -c 'echo "$CI/$TEST_B"'
expect_eq "--env-file" "from-file/a=b # not a comment" "$(cat "$OUT")"
run_airlock --env-file "$T/env" -e CI=option -- sh -c 'echo "$CI"'
expect_eq "-e wins over the file" "option" "$(cat "$OUT")"

# the profile's fixed values win over everything
mkdir -p "$T/profiles"
printf 'version: 1\nname: fixed\nextends: default\nenvironment:\n  set:\n    LANG: fixed\n    CI: fixed\n' >"$T/profiles/fixed.yaml"
own "$T/profiles"
with LANG=caller AIRLOCK_PROFILES="$T/profiles" -- -p fixed -- sh -c 'echo "$LANG $CI"'
expect_eq "set wins over pass" "fixed fixed" "$(cat "$OUT")"
with AIRLOCK_PROFILES="$T/profiles" -- -p fixed -e CI=mine -- true
expect_eq "set wins over -e, and says so" "125 airlock: -e: profile fixed sets CI itself (environment.set)" "$RC $(cat "$ERR")"

# nearly nothing around airlock
as_id env -i AIRLOCK_STATE="$AIRLOCK_STATE" "$A" run -w "$WS" -- sh -c 'echo "$PATH|$USER"' >"$OUT" 2>"$ERR"
expect_eq "an empty environment" "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|$user" "$(cat "$OUT")"
