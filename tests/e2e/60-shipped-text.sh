#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The shipped profiles jq, ripgrep, pdftotext and sqlite, with the real programs.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/shipped.sh
. "$(dirname "$0")/shipped.sh"

need jq rg pdftotext sqlite3 python3
make_canary

# ---- jq ------------------------------------------------------------------------------------------
printf '{"users":[{"name":"ada","age":36},{"name":"alan","age":41}],"n":12345678901}\n' >"$WS/data.json"
own "$WS"
expect_run "jq: a query" 0 -p jq -- jq -c '[.users[] | select(.age > 40) | .name]' data.json
expect_eq "jq: its answer" '["alan"]' "$(cat "$OUT")"
expect_eq "jq: nothing changed" "ok none 0 0 0 0" "$(settled)"
expect_run "jq: standard input" 0 -p jq -- jq -r '.n' <<<'{"n":7}'
expect_eq "jq: its answer" 7 "$(cat "$OUT")"
expect_run "jq: -e without an answer" 1 -p jq -- jq -e .missing data.json
expect_eq "jq: is an answer" "ok none 0 0 0 0" "$(settled)"
expect_run "jq: a filter that does not fit" 5 -p jq -- jq .n.x data.json
expect_eq "jq: failed" "failed none 0 0 0 0" "$(settled)"
expect_only jq sh -c 'jq . data.json'
expect_denied jq "a file in HOME" 2 "Could not open file $CANARY: No such file or directory" jq -R . "$CANARY"

# ---- ripgrep -------------------------------------------------------------------------------------
mkdir -p "$WS/src/deep" "$WS/.git"
printf 'int main(void)\n{\n\treturn needle;\n}\n' >"$WS/src/main.c"
printf 'needle in a\nhaystack\n' >"$WS/src/deep/notes.txt"
printf 'needle\n' >"$WS/src/ignored.log"
printf '*.log\n' >"$WS/.gitignore"
printf '#!/bin/sh\ncat "$1"; echo x >>src/main.c\n' >"$WS/pre"
chmod 755 "$WS/pre"
own "$WS"
expect_run "ripgrep: a search" 0 -p ripgrep -- rg -n --sort path needle
expect_eq "ripgrep: its matches" "src/deep/notes.txt:1:needle in a
src/main.c:3:	return needle;" "$(cat "$OUT")"
expect_run "ripgrep: no match is 1" 1 -p ripgrep -- rg nowhere-to-be-found-$$
expect_eq "ripgrep: and an answer" "ok none 0 0 0 0" "$(settled)"
expect_run "ripgrep: many threads" 0 -p ripgrep -- rg -j8 -c needle src
expect_eq "ripgrep: their counts" "src/deep/notes.txt:1 src/main.c:1" "$(sort "$OUT" | tr '\n' ' ' | sed 's/ $//')"
expect_run "ripgrep: a bad pattern" 2 -p ripgrep -- rg '('
before=$(cat "$WS/src/main.c")
run_airlock -p ripgrep -- rg --pre ./pre needle src/main.c
expect_match "ripgrep: what --pre starts cannot write" "Read-only file system" "$ERR"
expect_eq "ripgrep: and has not" "$before" "$(cat "$WS/src/main.c")"
expect_only ripgrep cat src/main.c
expect_denied ripgrep "a file in HOME" 2 "$CANARY: No such file or directory" rg canary "$CANARY"

# ---- pdftotext -----------------------------------------------------------------------------------
python3 - "$WS/paper.pdf" <<'PY'
import sys

text = b"BT /F1 24 Tf 72 720 Td (A hardened sandbox) Tj 0 -30 Td (second line) Tj ET"
objects = [
    b"<< /Type /Catalog /Pages 2 0 R >>",
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
    b" /Resources << /Font << /F1 5 0 R >> >> >>",
    b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
    b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
]
out, offsets = b"%PDF-1.4\n", []
for number, body in enumerate(objects, 1):
    offsets.append(len(out))
    out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
xref = len(out)
out += b"xref\n0 6\n0000000000 65535 f \n"
out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
out += b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % xref
with open(sys.argv[1], "wb") as f:
    f.write(out)
PY
own "$WS"
expect_run "pdftotext: to standard output" 0 -p pdftotext -- pdftotext paper.pdf -
expect_eq "pdftotext: the text" "A hardened sandbox|second line" "$(tr -d '\f' <"$OUT" | paste -sd'|' | sed 's/|*$//')"
expect_eq "pdftotext: nothing on stderr" "" "$(cat "$ERR")"
expect_run "pdftotext: pdfinfo" 0 -p pdftotext -- pdfinfo paper.pdf
check "pdftotext: pdfinfo: the pages" grep -qx 'Pages: *1' "$OUT"
expect_run "pdftotext: pdffonts" 0 -p pdftotext -- pdffonts paper.pdf
check "pdftotext: pdffonts: the font" grep -q '^Helvetica  *Type 1 ' "$OUT"
expect_run "pdftotext: into a file is refused" 2 -p pdftotext -- pdftotext paper.pdf
expect_match "pdftotext: and says so" "Couldn't open text file 'paper.txt'" "$ERR"
check "pdftotext: there is none" test ! -e "$WS/paper.txt"
expect_run "pdftotext: no PDF" 1 -p pdftotext -- pdftotext data.json -
mkdir "$T/profiles"
printf 'version: 1\nname: pdffiles\nextends: pdftotext\neffects: [read, write-workspace]\nmode: apply\n' >"$T/profiles/pdffiles.yaml"
own "$T/profiles"
expect_run "pdftotext: a child may write" 0 -p "$T/profiles/pdffiles.yaml" -- pdftotext paper.pdf
expect_eq "pdftotext: and its file is there" "A hardened sandbox" "$(head -n 1 "$WS/paper.txt")"
expect_only pdftotext sh -c 'pdftotext paper.pdf -'
cp "$WS/paper.pdf" "$CANARY"
if outside pdftotext "$CANARY" - | grep -q 'A hardened sandbox'; then
	ok "pdftotext: a file in HOME: works outside"
else
	not_ok "pdftotext: a file in HOME: works outside" "no text"
fi
expect_run "pdftotext: a file in HOME" 1 -p pdftotext -- pdftotext "$CANARY" -
expect_match "pdftotext: says why" "Couldn't open file '$CANARY': No such file or directory" "$ERR"
expect_eq "pdftotext: and shows nothing" "" "$(cat "$OUT")"
echo "$CANARY_TEXT" >"$CANARY"

# ---- sqlite --------------------------------------------------------------------------------------
new_ws
expect_run "sqlite: create and fill" 0 -p sqlite -- sqlite3 shop.db \
	'CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL); INSERT INTO item(name, price) VALUES ("tea", 2.5), ("cake", 4);'
expect_eq "sqlite: committed" "ok committed 1 0 0 0" "$(settled)"
expect_run "sqlite: query" 0 -p sqlite -- sqlite3 -json shop.db 'SELECT name, price FROM item ORDER BY price DESC'
expect_eq "sqlite: the rows" '[{"name":"cake","price":4.0},{"name":"tea","price":2.5}]' "$(tr -d '\n' <"$OUT")"
expect_run "sqlite: a script on standard input" 0 -p sqlite -- sqlite3 shop.db <<<'BEGIN; UPDATE item SET price = price * 2; COMMIT; PRAGMA journal_mode = WAL; SELECT sum(price) FROM item; VACUUM;'
expect_eq "sqlite: its answer" "wal 13.0" "$(tr '\n' ' ' <"$OUT" | sed 's/ $//')"
expect_eq "sqlite: the change is there" "13.0" "$(outside sqlite3 shop.db 'SELECT sum(price) FROM item')"
before=$(sha256sum <"$WS/shop.db")
expect_run "sqlite: an error after a change" 1 -p sqlite -- sqlite3 -bail shop.db 'DELETE FROM item; SELECT * FROM nowhere;'
expect_eq "sqlite: is held" "failed held" "$(record '.outcome | "\(.verdict) \(.settled)"')"
expect_eq "sqlite: the database is as it was" "$before" "$(sha256sum <"$WS/shop.db")"
expect_run "sqlite: -m observe" 0 -p sqlite -m observe -- sqlite3 shop.db 'DROP TABLE item'
expect_eq "sqlite: the database is as it was" "$before" "$(sha256sum <"$WS/shop.db")"
expect_only sqlite sh -c 'sqlite3 shop.db .tables'
expect_denied sqlite "a file in HOME" 0 "null" sqlite3 :memory: ".nullvalue null" "SELECT readfile('$CANARY')"
expect_denied sqlite "a shell's way to HOME" 0 "$CANARY: No such file or directory" sqlite3 :memory: ".shell cat $CANARY"
