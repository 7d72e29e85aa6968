#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who the tool is, inside and seen from the host, and whom its files belong to.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

uid=$(id -u "$E2E_USER") gid=$(id -g "$E2E_USER")
first=2147000000 last=2147000255

# ---- inside -----------------------------------------------------------------------------------------------

case $E2E_IDENTITY in
plain) inside=$uid:$gid ;;
*) inside=1000:1000 ;;
esac
run_airlock -- sh -c 'echo "$(id -u):$(id -g)"; grep -E "^(Cap|NoNewPrivs|Seccomp:|Groups)" /proc/self/status | tr -d "\t" | tr "\n" " "'
expect_eq "ids inside" "$inside" "$(head -n 1 "$OUT")"
expect_match "no capability" "CapInh:0000000000000000 CapPrm:0000000000000000 CapEff:0000000000000000 CapBnd:0000000000000000 CapAmb:0000000000000000" "$OUT"
expect_match "no_new_privs and a filter" "NoNewPrivs:1 Seccomp:2" "$OUT"
if [ "$E2E_IDENTITY" = root ]; then
	expect_match "no supplementary group" "Groups:  Cap" "$OUT"
fi
run_airlock -- sh -c 'stat -c %u:%g . ; touch mine; stat -c %u:%g mine; cat /proc/self/uid_map | tr -s " "'
expect_eq "the workspace and what is made in it are the tool's" "$inside $inside" "$(head -n 2 "$OUT" | tr '\n' ' ' | sed 's/ $//')"
expect_eq "one id is mapped" 1 "$(tail -n +3 "$OUT" | wc -l)"
run_airlock -- sh -c 'chown 0:0 mine 2>&1; unshare -r true 2>&1; su -c true 2>&1; true'
expect_match "no way to another id: chown" "chown: changing ownership of 'mine'" "$OUT"
expect_match "a user namespace" "unshare: unshare failed" "$OUT"

# ---- outside ----------------------------------------------------------------------------------------------

# host_uid NUMBER: the real uid of the process `sleep NUMBER`, and its capabilities
host_uid()
{
	local pid

	pid=$(pgrep -f "^sleep $1\$") || return 1
	awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$pid/status"
}

mark=$((40000000 + RANDOM))
start_airlock -- sleep "$mark"
one=$PID
check "a sleeping tool is there" wait_for 10 host_uid "$mark"
seen=$(host_uid "$mark")
caps=$(grep '^Cap' "/proc/$(pgrep -f "^sleep $mark\$")/status" | cut -f2 | sort -u)
expect_eq "without capabilities, seen from the host" 0000000000000000 "$caps"
if [ "$E2E_IDENTITY" = root ]; then
	id=${seen%% *}
	expect_eq "root's tool has an id of the range" yes "$([ "${id:-0}" -ge $first ] && [ "${id:-0}" -le $last ] && echo yes)"
	expect_eq "in all four" "$id $id $id $id" "$seen"
	new_ws second
	mark2=$((mark + 100000))
	start_airlock -- sleep "$mark2"
	two=$PID
	check "a second call runs beside it" wait_for 10 host_uid "$mark2"
	other=$(host_uid "$mark2")
	expect_eq "with another id" different "$([ -n "$other" ] && [ "$other" != "$seen" ] && echo different)"
	kill "$two"
	wait "$two"
else
	expect_eq "a plain user's tool has its own id" "$uid $uid $uid $uid" "$seen"
fi
kill "$one"
wait "$one"
expect_eq "ended by a signal to airlock" 125 "$?"
expect_eq "and nothing of it is left" "" "$(pgrep -f "^sleep $mark\$")"

[ "$E2E_IDENTITY" = root ] || exit 0

# ---- root only --------------------------------------------------------------------------------------------

new_ws owned
run_airlock -- sh -c 'mkdir d; echo x >d/f; chmod 750 d/f'
expect_eq "root's workspace: committed files are root's" "0:0 750 x" "$(stat -c '%u:%g %a' "$WS/d/f") $(cat "$WS/d/f")"
mkdir "$WS/theirs"
echo secret >"$WS/theirs/f"
chown -R "$uid:$gid" "$WS/theirs"
run_airlock -q -- sh -c 'echo changed >theirs/f; echo $?'
expect_eq "an entry of an unmapped owner is read-only" "secret" "$(cat "$WS/theirs/f")"

# bad NAME VALUE FRAGMENT
bad_uids()
{
	AIRLOCK_UIDS=$2 run_airlock -- true
	expect_eq "AIRLOCK_UIDS $1" "125 1" "$RC $(wc -l <"$ERR")"
	expect_match "says so ($1)" "$3" "$ERR"
}
new_ws
bad_uids "of words" "many" "AIRLOCK_UIDS=many: wants FIRST+COUNT"
bad_uids "without a count" "2147000000" "AIRLOCK_UIDS=2147000000: wants FIRST+COUNT"
bad_uids "with none" "2147000000+0" "AIRLOCK_UIDS=2147000000+0: wants FIRST+COUNT"
bad_uids "among the host's" "0+10" "FIRST at least 65536"
bad_uids "past the end" "4294967295+2" "wants FIRST+COUNT"
bad_uids "negative" "-5+2" "wants FIRST+COUNT"
for file in subuid subgid passwd; do
	cp "/etc/$file" "$T/$file" 2>/dev/null || : >"$T/$file"
done
echo "somebody:2147002000:65536" | tee -a "$T/subuid" >>"$T/subgid"
echo "high:x:2147003000:100::/:/bin/false" >>"$T/passwd"
for file in subuid subgid passwd; do
	AIRLOCK_UIDS=$([ $file = passwd ] && echo 2147002990+20 || echo 2147001990+20) unshare -m sh -c \
		'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh "$T/$file" "/etc/$file" "$A" run -w "$WS" -- true >"$OUT" 2>"$ERR"
	expect_eq "AIRLOCK_UIDS of a range in /etc/$file" 125 "$?"
	expect_match "says so (/etc/$file)" "overlaps /etc/$file" "$ERR"
done
AIRLOCK_UIDS=2147001000+1 run_airlock -- sh -c 'cat /proc/self/uid_map | tr -s " "'
expect_eq "a range of one works" "0 1000 2147001000 1" "$RC$(cat "$OUT")"
mark=$((41000000 + RANDOM))
AIRLOCK_UIDS=2147001000+1 start_airlock -- sleep "$mark"
one=$PID
check "its id is in use" wait_for 10 host_uid "$mark"
bad_uids "all in use" "2147001000+1" "all 1 ids of the range are in use"
kill "$one"
wait "$one"
AIRLOCK_UIDS=2147001000+1 run_airlock -- true
expect_eq "and free afterwards" 0 "$RC"

# a workspace of somebody else: root becomes its owner
new_ws theirs
chown "$uid:$gid" "$WS"
before=$(find "$E2E_USER_HOME" | sort)
env -u AIRLOCK_STATE HOME=/root "$A" run -w "$WS" -- sh -c 'echo x >f; id -u; echo "$HOME $USER"' >"$OUT" 2>"$ERR"
expect_eq "the owner's workspace: ids, HOME and USER are the owner's" "0 $uid $E2E_USER_HOME $E2E_USER" "$? $(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
expect_eq "committed files are the owner's" "$uid:$gid" "$(stat -c %u:%g "$WS/f" 2>&1)"
expect_eq "the state is in the owner's home" "$uid" "$(stat -c %u "$E2E_USER_HOME/.local/state/airlock/journal" 2>&1)"
expect_eq "and nothing in root's" "" "$(find /root/.local/state/airlock -newer "$ERR" 2>/dev/null)"
expect_eq "the user can see the call" ok "$(as_user env -u AIRLOCK_STATE "$A" show @last --json | jq -r .outcome.verdict)"
mark=$((42000000 + RANDOM))
env -u AIRLOCK_STATE "$A" run -w "$WS" -- sleep "$mark" >"$T/one" 2>&1 &
one=$!
check "its tool is there" wait_for 10 host_uid "$mark"
expect_eq "with the owner's id" "$uid $uid $uid $uid" "$(host_uid "$mark")"
expect_eq "and so is airlock itself" "$uid $uid $uid $uid" "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$one/status")"
kill "$one"
wait "$one"
# What runs as the owner he may trace as soon as it is another program than airlock: none of it has root's terminal or is
# in root's directory. A profile that is new, and a postcondition that takes a while, are seen at work.
mkdir -m 700 "$T/roots" "$T/their-state"
chown "$uid:$gid" "$T/their-state"
chmod 711 "$T"
printf '%s\n' 'version: 1' 'name: slow-check' 'extends: default' 'done_when:' \
	'  - { name: waits, profile: default, run: [sleep, "0.5"] }' >"$T/slow-check.yaml"
: >"$T/seen"
for _ in {1..30}; do
	(cd "$T/roots" && TAKEOVER=1 AIRLOCK_STATE=$T/their-state /usr/bin/python3 "$E2E_DIR/payload/takeover.py" "$uid" \
		"$A" run -q -n -w "$WS" -p "$T/slow-check.yaml" -- sh -c 'echo y >f') >>"$T/seen"
	expect_eq "open to the owner: the call" 0 "$?"
	if grep -q '^airlock-cli ' "$T/seen" && grep -q '^airlock-jail ' "$T/seen"; then
		break
	fi
	rm -rf "$T/their-state/cache"
done
for program in airlock airlock-cli airlock-jail; do
	expect_eq "open to the owner, $program: no terminal, not root's directory" "$program none other" \
		"$(grep "^$program " "$T/seen" | sort -u)"
done
# The owner's profile is his word: what it passes on of root's environment is little, what root hands in is root's choice.
printf '%s\n' 'version: 1' 'name: takes' 'extends: base' 'environment:' '  pass: [DEPLOY_TOKEN, "AWS_*", LC_CTYPE, TERM]' \
	'  accept: [DEPLOY_TOKEN]' 'filesystem: { read: [/usr, /bin, /lib, /lib64] }' 'allow_degraded: [cgroup, landlock]' >"$T/takes.yaml"
their_env()
{
	DEPLOY_TOKEN=canary AWS_SECRET=canary LC_CTYPE=C.UTF-8 TERM=vt100 AIRLOCK_STATE=$T/their-state \
		"$A" run -q -n -w "$WS" -p "$T/takes.yaml" "$@" -- /usr/bin/env >"$OUT" 2>"$ERR"
}
their_env
expect_eq "the owner's profile: nothing of root's but language and terminal" "0 LC_CTYPE=C.UTF-8 TERM=vt100" \
	"$? $(grep -E 'canary|^(LC|TERM|AWS|DEPLOY)' "$OUT" | sort | paste -sd' ')"
their_env -e DEPLOY_TOKEN
expect_match "what root hands in arrives" "DEPLOY_TOKEN=canary" "$OUT"
expect_no_match "and nothing else does" "AWS_" "$OUT"
# doctor tries as him what a jail does, in his directory and beneath roots of its own.
: >"$T/seen"
for _ in {1..20}; do
	(cd "$WS" && TAKEOVER=1 /usr/bin/python3 "$E2E_DIR/payload/takeover.py" "$uid" "$A" doctor) >>"$T/seen"
	grep -q '^airlock-cli ' "$T/seen" && break
done
expect_eq "open to the owner, doctor: nothing of root's" "airlock-cli none" "$(grep . "$T/seen" | sed 's/ [a-z]*$//' | sort -u)"
case $before in
*/.local/state/airlock*) ;;
*) rm -rf "${E2E_USER_HOME:?}/.local/state/airlock" ;;
esac

# a setuid copy refuses
mkdir "$T/setuid" "$T/setuid/build"
cp "$(dirname "$A")"/airlock "$(dirname "$A")"/airlock-* "$T/setuid/build/"
cp -r "$(dirname "$(dirname "$A")")/profiles" "$T/setuid/"
chmod -R go+rX "$T/setuid"
as_user "$T/setuid/build/airlock" version >"$OUT" 2>"$ERR"
expect_eq "positive control: the copy runs" 0 "$?"
for mode in u+s g+s; do
	chmod "$mode" "$T/setuid/build/airlock"
	for verb in "run -w $WS -- true" version log; do
		# shellcheck disable=SC2086
		as_user env AIRLOCK_STATE="$T/state-setuid" "$T/setuid/build/airlock" $verb >"$OUT" 2>"$ERR"
		expect_eq "a copy with $mode refuses '${verb%% *}'" 125 "$?"
		expect_match "and says why ($mode ${verb%% *})" "setuid" "$ERR"
	done
	chmod "u-s,g-s" "$T/setuid/build/airlock"
done
expect_eq "and has made nothing" "" "$(ls -d "$T/state-setuid" 2>/dev/null)"

# root of a user namespace that has only the host's root
new_ws
unshare -r env HOME="$T/home" "$A" run -w "$WS" -- true >"$OUT" 2>"$ERR"
expect_eq "root whose only id is the host's root is refused" 125 "$?"
expect_match "with the reason" "has no powerless id to run the tool as" "$ERR"
