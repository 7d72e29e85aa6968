# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a caller whose umask is 0, and one whose umask takes all rights (own)
# property: P4
# contained: the state directory is its owner's alone; the call runs; what it makes has the tool's modes
without_control "the act is the caller's"
attempt() {
	local mask
	for mask in 0 777; do
		BEFORE=(env "AIRLOCK_STATE=$T/state-$mask" sh -c "umask $mask && exec \"\$@\"" -)
		launch /bin/sh -c 'umask 022; echo x >made-'$mask' && mkdir dir-'$mask
		expect "umask $mask" 0 "$RC"
		[ "$RC" = 0 ] || fail "$ERR"
		expect "umask $mask: modes" "644 755" "$(cd "$WORKSPACE" && stat -c %a made-$mask dir-$mask | tr '\n' ' ' | sed 's/ $//')"
		expect "umask $mask: who may enter" 700 "$(stat -c %a "$T/state-$mask")"
		expect "umask $mask: others may write" "" "$(find "$T/state-$mask" -ignore_readdir_race -perm /022 -not -type l | head -3)"
		# airlock-log takes files away meanwhile: of one that is gone there is no mode, and "-not -perm" would be true
		expect "umask $mask: closed to the owner" "" "$(find "$T/state-$mask" -ignore_readdir_race -printf '%m %y %p\n' |
			awk '$2 != "l" && int($1 / 100) % 10 < 4 { print $3 }' | head -3)"
	done
}
