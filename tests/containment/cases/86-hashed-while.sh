# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: a workspace that holds a FIFO, a file that grows, and one that is a device's name (own)
# property: P11
# contained: the call ends; the record says that the input was not stable
without_control "the act is against the reader"
attempt() {
	local pid start=$SECONDS
	as mkfifo "$WORKSPACE/pipe"
	# bounded, also when the kit is stopped meanwhile
	as timeout 20 sh -c 'while [ ! -e "$1/../stop" ]; do echo more; done >"$1/grows"' - "$WORKSPACE" &
	pid=$!
	for _ in {1..100}; do
		[ -s "$WORKSPACE/grows" ] && break
		sleep 0.01
	done
	launch ./attack stdin
	as touch "$T/inside/stop"
	wait $pid || fail "the file grew no more: $?"
	expect "exit" "0 stdin=null" "$RC $OUT"
	[ $((SECONDS - start)) -lt 6 ] || fail "took $((SECONDS - start)) s"
	expect "unstable" true "$(record .outcome.in_tree.unstable)"
	rm -f "$WORKSPACE/grows"
}
