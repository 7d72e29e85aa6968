#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Credentials of a bundle: what a call is given, for how long, and where a value never is.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

VALUE='p1anted-Value/+=é"\x'
OTHER='an0ther-planted-value'
BUNDLE=acme
CONFIG=$T/home/.config/airlock

# bundle NAME: its manifest on standard input.
bundle()
{
	mkdir -p "$CONFIG/bundles/$1"
	{
		printf 'bundle: %s\nowner: test\nitems:\n' "$1"
		cat
	} >"$CONFIG/bundles/$1/bundle.yaml"
	chmod -R go-w "$CONFIG/bundles/$1"
	own "$T/home/.config"
}

# profile ITEMS: the profile p lists them.
profile()
{
	printf 'version: 1\nname: p\ndescription: x\nextends: default\ncredentials: [%s]\n' "$1" >"$T/profiles/p.yaml"
}

mkdir -p "$T/profiles"
profile "token, password, pipe"
printf '%s' "$VALUE" >"$T/value"
printf '%s' "$OTHER" >"$T/other"
chmod 600 "$T/value" "$T/other"
own "$T/profiles" "$T/value" "$T/other"
P=$T/profiles/p.yaml
bundle "$BUNDLE" <<ITEMS
  token: { source: file, path: $T/value, name: tok.en, access: read }
  password: { source: file, path: $T/other, deliver: env, name: PASS_WORD, ttl: 30s }
  pipe: { source: file, path: $T/value, deliver: fd, name: PIPE_FD }
ITEMS

# What a tool writes of a value gets a mark in its place (88-leaks.sh); turned, it passes.
TURN="tr '!-~' 'P-~!-O'"
turned()
{
	tr '!-~' 'P-~!-O'
}

# ---- what a call is given ----------------------------------------------------------------------------
# shellcheck disable=SC2016 # the tool's variables
all='cat "$CREDENTIALS_DIRECTORY/tok.en"; echo; echo "$PASS_WORD"; cat <&"$PIPE_FD"; echo; stat -c "%a %s" "$CREDENTIALS_DIRECTORY"/*'
expect_run "it runs" 0 -p "$P" --bundle "$BUNDLE" -- sh -c "{ $all; } | $TURN"
expect_eq "each as its item says" "$VALUE|$OTHER|$VALUE|400 ${#VALUE}|" "$(turned <"$OUT" | tr '\n' '|')"
given=$(record .planned.call)
expect_eq "the record has no value, and says what was given" \
	"password env PASS_WORD write true|pipe fd PIPE_FD write false|token file tok.en read false|" \
	"$(record '.planned.credentials[] | "\(.item) \(.deliver) \(.name) \(.access) \(.exposed)"' | tr '\n' '|')"
expect_eq "two of one value have one fingerprint" "true false" \
	"$(record '[.planned.credentials[].fingerprint] | "\(.[1] == .[2]) \(.[0] == .[1])"')"
expect_eq "revoked when the call had ended" true "$(record .outcome.credentials.revoked)"
expect_eq "a call lasts no longer than its lease" true "$(record '.planned.limits.wall <= 30000')"
expect_match "which a person is told" "the lease of credential password ends then" "$ERR"
expect_verb "show" 0 show "$given"
expect_match "show: an item" "token of bundle $BUNDLE, the file tok.en; read, file" "$OUT"
expect_match "show: its end" "revoked when the call had ended" "$OUT"

# shellcheck disable=SC2016 # the tool's variables
deny='for f in "$CREDENTIALS_DIRECTORY" "$CREDENTIALS_DIRECTORY/tok.en"; do echo x >"$f/new" || echo y >"$f" || rm -f "$f" || mv "$f" /tmp/; done; grep -c " - ramfs none ro" /proc/self/mountinfo; grep -o " ro,nosuid,nodev,noexec" /proc/self/mountinfo | sort -u | wc -l; "$CREDENTIALS_DIRECTORY/tok.en"'
expect_run "nothing of it can be written or run" 126 -p "$P" --bundle "$BUNDLE" -- sh -c "$deny"
expect_eq "the value is not changed" 0 "$(grep -c 'new\|moved' "$OUT")"

expect_run "observe is given what only reads" 0 -m observe -p "$P" --bundle "$BUNDLE" -- \
	sh -c 'ls "$CREDENTIALS_DIRECTORY"; echo "${PASS_WORD-none} ${PIPE_FD-none}"'
expect_eq "and nothing else" "tok.en|none none|" "$(tr '\n' '|' <"$OUT")"
expect_eq "which the record says" "credential password is not given: the call only observes, and its access is write" \
	"$(record '.outcome.warnings[0]')"
expect_run "--grant: that one alone" 0 -p "$P" --bundle "$BUNDLE" --grant token -- \
	sh -c 'ls "$CREDENTIALS_DIRECTORY"; echo "${PASS_WORD-none}"'
expect_eq "and no other" "tok.en|none|" "$(tr '\n' '|' <"$OUT")"
expect_run "--grant twice is once" 0 -p "$P" --bundle "$BUNDLE" --grant token --grant token -- true
expect_eq "and one lease" 1 "$(record '.planned.credentials | length')"
printf 'version: 1\nname: r\ndescription: x\nextends: default\ncredentials: [token, password]\ncapture: { inputs: content }\n' >"$T/profiles/r.yaml"
own "$T/profiles"
expect_run "a call that can be made again" 0 -n -p "$T/profiles/r.yaml" --bundle "$BUNDLE" -- sh -c 'sha256sum </run/credentials/tok.en'
expect_verb "rerun" 0 rerun --json "$(record .planned.call)"
expect_eq "leases what only reads" "same same token" \
	"$(jq -r '[.compared.exit, .compared.stdout] | map(.answer) | join(" ")' "$OUT") $(record '[.planned.credentials[].item] | join(" ")')"
expect_run "without credentials in the profile there is none" 0 --bundle "$BUNDLE" -- \
	sh -c 'ls /run; echo "${CREDENTIALS_DIRECTORY-none}"'
expect_eq "no directory either" "none" "$(cat "$OUT")"
expect_eq "and no lease" "0 null" "$(record '"\(.planned.credentials | length) \(.outcome.credentials)"')"

# A variable of that name that was handed in is not taken for the leased one.
printf 'version: 1\nname: q\ndescription: x\nextends: default\ncredentials: [password]\nenvironment: { set: { PASS_WORD: set } }\n' >"$T/profiles/q.yaml"
own "$T/profiles"
# shellcheck disable=SC2016 # the tool's variables
expect_run "the leased variable wins" 0 -p "$T/profiles/q.yaml" --bundle "$BUNDLE" -- sh -c "{ echo \"\$PASS_WORD\"; env | grep -c ^PASS_WORD=; } | $TURN"
expect_eq "and is there once" "$OTHER|1|" "$(turned <"$OUT" | tr '\n' '|')"

# ---- refusals: a record, and nothing runs --------------------------------------------------------------
while IFS='|' read -r name items manifest args reason; do
	profile "$items"
	bundle "$BUNDLE-2" <<<"$manifest"
	rm -f "$WS/ran"
	# shellcheck disable=SC2086 # words
	expect_run "$name" 125 -p "$P" $args -- touch ran
	expect_match "$name: why" "$reason" "$ERR"
	expect_eq "$name: a record" "denied $reason" "$(record '"\(.outcome.verdict) \(.outcome.reason)"' | cut -c "1-$((7 + ${#reason}))")"
	check "$name: nothing ran" test ! -e "$WS/ran"
done <<ROWS
no bundle|token|  token: { source: file, path: $T/value }||profile p gives the credential token, and the call has no bundle
no such bundle|token|  token: { source: file, path: $T/value }|--bundle nowhere|
not in the profile|token|  token: { source: file, path: $T/value }|--bundle $BUNDLE-2 --grant other|--grant other: profile p does not list it
not in the bundle|token|  other: { source: file, path: $T/value }|--bundle $BUNDLE-2 --grant token|--grant token: bundle $BUNDLE-2 has no such item
not for observe|token|  token: { source: file, path: $T/value }|-m observe --bundle $BUNDLE-2 --grant token|--grant token: the call only observes, and its access is write
revoked|token|  token: { source: file, path: $T/value, revoked: true }|--bundle $BUNDLE-2|credential token of bundle $BUNDLE-2 is revoked
ended|token|  token: { source: file, path: $T/value, not_after: 2020-01-01T00:00:00Z }|--bundle $BUNDLE-2|credential token of bundle $BUNDLE-2 has ended (not_after)
through a proxy|token|  token: { source: file, path: $T/value, deliver: proxy }|--bundle $BUNDLE-2|credential token of bundle $BUNDLE-2: this version has no egress
two of one name|token, two|  token: { source: file, path: $T/value, name: n }, two: { source: file, path: $T/value, name: n }|--bundle $BUNDLE-2|
of nobody's descriptor|token|  token: { source: fd, handle: h }|--bundle $BUNDLE-2|credential token of bundle $BUNDLE-2 comes from a descriptor of the caller
of no service|token|  token: { source: systemd, credential: c }|--bundle $BUNDLE-2|credential token of bundle $BUNDLE-2 is systemd's
ROWS

# ---- where a value comes from --------------------------------------------------------------------------
profile token
bundle "$BUNDLE-2" <<ITEMS
  token: { source: fd, handle: h }
ITEMS
as_id sh -c 'exec 7<"$1"; shift; exec "$@"' sh "$T/other" \
	"$A" run -w "$WS" -p "$P" --bundle "$BUNDLE-2" --credential-fd h=7 -- sh -c "{ cat /run/credentials/token; ls /proc/self/fd | wc -l; } | $TURN" >"$OUT" 2>"$ERR"
expect_eq "a descriptor of the caller's, which the tool does not get" "0 ${OTHER}4" "$? $(turned <"$OUT")"
as_id sh -c 'exec 7<"$1" 8<"$1"; shift; exec "$@"' sh "$T/other" \
	"$A" run -w "$WS" -p "$P" --bundle "$BUNDLE-2" --credential-fd h=7 --credential-fd unused=8 -- true 2>"$ERR"
expect_eq "one that no item wants is left alone" 0 $?
expect_run "one that is not open" 125 -p "$P" --bundle "$BUNDLE-2" --credential-fd h=77 -- true
expect_match "which is said" "--credential-fd h=77: wants NAME=N, N being a descriptor above 2 that airlock was started with" "$ERR"
bundle "$BUNDLE-2" <<ITEMS
  token: { source: systemd, credential: cred }
ITEMS
mkdir "$T/service"
cp -p "$T/other" "$T/service/cred"
own "$T/service"
as_id env CREDENTIALS_DIRECTORY="$T/service" "$A" run -w "$WS" -p "$P" --bundle "$BUNDLE-2" -- sh -c "$TURN </run/credentials/token" >"$OUT" 2>"$ERR"
expect_eq "a credential of the service" "0 $OTHER" "$? $(turned <"$OUT")"

ln -s value "$T/link"
ln "$T/other" "$T/second"
cp "$T/value" "$T/open"
chmod 640 "$T/open"
: >"$T/empty"
head -c 65536 /dev/zero | tr '\0' x >"$T/most"
head -c 65537 /dev/zero | tr '\0' x >"$T/more"
chmod 600 "$T/empty" "$T/most" "$T/more"
own "$T/link" "$T/open" "$T/empty" "$T/most" "$T/more"
printf 'a\0b' >"$T/nul"
chmod 600 "$T/nul"
own "$T/nul"
bundle "$BUNDLE-2" <<ITEMS
  token: { source: file, path: $T/nul, deliver: env }
ITEMS
expect_run "a variable that cannot be" 125 -p "$P" --bundle "$BUNDLE-2" -- touch ran
expect_eq "which is said" "denied token of bundle $BUNDLE-2: it has a NUL byte in it, and is delivered as a variable" \
	"$(record '"\(.outcome.verdict) \(.outcome.reason)"')"
for file in link second open empty more gone; do
	bundle "$BUNDLE-2" <<ITEMS
  token: { source: file, path: $T/$file }
ITEMS
	expect_run "a file that is none: $file" 125 -p "$P" --bundle "$BUNDLE-2" -- touch ran
	expect_eq "it has a record: $file" "denied" "$(record .outcome.verdict)"
done
rm "$T/second"
bundle "$BUNDLE-2" <<ITEMS
  token: { source: file, path: $T/most, max_uses: 2 }
ITEMS
for n in 1 2; do
	expect_run "the longest value, use $n" 0 -p "$P" --bundle "$BUNDLE-2" -- sha256sum /run/credentials/token
	expect_eq "use $n: whole" "$(sha <"$T/most")" "$(cut -c 1-64 "$OUT")"
done
expect_run "max_uses" 125 -p "$P" --bundle "$BUNDLE-2" -- true
expect_match "max_uses: which is said" "credential token of bundle $BUNDLE-2 was leased 2 times, as often as max_uses allows" "$ERR"

# Sealed: opened by the identity of whoever calls, for the place that it was made for.
profile "one, two"
expect_verb "an identity" 0 creds init sealed
printf '%s' "$VALUE" | as_id "$A" creds add sealed one --fd 0 --name a --access read >/dev/null
printf '%s' "$OTHER" | as_id "$A" creds add sealed two --fd 0 --name b --access read >/dev/null
expect_run "two sealed values" 0 -p "$P" --bundle sealed -- sh -c "{ cat /run/credentials/a; echo; cat /run/credentials/b; } | $TURN"
expect_eq "each in its place" "$VALUE|$OTHER" "$(turned <"$OUT" | tr '\n' '|')"
expect_eq "the record has their versions" "1 1 sealed sealed" "$(record '.planned.credentials | "\(.[0].version) \(.[1].version) \(.[0].source) \(.[1].source)"')"
S=$CONFIG/bundles/sealed
cp -p "$S/one.1.age" "$T/one"
cp -p "$S/two.1.age" "$S/one.1.age"
expect_run "one in the other's place" 125 -p "$P" --bundle sealed -- touch ran
expect_match "which is said" "one of bundle sealed: it was made for another item, not for sealed/one version 1" "$ERR"
expect_eq "and has a record, without a fingerprint" "denied null" "$(record '"\(.outcome.verdict) \(.planned.credentials[0].fingerprint)"')"
cp -p "$T/one" "$S/one.1.age"
printf x | dd of="$S/one.1.age" bs=1 seek=300 conv=notrunc status=none
expect_run "a damaged one" 125 -p "$P" --bundle sealed -- touch ran
cp -p "$T/one" "$S/one.1.age"
mv "$CONFIG/identity" "$T/identity"
expect_run "no identity" 125 -p "$P" --bundle sealed -- touch ran
expect_match "which is said" "no identity: " "$ERR"
as_id age-keygen -o "$CONFIG/identity" 2>/dev/null
expect_run "another identity" 125 -p "$P" --bundle sealed -- touch ran
mv "$T/identity" "$CONFIG/identity"
expect_run "control: it was that alone" 0 -p "$P" --bundle sealed -- true
check "nothing ran" test ! -e "$WS/ran"

# A rotation beside 20 calls: each has one of the values, whole, and none fails.
profile one
value_of()
{
	printf 'value-%s-of-one' "$1"
}
rotate()
{
	local n

	for n in 1 2 3 4 5 6 7 8; do
		value_of "$n" | as_id "$A" creds rotate sealed one --fd 0 || echo "rotation $n failed"
	done
}
value_of 0 | as_id "$A" creds rotate sealed one --fd 0 >/dev/null
rotate >"$T/rotations" 2>&1 &
ROTATING=$!
CALLS=()
for n in $(seq 20); do
	as_id "$A" run -n -w "$WS" -m observe -p "$P" --bundle sealed -- sh -c "$TURN </run/credentials/a" >"$T/call.$n" 2>"$T/call.$n.err" &
	CALLS+=($!)
done
failed=0
for pid in "${CALLS[@]}"; do
	wait "$pid" || failed=$((failed + 1))
done
wait "$ROTATING"
expect_eq "rotated beside 20 calls: none fails" "0" "$failed$(cat "$T"/call.*.err)"
expect_eq "no rotation either" 0 "$(grep -c failed "$T/rotations")"
expect_eq "each has one of the values, whole" 20 "$(for n in $(seq 20); do turned <"$T/call.$n"; echo; done | grep -cxE 'value-[0-8]-of-one')"
expect_eq "the last one is what is there" "$(value_of 8)" "$(as_id "$A" run -n -w "$WS" -m observe -p "$P" --bundle sealed -- sh -c "$TURN </run/credentials/a" | turned)"
profile "one, two"

# ---- workflows -------------------------------------------------------------------------------------------
bundle "$BUNDLE-2" <<ITEMS
  token: { source: file, path: $T/other }
ITEMS
profile token
expect_verb "a workflow with a bundle" 0 workflow new one --bundle "$BUNDLE"
expect_verb "and another" 0 workflow new two --bundle "$BUNDLE-2"
expect_verb "no name of a bundle" 125 workflow new three --bundle Not/One
for w in one two; do
	expect_run "one tool in workflow $w" 0 -p "$P" -W "$w" -- sh -c "cat /run/credentials/* | $TURN"
	turned <"$OUT" >"$T/of.$w"
done
expect_eq "gets that of its own" "$VALUE|$OTHER" "$(cat "$T/of.one")|$(cat "$T/of.two")"
expect_run "and never the other's" 125 -p "$P" -W one --bundle "$BUNDLE-2" -- true
expect_match "which is said" "--bundle $BUNDLE-2: workflow one has the bundle $BUNDLE" "$ERR"
expect_eq "show has it" "$BUNDLE" "$(as_id "$A" workflow show one --json | jq -r .bundle)"
expect_run "with a key" 0 -p "$P" -W two -k k -- cat /run/credentials/token
expect_run "another grant is another request" 125 -p "$P" -W two -k k --grant token -- cat /run/credentials/token
expect_match "which is said" "other other options" "$ERR"

# ---- while it runs, and when something dies ----------------------------------------------------------------
# credd: the process of the call in the background.
credd()
{
	pgrep -P "$PID" -x airlock-credd
}

start_airlock -p "$P" -W one -- sh -c 'echo up; cat; exit 3' </dev/null
wait "$PID"
start_airlock -p "$P" -W one -- sh -c 'echo up; exec sleep 100'
check "a call that stays" wait_for 20 bg_says up
C=$(credd)
# Whoever made the user namespace has every capability over what is in it.
if [ "$E2E_IDENTITY" != userns ]; then
	expect_eq "it is no one's to look into" "1 1 1" \
		"$(for f in environ mem maps; do as_user head -c 1 "/proc/$C/$f" >/dev/null 2>&1; echo $?; done | tr '\n' ' ' | sed 's/ $//')"
fi
expect_eq "its command line says nothing" "airlock-credd" "$(tr -d '\0' <"/proc/$C/cmdline")"
expect_eq "no core, and its own filter" "0 2" \
	"$(awk '/core file/ { print $5 }' "/proc/$C/limits") $(awk '/^Seccomp:/ { print $2 }' "/proc/$C/status")"
expect_eq "nothing is open but its socket and /dev/null" "/dev/null /dev/null socket" \
	"$(find "/proc/$C/fd" -mindepth 1 -printf '%l\n' | sed 's/:.*//' | sort | tr '\n' ' ' | sed 's/ $//')"
# As root it is as powerless as the tool, and another one: neither the tool's id nor its own looks into it.
if [ "$E2E_IDENTITY" = root ]; then
	ids=$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$C/status")
	own=${ids%% *}
	theirs=$(awk '/^Uid:/ { print $2 }' "/proc/$(tool_pid)/status")
	expect_eq "as root it has an id of its own, alone" "$own $own $own $own|$own $own $own $own|" \
		"$ids|$(awk '/^Gid:/ { print $2, $3, $4, $5 } /^Groups:/ { print "|" $2 }' "/proc/$C/status" | tr -d '\n')"
	expect_eq "of the range, and not the tool's" "1 1" "$((own >= 65536)) $((own != theirs))"
	expect_eq "and no capability" "0000000000000000" "$(awk '/^Cap(Prm|Eff|Inh|Amb):/ { print $2 }' "/proc/$C/status" | sort -u)"
	for id in "$own" "$theirs"; do
		expect_eq "closed for $([ "$id" = "$own" ] && echo "its own id" || echo "the tool's")" "1 1 1 1" \
			"$(for f in environ mem maps fd/0; do setpriv --reuid="$id" --clear-groups head -c 1 "/proc/$C/$f" >/dev/null 2>&1; echo $?; done | tr '\n' ' ' | sed 's/ $//')"
	done
	expect_rc "nor does the tool's id end it" 1 setpriv --reuid="$theirs" --clear-groups kill -TERM "$C"
fi
as_id kill -KILL "$C" 2>/dev/null || kill -KILL "$C"
wait "$PID"
expect_eq "its end ends the call" "125 interrupted airlock-credd has ended, and the leases with it" \
	"$? $(record '"\(.outcome.verdict) \(.outcome.reason)"')"
expect_eq "a holder that was killed has said nothing" false "$(record .outcome.credentials.revoked)"

# The end of a lease is a moment: it ends a call that is frozen.
bundle "$BUNDLE-2" <<ITEMS
  token: { source: file, path: $T/other, ttl: 2s }
ITEMS
start_airlock -p "$P" -W two -- sh -c 'echo up; exec sleep 100'
check "a call with a short lease" wait_for 20 bg_says up
expect_verb "it is frozen" 0 workflow pause two
timeout 20 tail --pid "$PID" -f /dev/null
expect_eq "until its lease ends" 0 $?
expect_verb "the workflow goes on" 0 workflow resume two
wait "$PID"
expect_eq "without it" "124 wall: a lease of the call ended true" "$? $(record '"\(.outcome.reason) \(.outcome.credentials.revoked)"')"
start_airlock -p "$P" -W one -- sh -c 'echo up; exec sleep 100'
check "a call that is cut short" wait_for 20 bg_says up
C=$(credd)
kill -KILL "$PID"
wait "$PID" 2>/dev/null
check "its holder goes with the front" wait_for 5 test ! -e "/proc/$C"
check "control: and is none of those that stay" test -n "$C"

start_airlock -p "$P" -W one -- sh -c 'echo up; exec sleep 100'
check "a call of a workflow that is stopped" wait_for 20 bg_says up
expect_verb "workflow stop" 0 workflow stop one
wait "$PID"
expect_eq "ends it, and its lease" "interrupted ended by airlock workflow true" \
	"$(record '"\(.outcome.verdict) \(.outcome.reason) \(.outcome.credentials.revoked)"')"

# ---- creds revoke ends who holds it -----------------------------------------------------------------------
bundle held <<ITEMS
  one:
    source: file
    path: $T/value
    access: read
  two:
    source: file
    path: $T/other
  pipe:
    source: fd
    handle: h
ITEMS
profile "one, two, pipe"

# hold NAME ARG...: a call in the background that stays; HELD[NAME] is its front.
declare -A HELD
hold()
{
	local name=$1

	shift
	: >"$T/held.$name"
	(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" -p "$P" --bundle held "$@" -- sh -c 'echo up; exec sleep 100') \
		>"$T/held.$name" 2>"$T/held.$name.err" &
	HELD[$name]=$!
	check "a call that stays: $name" wait_for 20 grep -q up "$T/held.$name"
}

hold other --grant two
hold observer -m observe --grant one
expect_verb "an item that nobody holds" 0 creds revoke held pipe
expect_eq "ends nobody" "held/pipe is revoked" "$(cat "$OUT")"
as_id sed -i '/^  pipe:/,$ { /revoked/d }' "$CONFIG/bundles/held/bundle.yaml"
hold both --grant one --grant two
hold full --grant one
# no file may have any size: as a full disk
expect_eq "a manifest that cannot be written: it fails, and ends who has it all the same" "held/one is not revoked; 3 calls ended|125" \
	"$(as_id sh -c 'ulimit -f 0; trap "" XFSZ; "$0" creds revoke held one 2>/dev/null; echo "|$?"' "$A" | tr -d '\n')"
wait "${HELD[full]}" "${HELD[both]}" "${HELD[observer]}"
hold observer -m observe --grant one
hold both --grant one --grant two
# shellcheck disable=SC2012 # uuids
files=$(ls "$AIRLOCK_STATE/running" | wc -l)
expect_verb "revoke" 0 creds revoke held one
expect_eq "says how many it ended" "held/one is revoked; 2 calls ended" "$(cat "$OUT")"
wait "${HELD[both]}"
expect_eq "a holder: ended" "125 airlock: interrupted: ended by airlock creds revoke" \
	"$? $(grep interrupted "$T/held.both.err")"
expect_eq "its record, and its lease" "interrupted ended by airlock creds revoke true" \
	"$(record '"\(.outcome.verdict) \(.outcome.reason) \(.outcome.credentials.revoked)"')"
wait "${HELD[observer]}"
expect_eq "another" "125 airlock: interrupted: ended by airlock creds revoke" \
	"$? $(grep interrupted "$T/held.observer.err")"
# shellcheck disable=SC2012 # uuids
expect_eq "control: who holds another item goes on" "3 1" "$files $(ls "$AIRLOCK_STATE/running" | wc -l)"
check "its process, too" kill -0 "${HELD[other]}"
expect_run "a new call is refused" 125 -p "$P" --bundle held --grant one -- true
expect_match "which is said" "credential one of bundle held is revoked" "$ERR"
expect_run "control: not with the other" 0 -p "$P" --bundle held --grant two -- true
expect_verb "another bundle's item of that name" 0 creds revoke sealed two
expect_eq "is another item" "sealed/two is revoked" "$(cat "$OUT")"
as_id env AIRLOCK_STATE="$T/no-state" "$A" creds revoke held two >"$OUT" 2>"$ERR"
expect_eq "no state directory: nothing to end" "0 held/two is revoked" "$? $(cat "$OUT" "$ERR")"
check "and none of another one" kill -0 "${HELD[other]}"
expect_verb "once more, of its own" 0 creds revoke held two
expect_eq "it is ended" "held/two is revoked already; 1 call ended" "$(cat "$OUT")"
wait "${HELD[other]}"
expect_eq "with the reason" "125 airlock: interrupted: ended by airlock creds revoke" \
	"$? $(grep interrupted "$T/held.other.err")"

# One that waits for its values was let in and has no record yet.
mkfifo "$T/fifo"
own "$T/fifo"
exec 8<>"$T/fifo"
# shellcheck disable=SC2016 # its own
(exec "${E2E_AS_ID[@]}" sh -c 'exec 7<"$1"; shift; exec "$@"' sh "$T/fifo" \
	"$A" run -w "$WS" -p "$P" --bundle held --grant pipe --credential-fd h=7 -- touch ran 8>&-) >"$OUT" 2>"$T/held.early.err" &
early=$!
check "a call that waits for its value" wait_for 20 grep -qx 'lease held.*pipe' -r "$AIRLOCK_STATE/running"
check "beside its holder" wait_for 20 pgrep -P "$early" -x airlock-credd
expect_verb "revoke before it runs" 0 creds revoke held pipe
expect_eq "it is ended all the same" "held/pipe is revoked; 1 call ended" "$(cat "$OUT")"
wait "$early"
expect_eq "and says why" "125 ended by airlock creds revoke before anything ran" "$? $(grep -o 'ended by.*' "$T/held.early.err")"
check "nothing ran" test ! -e "$WS/ran"
exec 8>&-

# ---- root, in a workspace of another ------------------------------------------------------------------------
# What is started after the drop is the owner's, who can read what it was started with, and keep it waiting.
if [ "$E2E_IDENTITY" = root ]; then
	B=$E2E_USER_HOME/.config/airlock/bundles/e2e-$$
	as_user mkdir -p "$B"
	trap 'rm -rf "$B"' EXIT
	printf 'bundle: e2e-%s\nowner: test\nitems:\n  token: { source: file, path: %s }\n' "$$" "$T/theirs" >"$B/bundle.yaml"
	printf '%s' "$OTHER" >"$T/theirs"
	chmod 600 "$T/theirs"
	mkdir "$T/their-ws" "$T/their-state"
	chmod 711 "$T"
	chown -R "$E2E_USER": "$B" "$T/theirs" "$T/their-ws" "$T/their-state"
	profile token
	as_user flock -x "$B" sh -c 'echo held; exec sleep 100' >"$T/held" &
	wait_for 20 grep -q held "$T/held" || not_ok "the bundle's lock" "is not held"
	ROOT_ONLY=of-root-alone AIRLOCK_STATE=$T/their-state "$A" run -n -w "$T/their-ws" -p "$P" --bundle "e2e-$$" -- test -s /run/credentials/token >"$OUT" 2>"$ERR" &
	PID=$!
	check "the owner keeps it waiting" wait_for 20 pgrep -P "$PID" -f '^airlock-cli lease'
	C=$(pgrep -P "$PID" -f '^airlock-cli lease')
	expect_eq "root's environment is not for him" 0 "$(as_user cat "/proc/$C/environ" 2>/dev/null | grep -c of-root-alone)"
	expect_eq "nor in it" 0 "$(tr '\0' '\n' <"/proc/$C/environ" | grep -c of-root-alone)"
	expect_eq "control: it is in root's own" 1 "$(tr '\0' '\n' <"/proc/$PID/environ" | grep -c of-root-alone)"
	pkill -P "$(pgrep -f "flock -x $B")" sleep
	wait "$PID"
	expect_eq "and then the tool has it" "0 " "$? $(cat "$ERR")"
	rm -rf "$B"
	trap - EXIT
fi

# ---- nowhere else --------------------------------------------------------------------------------------------
as_id "$LOG" --wait --state "$AIRLOCK_STATE" >/dev/null 2>&1
bundle "$BUNDLE-2" <<ITEMS
  token: { source: file, path: $T/value }
  password: { source: file, path: $T/other, deliver: env }
ITEMS
rm -rf "$AIRLOCK_STATE"
profile "token, password"
expect_run "a call that says nothing of them" 0 -p "$P" --bundle "$BUNDLE-2" --result "$T/r.json" -- \
	sh -c 'test -s /run/credentials/token && test -n "$PASSWORD"'
as_id "$A" show @last >"$T/show"
as_id "$A" show @last --json >"$T/show.json"
as_id "$A" log --json >"$T/log.json"
for value in "$VALUE" "$OTHER"; do
	expect_eq "the value is nowhere" "" \
		"$(grep -rlaF -e "$value" -e "$(printf '%s' "$value" | base64)" "$AIRLOCK_STATE" "$T/r.json" "$T/show" "$T/show.json" "$T/log.json")"
done
expect_eq "control: what is sought would be found" "$T/value" "$(grep -laF -e "$VALUE" "$T/value" "$T/show")"
