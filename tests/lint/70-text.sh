#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Text of any kind: no trailing white space, a newline at the end, no overlong line, nothing in it that
# belongs to somebody's machine.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

text_files | while IFS= read -r file; do
	grep -Iq . "$file" && echo "$file"
done >"$lint_tmp/files"
mapfile -t files <"$lint_tmp/files"

grep -nE '[ 	]+$' "${files[@]}" | grep -vE '^LICENSE:' | cut -d: -f1,2 | sed 's/$/ trailing white space/' |
	exempted trailing | verdict text/trailing

for file in "${files[@]}"; do
	[ -z "$(tail -c 1 "$file")" ] || echo "$file last-line has no newline"
done | exempted last-line | verdict text/last-line

# Tabs are 8 columns. Tables may be wider, they are read by column.
mapfile -t c_files < <(grep -E '\.[ch]$' "$lint_tmp/files")
for file in "${c_files[@]}"; do
	expand -t 8 "$file" | awk -v file="$file" '
	/clang-format off/ { table = 1 }
	{ gsub(/[\200-\277]/, "") } # a character counts once
	!table && length($0) > 100 { print file ":" NR " long has " length($0) " columns" }
	/clang-format on/ { table = 0 }'
done | exempted long | verdict text/columns

grep -nE '^ {8}' "${c_files[@]}" |
	cut -d: -f1,2 | sed 's/$/ spaces at the start of a line: tabs/' | exempted spaces | verdict text/tabs

# Spelled so that this list does not find itself.
words=("/work""/" "/home/[a-z]+/src" "/tmp/br""ief" "TO""DO" "FIX""ME" "Claude Op""us" "Anthr""opic" "as an A""I" "DESI""GN" "notes/[a-z]*\.m""d" "house-sty""le")
for word in "${words[@]}"; do
	grep -nE "(^|[^A-Za-z0-9_])$word" "${files[@]}" | cut -d: -f1,2 | sed "s,\$, ${word//,/} must not be in the tree,"
done | exempted word | verdict text/words
