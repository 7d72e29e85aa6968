# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced by job.sh in the guest, as root, under set -euo pipefail; the cases
# in cases/*.sh use what is here. A case is a command or a shell function:
# exit 0 is a pass, 77 a skip, all else a failure, and the last line of its
# output is the reason. The whole output is kept in /results/NAME.log.

results=/results
case_timeout_s=240
passed=0
failed=0
skipped=0

# The job's own group, which is delegated; each case runs in a child of it, so
# that nothing a case leaves behind lives on, whatever session it is in.
job_group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)

# case_run NAME CMD [ARG…]: run a case and print its line. Always returns 0.
# Never call it in a condition: bash would switch errexit off in the case.
case_run()
{
	local name=$1 log group rc why fd
	shift

	log=$results/${name//[\/ ]/_}.log
	group=$job_group/case.$((passed + failed + skipped))
	mkdir "$group"
	# The exit code comes as a line, so read can be the time limit: the
	# case itself does not hold this pipe.
	exec {fd}< <(
		set +e
		echo "$BASHPID" >"$group/cgroup.procs"
		(set -e && "$@") </dev/null >"$log" 2>&1
		echo "$?"
	)
	rc=
	read -r -t "$case_timeout_s" -u "$fd" rc || true
	exec {fd}<&-
	echo 1 >"$group/cgroup.kill"

	why=$(tail -n 1 "$log")
	case $rc in
	0)
		passed=$((passed + 1))
		echo "ok $name"
		;;
	77)
		skipped=$((skipped + 1))
		echo "skip $name: $why"
		;;
	'')
		failed=$((failed + 1))
		echo "not ok $name: no exit code within $case_timeout_s s"
		tail -n 20 "$log" | sed 's/^/# /'
		;;
	*)
		failed=$((failed + 1))
		echo "not ok $name: ${why:-exit code $rc, no output}"
		tail -n 20 "$log" | sed 's/^/# /'
		;;
	esac
}

# case_skip WHY: end the running case as a skip. job.sh bounds their number.
case_skip()
{
	echo "$*"
	exit 77
}

# expect_eq WHAT GOT WANT: fail, saying both, unless they are the same string.
expect_eq()
{
	if [ "$2" != "$3" ]; then
		echo "$1: got ${2@Q}, want ${3@Q}"
		return 1
	fi
}

# expect_rc WANT CMD [ARG…]: fail unless CMD exits with exactly WANT.
expect_rc()
{
	local want=$1 rc=0
	shift

	"$@" || rc=$?
	expect_eq "exit code of $1" "$rc" "$want"
}

# as_dev CMD [ARG…]: run a command (no shell function) as the plain user dev,
# at home, with the environment of a login and with dev's user manager at hand.
# The process stays in the caller's cgroup.
as_dev()
{
	setpriv --reuid=dev --regid=dev --init-groups --inh-caps=-all \
		env -i -C /home/dev \
		HOME=/home/dev USER=dev LOGNAME=dev SHELL=/bin/bash \
		PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 \
		XDG_RUNTIME_DIR=/run/user/1000 \
		DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus \
		"$@"
}

# as_dev_scope CMD [ARG…]: the same in a scope of dev's own whose cgroup is
# delegated, as a service manager would start an agent.
as_dev_scope()
{
	as_dev systemd-run --user --scope --quiet --collect -p Delegate=yes \
		-- "$@"
}

# as_dev_scope_function NAME: a function of the tests, which must not call
# others, in a bash in such a scope.
as_dev_scope_function()
{
	as_dev_scope bash -euo pipefail -c "$(declare -f "$1"); $1"
}

# summary SKIP_LIMIT: the last line of a job. Fails on a failed case, on more
# skips than that, and if nothing passed.
summary()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] &&
		[ "$skipped" -le "$1" ]
}
