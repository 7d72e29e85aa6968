# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# Sourced by job.sh. What `airlock doctor` finds here is what `airlock run` meets (cases/20-run.sh).

# The layers that are not well, of `doctor --json`.
unwell()
{
	jq -rc '[.layers[] | select(.status != "ok" and .status != "info") | [.layer, .status]]' <<<"$out"
}

doctor_well()
{
	local who=$1 profile

	for profile in default strict; do
		said "$who" "$airlock" doctor -p "$profile"
		expect_eq "exit code, last line" "$rc|${out##*$'\n'}" "0|profile $profile can run here"
		said "$who" "$airlock" doctor -p "$profile" --json
		expect_eq "exit code" "$rc" 0
		expect_eq "not well" "$(unwell)" "[]"
	done
	expect_no_traces
}

doctor_without_a_manager()
{
	said nolinger "$airlock" doctor
	expect_eq "exit code, last line" "$rc|${out##*$'\n'}" \
		"0|profile default can run here, without: cgroup.memory, cgroup.pids, cgroup.cpu"
	said nolinger "$airlock" doctor -p strict
	expect_eq "exit code, last line" "$rc|${out##*$'\n'}" \
		"1|profile strict cannot run here; missing: cgroup.memory, cgroup.pids, cgroup.cpu"
	expect_eq "fix" "$(tr -s ' \n' ' ' <<<"$out" | grep -o "'loginctl enable-linger' for this user")" \
		"'loginctl enable-linger' for this user"
	said nolinger "$airlock" doctor -p strict --json
	expect_eq "exit code" "$rc" 1
	expect_eq "not well" "$(unwell)" \
		'[["cgroup.memory","missing"],["cgroup.pids","missing"],["cgroup.cpu","missing"]]'
	expect_no_traces
}

# The fix that it names is one.
doctor_after_its_fix()
{
	loginctl enable-linger nolinger
	poll 60 test -S "/run/user/$(id -u nolinger)/bus"
	said nolinger "$airlock" doctor -p strict
	expect_eq "exit code, last line" "$rc|${out##*$'\n'}" "0|profile strict can run here"
	new_ws /home/nolinger/ws nolinger
	said nolinger "$airlock" run -w /home/nolinger/ws -p strict -- true
	expect_said 0 "" ""
	expect_cgroup nolinger 805306368 64 100000
	loginctl disable-linger nolinger
}

make_nolinger
case_run doctor-root doctor_well root
case_run doctor-user doctor_well dev
case_run doctor-without-a-manager doctor_without_a_manager
case_run doctor-after-its-fix doctor_after_its_fix
