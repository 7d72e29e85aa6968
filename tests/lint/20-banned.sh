#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Calls that the launcher does not make (banned.txt), and forms that lead to the same trouble.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

mapfile -t sources < <(launcher_sources)
code "${sources[@]}" >"$lint_tmp/code"

awk '
NR == FNR {
	if ($0 !~ /^(#|$)/) {
		name = $1
		allowed[name] = $2
		$1 = $2 = ""
		sub(/^ +/, "")
		why[name] = $0
	}
	next
}
{
	split($0, at, ":")
	text = $0
	sub(/^[^:]*:[0-9]+:/, "", text)
	while (match(text, /[A-Za-z_][A-Za-z0-9_]*\(/)) {
		name = substr(text, RSTART, RLENGTH - 1)
		before = RSTART > 1 ? substr(text, RSTART - 1, 1) : " "
		text = substr(text, RSTART + RLENGTH)
		if (!(name in allowed) || before == "." || before == ">") {
			continue
		}
		ok = 0
		count = split(allowed[name], dirs, ",")
		for (i = 1; i <= count; i++) {
			ok = ok || index(at[1], dirs[i]) == 1
		}
		if (!ok) {
			print at[1] ":" at[2] " " name " " why[name]
		}
	}
}' tests/lint/banned.txt "$lint_tmp/code" | exempted banned | verdict banned/calls

# The linter itself must see a call: a control with one of each kind.
cat >"$lint_tmp/control.c" <<'C'
int f(void)
{
	/* system("no") */
	const char *s = "system(1)";
	return system(s);
}
C
if [ "$(code "$lint_tmp/control.c" | grep -c 'system(s)')" = 1 ] &&
	! code "$lint_tmp/control.c" | grep -q 'system("\|system(1)'; then
	ok banned/control
else
	not_ok banned/control "comments and strings are not told from code"
fi

# ---- descriptors are close-on-exec from birth -----------------------------------------------------------

# Statements joined to one line each; then every opening call needs its flag.
awk '
{
	match($0, /^[^:]*:[0-9]+:/)
	place = substr($0, 1, RLENGTH - 1)
	text = substr($0, RLENGTH + 1)
	gsub(/[ \t]+/, " ", text)
	if (statement == "") {
		start = place
	}
	statement = statement text
	if (text ~ /[;{}][ ]*$/ || text ~ /^ ?#/) {
		print start " " statement
		statement = ""
	}
}' "$lint_tmp/code" >"$lint_tmp/statements"

{
	grep -E '[^_a-z](open|openat|open64|mkostemp)\(' "$lint_tmp/statements" | grep -v CLOEXEC | sed 's/ .*/ open needs O_CLOEXEC/'
	grep -E '[^_a-z](socket|socketpair)\(' "$lint_tmp/statements" | grep -v SOCK_CLOEXEC | sed 's/ .*/ socket needs SOCK_CLOEXEC/'
	grep -E '[^_a-z](pipe2|epoll_create1|inotify_init1|eventfd|signalfd|timerfd_create|memfd_create|accept4)\(' "$lint_tmp/statements" |
		grep -v CLOEXEC | sed -E 's/^([^ ]*) .*[^_a-z](pipe2|epoll_create1|inotify_init1|eventfd|signalfd|timerfd_create|memfd_create|accept4)\(.*/\1 \2 needs its CLOEXEC flag/'
	grep -E '[^_a-z](mkstemp|F_DUPFD)[(,]' "$lint_tmp/statements" | sed 's/ .*/ mkstemp-or-F_DUPFD has no CLOEXEC: mkostemp, F_DUPFD_CLOEXEC/'
} | exempted cloexec | verdict banned/cloexec

# ---- library code neither prints nor ends the process -----------------------------------------------------

grep -E '^launcher/(base|sys|profile|policy|plan|supervise|snapshot|store|jail)/' "$lint_tmp/code" |
	grep -E '[^a-z_](printf|vprintf|puts|putchar|perror|dprintf|syslog|psignal|warn|warnx|err|errx)\(|[^a-z_](stdout|stderr)[^a-z_]' |
	sed -E 's/^([^:]*:[0-9]+):.*/\1 print library code never prints/' |
	exempted print | verdict banned/print

# ---- forms ----------------------------------------------------------------------------------------------

grep -E 'typedef (struct|union|enum)' "$lint_tmp/code" | sed -E 's/^([^:]*:[0-9]+):.*/\1 typedef hides what a thing is/' |
	exempted typedef | verdict banned/typedef

grep -E '\(void\)[a-z_]+\(' "$lint_tmp/code" |
	sed -E 's/^([^:]*:[0-9]+):.*/\1 void-cast drops a result: ignore_err says why/' |
	exempted void-cast | verdict banned/void-cast
