# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: a container of podman, as it is by default
refuses "podman run --security-opt seccomp=airlock-seccomp.json --security-opt unmask=ALL"
not_here()
{
	no_containers podman
}
world()
{
	podman_run -- "$@"
}
