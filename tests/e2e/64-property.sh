#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root plain
# Random work on random trees gives the same natively as through airlock, whether it is committed at once or proposed and
# applied, and undo gives the original. 1,000 trees for each identity; PROPERTY_SEED and PROPERTY_CASES choose others.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

seed=${PROPERTY_SEED:-$(($(date +%s) / 86400))}
cases=${PROPERTY_CASES:-1000}
batch=200
here=$T

# In memory where that has attributes (Linux 6.6): thousands of syncs are not what this is about.
if probe=$(mktemp -d /dev/shm/property-airlock-XXXXXX 2>/dev/null) && setfattr -n user.a -v 1 "$probe" 2>/dev/null; then
	here=$probe
	chmod 755 "$here"
	own "$here"
	export AIRLOCK_STATE=$here/state
	trap 'chmod -R u+rwX "$here" 2>/dev/null; rm -rf "$here"' EXIT
elif [ -n "$probe" ]; then
	rmdir "$probe"
fi
WS=$here/ws
uid=$(as_id id -u)
payload work
payload describe
work=$E2E_PAYLOAD/work

# in_dir DIR ARG…: work ARG… there, as the identity.
in_dir()
{
	as_id sh -c 'cd "$1" && shift && exec "$@"' sh "$1" "$work" "${@:2}"
}

# described DIR [times]: what is there, as who may read all of it; the payload itself apart.
described()
{
	(cd "$1" && "$E2E_PAYLOAD/describe" ${2:+"$2"}) | grep -v '^\./work '
}

# attempt MODE FIRST COUNT OPS: one call over so many cases. Says what is wrong, and nothing when nothing is.
attempt()
{
	local mode=$1 first=$2 count=$3 ops=$4 n=$here/native

	rm -rf "$n" "$WS"
	mkdir "$n" "$WS"
	own "$n" "$WS"
	in_dir "$WS" make "$seed" "$first" "$count"
	in_dir "$n" make "$seed" "$first" "$count" copies
	cp "$work" "$WS/work"
	own "$WS/work"
	described "$WS" times >"$T/before"
	described "$WS" >"$T/before.plain"
	described "$n" | diff "$T/before.plain" - >"$T/diff" || { echo "the trees differ before anything is done"; return; }
	in_dir "$n" run "$seed" "$first" "$count" "$ops" "$uid" emulate >"$T/native.log" || { echo "natively it fails"; return; }
	run_airlock -m "$mode" -- ./work run "$seed" "$first" "$count" "$ops" "$uid"
	[ "$RC" = 0 ] || { echo "the call gives $RC: $(head -c 300 "$ERR")"; return; }
	diff "$T/native.log" "$OUT" >"$T/diff" || { echo "an operation ends otherwise"; return; }
	grep -o '[^ ]*$' "$OUT" >>"$T/ends"
	if [ "$(record .outcome.settled)" = none ]; then
		# alone, a case may leave all as it was
		described "$n" | diff "$T/before.plain" - >"$T/diff" || echo "nothing was changed"
		return
	fi
	if [ "$mode" = propose ]; then
		described "$WS" times | diff "$T/before" - >"$T/diff" || { echo "a proposal changes the workspace"; return; }
		as_id "$A" apply @last >"$OUT" 2>"$ERR" || { echo "apply: $(head -c 300 "$ERR")"; return; }
	fi
	[ -n "$(record '[.outcome.settled, .settles[-1].settled] | map(select(. == "committed"))[]')" ] ||
		{ echo "it is not committed"; return; }
	described "$n" >"$T/after"
	described "$WS" | diff "$T/after" - >"$T/diff" || { echo "the trees differ"; return; }
	as_id "$A" undo @last >"$OUT" 2>"$ERR" || { echo "undo: $(head -c 300 "$ERR")"; return; }
	described "$WS" times | diff "$T/before" - >"$T/diff" || { echo "undo does not give the original"; return; }
	[ ! -s "$ERR" ] || echo "undo says: $(head -c 300 "$ERR")"
	rm -rf "$WS"
}

# smallest MODE FIRST COUNT: of cases that fail together the first that fails alone, with as few operations as do.
smallest()
{
	local mode=$1 first=$2 last=$(($2 + $3 - 1)) number ops why

	for number in $(seq "$first" "$last"); do
		why=$(attempt "$mode" "$number" 1 1000)
		[ -n "$why" ] || continue
		for ops in $(seq 1 30); do
			why=$(attempt "$mode" "$number" 1 "$ops")
			[ -z "$why" ] || break
		done
		echo "case $number: PROPERTY_SEED=$seed, $ops operations: $why"
		tail -n 12 "$T/native.log"
		head -n 12 "$T/diff"
		return
	done
	echo "no case fails alone"
}

tried=0
while [ "$tried" -lt "$cases" ]; do
	mode=apply
	[ $((tried / batch % 2)) = 0 ] || mode=propose
	why=$(attempt "$mode" "$tried" "$batch" 1000)
	if [ -n "$why" ]; then
		head -n 12 "$T/diff"
		not_ok "$mode, cases $tried and on of seed $seed" "$why: $(smallest "$mode" "$tried" "$batch" | tee "$T/smallest")"
		cat "$T/smallest"
		break
	fi
	tried=$((tried + batch))
done
# Ends that only an overlay knows, and that a tree that nothing was done to would not have.
expect_rc "renaming a directory that was there was among it, and failed" 0 grep -qx EXDEV "$T/ends"
expect_rc "and most other operations did something" 0 test "$(grep -cx 'done' "$T/ends")" -gt "$cases"
expect_eq "so many random trees, seed $seed: as natively, and back" "$cases" "$tried"

rm -rf "$WS"
WS=$here/named
mkdir "$WS"
own "$WS"
as_id sh -c "cd '$WS' && echo one >a && ln a b && ln a c && mkdir d && echo in >d/in && echo x >closed && setfattr -n user.a -v 1 closed"
before=$(cd "$WS" && "$E2E_PAYLOAD/describe" times)
expect_run "hard links: one of three names is written, another gets a mode" 0 -- sh -c 'echo two >>a; chmod 600 b; ln c e; ln d/in f'
expect_eq "hard links: each that was written is a file of its own, and what is linked anew too" \
	"a 1 b 1 c 1 closed 1 d/in 1 e 1 f 1" "$(cd "$WS" && stat -c '%n %h' a b c closed d/in e f | paste -sd' ')"
expect_eq "hard links: with what was written" "one two one one one in" "$(cd "$WS" && cat a b c e f | paste -sd' ')"
expect_verb "hard links: undo" 0 undo @last
expect_eq "hard links: every name as it was" "$before" "$(cd "$WS" && "$E2E_PAYLOAD/describe" times)"

expect_run "mv of a directory that was there" 0 -- mv d moved
expect_eq "mv of a directory that was there: it is copied" in "$(as_id cat "$WS/moved/in")"
expect_verb "mv of a directory that was there: undo" 0 undo @last

expect_run "a file that its owner may not read" 0 -m propose -- sh -c 'chmod 200 closed'
expect_verb "a file that its owner may not read: apply" 0 apply @last
expect_eq "a file that its owner may not read: keeps its attributes" "200 1" \
	"$(stat -c %a "$WS/closed") $(getfattr --only-values -n user.a "$WS/closed" 2>/dev/null)"
expect_verb "a file that its owner may not read: undo" 0 undo @last
expect_eq "all as it was" "$before" "$(cd "$WS" && "$E2E_PAYLOAD/describe" times)"

expect_run "a fifo is held" 123 -- sh -c 'mkfifo p; echo x >q'
expect_eq "a fifo is held: and nothing is there" "$before" "$(cd "$WS" && "$E2E_PAYLOAD/describe" times)"
