# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: the same as the root of the container, without CAP_SYS_ADMIN
refuses "--user"
identities root
not_here()
{
	no_containers dockerd
}
world()
{
	docker_run --security-opt seccomp="$SECCOMP" --security-opt systempaths=unconfined -- "$@"
}
