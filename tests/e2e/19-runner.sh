#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The runner itself, with small suites: a file that was chosen and did not come to its end is a failure, whoever was killed
# on the way, and a full disk takes no line away.
# identities: plain
# shellcheck source-path=SCRIPTDIR disable=SC2016 # what the small suites' files do
. "$(dirname "$0")/lib.sh"

# planted NAME LINE…: a file of the small suite.
planted()
{
	local name=$1
	shift

	mkdir -p "$T/suite"
	printf '%s\n' '# identities: plain' 'echo "ok first"' "$@" >"$T/suite/$name.sh"
}

# runner [WORD…]: WORD… runs it; RC and OUT are there afterwards.
runner()
{
	env -u E2E_IDENTITIES E2E_SUITE="$T/suite" E2E_JOBS=1 E2E_QUIET=0 TMPDIR="$T" "$@" "$E2E_DIR/run" >"$OUT" 2>"$ERR"
	RC=$?
}

# killed UP: the runner's process so many above a file's reap.
killed()
{
	planted 10-killed 'pid=$PPID' "for _ in {0..$1}; do" \
		'pid=$(awk "/^PPid:/ { print \$2 }" "/proc/$pid/status")' 'done' \
		'kill -KILL "$pid"' 'echo "not ok second: seen"'
	runner
}

planted 11-after
killed 1
expect_match "of a killed file's lines the end is missed" "not ok 10-killed[plain]: it did not end" "$OUT"
expect_match "and the next one is run" "ok 11-after[plain]: first" "$OUT"
expect_eq "and that is a failure" 1 "$RC"
killed 2
expect_match "what is said in one piece, and was killed" "not ok 10-killed[plain]: it did not end" "$OUT"
expect_eq "is a failure" 1 "$RC"
killed 3
expect_match "whoever starts the files, killed" "not ok 11-after[plain]: it did not end" "$OUT"
expect_eq "is a failure, too" 1 "$RC"

if [ "$(id -u)" = 0 ]; then
	rm "$T/suite/10-killed.sh"
	mkdir "$T/disk"
	planted 10-full 'cat /dev/zero >"$T/fill" 2>/dev/null' 'echo "not ok second: seen"'
	runner unshare --mount sh -c 'mount -t tmpfs -o size=64m,mode=755 full "$0" && TMPDIR=$0 exec "$@"' "$T/disk"
	expect_match "a full disk takes no line" "not ok 10-full[plain]: second: seen" "$OUT"
	expect_match "nor one of the next file" "ok 11-after[plain]: first" "$OUT"
else
	skip "a full disk takes no line" "only root mounts one"
fi

for jobs in 0 x -1; do
	runner timeout 20 env E2E_JOBS=$jobs
	expect_eq "E2E_JOBS=$jobs is refused" "2 tests/e2e/run: E2E_JOBS is '$jobs': not a number of files, from 1 on" \
		"$RC $(cat "$ERR")"
done
