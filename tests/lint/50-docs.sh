#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the documents say against the tables that the code is made of. A page that lacks a row, or has one
# that is no more, fails.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

page=docs/airlock.1
jail_page=docs/airlock-jail.8
profile_page=docs/airlock-profile.5
bundle_page=docs/airlock-bundle.5
inspect_page=docs/airlock-inspect.1
architecture=docs/architecture.md

for file in README.md CONTRIBUTING.md LICENSE docs/threat-model.md docs/operations.md docs/formats.md docs/first-hour.md docs/incident.md \
	$inspect_page \
	$architecture $page $jail_page $profile_page $bundle_page; do
	[ -s "$file" ] || echo "$file is missing"
done | verdict docs/there

# same NAME LEFT RIGHT: two sorted lists, the first from a table, the second from a page.
same()
{
	{
		comm -23 "$2" "$3" | sed "s/^/not in the page: /"
		comm -13 "$2" "$3" | sed "s/^/only in the page: /"
		[ -s "$2" ] || echo "the table gave nothing"
	} | verdict "$1"
}

# section PAGE NAME: the lines of one .Sh section of a manual page.
section()
{
	awk -v name="$2" '/^\.Sh / { inside = ($0 == ".Sh " name); next } inside' "$1"
}

# table FILE HEADING: the rows of the first Markdown table below a heading, cells separated by tabs,
# without the head.
table()
{
	awk -v heading="$2" '
	/^#/ { inside = ($0 ~ ("^#+ " heading "$")); rows = 0; next }
	inside && /^\|/ {
		if (++rows > 2) {
			gsub(/^\| *| *\|$/, "")
			gsub(/ *\| */, "\t")
			gsub(/`/, "")
			print
		}
		next
	}
	inside && rows > 0 { inside = 0 }' "$1"
}

# ---- verbs and options -------------------------------------------------------------------------------

# A verb with others below it stands in the page as those: "profile list".
{
	sed -nE 's/^COMMAND\("([^"]*)", ([a-z_]*), SHOWN,.*/\1 \2/p' launcher/cli/commands.def | sed -n '/ cmd_below$/!s/ .*//p'
	sed -nE 's/^SUBCOMMAND\("([^"]*)".*/\1/p' launcher/cli/subcommands.def
} | sort >"$lint_tmp/verbs"
section $page COMMANDS | sed -nE 's/^\.It Cm ([a-z-]+( [a-z-]+)?).*/\1/p' | sort >"$lint_tmp/page-verbs"
same docs/verbs "$lint_tmp/verbs" "$lint_tmp/page-verbs"

sed -nE 's/^COMMAND\("([^"]*)", [a-z_]*, HIDDEN,.*/\1/p' launcher/cli/commands.def | while IFS= read -r verb; do
	grep -qE "^\.(It )?Cm $verb" $page && echo "$verb is hidden, and documented"
done | verdict docs/hidden-verbs

sed -nE 's/^(COMMAND|SUBCOMMAND)\("([^"]*)", ([a-z_]*),.*/\3 \2/p' launcher/cli/commands.def launcher/cli/subcommands.def | while read -r handler verb; do
	grep -qE "^$handler\(" launcher/cli/*.c || echo "$verb: $handler is not defined"
done | verdict docs/verbs-have-handlers

# "p profile PROFILE" per row; "-" for none.
sed -nE "s/^X\('?([^',]*)'?, *\"([^\"]*)\", *[A-Z]+, *[a-z_]+, *\"([^\"]*)\",.*/\1 \2 \3/p" launcher/cli/run_options.def |
	sed -E 's/^0 /- /' | awk '{ print $1, $2, (NF > 2 ? "arg" : "-") }' | sort >"$lint_tmp/run-options"
section $page "RUN OPTIONS" | sed -nE 's/^\.It (.*)/\1/p' | awk '{
	letter = "-"; name = ""; arg = "-"
	for (i = 1; i <= NF; i++) {
		if ($i == "Fl" && $(i + 1) ~ /^-./) name = substr($(i + 1), 2)
		else if ($i == "Fl") letter = $(i + 1)
		else if ($i == "Ar") arg = "arg"
	}
	print letter, name, arg
}' | sort >"$lint_tmp/page-run-options"
same docs/run-options "$lint_tmp/run-options" "$lint_tmp/page-run-options"

sed -nE "s/^OPTION\(\"([^\"]*)\", '?([^',]*)'?, \"([^\"]*)\",.*/\1 \3/p" launcher/cli/options.def | sort >"$lint_tmp/options"
below=$(sed -nE 's/^COMMAND\("([^"]*)", cmd_below,.*/\1/p' launcher/cli/commands.def | tr '\n' ' ')
section $page COMMANDS | awk -v parents="$below" '
BEGIN { n = split(parents, p, " "); for (i = 1; i <= n; i++) below[p[i]] = 1 }
/^\.It Cm / { verb = below[$3] ? $3 " " $4 : $3 }
/^\.It Fl / { for (i = 1; i <= NF; i++) if ($i ~ /^-[a-z]/) print verb, substr($i, 2) }' | sort >"$lint_tmp/page-options"
same docs/verb-options "$lint_tmp/options" "$lint_tmp/page-options"

# ---- verdicts, limits, layers --------------------------------------------------------------------------

sed -nE 's/^X\([A-Z_]*, *"([a-z_]*)".*/\1/p' launcher/supervise/verdicts.def | sort >"$lint_tmp/verdicts"
table $architecture Verdicts | cut -f1 | sort >"$lint_tmp/page-verdicts"
same docs/verdicts "$lint_tmp/verdicts" "$lint_tmp/page-verdicts"
section $page RESULT | sed -n '/^\.Ss Verdicts/,$p' | sed -nE 's/^\.It Li ([a-z_]+)$/\1/p' | sort >"$lint_tmp/page-verdicts"
same docs/verdicts-manual "$lint_tmp/verdicts" "$lint_tmp/page-verdicts"

sed -nE 's/^KEY\([A-Z_]*, *"limits\.([a-z_]*)".*/\1/p' launcher/profile/keys.def | sort >"$lint_tmp/limits"
table $architecture Limits | cut -f1 | sort >"$lint_tmp/page-limits"
same docs/limits "$lint_tmp/limits" "$lint_tmp/page-limits"

sed -nE 's/^FORM\([A-Z0-9_]*, *"([a-z0-9]*)".*/\1/p' launcher/scan/forms.def | sort >"$lint_tmp/forms"
table $architecture "Output scan" | cut -f1 | sort >"$lint_tmp/page-forms"
same docs/scan-forms "$lint_tmp/forms" "$lint_tmp/page-forms"

sed -nE 's/^KEY\([A-Z_]*, *"([a-z_.]*)".*/\1/p' launcher/profile/keys.def | sort >"$lint_tmp/keys"
section $profile_page KEYS | sed -nE 's/^\.It Cm ([a-z_.]+).*/\1/p' | sort >"$lint_tmp/page-keys"
same docs/profile-keys "$lint_tmp/keys" "$lint_tmp/page-keys"

sed -nE 's/^LAYER\("([a-z.]*)".*/\1/p' launcher/profile/layers.def | sort >"$lint_tmp/layers"
section $profile_page LAYERS | sed -nE 's/^\.It Cm ([a-z.]+).*/\1/p' | sort >"$lint_tmp/page-layers"
same docs/layers "$lint_tmp/layers" "$lint_tmp/page-layers"

{
	echo all
	sed -nE 's/^TOOLCHAIN\([A-Z_]*, *"([a-z-]*)".*/\1/p' launcher/profile/toolchains.def
} | sort >"$lint_tmp/toolchains"
section $profile_page TOOLCHAINS | sed -nE 's/^\.It Cm ([a-z-]+).*/\1/p' | sort >"$lint_tmp/page-toolchains"
same docs/toolchains "$lint_tmp/toolchains" "$lint_tmp/page-toolchains"

# The profile's page has a check of its own: sentences, refused variables.
if [ -f tests/lint/keys_documented ]; then
	bash tests/lint/keys_documented 2>&1 | verdict docs/profile-page
fi

# ---- bundles -------------------------------------------------------------------------------------------------

# "word<tab>sentence" per row of a table, and per item of a section of the page.
for row in "bundle_keys KEY KEYS" "sources SOURCE SOURCES" "deliveries DELIVERY DELIVERIES"; do
	read -r def macro title <<<"$row"
	sed -nE "s/^$macro\\([A-Z_]+, *\"([a-z_-]+)\",.*\"([^\"]*)\"\\)\$/\\1\\t\\2/p" "launcher/bundle/$def.def" | sort >"$lint_tmp/rows"
	section $bundle_page "$title" | awk '/^\.It Cm / { word = $3; getline; print word "\t" $0 }' | sort >"$lint_tmp/page-rows"
	same "docs/bundle-${title,,}" "$lint_tmp/rows" "$lint_tmp/page-rows"
done

# ---- what a sandbox can see ----------------------------------------------------------------------------------

sed -nE 's/^SECTION\("([a-z_]+)", *[a-z_]+, *"([^"]*)"\)$/\1\t\2/p' launcher/inspect/sections.def | sort >"$lint_tmp/rows"
section $inspect_page SECTIONS | awk '/^\.It Cm / { word = $3; getline; print word "\t" $0 }' | sort >"$lint_tmp/page-rows"
same docs/inspect-sections "$lint_tmp/rows" "$lint_tmp/page-rows"

# ---- the sandbox -------------------------------------------------------------------------------------------

# Rows of X("…", "…") may be broken over lines.
joined()
{
	sed -e 's,/\*.*\*/,,' -e '/^\/\*/,/\*\//d' "$1" | tr '\n' ' ' | sed 's/X(/\nX(/g' | sed -E 's/[ \t]+/ /g'; echo
}

joined launcher/jail/stages.def |
	sed -nE 's/^X\(([a-z]*), ([123]), "([^"]*)", "([^"]*)"\).*/\1\t\2\t\3\t\4/p' |
	sed 's/\t3\t/\t1, beside 2\t/' >"$lint_tmp/stages"
table $architecture Stages | cut -f2- >"$lint_tmp/page-stages"
{
	diff "$lint_tmp/stages" "$lint_tmp/page-stages" | grep '^[<>]' | sed 's/^</stages.def has:/; s/^>/the page has:/'
	[ "$(wc -l <"$lint_tmp/stages")" = 12 ] || echo "$(wc -l <"$lint_tmp/stages") stages were read"
} | verdict docs/stages
cut -f1 "$lint_tmp/stages" | sort >"$lint_tmp/stage-names"
section $jail_page STAGES | sed -nE 's/^\.It Cm ([a-z]+).*/\1/p' | sort >"$lint_tmp/page-stage-names"
same docs/stages-manual "$lint_tmp/stage-names" "$lint_tmp/page-stage-names"

sed -nE 's/^X\([A-Z_]*, *"([a-z-]*)".*/\1/p' launcher/plan/mount_kinds.def >"$lint_tmp/kinds"
table $architecture "Mount rows" | cut -f1 >"$lint_tmp/page-kinds"
diff "$lint_tmp/kinds" "$lint_tmp/page-kinds" | grep '^[<>]' | sed 's/^</mount_kinds.def has:/; s/^>/the page has:/' | verdict docs/mount-kinds

# ---- workflows -----------------------------------------------------------------------------------------------

# states WHICH: "word, meaning" per row of states.def; moves WHICH: "from, by, to", in words. In the table's order.
states()
{
	sed -nE "s/^$1_STATE\\([A-Z]*, *\"([a-z]*)\", *\"([^\"]*)\"\\).*/\\1\\t\\2/p" launcher/workflow/states.def
}

moves()
{
	awk -F'[(),]+ *' -v which="$1" '
	$1 == which "_STATE" { gsub(/"/, "", $3); word[$2] = $3 }
	$1 == which "_MOVE" { gsub(/"/, "", $3); print word[$2] "\t" $3 "\t" word[$4] }' launcher/workflow/states.def
}

for row in "WORKFLOW Workflow 4 5" "CALL Call 7 9"; do
	read -r which words state_count move_count <<<"$row"
	{
		for part in states moves; do
			$part "$which" >"$lint_tmp/$part"
			table $architecture "$words $part" | diff "$lint_tmp/$part" - | grep '^[<>]' |
				sed 's/^</states.def has:/; s/^>/the page has:/'
		done
		[ "$(wc -l <"$lint_tmp/states") $(wc -l <"$lint_tmp/moves")" = "$state_count $move_count" ] ||
			echo "$(wc -l <"$lint_tmp/states") states and $(wc -l <"$lint_tmp/moves") moves were read"
	} | verdict "docs/states-of-a-${words,,}"
done

# ---- processes and folders -----------------------------------------------------------------------------------

sed -n 's/^BINARIES *:= *//p' Makefile | tr ' ' '\n' | sed 's,.*/,,' | sort >"$lint_tmp/binaries"
table $architecture Processes >"$lint_tmp/processes"
cut -f1 "$lint_tmp/processes" | sort >"$lint_tmp/page-binaries"
same docs/processes "$lint_tmp/binaries" "$lint_tmp/page-binaries"

while IFS=$'\t' read -r binary _ links _; do
	case $binary in
	airlock) variable=FRONT_LIBS ;;
	airlock-jail) variable=JAIL_LIBS ;;
	airlock-cli) variable=CLI_LIBS ;;
	airlock-log) variable=LOG_LIBS ;;
	airlock-witness) variable=WITNESS_LIBS ;;
	airlock-credd) variable=CREDD_LIBS ;;
	*) continue ;;
	esac
	made=$(sed -n "s/^$variable *:= *//p" Makefile | tr ' ' '\n' | sed 's/^-l//' | grep -v '^$' | sort | tr '\n' ' ')
	said=$(echo "${links//nothing/}" | tr -d ',' | tr ' ' '\n' | grep -v '^$' | sort | tr '\n' ' ')
	[ "$made" = "$said" ] || echo "$binary links \"$made\" in the Makefile, \"$said\" in the page"
done <"$lint_tmp/processes" | verdict docs/process-libraries

table $architecture Layout | cut -f1 | sort >"$lint_tmp/page-folders"
{
	find launcher -mindepth 1 -maxdepth 1 -type d -printf '%p/\n'
	find profiles packaging tests docs -maxdepth 0 -type d -printf '%p/\n'
	find tests -mindepth 1 -maxdepth 1 -type d -printf '%p/\n'
} | sort >"$lint_tmp/folders"
same docs/layout "$lint_tmp/folders" "$lint_tmp/page-folders"

# ---- the environment, the exit status, the result ------------------------------------------------------------------

grep -hoE '(getenv|secure_getenv)\("[A-Z_]+"\)' launcher/*/*.c | sed -E 's/.*"(.*)".*/\1/' | sort -u >"$lint_tmp/environment"
section $page ENVIRONMENT | sed -nE 's/^\.It Ev ([A-Z_]+).*/\1/p' | sort >"$lint_tmp/page-environment"
same docs/environment "$lint_tmp/environment" "$lint_tmp/page-environment"

{
	sed -nE 's/^#define EXIT_(HELD|TIMEOUT|AIRLOCK|NOT_EXECUTABLE|NOT_FOUND|OOM) ([0-9]+)$/\2/p' launcher/cli/front.h
} | sort -u >"$lint_tmp/statuses"
section $page "EXIT STATUS" | sed -nE 's/^\.It Li ([0-9]+)$/\1/p' | sort -u >"$lint_tmp/page-statuses"
same docs/exit-statuses "$lint_tmp/statuses" "$lint_tmp/page-statuses"

if [ -f launcher/cli/front_result.c ]; then
	code_keys=$(grep -oE 'json_(key|kv_[a-z]+)\(&?[a-z]+, "[a-z_]+"' launcher/cli/front_result.c | sed -E 's/.*"(.*)"/\1/' | sort -u)
	for key in $code_keys; do
		section $page RESULT | grep -qE "\"$key\"|^\.It Li $key( |$)|\bLi $key\b" || echo "$key of the result is not in the manual"
	done | verdict docs/result-keys
else
	skip docs/result-keys "launcher/cli/front_result.c is not there"
fi

# The cases of each property, as their headers say.
for file in tests/containment/cases/*.sh; do
	echo "$(sed -n 's/^# property: //p' "$file") $(basename "$file" .sh)"
done | sort >"$lint_tmp/cases"
awk '/^### / { inside = ($0 == "### Cases") } inside' docs/threat-model.md | tr -d '\n' | sed 's/- P/\nP/g' |
	awk -F': ' '/^P/ { count = split($2, name, /, */); for (i = 1; i <= count; i++) { sub(/^ +/, "", name[i]); print $1 " " name[i] } }' |
	sort >"$lint_tmp/page-cases"
same docs/containment-cases "$lint_tmp/cases" "$lint_tmp/page-cases"

# ---- links ---------------------------------------------------------------------------------------------------

# Relative links of the Markdown pages, and pages that comments name.
for file in README.md CONTRIBUTING.md docs/*.md; do
	[ -f "$file" ] || continue
	grep -oE '\]\([^)#]+[)#]' "$file" | sed -E 's/^\]\(//; s/[)#]$//' | grep -vE '^[a-z]+:' | while IFS= read -r target; do
		[ -e "$(dirname "$file")/$target" ] || echo "$file links to $target, which is not there"
	done
done | verdict docs/links
grep -rhoE 'docs/[a-z0-9.-]+\.(md|[1-8])' launcher profiles tests Makefile --exclude-dir=corpus | sort -u | while IFS= read -r target; do
	[ -e "$target" ] || echo "a comment names $target, which is not there: $(grep -rlF "$target" launcher profiles tests | head -n 1)"
done | verdict docs/named

# Headings that comments name: docs/formats.md, "Record".
grep -rhoE 'docs/[a-z-]+\.md, "[^"]+"' launcher profiles | sort -u | while IFS= read -r named; do
	file=${named%%,*}
	heading=${named#*\"}
	heading=${heading%\"}
	[ -f "$file" ] || continue
	grep -qiE "^#+ .*$heading" "$file" || echo "$file has no heading \"$heading\", which $(grep -rlF "$named" launcher profiles | head -n 1) names"
done | verdict docs/headings
