#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What was built: which binary links what (against docs/architecture.md and the Makefile), and the
# jail's promises: static, small, no library, nothing writable and executable.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

build=${BUILD:-build}

# names_of VARIABLE: the words behind "VARIABLE :=" in the Makefile.
make_words()
{
	sed -n "s/^$1 *:= *//p" Makefile
}

for binary in airlock airlock-credd airlock-jail airlock-cli airlock-log airlock-probe airlock-inspect airlock-witness; do
	file=$build/$binary
	if [ ! -x "$file" ]; then
		skip "binaries/$binary" "$file is not built"
		continue
	fi
	readelf -dW "$file" >"$lint_tmp/dynamic" 2>/dev/null
	readelf -lW "$file" >"$lint_tmp/segments" 2>/dev/null
	sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p' "$lint_tmp/dynamic" >"$lint_tmp/needed"
	case $binary in
	airlock | airlock-jail | airlock-probe | airlock-inspect)
		{
			sed "s,.*,$binary needs the library &," "$lint_tmp/needed"
			grep -q INTERP "$lint_tmp/segments" && echo "$binary wants a dynamic loader"
		} | verdict "binaries/$binary-static"
		;;
	*)
		variable=CLI_LIBS
		[ "$binary" = airlock-log ] && variable=LOG_LIBS
		[ "$binary" = airlock-witness ] && variable=WITNESS_LIBS
		[ "$binary" = airlock-credd ] && variable=CREDD_LIBS
		libraries=$(make_words $variable)
		while IFS= read -r library; do
			case $library in
			libc.so.* | ld-linux*) continue ;;
			esac
			name=${library#lib}
			[[ " $libraries " == *" -l${name%%.so*} "* ]] || echo "$binary needs $library, which $variable does not name"
		done <"$lint_tmp/needed" | verdict "binaries/$binary-libraries"
		# The other way round: a library that the link line names and the program does not need.
		for library in $libraries; do
			grep -q "^lib${library#-l}\.so" "$lint_tmp/needed" || echo "$variable names $library, which $binary does not need"
		done | verdict "binaries/$binary-needs-all"
		;;
	esac
	{
		awk '$1 == "GNU_STACK" && $0 ~ /RWE/ { print "the stack is executable" }
		     $1 == "LOAD" && $0 ~ /RWE/ { print "a segment is writable and executable" }
		     $1 == "GNU_RELRO" { relro = 1 }
		     END { if (!relro) print "no RELRO" }' "$lint_tmp/segments"
		readelf -hW "$file" | grep -q 'Type: *DYN' || echo "not position independent"
		grep -qE 'BIND_NOW|NOW' "$lint_tmp/dynamic" || echo "not bound at start"
		grep -qE 'RPATH|RUNPATH' "$lint_tmp/dynamic" && echo "has a library path of its own"
		[ -u "$file" ] && echo "is setuid"
		[ -g "$file" ] && echo "is setgid"
	} | sed "s/^/$binary: /" | verdict "binaries/$binary-hardening"
done

if [ -x "$build/airlock-jail" ]; then
	size=$(stat -c %s "$build/airlock-jail")
	if [ "$size" -lt 150000 ]; then
		ok binaries/jail-size
	else
		not_ok binaries/jail-size "$size bytes, 150000 are allowed"
	fi
else
	skip binaries/jail-size "not built"
fi

# ---- no globals --------------------------------------------------------------------------------------------

# Data that can change, by object: what the compiler put into .data or .bss.
find "$build/obj/musl/launcher" "$build/obj/glibc/launcher" -name '*.o' 2>/dev/null | sort >"$lint_tmp/objects"
if [ -s "$lint_tmp/objects" ]; then
	while IFS= read -r object; do
		source=${object#"$build"/obj/*/}
		[ -f "${source%.o}.c" ] || continue
		objdump -t "$object" | awk -v source="${source%.o}" '
		/ O \.(data|bss|tdata|tbss)/ && $0 !~ /\.data\.rel\.ro/ {
			name = $NF
			sub(/\.[0-9]+$/, "", name)
			print source " " name " can change: a global"
		}'
	done <"$lint_tmp/objects" | sort -u | exempted global | verdict binaries/globals
else
	skip binaries/globals "nothing is built"
fi
