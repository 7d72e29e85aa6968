#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The tool's arguments are exactly the caller's, and nothing behind COMMAND is an option of ours.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

odd=('' ' ' $'a\nb' '--bind=/' $'\x80\xff\xc3\x28' '\101' '$HOME' '*' '-w' '/' '--' 'é' "it's \"q\"" $'tab\there')
printf '%s\0' "${odd[@]}" >"$T/want"
run_airlock -- printf '%s\0' "${odd[@]}"
check "odd arguments arrive byte by byte" cmp "$T/want" "$OUT"
expect_eq "and are recorded escaped" \
	'["printf","%s\\1340",""," ","a\nb","--bind=/"]' "$(record '.planned.argv[:6] | tojson')"
expect_eq "invalid UTF-8 is octal in the record" '\200\377\303(' "$(record '.planned.argv[6]')"
expect_eq "a backslash is octal too" '\134101' "$(record '.planned.argv[7]')"
want=$(printf '%s\0' printf '%s\0' "${odd[@]}" | sha256sum | cut -d' ' -f1)
expect_eq "the digest is over the true bytes" "$want" "$(record .planned.argv_digest)"

for form in "--" ""; do
	# the tool's own options, all of which exist here with another meaning
	as_id "$A" run -w "$WS" ${form:+"$form"} sh -c 'printf "[%s]" "$@"' sh -m observe -w / -q --help -h --result x -- -n >"$OUT" 2>"$ERR"
	expect_eq "options after COMMAND are the tool's (${form:-no} --)" \
		"[-m][observe][-w][/][-q][--help][-h][--result][x][--][-n]" "$(cat "$OUT")"
done
run_airlock -- printf -- '-x-'
expect_eq "a second -- is the tool's" "-x-" "$(cat "$OUT")"
run_airlock -- echo -n x
expect_eq "an option-like first argument" "x" "$(cat "$OUT")"
run_airlock -nq -- echo joined
expect_eq "short flags can be joined" "joined" "$(cat "$OUT")"
run_airlock -mobserve --limit=wall=10s -- sh -c 'echo x >f'
expect_eq "values joined to their options" "0 discarded" "$RC $(record .outcome.settled)"

long=$(head -c 100000 /dev/zero | tr '\0' x)
run_airlock -- sh -c 'echo "$# ${#1} ${#10}"' sh "$long" "$long" "$long" "$long" "$long" "$long" "$long" "$long" "$long" "$long"
expect_eq "a megabyte of arguments" "10 100000 100000" "$(cat "$OUT")"
printf '#!/bin/sh\necho "$0"\n' >"$WS/-weird name"
chmod 755 "$WS/-weird name"
own "$WS"
run_airlock -- "./-weird name"
expect_eq "a command with a space and a dash" "-weird name" "$(sed 's,.*/,,' "$OUT")"
run_airlock -- sh -c 'echo "$0"' zero
expect_eq "argv[0] is what the caller wrote" "zero" "$(cat "$OUT")"
