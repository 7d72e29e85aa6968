#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The filter against the kernel: every vector and every refused row, from a dynamic glibc and a static
# musl program, under the filter and (positive control) without; then ordinary programs under it.
# As root it runs the payloads as uid 65534, so that nothing is refused or allowed for being root.
# Programs that the host lacks are counted, and at most MAX_ABSENT may be.
set -u
cd "$(dirname "$0")/../.." || exit 2
MAX_ABSENT=${MAX_ABSENT:-4}
tmp=$(mktemp -d) || exit 2
server=
trap 'kill $server 2>/dev/null; rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
failed=0
absent=0

as_user=()
if [ "$(id -u)" = 0 ]; then
	as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi

flags=(-std=gnu17 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE)
multiarch=$(gcc -print-multiarch)
gcc "${flags[@]}" -o "$tmp/dump" tests/e2e/payload/filter_dump.c launcher/plan/filter_*.c \
	launcher/base/{err,buf,fdio,sha256,sha256_ni}.c -lseccomp || exit 1
gcc "${flags[@]}" -o "$tmp/probe-glibc" tests/e2e/payload/seccomp_probe.c || exit 1
musl-gcc -static "${flags[@]}" -idirafter /usr/include -idirafter "/usr/include/$multiarch" \
	-o "$tmp/probe-musl" tests/e2e/payload/seccomp_probe.c || exit 1
"$tmp/dump" "$tmp/default.bpf" errno @default || exit 1
"$tmp/dump" "$tmp/debug.bpf" errno @default @debug || exit 1
"$tmp/dump" "$tmp/init.bpf" init || exit 1
chmod 644 "$tmp"/*.bpf

# probe NAME FILTER: in a fresh directory, since some calls make files
probe() {
	local dir log="$tmp/log"
	dir="$tmp/$1-$(basename "$2")"
	mkdir "$dir" && chmod 777 "$dir"
	if (cd "$dir" && "${as_user[@]}" "$tmp/probe-$1" "$2") >"$log" 2>&1; then
		echo "ok   $1 $(basename "$2"): $(tail -1 "$log")"
	else
		echo "FAIL $1 $(basename "$2")"
		grep -v '^ok' "$log"
		failed=$((failed + 1))
	fi
}
for libc in glibc musl; do
	probe "$libc" none
	probe "$libc" "$tmp/default.bpf"
done

# The filter of PID 1 kills at the first call that is not PID 1's.
{ "${as_user[@]}" "$tmp/probe-musl" "$tmp/init.bpf" -l; } >/dev/null 2>&1
if [ $? -eq 159 ]; then
	echo "ok   init kills"
else
	echo "FAIL init does not kill"
	failed=$((failed + 1))
fi

home="$tmp/home"
mkdir "$home" && chmod 777 "$home"
# run FILTER WANT NAME COMMAND…: the output must hold WANT
run() {
	local filter=$1 want=$2 name=$3 out rc
	shift 3
	if ! command -v "$1" >/dev/null; then
		absent=$((absent + 1))
		echo "absent $name"
		return
	fi
	out=$(cd "$home" && HOME=$home timeout 120 "${as_user[@]}" "$tmp/probe-glibc" "$filter" "$@" 2>&1)
	rc=$?
	if [ $rc -eq 0 ] && [[ $out == *"$want"* ]]; then
		echo "ok   $name"
	else
		echo "FAIL $name: exit $rc: ${out: -300}"
		failed=$((failed + 1))
	fi
}
good() {
	run "$tmp/default.bpf" "$@"
}

cat >"$home/a.c" <<'C'
#include <pthread.h>
#include <stdio.h>
static void *f(void *a) { return a; }
int main(void) { pthread_t t; pthread_create(&t, 0, f, 0); pthread_join(t, 0); puts("compiled"); }
C
printf 'all: b.out\nb.out: a.c\n\tgcc a.c -o b.out\n\t./b.out\n' >"$home/Makefile"
cat >"$home/H.java" <<'J'
public class H { public static void main(String[] a) throws Exception {
	Thread t = new Thread(() -> {}); t.start(); t.join();
	System.out.println("java " + new ProcessBuilder("true").start().waitFor()); } }
J
cat >"$home/p.py" <<'P'
import asyncio, multiprocessing, subprocess, threading
ts = [threading.Thread(target=lambda: None) for _ in range(8)]
[t.start() for t in ts]; [t.join() for t in ts]
subprocess.run(["true"], check=True)
async def main():
    assert await (await asyncio.create_subprocess_exec("true")).wait() == 0
asyncio.run(main())
if __name__ == "__main__":
    with multiprocessing.Pool(2) as p: print("python", p.map(abs, [-1, -2]))
P
cat >"$home/n.js" <<'N'
const { Worker } = require("worker_threads"), cp = require("child_process"), http = require("http");
new Worker('require("worker_threads").parentPort.postMessage(42)', { eval: true }).on("message", m => {
	const s = http.createServer((q, r) => r.end("x")).listen(0, "127.0.0.1", () =>
		http.get({ port: s.address().port, host: "127.0.0.1" }, r => { r.resume(); r.on("end", () => {
			console.log("node", m, cp.execSync("echo sub").toString().trim(), r.statusCode);
			process.exit(0); }); })); });
N
chmod -R a+rX "$home"

good root ls ls -la /
good HI bash bash -c 'for i in 1 2; do (echo $i) & done; wait; echo hi | tr a-z A-Z; cat <(echo)'
good 'python [1, 2]' python3 python3 p.py
good 'node 42 sub 200' node node n.js
good '' git-init git init -q src
good '' git-commit git -C src -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m x
good '' git-clone git clone -q src clone
good '' git-clone-file git clone -q "file://$home/src" clone2
good '' gcc gcc -O2 a.c -o a.out
good compiled gcc-run bash -c ./a.out
good compiled musl bash -c 'musl-gcc -static a.c -o m.out && ./m.out'
good compiled asan bash -c 'gcc -fsanitize=address a.c -o s.out && ASAN_OPTIONS=detect_leaks=0 ./s.out'
good compiled tsan bash -c 'gcc -fsanitize=thread a.c -o t.out && ./t.out'
good compiled make make -j2
good '' clang clang a.c -o c.out
good '' javac javac H.java
good 'java 0' java java H
good 'java 0' java-g1 java -XX:+UseG1GC H
good 'ok' sqlite3 sqlite3 t.db 'pragma journal_mode=wal; create table t(a); pragma integrity_check'
good 'perl' perl perl -e 'use threads; threads->create(sub { 1 })->join; system("true") == 0 or die; print "perl"'
good 'VIM' vim vim --version
good '' vim-edit vim -es -u NONE -c 'call writefile(["x"], "v.txt")' -c q
good apt apt-get apt-get --version
good bash dpkg dpkg -l bash
good '' tar tar czf h.tgz a.c
good '' ps ps aux
good '' nice nice -n 5 ionice -c3 true
good '' setarch setarch -R true
good '' fifo mkfifo ff
good localhost getent getent hosts localhost
good '' openssl openssl rand -hex 4
if command -v python3 >/dev/null; then
	exec 3< <(exec python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$home" 2>/dev/null)
	server=$!
	read -r -u 3 said # "Serving HTTP on 127.0.0.1 port N …", once it listens
	port=${said#*port }
	port=${port%% *}
	good compiled curl curl -sS "http://localhost:$port/a.c"
fi
# What needs @debug works with it; without it, LeakSanitizer says that it does not.
run "$tmp/debug.bpf" compiled leak-sanitizer bash -c 'gcc -fsanitize=address a.c -o s.out && ./s.out'
run "$tmp/debug.bpf" execve strace strace -e trace=execve true

if [ "$absent" -gt "$MAX_ABSENT" ]; then
	echo "FAIL $absent programs are absent, at most $MAX_ABSENT may be"
	failed=$((failed + 1))
fi
echo "filter_live: $failed failed, $absent absent"
[ "$failed" -eq 0 ]
