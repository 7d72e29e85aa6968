#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Completion: what airlock says may stand on a line, and a real bash in which somebody presses TAB.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

cli=$E2E_DIR/../../launcher/cli

# words NAME WANT WORD…: the candidates for the last word, without what they are
words()
{
	local name=$1 want=$2
	shift 2
	expect_eq "$name" "$want" "$(as_id "$A" complete -- "$@" | cut -f1 | tr '\n' ' ' | sed 's/ $//')"
}

words "verbs" "profile" pro
words "every verb that is shown" \
	"$(sed -nE 's/^COMMAND\("([^"]*)", [a-z_]*, SHOWN,.*/\1/p' "$cli/commands.def" | tr '\n' ' ' | sed 's/ $//')" ""
words "verbs below profile" \
	"$(sed -nE 's/^SUBCOMMAND\("profile ([^"]*)".*/\1/p' "$cli/subcommands.def" | tr '\n' ' ' | sed 's/ $//')" profile ""
expect_eq "every option of run" \
	"$({ sed -nE 's/^X\([^,]*, *"([^"]*)",.*/--\1/p' "$cli/run_options.def"; echo --help; } | sort -u)" \
	"$(as_id "$A" complete -- run - | cut -f1 | sort)"
words "an option of a verb below" "--effective" profile show --e
words "a mode" "observe apply" run -m ""
words "a limit" "memory=" run --limit m
words "a verdict" "timeout" log --verdict t
words "as bash splits it" "timeout" log --verdict = t
words "a profile, or a file" "strict :files" run -p str
words "a profile as an operand" "strict :files" profile show str
words "every operand of a verb that takes many" "strict :files" profile check a b c str
words "the last call" "@last" show ""
words "words of a synopsis" "stdout stderr stdin profile" cat @last ""
words "the command of run" ":commands" run -p strict -- ""
words "also without --" ":commands" run -p strict ""
words "its arguments" ":files" run -p strict cat -n ""
words "a directory" ":dirs" run -w ""
words "nothing where nothing is known" "" run -k ""
words "nothing for an unknown verb" "" frobnicate ""

expect_verb "control: a workflow" 0 workflow new triage
words "a workflow of a call" "triage" run -W tri
words "of a verb below" "triage" workflow show ""
words "the verbs below it" "pause" workflow pa
words "of another verb" "triage" log --workflow ""

mkdir -p "$T/home/.config/airlock/profiles" "$T/bin"
printf 'version: 1\nname: own-one\nextends: default\n' >"$T/home/.config/airlock/profiles/own-one.yaml"
ln -s "$A" "$T/bin/airlock"
own "$T/home" "$T/bin"
words "an own profile" "own-one :files" run -p own

touch "$WS/some-file"
own "$WS"
typed=$(cd "$WS" && as_id env PATH="$T/bin:$PATH" python3 "$E2E_DIR/payload/complete.py" "$cli/completion.bash" \
	"airlock profi" "airlock profile sho" "airlock run --prof" "airlock run -p own-" "airlock run --limit mem" \
	"airlock profile check some-f" "airlock log --verdict=time" "airlock xyz" 2>&1)
expect_eq "a person presses TAB in bash" "<airlock profile >
<airlock profile show >
<airlock run --profile >
<airlock run -p own-one >
<airlock run --limit memory=>
<airlock profile check some-file >
<airlock log --verdict=timeout >
<airlock xyz>" "$typed"

for shell in zsh fish; do
	if command -v $shell >/dev/null; then
		check "$shell reads its script" $shell -n "$cli/completion.$shell"
	else
		skip "$shell reads its script" "$shell is not installed"
	fi
done
