# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: a container of docker with the flags and the seccomp profile that are shipped, as a plain user
contains
identities plain userns
controls_outside
shipped_world
not_here()
{
	no_containers dockerd
}
world()
{
	docker_run --security-opt seccomp="$SECCOMP" --security-opt systempaths=unconfined -- "$@"
}
