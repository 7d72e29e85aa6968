# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: programs in the workspace, first in the caller's PATH, under names that a launcher may start outside (own)
# property: P3
# contained: none of them runs outside; inside the profile's PATH holds
without_control "the act is against the launcher"
prepare() {
	local name
	for name in sh bash age git tar zstd sqlite3 openssl airlock-cli airlock-jail airlock-log airlock-credd ldd env id; do
		as tee "$WORKSPACE/$name" >/dev/null <<-S
			#!/bin/bash
			echo \$0 >>"$CANARY/ran"
		S
		as chmod 755 "$WORKSPACE/$name"
	done
}
attempt() {
	BEFORE=(/usr/bin/env "PATH=$WORKSPACE:$PATH")
	launch ./attack stdin
	expect "call" "0 stdin=null" "$RC $OUT"
	launch id -u
	expect "program of the profile's PATH" 0 "$RC"
	(cd "$WORKSPACE" && as "${BEFORE[@]}" "$AIRLOCK" show @last) >/dev/null
	(cd "$WORKSPACE" && as "${BEFORE[@]}" "$AIRLOCK" diff @last) >/dev/null
	(cd "$WORKSPACE" && as "${BEFORE[@]}" "$AIRLOCK" doctor) >/dev/null
	expect "ran outside" "" "$(cat "$CANARY/ran" 2>/dev/null)"
}
