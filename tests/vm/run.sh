#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Run on the host by `make vm` and by developers, as any user. Boots the guest
# that build.sh made, with the project's build/, profiles/ and tests/ unpacked
# at /job, and runs tests/vm/job.sh in it as root.
#
#   run.sh [--kernel NAME] [--out DIR] [JOB_DIR]
#
# JOB_DIR is a tree that is laid over /job: its tests/vm/cases/x.sh adds or
# replaces a case, its tests/vm/job.sh is another job. DIR (build/vm/NAME)
# receives job.log, console.log and results/, the guest's /results.
#
# Exit status: the job's own. 125 with a message on stderr if there is none:
# the guest did not boot, died, or was stopped at AIRLOCK_VM_TIMEOUT seconds.
# There is no skip: a guest that cannot boot is a failure.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
timeout_s=${AIRLOCK_VM_TIMEOUT:-1800}
# Above the 2 GiB that the shipped profile gives a call: a limit above the host's
# memory is refused.
memory=${AIRLOCK_VM_MEMORY:-3072M}
accel=${AIRLOCK_VM_ACCEL:-tcg,thread=multi}
results_size=512M

kernel=6.1
out=
job=

die()
{
	echo "run.sh: $*" >&2
	exit 125
}

# guest_failed WHY: no exit code came back; show what the guest said last.
guest_failed()
{
	echo "--- last lines of $out/console.log" >&2
	tail -n 40 "$out/console.log" >&2 || true
	echo "--- last lines of $out/job.log" >&2
	tail -n 5 "$out/job.log" >&2 || true
	die "kernel $kernel: $1"
}

# pack TAR: what the guest unpacks at /job. Everybody may read and run it
# there, nobody but root may write, whatever the modes are here. Of build/ the
# programs alone: the rest is large, and other suites write there meanwhile.
pack()
{
	local part
	local parts=()

	for part in "$top"/build/airlock "$top"/build/airlock-* \
		"$top/build/tests/containment" "$top/profiles" "$top/tests"; do
		if [ -e "$part" ]; then
			parts+=("${part#"$top/"}")
		fi
	done
	echo "$kernel" >"$work/kernel"
	tar -cf "$1" --format=gnu --sort=name --owner=root:0 --group=root:0 \
		--mode='u+rwX,go=rX' -C "$work" kernel -C "$top" "${parts[@]}" ||
		die "cannot pack the job (did a file change meanwhile?)"
	if [ -n "$job" ]; then
		tar -rf "$1" --format=gnu --owner=root:0 --group=root:0 \
			--mode='u+rwX,go=rX' -C "$job" . ||
			die "cannot pack $job"
	fi
}

# boot: run the guest to its end, its log on stdout; the result is timeout's.
boot()
{
	local rc=0

	# A pipe, not qemu's stdio: that would switch the terminal to raw.
	mkfifo "$work/log"
	tee "$out/job.log" <"$work/log" &
	tee_pid=$!

	timeout --kill-after=10 "$timeout_s" qemu-system-x86_64 \
		-accel "$accel" -M q35 -cpu max -smp 2 -m "$memory" \
		-nodefaults -no-user-config -display none -no-reboot -nic none \
		-kernel "$image/vmlinuz" -initrd "$image/initramfs" \
		-append "$(paste -sd' ' <<-'END'
			root=/dev/vda rw console=ttyS0 quiet panic=-1
			mitigations=off systemd.unified_cgroup_hierarchy=1
			systemd.show_status=0 lsm=landlock,yama,bpf psi=1
			random.trust_cpu=1 tsc=reliable
		END
		)" \
		-drive "if=virtio,format=raw,snapshot=on,file=$image/root.img" \
		-drive "if=virtio,format=raw,readonly=on,file=$work/job.tar" \
		-drive "if=virtio,format=raw,file=$work/results.tar" \
		-serial "file:$out/console.log" \
		-device virtio-serial-pci \
		-chardev "file,id=log,path=$work/log" \
		-device virtserialport,chardev=log,name=airlock.log \
		-chardev "file,id=rc,path=$work/rc" \
		-device virtserialport,chardev=rc,name=airlock.rc \
		</dev/null &
	qemu_pid=$!
	wait "$qemu_pid" || rc=$?
	qemu_pid=

	# If qemu never opened the pipe, tee is still waiting for a writer.
	: <>"$work/log"
	wait "$tee_pid"
	return "$rc"
}

# shellcheck disable=SC2317 # called by trap
cleanup()
{
	if [ -n "$qemu_pid" ] && kill "$qemu_pid"; then
		wait "$qemu_pid" || true
	fi
	rm -rf "$work"
}

while [ $# -gt 0 ]; do
	case $1 in
	--kernel | --out)
		[ $# -ge 2 ] || die "$1 needs a value"
		if [ "$1" = --kernel ]; then
			kernel=$2
		else
			out=$2
		fi
		shift
		;;
	-*)
		die "usage: run.sh [--kernel NAME] [--out DIR] [JOB_DIR]"
		;;
	*)
		[ -z "$job" ] || die "one JOB_DIR only"
		[ -d "$1" ] || die "no directory $1"
		job=$1
		;;
	esac
	shift
done

image=$("$here/build.sh" --path "$kernel") || die "no kernel $kernel"
[ -f "$image/root.img" ] || die "no image $image: run tests/vm/build.sh"
out=${out:-$top/build/vm/$kernel}
rm -rf "$out/results"
mkdir -p "$out/results"
rm -f "$out/console.log" "$out/job.log"

qemu_pid=
work=$(mktemp -d)
trap cleanup EXIT
trap 'exit 125' HUP INT TERM

pack "$work/job.tar"
truncate -s "$results_size" "$work/results.tar"

SECONDS=0
qemu_rc=0
boot || qemu_rc=$?
case $qemu_rc in
0) ;;
124 | 137) guest_failed "stopped at the time limit of $timeout_s s" ;;
*) guest_failed "qemu ended with $qemu_rc" ;;
esac
rc=$(sed -n 's/^rc=\([0-9][0-9]*\)$/\1/p' "$work/rc")
[ -n "$rc" ] || guest_failed "the guest ended without an exit code"
tar -C "$out/results" --no-same-owner --no-same-permissions \
	-xf "$work/results.tar" || die "cannot unpack the guest's results"
echo "run.sh: kernel $kernel: exit code $rc after $SECONDS s, see $out"
exit "$rc"
