#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Directories that cannot be a workspace: refused in one line with exit 125, before anything starts.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# bad NAME FRAGMENT WORKSPACE [ARG…]
bad()
{
	local name=$1 fragment=$2 workspace=$3 before why=
	shift 3

	before=$(journal_entries)
	rm -f "$T/result"
	as_id "$A" run -w "$workspace" --result "$T/result" "$@" -- true >"$OUT" 2>"$ERR"
	RC=$?
	[ "$RC" = 125 ] || why="exit $RC; "
	[ "$(wc -l <"$ERR")" = 1 ] || why="$why$(wc -l <"$ERR") lines; "
	grep -qF -- "$fragment" "$ERR" || why="${why}wanted '$fragment'; "
	[ "$(journal_entries)" = "$before" ] || why="${why}a record; "
	[ "$(jq -c .call "$T/result" 2>&1)" = null ] || why="${why}result $(head -c 200 "$T/result" 2>&1); "
	if [ -z "$why" ]; then
		ok "$name"
	else
		not_ok "$name" "$why$(head -c 400 "$ERR")"
	fi
}

run_airlock -- true
expect_eq "positive control" 0 "$RC"
home=$E2E_HOME
# root follows no link at all
link_says() { if [ "$E2E_IDENTITY" = plain ]; then echo "$1"; else echo "there is a link in this path, which root does not follow"; fi; }
bad "not there" "workspace $T/nothing: No such file or directory" "$T/nothing"
bad "an empty name" "workspace" ""
bad "/" "workspace /: the whole file system cannot be one" /
bad "/ by another name" "workspace /: the whole file system cannot be one" /tmp/../.
bad "HOME" "workspace $home: it is the home directory $home" "$home"
ln -s "$home" "$T/link-home"
bad "HOME by a link" "$(link_says "it is the home directory $home")" "$T/link-home"
echo x >"$T/file"
bad "a file" "workspace $T/file" "$T/file"
mkfifo "$T/fifo"
bad "a fifo" "workspace $T/fifo" "$T/fifo"
ln -s loop "$T/loop"
bad "a loop of links" "workspace $T/loop" "$T/loop"
if [ "$E2E_IDENTITY" != root ]; then
	bad "what contains HOME" "it contains the home directory" "$T"
	mkdir -p "$home/project"
	own "$home"
	as_id "$A" run -w "$home/project" -- true
	expect_eq "positive control: a directory in HOME" 0 "$?"
fi

# the state directory, both ways; HOME somewhere else so that it is not the reason
mkdir "$AIRLOCK_STATE/inside"
own "$AIRLOCK_STATE/inside"
bad "in the state directory" "it lies in the state directory ($AIRLOCK_STATE)" "$AIRLOCK_STATE/inside"
bad "the state directory" "the state directory ($AIRLOCK_STATE)" "$AIRLOCK_STATE"
mkdir -p "$T/holder/ws"
own "$T/holder"
(
	export AIRLOCK_STATE=$T/holder/state
	bad "what contains the state directory" "it contains the state directory ($T/holder/state)" "$T/holder"
	mkdir -p "$T/holder/link-to"
	ln -s "$T/holder" "$T/by-link"
	bad "by a link" "$(link_says "it contains the state directory ($T/holder/state)")" "$T/by-link"
)
if [ "$E2E_IDENTITY" != root ]; then
	mkdir -p "$home/.config/airlock/profiles"
	own "$home"
	bad "the user's profiles" "your profiles" "$home/.config/airlock/profiles"
	bad "what contains them" "it contains your profiles" "$home/.config"
fi
bad "the shipped profiles" "the shipped profiles" "$(dirname "$(dirname "$A")")/profiles"
mkdir -p "$T/own-profiles/sub"
own "$T/own-profiles"
(
	export AIRLOCK_PROFILES=/nonexistent:$T/own-profiles
	bad "directories of AIRLOCK_PROFILES" "it lies in a directory of AIRLOCK_PROFILES ($T/own-profiles)" "$T/own-profiles"
	bad "and in them" "it lies in a directory of AIRLOCK_PROFILES ($T/own-profiles)" "$T/own-profiles/sub"
)

# -C
mkdir "$WS/sub"
own "$WS"
bad "-C to what is not there" "-C $WS/none: No such file or directory" "$WS" -C none
bad "-C outside" "not in the workspace $WS" "$WS" -C ..
ln -s / "$WS/root"
bad "-C outside by a link" "not in the workspace $WS" "$WS" -C root/tmp
echo x >"$WS/file"
bad "-C to a file" "not a directory" "$WS" -C file

# the root of a user namespace may read what is its owner's
if [ "$E2E_IDENTITY" = plain ]; then
	mkdir "$T/closed"
	own "$T/closed"
	chmod 000 "$T/closed"
	bad "unreadable" "workspace $T/closed: Permission denied" "$T/closed"
	chmod 700 "$T/closed"
	mkdir -p "$T/foreign/ws"
	[ "$(id -u)" != 0 ] || chmod 700 "$T/foreign"
	if [ "$(id -u)" = 0 ]; then
		bad "behind a closed directory" "workspace $T/foreign/ws: Permission denied" "$T/foreign/ws"
	fi
fi
