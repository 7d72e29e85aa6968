#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root plain
# A launch that is cut at any step: a system call of the set-up fails, or airlock or the jail is killed at it. The tool
# must not have run, the message must name the step, and nothing may be left. strace injects; `when` counts per process.
# The index' writer lives for a second and strace waits for it, so the cases run beside each other, each with a state
# and a workspace of its own.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
if ! as_id strace -f -o "$T/.probe" -e trace=pivot_root "$A" run -w "$WS" -- true 2>"$ERR" || ! grep -q pivot_root "$T/.probe"; then
	skip "set-up cut" "strace of a sandbox does not work here: $(head -n 1 "$ERR")"
	exit 0
fi
mkdir "$T/cut"
own "$T/cut"
count=0

# inject DIR SPEC ARG…: a run under strace in DIR/ws with a state in DIR/state; exit status in RC.
inject()
{
	local dir=$1 spec=$2
	shift 2

	as_id mkdir "$dir" "$dir/ws" "$dir/state"
	# the compiled profile, and that it is in the journal: that those can fail is told elsewhere
	as_id cp -r "$AIRLOCK_STATE/cache" "$AIRLOCK_STATE/profiles" "$dir/state/"
	as_id env AIRLOCK_STATE="$dir/state" strace -f -o "$dir/trace" -e trace="${spec%%:*}" -e inject="$spec" \
		"$A" run -w "$dir/ws" "$@" >"$dir/out" 2>"$dir/err"
	RC=$?
}

# What a cut launch leaves: nothing in the workspace, no process, a whole journal, no call that pretends to have ended.
expect_clean()
{
	local name=$1 dir=$2 verdict

	grep -qE 'INJECTED|killed by SIGKILL' "$dir/trace" || not_ok "$name: the fault was injected" "$(tail -n 3 "$dir/trace")"
	expect_eq "$name: the tool did not run" "" "$(ls -A "$dir/ws")"
	expect_eq "$name: nothing on stdout" "" "$(cat "$dir/out")"
	expect_eq "$name: no process is left" "" "$(pgrep -af -- "$dir/ws" | grep -v 'strace ')"
	verdict=$(as_id env AIRLOCK_STATE="$dir/state" "$A" log --json | jq -rs 'flatten | map(.verdict) | join(" ")')
	case $verdict in
	"" | launch_failed | unknown) ok "$name: verdict" ;;
	*) not_ok "$name: verdict" "$verdict" ;;
	esac
	as_id env AIRLOCK_STATE="$dir/state" "$A" run -w "$dir/ws" -- true >"$dir/out" 2>&1 ||
		not_ok "$name: the next call" "$(cat "$dir/out")"
}

# beside FUNCTION ARG…: runs it in the background, eight at a time; its lines come out in order.
beside()
{
	count=$((count + 1))
	"$@" "$T/cut/$count" >"$T/cut/$count.lines" 2>&1 &
	[ $((count % 8)) != 0 ] || wait
}

# refused SYSCALL ERRNO WHEN WANT DIR: the call fails; airlock says WANT on its last line and ends with 125.
refused()
{
	local name="$1 gives $2" dir=$5

	inject "$dir" "$1:error=$2:when=$3" -- sh -c 'echo ran; touch canary'
	expect_eq "$name: exit" 125 "$RC"
	check "$name: says so" grep -q -- "$4" "$dir/err"
	expect_clean "$name" "$dir"
}

# killed SYSCALL WHEN EXIT DIR: whoever makes the call is killed at it.
killed()
{
	local name="killed at $1 $2" dir=$4

	inject "$dir" "$1:signal=KILL:when=$2" -- sh -c 'echo ran; touch canary'
	expect_eq "$name: exit" "$3" "$RC"
	expect_clean "$name" "$dir"
}

# the launcher's own
beside refused memfd_create ENOMEM 1+ 'airlock: seal the plan: '
beside refused socketpair EMFILE 1+ 'airlock: socket to the jail'
beside refused clone3 EAGAIN 1+ 'Resource temporarily unavailable'
beside refused execveat EPERM 1+ 'airlock: launch_failed: hygiene: exec airlock-jail'
beside refused close_range EINVAL 1+ 'airlock: launch_failed: hygiene: close_range'
beside refused fdatasync EIO 1+ 'airlock: write the journal in '
beside refused capset EPERM 1 'airlock: launch_failed: hygiene: keep capabilities over exec'
beside refused prctl EPERM 1 'airlock: launch_failed: hygiene: keep capabilities over exec'
beside refused setsid EPERM 1 'airlock: launch_failed: hygiene: a session of its own: Operation not permitted'
# the jail's, in the order of its stages
beside refused setresgid EPERM 1+ 'airlock: launch_failed: namespaces: become gid '
beside refused setresuid EPERM 1+ 'airlock: launch_failed: namespaces: become uid '
beside refused sethostname EPERM 1+ 'airlock: launch_failed: namespaces: sethostname: Operation not permitted'
beside refused openat2 ENOSYS 1+ 'airlock: openat2 is not there (ENOSYS)'
beside refused fsopen EPERM 1+ 'airlock: launch_failed: mounts: root tmpfs: Operation not permitted'
beside refused fsmount EPERM 3 'airlock: launch_failed: mounts: '
beside refused move_mount EINVAL 1+ 'airlock: launch_failed: mounts: root tmpfs: Invalid argument'
beside refused move_mount EINVAL 9 'airlock: launch_failed: mounts: '
beside refused umount2 EINVAL 1+ 'airlock: launch_failed: mounts: '
beside refused pivot_root EINVAL 1+ 'airlock: launch_failed: mounts: pivot_root'
beside refused landlock_add_rule EINVAL 3 'airlock: launch_failed: landlock: rule for /dev: Invalid argument'
beside refused landlock_restrict_self EPERM 1+ 'airlock: launch_failed: landlock: restrict: Operation not permitted'
beside refused prlimit64 EPERM 10+ 'airlock: launch_failed: seccomp: read back rlimit: Operation not permitted'
beside refused seccomp EINVAL 1+ 'airlock: launch_failed: '
beside refused sendmsg ENOBUFS 1 'No buffer space available'
# killed: the launcher (137), or a process of the jail (125)
beside killed clone3 1 137
beside killed fdatasync 1 137
for when in 1 2 3 4; do
	beside killed mkdirat "$when" 137 # the layout of a new state directory
	beside killed recvmsg "$when" 137
done
for at in setresuid:1 fsmount:1 fsmount:5 move_mount:1 move_mount:20 pivot_root:1 landlock_restrict_self:1 setsid:1 seccomp:1 sendmsg:2; do
	beside killed "${at%:*}" "${at#*:}" 125
done
wait
for i in $(seq "$count"); do
	cat "$T/cut/$i.lines"
done

# a commit that is cut: the next verb finishes it, and the record says so (62-recover.sh)
cut=$T/cut/commit
inject "$cut" renameat2:signal=KILL:when=1 -- sh -c 'echo ran; echo new >file'
expect_eq "killed at the commit: exit" 137 "$RC"
expect_eq "killed at the commit: no half file" .airlock-commit "$(as_id ls -A "$cut/ws")"
expect_eq "killed at the commit: verdict" "ok committed" \
	"$(as_id env AIRLOCK_STATE="$cut/state" "$A" log --json 2>/dev/null | jq -rs 'flatten | map(.verdict + " " + .settled) | join(" ")')"
expect_eq "killed at the commit: the whole file" new "$(as_id cat "$cut/ws/file")"
expect_run "the next call sweeps what the killed ones left" 0 -- true

# airlock-cli is killed where it reads the profile, and cannot be started: whoever waits for it has a word for both
printf 'version: 1\nname: cut\nextends: default\n' >"$T/cut/p.yaml"
own "$T/cut/p.yaml"
helper_cut()
{
	as_id strace -f -o "$T/.probe" "${@:3}" "$A" run -w "$WS" -p "$T/cut/p.yaml" -- touch canary 2>"$ERR"
	expect_eq "$1: exit, last word" "125 airlock: $2" "$? $(tail -n 1 "$ERR")"
	expect_eq "$1: nothing ran" "" "$(ls -A "$WS")"
}
helper_cut "killed as it compiles" "airlock-cli compile-profile was killed by signal 9" \
	-P "$T/cut/p.yaml" -e trace=openat -e inject=openat:signal=KILL
helper_cut "not started" "start airlock-cli compile-profile: Out of memory" -e trace=execveat -e inject=execveat:error=ENOMEM:when=1
