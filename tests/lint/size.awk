# SPDX-License-Identifier: Apache-2.0
# Reads the output of code.awk. A function's name stands at the start of a line ("name(", the type is on
# the line before), its body is between "{" and "}" alone in column 1. Prints "FILE:LINE NAME lines N" and
# "FILE:LINE NAME depth N" for every function; depth counts blocks, not initialisers.

{
	match($0, /^[^:]*:[0-9]+:/)
	place = substr($0, 1, RLENGTH - 1)
	text = substr($0, RLENGTH + 1)
	split(place, at, ":")
	if (at[1] != file) {
		file = at[1]
		name = ""
		body = 0
	}
}

!body && text ~ /^[A-Za-z_][A-Za-z0-9_]*\(/ {
	name = text
	if (name ~ /^(Test|ParameterizedTest|ParameterizedTestParameters|TheoryDataPoints|Theory)\(/) {
		gsub(/[ \t]/, "", name)
		sub(/\).*/, ")", name)
	} else {
		sub(/\(.*/, "", name)
	}
	start = place
}

!body && text ~ /^\{[ \t]*$/ {
	body = at[2]
	depth = deepest = 0
	if (name == "") {
		name = "?"
		start = place
	}
	next
}

body && text ~ /^\}/ {
	print start, name, "lines", at[2] - body - 1
	print start, name, "depth", deepest
	body = 0
	name = ""
	next
}

body {
	n = length(text)
	for (i = 1; i <= n; i++) {
		c = substr(text, i, 1)
		if (c == "{") {
			before = substr(text, 1, i - 1)
			block = before ~ /(\) |else |do |^[ \t]*|[(])$/
			stack[++open] = block
			if (block && ++depth > deepest) {
				deepest = depth
			}
		} else if (c == "}" && open > 0) {
			depth -= stack[open--]
		}
	}
}
