#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `airlock creds`: the identity, bundles, sealed values, and that a value stands nowhere but in its age file.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

C=$T/home/.config/airlock
B=$C/bundles/acme
me=$(as_id id -u)
as_id mkdir -p -m 755 "$T/values" # what a person would have at hand
V='pl4nted-"v\al"ue-0123456789'
printf '%s' "$V" >"$T/values/gh"
own "$T/values"

# opened ITEM.VERSION: the payload, by stock age
opened()
{
	as_id age -d -i "$C/identity" "$B/$1.age"
}

# planted VALUE DIR…: the files in which the value stands, raw, reversed, in hex, in base64 at any alignment, JSON-escaped
planted()
{
	python3 - "$@" <<'PY'
import base64, json, os, sys, urllib.parse
v = sys.argv[1].encode()
forms = {v, v[::-1], v.hex().encode(), json.dumps(sys.argv[1])[1:-1].encode(), urllib.parse.quote(sys.argv[1]).encode()}
for shift in range(3):
    text = base64.b64encode(b"\0" * shift + v)
    forms.add(text[4 if shift else 0:len(text) - 4])
found = set()
for top in sys.argv[2:]:
    names = [os.path.join(d, f) for d, _, fs in os.walk(top) for f in fs] if os.path.isdir(top) else [top]
    for name in names:
        with open(name, "rb") as f:
            data = f.read()
        if any(form in data for form in forms):
            found.add(name)
print(" ".join(sorted(found)))
PY
}

# ---- init ------------------------------------------------------------------------------------------------

expect_verb "nothing is there" 0 creds list
expect_eq "and nothing is listed" "" "$(cat "$OUT")"
expect_verb "init makes the identity" 0 creds init
recipient=$(sed -n 's/^the public key, a recipient: //p' "$OUT")
expect_eq "for its owner alone" "600 $me 1" "$(as_id stat -c '%a %u %h' "$C/identity")"
expect_eq "its public key is told" "$(as_id age-keygen -y "$C/identity")" "$recipient"
expect_eq "its secret key is not" "" "$(planted "$(as_id sed -n 's/^AGE-SECRET-KEY-//p' "$C/identity")" "$OUT" "$ERR")"
before=$(as_id cat "$C/identity" | sha)
expect_verb "a second one is refused" 125 creds init
expect_match "and the first is named" "$C/identity is there already, and stays" "$ERR"
expect_eq "and stays" "$before" "$(as_id cat "$C/identity" | sha)"
expect_verb "a bundle for it" 0 creds init acme
expect_eq "it is the same" "$before" "$(as_id cat "$C/identity" | sha)"
expect_match "is its recipient" "  - $recipient" "$B/bundle.yaml"
expect_verb "a bundle that is there" 125 creds init acme
expect_match "stays" "$B is there already, and stays" "$ERR"
expect_verb "no name of a bundle" 125 creds init ../acme
expect_match "is refused" "'../acme' is no name of a bundle" "$ERR"

# ---- add -------------------------------------------------------------------------------------------------

expect_verb "a value from a file" 0 creds add acme gh --file "$T/values/gh" --about 'GH: "x"' --deliver env \
	--access read --not-after 2027-01-01T00:00:00Z --ttl 10m --max-uses 5
expect_eq "stock age opens it, and it says where it belongs" \
	"$(jq -cn --arg v "$V" '{aad: {bundle: "acme", item: "gh", version: 1}, not_after: "2027-01-01T00:00:00Z", value: $v}')" \
	"$(opened gh.1 | jq -c 'del(.id)')"
expect_eq "its members are sorted, and no other" '["aad","id","not_after","value"]' "$(opened gh.1 | jq -c 'keys_unsorted')"
expect_eq "it is for its owner alone" 600 "$(as_id stat -c %a "$B/gh.1.age")"
# shellcheck disable=SC2016 # of sed
expect_eq "the manifest has its block" "  gh:
    about: \"GH: \\\"x\\\"\"
    source: sealed
    version: 1
    deliver: env
    access: read
    not_after: 2027-01-01T00:00:00Z
    ttl: 10m
    max_uses: 5" "$(as_id sed -n '/^  gh:/,$p' "$B/bundle.yaml")"
expect_match "and its comments" "# Who answers for what is in it:" "$B/bundle.yaml"

printf '\0\1\377bin' >"$T/values/bin"
own "$T/values"
as_id "$A" creds add acme bin --fd 7 7<"$T/values/bin" >"$OUT" 2>"$ERR"
expect_eq "a value of any bytes by a descriptor" "0 AAH/Ymlu" "$? $(opened bin.1 | jq -r .value_base64)"
printf 'line\n' | as_id "$A" creds add acme line --fd 0 >"$OUT" 2>"$ERR"
expect_eq "its newline is its own" '0 "line\n"' "$? $(opened line.1 | jq .value)"
expect_match "and said" "the value ends with a newline" "$ERR"

head -c 65536 /dev/zero | tr '\0' '"' >"$T/values/largest"
head -c 65537 /dev/zero | tr '\0' x >"$T/values/larger"
: >"$T/values/empty"
own "$T/values"
expect_verb "the largest value" 0 creds add acme largest --file "$T/values/largest"
expect_eq "is whole" "$(sha <"$T/values/largest")" "$(opened largest.1 | jq -j '.value // (.value_base64 | @base64d)' | sha)"
as_id mkdir "$C/bundles/bare"
as_id sh -c "echo 'bundle: bare' >'$C/bundles/bare/bundle.yaml'"
manifest=$(sha <"$B/bundle.yaml")
files=$(as_id ls "$B")
while IFS='|' read -r name args words; do
	# shellcheck disable=SC2086 # words of a row
	expect_verb "$name" 125 creds add $args
	expect_match "$name: why" "$words" "$ERR"
done <<EOF
one byte more|acme x --file $T/values/larger|a value has from 1 to 65536 bytes, and this has more
no byte|acme x --file $T/values/empty|a value has from 1 to 65536 bytes, and this has none
an item that is there|acme gh --file $T/values/gh|bundle acme has an item gh
no name of an item|acme Gh --file $T/values/gh|'Gh' is no name of an item
no such bundle|acne gh --file $T/values/gh|no bundle 'acne'; did you mean 'acme'?
no such file|acme x --file $T/values/none|$T/values/none: No such file or directory
two values|acme x --file $T/values/gh --fd 0|--file and --fd: one of them has the value
no terminal|acme x|there is no terminal to ask
no such delivery|acme x --deliver mail|--deliver mail: it takes file, env, fd, ssh-agent or proxy
a variable of the loader|acme x --file $T/values/gh --deliver env --name LD_PRELOAD|LD_PRELOAD is no variable for a credential
a bundle without recipients|bare x --file $T/values/gh|bundles/bare/bundle.yaml has no recipients; write recipients: [age1...]
a time that has passed|acme x --not-after 2020-01-01T00:00:00Z|that has passed
EOF
as_id rm -r "$C/bundles/bare"
expect_eq "who is refused leaves nothing" "$manifest $files" "$(sha <"$B/bundle.yaml") $(as_id ls "$B")"

# A person at a terminal: what is typed is not shown, and the newline is no part of it.
python3 - "$V" "${E2E_AS_ID[@]}" "$A" creds add acme typed >"$OUT" 2>"$ERR" <<'PY'
import os, pty, sys
value, argv = sys.argv[1], sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
seen, sent = b"", False
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    seen += data
    if not sent and b"(not shown, one line): " in seen:
        os.write(fd, value.encode() + b"\n")
        sent = True
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
PY
expect_eq "a terminal is asked" "0 $V" "$? $(opened typed.1 | jq -r .value)"
expect_match "by name" "value of acme/typed (not shown, one line): " "$OUT"
expect_eq "and does not show it" "" "$(planted "$V" "$OUT")"

# ---- list, show ------------------------------------------------------------------------------------------

expect_verb "list" 0 creds list
expect_match "has the bundle" "acme  own  5 items" "$OUT"
expect_match "and the item" 'gh       sealed   env GH        read   until 2027-01-01T00:00:00Z; GH: "x"' "$OUT"
cp "$OUT" "$T/said"
expect_verb "list for programs" 0 creds list --json
expect_eq "says the same" "acme $(sha <"$B/bundle.yaml") gh env GH read 600000 5 1 $recipient" \
	"$(jq -r '[.bundle, .digest, (.items[0] | .item, .deliver, .name, .access, .ttl_ms, .max_uses, .version), .recipients[0]] | join(" ")' "$OUT")"
cat "$OUT" >>"$T/said"
for args in "acme" "acme gh" "acme --json" "acme gh --json"; do
	# shellcheck disable=SC2086 # words
	expect_verb "show $args" 0 creds show $args
	cat "$OUT" >>"$T/said"
done
expect_eq "no value is in any of it" "" "$(planted "$V" "$T/said")"
expect_verb "an item that is not there" 125 creds show acme gx
expect_match "and what is near" "did you mean 'gh'?" "$ERR"

expect_eq "a shell completes its name" "acme a bundle" "$(as_id "$A" complete -- creds show ac | tr '\t' ' ')"

# ---- what is not believed --------------------------------------------------------------------------------

as_id chmod g+w "$B"
expect_verb "a bundle that others may write" 125 creds show acme
expect_match "says what to do" "run: chmod go-w $B" "$ERR"
as_id chmod g-w "$B"
as_id ln -s acme "$C/bundles/link"
expect_verb "a link to a bundle" 125 creds show link
expect_match "is none" "$C/bundles/link is no directory" "$ERR"
as_id rm "$C/bundles/link"
as_id ln "$B/bundle.yaml" "$T/home/second"
expect_verb "a manifest with two names" 125 creds show acme
expect_match "is refused" "bundle.yaml has 2 names (hard links)" "$ERR"
as_id rm "$T/home/second"
as_id sh -c "echo 'colour: red' >>'$B/bundle.yaml'"
expect_verb "an error in a manifest" 125 creds show acme
expect_match "has its place" "$B/bundle.yaml:$(wc -l <"$B/bundle.yaml"):1: error: unknown key 'colour'" "$ERR"
expect_verb "list goes on" 0 creds list
expect_match "and says so" "acme  own  broken $B/bundle.yaml:" "$OUT"
as_id sed -i '/^colour/d' "$B/bundle.yaml"
expect_verb "control" 0 creds show acme
if [ "$E2E_IDENTITY" = root ]; then
	chown "$E2E_USER": "$B/bundle.yaml"
	expect_verb "a manifest of somebody else" 125 creds show acme
	expect_match "is refused" "belongs to uid $(id -u "$E2E_USER"), neither root nor the caller" "$ERR"
	chown 0:0 "$B/bundle.yaml"
fi

# ---- rotate ----------------------------------------------------------------------------------------------

W=r0tated-$V
printf '%s' "$W" >"$T/values/second"
own "$T/values"
as_id sed -i 's/^    version: 1$/    version: 1 # counted up/' "$B/bundle.yaml"
expect_verb "control: all of it is right" 0 creds check
expect_eq "and told, item by item" "ok  acme/gh: sealed, version 1, until 2027-01-01T00:00:00Z" "$(grep acme/gh "$OUT")"
expect_verb "rotate" 0 creds rotate acme gh --file "$T/values/second"
expect_eq "says the version" "acme/gh is version 2 now" "$(cat "$OUT")"
expect_eq "stock age opens the new value, with its place and the item's end" "$(
	jq -cn --arg v "$W" '{aad: {bundle: "acme", item: "gh", version: 2}, not_after: "2027-01-01T00:00:00Z", value: $v}'
)" "$(opened gh.2 | jq -c 'del(.id)')"
check "the old value is gone" test ! -e "$B/gh.1.age"
expect_eq "the manifest's comment stays" "    version: 2 # counted up" "$(as_id grep -A 3 '^  gh:' "$B/bundle.yaml" | grep version)"
expect_verb "with another end" 0 creds rotate acme gh --file "$T/values/gh" --not-after 2028-01-01T00:00:00Z
expect_eq "in both" "2028-01-01T00:00:00Z 2028-01-01T00:00:00Z" \
	"$(opened gh.3 | jq -r .not_after) $(as_id "$A" creds show acme gh --json | jq -r .not_after)"
expect_verb "an item that is not there" 125 creds rotate acme x --file "$T/values/gh"
expect_match "is not made" "bundle acme has no item 'x'" "$ERR"
as_id sed -i 's/^items:/&\n  db: { source: file, path: \/run\/none, access: read } # by hand/' "$B/bundle.yaml"
expect_verb "one whose value is elsewhere" 125 creds rotate acme db --file "$T/values/gh"
expect_match "is not ours to rotate" "acme/db is not sealed: its source is file" "$ERR"
as_id sed -i 's/^    version: 3 #/    version: "3" #/' "$B/bundle.yaml"
expect_verb "a version in quotes" 0 creds rotate acme gh --file "$T/values/gh"
expect_eq "stays in quotes" '    version: "4" # counted up' "$(as_id grep 'version: "' "$B/bundle.yaml")"

# Readers beside a writer: each finds one version, whole.
(
	for i in 5 6 7 8 9 10 11 12; do
		as_id "$A" creds rotate acme gh --file "$T/values/gh" || echo "rotation to $i failed"
	done
) >"$T/rotations" 2>&1 &
rotations=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
	as_id "$A" creds check acme | grep 'acme/gh\|acme:'
done >"$T/seen" 2>&1
wait "$rotations"
expect_eq "eight rotations" "8 acme/gh is version 12 now" "$(wc -l <"$T/rotations") $(tail -n 1 "$T/rotations")"
expect_eq "and beside them no reader found anything else" "12 " \
	"$(wc -l <"$T/seen") $(grep -vE '^ok  acme/gh: sealed, version ([4-9]|1[0-2]), until 2028-01-01T00:00:00Z$' "$T/seen")"
as_id sed -i '/^  db:/d' "$B/bundle.yaml"

# ---- a program that fails is not believed -----------------------------------------------------------------

# ignoring VERB ARG…: the verb, of a caller that ignores the end of its children: nobody is told how they end then.
ignoring()
{
	as_id env --ignore-signal=CHLD --ignore-signal=ALRM "$A" "$@" >"$OUT" 2>"$ERR"
	echo $?
}

# there: the versions of gh that are there, and what the manifest says of it.
there()
{
	echo "$(as_id sh -c 'cd "$1" && echo gh.*' sh "$B") $(as_id sha256sum "$B/bundle.yaml" | cut -c 1-64)"
}

damaged=${recipient%?}$([ "${recipient: -1}" = q ] && echo p || echo q)
as_id sed -i "s/$recipient/$damaged/" "$B/bundle.yaml"
before=$(there)
expect_verb "age refuses the recipient" 125 creds rotate acme gh --file "$T/values/second"
expect_match "which is said" "seal acme/gh: a recipient of the manifest is no public key of age: its checksum is wrong" "$ERR"
expect_eq "and the value stays" "$before" "$(there)"
expect_eq "to whoever ignores the end of children as well" 125 "$(ignoring creds rotate acme gh --file "$T/values/second")"
expect_match "which is said as well" "seal acme/gh: a recipient of the manifest is no public key of age: its checksum is wrong" "$ERR"
expect_eq "and the value stays, too" "$before" "$(there)"
as_id sed -i "s/$damaged/$recipient/" "$B/bundle.yaml"
expect_eq "control: its value opens, for such a caller too" "0 1" "$(ignoring creds check acme) $(grep -c '^ok  acme/gh: sealed, version 12' "$OUT")"
as_id cp "$B/gh.12.age" "$T/values/kept"
as_id sh -c 'head -c 150 "$1" >"$2"' sh "$T/values/kept" "$B/gh.12.age"
expect_eq "one that is damaged does not" "1 1" "$(ignoring creds check acme) $(grep -c '^bad acme/gh: ' "$OUT")"
as_id cp "$T/values/kept" "$B/gh.12.age"
# One that waits for a value, to be looked at: bits 13 and 16 are SIGALRM and SIGCHLD.
mkfifo "$T/never"
exec 7<>"$T/never"
(exec "${E2E_AS_ID[@]}" env --ignore-signal=CHLD --ignore-signal=ALRM --ignore-signal=USR1 "$A" creds rotate acme gh --fd 7 >/dev/null 2>&1) &
waits=$!
# ignored: what of SIGUSR1, SIGALRM, SIGCHLD it ignores, in hex.
ignored()
{
	[ "$(cat "/proc/$waits/comm")" = airlock-cli ] && printf '%x' $((0x$(awk '/^SigIgn:/ { print $2 }' "/proc/$waits/status") & 0x12200))
}
is_told()
{
	[ "$(ignored)" = 200 ]
}
check "it ignores neither their end nor an alarm, and the rest as its caller" wait_for 20 is_told
kill "$waits"
wait "$waits" 2>/dev/null
exec 7<&-
if [ "$(id -u)" = 0 ]; then
	# An age that says that all is well, and does nothing.
	before=$(there)
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m sh -c 'mount --bind /bin/true /usr/bin/age && exec "$@"' sh "${E2E_AS_ID[@]}" "$A" creds rotate acme gh \
		--file "$T/values/second" >"$OUT" 2>"$ERR"
	expect_eq "what seals nothing is no success" 125 $?
	expect_match "which is said" "seal acme/gh: age said that all is well, and wrote nothing" "$ERR"
	expect_eq "and the value stays" "$before" "$(there)"
fi

# ---- revoke ----------------------------------------------------------------------------------------------

expect_verb "revoke" 0 creds revoke acme line
expect_eq "is told" "acme/line is revoked" "$(cat "$OUT")"
expect_eq "and stands in the manifest" "    revoked: true" "$(as_id grep -A 1 '^  line:' "$B/bundle.yaml" | tail -n 1)"
expect_eq "for programs" true "$(as_id "$A" creds show acme line --json | jq .revoked)"
manifest=$(sha <"$B/bundle.yaml")
expect_verb "once more" 0 creds revoke acme line
expect_eq "is no change" "acme/line is revoked already $manifest" "$(cat "$OUT") $(sha <"$B/bundle.yaml")"
expect_verb "a revoked one has no further value" 125 creds rotate acme line --file "$T/values/gh"
expect_match "and is named with its place" "acme/line is revoked ($B/bundle.yaml:$(grep -n '^  line:' "$B/bundle.yaml" | cut -d: -f1))" "$ERR"
expect_verb "check" 0 creds check
expect_eq "passes it over" "-   acme/line: revoked" "$(grep acme/line "$OUT")"

# ---- check: what was moved, damaged, or is not there -----------------------------------------------------

# by hand, as the page says
printf '{"aad":{"bundle":"acme","item":"hand","version":1},"id":"by hand","value":"s3cr3t"}' |
	as_id age -r "$recipient" -o "$B/hand.1.age"
as_id sed -i 's/^items:/&\n  hand: { source: sealed, version: 1 }/' "$B/bundle.yaml"
expect_verb "an item made by stock age" 0 creds check acme
expect_eq "opens" "ok  acme/hand: sealed, version 1" "$(grep acme/hand "$OUT")"
as_id "$A" creds init beta >/dev/null
printf 'items:\n  hand: { source: sealed, version: 1 }\n  two: { source: sealed, version: 2 }\n' >"$T/items"
as_id sh -c "sed -i '/^items:/d' '$C/bundles/beta/bundle.yaml'; cat >>'$C/bundles/beta/bundle.yaml'" <"$T/items"

# bad NAME WORDS: check acme says so of acme/hand, and exits 1
bad()
{
	expect_verb "$1" 1 creds check acme
	expect_eq "$1: why" "bad acme/hand: $2" "$(grep acme/hand "$OUT")"
}
F=$B/hand.1.age
as_id cp -p "$F" "$T/home/kept"
as_id cp "$B/gh.12.age" "$F"
bad "a value of another item" "$F: it was made for another item, not for acme/hand version 1"
as_id cp "$T/home/kept" "$C/bundles/beta/hand.1.age"
printf '{"aad":{"bundle":"beta","item":"two","version":1},"id":"i","value":"s3cr3t"}' |
	as_id age -r "$recipient" -o "$C/bundles/beta/two.2.age"
expect_verb "check of another bundle" 1 creds check beta
expect_eq "a value of another bundle, and one of another version" \
	"bad beta/hand: $C/bundles/beta/hand.1.age: it was made for another bundle, not for beta/hand version 1
bad beta/two: $C/bundles/beta/two.2.age: it was made for another version, not for beta/two version 2" "$(cat "$OUT")"
as_id rm -r "$C/bundles/beta"
as_id sh -c "head -c 150 '$T/home/kept' >'$F'"
bad "a file that was cut off" "$F: it is no age file, or damaged"
as_id age-keygen -o "$T/home/other" 2>/dev/null
as_id sh -c "echo x | age -r \$(age-keygen -y '$T/home/other') -o '$F'"
bad "one for somebody else" "$F: it was not encrypted to this identity's recipient"
as_id sh -c "printf s3cr3t | age -r '$recipient' -o '$F'"
bad "one that is no payload" "$F: its payload is not JSON of id, value or value_base64, not_after and aad"
as_id sh -c "printf '%s' '{\"aad\":{\"bundle\":\"acme\",\"item\":\"hand\",\"version\":1},\"id\":\"\",\"value\":\"s\",\"not_after\":\"2020-01-01T00:00:00Z\"}' |
	age -r '$recipient' -o '$F'"
bad "a value that has ended" "$F: its value ended 2020-01-01T00:00:00Z"
as_id rm "$F"
bad "no file" "$F: No such file or directory"
as_id ln -s "$T/home/kept" "$F"
bad "a link" "$F is a link, or reached through one"
as_id rm "$F"
as_id ln "$T/home/kept" "$F"
bad "a file with two names" "$F has 2 names (hard links); make a copy of its own"
as_id rm "$F"
as_id cp "$T/home/kept" "$F"
as_id chmod 666 "$F"
bad "a file that others may write" "$F is writable by others (mode 0666); run: chmod go-w $F"
as_id chmod 644 "$F"
expect_verb "control: others may read it" 0 creds check acme
if [ "$E2E_IDENTITY" = root ]; then
	chown "$E2E_USER": "$F"
	bad "a file of somebody else" \
		"$F belongs to uid $(id -u "$E2E_USER"), neither root nor the caller; run: chown 0 $F"
	chown 0:0 "$F"
	unshare -m sh -c 'mount --bind /dev/null /usr/bin/age && exec "$@"' - "${E2E_AS_ID[@]}" "$A" creds check acme >"$OUT" 2>&1
	expect_eq "without age" "1 bad acme/hand: $F: /usr/bin/age cannot be run: apt-get install age" "$? $(grep acme/hand "$OUT")"
fi
as_id cp "$F" "$B/hand.9.age"
expect_verb "a file of no item" 1 creds check acme
expect_match "is told of" "bad acme: hand.9.age is a file of no item; remove it" "$OUT"
as_id rm "$B/hand.9.age"
as_id mv "$C/identity" "$T/home/identity"
bad "no identity" "no identity: $C/identity is not there; airlock creds init makes it"
as_id mkdir "$T/home/credentials"
as_id cp "$T/home/identity" "$T/home/credentials/airlock-identity"
as_id env CREDENTIALS_DIRECTORY="$T/home/credentials" "$A" creds check acme >"$OUT" 2>&1
expect_eq "one that systemd gives" "0 ok  acme/hand: sealed, version 1" "$? $(grep acme/hand "$OUT")"
as_id mv "$T/home/identity" "$C/identity"
as_id chmod 640 "$C/identity"
bad "an identity that others can read" "$C/identity can be read by others (mode 0640): chmod 0600 it"
as_id chmod 600 "$C/identity"
expect_verb "control: as it was" 0 creds check
cat "$OUT" >>"$T/said"
expect_eq "check tells no value" "" "$(planted "$V" "$T/said")"
expect_verb "no such bundle" 1 creds check acne
expect_match "is told" "bad acne: no bundle 'acne'; did you mean 'acme'?" "$OUT"

# ---- a value stands nowhere else -------------------------------------------------------------------------

if as_id strace -f -o "$T/home/strace" -s 4096 -v -e trace=execve "$A" creds add acme traced --file "$T/values/gh" \
	>"$OUT" 2>"$ERR"; then
	if [ "$E2E_IDENTITY" = plain ]; then
		# the process that becomes age is closed to others of the user, a tracer too
		expect_match "age was started" "execve(0x" "$T/home/strace"
	else
		expect_match "age was started" "execve(\"/usr/bin/age\"" "$T/home/strace"
		expect_match "with nothing of a person's environment" ", [])" <(grep '"/usr/bin/age"' "$T/home/strace")
	fi
	expect_eq "no command line and no environment has the value" "" "$(planted "$V" "$T/home/strace")"
else
	skip "what is executed" "strace does not work here: $(head -n 1 "$ERR")"
fi
# seen FILE WORDS…: the lines of a trace in which one of the words stands, in their order, as those words.
seen()
{
	local file=$1 words
	shift

	words=$(printf '|%s' "$@")
	grep -v 'memfd_secret.* = -1' "$file" | grep -oE "${words#|}" | uniq | paste -sd' '
}
# Memory that the kernel itself does not map, where it has that; else it is locked, and in no dump.
memory()
{
	grep -q 'memfd_secret.* = [0-9]' "$T/home/strace" && echo "memfd_secret MADV_DONTFORK" ||
		echo "mlock MADV_DONTDUMP MADV_DONTFORK"
}
calls=prctl,setrlimit,prlimit64,mlock,memfd_secret,madvise
words=(PR_SET_DUMPABLE RLIMIT_CORE memfd_secret mlock MADV_DONTDUMP MADV_DONTFORK)
if as_id strace -f -o "$T/home/strace" -e trace=$calls,read,openat "$A" creds add acme closed --file "$T/values/gh" >"$OUT" 2>"$ERR"; then
	# of a closed process a tracer of the same user sees no paths
	wanted="PR_SET_DUMPABLE RLIMIT_CORE $(memory)"
	[ "$E2E_IDENTITY" = plain ] || wanted+=" values/gh"
	expect_eq "the process is closed and its memory locked before the value is there" "$wanted" \
		"$(seen "$T/home/strace" "${words[@]}" values/gh | cut -d' ' -f "1-$(wc -w <<<"$wanted")")"
	as_id strace -f -o "$T/home/strace" -e trace=$calls,clone,fork,vfork,execve "$A" creds check acme >"$OUT" 2>"$ERR"
	# from the process that opens the first value on, to the first child of that
	wanted="PR_SET_PDEATHSIG open-sealed PR_SET_DUMPABLE RLIMIT_CORE $(memory) clone"
	expect_eq "and so is the process that opens one" "$wanted" \
		"$(sed -n '/PR_SET_PDEATHSIG/,/DONTFORK/p;/DONTFORK/,/clone/p' "$T/home/strace" |
			seen /dev/stdin PR_SET_PDEATHSIG open-sealed "${words[@]}" clone | cut -d' ' -f "1-$(wc -w <<<"$wanted")")"
else
	skip "what is closed" "strace does not work here: $(head -n 1 "$ERR")"
fi

expect_eq "no file of ours has it" "" "$(planted "$V" "$C" "$T/said" "$OUT" "$ERR")"
check "the state directory has nothing of it" test ! -e "$AIRLOCK_STATE"
expect_eq "control: where it is, it is found" "$T/values/gh $T/values/second" "$(planted "$V" "$T/values")"
opened gh.12 >"$T/payload"
expect_eq "control: escaped" "$T/payload" "$(planted "$V" "$T/payload")"
base64 -w0 <(printf 'x%s' "$V") >"$T/payload"
expect_eq "control: in base64" "$T/payload" "$(planted "$V" "$T/payload")"
