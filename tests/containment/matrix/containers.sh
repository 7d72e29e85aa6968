# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2317 # base, top: of run; called by rows
# Sourced by run: worlds that are containers, of podman and docker as the distribution has them. Both keep everything
# below $base, need root and touch no container, image or daemon of this machine's own. The root is a skeleton; /usr
# and the tree of this run are the host's, read-only.

DOCKER_PID=
SECCOMP=$top/packaging/containers/airlock-seccomp.json

no_containers()
{
	[ "$(id -u)" = 0 ] || {
		echo "needs root"
		return
	}
	command -v "$1" >/dev/null || echo "there is no $1: make deps-containers"
}

container_root()
{
	local root=$base/root link

	[ ! -d "$root" ] || return 0
	mkdir -p "$root"/{dev,etc,home,proc,root,run,sys,tmp,usr,var/tmp} || exit 125
	for link in bin lib lib32 lib64 sbin; do
		[ ! -L "/$link" ] || cp -P "/$link" "$root/$link" || exit 125
	done
	cp -a /etc/alternatives /etc/group /etc/ld.so.cache /etc/nsswitch.conf /etc/passwd /etc/shadow "$root/etc/" || exit 125
	echo "no file system" >"$root/etc/fstab" && echo "${RANDOM}machine" >"$root/etc/machine-id" || exit 125
	chmod 1777 "$root/tmp" "$root/var/tmp"
}

# container_options OPTION… -- CMD…: sets OPTIONS and COMMAND. Limits that root without CAP_SYS_RESOURCE can give, and no
# way out.
container_options()
{
	OPTIONS=(--rm --network none --ulimit nofile=4096:4096 --ulimit nproc=4096:4096
		-v /usr:/usr:ro -v "$TREE:$TREE:ro" -e HOME=/root)
	while [ "$1" != -- ]; do
		OPTIONS+=("$1")
		shift
	done
	shift
	COMMAND=("$@")
}

# podman_run OPTION… -- CMD…
podman_run()
{
	local OPTIONS COMMAND

	container_options "$@"
	container_root
	# crun takes no hybrid of both versions of cgroups: version 2 is hidden from it.
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c '
		if mountpoint -q /sys/fs/cgroup/unified; then
			umount -l /sys/fs/cgroup/unified || exit 125
		fi
		exec "$@"' sh \
		podman --root "$base/podman/root" --runroot "$base/podman/run" --tmpdir "$base/podman/tmp" \
		--storage-driver vfs --cgroup-manager cgroupfs --events-backend none --runtime crun \
		run --cgroups disabled "${OPTIONS[@]}" --rootfs "$base/root" "${COMMAND[@]}"
}

docker_client()
{
	/usr/bin/docker -H "unix://$base/docker/sock" "$@"
}

docker_start()
{
	local i

	[ -z "$DOCKER_PID" ] || return 0
	container_root
	mkdir -p "$base/docker" && echo '{}' >"$base/docker/config" || exit 125
	dockerd --config-file "$base/docker/config" --data-root "$base/docker/data" --exec-root "$base/docker/exec" \
		--pidfile "$base/docker/pid" --host "unix://$base/docker/sock" --iptables=false --ip-forward=false --bridge=none \
		--storage-driver vfs --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/airlock-matrix-$$" \
		>"$base/docker/log" 2>&1 </dev/null &
	DOCKER_PID=$!
	for ((i = 0; i < 150; i++)); do
		if docker_client version >/dev/null 2>&1; then
			tar -C "$base/root" -c . | docker_client import - airlock-matrix >/dev/null
			return
		fi
		kill -0 "$DOCKER_PID" 2>/dev/null || break
		sleep 0.2
	done
	tail -n 5 "$base/docker/log" >&2
	return 125
}

# docker_run OPTION… -- CMD…
docker_run()
{
	local OPTIONS COMMAND

	container_options "$@"
	docker_start || return
	# it switches IPv6 off, loopback included
	docker_client run --sysctl net.ipv6.conf.all.disable_ipv6=0 --sysctl net.ipv6.conf.default.disable_ipv6=0 \
		"${OPTIONS[@]}" airlock-matrix "${COMMAND[@]}"
}

containers_end()
{
	local group

	if [ -n "$DOCKER_PID" ]; then
		kill "$DOCKER_PID" 2>/dev/null
		wait "$DOCKER_PID"
		for group in "/sys/fs/cgroup/airlock-matrix-$$" /sys/fs/cgroup/*/"airlock-matrix-$$"; do
			[ ! -d "$group" ] || rmdir "$group"
		done
	fi
}

# Cases that ask for what these containers do not have, and what the shipped profile refuses by name, and by not naming it.
shipped_world()
{
	without 29-many-kinds it_counts_what_the_container_refuses
	without 55-proc-net no_program_of_the_container_has_a_socket
	denies socket personality open_tree_attr mptcp-dirty family-16-dirty family-{3..49}
	# shellcheck disable=SC2046 # names
	denies $(jq -r '.syscalls[] | select(.action == "SCMP_ACT_ERRNO").names[]' "$SECCOMP")
}
