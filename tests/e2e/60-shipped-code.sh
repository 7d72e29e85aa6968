#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The shipped profiles shell, python, node and make-gcc, with the real programs. git has a file of its own.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/shipped.sh
. "$(dirname "$0")/shipped.sh"

need bash node make gcc g++ python3 curl
make_canary
start_server
python=/usr/bin/python3

# ---- shell ---------------------------------------------------------------------------------------
printf 'b 2\na 1\nc 3\n' >"$WS/table"
own "$WS"
expect_run "shell: a pipe of programs" 0 -p shell -- bash -c 'sort table | awk "{ s += \$2; print \$1 } END { print s }" | tee sorted | sed 1q'
expect_eq "shell: its answer" "a" "$(cat "$OUT")"
expect_eq "shell: committed" "ok committed 1 0 0 0" "$(settled)"
expect_eq "shell: its file" "a b c 6" "$(tr '\n' ' ' <"$WS/sorted" | sed 's/ $//')"
expect_run "shell: sh, and here documents, traps, jobs" 0 -p shell -- sh -c 'trap "echo bye" EXIT; (sleep 0.01; echo job) & wait; cat <<X
here $((6 * 7))
X'
expect_eq "shell: its answer" "job here 42 bye" "$(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
expect_run "shell: a script that fails" 3 -p shell -- bash -c 'echo x >half; exit 3'
expect_eq "shell: is held" "failed held 1 0 0 0" "$(settled)"
check "shell: and not there" test ! -e "$WS/half"
expect_only shell awk 'BEGIN { print }'
expect_denied shell "a file in HOME" 1 "$CANARY: No such file or directory" sh -c "cat '$CANARY'"
expect_denied shell "the network" 7 "" sh -c "curl -sS http://127.0.0.1:$PORT/"

# ---- python --------------------------------------------------------------------------------------
new_ws python
mkdir "$WS/tests"
cat >"$WS/app.py" <<'PY'
import http.server, json, subprocess, threading, urllib.request


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"path": self.path}).encode())

    def log_message(self, *_):
        pass


def ask(path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}") as answer:
        return json.load(answer)["path"]


def child():
    return subprocess.run(["sort", "-r"], input="a\nb\n", text=True, capture_output=True, check=True).stdout
PY
cat >"$WS/tests/test_app.py" <<'PY'
import multiprocessing, ssl, unittest

import app


def square(n):
    return n * n


class Test(unittest.TestCase):
    def test_server(self):
        self.assertEqual(app.ask("/hello"), "/hello")

    def test_child(self):
        self.assertEqual(app.child(), "b\na\n")

    def test_pool(self):
        with multiprocessing.Pool(4) as pool:
            self.assertEqual(pool.map(square, range(5)), [0, 1, 4, 9, 16])

    def test_certificates(self):
        self.assertGreater(len(ssl.create_default_context().get_ca_certs()), 10)
PY
own "$WS"
expect_run "python: a script" 0 -p python -- python3 -c 'print(6 * 7); open("out", "w").write("x")'
expect_eq "python: its answer and its file" "42 x" "$(cat "$OUT") $(cat "$WS/out")"
expect_run "python: unittest: a server on 127.0.0.1, children, a pool, certificates" 0 -p python -- python3 -m unittest -v tests.test_app
check "python: all four ran" grep -qx 'Ran 4 tests in .*' "$ERR"
expect_run "python: a test that fails" 1 -p python -- python3 -m unittest tests.nothing
# by links, as venv makes it: those are the caller's to make
check "python: a venv of the caller's" as_id $python -m venv --without-pip "$WS/.venv"
expect_run "python: its interpreter is an entry command" 0 -p python -- .venv/bin/python -c 'import sys; print(sys.prefix)'
expect_eq "python: and finds its venv" "$WS/.venv" "$(cat "$OUT")"
expect_run "python: a venv made inside has links out of the workspace" 123 -p python -- python3 -m venv --without-pip env
expect_match "python: which are held" "link out of the workspace" "$ERR"
expect_verb "python: and discarded" 0 discard @last
expect_run "python: --copies has none" 0 -p python -- python3 -m venv --copies env
expect_eq "python: committed" "ok committed" "$(record '.outcome | "\(.verdict) \(.settled)"')"
expect_run "python: its programs run, started by python" 0 -p python -- python3 -c '
import subprocess, sys
subprocess.run(["env/bin/python", "-c", "import sys; print(sys.prefix)"], check=True)
sys.exit(subprocess.run(["env/bin/pip", "--version"], stdout=subprocess.DEVNULL).returncode)'
expect_eq "python: in the venv" "$WS/env" "$(cat "$OUT")"
started=$SECONDS
run_airlock -p python -- python3 -c 'import subprocess, sys; sys.exit(subprocess.run(["env/bin/pip", "install", "requests"]).returncode)'
expect_eq "python: pip install waits for egress" 1 "$RC"
cat "$OUT" "$ERR" >"$T/.said"
expect_match "python: and says why" "Failed to establish a new connection" "$T/.said"
expect_eq "python: at once" yes "$([ $((SECONDS - started)) -lt 15 ] && echo yes)"
expect_only python env true
expect_denied python "a file in HOME" 1 "No such file or directory: '$CANARY'" $python -c "print(open('$CANARY').read())"
expect_denied python "the network" 1 "Connection refused" \
	$python -c "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:$PORT/').read().decode())"
expect_run "python: the environment of a loader is refused" 125 -p python -e PYTHONPATH=/tmp -- python3 -c 1

# ---- node ----------------------------------------------------------------------------------------
new_ws node
mkdir -p "$WS/test" "$WS/node_modules/.bin" "$WS/node_modules/local"
cat >"$WS/package.json" <<'JSON'
{ "name": "app", "version": "1.0.0", "scripts": { "build": "node build.js && localtool", "fail": "exit 4" } }
JSON
cat >"$WS/build.js" <<'JS'
const fs = require("fs");
const { execFileSync, spawnSync } = require("child_process");
fs.mkdirSync("dist", { recursive: true });
const sorted = execFileSync("sort", ["-r"], { input: "a\nb\n" }).toString().trim().split("\n").join(",");
const child = spawnSync(process.execPath, ["-p", "6 * 7"]).stdout.toString().trim();
fs.writeFileSync("dist/out.json", JSON.stringify({ sorted, child }));
JS
cat >"$WS/test/server.js" <<'JS'
const http = require("http");
const { Worker } = require("worker_threads");
const server = http.createServer((q, a) => a.end(q.url)).listen(0, "127.0.0.1", () => {
	http.get({ port: server.address().port, host: "127.0.0.1", path: "/hi" }, (a) => {
		a.on("data", (d) => {
			server.close();
			new Worker("require('worker_threads').parentPort.postMessage(7)", { eval: true }).on("message", (n) => console.log(`${d} ${n}`));
		});
	});
});
JS
printf '#!/usr/bin/env node\nconsole.log("localtool ran");\n' >"$WS/node_modules/.bin/localtool"
chmod 755 "$WS/node_modules/.bin/localtool"
own "$WS"
expect_run "node: files and child processes" 0 -p node -- node build.js
expect_eq "node: committed" "ok committed 2 0 0 0" "$(settled)"
expect_eq "node: its file" '{"sorted":"b,a","child":"42"}' "$(cat "$WS/dist/out.json")"
expect_run "node: a server on 127.0.0.1, and a worker" 0 -p node -- node test/server.js
expect_eq "node: its answer" "/hi 7" "$(cat "$OUT")"
if command -v npm >/dev/null; then
	expect_run "node: npm run" 0 -p node -- npm run --silent build
	expect_eq "node: npm found the local program" "localtool ran" "$(cat "$OUT")"
	expect_run "node: npm run, a script that fails" 4 -p node -- npm run --silent fail
	started=$SECONDS
	expect_run "node: npm install of the registry waits for egress" 1 -p node -- npm install left-pad
	expect_match "node: and says why" "ENOTCACHED" "$ERR"
	expect_eq "node: at once" yes "$([ $((SECONDS - started)) -lt 15 ] && echo yes)"
else
	skip "node: npm" "there is none: Debian's nodejs has no npm"
fi
# a node below HOME, by a profile of one's own; a stand-in that says where it is
nvm=$E2E_HOME/.nvm
if [ "$E2E_IDENTITY" != root ]; then
	as_id mkdir -p "$nvm/versions/node/v1.2.3/bin" "$T/profiles"
	as_id sh -c ': >"$1/nvm.sh"; printf "#!/bin/sh\necho \$0\n" >"$2"; chmod 755 "$2"' - "$nvm" "$nvm/versions/node/v1.2.3/bin/node"
	printf 'version: 1\nname: mine\nextends: node\ntoolchains: [nvm]\ntool: { run: [~/.nvm/versions/node/v1.2.3/bin/node] }\n' >"$T/profiles/mine.yaml"
	own "$T/profiles"
	expect_run "node: nvm's is no entry command of the shipped profile" 127 -p node -- "$nvm/versions/node/v1.2.3/bin/node"
	expect_run "node: nvm's, by a profile that extends it" 0 -p "$T/profiles/mine.yaml" -- "$nvm/versions/node/v1.2.3/bin/node"
	expect_eq "node: it ran" "$nvm/versions/node/v1.2.3/bin/node" "$(cat "$OUT")"
	expect_run "node: and only that one" 125 -p "$T/profiles/mine.yaml" -- /usr/bin/node -e 1
fi
expect_only node env true
expect_denied node "a file in HOME" 1 "no such file or directory, open '$CANARY'" \
	node -e "console.log(require('fs').readFileSync('$CANARY', 'utf8'))"
expect_denied node "the network" 1 "ECONNREFUSED" \
	node -e "require('http').get('http://127.0.0.1:$PORT/', a => a.on('data', d => console.log(String(d))))"

# ---- make-gcc ------------------------------------------------------------------------------------
new_ws make
cat >"$WS/Makefile" <<'MAKE'
all: hello hellopp
hello: main.o libgreet.so
	gcc -o $@ main.o -L. -lgreet -Wl,-rpath,'$$ORIGIN' -lm -pthread
main.o: main.c greet.h
	gcc -O2 -Wall -c $<
libgreet.so: greet.c greet.h
	gcc -O2 -shared -fPIC -o $@ greet.c
hellopp: main.cc
	g++ -O1 -fsanitize=undefined -o $@ $<
check: all
	./hello check && ./hellopp
MAKE
printf 'const char *greet(void);\n' >"$WS/greet.h"
printf '#include "greet.h"\nconst char *greet(void) { return "hello"; }\n' >"$WS/greet.c"
cat >"$WS/main.c" <<'C'
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include "greet.h"
static void *run(void *arg) { *(double *)arg = sqrt(49); return NULL; }
int main(int argc, char **argv)
{
	pthread_t thread;
	double n = 0;
	pthread_create(&thread, NULL, run, &n);
	pthread_join(thread, NULL);
	printf("%s %s %.0f\n", greet(), argc > 1 ? argv[1] : "", n);
	return 0;
}
C
printf '#include <iostream>\n#include <map>\nint main() { std::map<int, int> m{{1, 2}}; std::cout << m.at(1) << std::endl; }\n' >"$WS/main.cc"
own "$WS"
expect_run "make-gcc: builds and tests, two at a time" 0 -p make-gcc -- make -s -j2 check
expect_eq "make-gcc: what the programs said" "hello check 7 2" "$(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
expect_eq "make-gcc: committed" "ok committed 4 0 0 0" "$(settled)"
expect_out "make-gcc: the program runs outside" "hello  7" outside ./hello
expect_run "make-gcc: nothing to do" 0 -p make-gcc -- make -q all
printf 'int main(void) { return x; }\n' >"$WS/main.c"
own "$WS"
expect_run "make-gcc: an error in the source" 2 -p make-gcc -- make all
expect_match "make-gcc: the compiler's words" "'x' undeclared" "$ERR"
expect_run "make-gcc: gcc itself" 0 -p make-gcc -- gcc -x c -c -o /tmp/x.o - <<<'int x;'
printf 'steal:\n\tcat %s\nfetch:\n\tcurl -sS http://127.0.0.1:%s/\n' "$CANARY" "$PORT" >"$WS/evil.mk"
own "$WS"
expect_only make-gcc sh -c 'make all'
expect_denied make-gcc "a file in HOME" 2 "$CANARY: No such file or directory" make -f evil.mk steal
expect_denied make-gcc "the network" 2 "Error 7" make -f evil.mk fetch
