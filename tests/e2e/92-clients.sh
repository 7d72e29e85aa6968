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
SERVER=
# shellcheck disable=SC2317 # called by the trap
stop_server()
{
	[ -z "$SERVER" ] || kill -INT "$SERVER"
	wait
}
trap stop_server EXIT

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
printf '%s\n' 'tok-of-one-0123456789 one' 'tok-of-two-0123456789 two' >"$T/tokens"
for w in one two; do
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
