#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root plain
# The on-disk upper: a disk limit above half of the host's memory takes it. Nothing of it is left, whatever happens.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
payload hog
cp "$E2E_PAYLOAD/hog" "$WS/hog"
own "$WS/hog"

half_mib=$(awk '/^MemTotal:/ { print int($2 / 2048) }' /proc/meminfo)
free_mib=$(df -Pm "$T" | awk 'END { print $4 }')
limit_mib=$((half_mib + 256))
mkdir "$T/profiles"
for files in 2000 200000; do
	printf 'version: 1\nname: disk%s\ndescription: x\nextends: default\nlimits: { disk: %sMiB, files: %s }\n' \
		$files $limit_mib $files >"$T/profiles/disk$files.yaml"
done
own "$T/profiles"
DISK=(-p "$T/profiles/disk200000.yaml")

scratch()
{
	find "$AIRLOCK_STATE/scratch" -mindepth 1 2>/dev/null
}

# It is removed behind the answer.
expect_gone()
{
	wait_for 5 no_scratch
	expect_eq "$1: no scratch is left" "" "$(scratch)"
}

no_scratch()
{
	[ -z "$(scratch)" ]
}

# Positive control of what expect_gone asks: while a call runs, its directory is there, on the file system of the state.
rm -f "$T/.go"
mkfifo "$T/.go"
: >"$OUT"
as_id "$A" run "${DISK[@]}" -w "$WS" -- sh -c 'echo made >made; echo up; read go' <"$T/.go" >"$OUT" 2>"$ERR" &
job=$!
exec 7>"$T/.go"
check "a call runs" wait_for 20 grep -q up "$OUT"
expect_eq "its scratch is there" "1" "$(find "$AIRLOCK_STATE/scratch" -mindepth 1 -maxdepth 1 | wc -l)"
expect_eq "what the tool wrote is on the disk" "1" "$(find "$AIRLOCK_STATE/scratch" -name made -type f | wc -l)"
echo go >&7
exec 7>&-
wait $job
expect_eq "its exit" 0 $?
expect_gone "a call"
expect_eq "committed" "made" "$(cat "$WS/made")"
expect_run "a narrower limit is a tmpfs again" 0 "${DISK[@]}" --limit disk=16MiB -- sh -c \
	'dd if=/dev/zero of=big bs=1M count=64 2>/dev/null; wc -c <big; rm big'
expect_eq "a narrower limit: ENOSPC" "16777216" "$(cat "$OUT")"

# Changes, as on a tmpfs.
as_id sh -c "cd '$WS' && mkdir -p d/e && echo 1 >d/e/f && echo 2 >g && mkdir x && echo 3 >x/old && chmod 600 g"
expect_run "changes" 0 "${DISK[@]}" -- sh -c 'rm -r d; echo more >>g; rm -r x; mkdir x; echo 4 >x/new; ln -s g l; mkdir n; echo 5 >n/5; chmod 000 n/5'
expect_eq "changes: the record" "create l create n create n/5 delete d delete d/e delete d/e/f delete x/old create x/new modify g" "$(
	record '.outcome.changes.items[] | "\(.kind) \(.path)"' | sort -k1,1 -k2 | grep -v x/new | tr '\n' ' ' | sed 's/ modify g $//'
	) create x/new modify g"
expect_eq "changes: the workspace" "g hog l made n n/5 x x/new" \
	"$(cd "$WS" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')"
expect_eq "changes: content" "2 more 4 0" "$(tr '\n' ' ' <"$WS/g")$(cat "$WS/x/new") $(stat -c %a "$WS/n/5")"
expect_gone "changes"
expect_run "observe" 0 "${DISK[@]}" -m observe -- sh -c 'echo x >g; rm -r x'
expect_eq "observe: nothing" "2 more 4" "$(tr '\n' ' ' <"$WS/g")$(cat "$WS/x/new")"
expect_gone "observe"
expect_run "a failed tool" 9 "${DISK[@]}" -- sh -c 'echo x >half; mkdir dark; echo x >dark/x; chmod 000 dark; exit 9'
expect_gone "a failed tool"
expect_run "a command that is not there" 127 "${DISK[@]}" -- /nonexistent
expect_gone "a command that is not there"
expect_run "setuid is held here too" 123 "${DISK[@]}" -- sh -c 'echo x >s; chmod 4755 s'
expect_gone "setuid"

# What a SIGKILL leaves is swept by a next command.
: >"$OUT"
as_id "$A" run "${DISK[@]}" -w "$WS" -- sh -c 'echo up; sleep 99.411' >"$OUT" 2>"$ERR" &
job=$!
check "killed: a call runs" wait_for 20 grep -q up "$OUT"
pid=$job
while [ "$(cat "/proc/$pid/comm")" != airlock ]; do
	pid=$(cut -d' ' -f1 "/proc/$pid/task/$pid/children")
	[ -n "$pid" ] || break
done
kill -KILL "$pid"
wait $job 2>/dev/null
check "killed: the scratch is left" test -n "$(scratch)"
expect_run "killed: the next call" 0 -- true
expect_gone "killed: the next call sweeps"

# The watch. Space is taken without writing it, and beyond the end of the file: nobody has gigabytes to read afterwards.
if [ "$free_mib" -lt $((limit_mib + 4096)) ]; then
	skip "too much" "the disk has $free_mib MiB free, $((limit_mib + 4096)) are needed"
else
	# shellcheck disable=SC2016
	expect_run "too much: exit" 125 "${DISK[@]}" --limit wall=20s -- sh -c \
		'touch big1 big2; fallocate -n -l "$1"M big1 && echo one; fallocate -n -l "$1"M big2 && echo two; while :; do sleep 1; done' \
		- $((limit_mib / 2 + 64))
	expect_eq "too much: the tool could take it" "one two" "$(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
	expect_eq "too much: verdict" "limit null held disk: the call wrote more than limits.disk" \
		"$(record '.outcome | "\(.verdict) \(.signal) \(.settled) \(.reason)"')"
	expect_eq "too much: event" "disk" "$(record '[.outcome.denials[] | select(.kind == "limit") | .what] | unique | join(",")')"
	expect_gone "too much"
	check "too much: not committed" test ! -e "$WS/big1"
fi
expect_run "too many files: exit" 125 -p "$T/profiles/disk2000.yaml" --limit wall=20s -- sh -c \
	'./hog files 20000; while :; do sleep 1; done'
expect_eq "too many files: verdict" "limit held files: the call made more than limits.files" \
	"$(record '.outcome | "\(.verdict) \(.settled) \(.reason)"')"
expect_gone "too many files"
