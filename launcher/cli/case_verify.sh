#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks this case folder with openssl, xxd, awk and coreutils alone: airlock is neither needed nor believed.
#
#   sh verify.sh [KEY]     KEY: a file with the log's public key, got from somebody whom you trust
#
# 1. the checkpoint is signed by that key; 2. each record gives, with its salt, the digest in entries.tsv; 3. that
# entry is in the log of the checkpoint (RFC 6962); 4. each object is what its name says; 5. nothing else lies here.
# Exits 0 when all of it holds, 1 when something does not, 2 when it could not look.
set -u
export LC_ALL=C
key=${1:-}
case $key in
'' | /*) ;;
*) key=$PWD/$key ;;
esac
cd "$(dirname "$0")" || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
tab=$(printf '\t')
bad=0

for program in openssl xxd awk sha256sum base64 split; do
	command -v "$program" >/dev/null || {
		echo "verify: the program $program is missing"
		exit 2
	}
done

# What is said can hold names of this folder, which nobody vouches for: no control byte gets to a terminal.
say()
{
	printf '%s\n' "$*" | tr '\001-\011\013-\037\177-\377' '?'
}

wrong()
{
	say "WRONG $*"
	bad=1
}

# wrong_each BEFORE BEHIND: each line of $work/odd is wrong.
wrong_each()
{
	while IFS= read -r odd; do
		wrong "$1$odd$2"
	done <"$work/odd"
}

# Before anything is opened: a link leads elsewhere, and who reads a pipe waits for ever.
find . ! -type f ! -type d >"$work/odd"
wrong_each "" ": neither a file nor a directory"
if [ "$bad" != 0 ]; then
	echo "NOT verified"
	exit 1
fi

# ---- 1. the checkpoint's signature -----------------------------------------------------------------------

own_key=no
if [ -z "$key" ]; then
	key=vkey
	own_key=yes
fi
if [ ! -f "$key" ] || [ ! -f checkpoint ]; then
	echo "verify: there is no ${key##*/} or no checkpoint: nothing here can be proved"
	exit 2
fi
name=$(cut -d+ -f1 "$key")
keyid=$(cut -d+ -f2 "$key")
cut -d+ -f3- "$key" | base64 -d >"$work/key" 2>/dev/null
computed=$({ printf '%s\n' "$name" && cat "$work/key"; } | sha256sum | cut -c1-8)
if [ "$computed" != "$keyid" ] || [ "$(head -c 1 "$work/key" | xxd -p)" != 01 ]; then
	wrong "the key: it is not the one that its own name and hash say"
fi
{
	printf 302a300506032b6570032100 | xxd -r -p
	tail -c 32 "$work/key"
} >"$work/pub.der"
sed '/^$/,$d' checkpoint >"$work/text"
signed=no
grep -F -- "— $name " checkpoint | awk '{ print $3 }' >"$work/signatures"
while IFS= read -r line; do
	printf '%s' "$line" | base64 -d >"$work/signature" 2>/dev/null
	[ "$(head -c 4 "$work/signature" | xxd -p)" = "$keyid" ] || continue
	tail -c +5 "$work/signature" >"$work/ed25519"
	if openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$work/pub.der" -sigfile "$work/ed25519" \
		-in "$work/text" >/dev/null 2>&1; then
		[ "$signed" = wrong ] || signed=yes
	else
		signed=wrong
	fi
done <"$work/signatures"
origin=$(sed -n 1p "$work/text")
size=$(sed -n 2p "$work/text")
root=$(sed -n 3p "$work/text" | base64 -d 2>/dev/null | xxd -p -c 64)
case $size in
'' | *[!0-9]*) wrong "checkpoint: its second line is no size" ;;
esac
if [ "$signed" = yes ] && [ "$origin" = "$name" ]; then
	say "ok    the checkpoint of $origin, $size entries, is signed by $keyid"
else
	wrong "checkpoint: no good signature of $name+$keyid"
fi

# ---- 2. records ------------------------------------------------------------------------------------------

# Only lines of the one right form are looked at, so that no name in them leads anywhere else.
awk -F '\t' '
	function hex(s, n) { return length(s) == n && s !~ /[^0-9a-f]/ }
	NF == 6 && $1 ~ /^(0|[1-9][0-9]*)$/ && $2 ~ /^[a-z.]+$/ && length($3) == 36 && $3 !~ /[^0-9a-f-]/ && hex($5, 64) &&
	($6 == "records/" $1 "-" $2 ".json" && hex($4, 32) || $6 == "-" && $4 == "-") && !seen[$1]++ { print; next }
	{ print "line " NR >"/dev/stderr" }' entries.tsv >"$work/entries" 2>"$work/odd"
wrong_each "entries.tsv: " " is not an entry"
[ -s "$work/entries" ] || wrong "entries.tsv: there is no entry in it"

# The salt as octal escapes, for a printf that needs no process.
awk -F '\t' -v OFS='\t' '
	function digit(s, i) { return index("0123456789abcdef", substr(s, i, 1)) - 1 }
	{
		octal = ""
		for (i = 1; $4 != "-" && i < 32; i += 2)
			octal = octal sprintf("\\%03o", digit($4, i) * 16 + digit($4, i + 1))
		print $1, $2, $3, octal == "" ? "-" : octal, $5, $6
	}' "$work/entries" >"$work/octal"
mkdir "$work/salted" "$work/leaf"
while IFS="$tab" read -r n type call salt digest file; do
	printf '\000{"call":"%s","digest":"%s","type":"%s"}' "$call" "$digest" "$type" >"$work/leaf/$n"
	[ "$file" != - ] || continue
	if [ -f "$file" ] && [ ! -L "$file" ]; then
		# shellcheck disable=SC2059 # the salt's bytes, as octal escapes
		{
			printf "$salt"
			cat "$file"
		} >"$work/salted/$n"
	else
		wrong "$file: the record is not here"
	fi
done <"$work/octal"

# sums DIRECTORY: "name hash" of every file in it.
sums()
{
	(cd "$1" && find . -type f -exec sha256sum {} +) | awk '{ sub(/^\.\//, "", $2); print $2, $1 }'
}

sums "$work/salted" >"$work/salted.sums"
awk -F '[\t ]' 'FILENAME == ARGV[1] { got[$1] = $2; next } $6 != "-" && ($1 in got) && got[$1] != $5 { print $6 }' \
	"$work/salted.sums" "$work/entries" >"$work/odd"
wrong_each "" ": not the record whose salted digest is in entries.tsv"

# ---- 3. inclusion ------------------------------------------------------------------------------------------

# What each receipt says: "path n k side hash" for each step from the leaf to the root, "odd n why" when it is none.
awk -v size="$size" '
	BEGIN {
		alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		digits = "0123456789abcdef"
		while ((getline line <"checkpoint") > 0)
			checkpoint = checkpoint line "\n"
	}
	function hash(text,    i, k, v, out) {
		if (length(text) != 44 || text !~ /^[A-Za-z0-9+\/]+=$/)
			return ""
		for (i = 1; i <= 44; i += 4) {
			v = 0
			for (k = 0; k < 4; k++)
				v = v * 64 + index(alphabet, substr(text, i + k, 1)) - (substr(text, i + k, 1) == "=" ? 0 : 1)
			for (k = 5; k >= 0; k--)
				out = out substr(digits, int(v / 16 ^ k) % 16 + 1, 1)
		}
		return substr(out, 1, 64)
	}
	function read(n,    file, line, at, count, hashes, k, fn, sn, rest, index_line, got) {
		file = "proofs/" n ".tlog-proof"
		at = count = 0
		rest = ""
		index_line = "none"
		while ((got = (getline line <file)) > 0) {
			at++
			if (at == 1 && line != "c2sp.org/tlog-proof@v1") {
				close(file)
				return "its first line is another one"
			}
			if (at > 1 && index_line == "none") {
				if (line ~ /^extra /)
					continue
				index_line = line
			} else if (at > 1 && !tail && line == "") {
				tail = 1
			} else if (at > 1 && tail) {
				rest = rest line "\n"
			} else if (at > 1) {
				hashes[++count] = hash(line)
				if (hashes[count] == "") {
					close(file)
					return "line " at " is no hash"
				}
			}
		}
		tail = 0
		close(file)
		if (got < 0 || at == 0)
			return "it is not here"
		if (index_line != "index " n)
			return "it is of another entry"
		if (rest != checkpoint)
			return "it belongs to another checkpoint"
		if (n + 0 >= size + 0)
			return "the log of the checkpoint ends before it"
		fn = n + 0
		sn = size - 1
		for (k = 1; k <= count; k++) {
			if (sn == 0)
				return "it is too long"
			if (fn % 2 == 1 || fn == sn) {
				print "path", n, k, "L", hashes[k]
				while (fn % 2 == 0 && fn != 0) {
					fn = int(fn / 2)
					sn = int(sn / 2)
				}
			} else {
				print "path", n, k, "R", hashes[k]
			}
			fn = int(fn / 2)
			sn = int(sn / 2)
		}
		return sn == 0 ? "" : "it is too short"
	}
	{
		tail = 0
		why = read($1)
		if (why != "")
			print "odd", $1, why
	}' "$work/entries" >"$work/paths"
sed -n 's/^odd \([0-9]*\) /proofs\/\1.tlog-proof: /p' "$work/paths" >"$work/odd"
wrong_each "" ""

# One level of all paths at a time: the inner nodes as files of 65 bytes, hashed by one sha256sum.
sums "$work/leaf" >"$work/now"
levels=$(awk '$1 == "path" && $3 > most { most = $3 } END { print most + 0 }' "$work/paths")
level=1
while [ "$level" -le "$levels" ]; do
	awk -v level="$level" -v order="$work/order" 'FILENAME == ARGV[1] { now[$1] = $2; next }
		$1 == "path" && $3 == level {
			print $2 >order
			print "01" ($4 == "L" ? $5 now[$2] : now[$2] $5)
		}' "$work/now" "$work/paths" | xxd -r -p >"$work/nodes"
	rm -rf "$work/node"
	mkdir "$work/node"
	split -b 65 -a 8 -d "$work/nodes" "$work/node/"
	sums "$work/node" | sort | cut -d' ' -f2 >"$work/hashes"
	paste -d' ' "$work/order" "$work/hashes" >"$work/changed"
	awk 'FILENAME == ARGV[1] { changed[$1] = $2; next } { print $1, ($1 in changed ? changed[$1] : $2) }' \
		"$work/changed" "$work/now" >"$work/next"
	mv "$work/next" "$work/now"
	level=$((level + 1))
done
awk -v root="$root" 'FILENAME == ARGV[1] { if ($1 == "odd") odd[$2] = 1; next } !($1 in odd) && $2 != root { print $1 }' \
	"$work/paths" "$work/now" >"$work/odd"
wrong_each "entry " ": it is not in the log of the checkpoint"
if [ "$bad" = 0 ]; then
	echo "ok    $(wc -l <"$work/entries") entries are in that log, $(wc -l <"$work/salted.sums") of them with their records"
	forgotten=$(awk -F '\t' '$6 == "-"' "$work/entries" | wc -l)
	[ "$forgotten" = 0 ] || echo "note  $forgotten entries were forgotten since: their records are gone, their proofs hold"
fi

# ---- 4. objects ----------------------------------------------------------------------------------------------

before=$bad
bad=0
sums objects 2>/dev/null >"$work/objects.sums"
awk '$1 != $2 { print $1 }' "$work/objects.sums" >"$work/odd"
wrong_each "objects/" ": its bytes have another digest"
awk -F '\t' '$2 != "-" && $1 !~ /[^0-9a-f]/ && length($1) == 64 { print $1 }' objects.tsv | sort -u >"$work/wanted"
(cd objects && find . -type f) | sed 's/^\.\///' | sort >"$work/there"
awk '{ print $1 }' "$work/objects.sums" | sort | comm -13 - "$work/there" >"$work/odd"
wrong_each "objects/" ": it cannot be read"
comm -23 "$work/wanted" "$work/there" >"$work/odd"
wrong_each "objects/" ": objects.tsv names it, and it is not here"
if [ "$bad" = 0 ]; then
	echo "ok    $(wc -l <"$work/there") objects are what their names say"
	missing=$(awk -F '\t' '$2 == "-" { print $1 }' objects.tsv | sort -u | wc -l)
	[ "$missing" = 0 ] || echo "note  $missing more were not captured: of those there is only the digest"
fi
[ "$before" = 0 ] || bad=1

# ---- 5. what nobody vouches for ---------------------------------------------------------------------------------

cut -f6 "$work/entries" | sort >"$work/wanted"
find records -type f | sort >"$work/there"
comm -13 "$work/wanted" "$work/there" >"$work/odd"
wrong_each "" ": no entry is of this record"

if [ "$own_key" = yes ]; then
	echo "note  the key came with this folder, so somebody who made up both is not found out. Ask somebody"
	say "      whom you trust whether the log's key is $(head -c 512 vkey)"
fi
if [ "$bad" = 0 ]; then
	echo "verified"
else
	echo "NOT verified"
fi
exit "$bad"
