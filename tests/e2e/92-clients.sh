#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real clients with a leased credential: psql with a password file against a PostgreSQL of this test, curl with a token
# file against a server. Both servers are outside, and listen on the lo of the call because the test puts them there.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

CONFIG=$T/home/.config/airlock
FORWARD=$E2E_DIR/payload/forward.py
SERVE=$E2E_DIR/payload/tokens.py
mkdir -p "$T/profiles" "$CONFIG/bundles"

# secret NAME TEXT: a file that is the value of an item.
secret()
{
	printf '%s' "$2" >"$T/$1"
	chmod 600 "$T/$1"
	own "$T/$1"
}

# bundle NAME: its items on standard input.
bundle()
{
	mkdir -p "$CONFIG/bundles/$1"
	{
		printf 'bundle: %s\nowner: test\nitems:\n' "$1"
		cat
	} >"$CONFIG/bundles/$1/bundle.yaml"
	chmod -R go-w "$CONFIG"
	own "$T/home"
}

cat >"$T/profiles/client.yaml" <<'END'
version: 1
name: client
description: x
extends: default
network: { loopback: true }
credentials: [pgpass, header]
environment: { set: { PGPASSFILE: /run/credentials/pgpass } }
END
own "$T/profiles"
P=(-p "$T/profiles/client.yaml")
WAIT='until (exec 3<>/dev/tcp/127.0.0.1/$PORT) 2>/dev/null; do sleep 0.02; done; '

# served PORT HOW COMMAND -- ARG...: a call that finds COMMAND at its 127.0.0.1:PORT; what it says is in $T/.bg.out, RC is its.
served()
{
	local port=$1 how=$2 command=()

	shift 2
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	start_airlock "${P[@]}" "${@:2}"
	listen_in_call "$port" "$how" "${command[@]}"
	wait "$PID"
	RC=$?
	stop_listening
}

# ---- psql --------------------------------------------------------------------------------------------
PG=$(find /usr/lib/postgresql/*/bin -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -n 1)
SERVER='' OUTSIDE='' LENT=()
# shellcheck disable=SC2317 # called by the trap
leave()
{
	[ -z "$SERVER" ] || kill -INT "$SERVER"
	[ -z "$OUTSIDE" ] || kill "$OUTSIDE"
	rm -rf "${LENT[@]}"
	wait
}
trap leave EXIT

# as_super SQL: on the server's own socket
as_super()
{
	as_user env PGPASSWORD=of-the-superuser "$PG/psql" -h "$T/pg" -U super -d postgres -AtXqc "$1"
}

# In a password file : and \ are escaped.
passfile()
{
	printf '127.0.0.1:*:postgres:app:%s\n' "$(printf '%s' "$1" | sed 's/[\\:]/\\&/g')"
}

psql_is_let_in()
{
	local password query

	password='s3cret:"of\app'
	mkdir "$T/pg"
	printf 'of-the-superuser' >"$T/pg-superuser"
	[ "$(id -u)" != 0 ] || chown "$E2E_USER:" "$T/pg" "$T/pg-superuser"
	as_user "$PG/initdb" -D "$T/pg/data" -A scram-sha-256 -U super --pwfile="$T/pg-superuser" --no-sync >"$T/pg.log" 2>&1
	(exec "${E2E_AS_USER[@]}" "$PG/postgres" -D "$T/pg/data" -k "$T/pg" -c listen_addresses= -c fsync=off) >"$T/pg.log" 2>&1 &
	SERVER=$!
	check "a server" wait_for 30 as_super 'select 1'
	as_super "create role app login password '$password'; create table t (n int); insert into t values (41); grant all on t to app"

	secret passfile "$(passfile "$password")"
	bundle db <<ITEMS
  pgpass: { source: file, path: $T/passfile, about: the database of app }
ITEMS
	query="PORT=5432; $WAIT exec '$PG/psql' -w -h 127.0.0.1 -U app -d postgres -AtXc \"update t set n = n + 1 returning current_user || ' ' || n\""
	served 5432 each python3 "$FORWARD" "$T/pg/.s.PGSQL.5432" -- --bundle db -- bash -c "$query"
	expect_eq "psql: the leased password file lets it in" "0 app 42" "$RC $(head -n 1 "$T/.bg.out")"
	expect_eq "it was revoked with the call" "true pgpass file" \
		"$(record '"\(.outcome.credentials.revoked) \(.planned.credentials[0] | "\(.item) \(.deliver)")"')"
	secret passfile "$(passfile "another")"
	served 5432 each python3 "$FORWARD" "$T/pg/.s.PGSQL.5432" -- --bundle db -- bash -c "$query"
	expect_eq "control: another password does not" 2 "$RC"
	expect_match "which psql says" 'password authentication failed for user "app"' "$T/.bg.err"
	# A rotation at both ends: what a tool kept of the old one is worth nothing.
	as_super "alter role app password 'rotated'"
	secret passfile "$(passfile rotated)"
	served 5432 each python3 "$FORWARD" "$T/pg/.s.PGSQL.5432" -- --bundle db -- bash -c "$query"
	expect_eq "the next one is leased as it is then" "0 app 43" "$RC $(head -n 1 "$T/.bg.out")"
	passfile "$password" >"$WS/old"
	chmod 600 "$WS/old"
	own "$WS/old"
	served 5432 each python3 "$FORWARD" "$T/pg/.s.PGSQL.5432" -- --bundle db -- bash -c "export PGPASSFILE=\$PWD/old; $query"
	expect_eq "and what was kept of the old one lets nobody in" 2 "$RC"
}

if [ -n "$PG" ]; then
	psql_is_let_in
else
	skip "psql" "postgresql-15 is not installed (make deps)"
fi

# ---- curl ---------------------------------------------------------------------------------------------
ASK='curl -sS -o /dev/stdout -w "%{http_code}\n" http://127.0.0.1:8080/'
mkdir "$T/tokens"
for w in one two; do
	printf 'tok-of-%s-0123456789' "$w" >"$T/tokens/$w"
	secret "header-$w" "Authorization: Bearer tok-of-$w-0123456789"
	bundle "bundle-$w" <<ITEMS
  header: { source: file, path: $T/header-$w }
ITEMS
	expect_verb "a workflow and its bundle" 0 workflow new "$w" --bundle "bundle-$w"
done
sed -i 's/credentials: .*/credentials: [header]/' "$T/profiles/client.yaml"
for w in one two; do
	served 8080 fd python3 "$SERVE" "$T/tokens" -- -W "$w" -- bash -c "PORT=8080; $WAIT $ASK -H @/run/credentials/header; $ASK"
	expect_eq "curl in workflow $w: the server knows the token of its bundle, and nobody without one" "0 hello $w|200|who?|401|" \
		"$RC $(tr '\n' '|' <"$T/.bg.out")"
done

# ---- a server that revokes ---------------------------------------------------------------------------------
# Its tokens are files, which a resolver makes for one lease each and takes away.
N=e2e-$$-$E2E_IDENTITY
if [ "$E2E_IDENTITY" = root ]; then
	# What a tool of root's leaves behind would be root's: root gives it to a user, in whose workspace he becomes that user.
	CONFIG=$E2E_USER_HOME/.config/airlock
	as_user mkdir -p "$CONFIG/bundles" "$CONFIG/profiles"
	LENT=("$CONFIG/bundles/$N" "$CONFIG/profiles/$N.yaml")
	chmod 711 "$T"
	AIRLOCK_STATE=$T/state-owner
	new_ws
	mkdir "$AIRLOCK_STATE"
fi
mkdir -p "$T/vault/live" "$CONFIG/profiles" "$CONFIG/bundles/$N"
cat >"$T/vault/resolve" <<'RESOLVER'
#!/bin/sh
# usage: resolve DIRECTORY <REQUEST
request=$(cat)
lease=$(printf '%s' "$request" | sed -n 's/.*"lease":"\([^"]*\)".*/\1/p')
case $request in
*'"revoke":['*)
	rm -f "$1/$lease"
	echo '{"protocolVersion":1,"revoked":["api"]}'
	;;
*)
	token=$(head -c 24 /dev/urandom | base64 | tr '+/' 'xy')
	printf '%s' "$token" >"$1/$lease"
	echo '{"protocolVersion":1,"values":{"api":"Authorization: Bearer '"$token"'"}}'
	;;
esac
RESOLVER
chmod 755 "$T/vault/resolve"
printf 'a-token-that-stays' >"$T/vault/live/another"
cat >"$CONFIG/profiles/$N.yaml" <<PROFILE
version: 1
name: $N
extends: base
mode: apply
effects: [read, write-workspace, write-external]
filesystem: { read: [/usr, /bin, /lib, /lib64, $T/vault/resolve], write: [$T/vault/live] }
environment: { set: { PATH: "/usr/bin:/bin" } }
allow_degraded: [cgroup, landlock]
PROFILE
cat >"$CONFIG/bundles/$N/bundle.yaml" <<BUNDLE
bundle: $N
owner: test
items:
  header:
    source: exec
    command: [$T/vault/resolve, $T/vault/live]
    provider: server
    id: api
    profile: $N
    revocable: true
BUNDLE
chmod -R go-w "$CONFIG/bundles/$N" "$CONFIG/profiles"
[ "$(id -u)" != 0 ] || chown -hR "$E2E_USER:" "$T/vault" "$CONFIG" "$WS" "$AIRLOCK_STATE"
python3 "$SERVE" "$T/vault/live" "$T/outside" &
OUTSIDE=$!
# outside TOKEN: what the server says to it out here
outside()
{
	curl -sS --unix-socket "$T/outside" -o /dev/stdout -w '%{http_code}' -H "Authorization: Bearer $1" http://server/ | tr '\n' ' '
}
check "the server, out here" wait_for 20 test -S "$T/outside"
# Turned, a value passes the output scan.
KEEP="sed 's/.*Bearer //' /run/credentials/header | tr '!-~' 'P-~!-O' >kept"
served 8080 fd python3 "$SERVE" "$T/vault/live" -- --bundle "$N" -- bash -c "PORT=8080; $WAIT $ASK -H @/run/credentials/header; $KEEP"
L=$(record '.planned.call + "." + .planned.credentials[0].item')
expect_eq "the server knows the token of this lease" "0 hello $L|200|" "$RC $(tr '\n' '|' <"$T/.bg.out")"
captured=$(tr '!-~' 'P-~!-O' <"$WS/kept")
expect_eq "which the tool has kept" 32 "${#captured}"
expect_eq "it is dead behind the call; another is not" "who? 401 hello another 200" "$(outside "$captured") $(outside a-token-that-stays)"
expect_eq "as the record says" "true number revoked" \
	"$(record '.outcome.credentials | "\(.revoked) \(.revoked_us | type) \(.upstream[0].state)"')"
served 8080 fd python3 "$SERVE" "$T/vault/live" -- --bundle "$N" -- bash -c "PORT=8080; $WAIT
	$ASK -H \"Authorization: Bearer \$(tr '!-~' 'P-~!-O' <kept)\"; $ASK -H @/run/credentials/header"
expect_eq "and in the next call, which has one of its own" "0 who?|401|hello $(record '.planned.call').header|200|" \
	"$RC $(tr '\n' '|' <"$T/.bg.out")"
