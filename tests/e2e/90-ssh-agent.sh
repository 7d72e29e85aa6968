#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A leased key that signs: an agent in the sandbox, for that key alone, which stays outside; and git over ssh with it.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

CONFIG=$T/home/.config/airlock
SSHD=/usr/sbin/sshd
mkdir -p "$T/profiles" "$T/keys" "$CONFIG/bundles/acme" "$CONFIG/bundles/none"
for kind in ed25519 ecdsa rsa; do
	ssh-keygen -q -t "$kind" -N '' -C "planted comment" -f "$T/keys/$kind"
done
ssh-keygen -q -t ed25519 -N secret -C '' -f "$T/keys/locked"
printf 'no key' >"$T/keys/text"
printf 'planted-Token-0123456789' >"$T/keys/token"
chmod 600 "$T/keys/text" "$T/keys/token"
cp "$T/keys/ed25519" "$T/keys/two"
cat >"$CONFIG/bundles/acme/bundle.yaml" <<ITEMS
bundle: acme
owner: test
items:
  deploy: { source: file, path: $T/keys/ed25519, deliver: ssh-agent }
  curve: { source: file, path: $T/keys/ecdsa, deliver: ssh-agent, name: CURVE_SOCK, access: read }
  old: { source: file, path: $T/keys/rsa, deliver: ssh-agent, name: OLD_SOCK, access: read }
  same: { source: file, path: $T/keys/two, deliver: ssh-agent }
  file: { source: file, path: $T/keys/text, name: SSH_AUTH_SOCK }
  locked: { source: file, path: $T/keys/locked, deliver: ssh-agent }
  text: { source: file, path: $T/keys/text, deliver: ssh-agent }
  whole: { source: file, path: $T/keys/ed25519 }
  token: { source: file, path: $T/keys/token, deliver: env, access: read }
ITEMS
printf 'bundle: none\nowner: test\nitems:\n  other: { source: file, path: %s }\n' "$T/keys/text" >"$CONFIG/bundles/none/bundle.yaml"
printf 'version: 1\nname: p\ndescription: x\nextends: default\nnetwork: { loopback: true }\ncredentials: [deploy, curve, old, same, file, locked, text, whole, token]\n' \
	>"$T/profiles/p.yaml"
printf 'version: 1\nname: o\ndescription: x\nextends: default\nnetwork: { loopback: true }\ncredentials: [other]\n' >"$T/profiles/o.yaml"
chmod -R go-w "$CONFIG" "$T/profiles"
own "$T/home/.config" "$T/profiles" "$T/keys"
P=(-p "$T/profiles/p.yaml" --bundle acme)
# What must be nowhere but in its file: a line of the armour that is the private half, and that half itself.
NEEDLE=$(sed -n 4p "$T/keys/ed25519")

print_of()
{
	ssh-keygen -lf "$T/keys/$1.pub" | cut -d' ' -f2
}

# agents: the rows of the last call.
agents()
{
	record '.outcome.credentials.agents[] | "\(.item) \(.signatures) \(.refused)"' | tr '\n' '|'
}

# uses: what the keys of the last call were used for.
uses()
{
	record '.outcome.credentials.agents[].uses[] | "\(.kind) \(.what) \(.host_key) \(.count)"' | tr '\n' '|'
}

# ---- what it does ----------------------------------------------------------------------------------------
expect_run "ssh-add lists it" 0 -n "${P[@]}" --grant deploy -- ssh-add -l
expect_eq "and nothing else, by the item's name" "256 $(print_of ed25519) deploy (ED25519)" "$(cat "$OUT")"
expect_eq "the record has the public key" "ssh-agent SSH_AUTH_SOCK false $(print_of ed25519)" \
	"$(record '.planned.credentials[] | "\(.deliver) \(.name) \(.exposed) \(.public_key)"')"
expect_eq "and that it signed nothing" "deploy 0 0|true" "$(agents)$(record .outcome.credentials.revoked)"
# shellcheck disable=SC2016 # the tool's variables
expect_run "its place" 0 -n "${P[@]}" --grant deploy -- \
	sh -c 'echo "$SSH_AUTH_SOCK"; stat -c "%A %n" /run/credentials/*; grep -c " /run/credentials ro,nosuid,nodev,noexec" /proc/self/mountinfo'
expect_eq "is a socket of the tool's own, in what is read-only" \
	"/run/credentials/SSH_AUTH_SOCK|srw------- /run/credentials/SSH_AUTH_SOCK|1|" "$(tr '\n' '|' <"$OUT")"

for item in "deploy ed25519 SSH_AUTH_SOCK" "curve ecdsa CURVE_SOCK" "old rsa OLD_SOCK"; do
	read -r name key variable <<<"$item"
	cp "$T/keys/$key.pub" "$WS/key.pub"
	own "$WS"
	expect_run "$key: signs" 0 -n "${P[@]}" --grant deploy --grant curve --grant old -- \
		sh -c "export SSH_AUTH_SOCK=\$$variable; ssh-add -L | wc -l; ssh-keygen -q -Y sign -f key.pub -n file </etc/hostname"
	expect_eq "$key: is there alone" 1 "$(head -n 1 "$OUT")"
	tail -n +2 "$OUT" >"$T/signature"
	echo "me $(cat "$T/keys/$key.pub")" >"$T/signers"
	expect_run "$key: what was signed" 0 -n -- cat /etc/hostname
	check "$key: ssh-keygen verifies it" ssh-keygen -Y verify -f "$T/signers" -I me -n file -s "$T/signature" <"$OUT"
done
# shellcheck disable=SC2016 # the tool's variable
expect_run "each is counted for itself" 0 -n "${P[@]}" --grant deploy --grant curve -- \
	sh -c 'ssh-add -L >/tmp/k.pub; for i in 1 2 3; do echo $i | ssh-keygen -q -Y sign -f /tmp/k.pub -n file; done >/dev/null'
expect_eq "in the record" "deploy 3 0|curve 0 0|" "$(agents)"
expect_eq "with what it was for" "file file null 3|" "$(uses)"
expect_verb "show" 0 show @last
expect_match "show: what it is" "deploy of bundle acme, a key that signs, its agent in" "$OUT"
expect_match "show: what it did" "deploy signed 3 times, and refused 0 other requests" "$OUT"
expect_match "show: for what" "a signature of a file for file, 3 of them" "$OUT"

# shellcheck disable=SC2016 # the tool's variable
expect_run "what the record has no room to name is not signed" 0 -n "${P[@]}" --grant deploy -- \
	sh -c 'ssh-add -L >/tmp/k.pub; for i in 1 2 3 4 5 6 7 8 9 8 10 1; do echo | ssh-keygen -q -Y sign -f /tmp/k.pub -n n$i >/dev/null 2>&1; printf "$? "; done'
expect_eq "a ninth use is refused, and those before it are not" "0 0 0 0 0 0 0 0 255 0 255 0 " "$(cat "$OUT")"
expect_eq "all that was signed is named" "10 2 file n1 null 2|file n2 null 1|file n3 null 1|file n4 null 1|file n5 null 1|file n6 null 1|file n7 null 1|file n8 null 2|" \
	"$(record '.outcome.credentials.agents[0] | "\(.signatures) \(.refused)"') $(uses)"

# shellcheck disable=SC2016 # the tool's variable
expect_run "nor what has a name that is too long for it" 0 -n "${P[@]}" --grant deploy -- \
	sh -c 'ssh-add -L >/tmp/k.pub; n=$(printf %064d 0); for i in "" 1 2; do echo | ssh-keygen -q -Y sign -f /tmp/k.pub -n "$n$i" >/dev/null 2>&1; printf "$? "; done'
expect_eq "64 bytes have room, and no more" "0 255 255 " "$(cat "$OUT")"
expect_eq "which is named whole" "1 2 file $(printf %064d 0) null 1|" "$(record '.outcome.credentials.agents[0] | "\(.signatures) \(.refused)"') $(uses)"

# A tool has the agent sign under the value of another item: it is in the record, but for its mark.
# shellcheck disable=SC2016 # the tool's variables
expect_run "a value as a namespace" 0 -n "${P[@]}" --grant deploy --grant token -- \
	sh -c 'ssh-add -L >/tmp/k.pub; echo | ssh-keygen -q -Y sign -f /tmp/k.pub -n "a-$TOKEN-$TOKEN" | wc -l'
expect_eq "is signed" 7 "$(cat "$OUT")"
expect_eq "the record has a mark" "file a-[redacted:token]-[redacted:token] null 1|" "$(uses)"
expect_eq "and the leak" "token agent 2" "$(record '.outcome.leaks[] | "\(.item) \(.stream) \(.count)"')"
expect_eq "the value is nowhere in the state directory" "" "$(grep -rlF planted-Token "$AIRLOCK_STATE" 2>/dev/null)"

cat >"$WS/ask.sh" <<'TOOL'
export SSH_ASKPASS=/bin/true SSH_ASKPASS_REQUIRE=force
cd /tmp && ssh-keygen -q -t ed25519 -N '' -f own && ssh-add -L >key.pub
ssh-add own || echo "add $?"
ssh-add -D || echo "remove all $?"
ssh-add -d key.pub || echo "remove $?"
ssh-add -x || echo "lock $?"
ssh-add -X || echo "unlock $?"
ssh-add -s /usr/lib/none.so || echo "token $?"
mv own away
echo | ssh-keygen -Y sign -f own.pub -n file || echo "another key"
ssh-add -L | cmp - key.pub && echo "still there"
TOOL
own "$WS"
expect_run "what else it is asked" 0 -n "${P[@]}" --grant deploy -- sh ask.sh
expect_eq "it refuses" "add 1|remove all 1|remove 1|lock 1|unlock 1|token 1|another key|still there|" "$(tr '\n' '|' <"$OUT")"
expect_eq "which the record says" "deploy 0" "$(agents | cut -d' ' -f1,2)"
check "with how often" test "$(record '.outcome.credentials.agents[0].refused')" -ge 7

# ---- who has it ------------------------------------------------------------------------------------------
# shellcheck disable=SC2016 # the tool's variable
expect_run "without --grant of it" 0 -n "${P[@]}" --grant curve -- sh -c 'ls /run/credentials; echo "${SSH_AUTH_SOCK-none}"'
expect_eq "there is none" "CURVE_SOCK|none|" "$(tr '\n' '|' <"$OUT")"
expect_verb "a workflow" 0 workflow new has --bundle acme
expect_verb "and another" 0 workflow new has-not --bundle none
expect_run "the one has it" 0 -n -p "$T/profiles/p.yaml" -W has --grant deploy -- ssh-add -l
expect_run "the other has no agent" 2 -n -p "$T/profiles/o.yaml" -W has-not -- ssh-add -l
expect_match "which ssh-add says" "Could not open a connection to your authentication agent" "$ERR"
SSH_AUTH_SOCK=$T/callers expect_run "nor the caller's" 2 -n -p "$T/profiles/o.yaml" -W has-not -- ssh-add -l
expect_run "observe" 125 -m observe "${P[@]}" --grant deploy -- true
expect_match "is given a key that writes to nobody" "--grant deploy: the call only observes, and its access is write" "$ERR"
expect_run "but one that reads" 0 -m observe "${P[@]}" --grant curve -- true

while IFS='|' read -r name grants reason; do
	# shellcheck disable=SC2086 # words
	expect_run "$name" 125 -n "${P[@]}" $grants -- touch ran
	expect_match "$name: why" "$reason" "$ERR"
	expect_eq "$name: a record" "denied" "$(record .outcome.verdict)"
	expect_no_match "$name: nothing of it is said" "$NEEDLE" "$ERR"
done <<ROWS
a passphrase|--grant locked|locked of bundle acme: its key has a passphrase, and nobody can be asked for it
no key|--grant text|text of bundle acme: it is no private key of SSH, or a damaged one
two of one variable|--grant deploy --grant same|credentials deploy and same of bundle acme have the same name inside, SSH_AUTH_SOCK
a file of its name|--grant deploy --grant file|credentials deploy and file of bundle acme have the same name inside, SSH_AUTH_SOCK
ROWS

# ---- where it is not -------------------------------------------------------------------------------------
# Root looks at what a call has, from outside: files, environments, memory. airlock-credd is outside, and the front has what
# the output scan needs.
cat >"$T/look.py" <<'LOOK'
import base64, os, re, sys
tool, key = int(sys.argv[1]), sys.argv[2]
text = open(key, "rb").read()
bytes_ = base64.b64decode(b"".join(text.splitlines()[1:-1]))
half = bytes_.rindex(b"\0\0\0\x40") + 4
seed = bytes_[half:half + 32]
line = text.splitlines()[3]
inside = os.stat(f"/proc/{tool}/ns/pid").st_ino
def is_inside(p):
    try:
        return os.stat(f"/proc/{p}/ns/pid").st_ino == inside
    except OSError:
        return False  # it has ended meanwhile
pids = [p for p in os.listdir("/proc") if p.isdigit() and is_inside(p)]
found = []
def look(where, data):
    if seed in data or line in data:
        found.append(where)
for p in pids:
    for f in ("environ", "cmdline"):
        look(f"{p}/{f}", open(f"/proc/{p}/{f}", "rb").read())
    with open(f"/proc/{p}/mem", "rb", 0) as mem:
        for m in open(f"/proc/{p}/maps"):
            lo, hi, mode = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", m).groups()
            if mode[0] == "r" and "[v" not in m:
                mem.seek(int(lo, 16))
                try:
                    look(f"{p}/mem {m.strip()}", mem.read(int(hi, 16) - int(lo, 16)))
                except OSError:
                    pass
for top in ("run", "tmp", "home", "etc", "dev/shm"):
    for d, _, files in os.walk(f"/proc/{tool}/root/{top}"):
        for f in files:
            try:
                if os.path.isfile(os.path.join(d, f)):
                    look(os.path.join(d, f), open(os.path.join(d, f), "rb").read())
            except OSError:
                pass
print(f"{len(pids)} processes, found {len(found)}: {found}")
LOOK
# A client of the agent's that is there when the call ends, and the way to its socket.
cat >"$T/ask.py" <<'ASK'
import os, socket, sys
tool = int(sys.argv[1])
way = os.open(f"/proc/{tool}/root/run/credentials/SSH_AUTH_SOCK", os.O_PATH)
def ask():
    s = socket.socket(socket.AF_UNIX)
    s.connect(f"/proc/self/fd/{way}")
    s.sendall(b"\0\0\0\1\x0b")
    return s
s = ask()
print("answered", s.recv(1000)[4])
sys.stdout.flush()
print("then", len(s.recv(1000)))
try:
    print("and", ask())
except ConnectionRefusedError:
    print("and nobody is there")
ASK
if [ "$(id -u)" = 0 ]; then
	start_airlock "${P[@]}" --grant deploy -- sh -c 'ssh-add -l; exec sleep 100'
	check "a call that stays" wait_for 20 bg_says deploy
	expect_eq "the key is nowhere in the sandbox" "2 processes, found 0: []" \
		"$(/usr/bin/python3 "$T/look.py" "$(tool_pid)" "$T/keys/ed25519" 2>&1)"
	/usr/bin/python3 "$T/ask.py" "$(tool_pid)" >"$T/asked" 2>&1 &
	asker=$!
	check "its agent answers" wait_for 20 grep -q 'answered 12' "$T/asked"
	credd=/proc/$(pgrep -P "$PID" -x airlock-credd)
	expect_eq "airlock-credd has a list of its own, and no file" "2" "$(awk '/^Seccomp:/ { print $2 }' "$credd/status")"
	expect_eq "nor one that it could write, or a core" "0 0 0 0" \
		"$(awk '/^Max file size/ { f = $4 " " $5 } /^Max core/ { c = $5 " " $6 } END { print f, c }' "$credd/limits")"
	as_id kill -TERM "$PID" 2>/dev/null || kill -TERM "$PID"
	wait "$PID"
	wait "$asker"
	expect_eq "and ends with the call" "answered 12|then 0|and nobody is there|" "$(tr '\n' '|' <"$T/asked")"
	expect_eq "revoked then" true "$(record .outcome.credentials.revoked)"
	# shellcheck disable=SC2016 # the tool's variable
	start_airlock "${P[@]}" --grant whole -- sh -c 'k=$(cat /run/credentials/whole); echo "${#k}"; sleep 100'
	check "control: a call with the key as a file" wait_for 20 grep -q . "$T/.bg.out"
	expect_match "control: is seen to have it, there and in memory" "/root/run/credentials/whole'" \
		<(/usr/bin/python3 "$T/look.py" "$(tool_pid)" "$T/keys/ed25519" 2>&1 | grep '/mem ')
	as_id kill -TERM "$PID" 2>/dev/null || kill -TERM "$PID"
	wait "$PID"
fi
expect_eq "control: it is in its file" "$T/keys/ed25519" "$(grep -rlF -- "$NEEDLE" "$T/keys" | sort | head -n 1)"
expect_eq "and nowhere in the state directory" "" "$(grep -rlF -- "$NEEDLE" "$AIRLOCK_STATE" 2>/dev/null)"
cp "$T/keys/ed25519" "$WS/copy"
own "$WS"
expect_run "a tool that came by it some other way" 0 -n "${P[@]}" --grant deploy -- cat copy
expect_eq "passes a mark" "[redacted:deploy]" "$(cat "$OUT")"
expect_eq "and the record has it" "deploy raw" "$(record '.outcome.leaks[] | "\(.item) \(.form)"')"
rm "$WS/copy"

# ---- sealed ----------------------------------------------------------------------------------------------
expect_verb "an identity" 0 creds init
expect_verb "a bundle of its own" 0 creds init sealed
expect_verb "a key is sealed" 0 creds add sealed deploy --file "$T/keys/ecdsa" --deliver ssh-agent
expect_verb "one with a passphrase is not" 125 creds add sealed locked --file "$T/keys/locked" --deliver ssh-agent
expect_match "which is said" "its key has a passphrase" "$ERR"
expect_verb "nor what is none, by a rotation" 125 creds rotate sealed deploy --file "$T/keys/text"
expect_match "which is said too" "it is no private key of SSH" "$ERR"
expect_verb "check opens it" 0 creds check sealed
expect_match "and finds a key" "ok  sealed/deploy: sealed, version 1" "$OUT"
expect_verb "check of what is no key" 1 creds check acme
expect_match "names the one with a passphrase" "bad acme/locked: $T/keys/locked: its key has a passphrase" "$OUT"
expect_match "and the other one" "bad acme/text: $T/keys/text: it is no private key of SSH" "$OUT"
expect_match "a key of a file is right" "ok  acme/old: file $T/keys/rsa" "$OUT"
expect_run "a call has it" 0 -n -p "$T/profiles/p.yaml" --bundle sealed --grant deploy -- ssh-add -l
expect_eq "as any other" "256 $(print_of ecdsa) deploy (ECDSA)" "$(cat "$OUT")"

# ---- git, over ssh, to a server outside ------------------------------------------------------------------
if [ ! -x "$SSHD" ]; then
	not_ok "git over ssh" "there is no $SSHD"
	exit 0
fi
SERVER=$T/server
mkdir "$SERVER"
git init -q --bare -b main "$SERVER/repo.git"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$SERVER/host"
cp "$T/keys/ed25519.pub" "$SERVER/authorized"
cat >"$SERVER/config" <<SSHD
HostKey $SERVER/host
AuthorizedKeysFile $SERVER/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile none
SSHD
[ "$(id -u)" != 0 ] || chown -R "$E2E_USER": "$SERVER"
echo "[127.0.0.1]:2022 $(cut -d' ' -f1,2 "$SERVER/host.pub")" >"$WS/known"
cat >"$WS/git.sh" <<'TOOL'
export GIT_SSH_COMMAND="ssh -o BatchMode=yes -o UserKnownHostsFile=$PWD/known"
until (exec 3<>/dev/tcp/127.0.0.1/2022) 2>/dev/null; do sleep 0.02; done
cd /tmp && git clone -q "$1" work && cd work || exit 9
echo "$2" >file && git add file
git -c user.name=t -c user.email=t@example.org commit -qm "$2" && git push -q origin HEAD:main || exit 8
echo pushed
TOOL
own "$WS"
URL=ssh://$E2E_USER@127.0.0.1:2022$SERVER/repo.git

# git_call TEXT ARG…: a call that pushes a commit of that text to the server outside. Sets STATUS.
git_call()
{
	local text=$1
	shift

	start_airlock -n -p "$T/profiles/p.yaml" "$@" -- bash git.sh "$URL" "$text"
	# sshd is the plain user's, and logs him in
	listen_in_call 2022 each "${E2E_BECOME[@]}" "$SSHD" -i -e -f "$SERVER/config"
	expect_eq "$text: a server is there" 0 $?
	wait "$PID"
	STATUS=$?
	stop_listening
}

# pushed: what the server has.
pushed()
{
	"${E2E_BECOME[@]}" git -C "$SERVER/repo.git" log --format=%s main 2>/dev/null | tr '\n' '|'
}

git_call first --bundle acme --grant deploy
expect_eq "git clones and pushes" "0 pushed" "$STATUS $(cat "$T/.bg.out")"
expect_eq "and the commit is there" "first|" "$(pushed)"
expect_eq "signed once for each, by the key" "deploy 2 0|" "$(agents)"
expect_eq "in to whom, and at which server" "login $E2E_USER $(ssh-keygen -lf "$SERVER/host.pub" | cut -d' ' -f2) 2|" "$(uses)"
git_call second --bundle acme --grant old
expect_eq "a key that the server does not know" 9 "$STATUS"
expect_match "is refused by it" "Permission denied (publickey)" "$T/.bg.err"
git_call third --bundle acme --grant curve
expect_eq "and without a grant of the agent" "9 null" "$STATUS $(record '[.planned.credentials[] | select(.item == "deploy")][0]')"
expect_match "it is refused as well" "Permission denied (publickey)" "$T/.bg.err"
expect_eq "nothing was pushed" "first|" "$(pushed)"
git_call fourth --bundle acme --grant deploy
expect_eq "control: with it, it goes on" "0 fourth|first|" "$STATUS $(pushed)"
