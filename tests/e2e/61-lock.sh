#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The lock of a workspace: shared by the calls that run in it, exclusive to commit, and for a time only. Calls say "up" and
# wait for a line on their input. What has to wait out its time (5 s a commit, 10 s a beginning) does so beside the rest.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# hold NAME ARG…: starts a call that stays until let_go NAME. Its pid is in JOB_NAME, what it says in $T/NAME.*
hold()
{
	local name=$1
	shift

	mkfifo "$T/$name.go"
	(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" "$@" <"$T/$name.go" >"$T/$name.out" 2>"$T/$name.err") &
	declare -g "JOB_$name=$!"
	exec {fd}<>"$T/$name.go" # for both: writing to a call that was killed is no SIGPIPE
	declare -g "FD_$name=$fd"
	wait_for 20 grep -q up "$T/$name.out" || not_ok "$name came up" "$(cat "$T/$name.err")"
}

let_go()
{
	local fd=FD_$1 job=JOB_$1

	fd=${!fd}
	echo go >&"$fd"
	exec {fd}>&-
	wait "${!job}" 2>/dev/null
	RC=$?
}

# beside NAME ARG…: starts a call and does not wait for it; done_beside NAME does.
beside()
{
	local name=$1
	shift

	(exec "${E2E_AS_ID[@]}" "$A" run -w "$WS" --result "$T/$name.json" "$@" </dev/null >"$T/$name.out" 2>"$T/$name.err") &
	declare -g "JOB_$name=$!"
}

done_beside()
{
	local job=JOB_$1

	wait "${!job}" 2>/dev/null
	RC=$?
}

# settled NAME: how the result says that the call was settled, and why
settled()
{
	jq -r '"\(.verdict) \(.settled) \(.reason)"' "$T/$1.json"
}

gate()
{
	echo "$AIRLOCK_STATE/cache/lock-$(printf '%x-%x' "$(stat -c %d "$1")" "$(stat -c %i "$1")")"
}

# Somebody waits to commit to this workspace.
is_waited_for()
{
	[ -e "$(gate "$1")" ] && ! as_id flock -n -s "$(gate "$1")" true
}

work='echo up; read go'

# ---- what waits in vain --------------------------------------------------------------------------
# One workspace each, all at the same time: the longest of them is what this part takes.
new_ws stranger
exec {stranger}<"$WS"
flock -x "$stranger"
beside stranger -- true

new_ws held
HELD=$WS
hold reader -m observe -- sh -c "$work"
from=$EPOCHREALTIME
beside vain -- sh -c 'echo changed >f'

new_ws outer
OUTER=$WS
as_id mkdir -p "$OUTER/mid/inner" "$OUTER/else"
hold above -m observe -- sh -c "$work"
WS=$OUTER/mid/inner beside inside -- sh -c 'echo changed >f'

new_ws around
AROUND=$WS
as_id mkdir -p "$AROUND/mid/inner/deep" "$AROUND/else"
WS=$AROUND/mid/inner hold below -m observe -- sh -c "$work"
beside around -- sh -c 'echo changed >mid/inner/deep/f'

# ---- shared --------------------------------------------------------------------------------------
WS=$HELD
expect_run "two calls run at once" 0 -m observe -- true
expect_run "a call with nothing to commit does not wait" 0 -- true
# shellcheck disable=SC2154 # JOB_: see hold
expect_eq "and the first still runs" "" "$(kill -0 "$JOB_reader" 2>&1)"
expect_run "an observe call does not wait" 0 -m observe -- sh -c 'echo no >g'
expect_run "a call that failed does not wait" 3 -- sh -c 'echo no >g; exit 3'

# A commit in the outer workspace that touches nothing of the inner one goes through, past a call in it.
WS=$AROUND
expect_run "a commit beside a call in a workspace inside" 0 -- sh -c 'echo new >else/f'
expect_eq "it is there" new "$(cat "$AROUND/else/f")"

# A commit in one of two neighbours does not wait for a call in the other.
new_ws both
BOTH=$WS
as_id mkdir "$BOTH/a" "$BOTH/b"
WS=$BOTH/a hold neighbour -m observe -- sh -c "$work"
WS=$BOTH/b
expect_run "a commit beside a call in a neighbour" 0 -- sh -c 'echo new >f'
let_go neighbour

# ---- in the sandbox ------------------------------------------------------------------------------
# The tool's own lock on its workspace is on the overlay: it stops nobody.
new_ws inside
hold locker -m observe -- sh -c 'exec 9<. && flock -xn 9 && echo up; read go'
check "the tool's exclusive lock does not reach the host's directory" as_id flock -n -s "$WS" true
expect_run "nor another call" 0 -m observe -- flock -xn . true
let_go locker
expect_eq "the tool had it" 0 "$RC"

# ---- a commit that waits -------------------------------------------------------------------------
new_ws waits
as_id sh -c "echo old >'$WS/f'"
hold first -m observe -- sh -c "$work"
beside writer -- sh -c 'echo new >f'
wait_for 5 is_waited_for "$WS"
expect_eq "a commit waits for the call that runs" "0 old" "$? $(cat "$WS/f")"
# a call that begins now comes after it
beside later -m observe -- cat f
let_go first
expect_eq "the first call ended well" 0 "$RC"
done_beside writer
expect_eq "then it commits" "0 ok committed null new" "$RC $(settled writer) $(cat "$WS/f")"
done_beside later
expect_eq "the call that came later sees it" "0 new" "$RC $(cat "$T/later.out")"

# ---- who is killed -------------------------------------------------------------------------------
new_ws killed
as_id sh -c "echo old >'$WS/f'"
hold victim -m observe -- sh -c "$work"
expect_rc "while it runs its workspace is locked" 1 as_id flock -n -x "$WS" true
# the job is airlock itself: unshare and setpriv exec
# shellcheck disable=SC2154 # JOB_: see hold and beside
kill -KILL "$JOB_victim"
let_go victim
expect_eq "killed" 137 "$RC"
expect_rc "no lock stays behind" 0 as_id flock -n -x "$WS" true
expect_run "and the next commit goes through" 0 -- sh -c 'echo new >f'
expect_eq "it is there" new "$(cat "$WS/f")"

# Killed while it waits: the gate is open again.
hold keeps -m observe -- sh -c "$work"
beside gone -- sh -c 'echo never >f'
wait_for 5 is_waited_for "$WS"
expect_eq "a commit waits" 0 $?
# shellcheck disable=SC2154
kill -KILL "$JOB_gone"
done_beside gone
expect_rc "no gate stays shut" 0 as_id flock -n -s "$(gate "$WS")" true
expect_run "and the next call begins" 0 -m observe -- cat f
let_go keeps

# Asked to end while it waits: at once, and what was not committed is held.
hold keeps2 -m observe -- sh -c "$work"
beside asked -- sh -c 'echo never >f'
wait_for 5 is_waited_for "$WS"
# shellcheck disable=SC2154
kill -TERM "$JOB_asked"
done_beside asked
expect_eq "a commit that waits ends with a signal" "125 interrupted held ended by signal 15" \
	"$RC $(settled asked)"
let_go keeps2
expect_eq "nothing of it is there" new "$(cat "$WS/f")"

# SIGUSR1 is for the tool, and of no consequence where there is none: before it is started, and when it is dead.
exec {early}<"$WS"
flock -x "$early"
beside begins -- sh -c 'echo early >f'
# Only then it listens: until it does, a signal is what it is to any program.
listens()
{
	[ "$((0x$(awk '/^SigBlk/ { print $2 }' "/proc/$1/status") & 1 << (10 - 1)))" != 0 ]
}
# shellcheck disable=SC2154
wait_for 5 listens "$JOB_begins"
kill -USR1 "$JOB_begins"
flock -u "$early"
exec {early}<&-
done_beside begins
expect_eq "SIGUSR1 to a call that waits to begin" "0 ok committed null early" "$RC $(settled begins) $(cat "$WS/f")"
hold keeps3 -m observe -- sh -c "$work"
beside late -- sh -c 'echo late >f'
wait_for 5 is_waited_for "$WS"
# shellcheck disable=SC2154
kill -USR1 "$JOB_late"
let_go keeps3
done_beside late
expect_eq "SIGUSR1 to a commit that waits" "0 ok committed null late" "$RC $(settled late) $(cat "$WS/f")"

# ---- two users -----------------------------------------------------------------------------------
# as_other_user NAME IN ARG…: `beside` as the plain user, with a state directory of its own.
as_other_user()
{
	local name=$1 in=$2
	shift 2

	install -o "$E2E_USER" /dev/null "$T/$name.json"
	(exec "${E2E_AS_USER[@]}" AIRLOCK_STATE="$T/state-other" "$A" run -w "$WS" --result "$T/$name.json" "$@" <"$in" \
		>"$T/$name.out" 2>"$T/$name.err") &
	declare -g "JOB_$name=$!"
}

if [ "$E2E_IDENTITY" = root ]; then
	install -d -o "$E2E_USER" -m 700 "$T/state-other"
	new_ws shared
	chmod 777 "$WS"
	hold roots -m observe -- sh -c "$work"
	as_other_user users /dev/null -- sh -c 'echo user >u'
	AIRLOCK_STATE=$T/state-other wait_for 5 is_waited_for "$WS"
	expect_eq "a user's commit waits for root's call" "0 " "$? $(ls -A "$WS")"
	let_go roots
	done_beside users
	expect_eq "then it commits" "0 ok committed null user" "$RC $(settled users) $(cat "$WS/u")"

	mkfifo -m 666 "$T/other.go"
	exec {fd}<>"$T/other.go"
	as_other_user other "$T/other.go" -m observe -- sh -c "$work"
	wait_for 20 grep -q up "$T/other.out"
	beside root2 -- sh -c 'echo root >r'
	wait_for 5 is_waited_for "$WS"
	expect_eq "root's commit waits for a user's call" "0 u" "$? $(ls -A "$WS")"
	echo go >&"$fd"
	done_beside other
	done_beside root2
	expect_eq "then it commits" "0 ok committed null root" "$RC $(settled root2) $(cat "$WS/r")"
fi

# ---- what waited in vain -------------------------------------------------------------------------
done_beside vain
took=$(((${EPOCHREALTIME/./} - ${from/./}) / 1000))
expect_eq "a commit that a call keeps waiting" "123 ok held busy: another call runs in the workspace" "$RC $(settled vain)"
expect_eq "waited five seconds" yes "$([ "$took" -ge 5000 ] && echo yes || echo "$took")"
expect_match "it says so" "airlock: held: 1 change not committed: busy: another call runs in the workspace; airlock show" "$T/vain.err"
expect_eq "the record has it" "ok held busy: another call runs in the workspace" \
	"$(record '.outcome | "\(.verdict) \(.settled) \(.reason)"' "$(jq -r .call "$T/vain.json")")"
expect_eq "nothing was changed" "" "$(ls -A "$HELD")"
let_go reader

done_beside inside
expect_eq "a commit inside the workspace of a call that runs" \
	"123 ok held busy: another call runs in $OUTER, which contains the workspace, or commits below it" "$RC $(settled inside)"
expect_eq "nothing was changed there" "" "$(ls -A "$OUTER/mid/inner")"
let_go above
WS=$OUTER/mid/inner
expect_run "when that is over" 0 -- sh -c 'echo changed >f'

done_beside around
expect_eq "a commit around the workspace of a call that runs" \
	"123 ok held busy: another call runs in mid/inner inside the workspace" "$RC $(settled around)"
expect_eq "nothing was changed in it" "" "$(ls -A "$AROUND/mid/inner/deep")"
let_go below
WS=$AROUND
expect_run "when that one is over" 0 -- sh -c 'echo changed >mid/inner/deep/f'

done_beside stranger
expect_eq "a call that cannot begin" "125 launch_failed none null" "$RC $(settled stranger | cut -d' ' -f1,2) $(jq -r .call "$T/stranger.json")"
expect_eq "it says what to do" \
	"airlock: busy: another call commits in the workspace (waited 10 s for $T/stranger; nothing ran, try again)" \
	"$(cat "$T/stranger.err")"
flock -u "$stranger"
WS=$T/stranger
expect_run "when the other has gone" 0 -- true
