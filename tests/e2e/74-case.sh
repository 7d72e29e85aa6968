#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# export --workflow: a case folder that is read and checked without airlock, and in which nothing can be changed unseen.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# verify [KEY]: verify.sh of $T/case on its own, without airlock's directory on PATH. RC, OUT, ERR.
verify()
{
	as_id env PATH=/usr/bin:/bin sh "$T/case/verify.sh" "$@" >"$OUT" 2>"$ERR"
	RC=$?
}

# ---- a workflow with hostile names, a failed call, a held change ----------------------------------
printf 'one\n' >"$WS/a"
mkdir "$WS/sub"
printf 'deep\n' >"$WS/sub/file"
own "$WS"
expect_run "a call that changes" 0 -- sh -c 'printf two >a; printf "out <b>put</b>"; printf "\033[31m</style><script>alert(1)</script>\n" >&2'
expect_run "a call with hostile names" 123 -- sh -c 'mkdir -p .git/hooks; echo x >.git/hooks/pre-commit
	echo y >"<script>document.title=1</script>"; echo z >"\" onload=\"x"; unshare -r true 2>/dev/null; true'
expect_run "a call that fails" 3 -- sh -c 'exit 3' '"><img src=x onerror=alert(1)>'
workflow=$(record .planned.workflow)
expect_verb "a case folder" 0 export --workflow "$workflow" --to "$T/case"
expect_match "says what to do with it" "3 calls with" "$ERR"
entries=$(wc -l <"$T/case/entries.tsv")
expect_eq "two entries of each call" "3 3" \
	"$(grep -c call.planned "$T/case/entries.tsv") $(grep -c call.outcome "$T/case/entries.tsv")"
expect_eq "a receipt for each entry" "$entries" "$(find "$T/case/proofs" -type f | wc -l)"
expect_out "MANIFEST is good" "" sh -c 'cd "$1" && sha256sum --quiet -c MANIFEST' - "$T/case"

# ---- it verifies, with another's programs and its own key or one that was brought ------------------
verify
expect_eq "verify.sh" "0 verified" "$RC $(tail -n 1 "$OUT")"
expect_match "all entries have their records" "$entries entries are in that log, $entries of them with their records" "$OUT"
expect_match "the folder's own key is not believed in silence" "note  the key came with this folder" "$OUT"
cp "$T/case/vkey" "$T/key"
own "$T/key"
verify "$T/key"
expect_eq "verify.sh with a key" "0 verified" "$RC $(tail -n 1 "$OUT")"
expect_no_match "then it has nothing to ask" "the key came with this folder" "$OUT"
sed 's/+\(........\)+/+00000000+/' "$T/case/vkey" >"$T/key"
verify "$T/key"
expect_eq "a key that is no key" "1 NOT verified" "$RC $(tail -n 1 "$OUT")"

# ---- every tampering is found, and named -----------------------------------------------------------
# tampered NAME WORDS COMMAND: COMMAND in a copy of the folder; verify.sh says WORDS and fails.
tampered()
{
	rm -rf "$T/good"
	cp -a "$T/case" "$T/good"
	(cd "$T/case" && sh -c "$3")
	verify
	expect_eq "$1: exit" "1 NOT verified" "$RC $(tail -n 1 "$OUT")"
	expect_match "$1" "$2" "$OUT"
	rm -rf "$T/case"
	mv "$T/good" "$T/case"
}
cd "$T/case" || exit 1
# Where they stand in the log depends on when it was opened.
p1=$(awk -F '\t' '$2 == "call.planned" { print $1; exit }' entries.tsv)
o1=$(awk -F '\t' '$2 == "call.outcome" { print $1; exit }' entries.tsv)
o2=$(awk -F '\t' '$2 == "call.outcome" && n++ { print $1; exit }' entries.tsv)
export p1 o1 o2
object=$(find objects -type f | head -n 1)
tampered "one bit of a record" "WRONG records/$o1-call.outcome.json: not the record" \
	'sed -i "s/\"exit\":0/\"exit\":1/" records/$o1-call.outcome.json'
tampered "record and digest" "WRONG entry $o1: it is not in the log" 'sed -i "s/\"exit\":0/\"exit\":1/" records/$o1-call.outcome.json
	salt=$(grep "^$o1." entries.tsv | cut -f4); new=$({ printf $salt | xxd -r -p; cat records/$o1-call.outcome.json; } | sha256sum | cut -c1-64)
	old=$(grep "^$o1." entries.tsv | cut -f5); sed -i "s/$old/$new/" entries.tsv'
tampered "another salt" "WRONG records/$p1-call.planned.json: not the record" 'sed -i "1s/\t[0-9a-f]\{4\}\([0-9a-f]\{28\}\t\)/\t0000\1/" entries.tsv'
tampered "a record taken away" "WRONG records/$o2-call.outcome.json: the record is not here" 'rm records/$o2-call.outcome.json'
tampered "a record put there" "WRONG records/9-call.outcome.json: no entry is of this record" 'cp records/$o1-call.outcome.json records/9-call.outcome.json'
tampered "two records swapped" "WRONG records/$o1-call.outcome.json: not the record" \
	'mv records/$o1-call.outcome.json x; mv records/$o2-call.outcome.json records/$o1-call.outcome.json; mv x records/$o2-call.outcome.json'
tampered "an entry twice" "WRONG entries.tsv: line $((entries + 1)) is not an entry" 'sed -n 1p entries.tsv >>entries.tsv'
tampered "an entry with another call" "WRONG entry $p1: it is not in the log" 'sed -i "1s/\t[0-9a-f]\{8\}-/\t00000000-/" entries.tsv'
tampered "no entries" "WRONG entries.tsv: there is no entry in it" ': >entries.tsv'
tampered "a path that leads out" "WRONG entries.tsv: line 1 is not an entry" 'sed -i "1s,records/.*,records/../../x," entries.tsv'
tampered "a link" "WRONG ./records/$p1-call.planned.json: neither a file nor a directory" 'mv records/$p1-call.planned.json x; ln -s ../x records/$p1-call.planned.json'
tampered "a pipe that nobody writes to" "WRONG ./proofs/$p1.tlog-proof: neither a file nor a directory" 'rm proofs/$p1.tlog-proof; mkfifo proofs/$p1.tlog-proof'
tampered "a name that acts on a terminal" "WRONG objects/?]0;x: " "cp $object \"objects/$(printf '\033')]0;x\""
tampered "a receipt taken away" "WRONG proofs/$o2.tlog-proof: it is not here" 'rm proofs/$o2.tlog-proof'
tampered "a receipt of another entry" "WRONG proofs/$o2.tlog-proof: it is of another entry" 'cp proofs/$p1.tlog-proof proofs/$o2.tlog-proof'
tampered "a hash of a receipt" "WRONG entry $o2: it is not in the log" 'sed -i "4s/^./$(sed -n 4p proofs/$o2.tlog-proof | cut -c1 | tr A-Za-z B-ZAb-za | tr 0-9+/ AAAAAAAAAAAA)/" proofs/$o2.tlog-proof'
tampered "a receipt cut short" "WRONG proofs/$o2.tlog-proof: it is too short" 'sed -i 4d proofs/$o2.tlog-proof'
tampered "a receipt made long" "WRONG proofs/$o2.tlog-proof: it is too long" 'sed -i "4{p;p;p}" proofs/$o2.tlog-proof'
tampered "the size of the log" "WRONG checkpoint: no good signature" 'sed -i 2s/./9/ checkpoint'
tampered "the signature" "WRONG checkpoint: no good signature" \
	'sed -i "5s,.\{8\}$,$(tail -n 1 checkpoint | grep -o ".\{8\}$" | tr A-Za-z B-ZAb-za)," checkpoint'
tampered "an object's bytes" "WRONG $object: its bytes have another digest" "printf x >>$object"
tampered "an object taken away" "WRONG $object: objects.tsv names it, and it is not here" "rm $object"
rm -rf "$T/none"
cp -a "$T/case" "$T/none"
rm "$T/none/checkpoint"
expect_rc "without a checkpoint nothing is proved" 2 as_id sh "$T/none/verify.sh"
verify
expect_eq "and the folder is as it was" 0 "$RC"

# ---- the page: nothing in it runs or loads, everything a tool chose is text ---------------------------
page=$T/case/index.html
expect_eq "no script, no image, no handler, no address" "" \
	"$(grep -oiE '<(script|img|iframe|object|embed|link|base|form|svg)|[ "]on[a-z]+="|https?:|url\(|@import' "$page" | head -n 3)"
expect_match "its policy" "default-src 'none'; style-src 'sha256-$(sed -n '/<style>/,/<\/style>/p' "$page" |
	sed '1s/.*<style>//' | sed 's/<\/style>.*//' | head -c -1 | openssl dgst -sha256 -binary | base64)'" "$page"
expect_match "a hostile name is text" "&lt;script&gt;document.title=1&lt;/script&gt;" "$page"
expect_match "a quote is text" "&quot; onload=&quot;x" "$page"
expect_match "an argument is text" "&lt;img src=x onerror=alert(1)&gt;" "$page"
expect_match "stderr is text" "\\033[31m&lt;/style&gt;&lt;script&gt;" "$page"
expect_match "what is held stands at the top" "held: .git/hooks/pre-commit, built-in: .git/hooks" "$page"
expect_match "what was denied, too" "denied: system call unshare, once, built in" "$page"
expect_match "objects are links" "<a href=\"objects/$(printf 'out <b>put</b>' | sha256sum | cut -c1-64)\">" "$page"
for target in $(grep -oE 'href="[^#"]+"' "$page" | cut -d'"' -f2 | sort -u); do
	[ -f "$T/case/$target" ] || echo "$target"
done >"$T/dead"
expect_eq "no link leads nowhere" "" "$(cat "$T/dead")"
if command -v chromium >/dev/null; then
	as_id env HOME="$T/home" chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$T/home/chromium" --dump-dom \
		"file://$page" >"$T/dom" 2>/dev/null
	expect_eq "a browser sees three calls, and the page's own title" "3 airlock: a case" \
		"$(grep -c '<section id="call-' "$T/dom") $(sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' "$T/dom")"
	expect_eq "and no element that a tool made" "0" "$(grep -ciE '<(script|img|b>)' "$T/dom")"
else
	skip "in a browser" "chromium is not installed"
fi

# ---- what it refuses -------------------------------------------------------------------------------------
cd "$T" || exit 1
expect_verb "a workflow that is none" 1 export --workflow nobody --to "$T/none2"
expect_match "says so" "no call of a workflow nobody is recorded" "$ERR"
expect_verb "without a directory" 125 export --workflow "$workflow"
expect_verb "with a call" 125 export @last --workflow "$workflow" --to "$T/x"
expect_verb "into a directory that is not empty" 1 export --workflow "$workflow" --to "$T/case"

# ---- a workflow that was forgotten: what is left is proved, and said to be all that is left -------------------
expect_verb "what is held is decided first" 0 discard --workflow "$workflow"
expect_verb "it is forgotten" 0 forget --workflow "$workflow" --reason "<asked> for"
rm -rf "$T/case"
expect_verb "a case folder of it" 0 export --workflow "$workflow" --to "$T/case"
verify
expect_eq "verify.sh" "0 verified" "$RC $(tail -n 1 "$OUT")"
expect_match "says what is gone" "note  7 entries were forgotten since: their records are gone, their proofs hold" "$OUT"
expect_eq "no record of a call is in it" "" "$(find "$T/case/records" -name '*call*')"
expect_eq "who had it removed is" 1 "$(find "$T/case/records" -name '*-gc.json' | wc -l)"
expect_match "and the page tells" "had its records removed (&lt;asked&gt; for)" "$T/case/index.html"
