# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by lib.sh
# Sourced by ../lib.sh, last, when matrix/run started the kit in another world: what a case may expect there.
#   WORLD_REFUSES   every launch is refused with this text: a case is one launch of its act, and nothing may run
#   WORLD_OPTIONS   for airlock, instead of the case's
#   WORLD_DENIES    system calls that the world refuses first: no event, any errno
#   WORLD_INSTEAD   NAME=RESULT…: what these acts give there
#   WORLD_UNHEARD   there are no events of system calls at all
#   WORLD_CONTROLS  outside: the controls are those of the kit's run on the host
#   WORLD_CLOSED    airlock starts with 0, 1 and 2 closed; where a case makes runs of its own, with 0 closed
#   WORLD_WITHOUT   CASE=WHY…: not there

world_denies()
{
	[[ " ${WORLD_DENIES:-} " == *" $1 "* ]]
}

# The case that runs, as a reason not to.
world_without()
{
	local pair

	for pair in ${WORLD_WITHOUT:-}; do
		[ "$(basename "$CASE" .sh)" != "${pair%%=*}" ] || echo "${pair#*=}" | tr _ ' '
	done
}

# The events that the world leaves to airlock.
events_left()
{
	local line call

	while IFS= read -r line; do
		call=${line#syscall }
		if [ "$call" = "$line" ] || { [ -z "${WORLD_UNHEARD:-}" ] && ! world_denies "${call%% *}"; }; then
			printf '%s\n' "$line"
		fi
	done
}

# refused_lines WANT GOT: WANT, with the errno of GOT where both are one and the world may have answered: what its filter
# does not know, or what nobody hears of, is ENOSYS.
refused_lines()
{
	awk -F= -v denies=" ${WORLD_DENIES:-} " -v instead="${WORLD_INSTEAD:-}" '
	BEGIN {
		for (i = split(instead, words, " "); i > 0; i--) {
			split(words[i], word, "=")
			given[word[1]] = word[2]
		}
	}
	NR == FNR { got[$1] = $2; next }
	NF == 2 && ($1 in given) { print $1 "=" given[$1]; next }
	NF == 2 && $2 ~ /^E[A-Z0-9]+$/ && ($1 in got) &&
		(got[$1] == "ENOSYS" || (got[$1] == "EPERM" && index(denies, " " $1 " "))) { print $1 "=" got[$1]; next }
	{ print }' <(printf '%s\n' "$2") <(printf '%s\n' "$1")
}

eval "$(declare -f expect | sed '1s/expect/expect_as_ever/')"
eval "$(declare -f expect_lines | sed '1s/expect_lines/lines_alike/')"
if [ -n "${WORLD_DENIES:-}${WORLD_UNHEARD:-}${WORLD_INSTEAD:-}" ]; then
	expect()
	{
		if [ "$1" = events ]; then
			expect_as_ever "$1" "$(events_left <<<"$2")" "$(events_left <<<"$3")"
		else
			expect_as_ever "$1" "$(refused_lines "${2//;/$'\n'}" "${3//;/$'\n'}")" "$(printf '%s' "${3//;/$'\n'}")"
		fi
	}

	expect_lines()
	{
		lines_alike "$(refused_lines "$1" "$2")" "$2"
	}
fi

if [ "${WORLD_CONTROLS:-}" = outside ]; then
	control() { :; }
fi

eval "$(declare -f case_run | sed '1s/case_run/case_run_as_ever/')"
case_run()
{
	local why

	CASE=$1
	why=$(world_without)
	if [ -n "$why" ]; then
		printf 'not applicable\t%s\n' "$why"
	elif [ -n "${WORLD_REFUSES:-}" ]; then
		case_refused "$1"
	else
		case_run_as_ever "$1"
	fi
}

# What the case's act would have left, beside it a file in the workspace, and a directory of changes.
case_refused()
{
	local before

	case_begin
	BEFORE=() STDIN=""
	: >"$RESULT_DIR/why"
	# shellcheck disable=SC1090
	. "$1"
	fresh inside
	attack
	read -ra OPTIONS <<<"${WORLD_OPTIONS:-}"
	[ ${#ACT[@]} -gt 0 ] || act stdin
	before=$(host_state)
	launch sh -c 'echo ran >ran && exec "$@"' sh "${ACT[@]}"
	refused "$WORLD_REFUSES"
	expect "ran" "" "$(find "$WORKSPACE" "$T/state" -name ran 2>/dev/null)"
	expect "host" "$before" "$(host_state)"
	if [ -s "$RESULT_DIR/why" ]; then
		printf 'escaped\t%s\n' "$(tr '\n\t' '; ' <"$RESULT_DIR/why")"
	else
		printf 'refused\t\n'
	fi
}

if [ -n "${WORLD_CLOSED:-}" ]; then
	eval "$(declare -f launch | sed '1s/launch/launch_open/')"
	launch()
	{
		if declare -F attempt >/dev/null; then
			launch_open "$@" # with 0 closed: launchers/airlock.sh
			return
		fi
		(cd "$WORKSPACE" && as "${BEFORE[@]}" "$AIRLOCK" run -w "$WORKSPACE" "${OPTIONS[@]}" -- "$@" <&- >&- 2>&-)
		RC=$?
		OUT=$(as "$AIRLOCK" cat @last stdout | normalise | tr -d '\0')
		ERR=""
	}
fi
