#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Scripts: shellcheck finds nothing, and each says how it treats unset variables and failures.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

text_files | while IFS= read -r file; do
	head -n 1 "$file" | grep -aqE '^#!(/bin/bash|/bin/sh|/usr/bin/env bash)' && echo "$file"
done >"$lint_tmp/scripts"
mapfile -t scripts <"$lint_tmp/scripts"

if command -v shellcheck >/dev/null; then
	{
		shellcheck -x -P SCRIPTDIR -S warning -f gcc "${scripts[@]}" 2>&1
		# it takes much memory: killed, it is as quiet as when it has nothing to say
		status=$?
		[ "$status" -le 1 ] || echo "tests/lint/80-shell.sh ended: shellcheck gave $status"
	} |
		sed -E 's/^([^:]*:[0-9]+):[0-9]+: /\1 shellcheck /' | exempted shell | verdict shell/check
else
	skip shell/check "shellcheck is not installed"
fi

for file in "${scripts[@]}"; do
	grep -qE '^[[:space:]]*set -[a-z]*u|lib\.sh"$' "$file" || echo "$file set-u is missing"
done | exempted shell-set | verdict shell/unset
