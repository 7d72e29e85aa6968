# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: a container of podman with the flags and the seccomp profile that are shipped, as a plain user
contains
identities plain userns
controls_outside
shipped_world
without 91-shared-device its_canary_takes_CAP_MKNOD
not_here()
{
	no_containers podman
}
world()
{
	podman_run --security-opt seccomp="$SECCOMP" --security-opt unmask=ALL -- "$@"
}
