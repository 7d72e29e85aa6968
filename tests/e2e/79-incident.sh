#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root
# docs/incident.md does what it says: a tool that sees a planted secret, tries a connection, writes a git hook, forks
# without end and exits 0; and the page about it answers each question where the table says, within
# 80 columns. Root alone: not every host gives a plain user the control group that counts processes.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# A short home, as people have: lines break where they break on the page.
home=$(mktemp -d /tmp/h-XXXX) || exit 1
trap 'rm -rf "$home"' EXIT
chmod 755 "$home"
own "$home"
as_id env PATH="$(dirname "$A"):/usr/local/bin:/usr/bin:/bin" HOME="$home" COLUMNS=80 \
	python3 -u "$E2E_DIR/page.py" "$E2E_DIR/../../docs/incident.md" -- bash --norc

page=$T/page
as_id "$A" show @last >"$page"
# columns FILE: the widest line, a character of UTF-8 counted once.
columns()
{
	LC_ALL=C tr -d '\200-\277' <"$1" | awk '{ if (length($0) > most) most = length($0) } END { print most + 0 }'
}
expect_eq "no line of the page is wider than 80" 0 "$(($(columns "$page") > 80))"
expect_eq "what to look for first is on the first screen" 1 \
	"$(($(grep -n '^  reached' "$page" | head -n 1 | cut -d: -f1) <= 24))"
expect_eq "all of it is on two screens" 1 "$(($(wc -l <"$page") <= 80))"

# part NAME: the lines of one part of the page.
part()
{
	awk -v name="$1" '/^[A-Z]/ { inside = (index($0, name "  ") == 1); next } inside' "$page"
}
part "LOOK FIRST" >"$T/first"
part SAW >"$T/saw"
part DECIDED >"$T/decided"
part TOUCHED >"$T/touched"
expect_match "saw: the secret, and the line that let it" "/keys/token, by tidy.yaml:8" "$T/saw"
line=$(grep -n 'loopback:' "$E2E_DIR/../../profiles/default.yaml" | cut -d: -f1)
expect_match "decided: no network, and the line" "(default.yaml:$line)" "$T/decided"
expect_match "touched: the copy of the secret" "13 B  .cache" "$T/touched"
expect_match "touched: the connection that it tried" "/dev/tcp/203.0.113.7/443" "$T/touched"
expect_match "first: the hook, and its rule" "held        .git/hooks/pre-commit, built-in: .git/hooks" "$T/first"
expect_match "first: the bomb, and the line of its limit" "denied      limit pids, once, by tidy.yaml:10" "$T/first"
expect_out "the record says the same" "tidy.yaml:8 false default.yaml:$line" \
	record '.planned | "\(.read[0].rule) \(.loopback | not) \(.rules["network.loopback"])"'

# What airlock's own profiles grant is not listed, and a mode that the caller narrowed says so.
new_ws
run_airlock -m observe -- true
expect_out "nothing beyond airlock's own profiles" "0 --mode" record '.planned | "\(.read | length) \(.rules.mode)"'
