#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verify-log.sh DIR VKEY-FILE: says whether the log in DIR is the one that the key signed, with openssl, coreutils and
# awk; nothing of airlock. The signature, then from every entry the leaf, from the leaves every tile and the root.
set -eu
export LC_ALL=C
dir=$1
vkey_file=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail()
{
	echo "verify-log: $*" >&2
	exit 1
}

# Hex without spaces or newlines.
hex()
{
	od -An -v -tx1 "$@" | tr -d ' \n'
}

# Lines of hex to lines of their SHA-256: a file for each (the shell's own printf writes it), then one openssl for all.
hash_lines()
{
	rm -rf "$work/pieces"
	mkdir "$work/pieces"
	awk 'BEGIN { for (i = 0; i < 256; i++) octal[sprintf("%02x", i)] = sprintf("\\%03o", i) }
	{
		printf "printf '\''"
		for (i = 1; i < length($0); i += 2) printf "%s", octal[substr($0, i, 2)]
		printf "'\'' >%08d\n", NR
	}' >"$work/pieces.sh"
	(cd "$work/pieces" && sh "$work/pieces.sh")
	find "$work/pieces" -type f | sort | xargs -r openssl dgst -sha256 -r | cut -d' ' -f1
}

# tile LEVEL NUMBER WIDTH: the file of a tile, of a partial one that is gone the full one.
tile()
{
	number=$(printf '%03d' $(($2 % 1000)))
	rest=$(($2 / 1000))
	while [ "$rest" -gt 0 ]; do
		number=$(printf 'x%03d/%s' $((rest % 1000)) "$number")
		rest=$((rest / 1000))
	done
	path=$dir/tile/$1/$number
	if [ "$3" -lt 256 ] && [ -f "$path.p/$3" ]; then
		path=$path.p/$3
	fi
	[ -f "$path" ] || fail "$path is missing"
	echo "$path"
}

# tiles_of LEVEL COUNT: for each tile of a level its width and its file.
tiles_of()
{
	at=0
	while [ $((at * 256)) -lt "$2" ]; do
		wide=$(($2 - at * 256))
		[ "$wide" -le 256 ] || wide=256
		file=$(tile "$1" "$at" "$wide") || exit 1
		echo "$wide $file"
		at=$((at + 1))
	done
}

# ---- the signature -----------------------------------------------------------------------------------------

vkey=$(cat "$vkey_file")
name=$(printf '%s' "$vkey" | cut -d+ -f1)
id=$(printf '%s' "$vkey" | cut -d+ -f2)
# The base64 may have a + of its own.
printf '%s' "$vkey" | cut -d+ -f3- | base64 -d >"$work/key" || fail "$vkey_file is not a key"
if [ "$(hex -N1 "$work/key")" != 01 ] || [ "$(wc -c <"$work/key")" != 33 ]; then
	fail "$vkey_file is not an Ed25519 key"
fi
{
	printf '\060\052\060\005\006\003\053\145\160\003\041\000'
	tail -c 32 "$work/key"
} >"$work/pub.der"

sed '/^$/,$d' "$dir/checkpoint" >"$work/text"
sed '1,/^$/d' "$dir/checkpoint" | awk -v name="$name" '$1 == "\342\200\224" && $2 == name { print $3 }' |
	while read -r line; do
		printf '%s' "$line" | base64 -d >"$work/line" || exit 1
		[ "$(hex -N4 "$work/line")" != "$id" ] || cp "$work/line" "$work/found"
	done || fail "a signature is not base64"
if [ ! -f "$work/found" ] || [ "$(wc -c <"$work/found")" != 68 ]; then
	fail "the checkpoint is not signed by $name"
fi
tail -c 64 "$work/found" >"$work/sig"
openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$work/pub.der" -sigfile "$work/sig" -in "$work/text" \
	>/dev/null 2>&1 || fail "the signature is wrong"

if [ "$(wc -l <"$work/text")" != 3 ] || [ "$(sed -n 1p "$work/text")" != "$name" ]; then
	fail "the checkpoint is not one of $name"
fi
size=$(sed -n 2p "$work/text")
root=$(sed -n 3p "$work/text" | base64 -d | hex) || fail "the root is not base64"

# ---- the tree ----------------------------------------------------------------------------------------------

# Entries: two bytes of length before each; a leaf is the hash of a zero byte and the entry.
tiles_of entries "$size" >"$work/bundles"
while read -r wide file; do
	od -An -v -tx1 "$file" | tr -d '\n' | tr -s ' ' '\n' | awk -v wide="$wide" -v full="${file%.p/*}" -v file="$file" '
	BEGIN { for (i = 0; i < 256; i++) value[sprintf("%02x", i)] = i }
	$0 == "" { next }
	head < 2 { left = left * 256 + value[$0]; if (++head == 2) { entry = "00"; if (left == 0) exit bad = 1 }; next }
	{
		entry = entry $0
		if (--left == 0) {
			if (++count <= wide) print entry
			head = 0
		}
	}
	END { exit bad || head != 0 || (count != wide && !(file == full && count == 256)) }' ||
		fail "$file does not hold $wide entries"
done <"$work/bundles" >"$work/entries" || exit 1
hash_lines <"$work/entries" >"$work/nodes"
[ "$(wc -l <"$work/nodes")" = "$size" ] || fail "not $size entries"

# What is above: pairs, and a last one without a partner as it is. After 8 steps the nodes are what the tiles of the
# next level hold, as far as the subtrees are whole.
level=0 whole=$size step=0
while :; do
	if [ $((step % 8)) = 0 ] && [ "$whole" -gt 0 ]; then
		tiles_of "$level" "$whole" >"$work/bundles"
		while read -r wide file; do
			hex -N$((wide * 32)) "$file" | fold -w 64
			echo
		done <"$work/bundles" | sed '/^$/d' >"$work/hashes"
		head -n "$whole" "$work/nodes" | cmp -s - "$work/hashes" || fail "tile/$level does not hash to what is below it"
		while read -r wide file; do
			bytes=$(wc -c <"$file")
			[ "$bytes" = $((wide * 32)) ] || [ "$bytes" = 8192 ] || fail "$file has $bytes bytes"
		done <"$work/bundles"
		level=$((level + 1))
		whole=$((whole / 256))
	fi
	[ "$(wc -l <"$work/nodes")" -gt 1 ] || break
	step=$((step + 1))
	awk 'NR % 2 { left = $0; next } { print "01" left $0; left = "" }' "$work/nodes" | hash_lines >"$work/above"
	[ $(($(wc -l <"$work/nodes") % 2)) = 0 ] || tail -n 1 "$work/nodes" >>"$work/above"
	mv "$work/above" "$work/nodes"
done
[ "$(cat "$work/nodes")" = "$root" ] || fail "the entries do not give the root that was signed"
echo "ok: $size entries, signed by $name"
