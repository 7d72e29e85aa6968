#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Run on the host by tests/e2e/95-hostile.sh and by developers, as any user: makes programs that others wrote to try a
# kernel, to be run in a call. Their sources are Debian's: the self-tests of Landlock, seccomp and mount_setattr from
# linux-source, and libseccomp's live tests. Prints the directory that holds them.
#
# It lies in a cache outside the checkout, under a key made of this file: made once. Exit 125 with a message when it could
# not be made; nothing is half there.
set -euo pipefail

cache=${AIRLOCK_HOSTILE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/airlock-hostile}
key=$(sha256sum "$0" | cut -c1-16)
kernel=linux-source-6.1
self_tests=(landlock/base_test landlock/fs_test landlock/ptrace_test seccomp/seccomp_bpf mount_setattr/mount_setattr_test)

die()
{
	echo "build.sh: $*" >&2
	exit 125
}

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ -d "$cache/$key" ]; then
	echo "$cache/$key"
	exit 0
fi
work=$(mktemp -d "$cache/.new-XXXXXX")
trap 'rm -rf "${work:?}"' EXIT
mkdir "$work/out" "$work/lists" "$work/libseccomp"

kernel_tests()
{
	local tests=tools/testing/selftests t

	(cd "$work" && apt-get -o APT::Sandbox::User=root download -qq "$kernel" >/dev/null) || die "apt-get download $kernel"
	dpkg-deb --fsys-tarfile "$work/$kernel"_*.deb | tar -xO "./usr/src/$kernel.tar.xz" |
		tar -xJ -C "$work" --wildcards "$kernel/$tests/landlock/*" "$kernel/$tests/seccomp/*" \
			"$kernel/$tests/mount_setattr/*" "$kernel/$tests/*.h"
	for t in "${self_tests[@]}"; do
		gcc -O1 -w -D_GNU_SOURCE -I"$work/$kernel/$tests" -o "$work/out/${t##*/}" \
			"$work/$kernel/$tests/$t.c" -lcap -lpthread || die "compile $t"
	done
}

# Debian's sources by apt, with lists of our own: the host's configuration may have none for sources.
seccomp_tests()
{
	local options=(-o "Dir::Etc::sourcelist=$work/source.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists" \
		-o APT::Sandbox::User=root) mirror t

	# one of the two forms, or both; either may be missing
	mirror=$(find /etc/apt \( -name '*.list' -o -name '*.sources' \) -exec sed -nE \
		's/^URIs: *([^ ]+).*/\1/p; s/^deb (\[[^]]*\] )?([^ ]+) .*/\2/p' {} + | grep '/debian/*$' | sort -u | sed -n 1p)
	[ -n "$mirror" ] || die "no mirror of Debian in /etc/apt"
	echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main" >"$work/source.list"
	mkdir "$work/lists/partial"
	apt-get "${options[@]}" -qq update || die "apt-get update for sources"
	(cd "$work" && apt-get "${options[@]}" -qq source --download-only libseccomp >/dev/null) || die "apt-get source libseccomp"
	tar -xzf "$work"/libseccomp_*.orig.tar.gz -C "$work/libseccomp" --strip 1
	for t in "$work"/libseccomp/tests/*-live-*.c; do
		gcc -O1 -w -D_GNU_SOURCE -I"$work/libseccomp/tests" -o "$work/out/$(basename "$t" .c)" "$t" \
			"$work/libseccomp/tests/util.c" -lseccomp -lpthread || die "compile $(basename "$t")"
	done
}

kernel_tests
seccomp_tests
mv "$work/out" "$cache/$key"
chmod -R go+rX "$cache/$key"
echo "$cache/$key"
