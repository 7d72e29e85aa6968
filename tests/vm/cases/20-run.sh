# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# Sourced by job.sh. `airlock run` as root and as a plain user, where they stand when a person, a service
# manager or an agent starts it. On this kernel a call's changes are kept on disk (tmpfs has no user xattrs).

# At home, with a login's environment; the workspace is the current directory's, so -w.
run_of_root()
{
	new_ws /root/ws root
	said root "$airlock" run -w /root/ws -- sh -c 'id; echo x >f'
	expect_said 0 "uid=1000(root) gid=1000(root) groups=1000(root)" ""
	expect_eq "committed" "$(cd /root/ws && stat -c '%n %U:%G %a %s' -- *)" "f root:root 644 2"
	expect_cgroup root
	expect_eq "record" "$(record root \
		'.outcome | [.verdict, .settled, .exit, .attestation.landlock_abi,
			.attestation.uid, .attestation.uid_outside, .attestation.groups]')" \
		"[\"ok\",\"committed\",0,$want_landlock,1000,2147000000,[]]"
	expect_eq "usage of the disk is counted" \
		"$(record root '.outcome.usage.disk_bytes > 0')" true
	expect_no_traces
}

run_of_root_for_a_user()
{
	new_ws /home/dev/ws dev
	rm -rf /home/dev/.local
	said root "$airlock" run -w /home/dev/ws -- sh -c 'id; echo x >f'
	expect_said 0 "uid=1000(dev) gid=1000(dev) groups=1000(dev)" ""
	expect_eq "committed" "$(cd /home/dev/ws && stat -c '%n %U:%G' -- *)" "f dev:dev"
	expect_eq "state" "$(stat -c '%U %a' /home/dev/.local/state/airlock)" "dev 700"
	expect_eq "all of the state is the owner's" \
		"$(find /home/dev/.local -ignore_readdir_race -printf '%u\n' |
			sort -u)" dev
	expect_cgroup dev
	expect_eq "record" "$(record dev \
		'[.planned.actor.uid, .outcome.verdict, .outcome.attestation.uid_outside]')" \
		'[1000,"ok",1000]'
	expect_no_traces
}

# A shell in the hierarchy's root, as on a host without systemd. What is handed to the owner is the call's alone:
# who may write the root's cgroup.procs may take and kill every process of the machine.
run_of_root_in_the_root_group()
{
	local top=/sys/fs/cgroup

	new_ws /home/dev/ws dev
	echo "$BASHPID" >$top/cgroup.procs
	said root "$airlock" run -w /home/dev/ws -p strict -- sh -c 'cat /proc/self/cgroup; echo x >f'
	expect_said 0 0::/ ""
	expect_cgroup dev 805306368 64 100000
	expect_eq "committed" "$(cd /home/dev/ws && stat -c '%n %U' -- *)" "f dev"
	expect_eq "owners above the owner's groups" \
		"$(find $top $top/airlock -maxdepth 1 ! -user root -printf '%p %u\n')" "$top/airlock/u1000 dev"
	expect_eq "another's process" \
		"$(as_dev bash -c "echo 1 >$top/airlock/u1000/supervisor/cgroup.procs" 2>&1 |
			sed 's/.*: //')" "Permission denied"
	# The leaf is empty when what comes behind the answer (airlock-log) is over.
	poll 20 rmdir $top/airlock/u1000/supervisor
	expect_eq "calls' groups" "$(find $top -name 'c-*')" ""
	rmdir $top/airlock/u1000 $top/airlock
	expect_no_traces
}

# And the limits bite there.
run_of_root_for_a_user_is_limited()
{
	new_ws /home/dev/ws dev
	said root "$airlock" run -w /home/dev/ws --limit memory=64MiB --limit disk=16MiB -- \
		sh -c 'echo x >f; tail /dev/zero'
	expect_eq "exit code, stdout" "$rc|$out" "137|"
	expect_cgroup dev 83886080
	expect_eq "ended" "$(record dev '.outcome | [.verdict, .settled]')" '["oom","held"]'
	expect_eq "workspace" "$(ls /home/dev/ws)" ""
	expect_no_traces
}

run_of_a_user()
{
	new_ws /home/dev/ws dev
	said dev "$airlock" run -w /home/dev/ws -- sh -c 'id; cat /proc/self/cgroup; echo x >f'
	expect_said 0 "uid=1000(dev) gid=1000(dev) groups=1000(dev)
0::/" ""
	expect_eq "committed" "$(cd /home/dev/ws && stat -c '%n %U:%G' -- *)" "f dev:dev"
	expect_cgroup dev
	expect_eq "record" "$(record dev \
		'.outcome | [.verdict, .settled, .attestation.landlock_abi, .attestation.uid]')" \
		"[\"ok\",\"committed\",$want_landlock,1000]"
	expect_no_traces
}

# su, cron, a gateway: nothing says where the manager is.
run_of_a_user_without_a_login_environment()
{
	new_ws /home/dev/ws dev
	said dev env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS \
		"$airlock" run -w /home/dev/ws -- true
	expect_said 0 "" ""
	expect_cgroup dev
	expect_no_traces
}

run_in_a_namespace_of_a_user()
{
	new_ws /home/dev/ws dev
	said dev unshare -r "$airlock" run -w /home/dev/ws -- sh -c 'id -u; echo x >f'
	expect_said 0 1000 ""
	expect_eq "committed" "$(cd /home/dev/ws && stat -c '%n %U:%G' -- *)" "f dev:dev"
	expect_cgroup dev
	expect_eq "record" "$(record dev '.outcome | [.verdict, .attestation.uid_outside]')" '["ok",0]'
	expect_no_traces
}

run_in_a_scope_of_a_user()
{
	new_ws /home/dev/ws dev
	said dev systemd-run --user --scope --quiet --collect \
		"$airlock" run -w /home/dev/ws -- true
	expect_said 0 "" ""
	expect_cgroup dev
	said dev systemd-run --user --scope --quiet --collect -p Delegate=yes \
		"$airlock" run -w /home/dev/ws -- true
	expect_said 0 "" ""
	expect_cgroup dev
	expect_no_traces
}

# Where the service is airlock alone, its own group is enough. It goes away with the service.
run_in_a_delegated_service()
{
	new_ws /root/ws root
	said root systemd-run --quiet --wait --pipe --collect -p Delegate=yes -E HOME=/root \
		"$airlock" run -w /root/ws -p strict -- cat /proc/self/cgroup
	expect_said 0 0::/ ""
	expect_cgroup root 805306368 64 100000
	new_ws /home/nolinger/ws nolinger
	said root systemd-run --quiet --wait --pipe --collect -p Delegate=yes -p User=nolinger \
		"$airlock" run -w /home/nolinger/ws -p strict -- cat /proc/self/cgroup
	expect_said 0 0::/ ""
	expect_cgroup nolinger 805306368 64 100000
	expect_no_traces
}

run_in_a_service_that_is_not_delegated()
{
	new_ws /root/ws root
	said root systemd-run --quiet --wait --pipe --collect -E HOME=/root \
		"$airlock" run -w /root/ws -p strict -- cat /proc/self/cgroup
	expect_said 0 0::/ ""
	expect_cgroup root 805306368 64 100000
	expect_no_traces
}

run_strict()
{
	local who

	for who in root dev; do
		new_ws "$(eval echo ~$who)/ws" "$who"
		said "$who" "$airlock" run -w "$(eval echo ~$who)/ws" -p strict -- sh -c 'echo x >f'
		expect_said 0 "" ""
		expect_cgroup "$who" 805306368 64 100000
		expect_eq "record" "$(record "$who" \
			'.outcome | [.verdict, .settled, .attestation.landlock_abi]')" "[\"ok\",\"committed\",$want_landlock]"
	done
	expect_no_traces
}

run_without_a_manager()
{
	local rule
	rule=strict.yaml:$(sed -n '/^allow_degraded:/=' /job/profiles/strict.yaml)

	new_ws /home/nolinger/ws nolinger
	said nolinger "$airlock" run -w /home/nolinger/ws -- sh -c 'echo x >f'
	expect_said 0 "" ""
	expect_eq "record" "$(record nolinger \
		'.outcome | [.verdict, .settled, .degraded, .attestation.cgroup]')" \
		'["ok","committed",["cgroup.cpu","cgroup.memory","cgroup.pids"],null]'
	expect_eq "committed" "$(cd /home/nolinger/ws && stat -c '%n %U' -- *)" "f nolinger"
	said nolinger "$airlock" run -w /home/nolinger/ws -p strict -- sh -c 'echo x >canary'
	expect_said 125 "" "airlock: layer cgroup.memory is missing here and profile strict\
 ($rule) does not allow to do without it: there is no systemd user manager for uid\
 $(id -u nolinger) (No such file or directory): log in through systemd, or 'loginctl enable-linger' for\
 this user; or start airlock alone in a service with\
 Delegate=yes; or list cgroup in allow_degraded; \`airlock doctor\` prints the fix"
	expect_eq "workspace" "$(ls /home/nolinger/ws)" f
	expect_no_traces
}

run_with_more_memory_than_there_is()
{
	new_ws /root/ws root
	printf '%s\n' 'version: 1' 'name: big' 'extends: default' 'limits: { memory: 512TiB }' >/root/big.yaml
	said root "$airlock" run -w /root/ws -p /root/big.yaml -- true
	expect_eq "exit code, stdout" "$rc|$out" "125|"
	expect_eq "message" "${err%% but this host*}" "airlock: limits.memory is 562949953421312 bytes"
	expect_no_traces
}

make_nolinger
case_run run-of-root run_of_root
case_run run-of-root-for-a-user run_of_root_for_a_user
case_run run-of-root-in-the-root-group run_of_root_in_the_root_group
case_run run-of-root-for-a-user-is-limited run_of_root_for_a_user_is_limited
case_run run-of-a-user run_of_a_user
case_run run-of-a-user-without-a-login-environment run_of_a_user_without_a_login_environment
case_run run-in-a-namespace-of-a-user run_in_a_namespace_of_a_user
case_run run-in-a-scope-of-a-user run_in_a_scope_of_a_user
case_run run-in-a-delegated-service run_in_a_delegated_service
case_run run-in-a-service-that-is-not-delegated run_in_a_service_that_is_not_delegated
case_run run-strict run_strict
case_run run-without-a-manager run_without_a_manager
case_run run-with-more-memory-than-there-is run_with_more_memory_than_there_is
