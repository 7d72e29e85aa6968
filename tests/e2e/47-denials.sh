#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Denials are explained: for each kind the record has one event with what, why, the rule's place and a remedy, and the
# remedy, done, takes the denial away.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
payload deny
cp "$E2E_PAYLOAD/deny" "$WS/deny"
own "$WS/deny"

shipped=$(dirname "$A")/../profiles
mkdir "$T/p"
own "$T/p"

# line FILE TEXT: where a key stands in a profile.
line()
{
	grep -nF -- "$2" "$1" | head -n 1 | cut -d: -f1
}

# profile NAME TEXT…: a profile of the identity's own, line by line.
profile()
{
	local name=$1
	shift

	printf '%s\n' 'version: 1' "name: $name" "$@" >"$T/p/$name.yaml"
	own "$T/p/$name.yaml"
}

# event WHAT: kind, rule, count, why, hint of the one event of that name.
event()
{
	record ".outcome.denials | map(select(.what == \"$1\")) | \"\(length) \(.[0].kind) \(.[0].rule) \(.[0].count) \(.[0].why) | \(.[0].hint)\""
}

base=base.yaml:$(line "$shipped/base.yaml" 'allow: ["@default"]')

# ---- system calls -------------------------------------------------------------------------------
run_airlock --result "$T/result" -- ./deny ptrace
expect_eq "a call that a group grants" "0 ptrace EPERM" "$RC $(cat "$OUT")"
want="1 syscall $base 1 controls other processes; debuggers and tracers need @debug"
want+=' | add "@debug" to syscalls.allow in a profile of your own: `extends: default` and `syscalls: { allow: ["@parent", "@debug"] }`'
expect_eq "its event, under a shipped profile" "$want" "$(event ptrace)"
expect_eq "the result has the same" "$(record '.outcome.denials | tojson')" "$(jq -c .denials "$T/result")"

profile tracer 'extends: base' 'filesystem: { read: [/usr, /bin, /lib, /lib64] }' 'limits: { pids: 32 }' 'syscalls: { allow: ["@default"] }'
run_airlock -p "$T/p/tracer.yaml" -- ./deny ptrace
want="1 syscall tracer.yaml:6 1 controls other processes; debuggers and tracers need @debug"
want+=" | add \"@debug\" to syscalls.allow in $T/p/tracer.yaml: \`syscalls: { allow: [..., \"@debug\"] }\`"
cgroups=$(record '.outcome.degraded | length == 0')
if [ "$RC" = 125 ]; then
	# no cgroup here, and base tolerates nothing
	profile tracer 'extends: base' 'filesystem: { read: [/usr, /bin, /lib, /lib64] }' 'limits: { pids: 32 }' 'syscalls: { allow: ["@default"] }' \
		'allow_degraded: [cgroup]'
	run_airlock -p "$T/p/tracer.yaml" -- ./deny ptrace
fi
expect_eq "under a profile of one's own the rule is its line" "$want" "$(event ptrace)"
sed -i 's/"@default"/"@default", "@debug"/' "$T/p/tracer.yaml"
run_airlock -p "$T/p/tracer.yaml" -- ./deny ptrace
expect_eq "the remedy, done, grants it" "0 ptrace ok []" "$RC $(cat "$OUT") $(record '.outcome.denials | tojson')"

run_airlock -- sh -c './deny mount; ./deny mount; ./deny netlink'
expect_eq "calls that no group grants" "0 mount EPERM mount EPERM netlink EAFNOSUPPORT" "$RC $(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
none='no group of system calls grants it, so no profile can: do without it'
expect_eq "one event with a count" "1 syscall built-in 2 mounting would change what the sandbox may see | $none" "$(event mount)"
expect_eq "a family of sockets" \
	"1 syscall built-in 1 network configuration is not visible here; most programs go on without | $none" \
	"$(event 'socket family 16 protocol 0')"
as_id "$A" show @last >"$OUT"
expect_match "show: what, how often, by which rule" "system call mount, 2 times, built in: mounting would" "$OUT"

run_airlock --result "$T/result" -- ./deny kinds 300
expect_eq "bounded: what was dropped is said" "256 44 256 44" \
	"$(record '.outcome | "\(.denials | length) \(.denials_dropped)"') $(jq -r '"\(.denials | length) \(.denials_dropped)"' "$T/result")"
as_id "$A" show @last >"$OUT"
expect_match "show: and more" "and 44 more of other kinds" "$OUT"

# ---- limits -------------------------------------------------------------------------------------
# limit NAME VALUE RC WHY ARG…: the event of a limit that --limit set.
limit()
{
	local name=$1 value=$2 rc=$3 why=$4 most=$5 at
	shift 5

	at=base.yaml:$(line "$shipped/base.yaml" "  $name: ")
	run_airlock --limit "$name=$value" "$@"
	expect_eq "$name: exit" "$rc" "$RC"
	expect_eq "$name: event" \
		"1 limit --limit $name=$value 1 $why | give more with --limit $name=VALUE, or leave it out: the profile allows $most ($at)" \
		"$(event "$name")"
	expect_eq "$name: alone" 1 "$(record '.outcome.denials | length')"
}

limit wall 300ms 124 'the call ran for limits.wall' 10m -- sleep 60
limit output 1KiB 125 'the call wrote more than limits.output' 16MiB -- sh -c 'head -c 2000 /dev/zero'
limit disk 8MiB 0 "the call's file system was full: ENOSPC" 1GiB -- sh -c 'head -c 9M /dev/zero >big 2>/dev/null; :'
rm -f "$WS/big"
limit files 50 0 'no inode was left for the call: ENOSPC' 200000 -- sh -c 'i=0; while touch "/tmp/f$i"; do i=$((i + 1)); done 2>/dev/null; :'
run_airlock --limit cpu_time=1s --limit wall=20s -- sh -c 'while :; do :; done'
expect_eq "cpu_time: exit" 125 "$RC"
expect_eq "cpu_time: event" "limit --limit cpu_time=1s give more with --limit cpu_time=VALUE" \
	"$(record '.outcome.denials[] | "\(.kind) \(.rule) \(.hint | split(",")[0])"')"
if [ "$cgroups" = true ]; then
	limit pids 20 0 'fork or thread creation gave EAGAIN, 1 time' 512 -- ./deny fork 30
	limit memory 48MiB 137 'the call reached limits.memory' 2GiB --limit disk=16MiB -- \
		perl -e '$x = "x" x 400_000_000; print length $x'
	run_airlock -p "$T/p/tracer.yaml" -- ./deny fork 40
	expect_eq "a limit of a profile of one's own" \
		"1 limit tracer.yaml:5 1 fork or thread creation gave EAGAIN, 1 time | raise limits.pids (now 32) in $T/p/tracer.yaml: \`limits: { pids: 64 }\`" \
		"$(event pids)"
else
	skip "pids, memory: event" "without a cgroup nothing tells"
fi
run_airlock --limit open_files=32 -- sh -c 'i=3; while [ $i -lt 40 ]; do eval "exec $i</dev/null" || exit 3; i=$((i + 1)); done'
expect_eq "open_files: EMFILE is nobody's to see" "[]" "$(record '.outcome.denials | tojson')"

# ---- layers -------------------------------------------------------------------------------------
if [ "$cgroups" = true ]; then
	expect_eq "nothing is missing" "[]" "$(record '.outcome.missing_layers | tojson')"
else
	at=default.yaml:$(line "$shipped/default.yaml" 'allow_degraded: [')
	run_airlock -- true
	expect_eq "a missing layer that is tolerated: rule and remedy" \
		"layer $at \`airlock doctor\` prints how to get it on this host" \
		"$(record '.outcome.missing_layers[] | select(.what == "cgroup.pids") | "\(.kind) \(.rule) \(.hint)"')"
	expect_eq "why, as doctor says it" true \
		"$(record '.outcome.missing_layers[] | select(.what == "cgroup.pids") | .why | length > 20')"
	expect_eq "no denial" "[]" "$(record '.outcome.denials | tojson')"
	at=strict.yaml:$(line "$shipped/strict.yaml" 'allow_degraded: [')
	run_airlock -p strict -- true
	expect_match "one that is not tolerated: rule" \
		"layer cgroup.memory is missing here and profile strict ($at) does not allow to do without it: " "$ERR"
	expect_match "and remedy" '; `airlock doctor` prints the fix' "$ERR"
fi

# ---- launches -----------------------------------------------------------------------------------
echo 'no program' >"$WS/text"
chmod 755 "$WS/text"
own "$WS/text"
run_airlock -- ./text
expect_eq "a launch that failed" "126 1 launch built-in 1" "$RC $(event exec | cut -d' ' -f1-4)"
expect_eq "its remedy" "it is no program of this machine and has no '#!' line: start it with its interpreter, as in \`sh FILE\`" \
	"$(record '.outcome.denials[0].hint')"

# ---- --explain-denials --------------------------------------------------------------------------
# explained: what stands on stderr behind the first line, layers left out: the host's are told apart above.
explained()
{
	sed '/^- a layer that is missing/,/^  do: /d' "$ERR" | tail -n +2
}

run_airlock --explain-denials -- sh -c './deny mount; ./deny mount; ./deny ptrace'
expect_match "explain: first who decided" "airlock: what was denied, and what can be done. The sandbox decided, not the tool, and trying again changes nothing. Profile: " "$ERR"
expect_eq "explain: one block for each" "- system call mount, 2 times
  why:  mounting would change what the sandbox may see
  rule: built-in
  do:   $none
- system call ptrace
  why:  controls other processes; debuggers and tracers need @debug
  rule: $base
  do:   add \"@debug\" to syscalls.allow in a profile of your own: \`extends: default\` and \`syscalls: { allow: [\"@parent\", \"@debug\"] }\`" \
	"$(explained)"
run_airlock --explain-denials --limit wall=300ms -- sleep 60
expect_eq "explain: a limit" "airlock: timeout: wall: the call ran for limits.wall" "$(head -n 1 "$ERR")"
expect_match "explain: its block" "- limits.wall" "$ERR"
run_airlock --explain-denials -- ./deny kinds 300
expect_eq "explain: bounded" "16 1 1" "$(grep -c '^- system call' "$ERR") $(grep -c '^- and 240 more kinds' "$ERR") $(grep -c '^- and 44 more denials of other kinds' "$ERR")"
run_airlock --explain-denials -- true
expect_eq "explain: nothing when nothing was denied" "" "$(explained)"
[ "$cgroups" = false ] || expect_eq "explain: nor a first line" "" "$(cat "$ERR")"
run_airlock --explain-denials -- ./nothing
expect_eq "explain: a refusal before anything ran" "127 airlock: ./nothing: command not found
airlock: nothing was run. The sandbox decided, not the tool, and trying again changes nothing. Profile: $(realpath "$shipped")/default.yaml; who answers for it: the airlock project.
- the launch: ./nothing
  why:  command not found
  rule: default.yaml:$(sed -n '/^  read:/,$ { /^    - / { =; q } }' "$shipped/default.yaml")" "$RC $(cat "$ERR")"
run_airlock --explain-denials --limit pids=100000000 -- true
expect_match "explain: an option that widens" "- why:  --limit pids=100000000: above what profile default allows; options only narrow" "$ERR"
run_airlock -- ./deny mount
expect_eq "without the option nothing is explained" "" "$(cat "$ERR")"
