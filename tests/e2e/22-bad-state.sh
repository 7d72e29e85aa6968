#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A state directory that cannot hold a record: refused before anything runs, never run unrecorded.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# refused NAME FRAGMENT: what the last run_airlock must have said; its tool would have made $WS/ran
refused()
{
	local why=

	[ "$RC" = 125 ] || why="exit $RC; "
	[ "$(wc -l <"$ERR")" = 1 ] || why="$why$(wc -l <"$ERR") lines; "
	grep -qF -- "$2" "$ERR" || why="${why}wanted '$2'; "
	[ ! -s "$OUT" ] || why="${why}the tool spoke; "
	[ ! -e "$WS/ran" ] || why="${why}the tool ran; "
	rm -f "$WS/ran"
	if [ -z "$why" ]; then
		ok "$1"
	else
		not_ok "$1" "$why$(head -c 400 "$ERR")"
	fi
}
tool=(-- sh -c 'echo spoke; echo x >ran')

good=$AIRLOCK_STATE
export AIRLOCK_STATE=relative/state
run_airlock "${tool[@]}"
refused "a relative state directory" "AIRLOCK_STATE"
export AIRLOCK_STATE=$T/file/state
echo x >"$T/file"
run_airlock "${tool[@]}"
refused "below a file" "$T/file"
export AIRLOCK_STATE=/proc/airlock-state
run_airlock "${tool[@]}"
refused "where nothing can be made" "/proc/airlock-state"

# the root of a user namespace may write what is its owner's
if [ "$E2E_IDENTITY" = plain ]; then
	mkdir "$T/closed"
	own "$T/closed"
	chmod 555 "$T/closed"
	export AIRLOCK_STATE=$T/closed/state
	run_airlock "${tool[@]}"
	refused "not writable" "state directory $T/closed/state: open: Permission denied"
fi
export AIRLOCK_STATE=$T/open-state
mkdir "$T/open-state"
own "$T/open-state"
chmod 777 "$T/open-state"
run_airlock "${tool[@]}"
refused "writable by others" "$T/open-state"

# A umask that takes the owner's rights away would leave a state directory that nobody can open again.
export AIRLOCK_STATE=$T/home/masked
as_id sh -c 'umask 0777 && exec "$@"' sh "$A" run -w "$WS" -- true >"$OUT" 2>"$ERR"
expect_eq "umask 0777, a state directory that is not there: exit" "0 " "$? $(cat "$ERR")"
expect_run "and again, under another umask" 0 -- true
expect_eq "all of it is its owner's to use" "" "$(
	find "$AIRLOCK_STATE" -ignore_readdir_race -printf '%y %m %p\n' | awk '$1 == "d" && $2 !~ /7..$/ || $1 == "f" && $2 !~ /[67]..$/')"

# A file size limit that a commit meets is said, and ends nobody in the middle.
export AIRLOCK_STATE=$T/home/sized
expect_run "a file size limit: what is held" 0 -m propose -- sh -c 'echo x >small && head -c 4M /dev/zero | tr "\0" x >big'
as_id prlimit --fsize=2097152 "$A" apply @last >"$OUT" 2>"$ERR"
expect_eq "a file size limit: exit of apply" "1 airlock: commit: big: stage: File too large" "$? $(cat "$ERR")"
expect_eq "a file size limit: nothing is left" "" "$(find "$WS" "$AIRLOCK_STATE/commits" -mindepth 1)"
expect_verb "a file size limit: and without" 0 apply @last
expect_eq "a file size limit: all is there" "4194304 2" "$(stat -c %s "$WS/big" "$WS/small" | paste -sd' ')"

# in a mount namespace of its own: a read-only and a full file system
small=$T/small
mkdir "$small"
own "$small"
# in_small SETUP: mounts 256 KiB on $small, does SETUP, runs airlock with its state there
in_small()
{
	AIRLOCK_STATE=$small/state as_id "$(command -v unshare)" -m sh -c '
		mount -t tmpfs -o size=256k,mode=755 tmpfs "$1" || exit 99
		small=$1 setup=$2
		shift 2
		eval "$setup" || exit 98
		"$@"' sh "$small" "$1" "$A" run -w "$WS" "${tool[@]}" >"$OUT" 2>"$ERR"
	RC=$?
}
if [ "$E2E_IDENTITY" = plain ]; then
	skip "a read-only, a full file system" "a plain user cannot mount; userns and root do"
else
	in_small 'mount -o remount,bind,ro "$small"'
	refused "a read-only file system" "state directory $small/state is on a read-only file system"
	in_small 'head -c 300k /dev/zero >"$small/fill" 2>/dev/null; true'
	refused "a full file system" "state directory $small/state: no room for the record of a call"
	in_small 'mkdir -m 700 "$small/state"; head -c 200k /dev/zero >"$small/fill"; true'
	refused "one without room for a record" "state directory $small/state: no room for the record of a call"
	# What is to make room reads the journal where there is none for the index, and then there is.
	AIRLOCK_STATE=$small/state as_id "$(command -v unshare)" -m sh -c '
		mount -t tmpfs -o size=12m,mode=755 tmpfs "$1" || exit 99
		for i in 1 2; do "$2" run -w "$3" -- head -c 400000 /dev/urandom >/dev/null || exit 98; done
		"$2" key show >/dev/null || exit 97
		cat /dev/zero >"$1/fill" 2>/dev/null
		"$2" log -n 1 && "$2" gc --older-than 0s && "$2" verify --store "$1/state" --key "@$1/state/log/vkey"' \
		sh "$small" "$A" "$WS" >"$OUT" 2>"$ERR"
	expect_eq "a full file system: gc makes room" 0 $?
	expect_match "the calls are listed" "head -c 400000" "$OUT"
	expect_match "their objects go" "KiB removed" "$OUT"
	expect_match "and nothing is wrong" "; 0 wrong" "$OUT"
	expect_eq "why the index was not read is said once each" 2 "$(grep -c 'the index is not kept up to date: .*No space left' "$ERR")"
fi

export AIRLOCK_STATE=$good
run_airlock "${tool[@]}"
expect_eq "positive control" "0 spoke x" "$RC $(cat "$OUT") $(cat "$WS/ran")"
expect_eq "the state directory is private" 700 "$(stat -c %a "$AIRLOCK_STATE")"
# the log, which others may be served, comes behind the answer
expect_eq "nothing in it is for others" "" "$(find "$AIRLOCK_STATE" -path "$AIRLOCK_STATE/log" -prune -o ! -type l -perm /077 -print 2>&1)"

# A backup that was put back: the signed log has more than the journal. Nothing may be appended to it. What signs the calls
# so far has its own word on that, so it is waited for.
as_id "$LOG" --wait
end=$(stat -c %s "$AIRLOCK_STATE/journal/0001.log")
echo "1 $end" >"$AIRLOCK_STATE/log.at"
own "$AIRLOCK_STATE/log.at"
expect_run "a journal that reaches what was signed" 0 -m propose -- sh -c 'echo y >held'
as_id "$LOG" --wait
end=$(stat -c %s "$AIRLOCK_STATE/journal/0001.log")
echo "1 $((end + 1))" >"$AIRLOCK_STATE/log.at"
rm "$WS/ran"
run_airlock "${tool[@]}"
refused "a journal that ends before what was signed" \
	"state directory $AIRLOCK_STATE: the journal ends before what its log has signed (journal/0001.log, byte $((end + 1)))"
expect_match "what to do is said" "or move log, log.db, log.key and log.at out of there" "$ERR"
expect_verb "nothing is applied over it" 1 apply @last
expect_match "and that says so too" "a backup was put back" "$ERR"
expect_verb "it can be read" 0 show @last
expect_eq "nothing was appended" "$end" "$(stat -c %s "$AIRLOCK_STATE/journal/0001.log")"
echo "2 0" >"$AIRLOCK_STATE/log.at"
run_airlock "${tool[@]}"
refused "a journal without the file that was signed" "(journal/0002.log, byte 0)"
echo "garbage" >"$AIRLOCK_STATE/log.at"
run_airlock "${tool[@]}"
refused "nobody knows what was signed" "$AIRLOCK_STATE/log.at is damaged"
rm "$AIRLOCK_STATE/log.at"
expect_run "without a log" 0 -- true

# Without HOME it is where the account says, for the verbs that read as for the run.
case $E2E_IDENTITY in
root | userns) home=$(getent passwd 0 | cut -d: -f6) ;;
plain) home=$E2E_USER_HOME ;;
esac
as_id env -u HOME -u AIRLOCK_STATE "$A" doctor --json >"$OUT"
expect_match "without HOME: doctor" "$home/.local/state/airlock" "$OUT"
as_id env -u HOME -u AIRLOCK_STATE "$A" log >/dev/null 2>"$ERR" # nobody knows what is there
expect_eq "without HOME: a verb that reads" "" "$(grep "no state directory" "$ERR")"
