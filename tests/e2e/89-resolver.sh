#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Credentials of a resolver: a program that is asked for them, in a sandbox of its own, and told when the call has ended.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

NAME=e2e-$$-$E2E_IDENTITY
CONFIG=$T/home/.config/airlock
if [ "$E2E_IDENTITY" = root ]; then
	# What a tool of root's leaves behind would be root's: root gives it to a user, in whose workspace he becomes that user.
	CONFIG=$E2E_USER_HOME/.config/airlock
	as_user mkdir -p "$CONFIG/bundles" "$CONFIG/profiles"
	trap 'rm -rf "$CONFIG/bundles/$NAME" "$CONFIG/profiles/$NAME.yaml"' EXIT
	chmod 711 "$T"
	export AIRLOCK_STATE=$T/state-owner
	mkdir "$AIRLOCK_STATE"
	chown -R "$E2E_USER": "$AIRLOCK_STATE" "$WS"
fi

# theirs PATH...: belongs to who runs the tool.
theirs()
{
	[ "$(id -u)" != 0 ] || chown -hR "$E2E_USER": -- "$@"
}

# bundle MORE: the item gh of the resolver, with these keys more.
bundle()
{
	mkdir -p "$CONFIG/bundles/$NAME"
	printf 'bundle: %s\nowner: test\nitems:\n  gh: { source: exec, command: [%s, %s], provider: vault, id: kv/gh, profile: %s%s }\n' \
		"$NAME" "${COMMAND:-$V/resolve}" "$DB" "$NAME" "$1" >"$CONFIG/bundles/$NAME/bundle.yaml"
	chmod -R go-w "$CONFIG/bundles/$NAME"
	theirs "$CONFIG"
}

V=$T/vault
DB=$V/db
mkdir -p "$T/profiles" "$CONFIG/profiles" "$DB/tokens"
cat >"$V/resolve" <<'RESOLVER'
#!/bin/sh
# usage: resolve DB <REQUEST. Tokens are files of DB/tokens, by their leases; DB/how says what else it does.
request=$(cat)
printf '%s\n' "$request" >>"$1/asked"
how=$(cat "$1/how")
text()
{
	printf '%s' "$request" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}
lease=$(text lease)
case $request in
*'"revoke":["kv/gh"]'*)
	[ "$how" != stuck ] || read -r _ <"$1/gate"
	fail=$(cat "$1/fail")
	if [ "$fail" -gt 0 ]; then
		echo $((fail - 1)) >"$1/fail"
		echo '{"protocolVersion":1,"errors":{"kv/gh":{"code":"UNAVAILABLE"}}}'
		exit
	fi
	[ ! -f "$1/tokens/$lease" ] || [ "$(text handle)" = "handle of $lease" ] || [ "$how" != ok ] || exit 4
	rm -f "$1/tokens/$lease"
	echo '{"protocolVersion":1,"revoked":["kv/gh"]}'
	[ "$how" != broken ] || exit 3
	exit
	;;
esac
token=t0ken-$(tr -dc a-z </dev/urandom | head -c 20)
printf '%s' "$token" >"$1/tokens/${lease:-none}"
answer='{"protocolVersion":1,"values":{"kv/gh":"'$token'"},"handle":"handle of '$lease'"}'
case $how in
ok | broken | stuck) echo "$answer" ;;
verbatim)
	# one that knows nothing else
	[ "$request" = '{"ids":["kv/gh"],"protocolVersion":1,"provider":"vault"}' ] || exit 5
	printf '{ "values": { "other": "x", "kv/gh": "%s" },\n  "protocolVersion": 1, "more": [] }' "$token"
	;;
expires)
	date -u -d "$(cat "$1/expires")" +%Y-%m-%dT%H:%M:%SZ >"$1/ends"
	echo '{"protocolVersion":1,"values":{"kv/gh":"'"$token"'"},"expiresAt":"'"$(cat "$1/ends")"'"}'
	;;
error) echo '{"protocolVersion":1,"errors":{"kv/gh":{"code":"NOT_FOUND","message":"'"$token"'"}}}' ;;
both) echo '{"protocolVersion":1,"values":{"kv/gh":"'"$token"'"},"errors":{"kv/gh":{"code":"WARN"}}}' ;;
slow | silent) exec sleep 100 ;;
much) head -c 1100000 /dev/zero | tr '\0' ' '; echo "$answer" ;;
full) head -c 1000000 /dev/zero | tr '\0' ' '; echo "$answer" ;;
junk) echo "$answer}" ;;
version) echo '{"protocolVersion":2,"values":{"kv/gh":"'"$token"'"}}' ;;
text) echo '{"protocolVersion":"1","values":{"kv/gh":"'"$token"'"}}' ;;
number) echo '{"protocolVersion":1,"values":{"kv/gh":17}}' ;;
twice) echo '{"protocolVersion":1,"values":{"kv/gh":"'"$token"'","kv/gh":"x"}}' ;;
none) echo '{"protocolVersion":1,"values":{}}' ;;
empty) echo '{"protocolVersion":1,"values":{"kv/gh":""}}' ;;
told) echo '{"protocolVersion":1,"values":{"kv/gh":"'"$token"'"},"handle":"of '"$token"'"}' ;;
failed) echo "$answer"; exit 3 ;;
nothing) ;;
esac
RESOLVER
chmod 755 "$V/resolve"
mkfifo "$DB/gate" # whoever reads it waits
theirs "$V"
printf 'version: 1\nname: %s\nextends: base\nmode: apply\neffects: [read, write-workspace, write-external]\nfilesystem: { read: [/usr, /bin, /lib, /lib64, %s], write: [%s] }\nenvironment: { set: { PATH: /usr/bin:/bin } }\nallow_degraded: [cgroup, landlock]\n' \
	"$NAME" "$V/resolve" "$DB" >"$CONFIG/profiles/$NAME.yaml"
printf 'version: 1\nname: p\ndescription: x\nextends: default\ncredentials: [gh]\n' >"$T/profiles/p.yaml"
theirs "$T/profiles" "$CONFIG"
P=$T/profiles/p.yaml
TOKEN=/run/credentials/gh

# how WORD [FAIL]: what the resolver does from here on, and how often it fails to revoke. It begins anew.
how()
{
	rm -rf "$DB/tokens" "$DB/asked"
	mkdir "$DB/tokens"
	echo "$1" >"$DB/how"
	echo "${2:-0}" >"$DB/fail"
	: >"$DB/asked"
	theirs "$V"
}

# Turned, a value passes the output scan.
TURN="tr '!-~' 'P-~!-O'"
turned()
{
	tr '!-~' 'P-~!-O'
}

alive()
{
	find "$DB/tokens" -type f | wc -l
}

owed()
{
	find "$AIRLOCK_STATE/leases" -type f 2>/dev/null | wc -l
}

# verb NAME RC VERB ARG...: expect_verb of a verb that only the owner of the state directory may use. WITH: started so.
WITH=()
verb()
{
	local E2E_AS_ID=("${E2E_AS_ID[@]}")

	[ "$E2E_IDENTITY" != root ] || E2E_AS_ID=("${E2E_AS_USER[@]}")
	E2E_AS_ID+=("${WITH[@]}")
	expect_verb "$@"
}

# resolved JQ: of the call that got what the last one was leased.
resolved()
{
	record "$1" "$(record '.planned.credentials[0].resolver')"
}

# ---- one that can end what it gave ------------------------------------------------------------------
bundle ", revocable: true"
how ok
expect_run "it runs" 0 -p "$P" --bundle "$NAME" -- sh -c "$TURN <$TOKEN; ls -l $DB/tokens >/dev/null 2>&1 || echo"
given=$(turned <"$OUT" | tr -d '\n ')
expect_eq "the tool had a token" "t0ken-" "${given:0:6}"
expect_eq "which is dead" "0 0" "$(alive) $(owed)"
L=$(record .planned.call)
expect_eq "it was asked as the protocol says, and told the name of the lease" \
	'{"ids":["kv/gh"],"lease":"'"$L.gh"'","protocolVersion":1,"provider":"vault"}' "$(head -n 1 "$DB/asked")"
expect_eq "and when the call had ended, with its own handle" \
	'{"handle":"handle of '"$L.gh"'","lease":"'"$L.gh"'","protocolVersion":1,"provider":"vault","revoke":["kv/gh"]}' "$(tail -n +2 "$DB/asked")"
expect_eq "the record says so" "exec true gh revoked" \
	"$(record '"\(.planned.credentials[0].source) \(.outcome.credentials.revoked) \(.outcome.credentials.upstream[0] | "\(.item) \(.state)")"')"
expect_eq "the resolver's call names the call that it served" "$L ok $NAME $V/resolve" \
	"$(resolved '"\(.planned.serves) \(.outcome.verdict) \(.planned.profile.name) \(.planned.argv[0])"')"
expect_eq "its answer is nowhere: not even its length" "0 0 2" \
	"$(resolved '"\(.outcome.stdout.bytes) \(.outcome.stdout.kept)"') $(as_id "$A" log --json | jq -r .call | while read -r c; do record .planned.serves "$c"; done | grep -cx "$L")"
check "control: the value is in the output of the call, turned" grep -qF "$(printf '%s' "$given" | turned)" "$OUT"
expect_verb "show" 0 show "$L"
expect_match "show: whom it came from" "gh of bundle $NAME, the file gh; write, exec" "$OUT"
expect_match "show: its end" "revoked when the call had ended" "$OUT"
expect_match "show: the resolver's own" "gh: its resolver has revoked it" "$OUT"
expect_verb "show of the resolver's call" 0 show "$(record '.planned.credentials[0].resolver' "$L")"
expect_match "says whom it serves" "for a credential of call $L" "$OUT"

# While the call runs the token lives: the control of all the rest.
start_airlock -p "$P" --bundle "$NAME" -- sh -c 'echo up; exec sleep 100'
check "a call that stays" wait_for 20 bg_says up
expect_eq "its token lives, and what is owed is written down" "1 1" "$(alive) $(owed)"
expect_eq "with the handle, and no value" "1 0" \
	"$(cat "$AIRLOCK_STATE"/leases/* | grep -c '"handle":"handle of') $(cat "$AIRLOCK_STATE"/leases/* | grep -cF -f "$(find "$DB/tokens" -type f)")"
verb "recover leaves alone what is in use" 0 recover
expect_eq "and says so" "|airlock: the lease of credential gh by call $(record .planned.call) is in use: its call runs, or somebody has it revoked just now" \
	"$(cat "$OUT")|$(cat "$ERR")"
expect_eq "it lives on" "1 1" "$(alive) $(owed)"
verb "creds revoke" 0 creds revoke "$NAME" gh
wait "$PID"
expect_eq "ends the call, and the token" "interrupted revoked 0 0" \
	"$(record '"\(.outcome.verdict) \(.outcome.credentials.upstream[0].state)"') $(alive) $(owed)"
bundle ", revocable: true"

verb "a workflow" 0 workflow new "$NAME" --bundle "$NAME"
how ok
start_airlock -p "$P" -W "$NAME" -- sh -c 'echo up; exec sleep 100'
check "a call of it that stays" wait_for 20 bg_says up
expect_eq "its token lives" 1 "$(alive)"
verb "airlock stop" 0 stop --all --reason test
wait "$PID"
expect_eq "ends it and the token, while no call is let in" "interrupted revoked 0 0" \
	"$(record '"\(.outcome.verdict) \(.outcome.credentials.upstream[0].state)"' "$(as_id "$A" log --workflow "$NAME" -n 1 --json | jq -r .call)") $(alive) $(owed)"
expect_run "control: none is" 125 -p "$P" --bundle "$NAME" -- true
verb "released" 0 stop --release
# The button is pressed, and again, while the resolver is at it: it goes on, and nobody waits for it.
how stuck
start_airlock -p "$P" -W "$NAME" -- sh -c 'echo up; exec sleep 100'
check "a call whose resolver takes its time" wait_for 20 bg_says up
as_id kill -TERM "$PID" 2>/dev/null || kill -TERM "$PID"
check "is asked to end the token" wait_for 20 grep -q '"revoke":' "$DB/asked"
verb "stopped" 0 stop --all --reason test
wait "$PID"
verb "and again" 0 stop --all
expect_eq "the token lives, and the record says so" "1 1 pending" \
	"$(alive) $(owed) $(record '.outcome.credentials.upstream[0].state' "$(as_id "$A" log --workflow "$NAME" -n 1 --json | jq -r .call)")"
timeout 20 sh -c 'echo >"$1"' sh "$DB/gate"
none_lives()
{
	[ "$(alive) $(owed)" = "0 0" ]
}
check "its resolver ends it all the same" wait_for 20 none_lives
verb "released again" 0 stop --release
how ok
start_airlock -p "$P" -W "$NAME" -- sh -c 'echo up; exec sleep 100'
check "another" wait_for 20 bg_says up
verb "workflow stop" 0 workflow stop "$NAME"
wait "$PID"
expect_eq "ends it and the token" "0 0" "$(alive) $(owed)"

# ---- what is not to be had: a record, nothing runs, and nothing is left ---------------------------------
while IFS='|' read -r name word reason; do
	how "$word"
	expect_run "$name" 125 -p "$P" --bundle "$NAME" -- touch ran
	expect_match "$name: why" "$reason" "$ERR"
	expect_eq "$name: a record, without the value" "denied 0" \
		"$(record '.outcome.verdict') $(record . | grep -c t0ken-)"
	case $word in
	error) expect_eq "$name: there is nothing to revoke" "none 0 1" "$(record '.outcome.credentials.upstream[0].state') $(owed) $(wc -l <"$DB/asked")" ;;
	slow | failed | much | junk | nothing) expect_eq "$name: whatever it gave without telling is to be revoked" "0 1" "$(owed) $(grep -c '"revoke"' "$DB/asked")" ;;
	told) expect_eq "$name: revoked without it" "0 0" "$(owed) $(grep -c '"handle"' "$DB/asked")" ;;
	esac
done <<'ROWS'
an error|error|gh of bundle
an error: its code|error|it answered with the error NOT_FOUND
a resolver that has an error and a value|both|it answered with the error WARN
one that is slow|slow|its resolver took longer than it may (call
one that says too much|much|its resolver answered with more than 1024 KiB
no JSON|junk|its answer is no JSON object
another version|version|its answer is not of protocolVersion 1
a version that is a text|text|its answer is not of protocolVersion 1
a value that is no text|number|its answer has no value for the id
a value twice|twice|its answer's values are not one for each id
no value|none|its answer has no value for the id
an empty value|empty|its value has 0 bytes; from 1 to 65536 may be
a handle that has the value|told|its answer's handle has the value in it
a status that is none|failed|its resolver ended with status 3 (call
nothing at all|nothing|its answer is no JSON object
ROWS
check "nothing ran" test ! -e "$WS/ran"
how full
expect_run "control: as much as may be" 0 -p "$P" --bundle "$NAME" -- sh -c "test -s $TOKEN"
how expires
echo '-1 hour' >"$DB/expires"
expect_run "a value that has ended" 125 -p "$P" --bundle "$NAME" -- touch ran
expect_match "which is said" "its resolver's value has ended (expiresAt)" "$ERR"
echo '+100 seconds' >"$DB/expires"
expect_run "one that ends" 0 -p "$P" --bundle "$NAME" -- true
expect_eq "bounds the lease" "$(date -d "$(cat "$DB/ends")" +%s)000 true" "$(record '"\(.planned.credentials[0].expires) \(.planned.limits.wall <= 100000)"')"

# ---- programs that are not started ---------------------------------------------------------------------
how ok
ln -s "$V/resolve" "$V/link"
ln -s "$V" "$T/linked"
cp "$V/resolve" "$V/open"
chmod 775 "$V/open"
cp "$V/resolve" "$V/data"
chmod 644 "$V/data"
theirs "$V" "$T/linked"
while IFS='|' read -r name command reason; do
	COMMAND=$command bundle ", revocable: true"
	expect_run "$name" 125 -p "$P" --bundle "$NAME" -- touch ran
	expect_match "$name: why" "$reason" "$ERR"
	expect_eq "$name: a record" "denied 0 0" "$(record .outcome.verdict) $(owed) $(wc -l <"$DB/asked")"
done <<ROWS
a link|$V/link|$V/link is a link, or reached through one
reached through one|$T/linked/resolve|$T/linked/resolve is a link, or reached through one
writable by others|$V/open|$V/open is writable by others (mode 0775)
no program|$V/data|$V/data is no program
not there|$V/gone|$V/gone: No such file or directory
what the profile does not show|/etc/passwd|is no program
ROWS
COMMAND=$V/open bundle ""
verb "creds check" 1 creds check "$NAME"
expect_match "says so, too" "$V/open is writable by others" "$OUT"
bundle ", revocable: true"
verb "control: creds check" 0 creds check "$NAME"
mv "$CONFIG/profiles/$NAME.yaml" "$T/kept.yaml"
expect_run "a profile that is not there" 125 -p "$P" --bundle "$NAME" -- touch ran
expect_match "which is said" "its resolver did not do its work: " "$ERR"
expect_eq "nothing can have been given: nothing is owed" "none 0 true" \
	"$(record '.outcome.credentials.upstream[0].state') $(owed) $(record .outcome.credentials.revoked)"
sed 's/^limits.*//; $a limits: { memory: 900TiB }' "$T/kept.yaml" >"$CONFIG/profiles/$NAME.yaml"
theirs "$CONFIG"
expect_run "a sandbox that cannot be made" 125 -p "$P" --bundle "$NAME" -- touch ran
expect_eq "the same" "none 0" "$(record '.outcome.credentials.upstream[0].state') $(owed)"
mv "$T/kept.yaml" "$CONFIG/profiles/$NAME.yaml"
expect_eq "nobody was asked" "0 0" "$(wc -l <"$DB/asked") $(alive)"

# ---- one that knows the protocol alone -----------------------------------------------------------------
bundle ""
how verbatim
expect_run "it works as it is" 0 -p "$P" --bundle "$NAME" -- sh -c "$TURN <$TOKEN"
expect_eq "its token" "$(cat "$DB/tokens/none")" "$(turned <"$OUT")"
expect_eq "is not revoked, nor is anything owed" "none 0 1" "$(record '.outcome.credentials.upstream[0].state') $(owed) $(wc -l <"$DB/asked")"

# ---- revoked later -----------------------------------------------------------------------------------
bundle ", revocable: true"
how ok 3
expect_run "the resolver cannot revoke" 0 -p "$P" --bundle "$NAME" -- true
expect_eq "the record: pending, and the values were gone in time" "pending true true" \
	"$(record '"\(.outcome.credentials.upstream[0].state) \(.outcome.credentials.revoked) \(.outcome.credentials.revoked_us < 1000000)"')"
L=$(record .planned.call)
expect_eq "it is owed" "1 1 1" "$(alive) $(owed) $(grep -c UNAVAILABLE "$AIRLOCK_STATE/leases/$L.gh")"
expect_run "a later call does not wait for it, nor try it again at once" 0 -- true
expect_eq "it is still owed" "1 2" "$(alive) $(cat "$DB/fail")"
for n in 1 2; do
	verb "recover, the ${n}. time" 1 recover
	expect_match "tells, the ${n}. time" "the lease of credential gh of bundle $NAME by call $L is still to be recovered: it answered with the error UNAVAILABLE" "$ERR"
done
verb "recover, the 3. time" 0 recover
expect_match "tells, the 3. time" "the lease of credential gh of bundle $NAME by call $L is revoked" "$ERR"
expect_eq "it is revoked" "0 0" "$(alive) $(owed)"
verb "once more" 0 recover
expect_eq "there is nothing" "nothing to recover" "$(cat "$OUT")"
as_id ln -s nowhere "$AIRLOCK_STATE/leases/$L.gh"
verb "one that cannot be opened" 1 recover
expect_eq "is no nothing" "|airlock: the lease of credential gh by call $L is still to be recovered: $AIRLOCK_STATE/leases/$L.gh: Too many levels of symbolic links" \
	"$(cat "$OUT")|$(cat "$ERR")"
rm "$AIRLOCK_STATE/leases/$L.gh"

how broken
expect_run "one that says it is revoked, and fails" 0 -p "$P" --bundle "$NAME" -- true
expect_eq "is not believed" "pending 1" "$(record '.outcome.credentials.upstream[0].state') $(owed)"
WITH=(env --ignore-signal=CHLD)
verb "recover, of a caller that ignores the end of its children" 1 recover
expect_match "does not believe it either" "is still to be recovered: its resolver ended with status 3 (call " "$ERR"
how ok
verb "control: it does where that resolver succeeds" 0 recover
expect_eq "control: nothing is owed" 0 "$(owed)"
WITH=()

# In passing: a later call has it done, behind its answer.
how ok 1
expect_run "one that fails once" 0 -p "$P" --bundle "$NAME" -- true
sed -i 's/"tried":[0-9]*/"tried":1/' "$AIRLOCK_STATE"/leases/*
theirs "$AIRLOCK_STATE"
expect_run "a later call" 0 -- true
is_paid()
{
	[ "$(owed)" = 0 ]
}
check "has it revoked" wait_for 20 is_paid
expect_eq "the token is dead" 0 "$(alive)"

# ---- who dies ----------------------------------------------------------------------------------------
# The front: nobody is left who would revoke.
how ok
start_airlock -p "$P" --bundle "$NAME" -- sh -c 'echo up; exec sleep 100'
check "a call that is cut short" wait_for 20 bg_says up
kill -KILL "$PID"
wait "$PID" 2>/dev/null
expect_eq "its token lives" "1 1" "$(alive) $(owed)"
is_recovered()
{
	verb "" 0 recover >/dev/null && is_paid
}
check "recover, once its holder is dead, has it revoked" wait_for 20 is_recovered
expect_eq "the token of a call that was cut short is dead" 0 "$(alive)"
# While the resolver is asked: it may have given something, and has not said so.
how silent
start_airlock -p "$P" --bundle "$NAME" -- touch ran
is_asked()
{
	[ "$(alive)" = 1 ]
}
check "a resolver that has made a token and says nothing" wait_for 20 is_asked
kill -KILL "$PID"
wait "$PID" 2>/dev/null
expect_eq "it is owed" "1 1" "$(alive) $(owed)"
check "recover revokes what nobody was told of" wait_for 20 is_recovered
expect_eq "the token is dead" 0 "$(alive)"
check "nothing ran" test ! -e "$WS/ran"

# ---- who is told to end while a resolver revokes -------------------------------------------------------------
# served: how the calls ended that served call $L, in their order.
served()
{
	as_id "$A" log --json | jq -r .call | sort | while read -r c; do
		record '.planned.serves + " " + .outcome.verdict' "$c"
	done | sed -n "s/^$L //p" | tr '\n' ' '
}

how stuck
start_airlock -p "$P" --bundle "$NAME" -- true
is_revoking()
{
	grep -q '"revoke"' "$DB/asked"
}
check "a resolver that does not end what it gave" wait_for 20 is_revoking
kill -TERM "$PID"
wait "$PID"
expect_eq "the call is interrupted, as any that is told to end before it committed" "125 interrupted true pending" \
	"$? $(record '"\(.outcome.verdict) \(.outcome.credentials.revoked) \(.outcome.credentials.upstream[0].state)"')"
L=$(record .planned.call)
expect_eq "the lease is owed" "1 1" "$(alive) $(owed)"
expect_eq "it was not waited for: its resolver is at it" "ok  " "$(served)"
is_over()
{
	[[ "$(served)" == "ok timeout "* ]]
}
check "until its own limit" wait_for 20 is_over
echo ok >"$DB/how"
theirs "$V"
check "recover has it revoked" wait_for 20 is_recovered
expect_eq "the token is dead" 0 "$(alive)"

# ---- root's own workspace: the resolver is nobody in particular --------------------------------------------
if [ "$E2E_IDENTITY" = root ]; then
	mkdir -p "$T/home/.config/airlock/bundles/mine" "$T/roots/profiles" "$T/roots/ws"
	cat >"$V/static" <<'RESOLVER'
#!/bin/sh
cat >/dev/null
id >&2
echo '{"protocolVersion":1,"values":{"kv/gh":"t0ken-of-roots"}}'
RESOLVER
	chmod 755 "$V" "$V/static"
	chown root: "$V/static"
	printf 'version: 1\nname: mine\nextends: base\nfilesystem: { read: [/usr, /bin, /lib, /lib64, %s] }\nenvironment: { set: { PATH: /usr/bin:/bin } }\nallow_degraded: [cgroup, landlock]\n' \
		"$V/static" >"$T/roots/profiles/mine.yaml"
	cp "$T/profiles/p.yaml" "$T/roots/profiles/p.yaml"
	printf 'bundle: mine\nitems:\n  gh: { source: exec, command: [%s], provider: vault, id: kv/gh, profile: mine }\n' \
		"$V/static" >"$T/home/.config/airlock/bundles/mine/bundle.yaml"
	theirs_state=$AIRLOCK_STATE
	export AIRLOCK_STATE=$T/state-root
	as_id env AIRLOCK_PROFILES="$T/roots/profiles" "$A" run -w "$T/roots/ws" -p p --bundle mine -- sh -c "$TURN <$TOKEN" >"$OUT" 2>"$ERR"
	expect_eq "it has the value" "0 t0ken-of-roots " "$? $(turned <"$OUT") $(cat "$ERR")"
	as_id "$A" cat "$(record '.planned.credentials[0].resolver')" stderr >"$OUT"
	expect_eq "from one without power" "1 0" "$(grep -c 'uid=' "$OUT") $(grep -c 'uid=0' "$OUT")"
	expect_eq "no token is in root's state directory" "" "$(grep -rlaF t0ken- "$AIRLOCK_STATE")"
	export AIRLOCK_STATE=$theirs_state
fi

# ---- what --serves is not for ----------------------------------------------------------------------------
expect_run "no call" 125 --serves x -- true
expect_match "which is said" "--serves x: wants the whole id of a call" "$ERR"
expect_run "no pipe" 125 --serves "$L" -- true
expect_match "which is said" "--serves: stdout is no pipe" "$ERR"
while read -r -a with; do
	expect_run "with ${with[*]}" 125 --serves "$L" "${with[@]}" -- true
	expect_match "with ${with[*]}: which is said" "--serves does not go with --key, --tty, --over, --input, --workflow, --mode, --bundle, --grant and --credential-fd" "$ERR"
done <<ROWS
-k k
--bundle $NAME
--grant gh
--credential-fd gh=9
ROWS
as_id "$A" run -w "$AIRLOCK_STATE/served" --profile "$P" -- true >"$OUT" 2>"$ERR"
expect_eq "the workspace of resolvers is nobody else's" "125 1" "$? $(grep -c 'lies in the state directory' "$ERR")"

# serves ARG…: by hand, what airlock starts by itself; it says what came of it, and what was said of that.
serves()
{
	as_id "$A" run -q "$@" </dev/null 2>"$ERR" | cat >"$OUT"
	echo "${PIPESTATUS[0]} $(cat "$OUT")"
}

how ok
expect_eq "a call that serves another is leased nothing, whatever its profile lists" "0 none" \
	"$(serves -w "$WS" --serves "$L" -p "$P" -- sh -c "cat $TOKEN 2>/dev/null || echo none")"
expect_eq "its record says so" "$L [] null 0" "$(record '"\(.planned.serves) \(.planned.credentials) \(.outcome.credentials)"' "$(call 1)") $(wc -l <"$DB/asked")"

# ---- a lease ends all the same while no call is let in -----------------------------------------------------
how ok 1
expect_run "a resolver that cannot revoke" 0 -p "$P" --bundle "$NAME" -- true
L=$(record .planned.call)
expect_eq "the lease is owed" "1 1" "$(alive) $(owed)"
served=(-w "$AIRLOCK_STATE/served" --serves "$L")
# let_in NAME WHY: who is refused, and that the resolver itself is not.
let_in()
{
	expect_eq "$1: another command" "125 " "$(serves "${served[@]}" -p "$NAME" -- /bin/true)"
	expect_match "$1: which is said" "$2" "$ERR"
	expect_eq "$1: a part of it" "125 " "$(serves "${served[@]}" -p "$NAME" -- "$V/resolve")"
	expect_eq "$1: more than it" "125 " "$(serves "${served[@]}" -p "$NAME" -- "$V/resolve" "$DB" x)"
	expect_eq "$1: another argument" "125 " "$(serves "${served[@]}" -p "$NAME" -- "$V/resolve" "$DB/")"
	expect_eq "$1: another profile" "125 " "$(serves "${served[@]}" -p "$P" -- "$V/resolve" "$DB")"
	expect_eq "$1: another workspace" "125 " "$(serves -w "$WS" --serves "$L" -p "$NAME" -- "$V/resolve" "$DB")"
	expect_eq "$1: for another call" "125 " "$(serves -w "$AIRLOCK_STATE/served" --serves "$OTHER" -p "$NAME" -- "$V/resolve" "$DB")"
	expect_eq "$1: nobody was asked meanwhile" 2 "$(wc -l <"$DB/asked")"
	expect_eq "$1: control: what is owed to" 0 "$(serves "${served[@]}" -p "$NAME" -- "$V/resolve" "$DB" | cut -d' ' -f1)"
	rm -f "$DB/tokens/none"
	verb "$1: recover" 0 recover
	expect_match "$1: has it revoked" "the lease of credential gh of bundle $NAME by call $L is revoked" "$ERR"
	expect_eq "$1: the token is dead" "0 0" "$(alive) $(owed)"
	expect_eq "$1: and then it is as any other" "125 " "$(serves "${served[@]}" -p "$NAME" -- "$V/resolve" "$DB")"
}

OTHER=$(record '.planned.credentials[0].resolver')
verb "stopped" 0 stop --all --reason test
let_in "stopped" "stopped by uid"
verb "released" 0 stop --release

# full: the state directory has reached its quota.
full()
{
	echo "4096 4096" >"$AIRLOCK_STATE/quota"
	theirs "$AIRLOCK_STATE"
}

how ok 1
expect_run "another" 0 -p "$P" --bundle "$NAME" -- true
L=$(record .planned.call)
served=(-w "$AIRLOCK_STATE/served" --serves "$L")
full
let_in "at its quota" "has reached its quota"
verb "no quota" 0 gc --quota none
how ok
start_airlock -p "$P" --bundle "$NAME" -- sh -c 'echo up; exec sleep 100'
check "a call that stays" wait_for 20 bg_says up
full
kill -TERM "$PID"
wait "$PID"
expect_eq "when its state directory is full, its token ends with it" "interrupted revoked 0 0" \
	"$(record '"\(.outcome.verdict) \(.outcome.credentials.upstream[0].state)"') $(alive) $(owed)"
expect_run "control: no other call begins" 125 -p "$P" --bundle "$NAME" -- true
verb "no quota" 0 gc --quota none

# ---- nowhere else ------------------------------------------------------------------------------------------
as_id "$LOG" --wait --state "$AIRLOCK_STATE" >/dev/null 2>&1
expect_eq "no token is in the state directory" "" "$(grep -rlaF -e t0ken- -e "$(printf t0ken- | base64 | cut -c 1-8)" "$AIRLOCK_STATE")"
echo "t0ken-" >"$T/control"
expect_eq "control: it would be found" "$T/control" "$(grep -rlaF t0ken- "$T/control")"
