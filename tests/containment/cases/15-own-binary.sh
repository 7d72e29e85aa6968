# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to write to the launcher through /proc, and to see it (attempt 15)
# property: P3
# contained: ETXTBSY for the own program, EACCES for PID 1; the launcher is unchanged
free write:/proc/self/exe=ETXTBSY
attack() { act write:/proc/self/exe write:/proc/1/exe read:/proc/1/exe readlink:/proc/1/exe open:"$AIRLOCK"; }
held write:/proc/self/exe=ETXTBSY write:/proc/1/exe=EACCES read:/proc/1/exe=EACCES readlink:/proc/1/exe=EACCES \
	"open:$AIRLOCK=ENOENT"
