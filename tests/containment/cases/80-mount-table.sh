# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: what the mount table and the descriptors tell of the host: paths, the upper directory, the set-up's rest (own)
# property: P4
# contained: no path of the host but the ones that are the same inside
without_control "the host's own table names its paths"
attempt() {
	launch /bin/sh -c 'cat /proc/self/mountinfo; ls -A / /proc/self/map_files; find / -xdev -name "*airlock*" -not -path "/proc/*" 2>/dev/null; true'
	expect "exit" 0 "$RC"
	expect "state" "" "$(grep -F "$T/state" "$RESULT_DIR/out")"
	expect "canary" "" "$(grep -F canary "$RESULT_DIR/out")"
	expect "set-up" "" "$(grep -F airlock-setup "$RESULT_DIR/out")"
	expect "layers by descriptor only" "" "$(grep -oE '(lower|upper|work)dir=[^,]*' "$RESULT_DIR/out" |
		grep -vE '^(lowerdir=[0-9]+(:[0-9]+)*|(upper|work)dir=/proc/self/fd/[0-9]+)$')"
}
