#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Programs that others wrote to try a kernel, as the tool of a call: each class of stress-ng, the kernel's own tests of
# Landlock, seccomp and mount_setattr, libseccomp's live tests (tests/hostile/build.sh). The call ends by itself or by its
# limit, its record is whole, and the host is afterwards as it was.
# alone: the whole host is compared with what it was
# identities: root plain
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

programs=$("$E2E_DIR/../hostile/build.sh") || {
	not_ok "the programs are made" "build.sh: exit $?"
	exit 1
}

# host: what none of them may change, as text.
host()
{
	cut -d ' ' -f 4- /proc/self/mountinfo | sort
	cat /proc/sys/kernel/{hostname,core_pattern,pid_max,sysrq} /proc/sys/vm/{overcommit_memory,swappiness} \
		/proc/sys/fs/file-max /proc/sys/net/ipv4/ip_forward /proc/sys/user/max_user_namespaces
	cat /proc/swaps
	cut -d ' ' -f 1 /proc/modules | sort
	cut -d : -f 1 /proc/net/dev
	tail -n +2 -q /proc/sysvipc/{shm,msg,sem} | wc -l
	echo "$((($(date +%s) - $(cut -d . -f 1 /proc/uptime)) / 8))" # the clock was not set
	stat -c '%n %U %a %s' /dev/null /dev/zero /etc/passwd /etc/shadow
	cat "$T/canary"
	pgrep -c '^stress-ng' || true
	cat /proc/sys/kernel/tainted # a bug or a warning of the kernel's
}

# groups: the control groups of calls, also of other people's.
groups()
{
	find /sys/fs/cgroup -type d -name 'c-*-*-*-*-*' 2>/dev/null | sort
}

# gone NAMES: none of them is there any more.
gone()
{
	[ -z "$(comm -12 <(echo "$1") <(groups))" ]
}

echo canary >"$T/canary"

# hostile NAME SAYS COMMAND…: SAYS is an expression for what shows that it ran, a line of its output or "verdict V".
hostile()
{
	local name=$1 says=$2 before had last verdict
	shift 2

	before=$(host)
	had=$(groups)
	last=$(call 1 2>/dev/null)
	run_airlock -q -m observe --limit wall=8s --limit pids=200 --limit memory=512MiB -- "$@"
	verdict=$(record .outcome.verdict)
	[ "$(call 1)" != "$last" ] || verdict="another call's"
	check "$name: it ran ($verdict, exit $RC)" grep -qE "$says" "$OUT" "$ERR" <(echo "verdict $verdict")
	check "$name: its outcome is recorded" grep -qxE 'ok|failed|signaled|timeout|oom|limit' <<<"$verdict"
	expect_eq "$name: the host is as it was" "" "$(diff <(echo "$before") <(host) | grep '^[<>]')"
	check "$name: no control group is left" wait_for 20 gone "$(comm -13 <(echo "$had") <(groups))"
}

new_ws
for class in cpu-cache cpu device filesystem interrupt io memory network os pipe scheduler security vm; do
	hostile "stress-ng $class" 'stress-ng: (info|error|fail)' stress-ng --class $class --all 1 -t 2 --oom-avoid
done
for program in "$programs"/*; do
	new_ws
	cp "$program" "$WS/"
	own "$WS"
	name=$(basename "$program")
	# libseccomp's say it with their status alone. 126 and 127 are the shell's, of a program that did not start; one that
	# did may still run when a limit ends the call.
	hostile "$name" '^ended ([0-9]|[1-9][0-9]|1[013-9][0-9]|12[0-589]|2[0-9][0-9])$|^verdict (timeout|oom|limit)$' sh -c './'"$name"'; echo "ended $?"'
done

# What these tests do where nobody stops them: they pass.
new_ws
cp "$programs/base_test" "$programs/21-live-basic_allow" "$WS/"
own "$WS"
(cd "$WS" && as_user ./base_test) >"$OUT" 2>&1
check "outside, Landlock's tests pass" grep -qE '^# Totals: pass:[1-9]|PASSED|^# PASSED' "$OUT"
