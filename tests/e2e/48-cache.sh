#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# filesystem.cache: directories that are kept between calls, for whom, and where they may stand.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

mkdir -p "$T/profiles"
P=$T/profiles/cache.yaml

# give CACHES [FILE [NAME]]: a profile of the runs below.
give()
{
	printf 'version: 1\nname: %s\nextends: base\nmode: apply\neffects: [read, write-workspace]\nfilesystem: { read: [/usr, /bin, /lib, /lib64], cache: { %s } }\nallow_degraded: [cgroup, landlock]\n' \
		"${3:-cache}" "$1" >"${2:-$P}"
	own "$T/profiles"
}

refused()
{
	local before
	before=$(journal_entries)
	run_airlock -p "$P" -- /bin/true
	expect_eq "$1: no call" "125 $before" "$RC $(journal_entries)"
	expect_match "$1: why" "$2" "$ERR"
}

# shellcheck disable=SC2088 # airlock expands it
C='~/.cache/kept'
give "kept: { path: $C }"
if [ "$E2E_IDENTITY" = root ]; then
	refused "root's workspace has none" "/.cache/kept: a cache cannot be given in a workspace of root's yet; start airlock as a user"
	# In a user's workspace root becomes that user, and so does what the tool writes.
	export AIRLOCK_STATE=$T/state-owner
	mkdir -p "$AIRLOCK_STATE"
	chown -R "$E2E_USER": "$AIRLOCK_STATE"
	E2E_HOME=$(getent passwd "$E2E_USER" | cut -d: -f6)
fi
# workspace NAME: makes it the one of the calls below; with root it is a user's.
workspace()
{
	new_ws "$1"
	[ "$(id -u)" != 0 ] || chown "$E2E_USER": "$WS"
}
workspace first
D=$E2E_HOME/.cache/kept

run_airlock -p "$P" -- /bin/sh -c "echo one >$D/a; cp /bin/true $D/program; $D/program; echo \$?; stat -c %a $D"
expect_eq "it is written, the tool's own, and nothing in it runs" "0 126 700" "$RC $(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
expect_match "as a mount says, not a mode" "Permission denied" "$ERR"
expect_eq "it is no change of the workspace" "none" "$(record '.outcome.settled')"
expect_eq "the record names it" "false kept $D workflow" "$(record '.planned.caches[] | "\(.exec) \(.name) \(.path) \(.scope)"')"
expect_eq "show tells of it" "caches kept $D (workflow): kept for later calls; not in the change set" \
	"$(as_id "$A" show @last | tr -s ' \n' ' ' | grep -oE 'caches kept .*not in the change set')"
run_airlock -p "$P" -- /bin/sh -c "cat $D/a; chmod 0 $D; exit 3"
expect_eq "a later call has it" "3 one" "$RC $(cat "$OUT")"
run_airlock -p "$P" -- /bin/sh -c "cat $D/a"
expect_eq "also when a tool took its mode away" "0 one" "$RC $(cat "$OUT")"
run_airlock -p "$P" -m observe -- /bin/sh -c "cat $D/a; echo two >$D/a"
expect_eq "in observe it is read" "one" "$(cat "$OUT")"
expect_match "and read-only" "Read-only file system" "$ERR"
expect_eq "nobody else can reach it" "700 700 700 700" \
	"$(stat -c %a "$AIRLOCK_STATE"/caches{,/*,/*/*,/*/*/*} | tr '\n' ' ' | sed 's/ $//')"

workspace second
run_airlock -p "$P" -- /bin/ls -A "$D"
expect_eq "another workflow has another" "0 " "$RC $(cat "$OUT")"
WS=$T/first
give "kept: { path: $C }" "$T/profiles/other.yaml" other
run_airlock -p "$T/profiles/other.yaml" -- /bin/ls -A "$D"
expect_eq "another profile has another" "0 " "$RC $(cat "$OUT")"
mkdir -p "$T/profiles/more"
give "kept: { path: $C }" "$T/profiles/more/cache.yaml"
run_airlock -p "$T/profiles/more/cache.yaml" -- /bin/ls -A "$D"
expect_eq "and one of the same name in another file" "0 " "$RC $(cat "$OUT")"
run_airlock -p "$P" -- /bin/cat "$D/a"
expect_eq "while the first has what it had" "0 one" "$RC $(cat "$OUT")"

give "kept: { path: $C, scope: user, exec: true }"
run_airlock -p "$P" -- /bin/sh -c "ls -A $D; cp /bin/true $D/program; $D/program; echo \$?"
expect_eq "with exec what is in it runs; the user's starts empty" "0 0" "$RC $(cat "$OUT")"
printf '#!/usr/bin/env program\n' >"$WS/script"
chmod 755 "$WS/script"
own "$WS/script"
printf 'environment: { set: { PATH: "%s:/usr/bin" } }\n' "$D" >>"$P"
expect_run "and is found by name where PATH says so" 0 -p "$P" -- program
expect_run "also by env" 0 -p "$P" -- ./script
WS=$T/second
run_airlock -p "$P" -- /bin/ls -A "$D"
expect_eq "the user's is the same in another workflow" "0 program" "$RC $(cat "$OUT")"
give "kept: { path: $C }"
run_airlock -p "$P" -- /bin/ls -A "$D"
expect_eq "and not the workflow's" "0 " "$RC $(cat "$OUT")"

BEFORE=$(journal_entries)
run_airlock -p "$P" --dry-run -- /bin/true
expect_eq "a dry run says where it stands, and makes no call" "cache $D (writable) $BEFORE" \
	"$(grep '^cache' "$OUT" | tr -s ' ') $(journal_entries)"
as_id "$A" profile explain "$P" >"$OUT"
expect_match "explain says so" "kept=~/.cache/kept (workflow)" "$OUT"
as_id "$A" profile show --effective "$P" >"$OUT"
expect_match "show prints it as it is read" "kept: { path: \"~/.cache/kept\", scope: workflow, exec: false }" "$OUT"

# Its "~" is the home of whoever the call would run as: of root's it is the workspace's owner.
home=$T/home
[ "$E2E_IDENTITY" != root ] || home=$E2E_HOME
as_id "$A" profile explain "$P" -w "$WS" --path "$home/.cache/kept/x" >"$OUT"
expect_eq "and answers for a path in it" "no: read $home/.cache/kept/x (ENOENT)
  nothing of that name is there; the tool may make it
  rule: filesystem.cache, cache.yaml:6" "$(head -n 3 "$OUT")"

mkdir -p "$T/shown/dir"
echo host >"$T/shown/dir/a"
chmod -R a+rX "$T/shown"
give "kept: { path: $T/shown/dir }"
sed -i "s|read: \[|read: [$T/shown, |" "$P"
run_airlock -p "$P" -- /bin/sh -c "cat $T/shown/dir/a; echo cached >$T/shown/dir/b; cat $T/shown/dir/b"
expect_eq "it can stand over a directory that is shown, which keeps what it has" "a cached" \
	"$(ls -A "$T/shown/dir") $(cat "$OUT")"

give "kept: { path: /usr/lib/kept }"
refused "of the system" "cache.yaml:6:72: error: filesystem.cache: '/usr/lib/kept' cannot be given: it belongs to the system"
give "kept: { path: relative }"
refused "relative" "cache.yaml:6:72: error: filesystem.cache: wants an absolute path, or one that starts with ~/, not 'relative'"
give "kept: { scope: user }"
refused "none" "cache.yaml:6:58: error: filesystem.cache: 'kept' has no path"
give "kept: { path: ~/ }"
refused "the home" "filesystem.cache: '~' cannot be given"
give "kept: { path: $WS/kept }"
refused "in the workspace" "cache.yaml:6: filesystem.cache $WS/kept: it must be in the call's own directories"
give "kept: { path: $WS }"
refused "the workspace" "cache.yaml:6: filesystem.cache $WS: $WS is there already"
give "kept: { path: $C }, more: { path: $C }"
refused "two at one place" "cache.yaml:6: filesystem.cache $D: $D is there already"
give "kept: { path: $C }, more: { path: $C/more }"
refused "one in another" "cache.yaml:6: filesystem.cache $D/more: it must be in the call's own directories"
