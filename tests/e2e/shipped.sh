# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by 60-shipped-*.sh after lib.sh: what every shipped profile of one tool is asked, with the real program.
# CANARY is a file in the caller's own HOME that holds CANARY_TEXT, PORT one of the host's 127.0.0.1 where a server
# answers every GET with CANARY_TEXT.
CANARY_TEXT='canary: never seen inside'
CANARY=
PORT=
SERVER=

shipped_leave()
{
	rm -f "$CANARY"
	[ -z "$SERVER" ] || kill "$SERVER"
}
trap shipped_leave EXIT

# need PROGRAM…: `make deps` installs them. One that is missing is a failure, not a skip: the profile is untried.
need()
{
	local program

	for program in "$@"; do
		command -v "$program" >/dev/null || not_ok "$program is there" "no such program: make deps"
	done
}

make_canary()
{
	CANARY=$(as_id mktemp "$E2E_HOME/.airlock-canary-XXXXXX")
	echo "$CANARY_TEXT" >"$CANARY"
}

start_server()
{
	python3 - "$T/port" "$CANARY_TEXT" <<-'PY' >"$T/server.log" 2>&1 &
		import http.server, os, sys

		class Answer(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        self.send_response(200)
		        self.end_headers()
		        self.wfile.write(sys.argv[2].encode() + b"\n")

		server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
		with open(sys.argv[1] + ".part", "w") as f:
		    f.write(str(server.server_port))
		os.rename(sys.argv[1] + ".part", sys.argv[1])
		server.serve_forever()
	PY
	SERVER=$!
	wait_for 20 test -s "$T/port"
	PORT=$(cat "$T/port")
}

# expect_only PROFILE CMD…: a program that the profile does not name is no entry command, and does not run.
expect_only()
{
	local profile=$1 before real
	shift

	before=$(journal_entries)
	real=$(realpath "$(command -v "$1")")
	expect_run "$profile: $1 is no entry command" 125 -p "$profile" -- "$@"
	check "$profile: and the message says why" \
		grep -qE "^airlock: (/usr)?/bin/.*: profile $profile runs only what tool.run names" "$ERR"
	expect_eq "$profile: and there is no call ($real)" "$before" "$(journal_entries)"
}

# outside CMD…: as the identity, in the workspace, without airlock: the positive control.
outside()
{
	# shellcheck disable=SC2016 # the inner shell's
	as_id sh -c 'cd "$1" && shift && "$@"' - "$WS" "$@" </dev/null 2>/dev/null
}

# expect_denied PROFILE WHAT RC MESSAGE CMD…: outside, CMD shows CANARY_TEXT on stdout; inside it ends with RC, says
# MESSAGE on stdout or stderr, and shows nothing of it.
expect_denied()
{
	local profile=$1 what=$2 rc=$3 message=$4
	shift 4

	outside "$@" >"$T/.said"
	expect_match "$profile: $what: works outside" "$CANARY_TEXT" "$T/.said"
	expect_run "$profile: $what: exit $rc" "$rc" -p "$profile" -n -- "$@"
	cat "$OUT" "$ERR" >"$T/.said"
	expect_match "$profile: $what: says why" "$message" "$T/.said"
	expect_no_match "$profile: $what: nothing is seen" "$CANARY_TEXT" "$T/.said"
}

# settled: verdict, settling and the counts of the last call.
settled()
{
	record '.outcome | "\(.verdict) \(.settled) \(.changes | "\(.created) \(.modified) \(.deleted) \(.held)")"'
}
