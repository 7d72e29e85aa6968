# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a core dump, to a file or through a program that core_pattern pipes to (attempt 54)
# property: P8
# contained: the limit is 1 and cannot be raised, no mapping goes into a dump, no file
without_control "core_pattern is the host's, a dump here would be too"
options -m observe
attack() { act core-limit cat:/proc/self/coredump_filter crash; }
held "core-limit=1 1" cat:/proc/self/coredump_filter=00000000
verdict signaled
exit_code 134
attempt() {
	usual_attempt
	expect changes 0 "$(record '.outcome.changes.items | length')"
}
