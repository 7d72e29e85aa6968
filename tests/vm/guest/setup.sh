#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Run on the host by mmdebstrap, as root or as root of a user namespace, with
# the new root file system as $1 and build.sh's kernel table in
# AIRLOCK_VM_KERNELS. Makes the user dev, quiets the boot and puts the kernel
# packages into /kernels/NAME, from where build.sh takes them out again.
set -eu

root=$1
units=$root/etc/systemd/system

# guest/root/ was copied over it with the checkout's owners and modes.
chroot "$root" chown 0:0 / /etc /usr
chroot "$root" chown -R 0:0 /etc/systemd /usr/local
chroot "$root" chmod 755 / /etc /usr
chroot "$root" chmod -R u=rwX,go=rX /etc/systemd /usr/local

chroot "$root" useradd --uid 1000 --user-group --create-home \
	--shell /bin/bash dev
echo dev:100000:65536 >"$root/etc/subuid"
echo dev:100000:65536 >"$root/etc/subgid"
mkdir -p "$root/var/lib/systemd/linger"
: >"$root/var/lib/systemd/linger/dev"

# A fixed machine id: an empty one makes every boot a first boot.
echo 61697266c0c64f6b8d1e6c6f636b766d >"$root/etc/machine-id"
echo airlock-vm >"$root/etc/hostname"
echo 127.0.0.1 localhost airlock-vm >"$root/etc/hosts"

ln -sf /lib/systemd/system/multi-user.target "$units/default.target"
mkdir -p "$units/multi-user.target.wants"
ln -sf ../airlock-vm.service "$units/multi-user.target.wants/"
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
	e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target \
	getty-static.service console-getty.service systemd-tmpfiles-clean.timer \
	serial-getty@ttyS0.service systemd-journal-flush.service \
	systemd-random-seed.service systemd-update-utmp.service \
	systemd-update-utmp-runlevel.service systemd-udev-settle.service; do
	ln -sf /dev/null "$units/$unit"
done

# The system has one kernel table and one place that knows where packages come
# from: apt of the file system under construction.
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
echo "$AIRLOCK_VM_KERNELS" | while read -r name package; do
	[ -n "$name" ] || continue
	image=$(apt-cache depends "$package" |
		sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p')
	mkdir -p "$root/kernels/$name"
	(cd "$root/kernels/$name" &&
		apt-get -q -o APT::Sandbox::User=root \
			download "${image:-$package}")
done
