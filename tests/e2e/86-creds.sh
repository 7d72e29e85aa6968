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
a time that has passed|acme x --not-after 2020-01-01T00:00:00Z|that has passed
EOF
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
expect_eq "no file of ours has it" "" "$(planted "$V" "$C" "$T/said" "$OUT" "$ERR")"
check "the state directory has nothing of it" test ! -e "$AIRLOCK_STATE"
expect_eq "control: where it is, it is found" "$T/values/gh" "$(planted "$V" "$T/values")"
opened gh.1 >"$T/payload"
expect_eq "control: escaped" "$T/payload" "$(planted "$V" "$T/payload")"
base64 -w0 <(printf 'x%s' "$V") >"$T/payload"
expect_eq "control: in base64" "$T/payload" "$(planted "$V" "$T/payload")"
