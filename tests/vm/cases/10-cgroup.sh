# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced by job.sh. Pure cgroup v2 under systemd: how airlock comes to a group of its own, as root, as a
# plain user with a manager, and as one without. Limits are tried by the cases of `airlock run`.

cli=/job/build/airlock-cli

# In a bash: into a scope, then where we are and what may be limited there.
enter_scope()
{
	/job/build/airlock-cli cgroup-scope --pid "$$" "$@" || exit
	group=$(sed -n 's/^0:://p' /proc/self/cgroup)
	echo "$group" | sed -E "s/airlock-$$-[0-9a-f]+\.scope\$/airlock-PID-TIME.scope/"
	tr ' ' '\n' <"/sys/fs/cgroup$group/cgroup.controllers" |
		grep -xE 'cpu|memory|pids' | sort | paste -sd' '
	mkdir "/sys/fs/cgroup$group/leaf" && rmdir "/sys/fs/cgroup$group/leaf"
}

cgroup_site_needs_a_scope()
{
	local out=/tmp/cgroup-site.$BASHPID

	"$cli" cgroup-site --out "$out"
	expect_eq "magic" "$(head -c 4 "$out")" ALCS
	expect_eq "reason" "$(grep -ac 'holds processes' "$out")" 1
	expect_eq "left behind" "$(find /sys/fs/cgroup -name airlock)" ""
}

cgroup_scope_of_a_user()
{
	expect_eq "scope" \
		"$(as_dev bash -c "$(declare -f enter_scope); enter_scope")" \
		"/user.slice/user-1000.slice/user@1000.service/app.slice/airlock-PID-TIME.scope
cpu memory pids"
}

cgroup_scope_without_a_login_environment()
{
	expect_eq "scope" \
		"$(as_dev env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS \
			bash -c "$(declare -f enter_scope); enter_scope")" \
		"/user.slice/user-1000.slice/user@1000.service/app.slice/airlock-PID-TIME.scope
cpu memory pids"
}

cgroup_scope_of_root()
{
	expect_eq "scope" \
		"$(bash -c "$(declare -f enter_scope); enter_scope --system")" \
		"/system.slice/airlock-PID-TIME.scope
cpu memory pids"
}

cgroup_scope_without_a_manager()
{
	local rc=0 said before

	before=$(cat /proc/self/cgroup)
	said=$(setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$cli" cgroup-scope --pid "$BASHPID" 2>&1) || rc=$?
	expect_eq "exit code" "$rc" 125
	expect_eq "message" "${said%% (*}" \
		"airlock: cgroup: there is no systemd user manager for uid 65534"
	expect_eq "group" "$(cat /proc/self/cgroup)" "$before"
}

cgroup_scope_goes_with_its_process()
{
	local i

	for ((i = 0; i < 100; i++)); do
		if [ -z "$(find /sys/fs/cgroup -name 'airlock-*.scope')" ]; then
			return
		fi
		sleep 0.1
	done
	find /sys/fs/cgroup -name 'airlock-*.scope'
	return 1
}

case_run cgroup-site-needs-a-scope cgroup_site_needs_a_scope
case_run cgroup-scope-of-a-user cgroup_scope_of_a_user
case_run cgroup-scope-without-a-login-environment cgroup_scope_without_a_login_environment
case_run cgroup-scope-of-root cgroup_scope_of_root
case_run cgroup-scope-without-a-manager cgroup_scope_without_a_manager
case_run cgroup-scope-goes-with-its-process cgroup_scope_goes_with_its_process
