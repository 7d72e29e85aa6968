# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: the caller's environment: secrets, LD_PRELOAD, loader and interpreter names (own)
# property: P8
# contained: only what the profile passes or sets is there
for_any
without_control "the act is the caller's"
attempt() {
	BEFORE=(env SECRET_TOKEN=s3cr3t LD_PRELOAD=/nonexistent.so LD_LIBRARY_PATH=/nonexistent PYTHONPATH=/x NODE_OPTIONS=x \
		BASH_ENV=/x ENV=/x GIT_SSH_COMMAND=x AWS_SECRET_ACCESS_KEY=x TZ=UTC)
	attack() { act environ; }
	inside
	! is_airlock || expect output "environ=HOME LANG LOGNAME PATH PWD SHELL TZ USER" "$OUT"
	launch /bin/cat /proc/self/environ /proc/2/environ
	expect secrets "" "$(tr '\0' '\n' <"$RESULT_DIR/out" | grep -a s3cr3t)"
	is_airlock || return 0
	expect record 0 "$(as "$AIRLOCK" show @last --json | grep -c s3cr3t)"
	expect state "" "$(grep -rla s3cr3t "$T/state")"
	OPTIONS=(-e LD_PRELOAD=/x)
	inside
	refused LD_PRELOAD
	REFUSED=
}
