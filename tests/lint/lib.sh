# SPDX-License-Identifier: Apache-2.0
# Sourced by the checks of tests/lint. Each prints one line per rule: "ok NAME", "not ok NAME: why" or
# "skip NAME: why"; the exit status is 1 when a line was "not ok".
set -u
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 125

lint_failed=0
lint_tmp=$(mktemp -d) || exit 125
trap 'rm -rf "$lint_tmp"; exit $lint_failed' EXIT

ok()
{
	echo "ok $1"
}

not_ok()
{
	echo "not ok $1: $2"
	lint_failed=1
}

skip()
{
	echo "skip $1: $2"
}

# verdict NAME: reads findings on stdin; one line for each, or one "ok".
verdict()
{
	local line found=0

	while IFS= read -r line; do
		not_ok "$1" "$line"
		found=1
	done
	[ "$found" = 1 ] || ok "$1"
}

# The sources that rules about C are for. .def files are tables: they have a banner, no functions.
c_sources()
{
	find launcher tests profiles -name build -prune -o -name '*.[ch]' -print | sort
}

launcher_sources()
{
	find launcher -name '*.[ch]' | sort
}

# text_files: everything that people wrote, whatever its kind. What fuzzers found nobody wrote.
text_files()
{
	find . \( -path ./.git -o -path ./build -o -path ./tests/fuzz/corpus \) -prune -o -type f -print | sed 's,^\./,,' | sort
}

# code FILE...: "file:line:text", without comments and without what stands in quotes.
code()
{
	awk -f tests/lint/code.awk "$@"
}

# exempted CHECK: takes findings that begin with "PATH WHAT" from stdin, passes on those that have no
# row in tests/lint/exemptions, and complains of rows that nothing needs any more. PATH is a file, or a
# directory with a slash at its end.
exempted()
{
	awk -v check="$1" '
	FILENAME == "tests/lint/exemptions" {
		if ($1 == check) {
			rows[++count] = $2 SUBSEP $3
			if (NF < 4) {
				print "tests/lint/exemptions: " $2 " " $3 " has no reason"
			}
		}
		next
	}
	{
		for (i = 1; i <= count; i++) {
			split(rows[i], row, SUBSEP)
			path = $1
			sub(/:[0-9]+$/, "", path)
			if (row[2] == $2 && (row[1] == path ||
			    (row[1] ~ /\/$/ && index(path, row[1]) == 1))) {
				used[i] = 1
				next
			}
		}
		print
	}
	END {
		for (i = 1; i <= count; i++) {
			if (!used[i]) {
				split(rows[i], row, SUBSEP)
				print "tests/lint/exemptions: " check " " row[1] " " row[2] " is needed no more"
			}
		}
	}' tests/lint/exemptions -
}
