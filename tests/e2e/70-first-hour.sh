#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A developer's first hour: everyday projects under the profile `default`, with nothing configured. Each job is done
# as its user would do it, and what it leaves in the workspace is compared; docs/first-hour.md tells the same.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

settled()
{
	record '.outcome | "\(.verdict) \(.settled)"'
}

# in_ws CMD…: outside of any sandbox, as the identity, in the workspace.
in_ws()
{
	(cd "$WS" && as_id "$@")
}

# ---- a Python project: a virtual environment, pytest, a server of the tests on 127.0.0.1 -----------------
new_ws python
mkdir "$WS/tests"
cat >"$WS/app.py" <<'PY'
import http.server
import threading


def serve():
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
PY
cat >"$WS/tests/test_app.py" <<'PY'
import sys
import urllib.request

import app


def test_server():
    server = app.serve()
    with urllib.request.urlopen("http://127.0.0.1:%d/app.py" % server.server_port) as answer:
        assert answer.status == 200
    server.shutdown()


def test_environment():
    assert sys.prefix.endswith("/.venv")
PY
own "$WS"
check "python: the environment is made outside" in_ws /usr/bin/python3 -m venv --system-site-packages --without-pip .venv
expect_run "python: pytest" 0 -- .venv/bin/python -m pytest -q
check "python: both tests ran" grep -qE '^2 passed in ' "$OUT"
expect_eq "python: its caches are committed" "ok committed" "$(settled)"
check "python: a cache is there" test -d "$WS/.pytest_cache"
echo 'def test_wrong(): assert 1 == 2' >"$WS/tests/test_wrong.py"
own "$WS/tests"
expect_run "python: a test that fails" 1 -- .venv/bin/python -m pytest -q
check "python: is told" grep -qE '^1 failed, 2 passed in ' "$OUT"
expect_eq "python: and nothing is committed" "failed held" "$(settled)"

# ---- a C project with make -------------------------------------------------------------------------------
new_ws c
printf 'prog: main.o util.o\n\t$(CC) -o $@ $^\ncheck: prog\n\t./prog\nclean:\n\trm -f prog *.o\n' >"$WS/Makefile"
echo 'int util(void); int util(void) { return 42; }' >"$WS/util.c"
printf '#include <stdio.h>\nint util(void);\nint main(void) { printf("%%d\\n", util()); return 0; }\n' >"$WS/main.c"
own "$WS"
expect_run "c: make check" 0 -- make -s check
expect_eq "c: the program ran" 42 "$(cat "$OUT")"
expect_out "c: what was built is committed, and runs outside" 42 "$WS/prog"
expect_run "c: make again builds nothing" 0 -- make prog
expect_eq "c: times are kept" "make: 'prog' is up to date." "$(cat "$OUT")"
expect_run "c: make clean" 0 -- make -s clean
expect_eq "c: clean" "Makefile main.c util.c" "$(cd "$WS" && echo *)"

# ---- git: a rebase and a switch --------------------------------------------------------------------------
new_ws git
in_ws git init -q -b main
in_ws git config user.name Somebody
in_ws git config user.email somebody@example.com
commit()
{
	mkdir -p "$(dirname "$WS/$1")"
	echo "$1" >"$WS/$1"
	own "$WS"
	in_ws git add .
	in_ws git commit -qm "$1"
}
commit one
in_ws git switch -qc topic
commit deep/er/topic
in_ws git switch -q main
commit two
in_ws git switch -q topic
expect_run "git: status is clean" 0 -- git status --short
expect_eq "git: nothing to say" "" "$(cat "$OUT")"
expect_run "git: rebase" 0 -- git rebase -q main
expect_out "git: topic stands on main" "deep/er/topic
two
one" in_ws git log --format=%s topic
expect_eq "git: settled" "ok committed" "$(settled)"
expect_run "git: switch" 0 -- git switch -q main
expect_eq "git: the topic's directory is gone" "one two" "$(cd "$WS" && echo *)"
expect_out "git: and it is clean outside" "" in_ws git status --short
expect_run "git: switch back" 0 -- git switch -q topic
expect_eq "git: it is there again" "deep/er/topic" "$(cat "$WS/deep/er/topic")"
expect_out "git: whole" "" in_ws git fsck --no-dangling
printf 'three\n' >"$WS/three"
own "$WS"
expect_run "git: add and commit" 0 -- sh -c 'git add three && git commit -qm three'
expect_out "git: committed" three in_ws git log -1 --format=%s
