#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Run on the host by `make vm` and by developers, as root or as a plain user
# with subordinate ids. Builds what run.sh boots: a Debian 12 root file system,
# and for each kernel of the table a disk image, the kernel and an initramfs.
# All of it lands in a cache outside the checkout, under a key made of the files
# that decide its contents; a second call with the same key does nothing.
#
#   build.sh [--force]     build what is missing; --force: build it again
#   build.sh --path NAME   print the directory of kernel NAME, built or not
#   build.sh --kernels     print their names
set -euo pipefail

# The kernels. Name, then a package: a metapackage stands for the image that it
# depends on. Nothing of it is installed on the host.
kernels='
6.1	linux-image-cloud-amd64
6.12	linux-image-6.12-cloud-amd64
'

suite=bookworm
image_size=4G
boot_modules='virtio_pci virtio_blk virtio_console ext4'

here=$(cd "$(dirname "$0")" && pwd)
cache=${AIRLOCK_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/airlock-vm}
cache=$(realpath -m "$cache")

die()
{
	echo "build.sh: $*" >&2
	exit 1
}

kernel_names()
{
	awk 'NF { print $1 }' <<<"$kernels"
}

cache_key()
{
	cd "$here"
	find build.sh packages.txt guest -type f -print0 | LC_ALL=C sort -z |
		xargs -0 sha256sum | sha256sum | cut -c 1-16
}

# Host packages: command, then the package that has it.
host_tools()
{
	cat <<-'END'
	mmdebstrap mmdebstrap
	mke2fs e2fsprogs
	qemu-system-x86_64 qemu-system-x86
	END
	if [ "$(id -u)" -ne 0 ]; then
		echo newuidmap uidmap
	fi
}

install_host_tools()
{
	local tool package
	local missing=()

	while read -r tool package; do
		if ! command -v "$tool" >/dev/null; then
			missing+=("$package")
		fi
	done < <(host_tools)
	if [ "${#missing[@]}" -eq 0 ]; then
		return
	fi
	if [ "$(id -u)" -ne 0 ]; then
		die "missing packages: apt-get install ${missing[*]}"
	fi
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
		--no-install-recommends "${missing[@]}"
}

# The host's own sources for this suite, if it has any; with none of them
# mmdebstrap uses its default.
apt_sources()
{
	# shellcheck disable=SC2016
	apt-get indextargets \
		--format '$(ORIGIN) $(CODENAME) $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' |
		awk -v suite="$suite" '$1 == "Debian" && index($2, suite) == 1 {
			print "deb", $3, $4, $5 }' | sort -u
}

# And how the host reaches them.
apt_options()
{
	apt-config dump |
		grep -E '^Acquire::(https?::Proxy|Check-Date|Check-Valid-Until) ' ||
		true
}

# build_root TAR: the root file system, with the kernel packages in /kernels.
build_root()
{
	local packages work=${1%/*}
	local mirror=()

	packages=$(sed -e 's/#.*//' -e '/^$/d' "$here/packages.txt" | paste -sd,)
	apt_sources >"$work/sources"
	if [ -s "$work/sources" ]; then
		mirror=("$work/sources")
	fi
	apt_options >"$work/aptopt"

	AIRLOCK_VM_KERNELS=$kernels mmdebstrap --quiet --variant=minbase \
		--include="$packages" --aptopt="$work/aptopt" \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook="sync-in '$here/guest/root' /" \
		--customize-hook="$(cat "$here/guest/setup.sh")" \
		"$suite" "$1" "${mirror[@]}"
}

# initramfs ROOT RELEASE DIR: busybox and the modules that mount the root.
initramfs()
{
	local root=$1 release=$2 dir=$3
	local module path

	mkdir -p "$dir/bin" "$dir/dev" "$dir/root" "$dir/modules"
	cp "$root/bin/busybox" "$dir/bin/"
	cp "$here/guest/init" "$dir/init"
	chmod 755 "$dir/init"
	for module in $boot_modules; do
		chroot "$root" modprobe --set-version "$release" \
			--show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r path; do
			cp "$root$path" "$dir/modules/"
			path=${path##*/}
			if [ "${path%.xz}" != "$path" ]; then
				xz -d "$dir/modules/$path"
			fi
			echo "${path%.xz}"
		done >"$dir/modules/order"
	(cd "$dir" && find . | LC_ALL=C sort | ./bin/busybox cpio -o -H newc) |
		gzip -1
}

# build_images WORK: a directory per kernel out of WORK/root.tar. Called with
# root's ids, real or mapped, so that owners in the image are right.
build_images()
{
	local work=$1 root=$1/root
	local name release

	mkdir "$root"
	tar -C "$root" --numeric-owner --exclude='./dev/*' -xpf "$work/root.tar"
	mv "$root/kernels" "$work/kernels"
	for name in $(kernel_names); do
		mkdir -p "$work/out/$name" "$work/kernel-$name"
		dpkg-deb -x "$work/kernels/$name/"*.deb "$work/kernel-$name"
		release=$(ls "$work/kernel-$name/lib/modules")
		cp "$work/kernel-$name/boot/vmlinuz-$release" \
			"$work/out/$name/vmlinuz"
		mkdir -p "$root/lib/modules"
		mv "$work/kernel-$name/lib/modules/$release" "$root/lib/modules/"
		chroot "$root" depmod "$release"
		initramfs "$root" "$release" "$work/initramfs-$name" \
			>"$work/out/$name/initramfs"
		truncate -s "$image_size" "$work/out/$name/root.img"
		mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$root" \
			"$work/out/$name/root.img"
		rm -r "$root/lib/modules/$release"
	done
}

# Everything that touches the root file system's owners goes through here.
with_root_ids()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		unshare --user --map-root-user --map-auto -- "$@"
	fi
}

cleanup()
{
	with_root_ids rm -rf "$1"
}

main()
{
	local key work old force=0

	key=$(cache_key)
	case ${1-} in
	--path)
		kernel_names | grep -qxF -e "${2-}" ||
			die "no kernel '${2-}'; there is: $(kernel_names | paste -sd' ')"
		echo "$cache/$key/$2"
		return
		;;
	--kernels)
		kernel_names
		return
		;;
	--force)
		force=1
		;;
	--images)
		build_images "$2"
		return
		;;
	'') ;;
	*)
		die "usage: build.sh [--force | --path NAME | --kernels]"
		;;
	esac

	install_host_tools
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock 9
	if [ -d "$cache/$key" ] && [ "$force" -eq 0 ]; then
		touch "$cache/$key"
		return
	fi
	# Builds that were killed, and images that nobody asked for in a month.
	find "$cache" -mindepth 1 -maxdepth 1 -type d \
		\( -name 'work.*' -o -mtime +30 \) -print0 |
		while IFS= read -r -d '' old; do
			cleanup "$old"
		done

	work=$(mktemp -d "$cache/work.XXXXXX")
	# shellcheck disable=SC2064
	trap "cleanup '$work'" EXIT
	trap 'exit 1' HUP INT TERM
	chmod 755 "$work"
	build_root "$work/root.tar"
	with_root_ids "$BASH" "$here/build.sh" --images "$work"
	rm -rf "${cache:?}/$key"
	mv "$work/out" "$cache/$key"
	echo "build.sh: built $cache/$key"
}

main "$@"
