#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files of at most 800 lines, functions of at most 70 lines and 4 levels.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

mapfile -t sources < <(c_sources)
mapfile -t others < <(find launcher profiles tests -name '*.def' -o -name '*.sh')

wc -l "${sources[@]}" "${others[@]}" |
	awk '$2 != "total" && $1 > 800 { print $2 " file has " $1 " lines" }' |
	exempted file-size | verdict size/files

code "${sources[@]}" | awk -f tests/lint/size.awk >"$lint_tmp/functions"

# A counter that counts nothing would be quiet about everything.
if [ "$(grep -c ' lines ' "$lint_tmp/functions")" -gt 500 ]; then
	ok size/counts
else
	not_ok size/counts "only $(grep -c ' lines ' "$lint_tmp/functions") functions were found"
fi
awk '$3 == "lines" && $4 > 70 { print $1 " " $2 " has " $4 " lines" }' "$lint_tmp/functions" |
	exempted function-size | verdict size/functions
awk '$3 == "depth" && $4 > 4 { print $1 " " $2 " has " $4 " levels" }' "$lint_tmp/functions" |
	exempted function-depth | verdict size/depth
