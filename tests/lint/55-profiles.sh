#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every shipped profile says what it is for and who answers for it, has vectors, stands in the table of the
# documentation, and is tried with its real program.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# parent NAME: what it extends.
parent()
{
	sed -nE 's/^extends: ([a-z0-9-]+).*/\1/p' "profiles/$1.yaml"
}

# The one owners key that counts is the nearest: its own, or one of those above.
has_owners()
{
	local name=$1

	while [ -n "$name" ]; do
		grep -q '^owners:' "profiles/$name.yaml" && return 0
		name=$(parent "$name")
	done
	return 1
}

for file in profiles/*.yaml; do
	name=$(basename "$file" .yaml)
	echo "$name"
	grep -qx "name: $name" "$file" || echo "$file: its name is not $name" >&3
	grep -q '^description: .' "$file" || echo "$file has no description" >&3
	[ -s "profiles/vectors/$name.yaml" ] || echo "$file has no profiles/vectors/$name.yaml" >&3
	has_owners "$name" || echo "$file has no owners, nor has a profile that it extends" >&3
	if grep -q '^tool:' "$file" && ! grep -qhE -- "-p $name( |$)" tests/e2e/60-shipped-*.sh; then
		echo "$file is not tried: tests/e2e/60-shipped-*.sh" >&3
	fi
done >"$lint_tmp/profiles" 3>"$lint_tmp/profile-faults"
verdict profiles/whole <"$lint_tmp/profile-faults"

sed -n '/^## Shipped profiles$/,/^## Control/s/^| `\([a-z0-9-]*\)` |.*/\1/p' docs/operations.md | sort >"$lint_tmp/page-profiles"
{
	comm -23 "$lint_tmp/profiles" "$lint_tmp/page-profiles" | sed 's/^/not in docs\/operations.md: /'
	comm -13 "$lint_tmp/profiles" "$lint_tmp/page-profiles" | sed 's/^/only in docs\/operations.md: /'
} | verdict profiles/documented

packaging/containers/make-seccomp | diff - packaging/containers/airlock-seccomp.json |
	sed -n 's/^[<>]/packaging\/containers\/airlock-seccomp.json is not of profiles\/syscalls.def (make-seccomp): /p' |
	head -n 3 | verdict profiles/container
