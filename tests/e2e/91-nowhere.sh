#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A leased value is where it was delivered and nowhere else: calls that end in every way, with values planted as a file, a
# variable and a descriptor; then all that they left is searched, the state's whole disk too.
# alone: a disk of its own is mounted, and memory and disks are searched
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

CONFIG=$T/home/.config/airlock
SEARCH=(/usr/bin/python3 "$E2E_DIR/nowhere.py")
R=$T/said
mkdir -p "$T/profiles" "$T/plant" "$T/cores" "$R" "$CONFIG/bundles/acme"

# ---- what is planted ---------------------------------------------------------------------------------
random()
{
	head -c 400 /dev/urandom | base64 -w 0 | tr -d '+/=' | head -c "$1"
}
printf '%s "%s"\n\\%s/\xc3\xa9&=%s' "$(random 20)" "$(random 20)" "$(random 20)" "$(random 20)" >"$T/plant/text"
head -c 64 /dev/urandom >"$T/plant/binary"
random 64 >"$T/plant/token"
random 64 >"$T/plant/sealed"
V=("$T"/plant/*)
cat >"$CONFIG/bundles/acme/bundle.yaml" <<ITEMS
bundle: acme
owner: test
items:
  binary: { source: file, path: $T/plant/binary, access: read }
  text: { source: file, path: $T/plant/text, deliver: env, name: TEXT, access: read }
  token: { source: file, path: $T/plant/token, deliver: fd, name: TOKEN_FD, access: read }
ITEMS
for leak in redact stop; do
	printf 'version: 1\nname: %s\ndescription: x\nextends: default\ncredentials: [binary, text, token, sealed]\nleak: %s\n' \
		"$leak" "$leak" >"$T/profiles/$leak.yaml"
	printf 'environment: { set: { TEXT: none } }\ncapture: { environment: [TEXT] }\n' >>"$T/profiles/$leak.yaml"
done
cp "$E2E_DIR/nowhere.py" "$E2E_DIR/payload/spell.py" "$WS"
chmod 600 "${V[@]}"
chmod -R go-w "$CONFIG" "$T/profiles"
own "$T/home" "$T/profiles" "$T/plant" "$T/cores" "$R" "$WS"

# The state's file system is one of its own, where the host lets root make it.
disk=
leave()
{
	[ -z "$disk" ] || wait_for 10 umount "$T/disk"
}
if [ "$(id -u)" = 0 ]; then
	truncate -s 48M "$T/image"
	mkdir "$T/disk"
	mke2fs -q -t ext4 "$T/image" && mount -o loop "$T/image" "$T/disk" && disk=$T/disk
fi
if [ -n "$disk" ]; then
	trap leave EXIT
	AIRLOCK_STATE=$disk/state
	mkdir "$AIRLOCK_STATE"
	chmod 700 "$AIRLOCK_STATE"
	own "$AIRLOCK_STATE"
fi
expect_verb "a bundle with a sealed item" 0 creds init other
as_id cp "$CONFIG/bundles/other/bundle.yaml" "$T/other"
recipient=$(sed -n 's/.*\(age1[a-z0-9]*\).*/\1/p' "$T/other" | head -n 1)
sed -i "s/^items:/recipients: [$recipient]\nitems:/" "$CONFIG/bundles/acme/bundle.yaml"
as_id "$A" creds add acme sealed --fd 0 --name sealed --access read <"$T/plant/sealed" >"$R/add.out" 2>"$R/add.err"
expect_eq "its value" 0 $?

# leased NAME RC ARG...: a call under the profile $P; what it says is kept.
P=redact
leased()
{
	local name=$1 want=$2
	shift 2

	expect_run "$name" "$want" -p "$T/profiles/$P.yaml" --bundle acme --result "$R/$name.json" "$@"
	cp "$OUT" "$R/$name.out"
	cp "$ERR" "$R/$name.err"
}

# nowhere NAME PATH...: no value is in these.
nowhere()
{
	local name=$1
	shift

	expect_eq "$name" "" "$("${SEARCH[@]}" files "${V[@]}" -- "$@" 2>&1)"
}

# ---- the search finds what there is ---------------------------------------------------------------------
mkdir "$T/control"
for v in "${V[@]}"; do
	for at in '' a ab; do
		{
			printf '%s' "$at"
			cat "$v"
		} | base64 -w 0 >"$T/control/${v##*/}.base64$at"
	done
	xxd -p -c 0 "$v" >"$T/control/${v##*/}.hex"
	xxd -u -p -c 0 "$v" >"$T/control/${v##*/}.HEX"
	cp "$v" "$T/control/${v##*/}.raw"
	perl -0777 -ne 'print scalar reverse' "$v" >"$T/control/${v##*/}.reversed"
done
jq -n --rawfile v "$T/plant/text" '$v' >"$T/control/text.json"
jq -nr --rawfile v "$T/plant/text" '$v | @uri' >"$T/control/text.url"
expect_eq "control: each form of each value is found" "" \
	"$(for f in "$T"/control/*; do "${SEARCH[@]}" files "${V[@]}" -- "$f" | grep -cF "': $(basename "${f%.*}"), first half" >/dev/null || echo "${f##*/}"; done)"
rm -r "$T/control"

# ---- calls that end in every way ------------------------------------------------------------------------
READ='cat "$CREDENTIALS_DIRECTORY"/* >/tmp/binary; printf %s "$TEXT" >/tmp/text; cat <&"$TOKEN_FD" >/tmp/token'
leased succeeds 0 -- sh -c "$READ; test -s /tmp/token"
expect_eq "it was given all of them" "binary sealed text token" "$(record '[.planned.credentials[].item] | sort | join(" ")')"
leased fails 3 -- sh -c "$READ; exit 3"
leased killed 137 -- sh -c "$READ; kill -KILL \$\$"
leased late 124 --limit wall=1s -- sh -c "$READ; /usr/bin/python3 spell.py; exec sleep 100"
leased no-program 127 -- sh -c 'exec "/nowhere/$TEXT"'
leased bad-call 0 -- sh -c '"$TEXT" 2>&1; cd "/$TEXT"; env -i "A=$TEXT" sh -c "exit 0"'
leased redacted 0 -- /usr/bin/python3 spell.py
expect_eq "it was seen in each form" "base64 hex json raw reversed url" \
	"$(record '[.outcome.leaks[].form | select(. != null)] | unique | join(" ")')"
leased with-key 0 -W local -k key -- /usr/bin/python3 spell.py
leased replayed 0 -W local -k key -- /usr/bin/python3 spell.py
leased observed 0 -m observe -- sh -c "$READ; /usr/bin/python3 spell.py; cat /tmp/token >seen"
as_id script -qec "'$A' run -t -w '$WS' -p '$T/profiles/redact.yaml' --bundle acme -- /usr/bin/python3 spell.py" /dev/null \
	</dev/null >"$R/terminal.out" 2>"$R/terminal.err"
expect_eq "on a terminal" 0 $?
P=stop
leased stopped 125 -- sh -c "$READ; cat /tmp/token; sleep 100"
leased stopped-2 125 -- sh -c '/usr/bin/python3 spell.py >&2; sleep 100'
P=redact

# What it leaves in the workspace is the tool's; what airlock keeps of it is not.
leased committed 0 -- sh -c "$READ; cp /tmp/token kept; cat /tmp/text /tmp/binary >>kept; echo more >other"
check "its file has it" grep -qFf "$T/plant/token" "$WS/kept"
leased changed 0 -- sh -c 'echo x >>kept; chmod 600 kept; mv kept moved'
leased removed 0 -- rm moved
leased attribute 0 -- sh -c "$READ"'; touch held; setfattr -n user.value -v "$(cat /tmp/token)" held'
leased attribute-gone 0 -- rm held
jq -n --rawfile t "$T/plant/token" '{principal: "al", note: "use \($t)"}' >"$T/plant/context"
own "$T/plant"
leased context 0 --context "$T/plant/context" -- true
rm "$T/plant/context"

# ---- who ends it from outside, with a core where there can be one ------------------------------------------
# kept NAME: what the call in the background said.
kept()
{
	cp "$T/.bg.out" "$R/$1.out"
	cp "$T/.bg.err" "$R/$1.err"
}
HOLD="$READ"'; text=$(cat /tmp/token); /usr/bin/python3 spell.py; echo up; exec /usr/bin/python3 -c "
import os, time
held = [open(\"/tmp/token\").read(), open(\"/tmp/binary\", \"rb\").read(), os.environ[\"TEXT\"]]
print(\"held ~~~~~~~~\", flush=True) # the end of what it says may be kept back for a while
time.sleep(100)"'
hold()
{
	: >"$T/.bg.out"
	(
		cd "$T/cores" || exit 125
		ulimit -c unlimited
		exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" -p "$T/profiles/redact.yaml" --bundle acme --result "$R/$1.json" -- sh -c "$HOLD"
	) </dev/null >"$T/.bg.out" 2>"$T/.bg.err" &
	PID=$!
	check "$1: a call that holds them" wait_for 20 bg_says held
	# shellcheck disable=SC2034 # by its name
	CREDD=$(pgrep -P "$PID" -x airlock-credd)
	JAIL=$(pgrep -P "$PID" -x airlock-jail)
	TOOL=$(pgrep -P "$JAIL" | head -n 1)
}
while read -r who signal; do
	hold "$who-$signal"
	kill "-$signal" "${!who:-none}" || not_ok "$who-$signal" "it cannot be killed"
	wait "$PID" 2>/dev/null
	kept "$who-$signal"
done <<'END'
CREDD KILL
CREDD ABRT
JAIL KILL
TOOL KILL
TOOL ABRT
PID KILL
PID ABRT
PID SEGV
PID TERM
END
expect_verb "recover" 0 recover
cp "$OUT" "$R/recover.out"
cp "$ERR" "$R/recover.err"
leased dumps 134 -- sh -c "$READ"'; ulimit -c unlimited; t=$(cat /tmp/token); kill -ABRT $$; echo "$t"'
nowhere "no core has one" "$T/cores" "$WS"
if [ "$(cat /proc/sys/kernel/core_pattern)" = core ]; then
	(
		cd "$T/cores" || exit
		ulimit -c unlimited
		"${E2E_AS_ID[@]}" bash -c 't=$(<"$1"); kill -ABRT $$; echo "$t"' bash "$T/plant/token"
		: # it is this shell that says so
	) 2>/dev/null
	expect_eq "control: a core of others has" 1 "$("${SEARCH[@]}" files "${V[@]}" -- "$T/cores" | grep -c 'token, first half, raw')"
	rm -f "$T"/cores/core*
else
	skip "control: a core of others has" "cores go elsewhere here"
fi

# ---- while a call runs ---------------------------------------------------------------------------------------
hold looked-at
as_id "$A" ps --json >"$R/ps.json"
as_id "$A" ps >"$R/ps.out"
expect_eq "airlock itself leaves no core" 1 "$(awk '/^Max core file size/ { print $5 }' "/proc/$PID/limits")"
tools=$(pgrep --ns "$TOOL" --nslist pid | grep -vx "$JAIL" | sed 's|.*|/proc/&/environ|')
expect_eq "argv and environment of all processes: the tool's own alone" "$tools" \
	"$("${SEARCH[@]}" argv "${V[@]}" -- | cut -d: -f1 | sort -u)"
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$T/plant" # the other one is to know what to look for
	chmod 644 "${V[@]}"
	expect_eq "/proc, as another uid" "" "$(setpriv --reuid=65533 --regid=65533 --clear-groups -- "${SEARCH[@]}" proc "${V[@]}" -- 2>&1)"
	chmod 600 "${V[@]}"
else
	skip "/proc, as another uid" "only root can be one"
fi
kill -TERM "$PID"
wait "$PID"
kept looked-at
leased looks-itself 0 -- sh -c "$READ; unset TEXT; mv /tmp/binary /tmp/all"'; head -c 64 /tmp/all >/tmp/binary; exec /usr/bin/python3 nowhere.py proc /tmp/binary /tmp/text /tmp/token --'
expect_eq "/proc, as the tool" "" "$(cat "$R/looks-itself.out" "$R/looks-itself.err")"

swaps=$(awk 'NR > 1 { print $1 }' /proc/swaps)
if [ -n "$swaps" ] && [ "$(id -u)" = 0 ]; then
	# shellcheck disable=SC2086 # words
	nowhere "swap" $swaps
else
	skip "swap" "there is none, or only root could look"
fi

# ---- what is left of all that -----------------------------------------------------------------------------------
as_id "$LOG" --wait --state "$AIRLOCK_STATE" >"$R/log-program.out" 2>&1
as_id "$A" log --json -n 1000 >"$R/log.json"
as_id "$A" log -n 1000 >"$R/log.out"
n=0
while read -r id; do
	n=$((n + 1))
	as_id "$A" show "$id" >"$R/show.$n"
	as_id "$A" show "$id" --json >"$R/show.$n.json"
	as_id "$A" cat "$id" stdout >"$R/cat.$n.out" 2>"$R/cat.$n.err"
	as_id "$A" cat "$id" stderr >>"$R/cat.$n.out" 2>>"$R/cat.$n.err"
	as_id "$A" diff "$id" --json >"$R/diff.$n.json" 2>"$R/diff.$n.err"
	as_id "$A" verify "$id" >"$R/verify.$n" 2>&1
done < <(jq -r .call "$R/log.json")
expect_eq "every call has a record" 30 "$n"
as_id "$A" export "$(jq -r .call "$R/log.json" | head -n 1)" --to "$R/export" >"$R/export.out" 2>&1
as_id "$A" workflow list --json >"$R/workflows.json" 2>&1
as_id "$A" creds show acme --json >"$R/creds.json" 2>&1
as_id "$A" creds check acme >"$R/check.out" 2>&1
nowhere "what was said" "$R"
nowhere "the state directory" "$AIRLOCK_STATE"

# A held change set is the tool's files, until somebody decides; what is applied is not kept.
held=$AIRLOCK_STATE
AIRLOCK_STATE=$T/held
leased in-a-name 123 -- sh -c "$READ"'; touch "of-$(cat /tmp/token)"; mkdir "$(cat /tmp/token)"'
expect_match "in a name: which is said" "credential token is in the name of a change" "$R/in-a-name.err"
leased in-a-target 123 -- sh -c "$READ"'; ln -s "$(cat /tmp/token)" link'
leased in-an-attributes-name 123 -- sh -c "$READ"'; touch f; setfattr -n "user.$(cat /tmp/token)" -v x f'
expect_eq "a name is counted" "changes token null 1" "$(record '.outcome.leaks[] | "\(.stream) \(.item) \(.form) \(.count)"')"
expect_verb "it is discarded" 0 discard @last
for n in 3 2; do
	expect_verb "and the $n. last" 0 discard "$(call $n)"
done
leased held 0 -m propose -- sh -c "$READ; cp /tmp/token kept"
expect_eq "what is held has it, in its place alone" "${AIRLOCK_STATE#"$T"}/wf/W/draft/L/upper/kept" \
	"$("${SEARCH[@]}" files "${V[@]}" -- "$AIRLOCK_STATE" | sed "s/': .*//; s|.*$T||; s|/wf/[^/]*|/wf/W|; s|draft/[^/]*|draft/L|" | sort -u)"
as_id "$A" apply @last >"$R/apply.out" 2>"$R/apply.err"
nowhere "what is applied is in the workspace" "$AIRLOCK_STATE" "$R"
check "control: there it is" grep -qFf "$T/plant/token" "$WS/kept"
AIRLOCK_STATE=$held

if [ -n "$disk" ]; then
	cp "$T/plant/token" "$disk/written"
	base64 "$T/plant/binary" >"$disk/encoded"
	sync -f "$disk"
	rm "$disk/written" "$disk/encoded"
	leave
	disk=
	expect_eq "the whole disk: what was written as a control and deleted, and no more" \
		"binary, first half, base64+0|token, first half, raw|token, second half, raw|" \
		"$("${SEARCH[@]}" files "${V[@]}" -- "$T/image" | sed "s/^[^:]*: //" | tr '\n' '|')"
else
	skip "the whole disk" "no file system can be made here"
fi
