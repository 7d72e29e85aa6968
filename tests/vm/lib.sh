# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced by job.sh in the guest, as root, under set -euo pipefail; the cases
# in cases/*.sh use what is here. A case is a command or a shell function:
# exit 0 is a pass, 77 a skip, all else a failure, and the last line of its
# output is the reason. The whole output is kept in /results/NAME.log.

results=/results
case_timeout_s=600
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

# ---- airlock ------------------------------------------------------------------------------------

airlock=/job/build/airlock

# as_root CMD [ARG…]: as root at home, with nothing of the job's environment.
as_root()
{
	env -i -C /root HOME=/root USER=root LOGNAME=root SHELL=/bin/bash \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"$@"
}

# as_nolinger CMD [ARG…]: as a plain user who has neither session nor manager;
# make_nolinger comes first.
make_nolinger()
{
	id nolinger >/dev/null 2>&1 ||
		useradd --create-home --shell /bin/bash nolinger
}

as_nolinger()
{
	setpriv --reuid=nolinger --regid=nolinger --init-groups \
		--inh-caps=-all env -i -C /home/nolinger HOME=/home/nolinger \
		USER=nolinger LOGNAME=nolinger SHELL=/bin/bash \
		PATH=/usr/local/bin:/usr/bin:/bin "$@"
}

# new_ws DIR OWNER: a fresh, empty workspace.
new_ws()
{
	rm -rf "$1"
	mkdir -p "$1"
	chown "$2:" "$1"
}

# said WHO CMD [ARG…]: runs a command as root, dev or nolinger; sets rc, out, err.
said()
{
	local who=$1 dir
	shift

	dir=$(mktemp -d)
	rc=0
	"as_$who" "$@" >"$dir/out" 2>"$dir/err" || rc=$?
	out=$(cat "$dir/out")
	err=$(cat "$dir/err")
	rm -r "$dir"
	echo "# $who: $*: $rc ${out@Q} ${err@Q}" | cut -c 1-1000
}

# expect_said RC OUT ERR: what the last `said` gave, in all three.
expect_said()
{
	expect_eq "exit code, stdout, stderr" \
		"$rc|$out|$err" "$1|$2|$3"
}

# record WHO JQ: a value of the record of who's last call, keys sorted.
record()
{
	"as_$1" "$airlock" show @last --json | jq -rcS "$2"
}

# What is there of calls: groups, scopes, processes, mounts, directories on disk.
traces()
{
	find /sys/fs/cgroup -name 'c-*' -o -name 'airlock-*.scope' \
		-o -path '*/airlock' -o -name supervisor
	pgrep -fa '^([^ ]*/)?airlock(-jail|-log|-cli| run)' || true
	grep -E ' (/proc/self/fd|.*overlay)' /proc/self/mountinfo || true
	find /root/.local/state/airlock/scratch \
		/home/*/.local/state/airlock/scratch -mindepth 1 \
		-maxdepth 1 2>/dev/null || true
}

# poll SECONDS CMD [ARG…]: until the command succeeds; fails if it does not.
poll()
{
	local end=$((SECONDS + $1))
	shift

	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

no_traces()
{
	[ -z "$(traces)" ]
}

expect_no_traces()
{
	if ! poll 20 no_traces; then
		traces
		echo "traces of a call that is over"
		return 1
	fi
}

# expect_cgroup WHO [MEMORY PIDS QUOTA]: what who's last call attested, all of it on
# v2 and nothing degraded. Without values those of the profile default.
expect_cgroup()
{
	local who=$1 memory=${2:-3221225472} pids=${3:-512} quota=${4:-400000}

	expect_eq "attested cgroup" \
		"$(record "$who" '.outcome.attestation.cgroup')" \
		"{\"cpu_period_us\":100000,\"cpu_quota_us\":$quota,\"memory_max\":$memory,\"pids_max\":$pids,\"swap_max\":0,\"version\":2}"
	expect_eq "degraded" "$(record "$who" .outcome.degraded)" "[]"
}

# summary SKIP_LIMIT: the last line of a job. Fails on a failed case, on more
# skips than that, and if nothing passed.
summary()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] &&
		[ "$skipped" -le "$1" ]
}
