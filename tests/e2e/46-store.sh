#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root plain
# The store: what is durable before what, what is repaired, what is said where something is missing, and that nothing a
# tool or a caller wrote acts on the terminal of who reads it.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# The journal's entries of calls as lines "TYPE CALL"; fails where it is not whole (length, crc, JSON). perl is essential.
entries()
{
	as_id perl -e '
		my @table = map { my $c = $_; $c = $c & 1 ? 0xedb88320 ^ ($c >> 1) : $c >> 1 for 1 .. 8; $c } 0 .. 255;
		sub crc { my $c = 0xffffffff; $c = $table[($c ^ $_) & 255] ^ ($c >> 8) for unpack "C*", $_[0]; $c ^ 0xffffffff }
		for my $file (@ARGV) {
			open my $in, "<:raw", $file or die "$file: $!\n";
			local $/; my $all = <$in>; my $at = 0;
			while ($at < length $all) {
				die "torn at $at\n" if $at + 8 > length $all;
				my ($len, $crc) = unpack "VV", substr $all, $at, 8;
				my $payload = substr $all, $at + 8, $len;
				die "torn at $at\n" if length $payload != $len;
				die "crc at $at\n" if crc($payload) != $crc;
				$at += 8 + $len;
				next if $payload =~ /"type":"(log\.open|profile\.load)"\}$/;
				$payload =~ /^\{"call":"([0-9a-f-]{36})","record":\{.*\},"salt":"[0-9a-f]{32}","type":"call\.(planned|outcome)"\}$/s
					or die "shape before $at\n";
				print "$2 $1\n";
			}
		}' "$AIRLOCK_STATE"/journal/*.log
}

clean()
{
	! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$1"
}

# Every call, as the index tells it, once it has caught up.
log_json()
{
	as_id "$LOG" --state "$AIRLOCK_STATE" --wait 2>/dev/null
	as_id "$A" log --json -n 100000
}

# ---- order ---------------------------------------------------------------------------------------
expect_run "the first call" 0 -- true
first=$(record '.call')
expect_eq "one planned, then one outcome" "planned $first
outcome $first" "$(entries)"
rm -f "$T/.go"
mkfifo "$T/.go"
: >"$OUT"
as_id "$A" run -w "$WS" -- sh -c 'echo up; read go; echo done' <"$T/.go" >"$OUT" 2>"$ERR" &
job=$!
exec 7>"$T/.go"
check "a call is running" wait_for 20 grep -q up "$OUT"
expect_eq "while it runs it is planned, on the disk" "outcome planned" "$(entries | cut -d' ' -f1 | tail -n 2 | tr '\n' ' ' | sed 's/ $//')"
expect_eq "while it runs it is unknown" "unknown" "$(as_id "$A" log --json -n 1 | jq -rs 'flatten | .[0].verdict')"
running=$(entries | tail -n 1 | cut -d' ' -f2)
as_id "$A" cat "$running" stdout >"$OUT.cat" 2>"$ERR.cat"
expect_eq "while it runs cat has nothing and says so" "1 0 1" "$? $(wc -c <"$OUT.cat") $(wc -l <"$ERR.cat")"
echo go >&7
exec 7>&-
wait $job
expect_eq "then its outcome is there" "planned $running outcome $running" "$(entries | tail -n 2 | tr '\n' ' ' | sed 's/ $//')"
expect_out "and its output" "up
done" as_id "$A" cat "$running" stdout

# ---- what a record holds -------------------------------------------------------------------------
new_ws saw
printf 'in\0put\377' >"$T/.in"
as_id "$A" run -w "$WS" -e CI=1 -- sh -c 'cat; printf "e\033[31mrr\r\n" >&2; exit 3' - "$(printf 'a\377b')" <"$T/.in" >"$OUT" 2>"$ERR"
expect_eq "stdin and stdout are byte-exact" "$(sha256sum <"$T/.in")" "$(sha256sum <"$OUT")"
for stream in stdin stdout; do
	expect_eq "cat $stream: byte-exact" "$(sha256sum <"$T/.in")" "$(as_id "$A" cat @last $stream | sha256sum)"
done
expect_eq "cat stderr: byte-exact into a pipe" "$(printf 'e\033[31mrr\r\n' | sha256sum)" "$(as_id "$A" cat @last stderr | sha256sum)"
expect_eq "digest of stdin" "$(sha256sum <"$T/.in" | cut -d' ' -f1)" "$(record '.outcome.stdin.digest')"
expect_eq "argv and the names of the environment" 'a\377b true' "$(record '"\(.planned.argv[-1]) \(.planned.env_names | index("CI") != null)"')"
as_id "$A" show @last >"$OUT" 2>&1
check "show: no control byte into a pipe" clean "$OUT"
as_id "$A" log >"$OUT" 2>&1
check "log: no control byte into a pipe" clean "$OUT"

# Names and arguments that act on a terminal, and a big stream that goes to a pack.
evil=$(printf 'x\033]0;owned\007\033[2J\r')
run_airlock -- sh -c 'echo "$1" >"$1"; i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i + 1)); done' - "$evil"
expect_eq "hostile names: committed" "0 1" "$RC $(find "$WS" -name "$evil" | wc -l)"
big=$(record '.call')
expect_eq "a big stream is not inline" "null" "$(record '.outcome.stdout.inline')"
expect_eq "a big stream: byte-exact" "$(sha256sum <"$OUT")" "$(as_id "$A" cat @last stdout | sha256sum)"
for verb in "show @last" "log" "log --json" "show @last --json"; do
	# shellcheck disable=SC2086 # words
	as_id "$A" $verb >"$OUT" 2>&1
	check "$verb: no control byte of a hostile name" clean "$OUT"
	# shellcheck disable=SC2086
	as_id script -qec "'$A' $verb" /dev/null </dev/null 2>&1 | sed 's/\x1b\[[0-9;]*m//g' | tr -d '\r\n' >"$OUT"
	check "$verb: nor on a terminal, but colours" clean "$OUT"
done
as_id script -qec "'$A' cat @last out:'x\\033]0;owned\\007\\033[2J\\015'" /dev/null </dev/null 2>&1 | tr -d '\r\n' >"$OUT"
check "cat on a terminal: nothing that acts" clean "$OUT"
check "export: hostile names" as_id "$A" export "$big" --to "$T/export"
check "export: something was written" test -n "$(find "$T/export" -type f)"
as_id "$A" export "$big" --to "$T/export" >"$OUT" 2>"$ERR"
expect_eq "export: into what is not empty, refused in one line" "1 1" "$? $(wc -l <"$ERR")"

# ---- the index -----------------------------------------------------------------------------------
before=$(log_json)
expect_eq "log --json names every call" "$(entries | grep -c planned)" "$(jq -rs 'flatten | length' <<<"$before")"
check "rebuild" as_id "$LOG" --state "$AIRLOCK_STATE" --rebuild
expect_eq "rebuilt: the same" "$before" "$(log_json)"
rm -f "$AIRLOCK_STATE"/index.db*
expect_eq "without an index: made again, the same" "$before" "$(log_json)"
printf 'this is no database, and long enough to be looked at as one' >"$AIRLOCK_STATE/index.db"
rm -f "$AIRLOCK_STATE"/index.db-*
own "$AIRLOCK_STATE/index.db"
expect_eq "a damaged index: made again, the same" "$before" "$(log_json)"

# ---- damage --------------------------------------------------------------------------------------
whole=$(entries)
last=$(printf '%s\n' "$AIRLOCK_STATE"/journal/*.log | tail -n 1)
for torn in '\x10' '\x20\x00\x00\x00\x00\x00\x00\x00half an ent' '\xff\xff\xff\x7f\x00\x00\x00\x00' '\x00\x00\x00\x00\x00\x00\x00\x00'; do
	printf "%b" "$torn" >>"$last"
	expect_run "torn tail $torn: the next call works" 0 -- true
	whole="$whole
planned $(record .call)
outcome $(record .call)"
	expect_eq "torn tail $torn: cut off, the rest is whole" "$whole" "$(entries 2>&1)"
done
pack=$(find "$AIRLOCK_STATE/wf" -name "pack-$big-*")
check "the big stream's pack is there" test -s "$pack"
truncate -s 100 "$pack"
for verb in "cat $big stdout" "export $big --to $T/export2"; do
	# shellcheck disable=SC2086
	as_id "$A" $verb >"$OUT" 2>"$ERR"
	expect_eq "a truncated pack: ${verb%% *}: fails, and says so" "1 true" \
		"$? $([ -s "$ERR" ] && echo true || echo false)"
done
check "a truncated pack: show still works" as_id "$A" show "$big"
expect_run "a truncated pack: the next call works" 0 -- true
rm "$pack"
as_id "$A" cat "$big" stdout >"$OUT" 2>"$ERR"
expect_eq "a lost pack: cat fails in one line, without a byte" "1 1 0" "$? $(wc -l <"$ERR") $(wc -c <"$OUT")"

# ---- many at once --------------------------------------------------------------------------------
export AIRLOCK_STATE=$T/state-many
new_ws many
jobs=()
for i in $(seq 16); do
	case $((i % 4)) in
	0) tool='exit 7' want=7 ;;
	1) tool="echo $i >made$i" want=0 ;;
	2) tool='head -c 20000 /dev/zero' want=0 ;;
	3) tool='kill -9 $$' want=137 ;;
	esac
	as_id mkdir "$WS/$i"
	as_id "$A" run -w "$WS/$i" -- sh -c "$tool" >/dev/null 2>"$T/.many$i" &
	jobs+=("$!:$want")
done
wrong=
for job in "${jobs[@]}"; do
	wait "${job%:*}"
	rc=$?
	[ $rc = "${job#*:}" ] || wrong="$wrong $job:$rc"
done
expect_eq "16 at once: each its exit" "" "$wrong"
expect_eq "16 at once: 16 planned, 16 outcomes, whole" "16 outcome 16 planned" \
	"$(entries | cut -d' ' -f1 | sort | uniq -c | sed 's/^ *//' | tr '\n' ' ' | sed 's/ $//')"
expect_eq "16 at once: each planned before its outcome" "16" \
	"$(entries | awk '$1 == "planned" { p[$2] = 1 } $1 == "outcome" && p[$2] { n++ } END { print n }')"
expect_eq "16 at once: in the index" "4 failed 8 ok 4 signaled" \
	"$(log_json | jq -rs 'flatten | .[].verdict' | sort | uniq -c | sed 's/^ *//' | tr '\n' ' ' | sed 's/ $//')"

# ---- gone ----------------------------------------------------------------------------------------
export AIRLOCK_STATE=$T/state-gone
expect_run "a new state directory" 0 -- true
as_id "$LOG" --state "$AIRLOCK_STATE" --wait
rm -rf "$AIRLOCK_STATE"
expect_run "the state directory was removed: made again" 0 -- true
expect_eq "the state directory was removed: one call" "planned outcome" "$(entries | cut -d' ' -f1 | tr '\n' ' ' | sed 's/ $//')"
