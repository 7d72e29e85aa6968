#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# export --mtree: what a call found and left, checked against real directories by a program that is not ours.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# What Debian's mtree says of a directory: its exit status in RC, its words in $OUT.
mtree_of()
{
	mtree -f "$1" -p "$2" >"$OUT" 2>"$ERR"
	RC=$?
}

# ---- before and after ------------------------------------------------------------------------------
mkdir -p "$WS/[slug]/empty" "$WS/src"
printf 'one\n' >"$WS/src/a.c"
printf 'two\n' >"$WS/src/b.c"
printf 'page\n' >"$WS/[slug]/what?.tsx"
printf 'x\n' >"$WS/a*b"
printf 'x\n' >"$WS/a-b"
printf 'x\n' >"$WS/$(printf 'new\nline \377')"
printf 'KEY=1\n' >"$WS/.env"
printf 'x\n' >"$WS/back\\sla[sh"
ln -s '../a b' "$WS/src/link"
chmod 640 "$WS/src/b.c"
own "$WS"
before=$T/before
cp -a "$WS" "$before"
expect_run "a call that changes every kind of thing" 0 -- sh -c 'printf 1 >new; rm src/a.c; mkdir -p d/e; printf "x" >"d/e/f g"
	chmod 700 src; ln -sfn b.c src/link; printf KEY=2 >.env; rmdir "[slug]/empty"; printf now >"[slug]/empty"; chmod 600 src/b.c'
expect_eq "it was committed" committed "$(record .outcome.settled)"
expect_verb "the input tree" 0 export @last --mtree
cp "$OUT" "$T/in.mtree"
expect_verb "the tree behind the call" 0 export @last --mtree --after
cp "$OUT" "$T/out.mtree"

mtree_of "$T/in.mtree" "$before"
expect_eq "mtree: a copy of before is what the call found" "0 " "$RC $(cat "$OUT" "$ERR")"
mtree_of "$T/out.mtree" "$WS"
expect_eq "mtree: the workspace is what the call left" "0 " "$RC $(cat "$OUT" "$ERR")"
mtree_of "$T/in.mtree" "$WS"
expect_eq "mtree: the workspace is not what the call found" 2 "$RC"
expect_match "mtree names what is more" "extra: new" "$OUT"
expect_match "mtree names what is gone" "missing: ./src/a.c" "$OUT"

printf 'y\n' >"$before/a*b"
mtree_of "$T/in.mtree" "$before"
expect_eq "mtree: one byte differs" 2 "$RC"
expect_match "mtree names the file" "a*b:" "$OUT"
expect_match "and its digest" "sha256 (0x73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac" "$OUT"
printf 'x\n' >"$before/a*b"
chmod 644 "$before/src/b.c"
mtree_of "$T/in.mtree" "$before"
expect_eq "mtree: a mode differs" "2 b.c" "$RC $(sed -n 's/^ *\(src\/\)*\(b\.c\):.*/\2/p' "$OUT")"

# The bytes: a golden sample, digests and all.
expect_eq "the list itself" "#mtree v2.0
. type=dir
./.env type=file mode=0644 size=6 sha256=$(printf 'KEY=1\n' | sha256sum | cut -d' ' -f1)
./\\134[slug] type=dir mode=0755
./\\134[slug]/empty type=dir mode=0755
./\\134[slug]/what\\134?.tsx type=file mode=0644 size=5 sha256=$(printf 'page\n' | sha256sum | cut -d' ' -f1)
./a\\134*b type=file mode=0644 size=2 sha256=73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac
./a-b type=file mode=0644 size=2 sha256=73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac
./back\\134\\134sla\\134[sh type=file mode=0644 size=2 sha256=73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac
./new\\012line\\040\\377 type=file mode=0644 size=2 sha256=73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac
./src type=dir mode=0755
./src/a.c type=file mode=0644 size=4 sha256=$(printf 'one\n' | sha256sum | cut -d' ' -f1)
./src/b.c type=file mode=0640 size=4 sha256=$(printf 'two\n' | sha256sum | cut -d' ' -f1)
./src/link type=link mode=0777 link=../a\\040b" "$(cat "$T/in.mtree")"

# ---- over a draft: what the tool saw is the workspace with what is held below it --------------------
new_ws
printf 'one\n' >"$WS/a"
own "$WS"
run_airlock -m propose -- sh -c 'printf first >b; rm a'
run_airlock -m propose -- sh -c 'printf second >c'
expect_eq "both are held" held "$(record .outcome.settled)"
expect_verb "the tree over a draft" 0 export @last --mtree
cp "$OUT" "$T/in.mtree"
expect_verb "and behind it" 0 export @last --mtree --after
cp "$OUT" "$T/out.mtree"
mkdir "$T/draft"
printf first >"$T/draft/b"
mtree_of "$T/in.mtree" "$T/draft"
expect_eq "mtree: the draft is part of what it found" "0 " "$RC $(cat "$OUT" "$ERR")"
printf second >"$T/draft/c"
mtree_of "$T/out.mtree" "$T/draft"
expect_eq "mtree: what it left, though it is held" "0 " "$RC $(cat "$OUT" "$ERR")"

# ---- what cannot be listed is refused ----------------------------------------------------------------
expect_verb "--after alone" 125 export @last --after
expect_eq "says what it belongs to" "airlock: export: --after belongs to --mtree" "$(cat "$ERR")"
expect_verb "--mtree into a directory" 125 export @last --mtree --to "$T/x"
expect_verb "neither" 125 export @last
find "$AIRLOCK_STATE/wf" -name '*.alp' -delete
expect_verb "the packs are gone" 1 export @last --mtree
expect_match "says what is not there" "its object is not in the store, so the list would not be whole" "$ERR"
expect_eq "and prints no part of a list" "" "$(cat "$OUT")"

# ---- log --ocsf, --otlp-json: the golden samples are in tests/unit/cli; here real calls ---------------
expect_run "a call that is denied something" 3 -- sh -c 'unshare -r true 2>/dev/null; exit 3'
call=$(record .planned.call)
expect_verb "as OCSF" 0 log -n 1 --ocsf
expect_out "launch, finding, end" "100701 200401 100702" jq -rs 'map(.type_uid) | join(" ")' "$OUT"
expect_out "the finding names its call and its rule" "$call unshare was denied by built-in" \
	jq -rs '.[1] | .evidences[0].process.uid + " " + (.message | split(":")[0])' "$OUT"
expect_out "the end has the outcome's digest" "$(rows \
	"SELECT lower(hex(digest)), n FROM entry WHERE call = '$call' AND type = 'call.outcome'")" \
	jq -rs '.[2].unmapped.airlock | "\(.record_digest)|\(.log_index)"' "$OUT"
expect_verb "as OTLP" 0 log --workflow local --verdict failed --otlp-json
expect_out "one request, a span of the call" "execute_tool sh 3 failed" \
	jq -r '.resourceSpans[0].scopeSpans[0].spans | map(.name + " " + (.attributes | map({(.key): .value}) | add |
		."process.exit.code".intValue + " " + ."airlock.verdict".stringValue)) | .[]' "$OUT"
expect_verb "as OTLP, no call" 0 log --profile nobody --otlp-json
expect_eq "no request" "" "$(cat "$OUT")"

# ---- export --dsse: verified by openssl alone, its subjects by sha256sum ---------------------------------
# pae FILE: what DSSE signs of a payload.
pae()
{
	printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c <"$1")"
	cat "$1"
}

new_ws
expect_run "a call with output" 0 -- sh -c 'echo told; echo made >"new file"; mkdir d; echo more >d/m'
expect_verb "as a statement" 0 export @last --dsse
cp "$OUT" "$T/envelope"
jq -r .payload "$T/envelope" | base64 -d >"$T/payload"
jq -r '.signatures[0].sig' "$T/envelope" | base64 -d >"$T/sig"
expect_verb "the log's key" 0 key show
vkey=$(head -n 1 "$OUT")
{ printf '302a300506032b6570032100' | xxd -r -p; echo "$vkey" | cut -d+ -f3- | base64 -d | tail -c 32; } >"$T/pub.der"
pae "$T/payload" >"$T/signed"
# openssl verify of $T/signed
signed()
{
	openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$T/pub.der" -sigfile "$T/sig" -in "$T/signed"
}
expect_rc "openssl: the log's key signed it" 0 signed
expect_eq "the key's id" "$(echo "$vkey" | cut -d+ -f2)" "$(jq -r '.signatures[0].keyid' "$T/envelope")"
sed 's/"exit":0/"exit":1/' "$T/payload" >"$T/forged"
pae "$T/forged" >"$T/signed"
expect_rc "openssl: another exit is not signed" 1 signed
expect_verb "the files themselves" 0 export @last --to "$T/files"
jq -r '.subject[] | .digest.sha256 + "  " + .name' "$T/payload" | sed 's/\\040/ /' >"$T/sums"
expect_out "sha256sum: the subjects are these files" "record-outcome.json: OK
stdout: OK
out/d/m: OK
out/new file: OK" sh -c 'cd "$1" && sha256sum -c "$2"' - "$T/files" "$T/sums"
rows "SELECT type, lower(hex(digest)), n FROM entry WHERE call = '$(record .planned.call)'" \
	>"$T/entries"
expect_eq "its entries are the log's" "$(sort "$T/entries")" \
	"$(jq -r '.predicate.entries | to_entries[] | "\(.key)|\(.value.digest)|\(.value.index)"' "$T/payload" | sort)"
run_airlock -- sh -c 'mkdir -p .git/hooks; echo hook >.git/hooks/post-checkout; echo x >plain'
expect_verb "what was held" 0 export @last --to "$T/with-held"
expect_eq "stands without its name" "$(echo hook | sha256sum | cut -c 1-64) ./plain" "$(ls "$T/with-held/held") $(cd "$T/with-held/out" && find . -type f)"
expect_verb "--dsse and --mtree" 125 export @last --dsse --mtree
