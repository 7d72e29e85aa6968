#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# filesystem.write: directories of the host that a tool writes directly, and which may not be given.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

mkdir -p "$T/profiles"
P=$T/profiles/write.yaml

# give PATH [EFFECTS]: the profile of the runs below.
give()
{
	printf 'version: 1\nname: write\nextends: base\nmode: apply\neffects: [%s]\nfilesystem: { read: [/usr, /bin, /lib, /lib64], write: [%s] }\nallow_degraded: [cgroup, landlock]\n' \
		"${2:-read, write-workspace, write-external}" "$1" >"$P"
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

OUTSIDE=$T/out
mkdir -p "$OUTSIDE"
echo old >"$OUTSIDE/old"
own "$OUTSIDE"
give "$OUTSIDE"

if [ "$E2E_IDENTITY" = root ]; then
	refused "root's files are no tool's" "write.yaml:6: filesystem.write $OUTSIDE: what the tool leaves there would belong to root"
	# In a user's workspace root becomes that user, and so does what the tool writes.
	export AIRLOCK_STATE=$T/state-owner
	mkdir -p "$AIRLOCK_STATE"
	chown -R "$E2E_USER": "$OUTSIDE" "$WS" "$AIRLOCK_STATE"
fi
cp /bin/true "$OUTSIDE/program"
[ "$(id -u)" != 0 ] || chown "$E2E_USER": "$OUTSIDE/program"
run_airlock -p "$P" -- /bin/sh -c "echo new >$OUTSIDE/new; rm $OUTSIDE/old; $OUTSIDE/program; echo \$?"
expect_eq "it is written at once, and nothing in it runs" "0 126 new" "$RC $(cat "$OUT") $(cat "$OUTSIDE/new")"
expect_eq "what is deleted is gone" no "$([ -e "$OUTSIDE/old" ] && echo yes || echo no)"
expect_eq "it is no change of the workspace" "none $OUTSIDE" "$(record '"\(.outcome.settled) \(.planned.write | join(" "))"')"
expect_eq "show says what that means" "outside $OUTSIDE: written directly; not in the change set, no undo" \
	"$(as_id "$A" show @last | tr -s ' \n' ' ' | grep -oE 'outside [^ ]*: written directly; not in the change set, no undo')"
expect_eq "and is the user's" "$(stat -c %u "$OUTSIDE")" "$(stat -c %u "$OUTSIDE/new")"

run_airlock -p "$P" -- /bin/sh -c "echo more >$OUTSIDE/late; exit 3"
expect_eq "also when the tool fails" "3 more" "$RC $(cat "$OUTSIDE/late")"
run_airlock -p "$P" -m observe -- /bin/sh -c "cat $OUTSIDE/new; echo x >$OUTSIDE/observed"
expect_eq "read-only in observe" "new no" "$(cat "$OUT") $([ -e "$OUTSIDE/observed" ] && echo yes || echo no)"
expect_match "and it says so" "Read-only file system" "$ERR"

calls=$(journal_entries)
run_airlock -p "$P" --result "$OUTSIDE/r.json" -- /bin/sh -c "rm $OUTSIDE/r.json; echo evil >$OUTSIDE/r.json"
expect_eq "a result there: no call" "125 $calls" "$RC $(journal_entries)"
expect_match "a result there: why" "the tool may write there (write.yaml:6: filesystem.write $OUTSIDE)" "$ERR"
expect_eq "a result there: no file is left" no "$([ -e "$OUTSIDE/r.json" ] && echo yes || echo no)"
for option in --result --receipt; do
	as_id sh -c 'echo precious >"$1"' sh "$OUTSIDE/kept"
	run_airlock -p "$P" "$option" "$OUTSIDE/kept" -- /bin/true
	expect_eq "$option there: what is in the file stays" "125 precious" "$RC $(cat "$OUTSIDE/kept")"
done
rm "$OUTSIDE/kept"
if [ "$E2E_IDENTITY" = plain ]; then
	skip "a result there by another mount" "a plain user may not mount"
else
	mkdir -p "$OUTSIDE/d" "$T/alias"
	own "$T/alias"
	[ "$(id -u)" != 0 ] || chown "$E2E_USER": "$OUTSIDE/d"
	for from in "$OUTSIDE" "$OUTSIDE/d"; do
		as_id unshare -m sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh "$from" "$T/alias" \
			"$A" run -w "$WS" -p "$P" --result "$T/alias/r.json" -- \
			/bin/sh -c "rm -f $from/r.json; echo evil >$from/r.json" >"$OUT" 2>"$ERR"
		RC=$?
		expect_eq "a result there by another mount of ${from#"$T"/}: no call" "125 $calls" "$RC $(journal_entries)"
		expect_match "a result there by another mount of ${from#"$T"/}: why" \
			"the tool may write there (write.yaml:6: filesystem.write $OUTSIDE)" "$ERR"
	done
	rm -rf "$OUTSIDE/d" "$T/alias"
fi

as_id "$A" profile explain "$P" -w "$WS" --path "$OUTSIDE/new" --access write >"$OUT"
expect_eq "explain names its rule" "yes: write $OUTSIDE/new
  filesystem.write gives it, directly on the host
  rule: filesystem.write, write.yaml:6" "$(cat "$OUT")"

give "$OUTSIDE" "read, write-workspace"
refused "the effect is missing" "write.yaml:6:57: error: filesystem.write: needs write-external in effects"
give "$WS"
refused "the workspace" "it lies in the workspace or contains it"
give "$T/none"
refused "nothing there" "filesystem.write $T/none: No such file or directory"
ln -s "$OUTSIDE" "$T/way"
give "$T/way"
refused "a link" "$T/way is a link; name the directory itself"
mkdir -p "$T/.ssh" "$T/a/.config/systemd" "$T/wide"
chmod 777 "$T/wide"
[ "$(id -u)" != 0 ] || chown -R "$E2E_USER": "$T/.ssh" "$T/a" "$T/wide"
give "$T/.ssh"
refused "a name that others trust" "a later program runs or trusts what stands there (built-in: .ssh: keys, and commands run on connect)"
give "$T/a/.config/systemd"
refused "one further down" "(built-in: .config/systemd: a service manager runs it)"
give "$T/wide"
refused "one that others can write" "others can write it"
give "$AIRLOCK_STATE"
refused "airlock's own state" "filesystem.write $AIRLOCK_STATE: it lies in the state directory"
give "$T/profiles"
export AIRLOCK_PROFILES=$T/profiles
refused "profiles" "it lies in a directory of AIRLOCK_PROFILES"
unset AIRLOCK_PROFILES
# shellcheck disable=SC2088 # airlock expands it
give '~/'
refused "the home" "'~' cannot be given"
