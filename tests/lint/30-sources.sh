#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every source begins with its licence and a banner; every header compiles alone; includes respect the
# boundaries between the directories of launcher/.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# ---- licence and banner ------------------------------------------------------------------------------

find launcher profiles tests \( -name '*.[ch]' -o -name '*.def' -o -name '*.pml' \) | sort | while IFS= read -r file; do
	if [ "$(head -n 1 "$file")" != '/* SPDX-License-Identifier: Apache-2.0 */' ]; then
		echo "$file spdx: the first line is not the licence"
	elif ! sed -n 2p "$file" | grep -q '^/\*'; then
		echo "$file banner: no comment after the licence (who runs it, as whom, trusting what)"
	fi
done | exempted banner | verdict sources/banner

# Scripts, YAML, the Makefile: the licence within the first two lines, then a comment.
find Makefile .ci launcher profiles tests -path tests/fuzz/corpus -prune -o -type f -print 2>/dev/null | sort | while IFS= read -r file; do
	case $file in
	*.[ch] | *.def | *.pml | *.txt | *.conf | *.service) continue ;;
	esac
	grep -Iq . "$file" || continue
	head -n 2 "$file" | grep -qE '^(#|//) SPDX-License-Identifier: Apache-2.0$' ||
		echo "$file spdx: no licence in the first two lines"
done | exempted banner-script | verdict sources/banner-scripts

# ---- headers are self-contained ------------------------------------------------------------------------

find launcher -name '*.h' | sort >"$lint_tmp/headers"
if command -v gcc >/dev/null; then
	while IFS= read -r header; do
		printf '#include "%s/%s"\n' "$PWD" "$header" >"$lint_tmp/alone.c"
		gcc -std=gnu17 -D_GNU_SOURCE -DAIRLOCK_VERSION='"0"' -Wall -Wextra -Werror -fsyntax-only \
			"$lint_tmp/alone.c" 2>"$lint_tmp/alone.err" ||
			echo "$header $(grep -m 1 error "$lint_tmp/alone.err")"
	done <"$lint_tmp/headers" | exempted header | verdict sources/headers-alone
else
	skip sources/headers-alone "gcc is not installed"
fi

while IFS= read -r header; do
	guard=$(basename "${header%.h}" | tr 'a-z-' 'A-Z_')
	grep -qE "^#ifndef AIRLOCK_([A-Z0-9_]+_)?[A-Z0-9_]+_H$" "$header" || echo "$header guard AIRLOCK_…_${guard}_H is missing"
done <"$lint_tmp/headers" | exempted guard | verdict sources/guards

# A source includes its own header first, where there is one.
find launcher -name '*.c' | sort | while IFS= read -r file; do
	own=$(basename "${file%.c}").h
	[ -f "$(dirname "$file")/$own" ] || continue
	[ "$(grep -m 1 '^#include' "$file")" = "#include \"$own\"" ] || echo "$file own-header: $own is not included first"
done | exempted own-header | verdict sources/own-header-first

# ---- boundaries ------------------------------------------------------------------------------------------

grep -HnE '^#[ \t]*include' launcher/*/*.[ch] launcher/*/*.def | awk '
FILENAME == "tests/lint/boundaries" {
	if ($1 ~ /^</) {
		for (i = 2; i <= NF; i++) {
			library[$1] = library[$1] " " $i
		}
		libraries[++library_count] = $1
	} else if ($1 ~ /:$/) {
		dir = substr($1, 1, length($1) - 1)
		known[dir] = 1
		for (i = 2; i <= NF; i++) {
			allowed[dir, $i] = 1
		}
	}
	next
}
{
	split($0, at, ":")
	place = at[1] ":" at[2]
	split(at[1], part, "/")
	dir = part[2]
	what = $NF
	if (!(dir in known)) {
		print place " " dir " is not in tests/lint/boundaries"
		next
	}
	if (what ~ /^</) {
		for (i = 1; i <= library_count; i++) {
			if (index(what, libraries[i]) != 1) {
				continue
			}
			ok = 0
			count = split(library[libraries[i]], files, " ")
			for (k = 1; k <= count; k++) {
				ok = ok || index(at[1], files[k]) == 1
			}
			if (!ok) {
				print place " " what " may not be seen here"
			}
		}
		next
	}
	gsub(/"/, "", what)
	if (what !~ /^\.\.\//) {
		if (what ~ /\//) {
			print place " " what " is neither of this directory nor ../DIR/FILE"
		}
		next
	}
	sub(/^\.\.\//, "", what)
	sub(/^\.\.\//, "", what)
	target = what
	sub(/\/.*/, "", target)
	if (what ~ /_internal\.h$/ && target != dir && dir != "cli") {
		print place " " what " belongs to its directory"
	}
	if (what ~ /_internal\.h$/ && dir == "cli") {
		print place " " what " belongs to its directory"
	}
	if (!((dir, target) in allowed) && !((dir, what) in allowed)) {
		print place " " dir " may not include " what
	}
}' tests/lint/boundaries - | exempted boundary | verdict sources/boundaries

# The table is a picture without circles.
awk '$1 ~ /^[a-z]+:$/ { d = substr($1, 1, length($1) - 1); for (i = 2; i <= NF; i++) { t = $i; sub(/\/.*/, "", t); if (t != "profiles") print t, d } }' \
	tests/lint/boundaries | tsort 2>&1 >/dev/null | verdict sources/boundaries-acyclic

# ---- the model has the moves of the code -----------------------------------------------------------------

diff <(sed -nE 's/^CALL_MOVE\(([A-Z]+), *"([a-z]+)", *([A-Z]+)\)$/\2 \1 \3/p' launcher/workflow/states.def | sort) \
	<(grep -oE 'move\(c, [a-z]+, [A-Z]+, [A-Z]+\)' tests/model/calls.pml | sed -E 's/move\(c, (.*)\)/\1/; s/,//g' | sort -u) |
	grep '^[<>]' | sed 's/^</states.def model: not in the model: /; s/^>/calls.pml model: not in states.def: /' |
	verdict sources/model
