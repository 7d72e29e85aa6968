# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: names that the launcher itself uses in a workspace: its state, its commit's staging directory (own)
# property: P12
# contained: held for a person
attack() { act mkdir:.airlock create:.airlock/x mkdir:.airlock-commit symlink:/etc,.airlock-commit/new-0; }
free create:.airlock/x=ok mkdir:.airlock-commit=ok
held mkdir:.airlock=ok create:.airlock/x=ok mkdir:.airlock-commit=ok \
	symlink:/etc,.airlock-commit/new-0=ok
exit_code 123
settled held
attempt() {
	usual_attempt
	expect "workspace" attack "$(ls -A "$WORKSPACE")"
}
