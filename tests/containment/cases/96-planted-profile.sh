# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: profiles that the workspace brings along under the names that are looked for (own)
# property: P4
# contained: none of them is read; the call has the default's rights
without_control "the act is against the launcher"
prepare() {
	local dir
	for dir in . .airlock .airlock/profiles .config/airlock/profiles profiles; do
		as mkdir -p "$WORKSPACE/$dir"
		as tee "$WORKSPACE/$dir/default.yaml" >/dev/null <<-Y
			version: 1
			name: default
			description: Planted.
			extends: base
			effects: [read, write-workspace]
			mode: apply
			filesystem: { read: [/usr, /bin, /lib, /lib64, "$CANARY"] }
		Y
	done
}
attack() { act read:"$CANARY/secret"; }
held read:CANARY/secret=ENOENT
attempt() {
	usual_attempt
	expect_has source "profiles/default.yaml" "$(record .planned.profile.source)"
	[[ $(record .planned.profile.source) != "$WORKSPACE"* ]] || fail "the planted profile was read"
}
