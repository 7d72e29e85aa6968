# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to read a file that only a supplementary group of the caller may read (attempt 38)
# property: P8
# contained: ENOENT, whatever groups are kept
not_here() { [ "$IDENTITY" = plain ] && [ "$(id -u)" = 0 ] || echo "needs root to give a group to the plain user"; }
attempt() {
	local with=(setpriv --reuid="$PLAIN_UID" --regid="$PLAIN_GID" --groups=4242)
	chmod 640 "$CANARY/secret"
	chown 0:4242 "$CANARY/secret"
	expect control "read:$CANARY/secret=ok" "$(clean_env "${with[@]}" "$WORKSPACE/attack" "read:$CANARY/secret")"
	OUT=$(cd "$WORKSPACE" && clean_env "${with[@]}" "$AIRLOCK" run -q -- ./attack "read:$CANARY/secret" </dev/null)
	expect output "read:$CANARY/secret=ENOENT" "$OUT"
	expect "groups in the record" "[4242]" "$(record '.planned.actor.groups | tojson')"
	chown "$PLAIN_UID:$PLAIN_GID" "$CANARY/secret"
	chmod 644 "$CANARY/secret"
}
