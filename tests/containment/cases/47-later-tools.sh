# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: names that a later tool executes, absent at the start (attempt 47)
# property: P4
# contained: held for a person; the workspace on the host has none of them
free create:.git/hooks/pre-commit=ok create:.envrc=ok create:.claude/settings.json=ok
attack() {
	act mkdir:.git mkdir:.git/hooks create:.git/hooks/pre-commit mkdir:.claude create:.claude/settings.json \
		create:.envrc mkdir:.vscode create:.vscode/tasks.json mkdir:sub mkdir:sub/.husky create:sub/.husky/pre-push \
		create:.mcp.json create:harmless
}
held mkdir:.git=ok mkdir:.git/hooks=ok create:.git/hooks/pre-commit=ok mkdir:.claude=ok create:.claude/settings.json=ok \
	create:.envrc=ok mkdir:.vscode=ok create:.vscode/tasks.json=ok mkdir:sub=ok mkdir:sub/.husky=ok \
	create:sub/.husky/pre-push=ok create:.mcp.json=ok create:harmless=ok
exit_code 123
settled held
attempt() {
	usual_attempt
	expect "workspace" attack "$(ls -A "$WORKSPACE")"
	for p in .git/hooks/pre-commit .claude/settings.json .envrc .vscode/tasks.json sub/.husky/pre-push .mcp.json; do
		expect "held $p" protected "$(jq -r --arg p "$p" '.outcome.changes.items[] | select(.path == $p) | .hold' "$RESULT_DIR/record" | sed 's/.*protected.*/protected/; s/built-in.*/protected/')"
	done
}
