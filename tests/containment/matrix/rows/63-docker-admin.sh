# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: the same with --cap-add SYS_ADMIN
contains
identities root
controls_outside
shipped_world
not_here()
{
	no_containers dockerd
}
world()
{
	docker_run --cap-add SYS_ADMIN --security-opt seccomp="$SECCOMP" --security-opt systempaths=unconfined -- "$@"
}
