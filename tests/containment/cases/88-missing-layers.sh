# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: Landlock, user namespaces, the listener taken away by a filter around (attempts 88, 87)
# property: P1
# contained: refused by name; with allow_degraded it runs and the record says so
without_control "the act is the host's"
attempt() {
	attack() { act stdin; }
	BEFORE=("$OUTER_FILTER" landlock_create_ruleset=ENOSYS --)
	inside
	expect "degraded" "0 stdin=null" "$RC $OUT"
	expect "record" true "$(record '.outcome.degraded | index("landlock") != null')"
	OPTIONS=(-p strict)
	inside
	expect "strict exit" 125 "$RC"
	expect "strict output" "" "$OUT"
	OPTIONS=()
	BEFORE=("$OUTER_FILTER" clone3=EPERM --)
	inside
	expect "no namespaces: exit" 125 "$RC"
	if [ "$IDENTITY" != root ]; then # root needs one earlier, for the id-mapped workspace
		expect_has "no namespaces: message" "user namespaces" "$ERR"
	fi
	BEFORE=("$OUTER_FILTER" acct=NOTIFY --)
	inside
	expect "listener: exit" 125 "$RC"
	expect_has "listener: message" notify "$ERR"
	for call in mount_setattr open_tree move_mount fsopen pivot_root seccomp; do
		BEFORE=("$OUTER_FILTER" "$call=ENOSYS" --)
		inside
		expect "$call: exit" 125 "$RC"
		expect "$call: output" "" "$OUT"
	done
}
