# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: more memory than allowed, as pages, a memfd, files in /dev/shm, locked (attempt 70)
# property: P7
# contained: the call ends as oom or limit, or the allocation fails; the launcher is not the victim
free memory:96=ok memfd:96=ok
options --limit memory=48MiB --limit disk=16MiB
attack() { act memory:96 memfd:96; }
attempt() {
	launch ./attack memory:96
	case $(record .outcome.verdict) in
	oom) expect exit 137 "$RC" ;;
	ok) expect_has "degraded: RLIMIT_DATA" "memory:96=ENOMEM" "$OUT" ;;
	*) fail "verdict $(record .outcome.verdict), exit $RC, $ERR" ;;
	esac
	launch ./attack memfd:200
	case $(record .outcome.verdict) in
	oom | limit) ;;
	*) [ "$(record '.outcome.degraded | length')" != 0 ] || fail "memfd: verdict $(record .outcome.verdict), exit $RC" ;;
	esac
	launch ./attack fill:/dev/shm/f,64
	expect "shm" "fill:/dev/shm/f,64=ENOSPC" "$OUT"
	launch ./attack mlock:32
	expect "mlock" "mlock:32=EAGAIN" "${OUT/ENOMEM/EAGAIN}"
}
