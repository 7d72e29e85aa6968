# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: another file system where /proc should be, empty, and with the names that a launcher reads and writes (attempt 7)
# property: P3
# contained: refused; nothing is written there
without_control "the act is the launcher's own"
not_here() { [ "$IDENTITY" != userns ] || echo "the world is made with unshare -r itself, as for plain"; }
prepare() {
	as mkdir -p "$T/inside/names/self/attr" "$T/inside/names/self/fd" "$T/inside/empty"
	as ln -s "$AIRLOCK" "$T/inside/names/self/exe"
	as touch "$T/inside/names/self/attr/exec" "$T/inside/names/self/"{uid_map,gid_map,setgroups,oom_score_adj,coredump_filter}
}
attempt() {
	local map=(-m) dir
	[ "$IDENTITY" = root ] || map=(-r -m)
	for dir in /proc "$T/inside/empty" "$T/inside/names"; do
		BEFORE=(unshare "${map[@]}" sh -c 'mount --rbind "$0" /proc && exec "$@"' "$dir")
		act list:.
		inside
		if [ "$dir" = /proc ]; then
			expect "with the kernel's" "0 list:.=attack" "$RC $OUT"
		else
			refused /proc
		fi
	done
	expect written "" "$(find "$T/inside/names" -type f -size +0)"
}
