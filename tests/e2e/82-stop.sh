#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Calls that are ended, or held, from outside: ps, kill, the stop button, and a frozen call. A tool says "up" when it
# runs; that time passes, where it has to, is what another call measures.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

CALLS=50
cat >"$T/sleeper.yaml" <<'END'
version: 1
name: sleeper
extends: default
limits: { memory: 64M, disk: 16M, pids: 16, wall: 10m }
END
own "$T/sleeper.yaml"
echo '{"principal": "ann"}' >"$T/ann.json"
echo '{"principal": "bob"}' >"$T/bob.json"
own "$T"/*.json

declare -A JOBS

# start NAME ARG…: a call in the background, of the small profile; what it says is in $T/NAME.out and $T/NAME.err
start()
{
	local name=$1
	shift

	: >"$T/$name.out"
	(exec "${E2E_AS_ID[@]}" "${WRAP[@]}" "$A" run -w "$WS" -p "$PROFILE" "$@" \
		<"${IN:-/dev/null}" >"$T/$name.out" 2>"$T/$name.err") &
	JOBS[$name]=$!
}
WRAP=()
PROFILE=$T/sleeper.yaml

up()
{
	grep -q '^up' "$T/$1.out"
}

# sleeper NAME ARG…: one that only something from outside ends; it is up when this returns
sleeper()
{
	start "$@" -- sh -c 'echo up; exec sleep 998.82'
	wait_for 20 up "$1"
}

# ended NAME: sets ENDED to its exit status and what was said about it
ended()
{
	wait "${JOBS[$1]}"
	ENDED="$? $(cat "$T/$1.err")"
}

# expect_ended NAME CALL WANT
expect_ended()
{
	ended "$2"
	expect_eq "$1" "$3" "$ENDED"
}

alive()
{
	pgrep -fc -- '^sleep 998\.82'
}

# ps JQ: of the calls under way, oldest first
ps_json()
{
	as_id "$A" ps --json | jq -r "$1"
}

# only_call: the id of the one call under way
only_call()
{
	ps_json .call
}

state_is()
{
	[ "$(ps_json .state | sort | uniq -c | awk '{ print $1, $2 }')" = "$1" ]
}

# a_while: another call begins and ends, with the same tick as the others
a_while()
{
	as_id "$A" run -w "$WS" -p "$T/sleeper.yaml" -- sleep 0.3 >/dev/null 2>&1
}

# ---- nothing ---------------------------------------------------------------------------------------
expect_verb "ps: nothing was ever recorded" 0 ps
expect_eq "ps: nothing was ever recorded: said" "no call is under way" "$(cat "$OUT")"
expect_verb "stop: nothing is stopped" 0 stop
expect_eq "stop: nothing is stopped: said" "nothing is stopped" "$(cat "$OUT")"
expect_verb "stop --release where nothing is" 1 stop --release
expect_verb "stop --all --principal" 125 stop --all --principal ann
expect_verb "stop --principal ''" 125 stop --principal ''
expect_verb "stop --reason alone" 125 stop --reason x
expect_run "a call, for the records" 0 -p "$T/sleeper.yaml" -- true
done_call=$(call 1)

# ---- fifty, and the button ---------------------------------------------------------------------------
for i in $(seq $CALLS); do
	sleeper "n$i" || not_ok "sleeper $i" "$(cat "$T/n$i.err")"
done
expect_eq "$CALLS calls: their tools live" "$CALLS" "$(alive)"
expect_eq "$CALLS calls: ps has them" "$CALLS" "$(ps_json .call | sort -u | wc -l)"
expect_eq "$CALLS calls: what ps says of them" "$CALLS running sleeper local null" \
	"$(ps_json '"\(.state) \(.profile) \(.workflow_name) \(.principal)"' | uniq -c | sed 's/^ *//')"
expect_eq "$CALLS calls: each pid is an airlock" "$CALLS airlock" \
	"$(ps_json .pid | while read -r pid; do cat "/proc/$pid/comm"; done | uniq -c | sed 's/^ *//')"
expect_verb "ps for a person" 0 ps
expect_eq "ps for a person: lines" "$((CALLS + 1))" "$(wc -l <"$OUT")"
expect_verb "stop --all" 0 stop --all --reason 'a drill'
expect_eq "stop --all: said" \
	"refused from here on, until airlock stop --release: every call;$CALLS calls were under way and told to end; $CALLS ended;" \
	"$(tr '\n' ';' <"$OUT")"
expect_eq "stop --all: no tool lives" 0 "$(alive)"
expect_eq "stop --all: none is under way" "" "$(ps_json .call)"
for i in $(seq $CALLS); do
	ended "n$i"
	echo "$ENDED" >>"$T/all.ended"
done
expect_eq "stop --all: what each said" "$CALLS 125 airlock: interrupted: ended by airlock stop" \
	"$(sort "$T/all.ended" | uniq -c | sed 's/^ *//')"
as_id "$LOG" --wait
expect_eq "stop --all: the records" "$CALLS|interrupted|ended by airlock stop" \
	"$(rows "SELECT count(*), verdict, reason FROM call WHERE verdict <> 'ok' GROUP BY 2, 3")"
expect_verb "stop lists it" 0 stop
expect_match "stop lists it: the reason" ": a drill" "$OUT"
expect_match "stop lists it: whom" "stopped: every call, since " "$OUT"

expect_run "stopped: a new call is refused" 125 -p "$T/sleeper.yaml" -- sh -c 'echo ran'
expect_eq "stopped: nothing ran" "" "$(cat "$OUT")"
expect_match "stopped: it is told why" "a drill" "$ERR"
expect_eq "stopped: its record" "denied" "$(record .outcome.verdict)"
expect_verb "stopped: other verbs work" 0 show "$done_call"
expect_run "stopped: --dry-run runs nothing and works" 0 --dry-run -- true
expect_verb "stop --all again" 0 stop --all --reason 'another'
expect_eq "stop --all again: said" "0 calls were under way and told to end; 0 ended" "$(tail -n 1 "$OUT")"
expect_run "stopped again: refused" 125 -- true
expect_match "stopped again: the newer reason" "another" "$ERR"
expect_verb "stop --release" 0 stop --release
expect_run "released: calls run" 0 -p "$T/sleeper.yaml" -- true
expect_verb "stop --release again" 1 stop --release
as_id "$LOG" --wait
expect_eq "the log has it" "stop|a drill,stop|another,release|" \
	"$(rows "SELECT action, reason FROM event WHERE type = 'stop' ORDER BY n" | paste -sd,)"

# ---- who begins while it is pressed ------------------------------------------------------------------
# Each loop's calls run until one is refused; from then on all are: the button has no hole.
loop()
{
	local n said=''

	echo begun >"$T/loop$1"
	while [ ! -e "$T/enough" ]; do
		as_id "$A" run -w "$WS" -p "$T/sleeper.yaml" -- true >/dev/null 2>&1
		n=$?
		said="$said $n"
		echo "$said" >"$T/loop$1"
	done
}
some_ran()
{
	grep -q ' 0 0' "$T/loop1" && grep -q ' 0 0' "$T/loop2" && grep -q ' 0 0' "$T/loop3"
}
some_refused()
{
	grep -q ' 125 125' "$T/loop1" && grep -q ' 125 125' "$T/loop2" && grep -q ' 125 125' "$T/loop3"
}
for i in 1 2 3; do
	loop $i &
	JOBS[loop$i]=$!
done
check "a storm: calls run" wait_for 30 some_ran
expect_verb "a storm: stop --all" 0 stop --all
check "a storm: calls are refused" wait_for 30 some_refused
touch "$T/enough"
wait "${JOBS[loop1]}" "${JOBS[loop2]}" "${JOBS[loop3]}"
expect_eq "a storm: none ran after one was refused" "" \
	"$(cat "$T"/loop[123] | grep -E ' 125 (.* )?0( |$)')"
expect_verb "a storm: released" 0 stop --release

# ---- one principal -----------------------------------------------------------------------------------
sleeper ann --context "$T/ann.json"
sleeper bob --context "$T/bob.json"
sleeper nobody
expect_eq "principals: ps" "ann bob null" "$(ps_json .principal | paste -sd' ')"
expect_verb "stop --principal ann" 0 stop --principal ann --reason 'too many'
expect_eq "stop --principal ann: said" "1 call was under way and told to end; 1 ended" "$(tail -n 1 "$OUT")"
expect_ended "stop --principal ann: hers" ann "125 airlock: interrupted: ended by airlock stop"
expect_eq "stop --principal ann: the others run" "bob null" "$(ps_json .principal | paste -sd' ')"
expect_eq "stop --principal ann: their tools live" 2 "$(alive)"
expect_run "stop --principal ann: hers are refused" 125 --context "$T/ann.json" -- true
expect_match "stop --principal ann: and told why" "too many" "$ERR"
expect_run "stop --principal ann: bob's are not" 0 --context "$T/bob.json" -- true
expect_run "stop --principal ann: nor nobody's" 0 -- true
expect_verb "stop --release alone is not ann's" 1 stop --release
expect_verb "stop --release --principal ann" 0 stop --release --principal ann
expect_run "ann: released" 0 --context "$T/ann.json" -- true

# ---- one call ----------------------------------------------------------------------------------------
expect_eq "what a shell completes: those that can be killed" "$(ps_json .call)" \
	"$(as_id "$A" complete -- kill '' | cut -f 1)"
bobs=$(ps_json 'select(.principal == "bob") | .call')
expect_verb "kill, by an id without dashes" 0 kill "${bobs//-/}"
expect_eq "kill: said" "call $bobs: ended" "$(cat "$OUT")"
expect_ended "kill: the call" bob "125 airlock: interrupted: ended by airlock kill"
expect_eq "kill: the record" "interrupted ended by airlock kill" \
	"$(record '.outcome | "\(.verdict) \(.reason)"' "$bobs")"
expect_eq "kill: the other one runs" 1 "$(alive)"
as_id "$LOG" --wait
expect_verb "kill of one that has ended" 1 kill "$bobs"
expect_match "kill of one that has ended: said" "call $bobs is not under way any more" "$ERR"
expect_verb "kill of one that never was" 1 kill 0badc0de
expect_verb "kill of no call at all" 1 kill 'x y'
expect_verb "kill @last: it is under way" 0 kill "$(only_call)"
expect_ended "kill @last: the call" nobody "125 airlock: interrupted: ended by airlock kill"

sleeper suspended
as_id kill -STOP "$(ps_json .pid)"
expect_verb "a suspended airlock: kill" 0 kill "$(only_call)"
expect_ended "a suspended airlock: ended" suspended "125 airlock: interrupted: ended by airlock kill"

WRAP=(env --ignore-signal=TERM --ignore-signal=40 --ignore-signal=41 --ignore-signal=42)
sleeper deaf
kill -TERM "$(ps_json .pid)"
expect_eq "a caller that ignores signals: SIGTERM" 1 "$(alive)"
expect_verb "a caller that ignores signals: kill" 0 kill "$(only_call)"
expect_ended "a caller that ignores signals: ended" deaf "125 airlock: interrupted: ended by airlock kill"
WRAP=()

# One that waits has not begun: it has no record, its caller is told, and nothing of it is left.
under_way()
{
	[ "$(ps_json .call | wc -l)" = "$1" ]
}
# waiter NAME ARG…: a call that waits, beside WAITING others
waiter()
{
	start "$1" --result "$T/$1.json" "${@:2}" -- sh -c 'echo ran >>"$1"' sh "$WS/waited"
	check "$1: it waits" wait_for 20 under_way $((WAITING + 1))
}
# expect_no_trace NAME WHO
expect_no_trace()
{
	expect_ended "$1: ended" "$1" "125 airlock: ended by $2 before anything ran"
	expect_eq "$1: its result" "interrupted null ended by $2 before anything ran" \
		"$(jq -r '"\(.verdict) \(.call) \(.reason)"' "$T/$1.json")"
	expect_eq "$1: nothing of it is left" "$WAITING running" "$(ps_json .call | wc -l) $(ps_json .state | sort -u | paste -sd,)"
}
sleeper first -k one
WAITING=1
waiter key-kill -k one --wait
expect_verb "key-kill: kill" 0 kill "$(ps_json .call | tail -n 1)"
expect_no_trace key-kill "airlock kill"
waiter key-term -k one --wait
kill -TERM "$(ps_json .pid | tail -n 1)"
expect_no_trace key-term "signal 15"
# Somebody holds the ledger.
exec 9<"$(echo "$AIRLOCK_STATE"/wf/*/ledger)"
flock -x -n 9 || not_ok "ledger-kill: the ledger is held" "it is not"
waiter ledger-kill
expect_verb "ledger-kill: kill" 0 kill "$(ps_json .call | tail -n 1)"
expect_no_trace ledger-kill "airlock kill"
exec 9<&-
# A commit holds the workspace: another one, since a call runs in this one.
ws=$WS
new_ws held
exec 9<"$WS"
flock -x -n 9 || not_ok "lock-kill: the workspace is held" "it is not"
waiter lock-kill
expect_verb "lock-kill: kill" 0 kill "$(ps_json .call | tail -n 1)"
expect_no_trace lock-kill "airlock kill"
exec 9<&-
check "lock-kill: it did not run" test ! -e "$WS/waited"
WS=$ws
waiter key-stop -k one --wait
expect_verb "key-stop: stop --all" 0 stop --all
expect_ended "key-stop: the other one" first "125 airlock: interrupted: ended by airlock stop"
expect_ended "key-stop: ended" key-stop "125 airlock: ended by airlock stop before anything ran"
expect_eq "key-stop: nothing is left" "" "$(ps_json .call)$(find "$AIRLOCK_STATE/running" -type f)"
expect_verb "key-stop: released" 0 stop --release
check "none of them ran" test ! -e "$WS/waited"
expect_run "the key of the one that ran has its answer" 125 -p "$T/sleeper.yaml" -k one -- sh -c 'echo up; exec sleep 998.82'
expect_match "which is that it was ended" "ended by airlock stop" "$ERR"

# Nobody inside can: the pid is nobody's there.
mkfifo "$T/in"
own "$T/in"
IN=$T/in start inside -- sh -c 'echo up; read -r pid; kill -40 "$pid" 2>/dev/null; echo "$?"; kill -40 -1 2>/dev/null; echo on'
exec 7>"$T/in"
check "from inside: it runs" wait_for 20 up inside
ps_json .pid >&7
expect_ended "from inside: the call goes on" inside "0 "
expect_eq "from inside: no such process" "up 1 on" "$(paste -sd' ' "$T/inside.out")"
exec 7>&-

# ---- a frozen one ------------------------------------------------------------------------------------
size()
{
	stat -c %s "$T/$1.out"
}

grows()
{
	local now

	now=$(size "$1")
	wait_for 20 test_larger "$1" "$now"
}

test_larger()
{
	[ "$(size "$1")" -gt "$2" ]
}

ticker='exec 2>/dev/null; echo up; trap "echo got; exit 3" TERM; while :; do echo tick; sleep 0.01; done'
expect_verb "a workflow" 0 workflow new flow
start tick -W flow -- sh -c "$ticker"
check "frozen: it runs before" grows tick
expect_verb "workflow pause" 0 workflow pause flow
check "frozen: ps says so" wait_for 20 state_is "1 frozen"
a_while
before=$(size tick)
a_while
expect_eq "frozen: no progress" "$before" "$(size tick)"
expect_run "frozen: no other of that workflow begins" 125 -W flow -- true
expect_verb "workflow resume" 0 workflow resume flow
check "thawed: it goes on" grows tick
check "thawed: ps says so" wait_for 20 state_is "1 running"
expect_verb "frozen again" 0 workflow pause flow
check "frozen again: ps says so" wait_for 20 state_is "1 frozen"
expect_verb "frozen: kill" 0 kill "$(only_call)"
expect_ended "frozen: killed as it is" tick "125 airlock: interrupted: ended by airlock kill"
expect_verb "resumed" 0 workflow resume flow

# Its clock stands still: the tool ends by itself after more than limits.wall, and took less.
IN=$T/in start slow -W flow --limit wall=3s --result "$T/slow.json" -- sh -c 'echo up; read -r word; echo "$word"'
exec 7>"$T/in"
check "limits.wall: it runs" wait_for 20 up slow
expect_verb "limits.wall: frozen" 0 workflow pause flow
check "limits.wall: ps says so" wait_for 20 state_is "1 frozen"
expect_run "limits.wall: more than that goes by" 0 -- sleep 3.5
expect_verb "limits.wall: thawed" 0 workflow resume flow
echo on >&7
exec 7>&-
expect_ended "limits.wall: it ended well" slow "0 "
expect_eq "limits.wall: said" "up on" "$(paste -sd' ' "$T/slow.out")"
expect_eq "limits.wall: the time that it took" "true" "$(jq '.usage.wall_ms < 3000' "$T/slow.json")"

start term -W flow -- sh -c "$ticker"
check "SIGTERM at a frozen one: it runs" wait_for 20 up term
expect_verb "SIGTERM at a frozen one: frozen" 0 workflow pause flow
check "SIGTERM at a frozen one: ps says so" wait_for 20 state_is "1 frozen"
kill -TERM "$(ps_json .pid)"
expect_ended "SIGTERM at a frozen one: it ends" term "125 airlock: interrupted: ended by signal 15"
expect_eq "SIGTERM at a frozen one: the tool heard it" "got" "$(tail -n 1 "$T/term.out")"
expect_verb "SIGTERM at a frozen one: resumed" 0 workflow resume flow

# A freeze that comes before anything of the tool runs: it was sent before airlock began.
WRAP=(env --block-signal=41 sh -c 'kill -41 $$; exec "$@"' sh)
start early -- sh -c 'echo up'
WRAP=()
check "frozen before exec: ps says so" wait_for 20 state_is "1 frozen"
a_while
expect_eq "frozen before exec: nothing ran" "" "$(cat "$T/early.out")"
as_id /bin/kill -q 256 -41 "$(ps_json .pid)"
expect_ended "frozen before exec: thawed" early "0 "
expect_eq "frozen before exec: it ran" "up" "$(cat "$T/early.out")"

# Whole families, who forks while it is stopped, and the button over all of it.
PROFILE=default start family -- sh -c 'echo up; for i in 1 2; do (while :; do (echo tick); done) & done; wait'
check "a family that forks: it runs" grows family
as_id kill -41 "$(ps_json .pid)"
check "a family that forks: frozen" wait_for 20 state_is "1 frozen"
a_while
before=$(size family)
a_while
expect_eq "a family that forks: no progress" "$before" "$(size family)"
as_id /bin/kill -q 256 -41 "$(ps_json .pid)"
check "a family that forks: it goes on" grows family
as_id kill -41 "$(ps_json .pid)"
check "a family that forks: frozen again" wait_for 20 state_is "1 frozen"
expect_verb "the button ends what is frozen" 0 stop --all
expect_ended "the button ends what is frozen: ended" family "125 airlock: interrupted: ended by airlock stop"
expect_verb "released at the end" 0 stop --release
expect_eq "nothing is left" "0 " "$(alive) $(ps_json .call)"

# ---- no room -----------------------------------------------------------------------------------------
# On a full disk there is no room for what the button says, nor for its entry: it stops all the same.
no_room()
{
	as_id prlimit --fsize=0 "$A" "$@" 2>&1 | paste -sd';'
	return "${PIPESTATUS[0]}"
}
sleeper full
said=$(no_room stop --all --reason 'a drill')
expect_eq "no room: stop --all: exit" 1 $?
expect_eq "no room: said" "refused from here on, until airlock stop --release: every call;1 call was under way and told to end; 1 ended" \
	"${said#airlock: *;}"
expect_match "no room: and what is missing" "File too large" <(echo "$said")
expect_ended "no room: the call" full "125 airlock: interrupted: ended by airlock stop"
expect_run "no room: a new call is refused" 125 -- true
expect_match "no room: by whom" "stopped by uid $(as_id id -u); \`airlock stop --release\`" "$ERR"
expect_verb "no room: stop lists it" 0 stop
expect_match "no room: stop lists it: whom" "stopped: every call, since $(date +%Y)" "$OUT"
no_room stop --principal ann >"$OUT"
expect_verb "no room: stop lists hers" 0 stop
expect_match "no room: stop lists hers: whom" "stopped: calls of ?, since " "$OUT"
said=$(no_room stop --release)
expect_eq "no room: released, which is not recorded" "1 may begin again: every call" "$? ${said#airlock: *;}"
expect_run "no room: calls begin again" 0 -- true
expect_run "no room: but hers" 125 --context "$T/ann.json" -- true
expect_verb "no room: hers are released" 0 stop --release --principal ann
expect_run "no room: and begin" 0 --context "$T/ann.json" -- true

# What another user's state directory says is his word: root has no more power over it than he.
if [ "$E2E_IDENTITY" = root ]; then
	mkdir "$T/theirs" "$T/their-ws"
	chown "$E2E_USER": "$T/theirs" "$T/their-ws"
	as_user env AIRLOCK_STATE="$T/theirs" "$A" run -w "$T/their-ws" -- true
	sleep 300 &
	victim=$!
	fake=0190b0a0-1111-7222-8333-444455556666
	printf 'v 1\npid %s %s\nt0 1\nworkflow %s\nreserved 0 0 0 0\nfrozen 0\nprofile x\nprincipal \ncgroup \nend\n' \
		"$victim" "$(sed 's/.*) //' "/proc/$victim/stat" | cut -d' ' -f20)" "$fake" >"$T/theirs/running/$fake"
	chown "$E2E_USER": "$T/theirs/running/$fake"
	(exec "${E2E_AS_USER[@]}" flock -F "$T/theirs/running/$fake" sleep 300) &
	holder=$!
	held()
	{
		! flock -n "$T/theirs/running/$fake" true
	}
	wait_for 20 held || not_ok "theirs: the file is held" "it is not"
	AIRLOCK_STATE=$T/theirs expect_verb "theirs: root cannot be made to kill" 1 kill "$fake"
	check "theirs: it lives" kill -0 "$victim"
	kill "$victim" "$holder"
	wait "$victim" "$holder" 2>/dev/null
	rm "$T/theirs/running/$fake"
	chgrp daemon "$T/theirs"
	AIRLOCK_STATE=$T/theirs expect_verb "theirs: root stops it as him" 0 stop --all
	expect_eq "theirs: in his group, not the directory's" "$E2E_USER $(id -gn "$E2E_USER")" "$(stat -c '%U %G' "$T/theirs/stop/all")"
	AIRLOCK_STATE=$T/theirs expect_verb "theirs: and releases it" 0 stop --release
	expect_rc "theirs: nothing of root's is left there" 0 as_user env AIRLOCK_STATE="$T/theirs" "$A" run -w "$T/their-ws" -- true
fi
