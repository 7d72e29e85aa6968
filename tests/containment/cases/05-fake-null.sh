# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: /dev/null replaced by a regular file, and by a link to a device of another kind (attempts 4, 5)
# property: P3
# contained: refused: what is opened is not character device 1:3
without_control "the act is the launcher's own"
not_here() { [ "$IDENTITY" != userns ] || echo "the world is made with unshare -r itself, as for plain"; }
prepare() { as touch "$WORKSPACE/null"; }
attempt() {
	local map=(-m)
	[ "$IDENTITY" = root ] || map=(-r -m)
	# shellcheck disable=SC2016
	BEFORE=(unshare "${map[@]}" sh -c 'mount --bind "$0/null" /dev/null && exec "$@"' "$WORKSPACE")
	act list:.
	inside
	refused "stdio: No such device"
	# shellcheck disable=SC2016
	BEFORE=(unshare "${map[@]}" sh -c 'mount --bind /dev/zero /dev/null && exec "$@"')
	BEFORE+=(sh)
	inside
	refused "stdio: No such device"
}
