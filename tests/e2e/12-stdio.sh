#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Standard streams: pipes, sockets, files, closed; byte-exact both ways; the tool never has the caller's descriptors.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
payload stdio
S=$E2E_PAYLOAD/stdio

# bytes
head -c 10485760 /dev/urandom >"$T/ten"
sum=$(sha256sum <"$T/ten")
run_airlock -- cat <"$T/ten"
expect_eq "10 MB from a file through cat" "0 $sum" "$RC $(sha256sum <"$OUT")"
expect_eq "digests of both are recorded" "${sum%% *} ${sum%% *} 10485760" \
	"$(record '.outcome | "\(.stdin.digest) \(.stdout.digest) \(.stdout.bytes)"')"
# shellcheck disable=SC2002 # a pipe is the point
expect_eq "10 MB through pipes" "$sum" "$(cat "$T/ten" | as_id "$A" run -w "$WS" -- cat | sha256sum)"
expect_eq "10 MB through socketpairs" "$sum" "$(as_id "$S" sockets "$A" run -w "$WS" -- cat <"$T/ten" | sha256sum)"
printf 'a\0b\r\n\377\033[2J' >"$T/odd"
run_airlock -- cat <"$T/odd"
check "control bytes pass into a file" cmp "$T/odd" "$OUT"
run_airlock -- sh -c 'echo out; echo err >&2'
expect_eq "stdout and stderr stay apart" "out/err" "$(cat "$OUT")/$(cat "$ERR")"

# half-close, both ways
expect_out "half-close reaches the tool and the answer comes back" "3" \
	as_id "$S" sockets "$A" run -w "$WS" -- sh -c 'wc -c' < <(printf abc)
expect_out "the tool may speak first" "hello
got ping" as_id "$S" reply "$A" run -w "$WS" -- sh -c 'echo hello; read -r x; echo "got $x"'
expect_rc "exit statuses pass with sockets" 7 as_id "$S" sockets "$A" run -w "$WS" -- sh -c 'cat >/dev/null; exit 7'
run_airlock -- sh -c 'exec <&-; echo done' < <(head -c 1000000 /dev/zero)
expect_eq "a tool that closes stdin early" "0 done" "$RC $(cat "$OUT")"
run_airlock -- sh -c 'exec >&-; echo still >&2; exit 3'
expect_eq "a tool that closes stdout" "3 still" "$RC $(cat "$ERR")"

# a reader that went away: the tool learns it by SIGPIPE, as in any pipeline; what it said until then is captured
as_id "$A" run -w "$WS" -- yes 2>"$ERR" | head -n 1 >"$OUT"
rc=${PIPESTATUS[0]}
expect_eq "the reader of stdout is gone" "141 y" "$rc $(cat "$OUT")"
expect_eq "the tool got SIGPIPE" "signaled 13 true" \
	"$(record '.outcome | "\(.verdict) \(.signal) \(.stdout.kept > 2)"')"

# files: at the caller's offset, and the tool cannot reach them
printf '0123456789' >"$T/f"
own "$T/f"
{ as_id "$A" run -w "$WS" -- sh -c 'printf new'; } >>"$T/f"
expect_eq "append appends" "0123456789new" "$(cat "$T/f")"
printf '0123456789' >"$T/f"
{
	printf AB
	as_id "$A" run -w "$WS" -- printf cd
	printf EF
} 1<>"$T/f"
expect_eq "the caller's offset is kept and moved on" "ABcdEF6789" "$(cat "$T/f")"
printf 'precious\n' >"$T/f"
own "$T/f"
run_airlock -- sh -c 'truncate -s 0 /dev/stdout 2>&1; : >/dev/stdout; : >/proc/self/fd/1; dd if=/dev/zero of=/dev/stdout bs=1 count=1 seek=0 2>/dev/null; true' 1<>"$T/f"
as_id "$A" run -w "$WS" -- sh -c ': >/proc/self/fd/1; echo more' >>"$T/f" 2>/dev/null
expect_eq "the tool cannot truncate the caller's file" "precious
more" "$(cat "$T/f")"
printf 'line 1\nline 2\n' >"$T/in"
run_airlock -- sh -c 'echo evil >/proc/self/fd/0; true' <"$T/in" 2>/dev/null
expect_eq "nor write to its input" "line 1
line 2" "$(cat "$T/in")"
run_airlock -- sh -c 'for f in 0 1 2; do stat -L -c %F /proc/self/fd/$f; done' <"$T/in"
expect_eq "the tool has pipes" "fifo fifo fifo" "$(tr '\n' ' ' <"$OUT" | sed 's/ $//')"

# closed
run_airlock -- cat <&-
expect_eq "stdin closed" "0 " "$RC $(cat "$OUT")"
as_id "$A" run -w "$WS" -- sh -c 'echo to-nobody; exit 4' 2>"$ERR" >&-
expect_eq "stdout closed" "4 " "$? $(cat "$ERR")"
as_id "$A" run -w "$WS" -- sh -c 'echo to-nobody >&2; echo out; exit 5' >"$OUT" 2>&-
expect_eq "stderr closed" "5 out" "$? $(cat "$OUT")"
as_id "$A" run -w "$WS" -- sh -c 'echo a; echo b >&2; cat; exit 6' <&- >&- 2>&-
expect_eq "all closed" "6" "$?"
expect_eq "and it was recorded" "failed 2 2" "$(record '.outcome | "\(.verdict) \(.stdout.bytes) \(.stderr.bytes)"')"
run_airlock -n -- cat <"$T/ten"
expect_eq "-n: the tool reads nothing" "0 0" "$RC $(wc -c <"$OUT")"
expect_eq "and nothing is recorded of it" "0" "$(record .outcome.stdin.bytes)"
{
	run_airlock -n -- true
	read -r line
} <"$T/in"
expect_eq "-n leaves the caller's stdin alone" "line 1" "$line"
run_airlock -- true </dev/zero
expect_eq "endless input ends with the tool" 0 "$RC"
