# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# Sourced by tests/containment/run: identities, the launcher, and the words of a case.
#
# A case is a file cases/NN-name.sh. Its header says what it tries, the property (P1–P15, docs/threat-model.md) and what
# counts as contained; then it defines
#   attack      calls `act ACT…` (payload/attack.h) or `act_command CMD…`; may use $WORKSPACE, $CANARY, $READ
#   rehearse    the control's acts, where attack names paths of the host: a control stays in $WORKSPACE, $CANARY, $READ
#   prepare     fills $WORKSPACE and $CANARY, as the identity; optional, run for the control and for the launcher
#   attempt     instead of the usual inside part, for what needs more than one run; uses inside and expect
#   not_here    prints why this host, identity or launcher cannot make the case real; prints nothing when it can
# and says with plain words at top level
#   free LINE…  lines that the control must print: the act works here without a sandbox
#   held LINE…  the lines inside, all of them, in order; paths are written as WORKSPACE, CANARY, READ
#   event KIND WHAT…  denials of the record, all of them; nothing said: there must be none
#   verdict V, exit_code N, settled S   of the call; default: ok, 0, whatever
#   options …   for airlock; control_in bare|userns|root: where the control runs; without_control WHY
#   for_any     other launchers are tried too (launchers.sh); also PATTERN…: lines that are right as well there
#   reading     $READ is a read path; limited OPTION…: airlock's options for limits, which not every launcher has
# What the launcher must leave alone is compared before and after: $CANARY, sysctls, the launcher's files.
set -u

# Where it cannot be written down the case ends without a result, which is a failure: on a full disk nothing is contained.
fail()
{
	printf '%s\n' "$*" >>"$RESULT_DIR/why" || kill -KILL "$CASE_PID"
}

# expect NAME WANT GOT: exact.
expect()
{
	[ "$2" = "$3" ] || fail "$1: want '$2', got '$3'"
}

expect_has()
{
	[[ $3 == *"$2"* ]] || fail "$1: '$2' is not in '$3'"
}

# expect_like NAME REGEX GOT: the whole of it.
expect_like()
{
	[[ $3 =~ ^$2$ ]] || fail "$1: '$3' is not '$2'"
}

# ---- who ------------------------------------------------------------------------------------------------

clean_env()
{
	env -i PATH="$PATH" HOME="$IDENTITY_HOME" LANG=C.UTF-8 AIRLOCK_STATE="$T/state" \
		TMPDIR="${TMPDIR:-/tmp}" "$@"
}

# as CMD…: as the identity of this round. Commands must be programs.
as()
{
	case $IDENTITY in
	root) clean_env "$@" ;;
	plain) as_plain "$@" ;;
	userns) as_plain unshare -r "$@" ;;
	esac
}

# hang_up FD: closes our end, for a coprocess that waits for it.
hang_up()
{
	eval "exec $1<&-"
}

as_plain()
{
	if [ "$(id -u)" = 0 ]; then
		clean_env setpriv --reuid="$PLAIN_UID" --regid="$PLAIN_GID" --clear-groups "$@"
	else
		clean_env "$@"
	fi
}

# ---- words of a case ------------------------------------------------------------------------------------

act()
{
	ACT=(./attack "$@")
}

act_command()
{
	ACT=("$@")
}

free()
{
	FREE+=("$@")
}

held()
{
	HELD+=("$@")
}

event()
{
	local kind=$1 what
	shift
	for what; do
		EVENTS+=("$kind $what")
	done
}

verdict()
{
	VERDICT=$1
}

exit_code()
{
	EXIT_CODE=$1
}

settled()
{
	SETTLED=$1
}

options()
{
	OPTIONS=("$@")
}

for_any()
{
	FOR_ANY=1
}

reading()
{
	READING=1
}

limited()
{
	LIMITED=1
	options "$@"
}

control_in()
{
	CONTROL_IN=$1
}

without_control()
{
	NO_CONTROL=$1
}

case_begin()
{
	ACT=() FREE=() HELD=() EVENTS=() OPTIONS=() VERDICT=ok EXIT_CODE=0 SETTLED="" CONTROL_IN=bare NO_CONTROL=""
	BEFORE=() STDIN="" REFUSED="" NOT_APPLICABLE="" ALSO=() FOR_ANY="" READING="" LIMITED=""
	prepare() { :; }
	not_here() { :; }
	attack() { :; }
	rehearse() { attack; }
	unset -f attempt
}

# ---- the world ------------------------------------------------------------------------------------------

# fresh KIND: $WORKSPACE, $CANARY, $READ anew, owned by the identity, so that only the launcher stands between.
fresh()
{
	WORKSPACE=$T/$1/ws CANARY=$T/$1/canary READ=$T/$1/read
	case $T in */containment-airlock.*) rm -rf "${T:?}/$1" ;; esac
	as mkdir -p "$WORKSPACE" "$CANARY" "$READ"
	as cp "$ATTACK" "$WORKSPACE/attack"
	as sh -c 'echo canary >"$1/secret" && mkdir "$1/dir" && echo read >"$2/file" && mkdir "$2/dir"' - \
		"$CANARY" "$READ"
}

# A profile that lets the tool read $READ.
give_read_path()
{
	as tee "$T/inside/reading.yaml" >/dev/null <<-Y
		version: 1
		name: reading
		description: Reads a directory that the caller could write.
		extends: default
		filesystem: { read: [/usr, /bin, /lib, /lib64, "$READ"] }
	Y
	OPTIONS+=(-p "$T/inside/reading.yaml")
}

# Everything that no case may change, as text.
host_state()
{
	find "$CANARY" "$READ" -printf '%P %y %m %U %n %s %T@ %l\n' | sort
	cat "$CANARY/secret"
	cat /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sys/vm/overcommit_memory
	stat -c '%n %s %Y %a' "$AIRLOCK" "${AIRLOCK%/*}/airlock-jail"
	grep -cF "$T" /proc/self/mountinfo
}

airlock_left()
{
	local p

	for p in /proc/[0-9]*/comm; do
		if grep -qx 'airlock-jail' "$p" 2>/dev/null; then
			echo "${p%/comm}"
		fi
	done | sort
}

# ---- the control ----------------------------------------------------------------------------------------

# guarded FUNCTION…: in a mount namespace where only $T, /proc and /dev/shm can be written, and with a host name of its own.
# A control, or what another launcher lets through, must not be able to touch the host, whoever it runs as.
guarded()
{
	if [ "$(id -u)" != 0 ]; then
		"$@"
		return
	fi
	export -f as as_plain clean_env
	export IDENTITY IDENTITY_HOME T PLAIN_UID PLAIN_GID
	# shellcheck disable=SC2016
	GUARD_WRITES="${LAUNCHER_WRITES[*]}" unshare -m -u --propagation private bash -c '
		set -u
		here=$(pwd)
		mount --bind "$T" "$T" || exit 125
		while read -r _ _ _ _ point _; do
			case $point in "$T" | /proc | /proc/* | /dev/shm) continue ;; esac
			mount -o remount,bind,ro "$point" || exit 125
		done < <(cat /proc/self/mountinfo)
		exec 9<"${T%/*}"
		for point in $GUARD_WRITES; do
			mount -t tmpfs -o "mode=$(stat -c %a "$point")" guard "$point" || exit 125
		done
		if [ ! -d "$T" ]; then
			mkdir -p "${T%/*}" && mount -c --rbind /proc/self/fd/9 "${T%/*}" || exit 125
		fi
		exec 9<&-
		touch /usr/airlock-guard 2>/dev/null && exit 125
		cd "$here" && "$@"' - "$@"
}

control_run()
{
	local inner=("${ACT[@]}")

	cd "$WORKSPACE" || return
	case $CONTROL_IN in
	bare) guarded as setsid -w "${inner[@]}" ;;
	userns) guarded as_plain unshare -Urmnpf setsid -w "${inner[@]}" ;;
	root) guarded clean_env setsid -w "${inner[@]}" ;;
	esac
}

control()
{
	local line out

	if [ ${#FREE[@]} = 0 ]; then
		[ -n "$NO_CONTROL" ] || declare -F attempt >/dev/null || echo "the case names none"
		return
	fi
	fresh control
	prepare
	rehearse
	out=$( (control_run) 2>&1 </dev/null | normalise)
	for line in "${FREE[@]}"; do
		grep -qxF -e "$line" <<<"$out" || {
			echo "without a sandbox it is not '$line': ${out:0:600}"
			return
		}
	done
}

normalise()
{
	sed -e "s|$WORKSPACE|WORKSPACE|g" -e "s|$CANARY|CANARY|g" -e "s|$READ|READ|g" -e "s|$T|TEMP|g"
}

# ---- the launcher ---------------------------------------------------------------------------------------

# launch CMD…: one call. OUT: its stdout, ERR: stderr, RC.
launch()
{
	local run=peer_run

	! is_airlock || run=launcher_run
	"$run" "$@" >"$RESULT_DIR/out" 2>"$RESULT_DIR/err" <"${STDIN:-/dev/null}"
	RC=$?
	OUT=$(normalise <"$RESULT_DIR/out" | tr -d '\0')
	ERR=$(tr -d '\0' <"$RESULT_DIR/err")
}

inside()
{
	if [ "$LAUNCHER" = none ]; then
		rehearse # what is safe on a host
	else
		attack
	fi
	launch "${ACT[@]}"
}

# not_applicable WHY: what only a run could tell; the case ends with it.
not_applicable()
{
	NOT_APPLICABLE=$1
}

# record JQ: of the last call, "-r".
record()
{
	as "$AIRLOCK" show @last --json >"$RESULT_DIR/record" 2>/dev/null && jq -r "$1" "$RESULT_DIR/record"
}

# refused TEXT: not started, and the message says why.
refused()
{
	expect "exit" 125 "$RC"
	expect_has "message" "$1" "$ERR"
	expect "output" "" "$OUT"
	REFUSED=1
}

check_record()
{
	local want got

	is_airlock || return 0
	want=$(printf '%s\n' "${EVENTS[@]}" | sed '/^$/d' | sort -u)
	got=$(record '.outcome.denials[] | "\(.kind) \(.what)"' | sort -u)
	expect events "$want" "$got"
	expect verdict "$VERDICT" "$(jq -r .outcome.verdict "$RESULT_DIR/record")"
	[ -z "$SETTLED" ] || expect settled "$SETTLED" "$(jq -r .outcome.settled "$RESULT_DIR/record")"
}

usual_attempt()
{
	local want

	inside
	want=$(printf '%s\n' "${HELD[@]}")
	expect_held "$want"
	is_airlock || return 0
	expect exit "$EXIT_CODE" "$RC"
	[ "$EXIT_CODE" = "$RC" ] || fail "stderr: $ERR"
	check_record
}

# Only the lines that differ: an act in a long list is found at once.
expect_lines()
{
	[ "$1" = "$2" ] || fail "$(diff <(printf '%s\n' "$1") <(printf '%s\n' "$2") | grep '^[<>]' |
		sed 's/^</want/; s/^>/got/' | head -12 | tr '\n' ';')"
}

# ---- one case -------------------------------------------------------------------------------------------

# Prints why another launcher is not asked.
not_asked()
{
	is_airlock && return
	if [ -z "$FOR_ANY" ]; then
		echo "the case is about airlock's own words"
	elif [ "$LAUNCHER" = none ] && [ ${#FREE[@]} = 0 ]; then
		echo "the case has its control in itself"
	elif [ -n "$LIMITED" ] && [ -n "$LAUNCHER_LACKS" ]; then
		echo "$LAUNCHER: $LAUNCHER_LACKS"
	fi
}

# case_run FILE: writes RESULT_DIR/result: "RESULT<tab>why".
case_run()
{
	local why before after

	case_begin
	: >"$RESULT_DIR/why"
	CASE=$1
	# shellcheck disable=SC1090
	. "$1"
	why=$(not_asked)
	[ -n "$why" ] || why=$(not_here)
	if [ -z "$why" ] && [ "$CONTROL_IN" = root ] && [ "$(id -u)" != 0 ]; then
		why="only root can do it where there is no sandbox"
	fi
	if [ -n "$why" ]; then
		printf 'not applicable\t%s\n' "$why"
		return
	fi
	why=$(control)
	if [ -n "$why" ]; then
		printf 'uncontrolled\t%s\n' "$why"
		return
	fi
	fresh inside
	prepare
	[ -z "$READING" ] || ! is_airlock || give_read_path
	before=$(host_state)
	if declare -F attempt >/dev/null; then
		attempt
	else
		usual_attempt
	fi
	after=$(host_state)
	[ "$before" = "$after" ] ||
		fail "the host changed: $(diff <(echo "$before") <(echo "$after") | grep '^[<>]' | head -4 | tr '\n' ';')"
	if [ -s "$RESULT_DIR/why" ]; then
		printf 'escaped\t%s\n' "$(tr '\n\t' '; ' <"$RESULT_DIR/why")"
	elif [ -n "$NOT_APPLICABLE" ]; then
		printf 'not applicable\t%s\n' "$NOT_APPLICABLE"
	elif [ -n "$REFUSED" ]; then
		printf 'refused\t\n'
	else
		printf 'contained\t\n'
	fi
}

# In another world than this host: matrix/run.
if [ -n "${WORLD:-}" ]; then
	# shellcheck source=SCRIPTDIR/matrix/world.sh disable=SC2154 # here: of run
	. "$here/matrix/world.sh"
fi
