# SPDX-License-Identifier: Apache-2.0
# Prints the results of tests/containment/run: a row per case, a column per launcher and identity.
# First file: LAUNCHER VERSION; second: LAUNCHER CASE IDENTITY RESULT PROPERTY WHY.
# -v markdown=1: for a page, and only the cases that another launcher than airlock was asked.
function short(result)
{
	return result == "not applicable" ? "-" : result
}

function print_row(first, second, which,    k, text)
{
	for (k = 1; k <= column_count; k++)
		text = text (markdown ? " | " : " ") sprintf(markdown ? "%s" : "%-16s",
			which == "" ? columns[k] : cell[which, columns[k]])
	if (markdown)
		print "| " first " | " second text " |"
	else
		printf "%-26s %-8s%s\n", first, second, text
}

NR == FNR {
	version[$1] = $2
	launchers[++launcher_count] = $1
	next
}
{
	column = $1 == "airlock" ? $3 : $1 " " $3
	if (markdown && $1 == "airlock")
		column = "airlock " $3
	if (!(column in column_seen)) {
		column_seen[column] = 1
		columns[++column_count] = column
	}
	if (!($2 in case_seen)) {
		case_seen[$2] = 1
		cases[++case_count] = $2
	}
	if ($5 != "-")
		property[$2] = $5
	if ($1 != "airlock" && $4 != "not applicable")
		asked[$2] = 1
	cell[$2, column] = short($4)
}
END {
	for (i = 1; i <= launcher_count; i++)
		print launchers[i] ": " version[launchers[i]]
	print ""
	print_row("case", "property", "")
	if (markdown) {
		line = "|---|---|"
		for (k = 1; k <= column_count; k++)
			line = line "---|"
		print line
	}
	for (i = 1; i <= case_count; i++)
		if (!markdown || cases[i] in asked)
			print_row(cases[i], property[cases[i]], cases[i])
}
