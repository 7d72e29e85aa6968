# SPDX-License-Identifier: Apache-2.0
# C without its comments and without what stands in quotes, as "file:line:text": so that a rule does not
# trip over a word in a sentence. Strings keep their quotes.

FNR == 1 {
	inside = 0
}

{
	out = ""
	n = length($0)
	for (i = 1; i <= n; i++) {
		two = substr($0, i, 2)
		c = substr($0, i, 1)
		if (inside) {
			if (two == "*/") {
				inside = 0
				i++
			}
		} else if (two == "/*") {
			inside = 1
			i++
		} else if (two == "//") {
			break
		} else if (c == "\"" || (c == "'" && !(substr($0, i - 1, 1) ~ /[0-9A-Za-z]/))) {
			out = out c
			for (i++; i <= n && substr($0, i, 1) != c; i++) {
				if (substr($0, i, 1) == "\\") {
					i++
				}
			}
			out = out c
		} else {
			out = out c
		}
	}
	print FILENAME ":" FNR ":" out
}
